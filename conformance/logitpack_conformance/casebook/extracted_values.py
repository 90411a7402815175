"""Logits at which an extractor's arithmetic goes wrong, many draws, and a vocabulary that is too wide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from logitpack_conformance.model import Kind

from .bases import drawn
from .draft import Draft
from .extracting import BELOW, COVERING, SETS
from .outputs import Rows, asked, broken_logits, exact, extracted, logits_of, of_masses, put

LIMIT = 262_144
DRAWS, NUCLEUS, OTHERS = 300, 4, 128
"""Tokens of the uniform tail, the size of each nucleus, and the entries beside it: two in each of 64 bins."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _sums()
    yield from _magnitudes()
    yield from _uniform()
    yield from _wide()


def _sums() -> Iterator[Draft]:
    """Yield logsumexps that a narrow type, or a sum over a part, gets wrong (LSE-4)."""
    group, mask = "sum", (0, 1, 1, 1, 1)
    twin = f"{group}/nan"
    for slug, level, told in (
        ("near-20", 17.0, "Logsumexps near 20, where bfloat16 has steps of 1/8 and binary16 of 1/64"),
        ("near-100", 97.0, "Logits near 100: their exponentials overflow binary32"),
        ("near-minus-200", -200.0, "Logits near -200: their exponentials underflow"),
        ("near-70000", 70_000.0, "Logits of 70,000, which binary16 does not hold"),
    ):
        rows = [[x + level for x in row] for row in logits_of(f"extract/sum/{slug}", 5)]
        yield extracted(
            f"{group}/{slug}", f"{told}.", rows, asked(mask), ("LSE-4", *COVERING), twin=twin, flags=("NARROW_SUM",)
        )
    heavy = [of_masses([0.3, 0.21], 150, 0.49, 11.3 + k / 3) for k in range(5)]
    why = "Nucleus and tail hold half of the mass: what is not stored counts all the same."
    request = asked(mask, top_p=0.5, num_sampled=3)
    yield extracted(
        f"{group}/half-stored", why, heavy, request, ("LSE-4", *COVERING), twin=twin, flags=("STORED_ONLY",)
    )
    end = [[*row[:-1], exact(14.0 + k)] for k, row in enumerate(logits_of("extract/sum/end", 5))]
    why = "The largest logit is that of the last index, where a sum over a part of the width ends too early."
    wide = [[exact(2 + (index * 37 % 9_100) / 9_100 + k) for index in range(9_100)] for k in range(2)]
    why = "9,100 entries of nearly equal mass: more than a block of 4,096 or 8,192, and the rest counts as well."
    request = asked((0, 1), max_entries=20)
    yield extracted(f"{group}/blocks", why, wide, request, ("LSE-4", *SETS[:-1]), twin=twin)
    last = extracted(f"{group}/last-index", why, end, asked(mask), ("LSE-4", "IDX-5", *COVERING), twin=twin)
    yield last
    yield broken_logits(last, twin, "The logit of the last index is NaN.", "QNT-9/nan", put(3, 159, math.nan))


def _magnitudes() -> Iterator[Draft]:
    """Yield logits near the ends of binary32. All ranges are finite, so that rows of them can be stored."""
    group, mask = "magnitude", (0, 1, 1)
    twin = f"{group}/infinity"
    huge = [[3e38 if index == 5 + k else 1e38 + 1e36 * index for index in range(60)] for k in range(3)]
    level = [[3.3e38] * 60 for _ in range(3)]
    spread = [[1.6e38 - 5e36 * ((index + 7 * k) % 60) for index in range(60)] for k in range(3)]
    one = [[3.4e38 if index == 9 else exact(index / 10 + k) for index in range(60)] for k in range(3)]
    low = [[-3.4e38 + 1e33 * (index + k) for index in range(60)] for k in range(3)]
    tiny = [[(index + 1) * 2.0**-149 * (1 - 2 * (index % 2)) for index in range(60)] for _ in range(3)]
    for slug, rows, told in (
        ("huge", huge, "Logits of 1e38 and more, one above the others"),
        ("level", level, "All logits are 3.3e38: their sum overflows, their distribution is flat"),
        ("spread", spread, "Logits from -1.4e38 to 1.6e38"),
        ("one-huge", one, "One logit of 3.4e38 among usual ones"),
        ("lowest", low, "Logits near the lowest of binary32"),
        ("subnormal", tiny, "Subnormal logits of both signs: the distribution is flat"),
    ):
        request = asked(mask, max_entries=20, num_sampled=5)
        requirements = ("LSE-4", *SETS[:-1])
        yield extracted(f"{group}/{slug}", f"{told}.", rows, request, requirements, twin=twin)
    draft = extracted(f"{group}/below", "Rule below on huge logits.", huge, asked(mask, rule="below"), BELOW, twin=twin)
    yield draft
    yield broken_logits(draft, twin, "A logit of +inf beside huge ones.", "QNT-9/infinity", put(0, 3, math.inf))


def uniform_rows(name: str) -> Rows:
    """Return logits with four likely entries at each position; the others fall by 16 nats over the vocabulary."""
    rng = drawn(name)
    rows = []
    for _ in range(DRAWS + 1):
        row = [exact(5 - 16 * index / OTHERS + rng.random() / 4) for index in range(NUCLEUS + OTHERS)]
        likely: set[int] = set()
        while len(likely) < NUCLEUS:
            likely.add(int(rng.random() * len(row)))
        for index in likely:
            row[index] = exact(14 + rng.random() / 8)
        rows.append(row)
    return rows


def _uniform() -> Iterator[Draft]:
    """Yield enough draws to tell a uniform tail from others (TAIL-3)."""
    group = "uniform"
    rows = uniform_rows("extract/uniform")
    why = "Three hundred tails of 24 out of 128 entries that differ by 16 nats: each is as likely as any other."
    request = asked([0] + [1] * DRAWS, num_sampled=24)
    requirements = ("TAIL-3", "TAIL-1", "TAIL-2", "TAIL-4")
    flags = ("UNEVEN_TAIL",)
    yield extracted(f"{group}/many", why, rows, request, requirements, twin=f"{group}/refused", flags=flags)
    few = extracted(
        f"{group}/few",
        "A few of the same.",
        rows[:4],
        asked((0, 1, 1, 1), num_sampled=24),
        SETS,
        twin=f"{group}/refused",
    )
    yield few
    why = "A tail of 129 entries where 128 are left."
    request = asked((0, 1, 1, 1), num_sampled=129)
    yield broken_logits(
        few, f"{group}/refused", why, "QNT-10/too-few", request=request, requirements=("QNT-10", "TAIL-3")
    )


def _wide() -> Iterator[Draft]:
    """Yield logits one wider than what can be stored (section 7)."""
    group = "wide"
    rows: Rows = [[-math.inf] * (LIMIT + 1) for _ in range(2)]
    for index in range(40):
        rows[0][index * 6721 + 3] = exact(9 - index / 3)
        rows[1][index * 6553 + 1] = exact(4 - index / 5)
    rows[0][LIMIT - 1] = exact(10.5)
    why = "Logits of 262,145 entries, the last of which has probability zero, and the last but one the largest."
    requirements = ("QNT-7", "IDX-5", "LSE-4")
    twin = extracted(f"{group}/padded", why, rows, asked((0, 1), num_sampled=8), requirements, twin="zero/nothing-left")
    yield twin
    why = "The last of 262,145 entries is the likeliest: it is given probability zero, or the logits are refused."
    change, flags = put(0, LIMIT, exact(12.25)), ("ALIASING",)
    free: dict[str, Any] = {"kind": Kind.EITHER, "requirements": ()}
    yield broken_logits(twin, f"{group}/finite", why, "IDX-6/beyond-18-bits", change, flags=flags, **free)
