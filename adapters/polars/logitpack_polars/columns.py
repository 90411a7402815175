"""The columns of SPEC.md, section 5: of rows as they are stored, and of tokens as they are decoded."""

from typing import Any

import polars as pl

INTEGERS = frozenset({pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64})
FLOATS = frozenset({pl.Float16, pl.Float32, pl.Float64})
KINDS = ("top", "sampled")
RANGES = ("top_min", "top_max", "sampled_min", "sampled_max")
PER_TOKEN = ("top_counts", *RANGES, "logsumexp")
LARGEST_ID = 2**31 - 1

# What a writer writes, in the canonical order.
CANONICAL: dict[str, Any] = {
    "num_tokens": pl.Int32,
    "top_counts": pl.List(pl.UInt8),
    "top_indices_low": pl.List(pl.UInt16),
    "top_indices_high": pl.Binary,
    "top_logits_quantized": pl.List(pl.UInt16),
    "top_min": pl.List(pl.Float32),
    "top_max": pl.List(pl.Float32),
    "sampled_indices_low": pl.List(pl.UInt16),
    "sampled_indices_high": pl.Binary,
    "sampled_logits_quantized": pl.List(pl.UInt16),
    "sampled_min": pl.List(pl.Float32),
    "sampled_max": pl.List(pl.Float32),
    "logsumexp": pl.List(pl.Float64),
    "token_ids": pl.List(pl.Int32),
}
# What `decode` returns, and `encode` takes.
TOKENS: dict[str, Any] = {
    "row": pl.UInt32,
    "token": pl.UInt32,  # within its row
    "logsumexp": pl.Float64,
    "top_indices": pl.List(pl.UInt32),
    "top_logits": pl.List(pl.Float32),
    "sampled_indices": pl.List(pl.UInt32),
    "sampled_logits": pl.List(pl.Float32),
    "token_id": pl.Int32,
}
REQUIRED = tuple(name for name in CANONICAL if name != "token_ids")


def accepted(dtype: Any, canonical: Any) -> bool:
    """Say whether the Polars type `dtype` may stand in place of `canonical` (COL-2)."""
    if isinstance(canonical, pl.List):
        return isinstance(dtype, pl.List | pl.Array) and accepted(dtype.inner, canonical.inner)
    family = next((family for family in (INTEGERS, FLOATS) if canonical in family), {canonical})
    return dtype in family
