"""The matrix on the terminal: a table for each role, what failed, what is stale, and the verdict as the last line."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from rich.table import Table
from rich.text import Text

from logitpack_conformance.model import Role
from logitpack_conformance.reports.cells import Cell
from logitpack_conformance.reports.facts import plural
from logitpack_conformance.reports.terminal import CELLS, console, emit
from logitpack_conformance.text import bounded

from .collect import Matrix, Pair, listed, own_failures, wrote

MOST_FAILURES = 40
VERDICTS = {"passed": "bold green", "failed": "bold red", "incomplete": "bold yellow"}


def show(matrix: Matrix, file: TextIO | None = None) -> None:
    """Print the matrix on `file`, standard output if it is None."""
    out = console(sys.stdout if file is None else file)
    for role in matrix.roles:
        emit(out, _table(matrix, role))
        out.print()
    for line in _lines(matrix):
        out.print(line, soft_wrap=True)


def _table(matrix: Matrix, role: Role) -> Table:
    """Return a line for each writer, a column for each reader or checker."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    others = matrix.others(role)
    for title in (f"writer \\ {role}", "wrote", *(other.label for other in others)):
        table.add_column(Text(title), overflow="fold")
    for writer in matrix.writers:
        cells = [one.cell() for one in matrix.meetings if one.role is role and one.writer is writer]
        table.add_row(Text(writer.label), *map(_styled, (wrote(writer), *cells)))
    return table


def _styled(one: Cell) -> Text:
    return Text(str(one), style=CELLS.get(one.status, "dim"))


def _lines(matrix: Matrix) -> Iterator[Text]:
    failed = [f"{writer.label}: {told(pair)}" for writer in matrix.writers for pair in own_failures(writer)]
    if failed:
        yield Text("written wrongly, whoever reads it:", style="bold")
        yield from _bounded(failed)
    failed = [
        f"{one.writer.label} -> {one.other.label}, {one.role}: {told(pair)}" for one, pair in listed(matrix, "failed")
    ]
    if failed:
        yield Text("written as it should be, and not taken so:", style="bold")
        yield from _bounded(failed)
    for status in ("stale", "not run"):
        for words, number in _counted(matrix, status).items():
            yield Text(f"{status}: {plural(number, 'file')}, {words}", style="yellow")
    yield from (Text(f"note: {note}", style="yellow") for note in matrix.notes)
    yield Text(headline(matrix), style=VERDICTS[matrix.verdict])


def _bounded(lines: list[str]) -> Iterator[Text]:
    yield from (Text(f"  {line}", style="red") for line in lines[:MOST_FAILURES])
    if len(lines) > MOST_FAILURES:
        yield Text(f"  and {len(lines) - MOST_FAILURES:,} more; --output DIR lists them all", style="dim")


def told(pair: Pair) -> str:
    """Return a failed pair in a line, without the names of the two."""
    named = ", ".join(bounded(name, 40) for name in pair.requirements[:3]) or "no requirement named"
    return f"{named}: {pair.case}@{pair.container}: {pair.message}"


def _counted(matrix: Matrix, status: str) -> Counter[str]:
    """Return how many pairs there are with a status, by writer, other and reason."""
    return Counter(
        f"{one.writer.label} -> {one.other.label}, {one.role}: {p.message}" for one, p in listed(matrix, status)
    )


def headline(matrix: Matrix) -> str:
    """Return the verdict in a sentence."""
    found = Counter(pair.status for one in matrix.meetings for pair in one.pairs)
    figures = ", ".join(f"{found[one]:,} {one}" for one in sorted(found))
    pairs = f"{plural(found.total(), 'pair')} of a file and who takes it"
    return f"matrix of {plural(len(matrix.parties), 'implementation')}: {matrix.verdict}: {pairs}: {figures or 'none'}"
