"""How files of one implementation went down with another, in a few words: a cell of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

NONE = "-"
"""Stands for a cell of two that have no container in common."""
UNDONE = ("not run", "stale")
MOST_NAMED = 4


@dataclass(frozen=True)
class Cell:
    """Counts by status, and the requirements that failures name, each once."""

    counts: Counter[str]
    requirements: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The status that tells most, failures first; "" for an empty cell."""
        order = ("failed", "stale", "not run", "passed", "unsupported")
        return next((status for status in order if self.counts[status]), "")

    def __str__(self) -> str:
        """`96/96`, or `93/96, 3 failed: IDX-2, QNT-2`."""
        total = self.counts.total()
        if not total:
            return NONE
        if self.counts["not run"] == total:
            return "not run"
        parts = [f"{self.counts['passed']}/{total}"]
        parts += [f"{self.counts[one]} {one}" for one in ("unsupported", *UNDONE) if self.counts[one]]
        if self.counts["failed"]:
            named = ", ".join(self.requirements[:MOST_NAMED])
            more = f" and {len(self.requirements) - MOST_NAMED} more" if len(self.requirements) > MOST_NAMED else ""
            parts.append(f"{self.counts['failed']} failed" + (f": {named}{more}" if named else ""))
        return ", ".join(parts)


def cell(found: Iterable[tuple[str, str]]) -> Cell:
    """Return the cell of statuses, each with the requirement that it names, if any.

    >>> str(cell([("passed", ""), ("failed", "IDX-2"), ("failed", "IDX-2")]))
    '1/3, 2 failed: IDX-2'
    """
    pairs = [(status.replace("-", " "), requirement) for status, requirement in found]
    named = dict.fromkeys(name for status, name in pairs if name and status == "failed")
    return Cell(Counter(status for status, _ in pairs), tuple(named))
