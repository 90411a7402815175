"""How files of one implementation went down with another, in a few words: a cell of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NONE = "-"
"""Stands for a cell of two that have no container in common."""
BAD = ("failed", "written wrongly")
UNDONE = ("stale", "not run")
STATUSES = (*BAD, *UNDONE, "passed", "unsupported")
"""What may become of a file, what tells most first."""
MOST_NAMED = 4


@dataclass(frozen=True)
class Cell:
    """Counts by status, and by status the requirements that are named, each once."""

    counts: Counter[str]
    named: Mapping[str, tuple[str, ...]]

    @property
    def status(self) -> str:
        """The status that tells most, "" for an empty cell."""
        return next((status for status in STATUSES if self.counts[status]), "")

    @property
    def requirements(self) -> tuple[str, ...]:
        """All that are named of failures, each once."""
        return tuple(dict.fromkeys(name for status in BAD for name in self.named.get(status, ())))

    def __str__(self) -> str:
        """`96/96`, or `93/96, 3 failed: IDX-2, QNT-2`."""
        total = self.counts.total()
        if not total:
            return NONE
        if self.counts["not run"] == total:
            return "not run"
        parts = [f"{self.counts['passed']}/{total}"]
        parts += [f"{self.counts[one]} {one}" for one in ("unsupported", *UNDONE) if self.counts[one]]
        parts += [f"{self.counts[one]} {one}{self._told(one)}" for one in BAD if self.counts[one]]
        return ", ".join(parts)

    def _told(self, status: str) -> str:
        names = self.named.get(status, ())
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return f": {', '.join(names[:MOST_NAMED])}{more}" if names else ""


def cell(found: Iterable[tuple[str, str]]) -> Cell:
    """Return the cell of statuses, each with the requirement that it names, if any.

    >>> str(cell([("passed", ""), ("failed", "IDX-2"), ("failed", "IDX-2")]))
    '1/3, 2 failed: IDX-2'
    """
    counts: Counter[str] = Counter()
    named: dict[str, dict[str, None]] = {}
    for status, requirement in found:
        counts[status.replace("-", " ")] += 1
        if requirement:
            named.setdefault(status, {})[requirement] = None
    return Cell(counts, {status: tuple(names) for status, names in named.items()})
