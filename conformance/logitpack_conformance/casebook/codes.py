"""Codes and ranges that do not say what they claim: QNT-4, QNT-5, NUC-3 and NUC-7."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.model import Kind
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken

from .bases import edited, sound, stored, variant
from .draft import Draft
from .spots import FIRST, LAST, Change, Spot, in_range, picked, put_codes, retold, swapped, with_entries
from .spread import altered, metadata_of, second_file, under_option

COUNTS = ((3, 2), (1,), (2, 1, 4))
WARNED: dict[str, Any] = {"kind": Kind.ACCEPT}
"""What breaks a SHOULD is a valid file still, and a reader accepts it."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _empty_ranges()
    yield from _loose_ranges()
    yield from _top_sets()
    yield from _orders()
    yield from _free_orders()


def level(spot: Spot, kind: str = "sampled") -> Change:
    """Return what gives all entries of a token the logit of the first: an empty range."""

    def flat(part: LogicalEntries) -> LogicalEntries:
        return LogicalEntries(part.indices, [Fraction(round(part.logits[0]))] * len(part.logits))

    return retold(spot, lambda token: with_entries(token, kind, flat))


def _empty_ranges() -> Iterator[Draft]:
    """QNT-4."""
    at, fault, flags = "qnt/empty-range", "QNT-4/code", ("ZERO_BY_ZERO",)
    why = "Nuclei of one entry and tails of equal logits, at the first and the last token: min = max, every code is 0."
    twin = sound(f"{at}/sound", why, counts=((1, 3), (2,), (2, 1)), stride=3)
    twin = altered(twin, level(FIRST), level(LAST), level((1, 0)), requirements=("QNT-4",), twin=f"{at}/nucleus-first")
    yield twin
    for slug, spot, kind, codes, what in (
        ("nucleus-first", FIRST, "top", {0: 65_535}, "the only nucleus entry of the first token has code 65,535"),
        ("nucleus-last", LAST, "top", {0: 32_768}, "the only nucleus entry of the last token has code 32,768"),
        ("nucleus-one", LAST, "top", {0: 1}, "the only nucleus entry of the last token has code 1"),
        ("tail-first", FIRST, "sampled", {0: 65_535, 1: 65_535, 2: 65_535}, "all tail entries have code 65,535"),
        ("tail-last", LAST, "sampled", {2: 1}, "the last tail entry of the last token has code 1"),
        ("tail-middle", (1, 0), "sampled", {1: 9}, "one tail entry of a row in the middle has code 9"),
    ):
        why = f"Min = max, and {what}: what 0/0 left behind, however it decodes."
        yield edited(twin, f"{at}/{slug}", why, fault, put_codes(spot, kind, codes), flags=flags)
    core = sound(f"{at}/core-sound", "A Core file with nuclei of one entry.", counts=((1,), (2, 1)), core=True)
    yield core
    why = "A code that is not 0 in an empty range of a Core file."
    yield edited(core, f"{at}/core", why, fault, put_codes(LAST, "top", {0: 65_535}), flags=flags)
    last, why = put_codes(LAST, "top", {0: 7}), "A code that is not 0 in an empty range of the second file."
    yield from second_file(at, why, fault, last, counts=((2,), (1, 1)))


def _loose_ranges() -> Iterator[Draft]:
    """QNT-5, a SHOULD: the file is valid, and a checker says so with a warning."""
    at, flags = "qnt/tight-range", ("LOOSE_RANGE",)
    twin = sound(f"{at}/sound", "Ranges that end at the smallest and the largest logit.", counts=COUNTS, stride=4)
    yield twin
    for slug, spot, kind, below, above in (
        ("nucleus-below-first", FIRST, "top", 0.5, 0.0),
        ("nucleus-above-last", LAST, "top", 0.0, 0.25),
        ("nucleus-single", (1, 0), "top", 1.0, 1.0),
        ("tail-below-last", LAST, "sampled", 0.125, 0.0),
        ("tail-above-first", FIRST, "sampled", 0.0, 0.0625),
        ("tail-both", (2, 1), "sampled", 0.5, 0.5),
    ):
        ends = " and ".join(word for word, by in (("below its smallest", below), ("above its largest", above)) if by)
        why = f"The range of a {'nucleus' if kind == 'top' else 'tail'} reaches {ends} logit."
        yield edited(
            twin, f"{at}/{slug}", why, "QNT-5/wider", in_range(spot, kind, below, above), flags=flags, **WARNED
        )
    why = "All nuclei were quantised together with entries that were dropped afterwards, down to 20 below them."
    core = sound(f"{at}/core-sound", "Tight ranges of a Core file.", counts=COUNTS, core=True)
    yield core
    for_all = [
        in_range((row, token), "top", 20.0, 0.0) for row, counts in enumerate(COUNTS) for token in range(len(counts))
    ]

    def widen(rows: list[dict[str, Any]]) -> None:
        for change in for_all:
            change(rows)

    yield edited(core, f"{at}/core-dropped-entries", why, "QNT-5/wider", widen, flags=flags, **WARNED)


def lifted(spot: Spot, by: float = 0.5, entry: int = 0) -> Change:
    """Return what puts a tail logit above the smallest of the nucleus."""

    def change(token: LogicalToken) -> LogicalToken:
        def lift(part: LogicalEntries) -> LogicalEntries:
            logits = list(part.logits)
            logits[entry] = min(token.top.logits) + Fraction(by)
            return LogicalEntries(part.indices, logits)

        return with_entries(token, "sampled", lift)

    return retold(spot, change)


def _top_sets() -> Iterator[Draft]:
    """NUC-3."""
    at, fault, flags = "nuc/top-set", "NUC-3/tail-above", ("NOT_THE_TOP",)
    twin = sound(f"{at}/sound", "Tails that lie below their nuclei.", counts=COUNTS, stride=3)
    yield twin
    why = "A tail logit of the first token is above the smallest of its nucleus: an entry was passed over."
    yield edited(twin, f"{at}/first-token", why, fault, lifted(FIRST), flags=flags)
    why = "The last tail logit of the last token is a little above the smallest of its nucleus."
    yield edited(twin, f"{at}/last-token", why, fault, lifted(LAST, 0.03125, 2), flags=flags)
    why = "A tail logit is above the only entry of its nucleus, the largest there should be."
    yield edited(twin, f"{at}/single-entry", why, fault, lifted((1, 0), 0.25, 1), flags=flags)
    core = sound(f"{at}/core-sound", "A Core file, S = 1.", counts=COUNTS, stride=1, core=True)
    yield core
    why = "The only tail logit of a token of a Core file is above its nucleus."
    yield edited(core, f"{at}/core", why, fault, lifted((0, 1)), flags=flags)
    level_one = sound(
        f"{at}/equal", "The largest tail logit equals the smallest of the nucleus: ties are free.", counts=COUNTS
    )
    level_one = altered(
        level_one, lifted(LAST, 0.0), lifted(FIRST, 0.0), requirements=("NUC-3", "CHK-2"), twin=f"{at}/above-tie"
    )
    yield level_one
    why = "The tail logit that tied with the nucleus is above it."
    yield edited(level_one, f"{at}/above-tie", why, fault, lifted(FIRST, 0.0078125), flags=flags)
    yield from second_file(
        at, "A tail of the second file reaches above the nucleus.", fault, lifted(LAST), counts=COUNTS
    )


def reversed_nucleus(spot: Spot) -> Change:
    """Return what turns the order of a nucleus round."""
    return retold(
        spot,
        lambda token: with_entries(token, "top", lambda part: picked(part, list(range(len(part.indices)))[::-1])),
    )


def _orders() -> Iterator[Draft]:
    """NUC-7."""
    at, fault, flags = "nuc/order", "NUC-7/increasing", ("SORTED_OTHERWISE",)
    twin = sound(f"{at}/sound", "Nuclei in descending order, as declared.", counts=((3, 2), (1,), (2, 4)))
    yield twin
    why = "The first two entries of the first nucleus stand in ascending order."
    yield edited(twin, f"{at}/first-token", why, fault, swapped(FIRST, 0, 1), flags=flags)
    why = "The last two entries of the last nucleus stand in ascending order."
    yield edited(twin, f"{at}/last-token", why, fault, swapped(LAST, 2, 3), flags=flags)
    why = "The last nucleus stands in ascending order."
    yield edited(twin, f"{at}/ascending", why, fault, reversed_nucleus(LAST), flags=flags)
    why = "Codes increase by 1 from one entry to the next, the least that shows."
    close = sound(
        f"{at}/close-sound", "Two entries of a nucleus have equal codes: they do not increase.", counts=((4,), (2,))
    )
    close = altered(
        close,
        put_codes(FIRST, "top", {1: 40_000, 2: 40_000}),
        declared=_only_ordered(),
        requirements=("NUC-7",),
        twin=f"{at}/by-one-code",
    )
    yield close
    yield edited(close, f"{at}/by-one-code", why, fault, put_codes(FIRST, "top", {2: 40_001}), flags=flags)
    last = swapped(LAST, 0, 1)
    why = "A nucleus of the second file is out of order."
    yield from second_file(at, why, fault, last, counts=((3, 2), (4,), (1, 2), (2, 2)))
    why = "A nucleus is out of the order that the option declares."
    yield from under_option(at, why, fault, last, counts=((3, 2), (2, 2)))


def _only_ordered() -> dict[str, Any]:
    return {"nucleus": {"rule": "unspecified", "order": "descending"}}


def _free_orders() -> Iterator[Draft]:
    """NUC-7 where nothing, or nothing in particular, is declared."""
    at = "nuc/order"
    whys = {
        "unspecified": "Metadata declare the order unspecified, and nuclei stand in any.",
        "undeclared": "Metadata declare no order, and nuclei stand in any.",
    }
    for slug, told in whys.items():
        free = sound(f"{at}/{slug}", told, counts=((3, 2), (4,)))
        nucleus = dict(metadata_of(stored(free))["nucleus"])
        declared = dict(metadata_of(stored(free)))
        del nucleus["order"]
        if slug == "unspecified":
            nucleus["order"] = "unspecified"
        free = altered(free, reversed_nucleus(FIRST), swapped(LAST, 1, 2), declared={"nucleus": nucleus})
        yield replace(free, requirements=("NUC-7", "CHK-3"), twin=f"{at}/{slug}-now-declared")
        why = "The same nuclei where the metadata declare them descending."
        now = {**declared, "nucleus": {**nucleus, "order": "descending"}}
        yield variant(free, f"{at}/{slug}-now-declared", why, "NUC-7/order-declared", embedded=now)
    core = sound(f"{at}/core", "Nuclei of a Core file in any order.", counts=((3, 2), (4,)), core=True)
    yield altered(core, reversed_nucleus(FIRST), swapped(LAST, 0, 3))
