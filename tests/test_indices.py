"""Vocabulary indices of 18 bits, packed and unpacked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logitpack import indices
from logitpack.errors import DataError, Place, UsageError

SEEDED = settings(derandomize=True, deadline=None, database=None)
INDEX = st.integers(0, 262_143)
ROWS = st.lists(st.lists(INDEX, max_size=11), max_size=12)
EDGES = [0, 1, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_142, 262_143]


def packed(rows: list[list[int]]) -> tuple[list[int], bytes]:
    """Pack rows one entry at a time, straight from the words of IDX-2 and IDX-3."""
    low, high = [], bytearray()
    for row in rows:
        run = bytearray(-(-len(row) // 4))
        for j, index in enumerate(row):
            low.append(index % 65_536)
            run[j // 4] |= index // 65_536 << 2 * (j % 4)
        high += run
    return low, bytes(high)


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows as one array, and their lengths."""
    entries = np.array([index for row in rows for index in row], np.int64)
    return entries, np.array([len(row) for row in rows], np.int64)


def test_example() -> None:
    """The specification's five indices have the specification's bytes."""
    low, high = indices.pack(np.array([5, 65541, 131077, 262143, 7]), np.array([5]))
    assert [5, 5, 5, 65535, 7] == low.tolist()
    assert bytes.fromhex("E400") == high.tobytes()


@SEEDED
@given(ROWS)
def test_pack_follows_the_specification(rows: list[list[int]]) -> None:
    """Packing whole batches gives what packing entry by entry gives (IDX-2, IDX-3, IDX-4)."""
    low, high = indices.pack(*flat(rows))
    assert packed(rows) == (low.tolist(), high.tobytes())


@SEEDED
@given(ROWS)
def test_unpack_undoes_the_specification(rows: list[list[int]]) -> None:
    """What was packed entry by entry is read back (IDX-2)."""
    low, high = packed(rows)
    entries, lengths = flat(rows)
    result = indices.unpack(np.array(low, np.uint16), np.frombuffer(high, np.uint8), lengths)
    assert entries.tolist() == result.tolist()


@pytest.mark.parametrize("block", [1, 2, 3])
@SEEDED
@given(rows=ROWS)
def test_blocks_leave_no_seam(block: int, rows: list[list[int]]) -> None:
    """Wherever a block of bytes ends, within a row or between rows, nothing shifts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indices, "_BLOCK", block)
        entries, lengths = flat(rows)
        low, high = indices.pack(entries, lengths)
        assert packed(rows) == (low.tolist(), high.tobytes())
        assert entries.tolist() == indices.unpack(low, high, lengths).tolist()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 65_536, 65_537, 65_538, 65_539])
def test_one_long_row(length: int) -> None:
    """A row survives at each length mod 4, within a block and over its edge."""
    entries = np.arange(length, dtype=np.int64) * 262_139 % 262_144
    assert entries.tolist() == indices.unpack(*indices.pack(entries, np.array([length])), np.array([length])).tolist()


def test_edges_of_the_range() -> None:
    """The least and the greatest index of each value of the high bits survive."""
    low, high = indices.pack(np.array(EDGES), np.array([len(EDGES)]))
    assert EDGES == indices.unpack(low, high, np.array([len(EDGES)])).tolist()


def test_types() -> None:
    """Packed bits are uint16 and uint8, unpacked indices int32."""
    low, high = indices.pack(np.array([1, 2]), np.array([2]))
    assert ("uint16", "uint8") == (low.dtype.name, high.dtype.name)
    assert "int32" == indices.unpack(low, high, np.array([2])).dtype.name


@pytest.mark.parametrize("dtype", ["i4", "i8", "u4", "u8", ">i4", ">u8"])
def test_pack_takes_any_integers(dtype: str) -> None:
    """The type and the byte order of indices do not matter."""
    low, high = indices.pack(np.array([65541, 262143], dtype), np.array([2]))
    assert ([5, 65535], b"\x0d") == (low.tolist(), high.tobytes())


@pytest.mark.parametrize("dtype", ["u2", "i4", "i8", "u8", ">u2"])
def test_unpack_takes_any_integers(dtype: str) -> None:
    """The type and the byte order of low bits do not matter."""
    assert [65541, 262143] == indices.unpack(
        np.array([5, 65535], dtype), np.array([0x0D], np.uint8), np.array([2])
    ).tolist()


def test_strided_input() -> None:
    """Arrays need not be contiguous."""
    low, high = indices.pack(np.array([5, 0, 65541, 0])[::2], np.array([2]))
    assert [5, 65541] == indices.unpack(np.repeat(low, 2)[::2], np.repeat(high, 2)[::2], np.array([2])).tolist()


def test_no_rows() -> None:
    """Nothing packs to nothing."""
    low, high = indices.pack(np.array([], np.int32), np.array([], np.int64))
    assert (0, 0) == (len(low), len(high))
    assert [] == indices.unpack(low, high, np.array([], np.int64)).tolist()


def test_narrow_row_lengths_do_not_wrap() -> None:
    """Row lengths in uint8 are added up in a wide integer."""
    rows = np.array([200, 200], np.uint8)
    entries = np.arange(400) + 65_400
    assert entries.tolist() == indices.unpack(*indices.pack(entries, rows), rows).tolist()


def test_unused_bits_are_ignored() -> None:
    """Padding bits that are set change no index (IDX-4 is the checker's)."""
    result = indices.unpack(np.array([5], np.uint16), np.array([0b11111101], np.uint8), np.array([1]))
    assert [65541] == result.tolist()


@pytest.mark.parametrize("bad", [-1, 262_144, 2**31, -(2**63)])
def test_index_out_of_range_is_refused(bad: int) -> None:
    """No index is cut to 18 bits (IDX-6); the error says which one it was."""
    with pytest.raises(UsageError) as caught:
        indices.pack(np.array([1, 2, 3, 4, bad, 6, bad]), np.array([3, 4]))
    error = caught.value
    assert ("IDX-6", bad, (0, 262_143)) == (error.requirement, error.got, error.allowed)
    assert Place(row=1, entry=1) == error.place


def test_unsigned_index_out_of_range_is_refused() -> None:
    """An index over the range of int64 is refused as any other (IDX-6)."""
    with pytest.raises(UsageError, match="IDX-6: index 18446744073709551615 is outside"):
        indices.pack(np.array([2**64 - 1], np.uint64), np.array([1]))


@pytest.mark.parametrize("length", [0, 1, 3])
def test_wrong_length_of_high_bits(length: int) -> None:
    """Missing or surplus bytes of high bits are the data's fault (IDX-3)."""
    with pytest.raises(DataError) as caught:
        indices.unpack(np.arange(5, dtype=np.uint16), np.zeros(length, np.uint8), np.array([5]))
    assert ("IDX-3", length, 2) == (caught.value.requirement, caught.value.got, caught.value.allowed)


@pytest.mark.parametrize("rows", [[4], [6], [-1, 6], [2, 2]])
def test_row_lengths_that_do_not_fit(rows: list[int]) -> None:
    """Row lengths add up to the number of entries."""
    with pytest.raises(UsageError):
        indices.pack(np.arange(5), np.array(rows))
    with pytest.raises(UsageError):
        indices.unpack(np.arange(5, dtype=np.uint16), np.zeros(2, np.uint8), np.array(rows))


@pytest.mark.parametrize("entries", [np.array([1.0]), np.array([[1]]), np.array(["1"]), np.array([True])])
def test_pack_refuses_what_are_no_indices(entries: np.ndarray) -> None:
    """Indices are one dimension of integers."""
    with pytest.raises(UsageError):
        indices.pack(entries, np.array([1]))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (np.array([1.0]), np.zeros(1, np.uint8)),
        (np.array([[1]]), np.zeros(1, np.uint8)),
        (np.array([1]), np.zeros(1, np.int8)),
        (np.array([1]), np.zeros((1, 1), np.uint8)),
    ],
)
def test_unpack_refuses_what_are_no_bits(low: np.ndarray, high: np.ndarray) -> None:
    """Low bits are one dimension of integers, high bits one of bytes."""
    with pytest.raises(UsageError):
        indices.unpack(low, high, np.array([1]))
