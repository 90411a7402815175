"""The two tests of section 14.4 as exact rational numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

BINS = 64
CRITICAL = Fraction(1550743, 10000)
LEAST_EXPECTED = 100
LEAST_PAIRS = 100

Pair = tuple[Sequence[int], Sequence[int]]


def bin_sizes(size: int) -> list[int]:
    """How many of the indices 0 ... size - 1 fall into each bin: m_b. Bin b begins at ceil(b * size / 64)."""
    starts = [-(-b * size // BINS) for b in range(BINS + 1)]
    return [starts[b + 1] - starts[b] for b in range(BINS)]


def expected_and_observed(pairs: Sequence[Pair], size: int) -> tuple[list[Fraction], list[int]]:
    """E_b and O_b for pairs of nucleus and tail indices (TAIL-3)."""
    sizes = bin_sizes(size)
    expected, observed = [Fraction(0)] * BINS, [0] * BINS
    for nucleus, tail in pairs:
        inside = [index for index in nucleus if index < size]
        drawn = [index for index in tail if index < size]
        if len(inside) == size:
            continue
        taken = [0] * BINS
        for index in inside:
            taken[BINS * index // size] += 1
        for index in drawn:
            observed[BINS * index // size] += 1
        share = Fraction(len(drawn), size - len(inside))
        for b in range(BINS):
            expected[b] += share * (sizes[b] - taken[b])
    return expected, observed


def statistic(expected: Sequence[Fraction], observed: Sequence[int]) -> Fraction | None:
    """Return the chi-square statistic, or None where an expectation is too small for the test to be made."""
    if min(expected) < LEAST_EXPECTED:
        return None
    return sum(((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True)), Fraction(0))


def is_uneven(pairs: Sequence[Pair], size: int) -> bool:
    """Whether the test of TAIL-3 is made and fails."""
    found = statistic(*expected_and_observed(pairs, size))
    return found is not None and found > CRITICAL


def is_misaligned(sequences: Sequence[tuple[Sequence[set[int]], Sequence[int]]]) -> bool:
    """Whether the test of ALN-5 is made and fails. Each sequence is a row: the nuclei, and the token ids."""
    total = pairs = here = before = after = 0
    for nuclei, ids in sequences:
        n = len(ids)
        total += n
        pairs += n - 1
        here += sum(ids[i] in nuclei[i] for i in range(n))
        before += sum(ids[i] in nuclei[i - 1] for i in range(1, n))
        after += sum(ids[i] in nuclei[i + 1] for i in range(n - 1))
    if pairs < LEAST_PAIRS:
        return False
    own = Fraction(here, total)
    return own < Fraction(before, pairs) or own < Fraction(after, pairs)
