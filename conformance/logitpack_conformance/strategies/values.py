"""Single values: indices, codes, counts, logits and their ranges.

Strategy: a value near a corner is drawn as an ordinary one first, and then moved to the corner. A failure that does not
need the corner so shrinks as an ordinary integer does, all the way to the smallest value that shows it. Strategies are
made once: to make one costs more than to draw from it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from logitpack_conformance.oracle import binary32
from logitpack_conformance.oracle.indices import LIMIT
from logitpack_conformance.oracle.logits import STEPS

MOST_ENTRIES = 100
"""The largest nucleus where the metadata declare no other (NUC-8)."""
INDEX_CORNERS = (0, 1, 255, 256, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_142, 262_143)
"""Where the high bits change, and the low ones overflow a byte."""
CODE_CORNERS = (0, 1, 255, 256, 32_767, 32_768, 65_534, 65_535)
COUNT_CORNERS = (1, 2, 3, 4, 5, 7, 8, 99, 100, 127, 128, 254, 255)
STRIDE_CORNERS = (1, 6, 7, 8, 9, 16, 23, 24)
WRAPS = (256, 255, 257, 511, 512)
"""Sums of counts at which an 8-bit sum is full or has wrapped."""
LARGEST = float(binary32.LARGEST)
SMALLEST = float(binary32.SMALLEST)
NORMAL = 2.0**-126
LOGIT_CORNERS = sorted(
    (
        *(-0.0, 0.0, 0.5, 1.0, -1.0, 88.0, -88.0, 1024.0, 16_777_216.0, 0.10000000149011612),
        *(SMALLEST, -SMALLEST, NORMAL, -NORMAL, NORMAL - SMALLEST, 2.0**-130, 1e10, -1e10, LARGEST, -LARGEST),
    )
)
Step = tuple[str, float]
T = TypeVar("T")


PLAINLY = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=5000,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def smallest(strategy: st.SearchStrategy[T], condition: Callable[[T], bool] = lambda _: True) -> T:
    """Return the smallest example that meets a condition, the same at every call. Raises hypothesis's NoSuchExample.

    >>> smallest(indices(), lambda index: index > 65_536)
    65537
    """
    return find(strategy, condition, settings=PLAINLY)


def _near(most: int, corners: Sequence[int]) -> st.SearchStrategy[int]:
    """Integers in 0 ... most, every other one at a corner."""
    values = st.tuples(st.integers(0, most), st.booleans())
    return values.map(lambda pair: corners[pair[0] * len(corners) // (most + 1)] if pair[1] else pair[0])


@st.composite
def rarely(draw: st.DrawFn, rare: st.SearchStrategy[T], common: st.SearchStrategy[T], one_in: int) -> T:
    """Draw from `rare` once in so many times, else from `common`, to which it shrinks."""
    return draw(rare if draw(st.integers(0, one_in - 1)) == one_in - 1 else common)


@cache
def turns(faults: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """Named faults, `REQUIREMENT/operation`, in turn from a drawn one on: each requirement as often as the others.

    >>> smallest(turns(("ROW-1/zero", "ROW-1/negative", "IDX-4/padding")), lambda names: names[0] > "ROW-1/o")
    ('ROW-1/zero', 'ROW-1/negative', 'IDX-4/padding')
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(faults):
        groups.setdefault(name.split("/", maxsplit=1)[0], []).append(place)
    first = st.one_of([st.sampled_from(places) for places in groups.values()])
    return first.map(lambda place: (*faults[place:], *faults[:place]))


@cache
def indices(limit: int = LIMIT) -> st.SearchStrategy[int]:
    """Vocabulary indices below `limit`, often 0, 65535, 65536, 131071 ... 262143, where their high bits change.

    >>> smallest(indices(), lambda index: index >= 70_000)
    70000
    """
    corners = sorted({*(index for index in INDEX_CORNERS if index < limit), limit - 1})
    return _near(limit - 1, corners)


@cache
def codes() -> st.SearchStrategy[int]:
    """Codes of quantised logits, 0 ... 65535, often at the ends (QNT-8).

    >>> smallest(codes(), lambda code: code == 65_535)
    65535
    """
    return _near(STEPS, CODE_CORNERS)


@cache
def counts(max_entries: int = MOST_ENTRIES) -> st.SearchStrategy[int]:
    """Sizes of one nucleus, 1 ... `max_entries`: mostly below 10, with every remainder by 4 (NUC-1, NUC-8).

    >>> smallest(counts(), lambda count: count % 4 == 3)
    3
    """
    few = st.integers(1, min(9, max_entries))
    corners = st.sampled_from([count for count in COUNT_CORNERS if count <= max_entries])
    return rarely(corners, few, 10)


@cache
def strides(most: int = 24) -> st.SearchStrategy[int]:
    """Tail entries of each token, S, mostly 1 ... 5 (ROW-4)."""
    corners = st.sampled_from([stride for stride in STRIDE_CORNERS if stride <= most])
    return rarely(corners, st.integers(1, min(5, most)), 8)


@cache
def count_lists(max_tokens: int = 3, max_entries: int = MOST_ENTRIES) -> st.SearchStrategy[list[int]]:
    """Sizes of the nuclei of one row; now and then their running sum is 255, 256, 257, 511 or 512 at a token's end.

    >>> from itertools import accumulate
    >>> smallest(count_lists(), lambda sizes: 256 in accumulate(sizes))
    [85, 85, 86]
    """
    plain = st.lists(counts(max_entries), min_size=1, max_size=max_tokens)
    return rarely(_wrapping(max_entries, plain), plain, 24)


@st.composite
def _wrapping(draw: st.DrawFn, max_entries: int, others: st.SearchStrategy[list[int]]) -> list[int]:
    total = draw(st.sampled_from(WRAPS))
    parts = -(-total // max_entries)
    even = [total * (part + 1) // parts - total * part // parts for part in range(parts)]
    moved = draw(st.integers(0, min(max_entries - even[0], even[1] - 1))) if parts > 1 else 0
    return [even[0] + moved, *([even[1] - moved] if parts > 1 else []), *even[2:], *draw(others)[1:]]


@cache
def logits() -> st.SearchStrategy[float]:
    """Finite binary32 numbers: ordinary ones, integers, zeros of both signs, subnormal, huge ones.

    >>> smallest(logits(), lambda logit: logit > 2.5)
    3.0
    """
    return st.tuples(st.floats(-100, 100, width=32), st.integers(0, 5)).map(_logit)


def _logit(pair: tuple[float, int]) -> float:
    """Return an ordinary number, the corner at its place, or a number of any magnitude."""
    x, kind = pair
    if kind < 3:
        return x
    if kind < 5:
        return LOGIT_CORNERS[int((x + 100) * (len(LOGIT_CORNERS) - 1) / 200)]
    (found,) = struct.unpack("<f", struct.pack("<f", 2.0 ** (abs(x) * 2.7 - 148)))
    return math.copysign(found, x)


@cache
def steps() -> st.SearchStrategy[Step]:
    """How far one binary32 number lies below another: by some amount, or by so many units in the last place.

    The first is "by" and the second an amount, or "ulps" and how many.
    """
    whole = st.integers(0, 20).map(lambda amount: ("by", float(amount)))
    real = st.floats(0, 40, width=32).map(lambda amount: ("by", amount))
    ulps = st.one_of(st.integers(0, 3), st.integers(1, 2**23)).map(lambda count: ("ulps", float(count)))
    far = st.sampled_from((1e4, 1e30, LARGEST / 2, LARGEST)).map(lambda amount: ("by", amount))
    return st.one_of(whole, real, ulps, far)


def below(x: float, step: Step) -> float:
    """Return the binary32 number that lies a step below x, or x where the two make no range (QNT-1).

    >>> below(0.0, ("ulps", 1))
    -1.401298464324817e-45
    """
    kind, size = step
    exact = Fraction(x)
    found = _down(x, int(size)) if kind == "ulps" else binary32.nearest(exact - Fraction(size))
    if found is None or found == exact or binary32.nearest(exact - found) is None:
        return x
    return float(found)


def _down(x: float, ulps: int) -> Fraction | None:
    """Return the binary32 number so many places below x in their order, None below the finite ones."""
    (bits,) = struct.unpack("<i", struct.pack("<f", abs(x)))
    place = (bits if x >= 0 else -bits) - ulps
    (found,) = struct.unpack("<f", struct.pack("<i", abs(place)))
    return binary32.of_float(found if place >= 0 else -found)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float]:
    """Ranges (min, max) in binary32: equal, one unit in the last place wide, subnormal, ordinary and huge (QNT-1).

    >>> smallest(ranges(), lambda ends: ends[0] < ends[1])
    (-1.0, 0.0)
    """
    high = draw(logits())
    return below(high, draw(steps())), high
