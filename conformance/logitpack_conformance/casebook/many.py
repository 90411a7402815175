"""Many entries and tokens: sums of counts that wrap, large S, the largest nuclei (RD-2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.logical import decode, encode
from logitpack_conformance.stored import Form

from .bases import contents, contrasted, sound
from .draft import Draft, accept

WRAP = ("COUNT_WRAP",)
AT = "counts"
PARQUET = (Container.PARQUET,)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    shapes: tuple[tuple[str, Sequence[Sequence[int]], dict[str, Any], str], ...] = (
        ("one", ((1,),), {}, "One token of one entry: the smallest row that there is."),
        ("ones", ((1, 1, 1, 1, 1),), {}, "Tokens of one entry each."),
        ("hundred", ((100, 1),), {}, "A nucleus of 100 entries, as many as a Core file may have."),
        (
            "three-hundred",
            ((100, 100, 100),),
            {},
            "Counts of 100, 100, 100: a uint8 sum has wrapped to 44 by the third.",
        ),
        ("largest", ((255,),), {}, "A nucleus of 255 entries, the largest that there is."),
        ("largest-and-one", ((255, 1, 2),), {}, "Counts of 255 and 1: a uint8 sum is 0 where the third token begins."),
        (
            "largest-twice",
            ((255, 255, 1),),
            {},
            "Counts of 255 and 255, then 1: a signed or a narrow sum is negative or 254.",
        ),
        ("exactly-256", ((128, 128, 3),), {}, "Counts that add up to exactly 256 before the third token."),
        ("signed-counts", ((128, 200, 1),), {}, "Counts of 128 and above: as signed bytes they would be negative."),
        (
            "wraps-in-second-row",
            ((3, 2), (120, 140, 5)),
            {},
            "The sum of the counts passes 255 in the second row only.",
        ),
        (
            "sum-over-rows",
            ((100, 50), (100, 50)),
            {},
            "The sum of the counts passes 255 over both rows, in neither of them.",
        ),
    )
    for name, counts, options, why in shapes:
        draft = sound(f"{AT}/nucleus/{name}", why, counts=counts, stride=2, flags=WRAP, **options)
        contrast = "The same counts, but the last nucleus code of the last row is missing."
        yield from contrasted(draft, "ROW-3/top-logits-quantized-short", contrast, "RD-2", flags=WRAP, turn=1)
    tails: tuple[tuple[str, Sequence[Sequence[int]], int, str], ...] = (
        ("one", ((2, 3), (1,)), 1, "S = 1: each tail has one entry, and its range is empty."),
        ("large", ((2,),), 255, "S = 255, in a row of one token."),
        ("beyond-255", ((1, 2),), 300, "S = 300: more than uint8 holds."),
        ("sum-beyond-255", ((1,) * 12,), 24, "n*S = 288: twelve tokens with 24 tail entries each."),
        ("large-than-nucleus", ((1, 1, 1),), 40, "Tails far larger than the nuclei."),
    )
    for name, counts, stride, why in tails:
        draft = sound(f"{AT}/tail/{name}", why, counts=counts, stride=stride, flags=WRAP)
        contrast = "The same tails, but the last code of the last row is missing."
        yield from contrasted(draft, "ROW-4/sampled-logits-quantized-short", contrast, "RD-2", flags=WRAP, turn=1)
    tokens: tuple[tuple[str, Sequence[Sequence[int]], str], ...] = (
        ("many", ((1,) * 130,), "A row of 130 tokens: num_tokens beyond a signed byte."),
        ("beyond-255", ((1,) * 260,), "A row of 260 tokens: more than uint8 counts."),
        ("one-and-many", ((1,), (1, 2) * 20, (1,)), "A long row between two of one token."),
    )
    for name, counts, why in tokens:
        draft = sound(f"{AT}/tokens/{name}", why, counts=counts, stride=1, flags=WRAP)
        contrast = "The same tokens, but the last row has a logsumexp less."
        yield from contrasted(draft, "ROW-2/logsumexp-short", contrast, "RD-2", flags=WRAP, turn=1)
    yield from _long_row()


def _long_row() -> Iterator[Draft]:
    """Yield a row longer than the blocks that programs work in; its tokens repeat, dictionaries keep it small."""
    at = f"{AT}/tokens/thousands"
    content = contents(
        at, counts=((1,) * 13,), stride=1, core=True, containers=PARQUET, form=Form(parquet={"use_dictionary": True})
    )
    repeated = decode(content.rows[0]) * 323
    why = "A row of 4,199 tokens: more than 4,096, where a block or a batch may end."
    draft = accept(at, why, replace(content, rows=[encode(repeated)]), flags=WRAP)
    contrast = "The same tokens, but the row has a logsumexp less."
    yield from contrasted(draft, "ROW-2/logsumexp-short", contrast, "RD-2", flags=WRAP)
