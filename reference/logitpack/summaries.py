"""Summaries: what a run of rows comes to, small whatever its size.

Strategy: a part of a file gives a summary whose rows are counted from the part's first; those of the parts of a file
are added in the order of the file, each moved to where its part begins. What a part says is the same wherever and
whenever it was read, and so is their sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from logitpack.dataset import Totals
from logitpack.entries import Sound
from logitpack.errors import DataError, Place
from logitpack.figures import Figures
from logitpack.report import Findings, Spot


@dataclass
class Stride:
    """The rows with one S: how many, and the first few of them."""

    rows: int = 0
    spots: list[Spot] = field(default_factory=list)


@dataclass
class Summary:
    """What was found in a run of rows, and what they add to their dataset.

    `tokens` counts those of sound rows. `strides` are by S, in the order of their first row. `broken` is a page of a
    column not read that does not match its checksum, `unchecked` one that has none, the first of each. `ended` is
    why reading ended before the end.
    """

    findings: Findings
    totals: Totals = field(default_factory=Totals)
    figures: Figures = field(default_factory=Figures)
    strides: dict[int, Stride] = field(default_factory=dict)
    rows: int = 0
    tokens: int = 0
    broken: Place | None = None
    unchecked: Place | None = None
    ended: DataError | None = None

    def add(self, other: Summary) -> None:
        """Add the part that follows; nothing, where reading has ended before it."""
        if self.ended is not None:
            return
        self.findings.add_all(other.findings, rows=self.rows)
        for width, stride in other.strides.items():
            self._add_stride(width, stride.rows, [spot.moved(self.rows) for spot in stride.spots])
        self.totals += other.totals
        self.figures += other.figures
        self.broken = self.broken or other.broken
        self.unchecked = self.unchecked or other.unchecked
        self.ended = other.ended and _moved(other.ended, self.rows)
        self.rows += other.rows
        self.tokens += other.tokens

    def count_strides(self, sound: Sound, row_group: int | None) -> None:
        """Count sound rows by their S (ROW-5)."""
        for width in dict.fromkeys(sound.num_sampled.tolist()):
            rows = np.flatnonzero(sound.num_sampled == width)
            numbers = sound.row_numbers[rows[: self.findings.limit]].tolist()
            places = (Place(row_group=row_group, row=number, column="sampled_indices_low") for number in numbers)
            self._add_stride(width, rows.size, [Spot(place, width) for place in places])

    def _add_stride(self, width: int, rows: int, spots: list[Spot]) -> None:
        stride = self.strides.setdefault(width, Stride())
        stride.rows += rows
        stride.spots = (stride.spots + spots)[: self.findings.limit]


def _moved(error: DataError, rows: int) -> DataError:
    place = Spot(error.place).moved(rows).place
    assert place is not None
    moved = DataError(error.message, requirement=error.requirement, place=place, got=error.got, allowed=error.allowed)
    moved.__cause__ = error.__cause__
    return moved
