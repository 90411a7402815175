"""What a writer has to write: corner values of logits, logsumexps and token ids."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from logitpack_conformance.oracle.binary32 import LARGEST

from .bases import drawn
from .draft import Draft
from .handed import Plain, rows_of, token, written
from .writing import closed

MOST, TINY, NORMAL = float(LARGEST), 2.0**-149, 2.0**-126
VALUES = ("QNT-1", "QNT-3", "QNT-8", "QNT-11")


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _ranges()
    yield from _binary64()
    yield from _exact()
    yield from _token_ids()
    yield from _texts()


RANGES: dict[str, tuple[str, list[float], tuple[float, ...], tuple[str, ...]]] = {
    "one-value": ("min = max in both ranges: every code is 0", [7.25, 7.25, 7.25], (-1.5, -1.5), ("QNT-4",)),
    "zero": ("all logits are 0, one of them negative zero", [0.0, -0.0], (-0.0, 0.0), ("QNT-4",)),
    "one-ulp": ("ranges that are one binary32 step wide", [8.0, 8.0 + 2**-20], (-4.0, -4.0 + 2**-22), ()),
    "two-ulps": ("a logit in the middle of two binary32 steps", [8.0, 8.0 + 2**-20, 8.0 + 2**-19], (1.0, 1.0), ()),
    "negative": ("negative logits only", [-3.5, -9.75, -20.125], (-21.5, -60.0), ()),
    "across-zero": ("ranges with a negative and a positive end", [5.0, 0.1, -2.0], (-2.5, -2.0), ()),
    "subnormal": ("the smallest logits there are", [3 * TINY, 2 * TINY, TINY], (0.0, -TINY), ()),
    "subnormal-wide": ("a range of subnormal logits", [NORMAL, NORMAL / 2, TINY], (-NORMAL, -NORMAL / 3), ()),
    "tiny-in-large": ("a subnormal logit in a usual range", [9.0, TINY, 2.5], (-1.0, -TINY), ()),
    "huge": ("the largest logits whose range is finite", [MOST / 2, 0.0, -MOST / 2], (-MOST / 2, -MOST), ()),
    "largest": ("the largest finite binary32 numbers", [MOST, MOST / 3, 0.0], (0.0, -MOST), ()),
    "wide": ("a range in which a step is 1.5", [50_000.0, 49_999.25, -48_302.5], (-48_302.5, -50_000.0), ()),
    "steps": ("logits that are the steps of their range", [65_535.0, 65_534.0, 32_768.0, 1.0, 0.0], (0.0, 0.0), ()),
    "half-steps": ("logits half way between two steps", [65_535.0, 40_000.5, 1.5, 0.5, 0.0], (0.0, -1.0), ()),
    "below-steps": (
        "logits just below a step: cutting costs a whole one",
        [65_535.0, 40_000.98, 1.98, 0.0],
        (0.0, -1.0),
        (),
    ),
}


def _ranges() -> Iterator[Draft]:
    group = "ranges"
    for slug, (told, top, sampled, more) in RANGES.items():
        why = f"{told[0].upper()}{told[1:]}."
        rows = [{"tokens": [token([5.5, 4.25], (1.0,) * len(sampled)), _covered(top, sampled)]}]
        flags = ("TRUNCATED_CODES",) if slug in {"below-steps", "half-steps"} else ()
        yield written(f"{group}/{slug}", why, rows, (*VALUES, *more), twin=f"{group}/last-index", flags=flags)
    rng = drawn("write/ranges/random")
    tokens = [_covered(_falling(rng.random, 20, 16), [-8 - rng.random() for _ in range(4)]) for _ in range(8)]
    why = "Eight tokens of logits at random, as binary64 has them."
    twin = written(f"{group}/random", why, [{"tokens": tokens}], (*VALUES, "NUC-3"), twin=f"{group}/last-index")
    yield twin
    yield closed(twin, group)


def _covered(top: Any, sampled: Any) -> Plain:
    """Return a token whose logsumexp is large enough for whatever the logits are."""
    largest = max(top)
    return token(list(top), list(sampled), largest + abs(largest) * 2**-10 + 10)


def _falling(draw: Any, count: int, span: float) -> list[float]:
    return sorted((draw() * span for _ in range(count)), reverse=True)


def _binary64() -> Iterator[Draft]:
    """Yield logits that binary32 does not hold: ranges are rounded outward, codes come from the logits themselves."""
    group = "binary64"
    twin = f"{group}/last-index"
    for slug, told, top in (
        ("tenths", "logits in tenths", [10.1, 9.3, 8.7, 7.9]),
        ("between", "logits between two binary32 numbers, all in one step", [8 + 3e-8 * k for k in (9, 7, 5, 4, 2)]),
        ("narrow", "a range of a few binary32 steps", [100 + 1e-6 * k for k in (29, 23, 17, 13, 7, 3)]),
        ("one-logit", "a single logit that binary32 does not hold", [math.pi]),
        ("negative", "negative logits that binary32 does not hold", [-math.pi, -math.e * 2, -10.1]),
        ("deep", "logits with 53 bits", [1 + 2**-52, 1 - 2**-53, 1 / 3]),
    ):
        sampled = [min(top) - 1.1, min(top) - 2.3]
        why = f"{told[0].upper()}{told[1:]}: min is rounded down and max up, so that the range contains them."
        rows = [{"tokens": [token(top, sampled), token([4.0, 3.0], (1.0, 2.0))]}]
        draft = written(f"{group}/{slug}", why, rows, ("QNT-3", "QNT-11"), twin=twin, flags=("ROUNDED_FIRST",))
        yield draft
    yield closed(draft, group)


def _exact() -> Iterator[Draft]:
    """Yield logsumexps that have to come out as the same binary64 number."""
    group, requirements = "exact", ("WR-4", "LSE-1")
    twin = f"{group}/last-index"
    values = {
        "53-bits": ("one that binary32 would round", 20.123456789012344),
        "third": ("one third more than a whole number", 13 + 1 / 3),
        "next": ("the number after 16", math.nextafter(16.0, 17.0)),
        "beyond-binary32": ("one beyond what binary32 holds", 1e39),
        "largest": ("the largest finite number", 1.7976931348623157e308),
    }
    for slug, (told, value) in values.items():
        rows = [{"tokens": [token([9.0, 8.5], logsumexp=11.25), token([9.0, 8.0], logsumexp=value)]}]
        yield written(f"{group}/{slug}", f"A logsumexp: {told}.", rows, requirements, twin=twin, flags=("FLOAT32_LSE",))
    for slug, told, value in (
        ("smallest", "A logsumexp of the smallest positive number.", 5e-324),
        ("negative-zero", "A logsumexp of 0 with a sign.", -0.0),
        ("negative", "A negative logsumexp.", -12.345678901234567),
    ):
        rows = [{"tokens": [token([-80.0, -81.5], (-90.0, -100.0), value)]}]
        draft = written(f"{group}/{slug}", told, rows, requirements, twin=twin)
        yield draft
    yield closed(draft, group)


def _token_ids() -> Iterator[Draft]:
    group, features = "token-ids", ("token_ids",)
    rows = rows_of("write/token-ids", ((3, 2), (1,), (2, 1)), token_ids=True)
    rows[0]["tokens"][0]["token_id"] = 0
    rows[2]["tokens"][1]["token_id"] = 2**31 - 1
    why = "Token ids in all tokens: they come out as they are, from 0 to the largest of int32."
    requirements = ("WR-4", "ALN-4", "COL-1", "WR-1")
    twin = written(f"{group}/all", why, rows, requirements, twin=f"{group}/last-index", features=features)
    yield twin
    yield closed(twin, group)


def _texts() -> Iterator[Draft]:
    """Yield numbers in the forms of JSON that a parser may trip over."""
    group = "texts"
    found = token([3.0, 2.0, 1.0], (0.0, -1.0))
    found["top"]["logits"] = [3, 2.5e0, 1e-7]
    found["sampled"]["logits"] = [-0.0, -1]
    found["logsumexp"] = 12
    why = "Numbers without a fraction, with an exponent, and negative zero: all of them are numbers of JSON."
    twin = written(f"{group}/forms", why, [{"tokens": [found]}], ("WR-4", "WR-5"), twin=f"{group}/last-index")
    yield twin
    yield closed(twin, group)
