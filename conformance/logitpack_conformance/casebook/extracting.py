"""What an extractor is asked: which positions, which nucleus, which tail, and what it has to refuse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .draft import Draft
from .outputs import Rows, asked, broken_logits, exact, extracted, logits_of, of_masses, put

MASK = (0, 0, 1, 1, 1, 0, 0, 1, 1, 0)
WHERE = ("ALN-1", "ALN-2")
SETS = ("NUC-1", "NUC-2", "NUC-3", "NUC-8", "TAIL-1", "TAIL-2", "TAIL-4", "IDX-5", "QNT-12", "LSE-4")
COVERING, BELOW = ("NUC-4", "NUC-5", *SETS), ("NUC-6", *SETS)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _masks()
    yield from _rules()
    yield from _edges()
    yield from _tails()
    yield from _zeros()
    yield from _broken()


def _masks() -> Iterator[Draft]:
    """Yield masks over one turn and several, up to the last position, and those that select position 0 (ALN-3)."""
    group = "mask"
    masks: dict[str, tuple[Sequence[int], str]] = {
        "two-turns": (MASK, "Two turns, one after another in one row"),
        "three-turns": ((0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1), "Three turns, the last of them up to the end"),
        "last-position": ((0, 0, 0, 0, 0, 1), "Only the last position: its own output is nobody's prediction"),
        "single-token": ((0, 0, 0, 1, 0, 0, 0), "A single token in the middle"),
        "alternating": ((0, 1, 0, 1, 0, 1, 0, 1), "Every other position"),
        "all-but-first": ((0, 1, 1, 1, 1, 1), "All positions but the first"),
    }
    for slug, (mask, told) in masks.items():
        rows = logits_of(f"extract/mask/{slug}", len(mask))
        why = f"{told}: entry i comes from the output at the position before its token."
        yield extracted(
            f"{group}/{slug}", why, rows, asked(mask), (*WHERE, *COVERING), twin=f"{group}/first-too", flags=("SHIFT",)
        )
    rows = logits_of("extract/mask/from-1", 6)
    why = "The first token that can be predicted, at position 1, from the output at position 0."
    twin = extracted(
        f"{group}/from-1", why, rows, asked((0, 1, 0, 1, 1, 0)), ("ALN-3", *WHERE), twin=f"{group}/first-too"
    )
    yield twin
    flags = ("MASK_WRAPS",)
    for slug, mask, told in (
        ("first-too", (1, 1, 0, 1, 1, 0), "Position 0 is masked as well as others"),
        ("first-only", (1, 0, 0, 0, 0, 0), "Only position 0 is masked"),
        ("everything", (1, 1, 1, 1, 1, 1), "All positions are masked"),
    ):
        why = f"{told}: nothing predicts it, and an index of -1 takes the last output."
        yield broken_logits(twin, f"{group}/{slug}", why, "ALN-3/first-position", request=asked(mask), flags=flags)


def _rules() -> Iterator[Draft]:
    """Yield both rules at several thresholds."""
    group, mask = "rule", (0, 1, 1, 1, 0, 1)
    rows = logits_of("extract/rule", 6, 140, likely=14)
    twin = f"{group}/nan"
    for top_p in (0.25, 0.9, 0.98):
        for rule, requirements in (("covering", COVERING), ("below", BELOW)):
            why = f"Rule {rule} with top_p = {top_p}."
            name = f"{group}/{rule}-{round(100 * top_p)}"
            yield extracted(name, why, rows, asked(mask, top_p=top_p, rule=rule), (*requirements, "NUC-7"), twin=twin)
    crossing = [of_masses([0.5, 0.49], 120, 0.01, 9.0 + k) for k in range(3)]
    for rule, requirements in (("covering", COVERING), ("below", BELOW)):
        why = f"p = 0.50, 0.49 and crumbs, rule {rule} with 0.98: the entry that crosses holds half of the mass."
        request = asked((0, 1, 1), top_p=0.98, rule=rule)
        yield extracted(
            f"{group}/crossing-{rule}", why, crossing, request, requirements, twin=twin, flags=("CROSSING_DROPPED",)
        )
    why = "The order of the nucleus is free."
    first = extracted(f"{group}/any-order", why, rows, asked(mask, order="unspecified"), COVERING, twin=twin)
    yield first
    why = "One of the logits is NaN."
    yield broken_logits(first, twin, why, "QNT-9/nan", put(2, 77, math.nan))


def _edges() -> Iterator[Draft]:
    """Yield distributions at which cutting goes wrong: ties, one entry, flat ones, caps."""
    group, mask = "edge", (0, 1, 1, 1)
    twin = f"{group}/infinity"
    width = 120

    def same(row: list[float]) -> Rows:
        return [[x + k for x in row] for k in range(len(mask))]

    tied = same(of_masses([0.2, 0.2, *[0.1] * 5], width, 0.1))
    why = "Five equal logits at the threshold, of which some are needed: any of them will do."
    yield extracted(f"{group}/ties", why, tied, asked(mask, top_p=0.65), COVERING, twin=twin)
    sole = [
        [exact(30.0 + k) if index == 17 * k + 3 else exact(-60 - index / 7) for index in range(width)] for k in range(4)
    ]
    for rule, requirements in (("covering", COVERING), ("below", BELOW)):
        why = f"One entry holds all the mass: rule {rule} keeps it alone."
        yield extracted(f"{group}/sole-{rule}", why, sole, asked(mask, top_p=0.98, rule=rule), requirements, twin=twin)
    flat = same([2.0] * width)
    why = "All logits are equal: the nucleus is cut at max_entries, wherever."
    yield extracted(
        f"{group}/flat", why, flat, asked(mask, top_p=0.98, max_entries=20), COVERING, twin=twin, flags=("CAP_IGNORED",)
    )
    almost = [[exact(2 + (index * 37 % width) / 60 + k) for index in range(width)] for k in range(4)]
    for cap in (1, 7, 100):
        why = f"A nearly flat distribution: max_entries = {cap} is reached long before top_p."
        request = asked(mask, top_p=0.98, max_entries=cap)
        yield extracted(f"{group}/capped-at-{cap}", why, almost, request, COVERING, twin=twin, flags=("CAP_IGNORED",))
    wide = [[exact(2 + (index * 37 % 400) / 200 + k) for index in range(400)] for k in range(2)]
    why = "A nearly flat distribution and a max_entries of 255, the largest there is."
    yield extracted(
        f"{group}/capped-at-255", why, wide, asked((0, 1), top_p=0.999, max_entries=255), COVERING, twin=twin
    )
    some = logits_of("extract/edge/all", 4, 30)
    why = "top_p = 1 with room for nearly the whole vocabulary: the cap ends it."
    yield extracted(f"{group}/top-p-1", why, some, asked(mask, top_p=1.0, max_entries=25), COVERING, twin=twin)
    why = "top_p so small that every nucleus is one entry."
    least = extracted(f"{group}/top-p-tiny", why, some, asked(mask, top_p=1e-6), COVERING, twin=twin)
    yield least
    why = "One of the logits is +inf: it would hold all the mass, and every other probability would be NaN."
    yield broken_logits(least, twin, why, "QNT-9/infinity", put(1, 12, math.inf))


def _tails() -> Iterator[Draft]:
    """Yield tails that take all that is left, and positions that do not leave enough (QNT-10)."""
    group, mask = "tail", (0, 1, 1, 1)
    requirements = ("QNT-10", "TAIL-1", "TAIL-2", "TAIL-4", "NUC-4")
    flat = [[1.0 + k] * 25 for k in range(4)]
    why = "A vocabulary of exactly max_entries + S: the tail is everything outside the nucleus."
    request = asked(mask, top_p=0.98, max_entries=20, num_sampled=5)
    twin = extracted(f"{group}/exactly-enough", why, flat, request, requirements, twin=f"{group}/one-short")
    yield twin
    flags = ("WITH_REPLACEMENT",)
    for slug, request in (
        ("one-short", asked(mask, top_p=0.98, max_entries=20, num_sampled=6)),
        ("one-more-in-nucleus", asked(mask, top_p=0.98, max_entries=21, num_sampled=5)),
        ("far-too-few", asked(mask, top_p=0.98, max_entries=20, num_sampled=500)),
    ):
        sizes = request["tail"]["num_sampled"], request["nucleus"]["max_entries"]
        why = f"A tail of {sizes[0]} beside a nucleus of {sizes[1]}, out of 25 entries."
        yield broken_logits(twin, f"{group}/{slug}", why, "QNT-10/too-few", request=request, flags=flags)
    name = f"{group}/small-vocabulary"
    rows = [[exact(20.0 - 2 * ((index + k) % 9)) for index in range(9)] for k in range(4)]
    why = "A vocabulary of nine: one entry in the nucleus, the other eight in the tail."
    small = extracted(name, why, rows, asked(mask, top_p=0.5, num_sampled=8), requirements, twin=f"{name}-of-nine")
    yield small
    why = "A tail of nine where eight are left."
    request = asked(mask, top_p=0.5, num_sampled=9)
    yield broken_logits(small, f"{name}-of-nine", why, "QNT-10/too-few", request=request, flags=flags)
    why = "A tail of one entry: S = 1."
    rows = logits_of("extract/tail/single", 4)
    single = asked(mask, num_sampled=1)
    yield extracted(f"{group}/single", why, rows, single, requirements, twin=f"{group}/one-short")
    why = "S = 100, far more than the nucleus has."
    rows = logits_of("extract/tail/large", 4)
    large = extracted(
        f"{group}/large", why, rows, asked(mask, num_sampled=100), requirements, twin=f"{group}/large-last"
    )
    yield large
    why = "Only the last token leaves too few: all entries but 90 have probability zero there."
    yield broken_logits(large, f"{group}/large-last", why, "QNT-10/too-few-finite", _padded_at(2, 90), flags=flags)


def _padded_at(position: int, start: int) -> Any:
    def change(rows: Rows) -> None:
        rows[position][start:] = [-math.inf] * (len(rows[position]) - start)

    return change


def _zeros() -> Iterator[Draft]:
    """Yield entries of probability zero (QNT-7)."""
    group, mask, flags = "zero", (0, 1, 1, 1), ("ZERO_STORED",)
    requirements = ("QNT-7", "TAIL-1", "TAIL-2", "LSE-4", "QNT-12")
    padded = [[*row[:120], *[-math.inf] * 40] for row in logits_of("extract/zero/padded", 4)]
    twin = f"{group}/nothing-left"
    why = "The last 40 entries are padding of logit -inf: they are never stored."
    yield extracted(f"{group}/padded", why, padded, asked(mask, num_sampled=60), requirements, twin=twin, flags=flags)
    scattered = logits_of("extract/zero/scattered", 4)
    for k, row in enumerate(scattered):
        for index in range(k % 3, len(row), 3):
            row[index] = -math.inf
    why = "Every third entry is masked, others at each position."
    yield extracted(
        f"{group}/scattered", why, scattered, asked(mask, num_sampled=60), requirements, twin=twin, flags=flags
    )
    some = [[exact(9.0 - index / 13 - k) if index % 13 == 0 else -math.inf for index in range(130)] for k in range(4)]
    for rule, more in (("covering", ("NUC-4", "NUC-5")), ("below", ("NUC-6",))):
        why = f"Ten entries have a probability, top_p is 1 by rule {rule}: six in the nucleus, four in the tail."
        request = asked(mask, top_p=1.0, max_entries=6, num_sampled=4, rule=rule)
        last = extracted(
            f"{group}/ten-left-{rule}", why, some, request, (*requirements, "QNT-10", *more), twin=twin, flags=flags
        )
        yield last
    why = "Ten entries have a probability, and eleven would have to be stored."
    request = asked(mask, top_p=1.0, max_entries=6, num_sampled=5)
    yield broken_logits(last, f"{group}/eleven-of-ten", why, "QNT-10/too-few-finite", request=request, flags=flags)
    why = "At one position every logit is -inf: there is no distribution."
    change = _padded_at(1, 0)
    yield broken_logits(last, twin, why, "QNT-9/all-minus-infinity", change, requirements=("QNT-9", "QNT-7"))


def _broken() -> Iterator[Draft]:
    """Yield logits that define no distribution (QNT-9), at the first masked token and at the last."""
    group, mask, flags = "broken", (0, 0, 1, 1, 0, 1), ("NAN_SPREADS",)
    rows = logits_of("extract/broken", 6)
    why = "Finite logits."
    twin = extracted(f"{group}/none", why, rows, asked(mask), ("QNT-9", *WHERE), twin=f"{group}/nan-first", flags=flags)
    yield twin
    for slug, position in (("first", 1), ("last", 4)):
        for name, value in (("nan", math.nan), ("infinity", math.inf)):
            why = f"A logit of the {slug} token is {value}."
            change = put(position, 93, value)
            yield broken_logits(twin, f"{group}/{name}-{slug}", why, f"QNT-9/{name}", change, flags=flags)
        why = f"Every logit of the {slug} token is -inf."
        change = _padded_at(position, 0)
        yield broken_logits(twin, f"{group}/nothing-{slug}", why, "QNT-9/all-minus-infinity", change, flags=flags)
    others = [list(row) for row in rows]
    others[0][7], others[3][80] = math.nan, math.inf
    others[5] = [-math.inf] * len(others[5])
    why = "A NaN, a +inf and nothing but -inf at positions that no entry is made from: they do no harm."
    yield extracted(f"{group}/elsewhere", why, others, asked(mask), ("QNT-9", *WHERE), twin=f"{group}/nan-first")
    why = "A NaN beside a +inf."
    yield broken_logits(
        twin, f"{group}/both", why, "QNT-9/both", lambda r: r[2].__setitem__(slice(2), [math.nan, math.inf])
    )
    why = "The very last logit of the last token is NaN."
    yield broken_logits(twin, f"{group}/nan-at-the-end", why, "QNT-9/nan", put(4, 159, math.nan), flags=flags)
