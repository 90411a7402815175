"""The matrix on the terminal: a table for each role, what failed, what is stale, and the verdict as the last line."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from rich.table import Table
from rich.text import Text

from logitpack_conformance.model import Role
from logitpack_conformance.reports.cells import STATUSES, Cell
from logitpack_conformance.reports.facts import plural
from logitpack_conformance.reports.terminal import CELLS, console, emit
from logitpack_conformance.text import bounded

from .collect import Matrix, wrote
from .groups import Group, groups

MOST_CASES = 5
TITLES = {
    "written wrongly": "Written wrongly, whoever takes it",
    "failed": "Written as it should be, and not taken so",
}
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
    for status, title in TITLES.items():
        found = groups(matrix, status)
        if found:
            yield Text(f"{title}:", style="bold")
        for one in found:
            yield from _group(one)
    for status in ("stale", "not run"):
        for one in groups(matrix, status):
            yield Text(f"{status}: {plural(len(one.pairs), 'file')}, {between(one)}: {one.reason}", style="yellow")
    yield from (Text(f"note: {note}", style="yellow") for note in matrix.notes)
    yield Text(f"{matrix.verdict}: {figures(matrix)}", style=VERDICTS[matrix.verdict])


def _group(group: Group) -> Iterator[Text]:
    named = bounded(group.reason, 40) or "no requirement named"
    yield Text(f"  {named}: {between(group)}: {plural(len(group.pairs), 'file')}", style="red")
    for case, containers, message in group.cases[:MOST_CASES]:
        yield Text(f"    {case} ({containers}): {message}")
    if len(group.cases) > MOST_CASES:
        yield Text(
            f"    and {plural(len(group.cases) - MOST_CASES, 'case')} more; --output DIR lists them", style="dim"
        )


def between(group: Group) -> str:
    """Return whose pairs these are."""
    return f"{group.writer} -> {group.other}" if group.other else group.writer


def figures(matrix: Matrix) -> str:
    """Return what there is in a sentence."""
    found = Counter(pair.status for one in matrix.meetings for pair in one.pairs)
    told = ", ".join(f"{found[one]:,} {one}" for one in STATUSES if found[one])
    pairs = plural(found.total(), "pair")
    return f"{plural(len(matrix.parties), 'implementation')}, {pairs} of a file and who takes it: {told or 'none'}"
