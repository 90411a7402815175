"""Lengths that do not fit each other: ROW-1 to ROW-4, NUC-1 and IDX-3."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from logitpack_conformance.faults import PER_TOKEN
from logitpack_conformance.model import Container
from logitpack_conformance.rows import Row, unpacked
from logitpack_conformance.stored import Form

from .bases import edited, sound
from .draft import ARROW, Draft, faulty

JSON = (Container.JSON,)
WIDE = {"findings": ("COL-5",), "features": ("wide_integers",), "containers": ARROW}
"""Of a file that has a wider type than the canonical one."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _tokens()
    yield from _per_token()
    yield from _nucleus()
    yield from _tail()
    yield from _counts()
    yield from _high()


def _tokens() -> Iterator[Draft]:
    """ROW-1."""
    twin = sound("row/tokens/sound", "Rows of one token and more, the least that a row can have.", sizes=(1, 3))
    yield twin
    why = "A row of no tokens has no S: readers that divide by num_tokens fail or make one up."
    yield faulty(twin, "row/tokens/zero", why, "ROW-1/zero")
    why = "A negative num_tokens, taken as unsigned, asks for four thousand million tokens."
    yield faulty(twin, "row/tokens/negative", why, "ROW-1/negative")
    why = "The first row claims no tokens while its lists hold some; the rows after it are sound."
    yield edited(twin, "row/tokens/zero-first", why, "ROW-1/zero-first", lambda rows: rows[0].update(num_tokens=0))
    why = "Num_tokens of 2^31 in stored JSON, where no type keeps it from being written."
    yield faulty(twin, "row/tokens/beyond-int32-json", why, "ROW-1/beyond-int32", only=JSON)
    wide = sound(
        "row/tokens/wide",
        "The number of tokens in an int64, as Spark writes it.",
        form=Form(types={"num_tokens": pa.int64()}),
        **WIDE,
    )
    yield wide
    why = "Num_tokens of 2^31 in an int64; cut to 32 bits it turns negative, and 2^32 + n would turn into n."
    yield faulty(wide, "row/tokens/beyond-int32", why, "ROW-1/beyond-int32")

    def wrapped(rows: list[Row]) -> None:
        rows[-1]["num_tokens"] += 2**32

    why = "Num_tokens is 2^32 more than the lists hold: a reader that cuts to 32 bits sees nothing wrong."
    yield edited(wide, "row/tokens/wraps-at-32-bits", why, "ROW-1/wraps-at-32-bits", wrapped)


def _per_token() -> Iterator[Draft]:
    """ROW-2."""
    whys = {
        "top_counts": "the counts",
        "top_min": "the lower ends of the nucleus ranges",
        "top_max": "the upper ends of the nucleus ranges",
        "sampled_min": "the lower ends of the tail ranges",
        "sampled_max": "the upper ends of the tail ranges",
        "logsumexp": "the logsumexps",
    }
    twin = sound("row/per-token/sound", "Six lists with one element for each token of their row.")
    yield twin
    for column in PER_TOKEN:
        name = column.replace("_", "-")
        why = f"One of {whys[column]} is missing at the end of a row: a token is left without."
        yield faulty(twin, f"row/per-token/{name}-short", why, f"ROW-2/{name}-short")
        why = f"There is one too many of {whys[column]}; a reader that ignores it may have paired the rest wrongly."
        yield faulty(twin, f"row/per-token/{name}-long", why, f"ROW-2/{name}-long")

    def shifted(rows: list[Row]) -> None:
        first, *rest = rows
        first["top_min"].append(rest[0]["top_min"].pop(0))

    several = sound("row/per-token/two-rows", "Two rows whose per-token lists end where the row ends.", sizes=(2, 3))
    yield several
    why = (
        "An element has moved from one row's list to the row before: the column as a whole is as long as it should be."
    )
    yield edited(several, "row/per-token/moved-between-rows", why, "ROW-2/moved-between-rows", shifted)
    why = "The logsumexps of a row are an empty list, while the rows around it have theirs."
    yield edited(
        several, "row/per-token/empty-logsumexp", why, "ROW-2/empty", lambda rows: rows[0].update(logsumexp=[])
    )


def _nucleus() -> Iterator[Draft]:
    """ROW-3."""
    twin = sound("row/nucleus/sound", "As many nucleus indices and codes as the counts add up to.")
    yield twin
    for part, word in (("indices-low", "index"), ("logits-quantized", "code")):
        why = f"The last nucleus {word} of a row is missing."
        yield faulty(twin, f"row/nucleus/{part}-short", why, f"ROW-3/top-{part}-short")
        why = f"There is a nucleus {word} more than the counts add up to."
        yield faulty(twin, f"row/nucleus/{part}-long", why, f"ROW-3/top-{part}-long")
    why = "A count says one entry more than its token has: every later token would begin one entry late."
    yield faulty(twin, "row/nucleus/count-above", why, "ROW-3/count-off-by-one")

    def fewer(rows: list[Row]) -> None:
        counts = rows[-1]["top_counts"]
        counts[counts.index(max(counts))] -= 1

    why = "A count says one entry less than its token has: every later token would begin one entry early."
    yield edited(twin, "row/nucleus/count-below", why, "ROW-3/count-below", fewer)

    def moved(rows: list[Row]) -> None:
        rows[0]["top_indices_low"].append(rows[1]["top_indices_low"].pop(0))

    several = sound("row/nucleus/two-rows", "Two rows, each with its own nucleus lists.", sizes=(2, 2))
    yield several
    why = "A nucleus index has moved to the row before: only the sum over both rows is right."
    yield edited(several, "row/nucleus/moved-between-rows", why, "ROW-3/moved-between-rows", moved)


def _tail() -> Iterator[Draft]:
    """ROW-4."""
    twin = sound("row/tail/sound", "Tail lists of n times S entries.", sizes=(1, 3), stride=3)
    yield twin
    for part, word in (("indices-low", "index"), ("logits-quantized", "code")):
        why = f"The last tail {word} of a row is missing, so that the two lists differ."
        yield faulty(twin, f"row/tail/{part}-short", why, f"ROW-4/sampled-{part}-short")
        why = f"There is a tail {word} too many, so that the two lists differ."
        yield faulty(twin, f"row/tail/{part}-long", why, f"ROW-4/sampled-{part}-long")
    why = "The tail is empty in a row: S is 0, and importance weights are undefined."
    yield faulty(twin, "row/tail/empty", why, "ROW-4/no-tail")
    flags = ("STRIDE_REMAINDER",)
    why = "The tail of three tokens has eight entries: a reader that divides and drops the remainder takes S for 2."
    yield faulty(twin, "row/tail/remainder", why, "ROW-4/remainder", flags=flags)

    def one_more(rows: list[Row]) -> None:
        row = rows[-1]
        row["sampled_indices_low"].append(unpacked(row, "sampled")[0] % 65536)
        row["sampled_logits_quantized"].append(0)
        row["sampled_indices_high"] += bytes(
            -(-len(row["sampled_indices_low"]) // 4) - len(row["sampled_indices_high"])
        )

    why = "The tail of three tokens has ten entries, all lists in step: the tenth belongs to no token."
    yield edited(twin, "row/tail/surplus", why, "ROW-4/surplus", one_more, flags=flags)

    def fewer_than_tokens(rows: list[Row]) -> None:
        row = rows[-1]
        row["sampled_indices_low"], row["sampled_indices_high"] = row["sampled_indices_low"][:1], b"\0"
        row["sampled_logits_quantized"] = [0]

    why = "A row of three tokens has one tail entry: whole-number division gives S = 0."
    yield edited(twin, "row/tail/fewer-than-tokens", why, "ROW-4/fewer-than-tokens", fewer_than_tokens)


def _counts() -> Iterator[Draft]:
    """NUC-1."""
    twin = sound("nuc/size/sound", "Counts of at least one.", sizes=(2, 2))
    yield twin
    why = "A token without a nucleus: a distribution always has a largest entry."
    yield faulty(twin, "nuc/size/zero", why, "NUC-1/count-of-zero")
    why = "All counts of a row are 0, as where the column was never filled."
    yield edited(twin, "nuc/size/all-zero", why, "NUC-1/all-zero", _all_zero)
    why = "A count of 256 in stored JSON: what is cut to uint8 is 0."
    yield faulty(twin, "nuc/size/beyond-uint8-json", why, "NUC-1/count-of-256", only=JSON)
    form = Form(types={"top_counts": pa.list_(pa.int32())})
    wide = sound("nuc/size/wide", "Counts in an int32, as Spark and Java write them.", sizes=(2, 2), form=form, **WIDE)
    yield wide
    why = "A count of 256 in an int32: what is cut to uint8 is 0."
    yield faulty(wide, "nuc/size/beyond-uint8", why, "NUC-1/count-of-256")
    why = "A negative count, and one larger by as much, so that the counts still add up to the entries."
    yield edited(wide, "nuc/size/negative", why, "NUC-1/negative", _negative)
    why = "A count of 256 more than its token has: cut to uint8, nothing looks wrong."
    yield edited(wide, "nuc/size/wraps-at-8-bits", why, "NUC-1/wraps-at-8-bits", _wrapped, flags=("COUNT_WRAP",))


def _all_zero(rows: list[Row]) -> None:
    rows[0]["top_counts"] = [0] * len(rows[0]["top_counts"])


def _negative(rows: list[Row]) -> None:
    first, second, *rest = rows[-1]["top_counts"]
    rows[-1]["top_counts"] = [first + second + 1, -1, *rest]


def _wrapped(rows: list[Row]) -> None:
    rows[-1]["top_counts"][0] += 256


def _high() -> Iterator[Draft]:
    """IDX-3."""
    counts = {"zero": ((3, 1),), "one": ((3, 2),), "two": ((1, 5),), "three": ((4, 3),)}
    flags = ("HIGH_LENGTH",)
    for over, shape in counts.items():
        at = f"idx/high-length/{over}-over"
        why = f"Nucleus entries {over} more than a multiple of four, with exactly the bytes that their high parts take."
        twin = sound(f"{at}/exact", why, counts=shape, stride=3)
        yield twin
        why = (
            "The high parts of the nucleus are a byte short: a reader that takes what is missing for zero cuts indices."
        )
        yield faulty(twin, f"{at}/top-short", why, "IDX-3/top-indices-high-short", flags=flags)
        why = "The high parts of the nucleus have a byte too many: another packing than this one."
        yield edited(twin, f"{at}/top-long", why, "IDX-3/top-long", _appended("top", b"\0"), flags=flags)
    twin = sound("idx/high-length/tail/exact", "High parts of the tail of exactly the length of its entries.", stride=3)
    yield twin
    at = "idx/high-length/tail"
    why = "The high parts of the tail are a byte short."
    yield faulty(twin, f"{at}/short", why, "IDX-3/sampled-indices-high-short", flags=flags)
    why = "The high parts of the tail have a byte too many."
    yield edited(twin, f"{at}/long", why, "IDX-3/sampled-long", _appended("sampled", b"\0"), flags=flags)
    why = "The high parts of the tail are empty, as where a writer left them out for a small vocabulary."
    yield edited(
        twin, f"{at}/empty", why, "IDX-3/empty", lambda rows: rows[-1].update(sampled_indices_high=b""), flags=flags
    )
    why = "A byte for each entry instead of two bits."
    yield edited(twin, f"{at}/byte-per-entry", why, "IDX-3/byte-per-entry", _unpacked_bytes, flags=flags)
    low = sound(
        "idx/high-length/low/exact",
        "Indices below 65,536 only: their high parts are zero, and still there.",
        vocab=60_000,
    )
    yield low
    at = "idx/high-length/low"
    why = "The high parts of the nucleus are empty, although every index would be right without them."
    yield edited(
        low, f"{at}/empty", why, "IDX-3/empty-top", lambda rows: rows[-1].update(top_indices_high=b""), flags=flags
    )
    why = "Four bytes too many, all zero: as where high parts are padded to a word."
    yield edited(low, f"{at}/four-more", why, "IDX-3/four-more", _appended("top", bytes(4)), flags=flags)


def _appended(kind: str, more: bytes) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        rows[-1][f"{kind}_indices_high"] += more

    return change


def _unpacked_bytes(rows: list[Row]) -> None:
    rows[-1]["sampled_indices_high"] = bytes(index >> 16 for index in unpacked(rows[-1], "sampled"))
