"""Segments of flat arrays: offsets, blocks and reductions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logitpack import ragged
from logitpack.errors import UsageError

SEEDED = settings(derandomize=True, deadline=None, database=None)
LENGTHS = st.lists(st.integers(0, 9), max_size=40)


def test_offsets_do_not_wrap_in_narrow_counts() -> None:
    """Three counts of 100 in uint8 add up to 300, not to 44."""
    assert [0, 100, 200, 300] == ragged.to_offsets(np.array([100, 100, 100], np.uint8)).tolist()


def test_offsets_of_nothing() -> None:
    """No segments end where they begin."""
    assert [0] == ragged.to_offsets(np.array([], np.int64)).tolist()


@SEEDED
@given(LENGTHS)
def test_counts_undo_offsets(lengths: list[int]) -> None:
    """Counts to offsets and back are the same counts."""
    counts = np.array(lengths, np.uint8)
    assert lengths == ragged.to_counts(ragged.to_offsets(counts)).tolist()


def test_counts_of_unsigned_offsets() -> None:
    """Offsets of an unsigned type are widened before they are subtracted."""
    assert [5, 250] == ragged.to_counts(np.array([0, 5, 255], np.uint8)).tolist()


@SEEDED
@given(LENGTHS)
def test_locate_finds_every_position(lengths: list[int]) -> None:
    """A flat position is found in its segment, never in an empty one."""
    expected = [(segment, entry) for segment, count in enumerate(lengths) for entry in range(count)]
    offsets = ragged.to_offsets(np.array(lengths, np.int64))
    assert expected == [ragged.locate(offsets, position) for position in range(sum(lengths))]


@SEEDED
@given(LENGTHS, st.integers(1, 30))
def test_blocks_hold_each_segment_once(lengths: list[int], size: int) -> None:
    """Blocks follow one another from the first segment to the last."""
    blocks = list(ragged.blocks(ragged.to_offsets(np.array(lengths, np.int64)), size))
    segments = [segment for first, last in blocks for segment in range(first, last)]
    assert list(range(len(lengths))) == segments


@SEEDED
@given(LENGTHS, st.integers(1, 30))
def test_blocks_are_no_longer_than_they_must_be(lengths: list[int], size: int) -> None:
    """Without its last segment a block is shorter than the size asked for."""
    offsets = ragged.to_offsets(np.array(lengths, np.int64))
    for first, last in ragged.blocks(offsets, size):
        assert offsets[last - 1] - offsets[first] < size


@SEEDED
@given(st.lists(st.lists(st.integers(-1000, 1000), max_size=6), max_size=20))
def test_sum(segments: list[list[int]]) -> None:
    """Each segment is summed by itself, an empty one to 0."""
    values, counts = flat(segments)
    assert [sum(segment) for segment in segments] == ragged.segment_sum(values, counts).tolist()


def test_sum_is_wide() -> None:
    """Sums of binary32 are binary64, and sums of truth values count."""
    counts = np.array([2, 1])
    assert [2.0**25 + 1, 0] == ragged.segment_sum(np.array([2**25, 1, 0], np.float32), counts).tolist()
    assert [2, 0] == ragged.segment_sum(np.array([True, True, False]), counts).tolist()


@SEEDED
@given(st.lists(st.lists(st.integers(-1000, 1000), max_size=6), max_size=20))
def test_min_and_max(segments: list[list[int]]) -> None:
    """Each segment has its own extremes, an empty one the identities."""
    values, counts = flat(segments)
    least = [min(segment, default=math.inf) for segment in segments]
    greatest = [max(segment, default=-math.inf) for segment in segments]
    assert least == ragged.segment_min(values, counts).tolist()
    assert greatest == ragged.segment_max(values, counts).tolist()


def test_extremes_keep_the_type() -> None:
    """Extremes of binary32 are binary32."""
    values = np.array([1, 2], np.float32)
    assert np.float32 == ragged.segment_min(values, np.array([2])).dtype
    assert np.float32 == ragged.segment_max(values, np.array([2])).dtype


@SEEDED
@given(st.lists(st.lists(st.floats(-700, 700), max_size=6), max_size=20))
def test_logsumexp(segments: list[list[float]]) -> None:
    """Each segment's log-sum-exp is that of its own entries; nothing weighs -inf."""
    values, counts = flat(segments)
    expected = [math.log(math.fsum(map(math.exp, segment))) if segment else -math.inf for segment in segments]
    np.testing.assert_allclose(ragged.segment_logsumexp(values, counts), expected, rtol=1e-14, atol=1e-14)


def test_logsumexp_does_not_overflow() -> None:
    """Logits far above 700 have a log-sum-exp, though their exponentials overflow."""
    values = np.array([3e38, 3e38, -3e38], np.float32)
    expected = float(np.float32(3e38)) + math.log(2)
    assert [expected, float(np.float32(-3e38))] == ragged.segment_logsumexp(values, np.array([2, 1])).tolist()


def test_logsumexp_of_infinities() -> None:
    """Infinite entries give infinite results, and a NaN gives NaN, without warnings."""
    values = np.array([-np.inf, -np.inf, 1.0, np.inf, np.nan])
    result = ragged.segment_logsumexp(values, np.array([2, 2, 1]))
    np.testing.assert_array_equal(result, [-np.inf, np.inf, np.nan])


@SEEDED
@given(st.lists(st.lists(st.floats(-50, 50), min_size=1, max_size=6), min_size=1, max_size=20))
def test_logsumexp_is_the_same_in_any_block(segments: list[list[float]]) -> None:
    """A segment's result does not depend on its neighbours."""
    values, counts = flat(segments)
    alone = [ragged.segment_logsumexp(np.array(segment), np.array([len(segment)]))[0] for segment in segments]
    np.testing.assert_allclose(ragged.segment_logsumexp(values, counts), alone, rtol=1e-15)


@pytest.mark.parametrize(
    "counts",
    [
        np.array([1, 1]),
        np.array([4]),
        np.array([-1, 4]),
        np.array([2**63, 3], np.uint64),
        np.array([3.0]),
        np.array([[3]]),
    ],
)
def test_counts_that_do_not_fit_are_refused(counts: np.ndarray) -> None:
    """Counts are whole, not negative, and add up to the entries there are."""
    with pytest.raises(UsageError):
        ragged.segment_sum(np.zeros(3), counts)


def flat(segments: list[list[int]] | list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the segments as one binary64 array, and their lengths."""
    values = np.array([value for segment in segments for value in segment], np.float64)
    return values, np.array([len(segment) for segment in segments], np.uint8)
