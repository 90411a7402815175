"""Whether tails were drawn uniformly: the statistic of section 14.4 over the entries that could be drawn (TAIL-3).

Strategy: what could be drawn for a token are the entries of finite logit outside its nucleus. Put in some order, by
index or by logit, they are cut into 64 bins of nearly equal number; a uniform draw fills the bins evenly in either
order. The order by logit shows a draw in proportion to probability wherever the probable entries stand. What even bins
do not show is left to `dependence`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from logitpack_conformance.oracle import statistics

from .dependence import are_together, never_drawn
from .distribution import Distribution
from .output import Token

BINS = statistics.BINS
Drawn = tuple[Distribution, Token]
ORDERS: dict[str, Callable[[Distribution, list[int]], list[int]]] = {
    "index": lambda _, indices: indices,
    "logit": lambda distribution, indices: sorted(indices, key=lambda index: distribution.logits[index]),
}


def uneven(drawn: Sequence[Drawn]) -> str | None:
    """Return in what the tails are not uniform at p < 1e-9, or None.

    All tails have distinct entries of finite logit outside the nucleus. None, too, where there are too few.
    """
    if sum(len(token.sampled.indices) for _, token in drawn) < BINS * statistics.LEAST_EXPECTED:
        return None
    expected = _expected(drawn)
    for name, order in ORDERS.items():
        observed = [0] * BINS
        for distribution, token in drawn:
            _count(order(distribution, _candidates(distribution, token)), token.sampled.indices, observed)
        found = statistics.statistic(expected, observed)
        if found is not None and found > statistics.CRITICAL:
            return f"the tail is not uniform by {name}"
    draws = [(_candidates(*one), one[1].sampled.indices) for one in drawn]
    absent = never_drawn(draws)
    if absent is not None:
        return f"the tail never holds index {absent}"
    return "the entries of a tail depend on each other" if are_together(draws) else None


def _candidates(distribution: Distribution, token: Token) -> list[int]:
    nucleus = set(token.top.indices)
    return [index for index in distribution.finite if index not in nucleus]


def _expected(drawn: Sequence[Drawn]) -> list[Fraction]:
    """Return how many entries each bin expects: a tail's share of its candidates, times those in the bin."""
    shapes = Counter((len(_candidates(*one)), len(one[1].sampled.indices)) for one in drawn)
    expected = [Fraction(0)] * BINS
    for (candidates, draws), times in shapes.items():
        for number, size in enumerate(statistics.bin_sizes(candidates)):
            expected[number] += Fraction(times * draws * size, candidates)
    return expected


def _count(candidates: list[int], tail: list[int], observed: list[int]) -> None:
    """Add the tail of one token to the numbers observed in each bin."""
    rank = {index: place for place, index in enumerate(candidates)}
    for index in tail:
        observed[BINS * rank[index] // len(candidates)] += 1
