"""Vocabulary indices of 18 bits: the low 16 in a list, the high 2 packed four to a byte.

Strategy: expand each byte of high bits into four entries with one look-up in a table of
shifted bits, drop what pads the last byte of a row, and set the low bits in. Packing is the
reverse. Both go through blocks of bytes, whatever the rows are, so that scratch stays in the
cache and one pass over memory is all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from logitpack.errors import DataError, Place, UsageError
from logitpack.ragged import Counts, checked_counts, locate, to_offsets

MAX_INDEX = 262_143
"""The greatest index that 18 bits can hold."""

_BLOCK = 1 << 14  # bytes of high bits, so four times as many entries

# IDX-2: entry j of a run is bits 2(j mod 4), 2(j mod 4) + 1 of byte j // 4, so that the four
# entries of a byte stand in it from its least significant bit up.
_SHIFTS = np.array([0, 2, 4, 6])
_HIGH_BITS = ((np.arange(256)[:, None] >> _SHIFTS & 0b11) << 16).astype(np.int32)


def pack(indices: NDArray[np.integer[Any]], rows: Counts) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Split indices into low and high bits (IDX-2, IDX-3, IDX-4).

    `indices` are integers [entries], `rows` the number of entries of each row [rows]. Returns
    the low bits, uint16 [entries], and the rows' runs of high bits one after another, uint8
    [sum of ceil(rows / 4)], unused bits zero.

    Raises UsageError IDX-6 for an index outside 0..262143, with its row and its position in
    that row's run of entries as the place; UsageError where the arguments do not fit.

    >>> low, high = pack(np.array([5, 65541, 131077, 262143, 7]), np.array([5]))
    >>> low.tolist(), high.tobytes().hex()
    ([5, 5, 5, 65535, 7], 'e400')
    """
    indices = np.asarray(indices)
    if indices.ndim != 1 or indices.dtype.kind not in "ui":
        raise UsageError(f"indices are integers [entries], not {indices.dtype} {indices.shape}")
    rows = checked_counts(rows, len(indices))
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) <= MAX_INDEX:
        raise _refusal(indices, rows)
    low = indices.astype(np.uint16)  # keeps the low 16 bits
    high = np.empty(int(_run_bytes(rows).sum()), np.uint8)
    quads = np.zeros(4 * _BLOCK, np.uint8)
    for block in _blocks(rows):
        spread = quads[: 4 * (block.bytes.stop - block.bytes.start)]
        bits = (indices[block.entries] >> 16).astype(np.uint8)
        if block.kept is None:
            spread[:] = bits
        else:
            spread[:] = 0
            spread[block.kept] = bits
        # Read as one little-endian word, a quad has its entries 8 bits apart: bring them to 2.
        words = spread.view("<u4")
        high[block.bytes] = (words | words >> 6 | words >> 12 | words >> 18) & 0xFF
    return low, high


def unpack(low: NDArray[np.integer[Any]], high: NDArray[np.uint8], rows: Counts) -> NDArray[np.int32]:
    """Join low and high bits into indices, int32 [entries] (IDX-2); ignores unused bits.

    `low` are the low bits, integers in 0..65535 [entries], `high` the rows' runs of high bits
    one after another, uint8 [bytes], `rows` the number of entries of each row [rows].

    Raises DataError IDX-3 where `high` is not as long as the rows need; UsageError where the
    other arguments do not fit.

    >>> low, high = np.array([5, 5, 5, 65535, 7]), np.array([0xE4, 0x00], np.uint8)
    >>> unpack(low, high, np.array([5])).tolist()
    [5, 65541, 131077, 262143, 7]
    """
    low, high = np.asarray(low), np.asarray(high)
    if low.ndim != 1 or low.dtype.kind not in "ui":
        raise UsageError(f"low bits are integers [entries], not {low.dtype} {low.shape}")
    if high.ndim != 1 or high.dtype != np.uint8:
        raise UsageError(f"high bits are uint8 [bytes], not {high.dtype} {high.shape}")
    rows = checked_counts(rows, len(low))
    need = int(_run_bytes(rows).sum())
    if len(high) != need:
        raise DataError(
            f"high bits have {len(high)} bytes, expected {need} for {len(low)} indices",
            requirement="IDX-3",
            got=len(high),
            allowed=need,
        )
    indices = np.empty(len(low), np.int32)
    quads = np.empty((_BLOCK, 4), np.int32)
    for block in _blocks(rows):
        spread = quads[: block.bytes.stop - block.bytes.start]
        # "clip" never clips a byte; unlike "raise" it lets numpy write to `out` unbuffered.
        np.take(_HIGH_BITS, high[block.bytes], axis=0, out=spread, mode="clip")
        bits = spread.reshape(-1)
        if block.kept is not None:
            bits = bits[block.kept]
        part = indices[block.entries]
        np.copyto(part, low[block.entries], casting="same_kind")
        np.bitwise_or(part, bits, out=part)
    return indices


class _Block(NamedTuple):
    """A run of bytes of high bits, and what belongs to it."""

    bytes: slice
    entries: slice
    kept: NDArray[np.bool_] | None
    """Which of the bytes' 4 * size places hold entries [4 * size]; None where all do."""


def _run_bytes(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bytes of high bits of each row: a row's run starts a new byte (IDX-3)."""
    return (rows + 3) // 4


def _blocks(rows: NDArray[np.int64]) -> Iterator[_Block]:
    """Yield the blocks in order; a block's mask is only good until the next one is asked for."""
    sizes = _run_bytes(rows)
    padding = 4 * sizes - rows
    # The places that pad the last byte of a row: the entries before, and the padding before.
    before = np.repeat(np.cumsum(rows), padding)
    padded = before + np.arange(len(before))
    kept = np.ones(4 * _BLOCK, np.bool_)
    total, entry, pad = int(sizes.sum()), 0, 0
    for start in range(0, total, _BLOCK):
        stop = min(start + _BLOCK, total)
        pad_stop = int(np.searchsorted(padded, 4 * stop))
        holes = padded[pad:pad_stop] - 4 * start
        entry_stop = entry + 4 * (stop - start) - len(holes)
        kept[holes] = False
        mask = kept[: 4 * (stop - start)] if len(holes) else None
        yield _Block(slice(start, stop), slice(entry, entry_stop), mask)
        kept[holes] = True
        entry, pad = entry_stop, pad_stop


def _refusal(indices: NDArray[np.integer[Any]], rows: NDArray[np.int64]) -> UsageError:
    """Return the error for the first index that 18 bits cannot hold (IDX-6)."""
    entry = int(np.argmax((indices < 0) | (indices > MAX_INDEX)))
    got = int(indices[entry])
    row, position = locate(to_offsets(rows), entry)
    return UsageError(
        f"index {got} is outside 0..{MAX_INDEX}: 18 bits cannot hold it",
        requirement="IDX-6",
        place=Place(row=row, entry=position),
        got=got,
        allowed=(0, MAX_INDEX),
    )
