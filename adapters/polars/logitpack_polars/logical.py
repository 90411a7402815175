"""Logical JSON (section 4.4): what a reader hands on, and a writer is given."""

from pathlib import Path

import polars as pl

from logitpack_polars.columns import KINDS

ENTRIES = pl.Struct({"indices": pl.List(pl.Int64), "logits": pl.List(pl.Float64)})
TOKEN = pl.Struct({"logsumexp": pl.Float64, "top": ENTRIES, "sampled": ENTRIES, "token_id": pl.Int64})


def to_json(tokens: pl.DataFrame) -> pl.DataFrame:
    """Return the lines, one a row, of `tokens` as `decode` returns them."""
    members = [pl.col("logsumexp"), _entries("top"), _entries("sampled")]
    token = pl.struct(members).struct.json_encode()
    if "token_id" in tokens.columns:
        identified = pl.struct(*members, "token_id").struct.json_encode()
        token = pl.when(pl.col("token_id").is_null()).then(token).otherwise(identified)
    rows = tokens.lazy().group_by("row", maintain_order=True).agg(line=token.str.join(", "))
    return rows.select(pl.concat_str(pl.lit('{"tokens": ['), "line", pl.lit("]}"))).collect()


def from_json(path: Path) -> pl.DataFrame:
    """Read logical JSON as tokens. Raises an error of Polars where it is none."""
    with path.open("rb") as file:
        rows = pl.read_ndjson(file, schema={"tokens": pl.List(TOKEN)})
    tokens = rows.with_row_index("row").explode("tokens", empty_as_null=True).unnest("tokens")
    return tokens.select(
        "row",
        "logsumexp",
        *(pl.col(kind).struct.field(part).alias(f"{kind}_{part}") for kind in KINDS for part in ("indices", "logits")),
        "token_id",
    )


def _entries(kind: str) -> pl.Expr:
    logits = pl.col(f"{kind}_logits").cast(pl.List(pl.Float64))
    return pl.struct(indices=f"{kind}_indices", logits=logits).alias(kind)
