"""The structural requirements on single values: codes, low bits, counts, ranges, logsumexp.

Strategy: the values of a row are judged where its lengths hold, so that each has a token to
be told by. A column whose Arrow type cannot hold a value out of range is not passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack.breach import Breach, Detail
from logitpack.columns import Columns, Ragged
from logitpack.table import COLUMNS

Mask = NDArray[np.bool_]
Lengths = NDArray[np.int64]
RowDetail = Callable[[int], Detail]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Which rows have their lengths right.

    `per_token`: by column, where ROW-2 holds; `top` where ROW-3 and `sampled` where ROW-4
    holds, each bool [rows]. `num_sampled` int64 [rows] is S, 0 where ROW-4 does not hold.
    `top_starts` int64 [counts + 1] is where each token's nucleus begins, rows in which NUC-1
    does not hold being taken as empty.
    """

    per_token: dict[str, Mask]
    top: Mask
    sampled: Mask
    num_sampled: Lengths
    top_starts: Lengths


def in_range(numbers: NDArray[Any], low: int, high: int) -> Mask:
    """Return where integers of any type are in `low` to `high`."""
    return np.asarray((numbers >= low) & (numbers <= high))


def out_of_range(
    columns: Columns,
    name: str,
    judged: Mask,
    tell: Callable[[Lengths, Lengths], tuple[Lengths, Lengths]] | None = None,
) -> Iterator[Breach]:
    """Yield the values of an integer column that break its range in the table.

    Only rows where `judged` bool [rows] are looked at. `tell` takes rows and elements of them
    to tokens and entries; without it the column has one element for each token.
    """
    column, bounds = columns.ragged(name), COLUMNS[name]
    low, high, requirement = bounds.minimum, bounds.maximum, bounds.range_requirement
    assert low is not None
    assert high is not None
    assert requirement is not None
    limits = np.iinfo(column.values.dtype)
    if low <= limits.min and limits.max <= high:
        return
    at = np.flatnonzero(~in_range(column.values, low, high))
    at, rows, elements = _placed(column, at, judged)
    if at.size == 0:
        return
    numbers = column.values

    def describe(k: int) -> Detail:
        got = int(numbers[at[k]])
        return Detail(f"{name} holds {got}, expected {low} to {high}", got, [low, high])

    tokens, entries = (elements, None) if tell is None else tell(rows, elements)
    yield Breach(requirement, name, rows, describe, tokens, entries, columns.first_row)


def integers(columns: Columns, shape: Shape) -> Iterator[Breach]:
    """IDX-1 and QNT-8: low bits and codes are in 0..65535."""

    def nucleus(rows: Lengths, elements: Lengths) -> tuple[Lengths, Lengths]:
        first = columns.top_counts.offsets[rows]
        target = shape.top_starts[first] + elements
        token = np.searchsorted(shape.top_starts, target, side="right") - 1
        return token - first, target - shape.top_starts[token]

    def tail(rows: Lengths, elements: Lengths) -> tuple[Lengths, Lengths]:
        return elements // shape.num_sampled[rows], elements % shape.num_sampled[rows]

    for part in ("indices_low", "logits_quantized"):
        yield from out_of_range(columns, f"top_{part}", shape.top, nucleus)
        yield from out_of_range(columns, f"sampled_{part}", shape.sampled, tail)


def floats(columns: Columns, shape: Shape) -> Iterator[Breach]:
    """QNT-1 and LSE-1: ranges are finite, in order, and no wider than binary32 can hold."""
    for kind in ("top", "sampled"):
        yield from _ranges(columns, shape, f"{kind}_min", f"{kind}_max")
    numbers = columns.logsumexp.values
    finite = np.isfinite(numbers)
    if finite.all():
        return
    at, rows, tokens = _placed(columns.logsumexp, np.flatnonzero(~finite), shape.per_token["logsumexp"])

    def describe(k: int) -> Detail:
        got = float(numbers[at[k]])
        return Detail(f"logsumexp is {got}, expected a finite number", got)

    if at.size:
        yield Breach("LSE-1", "logsumexp", rows, describe, tokens, None, columns.first_row)


def _ranges(columns: Columns, shape: Shape, low_name: str, high_name: str) -> Iterator[Breach]:
    judged = shape.per_token[low_name] & shape.per_token[high_name]
    low, high = columns.ragged(low_name), columns.ragged(high_name)
    if not np.array_equal(low.offsets, high.offsets):
        low, high = low.select(judged), high.select(judged)
    with np.errstate(over="ignore", invalid="ignore"):
        width = high.values - low.values
    broken = ~((width >= 0) & (width < np.inf))  # also where an end is NaN or infinite
    if not broken.any():
        return
    numbers = np.arange(len(columns))
    if low.offsets.size <= len(columns):
        numbers, judged = numbers[judged], judged[judged]
    only_high = np.isfinite(low.values) & ~np.isfinite(high.values)
    for name, wrong in ((low_name, broken & ~only_high), (high_name, broken & only_high)):
        at, rows, tokens = _placed(low, np.flatnonzero(wrong), judged)

        def describe(k: int, at: Lengths = at) -> Detail:
            return _range_detail(low_name, high_name, float(low.values[at[k]]), float(high.values[at[k]]))

        if at.size:
            yield Breach("QNT-1", name, numbers[rows], describe, tokens, None, columns.first_row)


def _range_detail(low_name: str, high_name: str, low: float, high: float) -> Detail:
    for name, end in ((low_name, low), (high_name, high)):
        if not np.isfinite(end):
            return Detail(f"{name} is {end}, expected a finite number", [low, high])
    if low > high:
        return Detail(f"{low_name} is {low}, above {high_name}, {high}", [low, high])
    return Detail(f"{low_name} {low} to {high_name} {high} is wider than binary32", [low, high])


def _placed(column: Ragged, at: Lengths, judged: Mask) -> tuple[Lengths, Lengths, Lengths]:
    """Return which of the positions `at` are in judged rows, their rows and elements there."""
    rows = np.searchsorted(column.offsets, at, side="right") - 1
    kept = judged[rows]
    at, rows = at[kept], rows[kept]
    return at, rows, at - column.offsets[rows]
