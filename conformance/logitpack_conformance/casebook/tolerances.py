"""CHK-2: values just inside the tolerances of section 14.3, and just outside them.

Strategy: the oracle's intervals tell at which logsumexp a requirement begins to be broken. On the one side the file
stands 1e-10 inside, on the other 1e-7 outside: both far from each other in binary64, and the second far beyond the 1e-9
that a checker may take for its own rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.model import Kind
from logitpack_conformance.oracle import binary32
from logitpack_conformance.oracle.enclosure import log, log_sum_exp
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, encode
from logitpack_conformance.oracle.tokens import Token, tokens
from logitpack_conformance.rows import Row, described

from .bases import drawn
from .draft import Draft, Stored, accept, broken
from .masses import token_of

INSIDE, OUTSIDE = 1e-10, 1e-7
VOCAB, TOP_P = 100_000, 0.9
SCALES = {"usual": 0, "large": 190, "small": -10, "negative": -60}
"""What is added to all logits: the tolerance on a logsumexp l goes by max(1, |l|)."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    for edge in EDGES:
        for scale in SCALES:
            yield from _edge(edge, scale)
    yield from _top_set()
    yield from _tight_range()
    yield from _honest()


@dataclass(frozen=True)
class Edge:
    """Where a requirement begins to be broken: at which logsumexp, less or plus its tolerance.

    `bound` is the end of an interval; it is `sign` tolerances away from the logsumexp that stands at the edge. `inward`
    is the direction, 1 or -1, in which the requirement holds. `told` completes "The logsumexp is ...".
    """

    requirement: str
    bound: Callable[[Token], Fraction]
    sign: int
    inward: int
    rule: str
    told: str


def _stored(token: Token) -> Fraction:
    return log_sum_exp(token.top.lower + token.sampled.lower).low


def _possible(token: Token) -> Fraction:
    rest = VOCAB - len(token.top.codes) - len(token.sampled.codes)
    return log_sum_exp(token.top.upper + token.sampled.upper, rest, min(token.top.upper)).low


def _over_top_p(logits: list[Fraction]) -> Fraction:
    return log_sum_exp(logits).low - log(Fraction(TOP_P)).low


def _without_smallest(token: Token) -> list[Fraction]:
    smallest = token.top.codes.index(min(token.top.codes))
    return token.top.lower[:smallest] + token.top.lower[smallest + 1 :]


EDGES = (
    Edge("LSE-2", _stored, 1, 1, "unspecified", "as small as the stored entries allow"),
    Edge("LSE-3", _possible, -1, -1, "unspecified", "as large as the vocabulary allows"),
    Edge("NUC-4", lambda token: _over_top_p(token.top.upper), -1, -1, "covering", "so large that the mass is top_p"),
    Edge(
        "NUC-5", lambda token: _over_top_p(_without_smallest(token)), 1, 1, "covering", "so small that all but one do"
    ),
    Edge("NUC-6", lambda token: _over_top_p(token.top.lower), 1, 1, "below", "so small that the mass is top_p"),
)


def solved(bound: Fraction, sign: int) -> Fraction:
    """Return the l with l + sign * 2^-16 * max(1, |l|) = bound."""
    unit = Fraction(sign, 2**16)
    if abs(bound - unit) <= 1:
        return bound - unit
    return bound / (1 + unit) if bound > 0 else bound / (1 - unit)


def _edge(edge: Edge, scale: str) -> Iterator[Draft]:
    at = f"chk/tolerance/{edge.requirement.lower()}-{scale}"
    rng = drawn(at)
    more = rng.random() / 50
    # The smallest entry first: no order is declared, and NUC-5 is about the smallest, wherever it stands.
    made = [token_of([0.89] if edge.rule == "below" else [0.5, 0.45]), token_of([0.05 - more, 0.6 + more, 0.3])]
    row = encode([_moved(token, SCALES[scale]) for token in made])
    last = list(tokens(row, 2))[-1]
    level = solved(edge.bound(last), edge.sign)
    nucleus = {"top_p": TOP_P, "max_entries": 100, "rule": edge.rule}
    metadata = described(vocab_size=VOCAB, nucleus=nucleus, tail={"num_sampled": 2, "method": "unspecified"})

    def content(off: float) -> Stored:
        logsumexp = [*row["logsumexp"][:-1], float(level) + edge.inward * off]
        return Stored([row | {"logsumexp": logsumexp}], metadata)

    why = f"The logsumexp is {edge.told}, all roundings granted: {edge.requirement} holds, by a hair."
    twin = accept(f"{at}/inside", why, content(INSIDE), requirements=("CHK-2", edge.requirement), twin=f"{at}/outside")
    yield replace(twin, flags=("NO_TOLERANCE",))
    why = f"The logsumexp is 1e-7 further than any rounding explains: {edge.requirement} is broken."
    yield broken(twin, f"{at}/outside", why, f"{edge.requirement}/logsumexp", content(-OUTSIDE))


def _moved(token: LogicalToken, by: int) -> LogicalToken:
    def moved(part: LogicalEntries) -> LogicalEntries:
        return LogicalEntries(part.indices, [x + by for x in part.logits])

    return replace(token, logsumexp=token.logsumexp + by, top=moved(token.top), sampled=moved(token.sampled))


def _row(top: Sequence[float], sampled: Sequence[float], logsumexp: float = 150.0) -> Row:
    def entries(logits: Sequence[float], first: int) -> LogicalEntries:
        return LogicalEntries([first + i for i in range(len(logits))], list(map(Fraction, logits)))

    return encode([LogicalToken(logsumexp, entries(top, 10), entries(sampled, 500))])


def _pair(at: str, requirement: str, rows: tuple[Row, Row], whys: tuple[str, str], **members: Any) -> Iterator[Draft]:
    """Yield Core files of one row, inside and outside."""
    twin = accept(f"{at}/inside", whys[0], Stored([rows[0]]), requirements=("CHK-2", requirement), twin=f"{at}/outside")
    yield replace(twin, flags=("NO_TOLERANCE",))
    yield broken(twin, f"{at}/outside", whys[1], f"{requirement}/range", Stored([rows[1]]), **members)


def _top_set() -> Iterator[Draft]:
    """NUC-3: a tail range that ends above the only nucleus logit, by less than the tolerance and by more."""
    for scale, logit in (("usual", 8.0), ("large", 120.0), ("negative", -20.0)):
        low = logit - 16

        def overlaps(steps: int, logit: float = logit, low: float = low) -> bool:
            (token,) = tokens(_row([logit], [low, _above(logit, steps)]), 2)
            excess = max(token.sampled.lower) - min(token.top.upper)
            return excess > Fraction(1, 2**40) * max(abs(max(token.sampled.lower)), abs(min(token.top.upper)))

        steps = next(steps for steps in range(2000) if overlaps(steps))
        rows = (_row([logit], [low, _above(logit, steps - 1)]), _row([logit], [low, _above(logit, steps + 1)]))
        whys = (
            "The largest tail logit is above the nucleus by less than quantisation explains: NUC-3 may hold.",
            "The largest tail logit is above the nucleus by a little more than quantisation explains.",
        )
        yield from _pair(f"chk/tolerance/nuc-3-{scale}", "NUC-3", rows, whys)


def _above(x: float, steps: int) -> float:
    """Return the binary32 number so many steps above another."""
    found = Fraction(x)
    for _ in range(steps):
        following = binary32.following(found)
        if following is None:
            raise OverflowError("beyond binary32")
        found = following
    return float(found)


def _tight_range() -> Iterator[Draft]:
    """QNT-5, with ranges of two binary32 steps and with usual ones."""
    wide = _row([10.0, 8.0, 7.0], [-1.0, 0.5])
    narrow = _row([8.0, _above(8.0, 2), _above(8.0, 1)], [-1.0, 0.5])
    whys = (
        "The {} code is such that the range may well be the smallest that contains the logits.",
        "The {} code shows that a smaller range would have contained the logits.",
    )
    for at, row, inside, outside in (
        ("smallest-usual", wide, [65_535, 20_000, 0], [65_535, 20_000, 1]),
        ("largest-usual", wide, [65_535, 20_000, 0], [65_534, 20_000, 0]),
        ("smallest-narrow", narrow, [32_768, 65_535, 33_000], [33_000, 65_535, 33_400]),
        ("largest-narrow", narrow, [0, 32_767, 3_000], [0, 32_500, 3_000]),
    ):
        rows = (row | {"top_logits_quantized": inside}, row | {"top_logits_quantized": outside})
        told = tuple(why.format(at.split("-")[0]) for why in whys)
        yield from _pair(f"chk/tolerance/qnt-5-{at}", "QNT-5", rows, (told[0], told[1]), kind=Kind.ACCEPT)


def _honest() -> Iterator[Draft]:
    """Yield what honest writers round, and what none does."""
    why = (
        "Logsumexps were computed in binary32 and logits quantised; the whole vocabulary is stored, so that all shows."
    )
    logits = [Fraction(x, 4096) for x in (51_201, 40_007, 30_011)], [Fraction(x, 4096) for x in (20_021, 10_007)]
    whole = log_sum_exp([*logits[0], *logits[1]]).low
    token = LogicalToken(0.0, LogicalEntries([4, 0, 2], logits[0]), LogicalEntries([1, 3], logits[1]))
    lower, upper = binary32.down(whole), binary32.up(whole)
    row = encode([replace(token, logsumexp=float(value)) for value in (lower, upper, whole)])
    metadata = described(
        vocab_size=5, nucleus={"rule": "unspecified"}, tail={"num_sampled": 2, "method": "unspecified"}
    )
    requirements = ("CHK-2", "LSE-2", "LSE-3")
    twin = accept("chk/tolerance/binary32/inside", why, Stored([row], metadata), requirements=requirements)
    yield replace(twin, flags=("NO_TOLERANCE",), twin="chk/tolerance/binary32/outside")
    why = "A logsumexp that was rounded to bfloat16 is 0.03 below what is stored."
    logsumexp = [*row["logsumexp"][:2], float(whole) - 0.03]
    content = Stored([row | {"logsumexp": logsumexp}], metadata)
    yield broken(twin, "chk/tolerance/binary32/outside", why, "LSE-2/bfloat16", content)
