"""Readers that put indices together wrongly (IDX-2, IDX-3, IDX-4).

Strategy: most change how high bits are taken out of their bytes; `_read_each` gives a mutant one entry at a time, with
the row's bytes and the entry's place in its row and token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import codec, columns, indices
from logitpack.columns import Columns, Ragged
from logitpack.ragged import to_offsets
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import put, wrap
from logitpack_conformance.model import Role

READER = Role.READER
Ints = NDArray[np.int64]


def _shifted(shifts: list[int]) -> NDArray[np.int32]:
    table: NDArray[np.int32] = ((np.arange(256)[:, None] >> np.array(shifts) & 0b11) << 16).astype(np.int32)
    return table


@mutant(READER, "IDX-2", containers=(PARQUET, JSON))
def msb_first() -> None:
    """The four entries of a byte of high bits are taken from its most significant end."""
    put(indices, "_HIGH_BITS", _shifted([6, 4, 2, 0]))


@mutant(READER, "IDX-2")
def bits_of_a_pair_swapped() -> None:
    """Bit 16 is taken for bit 17 and the other way round."""
    pairs = np.array([0, 2, 1, 3], np.int32) << 16
    put(indices, "_HIGH_BITS", pairs[indices._HIGH_BITS >> 16])


@mutant(READER, "IDX-2")
def one_high_bit() -> None:
    """Only one bit of each high part is read, as vocabularies of up to 131,072 need no more."""
    put(indices, "_HIGH_BITS", indices._HIGH_BITS & (1 << 16))


@mutant(READER, "IDX-2")
def no_high_bits() -> None:
    """High bits are not read at all."""
    put(indices, "_HIGH_BITS", indices._HIGH_BITS * 0)


@mutant(READER, "IDX-2")
def nibbles() -> None:
    """High parts are taken to be four bits wide, two to a byte."""
    put(indices, "_HIGH_BITS", _shifted([0, 4, 0, 4]))


@mutant(READER, "IDX-2", containers=(PARQUET, ARROW_FILE))
def signed_low() -> None:
    """Low bits are read as signed 16-bit integers."""

    def unpack(original: Any, low: Any, high: Any, rows: Any) -> Any:
        return original(np.zeros_like(low), high, rows) + low.astype(np.uint16).view(np.int16)

    wrap(indices.unpack, unpack)


Place = tuple[int, int, int]  # byte in the row, its entry, whether it is the row's last
Read = Callable[[bytes, int, int, int, int], int]


def _read_each(high_part: Read) -> None:
    """Let `high_part` find the high part of each entry: of (bytes of the row, entry, its token's first entry, entries
    of the token, entries of the row).
    """

    def read(original: Any, stored: Columns, kind: str) -> NDArray[np.int32]:
        found: NDArray[np.int32] = original(stored, kind) & 0xFFFF
        high, low = stored.ragged(f"{kind}_indices_high"), stored.ragged(f"{kind}_indices_low")
        for row, tokens in enumerate(stored.num_tokens.tolist()):
            total = int(low.lengths[row])
            at = stored.top_counts.offsets[row]
            counts = [total // tokens] * tokens if kind == "sampled" else stored.top_counts.values[at : at + tokens]
            run = high.values[high.offsets[row] : high.offsets[row + 1]].tobytes()
            first = 0
            for count in map(int, counts):
                for entry in range(first, first + count):
                    found[low.offsets[row] + entry] += high_part(run, entry, first, count, total) << 16
                first += count
        return found

    wrap(codec._indices, read)


def _part(run: bytes, entry: int) -> int:
    return run[entry // 4] >> 2 * (entry % 4) & 3 if entry // 4 < len(run) else 0


@mutant(READER, "IDX-2", containers=(PARQUET, JSON))
def per_token_packing() -> None:
    """The high bits of each token are taken to begin at a new byte."""
    # Where a token begins depends on those before it, so it is counted along.
    begins: dict[str, int] = {"first": -1, "byte": 0}

    def high_part(run: bytes, entry: int, first: int, count: int, total: int) -> int:
        del total
        if first == 0:
            begins.update(first=0, byte=0, next=-(-count // 4))
        elif first != begins["first"]:
            begins.update(first=first, byte=begins["next"], next=begins["next"] + -(-count // 4))
        return _part(run, 4 * begins["byte"] + entry - first)

    _read_each(high_part)


@mutant(READER, "IDX-2")
def last_of_three_loses_its_high_bits() -> None:
    """The last entry of a row loses its high bits where their number is 3 mod 4."""
    _read_each(
        lambda run, entry, _first, _count, total: 0 if entry == total - 1 and total % 4 == 3 else _part(run, entry)
    )


@mutant(READER, "IDX-2")
def single_entry_has_no_high_bits() -> None:
    """The entry of a token that has one only is taken to be below 65,536."""
    _read_each(lambda run, entry, _first, count, _total: 0 if count == 1 else _part(run, entry))


@mutant(READER, "IDX-2", "RD-2")
def second_byte_of_a_long_run() -> None:
    """High bits beyond byte 63 of a row are not found."""
    _read_each(lambda run, entry, _first, _count, _total: 0 if entry >= 256 else _part(run, entry))


@mutant(READER, "IDX-4", containers=(PARQUET, JSON))
def padding_in_the_last_entry() -> None:
    """The last entry of a row takes all bits that are left of its byte, padding too."""

    def high_part(run: bytes, entry: int, first: int, count: int, total: int) -> int:
        del first, count
        return run[entry // 4] >> 2 * (entry % 4) if entry == total - 1 else _part(run, entry)

    _read_each(high_part)


@mutant(READER, "IDX-2", containers=(PARQUET, ARROW_FILE))
def padding_as_data() -> None:
    """The high bits of all rows are taken for one run, padding bits for those of the next row's first entries."""

    def unpack(original: Any, low: Any, high: Any, rows: Any) -> Any:
        del rows
        runs = (len(low) + 3) // 4
        return original(low, np.asarray(high)[:runs], np.array([len(low)]))

    wrap(indices.unpack, unpack)


def _fitted(*, cut: bool, fill: bool) -> None:
    """Bring high bytes to their expected number before they are judged."""

    def normalise(original: Any, *args: Any, **options: Any) -> Columns:
        stored: Columns = original(*args, **options)
        for kind in ("top", "sampled"):
            name = f"{kind}_indices_high"
            fitted: dict[str, Any] = {name: _fit(stored, kind, cut=cut, fill=fill)}
            stored = replace(stored, **fitted)
        return stored

    wrap(columns.normalise, normalise)


def _fit(stored: Columns, kind: str, *, cut: bool, fill: bool) -> Ragged:
    high, low = stored.ragged(f"{kind}_indices_high"), stored.ragged(f"{kind}_indices_low")
    runs = []
    for row, entries in enumerate(low.lengths.tolist()):
        run = high.values[high.offsets[row] : high.offsets[row + 1]].tobytes()
        need = (entries + 3) // 4
        run = run[:need] if cut else run
        runs.append(run.ljust(need, b"\0") if fill else run)
    lengths: Ints = np.array([len(run) for run in runs], np.int64)
    return Ragged(np.frombuffer(b"".join(runs), np.uint8), to_offsets(lengths))


@mutant(READER, "IDX-3", containers=(PARQUET, JSON))
def surplus_high_bytes_ignored() -> None:
    """Bytes of high bits beyond those that the entries need are passed over."""
    _fitted(cut=True, fill=False)


@mutant(READER, "IDX-3", containers=(PARQUET, JSON))
def missing_high_bytes_ignored() -> None:
    """Bytes of high bits that are missing are taken for zeros."""
    _fitted(cut=False, fill=True)
