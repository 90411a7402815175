"""Whether tails hide how they were drawn in even bins: an index that is never drawn, entries that are drawn together.

Strategy: a draw that leaves out one index, or takes a block from a random place, fills large bins evenly. The one shows
in an index that could have been drawn so often that its absence is no chance; the other in the distances between the
entries of a tail. Put the candidates in a circle, and each distance is as likely as any other; as pairs of one tail
depend on each other, and are drawn without replacement, they vary less than a chi-square variable would.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from logitpack_conformance.oracle import statistics

Draw = tuple[Sequence[int], Sequence[int]]
"""The indices that could be drawn for a token, ascending, and those that were: its tail."""
CHANCE = 1e-9
"""How likely a uniform draw is to be blamed, as in section 14.4."""


def never_drawn(draws: Sequence[Draw]) -> int | None:
    """Return the lowest index that is in no tail where chance does not explain it, or None."""
    absence: dict[int, float] = defaultdict(float)
    for candidates, tail in draws:
        left = len(candidates) - len(tail)
        log_of_absence = math.log(left / len(candidates)) if left else -math.inf
        for index in candidates:
            absence[index] += log_of_absence
    seen = {index for _, tail in draws for index in tail}
    critical = math.log(CHANCE / len(absence))
    return min((index for index, chance in absence.items() if index not in seen and chance < critical), default=None)


def are_together(draws: Sequence[Draw]) -> bool:
    """Whether some distances between the entries of a tail are commoner than others."""
    bins = min(statistics.BINS, *(_distances(candidates) for candidates, _ in draws))
    if bins == 0:
        return False
    expected, observed = [Fraction(0)] * bins, [0] * bins
    for candidates, tail in draws:
        size, distances, draw = len(candidates), _distances(candidates), len(tail)
        for distance in range(distances):
            expected[bins * distance // distances] += Fraction(draw * (draw - 1), size - 1)
        rank = {index: place for place, index in enumerate(candidates)}
        for one, other in combinations(tail, 2):
            apart = abs(rank[one] - rank[other])
            distance = min(apart, size - apart) - 1
            if distance < distances:
                observed[bins * distance // distances] += 1
    found = statistics.statistic(expected, observed)
    return found is not None and found > statistics.CRITICAL


def _distances(candidates: Sequence[int]) -> int:
    """How many distances round a circle have as many pairs as there are candidates: half a circle has half as many."""
    return (len(candidates) - 1) // 2
