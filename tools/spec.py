"""Parse SPEC.md: its requirements, its examples, and what is wrong with its wording.

Strategy: a requirement is a list item that begins with its id; everything that lists requirements is made
from what is parsed here, so that the text stays the only source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KINDS = {"S": "structural", "M": "semantic", "B": "behaviour"}

ITEM = re.compile(
    r"- \*\*(?P<id>[A-Z]+-[1-9][0-9]*)\*\* \((?P<kind>[SMB])\) \*(?P<title>[^*]+)\.\* (?P<body>.+)", re.DOTALL
)
ANCHORED = re.compile(r'<a id="(?P<anchor>[a-z]+-[0-9]+)"></a>\*\*(?P<word>MUST NOT|MUST|SHOULD NOT|SHOULD)\*\*')
HEADING = re.compile(r"(#+) (.+)")
BARE_WORD = re.compile(r"\b(must|should|shall|required to|has to be)\b")
CAPITALS = re.compile(r"\b(MUST|SHOULD|SHALL|REQUIRED|RECOMMENDED|OPTIONAL)\b")
EXAMPLE = re.compile(r"<!-- example: (?P<name>[a-z-]+) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)


class SpecError(Exception):
    """SPEC.md breaks one of its own rules of form."""


@dataclass(frozen=True)
class Requirement:
    """One obligation of SPEC.md. `text` and `reason` are plain text without markup."""

    id: str
    level: str
    kind: str
    title: str
    section: str
    anchor: str
    text: str
    reason: str


def plain(markdown: str) -> str:
    """Take the markup off a piece of SPEC.md, and fold its white space."""
    text = re.sub(r"<a id=[^>]*></a>", "", markdown)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<sup>([^<]*)</sup>", r"^\1", text)
    text = re.sub(r"<sub>([^<]*)</sub>", r"_\1", text)
    text = re.sub(r"\*\*|(?<!\\)\*", "", text).replace("\\<", "<").replace("\\>", ">")
    return " ".join(text.split())


def slug(heading: str) -> str:
    """Give the anchor that renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def blocks(text: str) -> list[tuple[str, str]]:
    """Split into (heading, block) pairs: list items and paragraphs, without code fences."""
    heading, fenced = "", False
    found: list[tuple[str, str]] = []
    current: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            fenced = not fenced
        begins = line.startswith("- ") or not line.strip() or HEADING.match(line)
        if begins and current and not fenced:
            found.append((heading, "\n".join(current)))
            current = []
        match = HEADING.match(line)
        if match and not fenced:
            heading = match[2]
        elif line.strip() and not fenced and not line.startswith("```"):
            current.append(line)
    return found


def requirements(text: str) -> list[Requirement]:
    """Parse all requirements, in order. Raises SpecError where the form is broken."""
    found: dict[str, Requirement] = {}
    for heading, block in blocks(text):
        item = ITEM.fullmatch(block)
        words = list(ANCHORED.finditer(block))
        if item is None:
            if words or re.match(r"- \*\*[A-Z]+-", block):
                raise SpecError(f"not in the form of a requirement: {block[:80]!r}")
            continue
        name = item["id"]
        if name in found:
            raise SpecError(f"{name} stands twice")
        if len(words) != 1 or words[0]["anchor"] != name.lower():
            raise SpecError(f"{name} has to have one MUST or SHOULD, with its own anchor")
        body, _, reason = item["body"].partition("*Why:*")
        if not reason.strip():
            raise SpecError(f"{name} gives no reason")
        found[name] = Requirement(
            id=name,
            level=words[0]["word"].removesuffix(" NOT"),
            kind=item["kind"],
            title=plain(item["title"]),
            section=heading,
            anchor=name.lower(),
            text=plain(body),
            reason=plain(reason),
        )
    return list(found.values())


def wording(text: str) -> list[str]:
    """Find normative words in lower case, and capitals that carry no id."""
    faults = []
    for heading, block in blocks(text):
        if heading in {"2.1 Words", "Appendix I: all requirements (generated)"}:
            continue
        quoted = re.sub(r"`[^`]*`", "", block)
        faults += [f"{heading}: {word!r} in lower case: {plain(block)[:70]!r}" for word in BARE_WORD.findall(quoted)]
        bare = CAPITALS.findall(ANCHORED.sub("", quoted))
        allowed = heading in {"2.2 Requirements and their kinds", "15 Versioning", "14.3 Checkers", "14.2 Writers"}
        faults += [f"{heading}: {word} without an id: {plain(block)[:70]!r}" for word in bare if not allowed]
    return faults


def examples(text: str) -> dict[str, str]:
    """Give the named examples of SPEC.md, as they stand there."""
    return {match["name"]: match["text"] for match in EXAMPLE.finditer(text)}


def read_spec(root: Path = ROOT) -> str:
    """Give the text of SPEC.md."""
    return (root / "SPEC.md").read_text("utf-8")
