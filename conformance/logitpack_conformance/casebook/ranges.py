"""Ranges of every size, and codes of every place in them: QNT-2.

Strategy: rows are put together from ranges and codes, in Core files, where only LSE-2 says anything of the logsumexp:
it is the upper end of the nucleus, rounded up, and a little more.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from logitpack_conformance.oracle import indices
from logitpack_conformance.oracle.binary32 import LARGEST, following, preceding
from logitpack_conformance.rows import Row, distinct

from .bases import contrasted, drawn
from .draft import Draft, Stored, accept

MOST = float(LARGEST)
TINY = 2.0**-149
NORMAL = 2.0**-126
Range = tuple[float, float]
FULL = (65_535, 65_534, 49_152, 32_769, 32_768, 32_767, 16_384, 255, 256, 1, 0)
"""Codes at both ends, in the middle, and beside them."""


@dataclass(frozen=True)
class Part:
    """The nucleus or the tail of a token: its range and codes."""

    low: float
    high: float
    codes: Sequence[int]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    for number, (name, nucleus, tail, why) in enumerate(_cases()):
        at = f"qnt/decoding/{name}"
        flags = ("ZERO_BY_ZERO",) if nucleus.low == nucleus.high else ("SCALE_65536", "MIN_MAX_SWAPPED")
        draft = accept(at, why, Stored([row_of(at, [(nucleus, tail)] * 2)]), flags=flags)
        op = ("QNT-1/top-max-nan", "QNT-1/sampled-min-nan", "IDX-3/top-indices-high-long")[number % 3]
        contrast = "The same numbers, and one fault that a reader has to reject."
        if op.startswith("IDX-3"):
            contrast = "The same numbers, and a byte of high parts too many."
        yield from contrasted(draft, op, contrast, "QNT-2", flags=(), turn=1)
    yield from _together()


def _next(x: float, steps: int = 1) -> float:
    """Return a binary32 number some steps above x."""
    found = Fraction(x)
    for _ in range(abs(steps)):
        found = (following if steps > 0 else preceding)(found) or found
    return float(found)


def _single(x: float) -> float:
    """Return x rounded to binary32."""
    return float(struct.unpack("<f", struct.pack("<f", x))[0])


def _cases() -> Iterator[tuple[str, Part, Part, str]]:
    """Name, nucleus, tail, why."""
    low = Part(-20.0, -4.0, (65_535, 0, 9))
    for name, a, b, why in (
        ("zero-to-ten", 0.0, 10.0, "A range from 0: dividing by 65,536 shows as it does nowhere else."),
        ("positive", 3.5, 17.25, "A range of positive logits."),
        ("across-zero", -3.5, 9.0, "A range on both sides of 0."),
        ("thirds", _single(0.1), _single(20.3), "Ends that are no short binary fractions."),
        ("narrow", 20.0, _next(20.0, 1000), "A range of a thousand units of the last place."),
        ("one-ulp", 20.0, _next(20.0), "A range of one unit of the last place: codes between have no binary32 number."),
        ("two-ulps", 16.0, _next(16.0, 2), "A range of two units of the last place."),
        ("across-a-binade", _next(16.0, -1), _next(16.0, 1), "A range across a power of two, where the units change."),
    ):
        yield name, Part(a, b, FULL), low, why
    why = "A range of negative logits only, and a tail below it."
    yield "negative", Part(-17.25, -3.5, FULL), Part(-90.0, -30.0, (*FULL[:7], 0)), why
    why = "A range that ends at 0, and one that ends at -0."
    yield "to-zero", Part(-5.0, 0.0, FULL), Part(-9.0, -5.5, (65_535, 0)), why
    why = "A range whose ends are -0 and +0: equal numbers, an empty range."
    yield "negative-zero", Part(-0.0, 0.0, (0, 0, 0)), Part(-3.0, -1.0, (65_535, 0)), why
    why = "A nucleus of one entry: both ends of its range are its logit, and its code is 0."
    yield "single-entry", Part(12.375, 12.375, (0,)), Part(-8.5, -8.5, (0,)), why
    why = "Equal logits: the range is empty, and every code is 0."
    yield "equal-logits", Part(7.1999998092651367, 7.1999998092651367, (0, 0, 0)), Part(-2.0, -2.0, (0, 0)), why
    why = "The smallest range above 0: from 0 to the least subnormal number."
    yield "least-subnormal", Part(0.0, TINY, FULL), Part(-2 * TINY, -TINY, (65_535, 0, 1)), why
    why = "Both ends are subnormal, and so is every logit between."
    yield "subnormal", Part(3 * TINY, 4_000_000 * TINY, FULL), Part(-NORMAL, -TINY, FULL), why
    why = "A range at the smallest normal number."
    yield (
        "smallest-normal",
        Part(NORMAL - 5 * TINY, NORMAL + 5 * TINY, FULL),
        Part(-NORMAL, NORMAL / 2, (65_535, 0)),
        why,
    )
    why = "Logits of 1e30: far beyond any model, and yet numbers."
    yield "huge", Part(_single(1e30), _single(3e30), FULL), Part(_single(-3e30), _single(-1e30), FULL), why
    why = "A range up to the largest binary32 number: the last sum of a decoder in binary32 can round to infinity."
    yield "to-the-largest", Part(_single(1e38), MOST, FULL), Part(_single(-2.5e38), _single(9e37), (65_535, 1, 0)), why
    why = "A range of one unit of the last place below the largest binary32 number."
    yield "largest-ulp", Part(_next(MOST, -1), MOST, (65_535, 65_534, 32_768, 1, 0)), low, why
    why = "A range from the most negative binary32 number to 0: its width is the largest there is."
    yield "from-the-most-negative", Part(0.0, 1.0, FULL), Part(-MOST, 0.0, FULL), why
    half = _single(MOST / 2)
    why = "A range across 0 whose width is the largest finite number."
    yield "widest", Part(-half, half, FULL), Part(-MOST, -half, (65_535, 0)), why
    why = "A small number beside a large one: a range from 1e-30 to 1e30."
    yield "wide-exponents", Part(_single(1e-30), _single(1e30), FULL), Part(-1.0, _single(-1e-30), FULL), why
    why = "Every code is 0 or 65,535: the two ends, and nothing between."
    yield "ends-only", Part(-1.5, 6.5, (65_535, 65_535, 0, 0)), Part(-30.0, -2.0, (0, 65_535, 0)), why


def row_of(name: str, tokens: Sequence[tuple[Part, Part]]) -> Row:
    """Return a row of these tokens, each a nucleus and a tail; all tails have the same number of codes."""
    rng = drawn(name)
    row: Row = {"num_tokens": len(tokens), "top_counts": [len(top.codes) for top, _ in tokens]}
    chosen = [distinct(rng, len(top.codes) + len(tail.codes), 1 << 18) for top, tail in tokens]
    for at, kind in enumerate(("top", "sampled")):
        parts = [token[at] for token in tokens]
        cut = [slice(len(top.codes)) if kind == "top" else slice(len(top.codes), None) for top, _ in tokens]
        flat = [index for some, here in zip(chosen, cut, strict=True) for index in some[here]]
        row[f"{kind}_indices_low"], row[f"{kind}_indices_high"] = indices.pack(flat)
        row[f"{kind}_logits_quantized"] = [code for part in parts for code in part.codes]
        row[f"{kind}_min"] = [part.low for part in parts]
        row[f"{kind}_max"] = [part.high for part in parts]
    row["logsumexp"] = [_enough(top, len(top.codes) + len(tail.codes)) for top, tail in tokens]
    return row


def _enough(top: Part, entries: int) -> float:
    """Return a logsumexp that is not too small: LSE-2 is all that a Core file has to hold."""
    return math.nextafter(top.high + math.log2(entries), math.inf)


def _together() -> Iterator[Draft]:
    """Tokens of very different ranges in one row: no token is decoded with another's."""
    parts = [(top, tail) for _, top, tail, _ in _cases() if len(tail.codes) == 3][:9]
    name = "qnt/decoding/tokens-of-all-sizes"
    why = "Tokens with very different ranges in one row: each is decoded with its own."
    draft = accept(
        name, why, Stored([row_of(name, parts), row_of(f"{name}/2", parts[::-1])]), flags=("MIN_MAX_SWAPPED",)
    )
    yield from contrasted(draft, "ROW-2/top-min-short", "The same, with a lower end of a range missing.", "QNT-2")
