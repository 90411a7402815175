"""One position of a model's output: dense logits, and what follows from them in binary64.

Strategy: the numbers that were stored as binary32 are exact in binary64. Sums are `math.fsum`, correctly rounded, over
exponentials relative to the largest logit, so that logits near 3e38 do no harm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

from logitpack_conformance.dense import Dense
from logitpack_conformance.oracle.indices import LIMIT
from logitpack_conformance.oracle.logits import ENCODING, STEPS

TOLERANCE = 2.0**-16
"""Relative to max(1, |x|), what a logsumexp, or a logit of the top set, may be off by; masses at the least."""
STEP_SHARE = float(ENCODING) / STEPS
DECODING = 2.0**-21
SINGLE = 2.0**-23
"""Twice the rounding error of binary32."""
SMALLEST = 2.0**-149


class Distribution:
    """The logits of one position, [vocab_size] in nats. But for `is_defined`, they have to define a distribution."""

    def __init__(self, logits: list[float]) -> None:
        self.logits = logits

    @cached_property
    def is_defined(self) -> bool:
        """Whether no logit is NaN or +inf and one is finite (QNT-9)."""
        return all(x < math.inf for x in self.logits) and bool(self.finite)

    @cached_property
    def finite(self) -> list[int]:
        """The indices of probability above zero (QNT-7), ascending."""
        return [index for index, x in enumerate(self.logits) if x > -math.inf]

    @cached_property
    def peak(self) -> float:
        """The largest logit."""
        return max(self.logits)

    @cached_property
    def _total(self) -> float:
        return math.fsum(math.exp(x - self.peak) for x in self.logits)

    @cached_property
    def logsumexp(self) -> float:
        """Log of the sum of exp over the full width (LSE-4)."""
        return self.peak + math.log(self._total)

    def mass(self, indices: Iterable[int]) -> float:
        """Return the mass of some entries."""
        return math.fsum(math.exp(self.logits[index] - self.peak) for index in indices) / self._total

    @cached_property
    def mass_tolerance(self) -> float:
        """What a mass may be off by: more where logsumexp is large, for it may be computed in binary32 (LSE-4)."""
        return TOLERANCE + SINGLE * abs(self.logsumexp)

    @cached_property
    def tolerance(self) -> float:
        """How far a stored logit may be from the raw one (QNT-12): QNT-3 and QNT-2 in the widest range.

        The range of a token is not part of logical JSON and only SHOULD be tight (QNT-5), so that of all logits counts.
        """
        low = min(self.logits[index] for index in self.finite)
        return STEP_SHARE * (self.peak - low) + DECODING * max(abs(low), abs(self.peak)) + SMALLEST

    def is_raw(self, index: int, logit: float) -> bool:
        """Whether a stored logit is the raw one of an index within the vocabulary, but for quantisation (QNT-12)."""
        return abs(logit - self.logits[index]) <= self.tolerance


class Output:
    """A model's output over a sequence; the distribution of each position is worked out once.

    Entries that no index can name have probability zero, whatever their logits are (section 7).
    """

    def __init__(self, dense: Dense) -> None:
        self.width = dense.width
        self.positions = dense.positions
        self._dense = dense
        self._known: dict[int, Distribution] = {}

    def __getitem__(self, position: int) -> Distribution:
        """Return what the model gave at a position of the sequence."""
        if position not in self._known:
            row = self._dense.row(position)
            row[LIMIT:] = [-math.inf] * len(row[LIMIT:])
            self._known[position] = Distribution(row)
        return self._known[position]
