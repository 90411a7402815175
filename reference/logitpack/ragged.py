"""Segments of flat arrays: counts, offsets, blocks, and reductions over each segment.

Strategy: a segment is one token's entries (or one row's tokens) in a flat array. Offsets are
accumulated in int64 whatever the type of the counts: in uint8 they would wrap within three
tokens. numpy's `reduceat` returns an element where a segment is empty, so empty segments are
left out of it and get the reduction's identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack.errors import UsageError

Counts = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]

BLOCK = 1 << 15
"""Entries worked on at a time: some binary32 and binary64 scratch of this size fits a cache."""


def to_offsets(counts: Counts) -> NDArray[np.int64]:
    """Return where each segment begins, and where the last ends: int64 [segments + 1].

    `counts` holds the length of each segment, integers of any width [segments].

    >>> to_offsets(np.array([200, 200, 3], np.uint8)).tolist()
    [0, 200, 400, 403]
    """
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, dtype=np.int64, out=offsets[1:])
    return offsets


def to_counts(offsets: Counts) -> NDArray[np.int64]:
    """Return the length of each segment, int64 [segments], from offsets [segments + 1].

    >>> to_counts(np.array([0, 200, 400, 403])).tolist()
    [200, 200, 3]
    """
    offsets = np.asarray(offsets).astype(np.int64, copy=False)
    counts: NDArray[np.int64] = offsets[1:] - offsets[:-1]
    return counts


def locate(offsets: NDArray[np.int64], position: int) -> tuple[int, int]:
    """Return the segment that holds a flat position, and the position within that segment.

    >>> locate(np.array([0, 200, 200, 403]), 200)
    (2, 0)
    """
    segment = int(np.searchsorted(offsets, position, side="right")) - 1
    return segment, position - int(offsets[segment])


def blocks(offsets: NDArray[np.int64], size: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Cut the segments into runs of whole segments, of about `size` entries each.

    Yields (first, last), `last` exclusive, in order; together they hold every segment once. A
    run is longer than `size` by less than its last segment, and so only where it must be.
    """
    segments = len(offsets) - 1
    marks = np.arange(size, int(offsets[-1]), size, dtype=np.int64)
    cuts = np.searchsorted(offsets, marks)
    yield from pairwise(sorted({0, *cuts.tolist(), segments}))


def checked_counts(counts: Counts, entries: int) -> NDArray[np.int64]:
    """Return `counts` as int64, once it is sure that they divide `entries` entries.

    Raises UsageError where they are no one-dimensional integers, one is negative, or they do
    not add up to `entries`.
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or counts.dtype.kind not in "ui":
        raise UsageError(f"counts are integers [segments], not {counts.dtype} {counts.shape}")
    if len(counts) and int(counts.min()) < 0:
        raise UsageError("a count is negative", got=int(counts.min()))
    if len(counts) and int(counts.max()) > entries:
        # Said before the sum, which could wrap.
        raise UsageError("a count exceeds all entries", got=int(counts.max()), allowed=entries)
    wide = counts.astype(np.int64, copy=False)
    total = int(wide.sum())
    if total != entries:
        raise UsageError(f"counts add up to {total}, not to {entries} entries", got=total)
    return wide


def segment_sum(values: NDArray[Any], counts: Counts) -> NDArray[Any]:
    """Return the sum of each segment, binary64 or int64 [segments]; 0 where it is empty.

    `values` are numbers or truth values [entries], `counts` integers [segments]. Raises
    UsageError where the counts do not fit.
    """
    dtype = np.float64 if values.dtype.kind == "f" else np.int64
    return _reduced(np.add, values, counts, np.zeros(len(counts), dtype))


def segment_min(values: Floats, counts: Counts) -> Floats:
    """Return the least value of each segment, in the values' dtype [segments]; empty: +inf.

    `values` are floats [entries], `counts` integers [segments]; a NaN makes its segment NaN.
    Raises UsageError where the counts do not fit.
    """
    return _reduced(np.minimum, values, counts, np.full(len(counts), np.inf, values.dtype))


def segment_max(values: Floats, counts: Counts) -> Floats:
    """Return the greatest value of each segment, in the values' dtype [segments]; empty: -inf.

    `values` are floats [entries], `counts` integers [segments]; a NaN makes its segment NaN.
    Raises UsageError where the counts do not fit.
    """
    return _reduced(np.maximum, values, counts, np.full(len(counts), -np.inf, values.dtype))


def segment_logsumexp(values: Floats, counts: Counts) -> NDArray[np.float64]:
    """Return log(sum(exp)) of each segment in nats, binary64 [segments]; -inf where empty.

    `values` are floats [entries], `counts` integers [segments]. All arithmetic is binary64.
    Raises UsageError where the counts do not fit.
    """
    top = segment_max(values, counts).astype(np.float64)
    counts = np.asarray(counts)
    offsets = to_offsets(counts)
    sums = np.zeros(len(counts), np.float64)
    with np.errstate(all="ignore"):
        # An infinite maximum is its own result; subtracting it would make it NaN.
        shift = np.where(np.isinf(top), 0.0, top)
        for first, last in blocks(offsets):
            part = counts[first:last]
            exps = values[offsets[first] : offsets[last]].astype(np.float64)
            exps -= np.repeat(shift[first:last], part)
            np.exp(exps, out=exps)
            sums[first:last] = segment_sum(exps, part)
        return shift + np.log(sums)


def _reduced(ufunc: np.ufunc, values: NDArray[Any], counts: Counts, result: NDArray[Any]) -> NDArray[Any]:
    """Reduce each segment with `ufunc` into `result`, which holds the identity."""
    counts = checked_counts(counts, len(values))
    filled = counts > 0
    starts = (to_offsets(counts)[:-1])[filled]
    if len(starts):
        result[filled] = ufunc.reduceat(values, starts, dtype=result.dtype)
    return result
