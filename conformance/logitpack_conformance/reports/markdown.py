"""summary.md: a run in short, for $GITHUB_STEP_SUMMARY and other places that render Markdown.

Strategy: what is not ours stands in code elements, with all but letters, digits and a few harmless signs as character
references. So it is neither markup nor a mention, a link or the end of a table cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logitpack_conformance.model import SPEC, Result
from logitpack_conformance.reports.facts import Facts, alike, clause, plural, repeat, suite_version, tally
from logitpack_conformance.score import Overall, Score, Status
from logitpack_conformance.text import bounded

MOST_FAILURES = 40
MOST_OF_ONE = 5
MARKS = {Overall.CONFORMANT: "✅", Overall.NOT_CONFORMANT: "❌", Overall.INCOMPLETE: "⚠️"}
WORDS = {Status.PASSED: "✅", Status.FAILED: "❌", Status.NOT_SHOWN: "not shown", Status.NOT_JUDGED: ""}


def code(text: object, limit: int = 300) -> str:
    """Return text as a code element of HTML in Markdown, inert in a table cell as well.

    >>> code("a|b")
    '<code>a&#124;b</code>'
    """
    return f"<code>{_references(bounded(text, limit))}</code>"


def prose(text: str) -> str:
    """Return text of SPEC.md, so that no character in it is markup but its marks of code.

    >>> prose("list<uint8>")
    'list&#60;uint8&#62;'
    """
    inert = "".join(f"&#{ord(c)};" if c in "<>&*_|[]\\#~@$" else c for c in bounded(text, 2000))
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", inert)


def _references(text: str) -> str:
    return "".join(c if c.isalnum() or c in " -/(),=" else f"&#{ord(c)};" for c in text)


def encode(facts: Facts) -> bytes:
    """Return the summary in UTF-8, well below the megabyte that GitHub takes."""
    return ("\n".join(_lines(facts)) + "\n").encode()


def _lines(facts: Facts) -> Iterator[str]:
    yield f"## LogitPack {SPEC}: {code(facts.name)}"
    yield ""
    yield f"{MARKS[facts.overall]} **{facts.overall}** as {facts.scope}: {_reckoning(facts)}."
    yield ""
    yield from _failures(facts)
    yield from _table(facts)
    yield from _left_out(facts)
    yield f"Suite {prose(suite_version())}, {facts.date}. {_declared(facts)}"


def _reckoning(facts: Facts) -> str:
    figures = [f"{plural(facts.counts[status], 'case')} {status}" for status in sorted(facts.counts)]
    selected = [f"only {code(facts.run.selected)}"] if facts.run.selected else []
    return ", ".join([f"{facts.number(Status.PASSED)} requirements passed", *figures, *selected])


def _declared(facts: Facts) -> str:
    features = facts.run.implementation.features
    return f"Features: {', '.join(code(feature, 60) for feature in features[:40]) or 'none'}."


def _failures(facts: Facts) -> Iterator[str]:
    shown = 0
    for name, results in facts.by_requirement.items():
        about = clause(name)
        yield f"### {prose(about.id or 'No requirement named')} {prose(about.title)}".rstrip()
        yield ""
        if about.text:
            yield f"> {prose(about.text)} Why: {prose(about.reason)}"
            yield ""
        cases = alike(results)
        kept = cases[: max(1, min(MOST_OF_ONE, MOST_FAILURES - shown))]
        for result, place in kept:
            shown += 1
            yield from _failure(facts, result, place)
        if len(cases) > len(kept):
            yield f"- {plural(len(cases), 'case')} in all; results.json has the rest."
        yield ""
    for problem in facts.problems[:MOST_FAILURES]:
        yield f"- expected failures: {code(problem)}"
    yield from (f"- generated example failed: {code(example, 1000)}" for example in facts.examples)
    yield from (f"- note: {code(note)}" for note in facts.notes)
    if facts.problems or facts.notes or facts.examples:
        yield ""


def _failure(facts: Facts, result: Result, place: str) -> Iterator[str]:
    reason = facts.expected_reason(result)
    expected = f" (expected: {code(reason)})" if reason else ""
    yield f"- {code(result.case.id)} ({place}): {code(result.message)}{expected}"
    yield f"  <br>{code(repeat(facts.run, result), 600)}"


def _table(facts: Facts) -> Iterator[str]:
    roles = facts.roles
    cells = {(one.requirement, one.role): one for one in facts.scores if one.status is not Status.NOT_JUDGED}
    names = dict.fromkeys(one.requirement for one in facts.scores if (one.requirement, one.role) in cells)
    yield f"<details><summary>{plural(len(names), 'requirement')}</summary>"
    yield ""
    yield "| requirement | level | title | " + " | ".join(roles) + " |"
    yield "|---|---|---|" + "---|" * len(roles)
    for name in names:
        about = clause(name)
        row = " | ".join(_cell(cells.get((name, role))) for role in roles)
        yield f"| {name} | {about.level} | {prose(about.title)} | {row} |"
    yield ""
    yield "</details>"
    yield ""


def _cell(one: Score | None) -> str:
    return "" if one is None else f"{WORDS[one.status]} {tally(one)}".rstrip()


def _left_out(facts: Facts) -> Iterator[str]:
    if not facts.left_out:
        return
    yield f"<details><summary>{plural(sum(len(g.names) for g in facts.left_out), 'case')} without a verdict</summary>"
    yield ""
    for group in facts.left_out[:MOST_FAILURES]:
        yield f"- {group.role}: {len(group.names)} {group.status}: {code(group.reason)}"
    if len(facts.left_out) > MOST_FAILURES:
        yield f"- and {len(facts.left_out) - MOST_FAILURES} further reasons"
    yield ""
    yield "</details>"
    yield ""
