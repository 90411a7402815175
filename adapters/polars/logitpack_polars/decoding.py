"""From stored rows to tokens (SPEC.md, sections 7 and 8).

Strategy: indices are put together as lists, a list a row; then the entries of all rows stand below each other, are
numbered by the token that they belong to, and become lists again, a list a token.
"""

import polars as pl

from logitpack_polars.columns import KINDS, LARGEST_ID, PER_TOKEN, TOKENS

# The four high parts of each byte, least significant first (IDX-2).
LANES = pl.select(byte=pl.int_range(256, dtype=pl.UInt32)).select(
    lanes=pl.concat_list(pl.col("byte") // 4**lane % 4 for lane in range(4)).list.to_array(4)
)["lanes"]


def decode(rows: pl.LazyFrame, vocab_size: int | None = None) -> pl.LazyFrame:
    """Decode rows without structural faults: those that `load` returns, or for which `structure.faults` finds none.

    Returns a row for each token, in stored order, with the columns of `TOKENS`. Logits are evaluated in binary64 and
    rounded once (QNT-2), logsumexps are those stored (RD-4), both in nats. There is a token_id where the rows have
    token_ids; it is null in rows that break ALN-4, with a `vocab_size` in mind where one is declared.
    """
    n = pl.col("num_tokens").cast(pl.Int64)
    rows = rows.with_row_index("row").with_columns(
        token=pl.int_ranges(0, n, dtype=pl.UInt32),
        stride=pl.col("sampled_indices_low").list.len() // n,
        top_indices=_indices("top"),
        sampled_indices=_indices("sampled"),
    )
    ids = [] if "token_ids" not in rows.collect_schema() else [_token_ids(n, vocab_size).alias("token_id")]
    per_token = rows.select("row", "token", "stride", *PER_TOKEN, *ids)
    tokens = per_token.explode("token", *PER_TOKEN, *(["token_id"] if ids else [])).with_row_index("key")
    nucleus = _entries(rows, tokens, "top", pl.col("top_counts"))
    tail = _entries(rows, tokens, "sampled", pl.col("stride"))
    decoded = pl.concat([tokens, nucleus, tail], how="horizontal")
    decoded = decoded.with_columns(interpolate(kind, pl.col(f"{kind}_codes")).alias(f"{kind}_logits") for kind in KINDS)
    return decoded.select(pl.col(name).cast(dtype) for name, dtype in TOKENS.items() if name != "token_id" or ids)


def interpolate(kind: str, codes: pl.Expr) -> pl.Expr:
    """Give min + codes * (max - min) / 65535 in binary64: in a form that gives min and max themselves at the ends."""
    least, most = (pl.col(f"{kind}_{end}").cast(pl.Float64) for end in ("min", "max"))
    part = codes.cast(pl.List(pl.Float64)) / 65535
    return part * most + (1 - part) * least


def _indices(kind: str) -> pl.Expr:
    low = pl.col(f"{kind}_indices_low").cast(pl.List(pl.UInt32))
    packed = pl.col(f"{kind}_indices_high").cast(pl.List(pl.UInt8))
    high = packed.list.eval(pl.lit(LANES).gather(pl.element()).explode()).list.head(low.list.len())
    return low + high * 65536


def _token_ids(n: pl.Expr, vocab_size: int | None) -> pl.Expr:
    ids = pl.col("token_ids")
    largest = LARGEST_ID if vocab_size is None else min(LARGEST_ID, vocab_size - 1)
    holds = (ids.list.len() == n) & ids.list.eval(pl.element().is_between(0, largest)).list.all()
    absent = pl.lit(None, dtype=pl.Int32).repeat_by(n)
    return pl.when(holds).then(ids.cast(pl.List(pl.Int32), strict=False)).otherwise(absent)


def _entries(rows: pl.LazyFrame, tokens: pl.LazyFrame, kind: str, counts: pl.Expr) -> pl.LazyFrame:
    names = {f"{kind}_indices": f"{kind}_indices", f"{kind}_codes": f"{kind}_logits_quantized"}
    entries = rows.select(**names).explode(*names)
    keys = tokens.select(of=pl.col("key").repeat_by(counts).explode().set_sorted())
    return pl.concat([keys, entries], how="horizontal").group_by("of", maintain_order=True).agg(pl.all()).drop("of")
