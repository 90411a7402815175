"""CHK-2 where a bound of section 14.3 is reached exactly: a checker without allowance for its own rounding blames some.

Strategy: each token's logsumexp is the last binary64 number at which the requirement still holds in exact arithmetic.
Evaluated in binary64 a sum comes out on either side of its bound; with so many tokens, on the wrong side of some.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, encode
from logitpack_conformance.oracle.tokens import tokens
from logitpack_conformance.rows import Row, described

from .bases import drawn
from .draft import Draft, Stored, accept, broken
from .masses import token_of
from .tolerances import EDGES, OUTSIDE, TOP_P, VOCAB, Edge, solved

CONTAINERS = (Container.PARQUET, Container.JSON)
TOKENS = 32
AT = "chk/equality"
FLAGS = ("NO_TOLERANCE",)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    for edge in EDGES:
        yield from _logsumexps(edge)
    yield from _top_set()


def _logsumexps(edge: Edge) -> Iterator[Draft]:
    at = f"{AT}/{edge.requirement.lower()}"
    rng = drawn(at)
    draws = [rng.random() / 50 for _ in range(TOKENS)]
    row = encode([token_of([0.05 - more, 0.6 + more, 0.3]) for more in draws])
    levels = [solved(edge.bound(token), edge.sign) for token in tokens(row, 2)]
    logsumexp = [_inward(level, edge.inward) for level in levels]
    nucleus = {"top_p": TOP_P, "max_entries": 100, "rule": edge.rule}
    metadata = described(
        vocab_size=VOCAB,
        tokenizer={"id": "teacher", "size": VOCAB // 2},  # padded rows count: LSE-3 is about the width of the logits
        nucleus=nucleus,
        tail={"num_sampled": 2, "method": "unspecified"},
    )

    def content(values: list[float]) -> Stored:
        return Stored([row | {"logsumexp": values}], metadata, containers=(Container.PARQUET,))

    why = f"Every logsumexp is the last number {edge.told}, all roundings granted: {edge.requirement} holds."
    requirements = ("CHK-2", edge.requirement)
    twin = accept(f"{at}/inside", why, content(logsumexp), requirements=requirements, twin=f"{at}/outside")
    yield replace(twin, flags=FLAGS)
    why = f"The last logsumexp is 1e-7 further than any rounding explains: {edge.requirement} is broken."
    beyond = [*logsumexp[:-1], logsumexp[-1] - edge.inward * OUTSIDE]
    yield broken(twin, f"{at}/outside", why, f"{edge.requirement}/logsumexp", content(beyond))


def _inward(level: Fraction, inward: int) -> float:
    """Return the binary64 number next to a level, on the side where the requirement holds."""
    nearest = float(level)
    is_inside = (Fraction(nearest) - level) * inward > 0
    return nearest if is_inside else math.nextafter(nearest, inward * math.inf)


def _top_set() -> Iterator[Draft]:
    """NUC-3: the true logits of tail and nucleus may be equal, and nothing less.

    The ranges of a token have 65535 nats together, the nucleus begins at 0, and the tail ends at 33/64: what quantising
    may cost the two together.
    """
    at, rng = f"{AT}/nuc-3", drawn(f"{AT}/nuc-3")
    widths = [math.floor(2**8 * (5 + rng.random() * 65_000)) / 2**8 for _ in range(TOKENS)]
    why = "The largest tail logit is above the nucleus by exactly what quantising the two may cost: NUC-3 holds."
    row = encode([_token(width, 33 / 64) for width in widths])
    requirements = ("CHK-2", "NUC-3")
    twin = accept(f"{at}/inside", why, _core(row), requirements=requirements, twin=f"{at}/outside")
    yield replace(twin, flags=FLAGS)
    why = "In the last token it is above the nucleus by 1/256 more."
    row = encode([*(_token(width, 33 / 64) for width in widths[:-1]), _token(widths[-1], 33 / 64 + 1 / 256)])
    yield broken(twin, f"{at}/outside", why, "NUC-3/range", _core(row))


def _core(row: Row) -> Stored:
    return Stored([row], containers=CONTAINERS)


def _token(width: float, end: float) -> LogicalToken:
    top, sampled = Fraction(width), Fraction(end)
    tail = [sampled - (65_535 - top), sampled]
    return LogicalToken(70_000.0, LogicalEntries([7, 8], [top, Fraction(0)]), LogicalEntries([70, 80], tail))
