"""exp and log in intervals that contain the true value.

Strategy: exp is taken of non-positive numbers only, as a whole number of units of 1e-60, rounded down, with room for an
error of a unit. Sums of such numbers are sums of integers. log of a sum adds the largest exponent back exactly, so that
logits near 3e38 neither overflow nor lose digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

DIGITS = 60
UNIT = 10**DIGITS
WORK = Context(prec=80, Emin=-999999, Emax=999999)
TINY = Fraction(-(DIGITS + 1) * 24, 10)
"""Below this, exp is less than one unit: exp(-2.4) < 1/10."""
ROOM = Fraction(1, 10**55)
"""What the logarithms of this module may be off by: far more than Decimal's last digit."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A number that lies in [low, high]."""

    low: Fraction
    high: Fraction

    def plus(self, x: Fraction) -> Interval:
        """Return the interval moved by an exact number."""
        return Interval(self.low + x, self.high + x)


def _decimal(x: Fraction) -> Decimal:
    return WORK.divide(Decimal(x.numerator), Decimal(x.denominator))


def exp_units(x: Fraction) -> int:
    """Return a whole k with k - 1 <= exp(x) * 10**60 <= k + 2, for x <= 0."""
    if x < TINY:
        return 0
    return int(WORK.multiply(WORK.exp(_decimal(x)), Decimal(UNIT)))


def log(x: Fraction) -> Interval:
    """Enclose the logarithm of a positive x."""
    middle = Fraction(WORK.ln(_decimal(x)))
    return Interval(middle - ROOM, middle + ROOM)


def log_sum_exp(terms: list[Fraction], weight: int = 0, weighted: Fraction = Fraction(0)) -> Interval:
    """Enclose log of the sum of exp(term), and of weight * exp(weighted) where the weight is above 0."""
    top = max([*terms, weighted]) if weight else max(terms)
    total = sum(exp_units(term - top) for term in terms)
    if weight:
        total += weight * exp_units(weighted - top)
    slack = 2 * (len(terms) + weight)
    low, high = log(Fraction(total - slack, UNIT)), log(Fraction(total + slack, UNIT))
    return Interval(low.low + top, high.high + top)
