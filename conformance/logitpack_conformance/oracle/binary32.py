"""Rounding to binary32, exactly: fl(x) of section 2.1 on rational numbers.

Strategy: a finite binary32 number is m * 2**e with |m| < 2**24 and e >= -149. To round, find e for the magnitude,
divide, and round the quotient; a result of 2**128 or more is infinite.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction

SMALLEST = Fraction(1, 1 << 149)
LARGEST = Fraction((2**24 - 1) * 2**104)
OVERFLOW = Fraction(2) ** 128


def _parts(x: Fraction) -> tuple[int, int, int]:
    """Return n, d, e with x = n / d * 2**e, x not 0, where e is that of the last bit of the binade of |x|."""
    n, d = x.numerator, x.denominator
    e = n.bit_length() - d.bit_length()
    if (d << e if e > 0 else d) > (abs(n) << -e if e < 0 else abs(n)):
        e -= 1
    e = max(e - 23, -149)
    return (n, d << e, e) if e > 0 else (n << -e, d, e)


def _scaled(m: int, e: int) -> Fraction:
    """Return m * 2**e."""
    return Fraction(m << e) if e > 0 else Fraction(m, 1 << -e)


def nearest(x: Fraction) -> Fraction | None:
    """fl(x): to nearest, ties to even. None stands for an infinity."""
    if x == 0:
        return x
    n, d, e = _parts(x)
    m, rest = divmod(n, d)
    if 2 * rest > d or (2 * rest == d and m % 2):
        m += 1
    result = _scaled(m, e)
    return None if abs(result) >= OVERFLOW else result


def of_float(x: float) -> Fraction | None:
    """Return fl of a Python float. None for NaN, an infinity, and what overflows binary32."""
    return nearest(Fraction(x)) if math.isfinite(x) else None


def down(x: Fraction) -> Fraction:
    """Return the largest binary32 number that is not above x, for x of at least -LARGEST."""
    if x == 0:
        return x
    n, d, e = _parts(x)
    return min(_scaled(n // d, e), LARGEST)


def up(x: Fraction) -> Fraction:
    """Return the smallest binary32 number that is not below x, for x of at most LARGEST."""
    return -down(-x)


def following(x: Fraction) -> Fraction | None:
    """Return the next binary32 number above the binary32 number x. None where there is none."""
    if x == LARGEST:
        return None
    bits = struct.unpack("<i", struct.pack("<f", float(abs(x))))[0]
    if x >= 0:
        return _of_bits(bits + 1)
    return -_of_bits(bits - 1)


def preceding(x: Fraction) -> Fraction | None:
    """Return the next binary32 number below the binary32 number x. None where there is none."""
    found = following(-x)
    return None if found is None else -found


def _of_bits(bits: int) -> Fraction:
    return Fraction(struct.unpack("<f", struct.pack("<i", bits))[0])
