"""The matrix as matrix.json, matrix.md and matrix.html. Each file appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logitpack_conformance.clauses import requirements
from logitpack_conformance.model import SPEC, Container, Role
from logitpack_conformance.reports import atomic
from logitpack_conformance.reports.cells import STATUSES, UNDONE, Cell
from logitpack_conformance.reports.facts import clause, plural, suite_version
from logitpack_conformance.reports.markdown import code, prose
from logitpack_conformance.reports.page import template
from logitpack_conformance.text import bounded

from .collect import Matrix, Meeting, Pair, Party, own_failures, wrote
from .groups import Group, groups, listed
from .show import TITLES, between, figures

MOST_CASES = 100
"""Cases of a group that a page lists; matrix.json has all."""
WROTE = ("passed", "failed", "unsupported", "not run")
UNDECIDED = (*UNDONE, "unsupported")
CLASSES = {"passed": "good", "failed": "bad", "written wrongly": "bad", "stale": "open", "not run": "open"}
VERDICTS = {"passed": "good", "failed": "bad", "incomplete": "open"}
MARKS = {"passed": "✅ ", "failed": "❌ ", "written wrongly": "❌ ", "stale": "⚠️ ", "not run": "⚠️ "}


@dataclass(frozen=True)
class Told:
    """A matrix, and when it was made."""

    matrix: Matrix
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def date(self) -> str:
        """The date and time in UTC."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_all(folder: Path, matrix: Matrix, now: datetime | None = None) -> None:
    """Write all forms into a folder, which is made if it is missing. Raises OSError."""
    told = Told(matrix) if now is None else Told(matrix, now)
    for name, encode in FORMS.items():
        atomic.write(folder / name, encode(told))


def document(told: Told) -> dict[str, Any]:
    """Return the matrix as JSON values; schema/matrix.schema.json describes them."""
    matrix = told.matrix
    cells = [_counts(one, container) for one in matrix.meetings for container in one.other.containers(one.role)]
    cells = [one for one in cells if sum(one[name] for name in map(_key, STATUSES))]
    failed = [_pair(one, pair) for status in ("failed", "stale", "not run") for one, pair in listed(matrix, status)]
    own = [{"writer": _name(one), **_told(pair)} for one in matrix.writers for pair in own_failures(one)]
    return {
        "spec": SPEC,
        "suite": suite_version(),
        "date": told.date,
        "implementations": [_party(one) for one in matrix.parties],
        "wrote": [{"writer": _name(one), **_figures(wrote(one), WROTE)} for one in matrix.writers],
        "cells": cells,
        "written_wrongly": own,
        "pairs": failed,
        "notes": list(matrix.notes),
        "footer": {"cells": len(cells), "pairs": len(failed), "verdict": matrix.verdict},
    }


def _key(status: str) -> str:
    return status.replace(" ", "_")


def _name(party: Party) -> dict[str, str]:
    return {"name": bounded(party.identity[0]), "version": bounded(party.identity[1])}


def _party(party: Party) -> dict[str, Any]:
    about = [report.document["implementation"] for report in party.reports]
    return {
        **_name(party),
        "language": bounded(about[0]["language"]),
        "roles": [str(role) for role in Role if any(role in one["roles"] for one in about)],
        "containers": [str(one) for one in Container if any(one in part["containers"] for part in about)],
        "features": sorted({bounded(name, 100) for one in about for name in one["features"]}),
        "reports": [bounded(str(report.folder)) for report in party.reports],
    }


def _figures(cell: Cell, statuses: Sequence[str] = STATUSES) -> dict[str, Any]:
    return {**{_key(one): cell.counts[one] for one in statuses}, "requirements": _known(cell.requirements)}


def _counts(one: Meeting, container: Container) -> dict[str, Any]:
    names = {"role": str(one.role), "writer": _name(one.writer), "other": _name(one.other)}
    return {**names, "container": str(container), **_figures(one.cell(container))}


def _pair(one: Meeting, pair: Pair) -> dict[str, Any]:
    return {"role": str(one.role), "writer": _name(one.writer), "other": _name(one.other), **_told(pair)}


def _told(pair: Pair) -> dict[str, Any]:
    return {
        "case": pair.case,
        "container": str(pair.container),
        "status": pair.status,
        "requirements": _known(pair.requirements),
        "message": pair.message,
    }


def _known(names: tuple[str, ...]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in requirements()]


def as_json(told: Told) -> bytes:
    """Return matrix.json: ASCII, the footer last."""
    return (json.dumps(document(told), indent=1, allow_nan=False) + "\n").encode("ascii")


def as_markdown(told: Told) -> bytes:
    """Return matrix.md, whose texts from implementations are inert."""
    return ("\n".join(_lines(told)) + "\n").encode()


def _lines(told: Told) -> Iterator[str]:
    matrix = told.matrix
    yield f"## LogitPack {SPEC}: who reads whose files"
    yield ""
    yield f"**{matrix.verdict}**: {prose(figures(matrix))}."
    for role in matrix.roles:
        yield ""
        yield from _table(matrix, role)
    for status, title in TITLES.items():
        yield from _section(title, groups(matrix, status))
    yield ""
    yield from (f"- note: {code(note)}" for note in matrix.notes)
    yield f"Suite {prose(suite_version())}, {told.date}."


def _table(matrix: Matrix, role: Role) -> Iterator[str]:
    others = matrix.others(role)
    yield f"| writer \\ {role} | wrote | " + " | ".join(code(one.label) for one in others) + " |"
    yield "|---|---|" + "---|" * len(others)
    for writer in matrix.writers:
        cells = [one.cell() for one in matrix.meetings if one.role is role and one.writer is writer]
        texts = [f"{MARKS.get(one.status, '')}{prose(str(one))}" for one in (wrote(writer), *cells)]
        yield f"| {code(writer.label)} | " + " | ".join(texts) + " |"


def _section(title: str, found: list[Group]) -> Iterator[str]:
    """Yield a heading and the failed pairs, a line for each case."""
    if not found:
        return
    yield from ("", f"### {title}", "")
    for one in found:
        reason = prose(one.reason or "no requirement named")
        yield f"- **{reason}** {code(between(one))}: {plural(len(one.pairs), 'file')}"
        for case, containers, message in one.cases[:MOST_CASES]:
            yield f"  - {code(case)} ({containers}): {code(message)}"
        if len(one.cases) > MOST_CASES:
            yield f"  - and {plural(len(one.cases) - MOST_CASES, 'case')} more; matrix.json has all"


def as_page(told: Told) -> bytes:
    """Return matrix.html: one page that needs nothing beside it."""
    return (template("matrix.html.j2").render(_context(told)) + "\n").encode()


def _context(told: Told) -> dict[str, Any]:
    matrix = told.matrix
    return {
        "told": told,
        "spec": SPEC,
        "suite": suite_version(),
        "verdict": matrix.verdict,
        "figures": figures(matrix),
        "tables": [_page_table(matrix, role) for role in matrix.roles],
        "sections": [(title, "bad", groups(matrix, status)) for status, title in TITLES.items()]
        + [("Without a verdict", "open", [one for status in UNDECIDED for one in groups(matrix, status)])],
        "parties": [_party(one) for one in matrix.parties],
        "notes": matrix.notes,
        "verdicts": VERDICTS,
        "clause": clause,
        "most": MOST_CASES,
        "plural": plural,
    }


def _page_table(matrix: Matrix, role: Role) -> dict[str, Any]:
    rows = []
    for writer in matrix.writers:
        cells: list[tuple[str, Cell, Mapping[str, Cell]]] = [(_class(wrote(writer)), wrote(writer), {})]
        for one in matrix.meetings:
            if one.role is role and one.writer is writer:
                parts = {str(container): one.cell(container) for container in one.other.containers(role)}
                shown = {name: part for name, part in parts.items() if part.counts}
                cells.append((_class(one.cell()), one.cell(), shown))
        rows.append((writer.label, cells))
    return {"role": str(role), "others": [one.label for one in matrix.others(role)], "rows": rows}


def _class(cell: Cell) -> str:
    return CLASSES.get(cell.status, "none")


FORMS: Mapping[str, Callable[[Told], bytes]] = {
    "matrix.json": as_json,
    "matrix.md": as_markdown,
    "matrix.html": as_page,
}
"""The files of a matrix."""
