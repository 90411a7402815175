"""Indices of 18 bits: IDX-2, in every lane of a byte, at every limit, across tokens and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from logitpack_conformance.rows import BOUNDARIES

from .bases import contrasted, sound
from .draft import Draft

VOCAB = 262_144
LANES = ("MSB_FIRST", "PER_TOKEN_PACKING")


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _lanes()
    yield from _remainders()
    yield from _tokens()
    yield from _patterns()


def _case(
    name: str, why: str, counts: Sequence[Sequence[int]], *, high: str = "top", **options: Any
) -> Iterator[Draft]:
    """Yield a file of these nuclei, and one whose high parts are a byte short."""
    kind = {"top": "nucleus", "sampled": "tail"}[high]
    draft = sound(name, why, counts=counts, **{"vocab": VOCAB, "flags": LANES, **options})
    contrast = f"The same indices, with the last byte of the {kind}'s high parts missing."
    yield from contrasted(draft, f"IDX-3/{high}-indices-high-short", contrast, "IDX-2", flags=("HIGH_LENGTH",), turn=1)


def _lanes() -> Iterator[Draft]:
    """Each limit in each of the four places of a byte, in the nucleus and in the tail."""
    for lane in range(4):
        chosen = [*BOUNDARIES[-lane:], *BOUNDARIES[:-lane]] if lane else list(BOUNDARIES)
        at = f"idx/bit-order/lane-{lane}"
        why = f"The limits of the low and high parts in the nucleus, beginning at place {lane} of a byte."
        yield from _case(f"{at}-nucleus", why, ((8, 1),), chosen=chosen)
        others = [70_001 + 40_000 * (i % 4) + i for i in range(3)]
        why = f"The limits of the low and high parts in the tail, beginning at place {lane} of a byte."
        yield from _case(f"{at}-tail", why, ((3, 2),), chosen=[*others, *chosen], stride=8, high="sampled")


def _remainders() -> Iterator[Draft]:
    """Entries 0 to 3 more than a multiple of four, the last of which has a high part of 3."""
    for over in range(4):
        count = 4 + over
        chosen = [*range(1000, 1000 + count - 1), 196_608 + over]
        at = f"idx/bit-order/{over}-over"
        why = f"{count} nucleus entries, of which only the last has a high part."
        yield from _case(f"{at}-nucleus", why, ((count,),), chosen=chosen)
        tail = [*range(2000, 2000 + count - 1), 262_143 - over]
        why = f"{count} tail entries, of which only the last has a high part."
        yield from _case(f"{at}-tail", why, ((2,),), chosen=[5, 6, *tail], stride=count, high="sampled")


def _tokens() -> Iterator[Draft]:
    """Yield runs that go on over tokens and begin anew at rows."""
    at = "idx/bit-order"
    for name, counts, why in (
        ("tokens-of-one", ((1,) * 9,), "Nine tokens of one entry: four of them share a byte."),
        ("tokens-of-three", ((3, 3, 3, 2),), "Tokens of three entries: a byte is shared by two of them."),
        ("tokens-of-two-and-five", ((2, 5, 1, 4),), "Tokens that begin at every place of a byte."),
        ("tokens-of-four", ((4, 4, 1),), "Tokens of four entries: where every token has a byte of its own by chance."),
        ("rows", ((1,), (2,), (3,), (5,)), "Rows that each begin at a new byte, whatever the row before left over."),
        ("first-row-of-one", ((1, 1), (4, 4), (1, 2)), "A short row before longer ones."),
    ):
        chosen = [196_608, 65_537, 131_074, 262_140, 65_600, 196_700]
        yield from _case(f"{at}/{name}", why, counts, chosen=chosen, stride=3)


def _patterns() -> Iterator[Draft]:
    at = "idx/bit-order"
    ones, twos = [65_536 + i for i in range(5)], [131_072 + i for i in range(5)]
    why = "All high parts of the nucleus are 1: with the two bits of each swapped they would be 2."
    yield from _case(f"{at}/all-ones", why, ((3, 2),), chosen=ones, stride=2)
    why = "All high parts of the nucleus are 2: with the two bits of each swapped they would be 1."
    yield from _case(f"{at}/all-twos", why, ((3, 2),), chosen=twos, stride=2)
    why = "Low parts of 32,768 and above with every high part: as signed numbers they would be negative."
    signed = [32_768, 65_535, 98_304, 131_071, 163_840, 229_376, 262_143, 40_000]
    yield from _case(f"{at}/signed-low", why, ((8, 3),), chosen=signed, flags=("SIGNED_LOW",))
    why = "Low parts of 32,768 and above in the tail."
    tail = [7, 8, *signed[:6]]
    yield from _case(
        f"{at}/signed-low-tail", why, ((2,),), chosen=tail, stride=6, high="sampled", flags=("SIGNED_LOW",)
    )
    why = "One low part with all four high parts: only these tell the entries apart."
    same = [77, 65_613, 131_149, 196_685]
    yield from _case(f"{at}/same-low", why, ((4, 2),), chosen=same)
    why = "Nucleus and tail with the same low parts and different high parts: the columns must not be mixed up."
    crossed = [100, 65_637, 131_174, 196_711, 196_708, 131_173, 65_638, 103]
    yield from _case(f"{at}/nucleus-and-tail", why, ((4,),), chosen=crossed, stride=4)
    why = "A vocabulary below 65,536: high parts that are all zero."
    yield from _case(f"{at}/no-high-parts", why, ((3, 4), (2,)), vocab=50_257)
