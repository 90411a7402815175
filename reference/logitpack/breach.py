"""A breach: the places where one requirement does not hold in one column.

Strategy: judgement is made on whole batches, so a breach holds arrays of positions. A decoder
raises the first of them, a checker counts them all; the text of each is made only when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from logitpack.errors import DataError, LogitPackError, Place


class Detail(NamedTuple):
    """What one place of a breach has to say: a sentence, the value found, what may stand there."""

    message: str
    got: object = None
    allowed: object = None


@dataclass(frozen=True, slots=True, eq=False)
class Breach:
    """The places where `requirement` does not hold, in stored order.

    `rows` int64 [places] counts in the batch that was judged, whose first row is row
    `first_row` of its file. `tokens` and `entries`, int64 [places] each, are positions in the
    row and in the token's nucleus or tail; -1 stands where there is none, None where none has
    one. `describe(k)` tells what is wrong at place k.
    """

    requirement: str
    column: str | None
    rows: NDArray[np.int64]
    describe: Callable[[int], Detail]
    tokens: NDArray[np.int64] | None = None
    entries: NDArray[np.int64] | None = None
    first_row: int = 0

    def __len__(self) -> int:
        """Return the number of places."""
        return self.rows.size

    def place(self, k: int = 0) -> Place:
        """Return place k, its row counted from the start of the file."""
        return Place(
            row=int(self.rows[k]) + self.first_row,
            token=_known(self.tokens, k),
            entry=_known(self.entries, k),
            column=self.column,
        )

    def error(self, k: int = 0, kind: type[LogitPackError] = DataError) -> LogitPackError:
        """Return place k as an error."""
        message, got, allowed = self.describe(k)
        return kind(message, requirement=self.requirement, place=self.place(k), got=got, allowed=allowed)


def first(breaches: list[Breach]) -> Breach | None:
    """Return the breach with the lowest row, the earliest in the list where rows are equal."""
    return min(breaches, key=lambda breach: int(breach.rows[0]), default=None)


def _known(positions: NDArray[np.int64] | None, k: int) -> int | None:
    if positions is None or positions[k] < 0:
        return None
    return int(positions[k])
