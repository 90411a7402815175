"""Whether tails were drawn uniformly: the statistic of section 14.4 over the entries that could be drawn (TAIL-3).

Strategy: what could be drawn for a token are the entries of finite logit outside its nucleus. Put in some order, by
index or by logit, they are cut into 64 bins of nearly equal number; a uniform draw fills the bins evenly in either
order. The order by logit shows a draw in proportion to probability wherever the probable entries stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from logitpack_conformance.oracle import statistics

from .distribution import Distribution
from .output import Token

BINS = statistics.BINS
Drawn = tuple[Distribution, Token]
ORDERS: dict[str, Callable[[Distribution, list[int]], list[int]]] = {
    "index": lambda _, indices: indices,
    "logit": lambda distribution, indices: sorted(indices, key=lambda index: distribution.logits[index]),
}


def uneven(drawn: Sequence[Drawn]) -> str | None:
    """Return the order, "index" or "logit", in which the tails are not uniform at p < 1e-9, or None.

    All tails have distinct entries of finite logit outside the nucleus. None, too, where there are too few.
    """
    if sum(len(token.sampled.indices) for _, token in drawn) < BINS * statistics.LEAST_EXPECTED:
        return None
    for name, order in ORDERS.items():
        expected, observed = [Fraction(0)] * BINS, [0] * BINS
        for distribution, token in drawn:
            _count(order(distribution, _candidates(distribution, token)), token.sampled.indices, expected, observed)
        found = statistics.statistic(expected, observed)
        if found is not None and found > statistics.CRITICAL:
            return name
    return None


def _candidates(distribution: Distribution, token: Token) -> list[int]:
    nucleus = set(token.top.indices)
    return [index for index in distribution.finite if index not in nucleus]


def _count(candidates: list[int], tail: list[int], expected: list[Fraction], observed: list[int]) -> None:
    """Add one token to the numbers expected and observed in each bin."""
    share = Fraction(len(tail), len(candidates))
    for number, size in enumerate(statistics.bin_sizes(len(candidates))):
        expected[number] += share * size
    rank = {index: place for place, index in enumerate(candidates)}
    for index in tail:
        observed[BINS * rank[index] // len(candidates)] += 1
