"""Rewrites the implementer's list of failures so that it says what happens today.

Strategy: the file is taken apart at its `[[expect]]` lines, each with the comment that stands right above it; every
entry is kept, changed, split or dropped as a piece of text, so that comments, reasons and layout stay. What failed and
is not listed comes at the end. Dates are left alone: whether an expired entry lives on is not for a program to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import tomlkit

from .expectations import MOST_MATCHES, Expectation, ExpectError, load
from .model import Result, Role
from .reports import atomic
from .text import bounded

HEADER = re.compile(r"^[ \t]*\[\[[ \t]*expect[ \t]*\]\]", re.MULTILINE)
LONGEST_REASON = 200
JUDGED = ("passed", "failed")


def update(path: Path, results: Sequence[Result]) -> None:
    """Rewrite a list, or make it, by the results of a whole run. Raises ExpectError, OSError."""
    text = path.read_text("utf-8") if path.exists() else ""
    expectations = load(path) if text else []
    preamble, blocks = _taken_apart(text)
    if len(blocks) != len(expectations):
        raise ExpectError(f"{path}: entries that are no [[expect]] tables cannot be rewritten")
    claimed: set[str] = set()
    parts = [preamble]
    for block, entry in zip(blocks, expectations, strict=True):
        own = [one for one in results if one.status in JUDGED and one.name not in claimed and entry.matches(one)]
        claimed |= {one.name for one in own if one.status == "failed"}
        parts += _updated(block, entry, own)
    new = [one for one in results if one.status == "failed" and one.name not in claimed]
    parts += [_made(place, reason) for place, reason in _places(new, results)]
    stripped = [part.strip("\r\n") for part in parts]
    atomic.write(path, ("\n\n".join(part for part in stripped if part) + "\n").encode())


def _taken_apart(text: str) -> tuple[str, list[str]]:
    """Return what stands before the first entry, and each entry with the comment right above it."""
    lines = re.split(r"(?<=\n)", text)
    starts = []
    for number, line in enumerate(lines):
        if HEADER.match(line):
            start = number
            while start > 0 and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            starts.append(start)
    preamble = "".join(lines[: starts[0]] if starts else lines)
    return preamble, ["".join(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]


def _updated(block: str, entry: Expectation, own: Sequence[Result]) -> Iterator[str]:
    """Yield what an entry becomes by the results that are its own: nothing, itself, or one entry for each failure."""
    failed = [one for one in own if one.status == "failed"]
    outcomes = {one.outcome for one in failed}
    is_narrow = len({one.case.id for one in failed}) <= MOST_MATCHES
    if len(failed) == len(own) and len(outcomes) == 1 and is_narrow:
        yield block if outcomes == {entry.outcome} else _with(block, {"outcome": failed[0].outcome})
        return
    for number, (place, _) in enumerate(_places(failed, own)):
        start = HEADER.search(block)
        text = block if number == 0 or start is None else block[start.start() :]  # its comment stays with the first
        yield _with(text, place)


def _places(failed: Sequence[Result], results: Sequence[Result]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the members that say which failures are meant and what comes of them, and what was found.

    A case that fails in the same way in all its containers is one entry, without a container.
    """
    names = {one.name for one in failed}
    told = set()
    for one in failed:
        own = [other for other in results if other.status in JUDGED and (other.case.id, other.role) == _key(one)]
        is_whole = len({other.outcome for other in own}) == 1 and names.issuperset(other.name for other in own)
        container = {} if is_whole or one.container is None else {"container": str(one.container)}
        place = {"case": one.case.id, "role": str(one.role), **container, "outcome": one.outcome}
        if tuple(place.values()) not in told:
            told.add(tuple(place.values()))
            yield place, one.message or one.outcome


def _key(one: Result) -> tuple[str, Role]:
    return one.case.id, one.role


def _with(block: str, members: Mapping[str, str]) -> str:
    document = tomlkit.parse(block.strip("\r\n") + "\n")
    for name, value in members.items():
        document["expect"][0][name] = value
    return tomlkit.dumps(document)


def _made(place: Mapping[str, str], reason: str) -> str:
    """Return a new entry, with what was found as its reason."""
    entry = tomlkit.table()
    for name, value in {**place, "reason": bounded(reason, LONGEST_REASON)}.items():
        entry.add(name, value)
    entries = tomlkit.aot()
    entries.append(entry)
    document = tomlkit.document()
    document.add("expect", entries)
    return tomlkit.dumps(document)
