"""Logits as 16-bit codes in a range: section 8 on exact numbers.

Strategy: v = min + q * (max - min) / 65535 is a rational number, so the bounds of QNT-2 and QNT-3 are compared
without any rounding.
"""

from __future__ import annotations

from fractions import Fraction

from . import binary32

STEPS = 65535
ENCODING = Fraction(1, 2) + Fraction(1, 64)
"""The error that QNT-3 allows, in steps."""


def value(q: int, low: Fraction, high: Fraction) -> Fraction:
    """Return the decoded value v of code q in the range low ... high."""
    return low + q * (high - low) / STEPS


def decoding_bound(low: Fraction, high: Fraction) -> Fraction:
    """Return the error that QNT-2 allows a reader."""
    return max(abs(low), abs(high)) / 2**21 + Fraction(1, 2**149)


def decodes(y: Fraction, q: int, low: Fraction, high: Fraction) -> bool:
    """Whether a reader may return y for code q (QNT-2)."""
    return abs(y - value(q, low, high)) <= decoding_bound(low, high)


def contains(x: Fraction, low: Fraction, high: Fraction) -> bool:
    """Whether the range contains the logit (QNT-11)."""
    return low <= x <= high


def tolerance(low: Fraction, high: Fraction) -> Fraction:
    """Return the error that QNT-3 allows a writer, and the delta of section 14.3."""
    return ENCODING * (high - low) / STEPS


def encodes(q: int, x: Fraction, low: Fraction, high: Fraction) -> bool:
    """Whether a writer may choose code q for the logit x (QNT-3, QNT-8)."""
    return 0 <= q <= STEPS and abs(value(q, low, high) - x) <= tolerance(low, high)


def intervals(codes: list[int], low: Fraction, high: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Where each true logit can be: [v - delta, v + delta] within [min, max] (section 14.3)."""
    step, delta = (high - low) / STEPS, tolerance(low, high)
    lowest, highest = low - delta, low + delta
    return [(max(low, lowest + q * step), min(high, highest + q * step)) for q in codes]


def tight_range(logits: list[Fraction]) -> tuple[Fraction, Fraction]:
    """Return the smallest binary32 range that contains the logits (QNT-5, QNT-11).

    Raises ValueError where the range is not one of QNT-1: an end, or fl(max - min), is not finite.
    """
    if min(logits) < -binary32.LARGEST or max(logits) > binary32.LARGEST:
        raise ValueError("QNT-1: a logit lies outside the finite binary32 numbers")
    low, high = binary32.down(min(logits)), binary32.up(max(logits))
    if binary32.nearest(high - low) is None:
        raise ValueError("QNT-1: max - min overflows binary32")
    return low, high


def encode(x: Fraction, low: Fraction, high: Fraction) -> int:
    """Return the nearest code, ties to even (QNT-3); 0 where the range is empty (QNT-4).

    Raises ValueError for a logit outside the range (QNT-11).
    """
    if not contains(x, low, high):
        raise ValueError("QNT-11: the range does not contain the logit")
    return 0 if low == high else round((x - low) * STEPS / (high - low))
