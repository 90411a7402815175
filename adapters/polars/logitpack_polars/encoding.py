"""From tokens to stored rows (SPEC.md, sections 7 and 8), or to the first reason why they cannot be stored."""

from collections.abc import Iterator
from typing import Any

import polars as pl
from polars import selectors

from logitpack_polars import meaning
from logitpack_polars.columns import CANONICAL, KINDS, LARGEST_ID, TOKENS, accepted
from logitpack_polars.faults import BreachError, elements, fault, first, reject

LARGEST_INDEX = 262_143
LARGEST_BINARY32 = 3.4028234663852886e38
LISTS = [f"{kind}_{part}" for kind in KINDS for part in ("indices", "logits")]
CONTENT = ["logsumexp", *LISTS]


def encode(tokens: pl.DataFrame, metadata: dict[str, Any] | None = None) -> pl.DataFrame:
    """Encode tokens as rows of canonical types.

    `tokens` have the columns of `TOKENS`, in any integer or float types; the number of the token is not needed, and
    token_id may be absent or null throughout. Tokens with the same `row` become one row, in their order. `metadata` are
    valid ones, which the tokens are held against. Raises BreachError for what no valid file can hold: IDX-6, QNT-6, and
    every requirement at level MUST that the file would break.
    """
    tokens = tokens.with_columns(selectors.array().arr.to_list())
    identified = "token_id" in tokens.columns and tokens["token_id"].is_not_null().any()
    for name in (*CONTENT, *(["token_id"] if identified else [])):
        if name not in tokens.columns:
            raise BreachError("COL-1", f"there is no column {name}")
        if not accepted(tokens.schema[name], TOKENS[name]):
            raise BreachError("COL-2", f"{name} is {tokens.schema[name]}, which cannot stand for {TOKENS[name]}")
    vocab_size = None if metadata is None else int(metadata["vocab_size"])
    place = tokens.lazy().with_columns(token=pl.int_range(pl.len(), dtype=pl.UInt32).over("row"))
    reject(first(place, ["row", "token"], _refusals(vocab_size, identified=identified)))
    encoded = place.with_columns(*(_end(kind, end).alias(f"{kind}_{end}") for kind in KINDS for end in ("min", "max")))
    reject(first(encoded, ["row", "token"], map(_overflow, KINDS)))
    encoded = encoded.with_columns(_codes(kind).alias(f"{kind}_codes") for kind in KINDS).collect().lazy()
    reject(first(meaning.bounds(encoded), ["row", "token"], meaning.checks(metadata)))
    return _rows(encoded, identified=identified).collect()


def _refusals(vocab_size: int | None, *, identified: bool) -> Iterator[pl.Expr]:
    yield fault("ROW-1", pl.all_horizontal(pl.col(CONTENT).is_null()), "the row has no tokens")
    for name in (*CONTENT, *(["token_id"] if identified else [])):
        yield fault("COL-3", pl.col(name).is_null(), f"there is no {name}")
    for name in LISTS:
        yield elements("COL-3", name, pl.element().is_null(), "a null")
    count, stride = pl.col("top_indices").list.len(), pl.col("sampled_indices").list.len()
    yield fault("NUC-1", ~count.is_between(1, 255), pl.format("{} entries in the nucleus", count))
    yield fault("ROW-4", stride == 0, "there is no tail")
    yield fault("ROW-5", stride != stride.first(), "the tail has another length than that of the first token")
    for kind in KINDS:
        length = pl.col(f"{kind}_indices").list.len()
        other = pl.col(f"{kind}_logits").list.len() != length
        yield fault("ROW-3" if kind == "top" else "ROW-4", other, f"{kind}_logits is not as long as {kind}_indices")
        largest = LARGEST_INDEX if vocab_size is None else min(LARGEST_INDEX, vocab_size - 1)
        outside = ~pl.element().is_between(0, largest)
        yield elements("IDX-6", f"{kind}_indices", outside, f"an index outside 0 to {largest}")
        yield elements("QNT-6", f"{kind}_logits", ~pl.element().is_finite(), "a logit that is not finite")
        wide = pl.element().abs() > LARGEST_BINARY32
        yield elements("QNT-1", f"{kind}_logits", wide, "a logit beyond the range of binary32")
    yield fault("LSE-1", ~pl.col("logsumexp").is_finite(), "logsumexp is not finite")
    if identified:
        largest = LARGEST_ID if vocab_size is None else min(LARGEST_ID, vocab_size - 1)
        yield fault("ALN-4", ~pl.col("token_id").is_between(0, largest), f"token_id is outside 0 to {largest}")


def _end(kind: str, end: str) -> pl.Expr:
    """Give the end of a range: the binary32 number next to the outermost logit, on its outer side (QNT-5, QNT-11)."""
    logits = pl.col(f"{kind}_logits").cast(pl.List(pl.Float64))
    # What is done for max serves for min, with the signs turned.
    outermost = logits.list.max() if end == "max" else -logits.list.min()
    near = outermost.cast(pl.Float32)
    bits = near.reinterpret(dtype=pl.Int32) + pl.when(near > 0).then(1).otherwise(-1)
    above = pl.when(near == 0).then(2.0**-149).otherwise(bits.reinterpret(dtype=pl.Float32)).cast(pl.Float32)
    found = pl.when(near.cast(pl.Float64) < outermost).then(above).otherwise(near)
    return found if end == "max" else -found


def _overflow(kind: str) -> pl.Expr:
    span = pl.col(f"{kind}_max") - pl.col(f"{kind}_min")
    return fault("QNT-1", ~span.is_finite(), f"{kind}_max - {kind}_min overflows binary32")


def _codes(kind: str) -> pl.Expr:
    """Give the nearest codes (QNT-3), evaluated in binary64; 0 where the range is empty (QNT-4)."""
    least, most = (pl.col(f"{kind}_{end}").cast(pl.Float64) for end in ("min", "max"))
    steps = (pl.col(f"{kind}_logits").cast(pl.List(pl.Float64)) - least) / (most - least) * 65535
    return steps.list.eval(pl.element().round().fill_nan(0)).cast(pl.List(pl.UInt16))


def _rows(tokens: pl.LazyFrame, *, identified: bool) -> pl.LazyFrame:
    per_token = {"top_counts": pl.col("top_indices").list.len(), "logsumexp": pl.col("logsumexp")}
    per_token |= {f"{kind}_{end}": pl.col(f"{kind}_{end}") for kind in KINDS for end in ("min", "max")}
    if identified:
        per_token["token_ids"] = pl.col("token_id")
    entries = {f"{kind}_indices": pl.col(f"{kind}_indices").explode() for kind in KINDS}
    entries |= {f"{kind}_logits_quantized": pl.col(f"{kind}_codes").explode() for kind in KINDS}
    rows = tokens.group_by("row", maintain_order=True).agg(num_tokens=pl.len(), **per_token, **entries)
    for kind in KINDS:
        indices = pl.col(f"{kind}_indices")
        low, high = indices.list.eval(pl.element() % 65536), indices.list.eval(pl.element() // 65536)
        rows = rows.with_columns(low.alias(f"{kind}_indices_low"), _packed(high).alias(f"{kind}_indices_high"))
    columns = {name: dtype for name, dtype in CANONICAL.items() if name != "token_ids" or identified}
    return rows.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def _packed(high: pl.Expr) -> pl.Expr:
    """Pack high parts four to a byte, least significant first (IDX-2), padded with zeros (IDX-4)."""
    size = high.list.len().cast(pl.Int64)
    padded = pl.concat_list(high.cast(pl.List(pl.UInt8)), pl.lit(0, dtype=pl.UInt8).repeat_by(-size % 4))
    lanes = [padded.list.gather_every(4, lane) * 4**lane for lane in range(4)]
    packed: pl.Expr = lanes[0] + lanes[1] + lanes[2] + lanes[3]
    return packed.cast(pl.List(pl.UInt8)).cast(pl.Binary)
