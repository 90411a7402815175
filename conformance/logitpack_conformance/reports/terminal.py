"""A run on the terminal: a table by requirement, what was left out, the failures, and the verdict as the last line.

Strategy: a terminal gets colour and a table that fits its width, a pipe the same text plain, one record a line. Nothing
of an adapter's is read as markup, and nothing reaches a terminal that has not been made printable.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from logitpack_conformance.model import Container, Result, Role, Run
from logitpack_conformance.reports.cells import cell
from logitpack_conformance.reports.facts import Facts, alike, clause, plural, repeat, tally
from logitpack_conformance.score import Overall, Score, Status
from logitpack_conformance.text import bounded, bounded_json

UNBOUNDED = 1_000_000
MOST_FAILURES = 20
MOST_OF_ONE = 3
STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.NOT_SHOWN: "yellow",
    Overall.CONFORMANT: "bold green",
    Overall.NOT_CONFORMANT: "bold red",
    Overall.INCOMPLETE: "bold yellow",
}
CELLS = {"passed": "green", "failed": "bold red", "written wrongly": "bold red", "stale": "yellow", "not run": "yellow"}
"""The style of a cell of a matrix by the status that tells most."""


def show(
    run: Run,
    scores: Sequence[Score],
    *,
    expected: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
    flags: Mapping[str, str] | None = None,
    generated: Sequence[str] = (),
    file: TextIO | None = None,
) -> None:
    """Print a run on `file`, standard output if it is None. The other arguments are those of `reports.write_all`."""
    facts = Facts(run, scores, expected or {}, problems, flags or {}, generated)
    out = console(sys.stdout if file is None else file)
    table = _table(facts)
    if table.row_count:
        emit(out, table)
    if run.exchanged:
        emit(out, _exchange_table(run))
    for line in _lines(facts):
        out.print(line, soft_wrap=True)  # so that a command can be copied whole


def console(stream: TextIO) -> Console:
    """Return what prints on a stream, in which nothing is markup."""
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def emit(console: Console, table: Table) -> None:
    """Print a table."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    # A table is filled up with blanks to the width of its widest line.
    console.file.write("\n".join(line.rstrip() for line in capture.get().split("\n")))


def _table(facts: Facts) -> Table:
    """One line a requirement, one column a role; requirements that no role is judged by are left out."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    cells = {(one.requirement, one.role): one for one in facts.scores if one.status is not Status.NOT_JUDGED}
    roles = [role for role in facts.roles if any(role is known for _, known in cells)]
    for title in ("requirement", "level"):
        table.add_column(title, no_wrap=True)
    table.add_column("title", overflow="fold")
    for role in roles:
        table.add_column(str(role), no_wrap=True)
    for name in dict.fromkeys(requirement for requirement, _ in cells):
        about = clause(name)
        table.add_row(name, about.level, about.title, *(_cell(cells.get((name, role))) for role in roles))
    return table


def _exchange_table(run: Run) -> Table:
    """One line for each implementation whose files were sent, one column for each role and container."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for one in run.exchanged:
        row = found.setdefault(f"{bounded(one.writer, 100)} {bounded(one.version, 50)}", {})
        status = (one.result.status, one.result.broken[0] if one.result.broken else "")
        row.setdefault(f"{one.result.role}, {one.result.container}", []).append(status)
    titles = [f"{role}, {container}" for role in Role for container in Container]
    titles = [title for title in titles if any(title in row for row in found.values())]
    for title in ("files of", *titles):
        table.add_column(title)
    for label, row in found.items():
        cells = [cell(row.get(title, ())) for title in titles]
        table.add_row(label, *(Text(str(one), style=CELLS.get(one.status, "")) for one in cells))
    return table


def _cell(one: Score | None) -> Text:
    return Text("") if one is None else Text(f"{one.status} {tally(one)}".rstrip(), style=STYLES[one.status])


def _lines(facts: Facts) -> Iterator[Text]:
    if facts.recorded:
        recorded = plural(facts.recorded, "requirement")
        yield Text(f"{recorded} more: not judged, for these roles cannot break them; answers recorded", style="dim")
    for one in facts.scores:
        if one.status is Status.NOT_SHOWN:
            yield Text(f"not shown: {one.requirement} ({one.role}): {bounded(one.reason, 300)}", style="yellow")
    for group in facts.left_out:
        yield Text(f"{group.status}: {plural(len(group.names), 'case')} ({group.role}): {group.reason}", style="dim")
    yield from _failures(facts)
    yield from (Text(f"generated example failed: {example}", style="red") for example in facts.examples)
    yield from _exchanged(facts)
    for problem in facts.problems[:MOST_FAILURES]:
        yield Text(f"expected failures: {bounded(problem)}", style="yellow")
    yield from (Text(f"note: {note}", style="yellow") for note in facts.notes)
    yield Text("")
    yield Text(facts.headline, style=STYLES[facts.overall])


def _failures(facts: Facts) -> Iterator[Text]:
    shown = 0
    for name, results in facts.by_requirement.items():
        about = clause(name)
        yield Text("")
        place = f" (SPEC.md#{about.anchor})" if about.anchor else ""
        yield Text(f"{about.id or 'no requirement named'}: {about.text or 'failed'}{place}", style="bold")
        cases = alike(results)
        kept = cases[: MOST_OF_ONE if shown < MOST_FAILURES else 1]
        for result, place in kept:
            shown += 1
            yield from _failure(facts, result, place)
        if len(cases) > len(kept):
            yield Text(f"  and {plural(len(cases) - len(kept), 'case')} more", style="dim")


def _exchanged(facts: Facts) -> Iterator[Text]:
    """Say what became of files of others: what failed, and what was not sent."""
    failed = [one.result for one in facts.run.exchanged if one.result.status == "failed"]
    if failed:
        yield Text("")
        yield Text("files of others that failed, which enter no score:", style="bold")
    for result in failed[:MOST_FAILURES]:
        place = f"{result.case.id} ({result.role}, {result.container})"
        yield Text(f"  {', '.join(bounded(name, 40) for name in result.broken[:3])}: {place}", style="red")
        yield Text(f"    {'case':<9}{bounded(result.case.why)}")
        yield Text(f"    {'judged':<9}{bounded(result.message)}")
        yield Text(f"    {'repeat':<9}{repeat(facts.run, result)}")
    if len(failed) > MOST_FAILURES:
        yield Text(f"  and {plural(len(failed) - MOST_FAILURES, 'file')} more", style="dim")
    left = [one.result for one in facts.run.exchanged if one.result.status == "not-run"]
    held = Counter(bounded(one.message if not one.broken else f"not sent: it breaks {one.broken[0]}") for one in left)
    for why, count in held.most_common(MOST_FAILURES):
        yield Text(f"{plural(count, 'file')} of others: {why}", style="dim")


def _failure(facts: Facts, result: Result, place: str) -> Iterator[Text]:
    yield Text(f"  {result.case.id} ({place})", style="red")
    facts_of_it = {
        "case": bounded(result.case.why),
        "sent": _compact(result.request),
        "came": f"{bounded(result.outcome, 40)} {_compact(result.answer)}".rstrip(),
        "judged": bounded(result.message),
        "also": ", ".join(bounded(name, 40) for name in result.broken[1:6]),
        "flags": "; ".join(f"{flag}: {facts.flags.get(flag, '')}".rstrip(": ") for flag in result.case.flags),
        "expected": facts.expected_reason(result),
        "repeat": repeat(facts.run, result),
    }
    for name, value in facts_of_it.items():
        if value:
            yield Text(f"    {name:<9}{value}")


def _compact(message: Mapping[str, object]) -> str:
    return bounded(json.dumps(bounded_json(message), ensure_ascii=False), 1000) if message else ""
