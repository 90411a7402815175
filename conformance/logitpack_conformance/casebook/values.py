"""Values outside what they can mean: IDX-1, QNT-8, QNT-1, LSE-1, and the padding bits of IDX-4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import Form

from .bases import edited, sound
from .draft import ARROW, Draft, faulty

JSON = (Container.JSON,)
INT32 = pa.list_(pa.int32())
DOUBLE = pa.list_(pa.float64())
BITS_18 = (1 << 18) - 1


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _sixteen_bits("idx/low-range", "IDX-1", "indices_low", "LOW_ALIASED", "low part")
    yield from _sixteen_bits("qnt/code-range", "QNT-8", "logits_quantized", "CODE_ALIASED", "code")
    yield from _ranges()
    yield from _wide_ranges()
    yield from _logsumexps()
    yield from _padding()


def _sixteen_bits(at: str, requirement: str, part: str, flag: str, word: str) -> Iterator[Draft]:
    """IDX-1 or QNT-8: values that 16 bits do not hold, in a wider type and in stored JSON."""
    types = {f"{kind}_{part}": INT32 for kind in ("top", "sampled")}
    wide = sound(
        f"{at}/wide",
        f"Each {word} in an int32, as programs without unsigned types write it; all are within 16 bits.",
        form=Form(types=types),
        containers=ARROW,
        findings=("COL-5",),
        features=("wide_integers",),
    )
    plain = sound(f"{at}/plain", f"Each {word} within 16 bits.", containers=JSON)
    yield wide
    yield plain
    why = f"Each {word} in its canonical type, which holds nothing that is out of range."
    members: dict[str, Any] = {"requirements": (requirement,), "twin": f"{at}/nucleus-65536"}
    yield sound(f"{at}/canonical", why, containers=ARROW, **members)
    for twin, suffix in ((wide, ""), (plain, "-json")):
        for kind, words in (("top", "nucleus"), ("sampled", "tail")):
            why = f"A {word} of the {words} is 65,536: cut to 16 bits it is 0."
            yield faulty(twin, f"{at}/{words}-65536{suffix}", why, f"{requirement}/{kind}-65536", flags=(flag,))
            why = f"A {word} of the {words} is -1: cut to 16 bits it is 65,535."
            yield faulty(twin, f"{at}/{words}-negative{suffix}", why, f"{requirement}/{kind}-negative", flags=(flag,))

    def whole(rows: list[Row]) -> None:
        rows[0][f"top_{part}"][0] = BITS_18

    why = f"A {word} of 18 bits in the first place."
    yield edited(wide, f"{at}/eighteen-bits", why, f"{requirement}/eighteen-bits", whole, flags=(flag,))


def _ranges() -> Iterator[Draft]:
    """QNT-1 in canonical types."""
    twin = sound("qnt/range/sound", "Finite ranges, each with its lower end first.")
    yield twin
    words = {"top": "nucleus", "sampled": "tail"}
    for kind, word in words.items():
        for end, name in (("min", "lower"), ("max", "upper")):
            why = f"The {name} end of a {word} range is NaN: so is every logit of the token."
            op = f"QNT-1/{kind}-{end}-nan"
            yield faulty(twin, f"qnt/range/{word}-{end}-nan", why, op, flags=("NAN_SPREADS",))
            why = f"The {name} end of a {word} range is infinite."
            op = f"QNT-1/{kind}-{end}-infinite"
            yield faulty(twin, f"qnt/range/{word}-{end}-infinite", why, op, flags=("NAN_SPREADS",))
    why = "The lower end of a nucleus range is above the upper: logits would decode in reverse order."
    yield faulty(twin, "qnt/range/reversed", why, "QNT-1/min-above-max", flags=("MIN_MAX_SWAPPED",))

    def swapped(rows: list[Row]) -> None:
        row = rows[-1]
        row["sampled_min"], row["sampled_max"] = row["sampled_max"], row["sampled_min"]

    why = "The columns of both ends of the tail ranges are swapped."
    yield edited(twin, "qnt/range/tail-ends-swapped", why, "QNT-1/swapped", swapped, flags=("MIN_MAX_SWAPPED",))
    why = "Both ends of a range are finite, but their difference is beyond binary32."
    yield faulty(twin, "qnt/range/difference-overflows", why, "QNT-1/difference-overflows", flags=("RANGE_OVERFLOW",))

    def half_ulp(rows: list[Row]) -> None:
        rows[-1]["sampled_min"][0], rows[-1]["sampled_max"][0] = -(2.0**103), (2 - 2.0**-23) * 2.0**127

    why = "The difference of both ends is the least that rounds to an infinity in binary32."
    flags = ("RANGE_OVERFLOW",)
    yield edited(twin, "qnt/range/difference-just-overflows", why, "QNT-1/just-overflows", half_ulp, flags=flags)

    def first_nan(rows: list[Row]) -> None:
        rows[0]["top_min"][0] = rows[0]["top_max"][0] = float("nan")

    why = "Both ends of the first range of the file are NaN."
    yield edited(twin, "qnt/range/both-nan", why, "QNT-1/both-nan", first_nan, flags=("NAN_SPREADS",))


def _wide_ranges() -> Iterator[Draft]:
    """QNT-1 where an end is beyond binary32, in binary64 and in stored JSON."""
    columns = ("top_min", "top_max", "sampled_min", "sampled_max")
    wide = sound(
        "qnt/range/float64",
        "Ranges in float64, as Python and Spark write them; each means the nearest binary32 number.",
        form=Form(types=dict.fromkeys(columns, DOUBLE)),
        containers=ARROW,
        findings=("COL-5",),
        features=("float64",),
    )
    plain = sound("qnt/range/json", "Ranges in the decimal numbers of stored JSON.", containers=JSON)
    yield wide
    yield plain
    for twin, suffix in ((wide, ""), (plain, "-json")):
        why = "The upper end of a nucleus range is 1e300: finite as stored, infinite in binary32."
        name = f"qnt/range/beyond-float32{suffix}"
        yield faulty(twin, name, why, "QNT-1/top-max-beyond-float32", flags=("RANGE_OVERFLOW",))

        limit = 2**103 - 2**128  # in JSON an integer: the shortest decimal text of binary64 is a little less

        def barely(rows: list[Row], value: float = limit if suffix else float(limit)) -> None:
            rows[-1]["sampled_min"][-1] = value

        why = "The lower end of a tail range is the smallest magnitude that rounds beyond the largest binary32 number."
        name = f"qnt/range/barely-beyond-float32{suffix}"
        yield edited(twin, name, why, "QNT-1/barely-beyond", barely, flags=("RANGE_OVERFLOW",))


def _logsumexps() -> Iterator[Draft]:
    """LSE-1."""
    twin = sound("lse/finite/sound", "Finite logsumexps.")
    yield twin
    for name, word in (("nan", "NaN"), ("infinity", "+infinity"), ("minus-infinity", "-infinity")):
        why = f"A logsumexp is {word}: no probability of the token is known."
        yield faulty(twin, f"lse/finite/{name}", why, f"LSE-1/{name}", flags=("NAN_SPREADS",))

    def first(rows: list[Row]) -> None:
        rows[0]["logsumexp"][0] = float("nan")

    why = "The first logsumexp of the file is NaN, all others are finite."
    yield edited(twin, "lse/finite/nan-first", why, "LSE-1/nan-first", first, flags=("NAN_SPREADS",))


def _padding() -> Iterator[Draft]:
    """IDX-4: a reader may accept, and ignores the bits where it does."""
    flags = ("PADDING_AS_DATA",)
    for over, shape in (("one", ((3, 2),)), ("two", ((2, 4),)), ("three", ((5, 2),))):
        at = f"idx/padding/{over}-over"
        why = f"Nucleus and tail entries {over} or more over a multiple of four: the padding bits are zero."
        twin = sound(f"{at}/zero", why, counts=shape, stride=3)
        yield twin
        why = (
            "All padding bits of the nucleus are set; a reader that accepts the row gives the same indices as without."
        )
        yield edited(twin, f"{at}/top-all-set", why, "IDX-4/top-all-set", _set_padding("top", 0xFF), flags=flags)
        why = "The lowest two padding bits of the nucleus are set, where the next entry's high part would stand."
        low = 3 << 2 * (sum(shape[0]) % 4)
        yield edited(twin, f"{at}/top-next-set", why, "IDX-4/top-next-set", _set_padding("top", low), flags=flags)
    why = "Six tail entries in a row: half of the last byte is padding."
    twin = sound("idx/padding/tail/zero", why, counts=((2, 3),), stride=3)
    yield twin
    why = "The highest padding bit of the tail is set."
    yield faulty(twin, "idx/padding/tail/top-bit", why, "IDX-4/padding", flags=flags)


def _set_padding(kind: str, mask: int) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        row = rows[-1]
        used = 2 * (len(row[f"{kind}_indices_low"]) % 4)
        high = row[f"{kind}_indices_high"]
        row[f"{kind}_indices_high"] = high[:-1] + bytes([high[-1] | mask & (0xFF << used) & 0xFF])

    return change
