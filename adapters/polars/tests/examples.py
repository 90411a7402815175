"""Rows and tokens that the tests share. ROW is that of appendix A of SPEC.md."""

from typing import Any

import polars as pl

from logitpack_polars.columns import CANONICAL

ROW: dict[str, Any] = {
    "num_tokens": 2,
    "top_counts": [3, 2],
    "top_indices_low": [5, 5, 5, 65535, 7],
    "top_indices_high": b"\xe4\x00",
    "top_logits_quantized": [65535, 27306, 0, 65535, 0],
    "top_min": [7.0, 3.0],
    "top_max": [10.0, 4.0],
    "sampled_indices_low": [12, 65534, 65535, 0],
    "sampled_indices_high": b"\x4c",
    "sampled_logits_quantized": [0, 65535, 0, 0],
    "sampled_min": [-1.25, -2.0],
    "sampled_max": [2.0, -2.0],
    "logsumexp": [10.25, 4.5],
    "token_ids": [5, 7],
}
WIDE = {
    name: pl.List(pl.Int64) for name, dtype in CANONICAL.items() if dtype in {pl.List(pl.UInt8), pl.List(pl.UInt16)}
}
SCHEMA = CANONICAL | WIDE | {"num_tokens": pl.Int64}
FLOAT_MAX = 3.4028234663852886e38


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


METADATA: dict[str, Any] = {
    "spec_version": "1.0",
    "model": {"id": "m"},
    "tokenizer": {"id": "m"},
    "vocab_size": 1000,
    "nucleus": {"rule": "unspecified"},
    "tail": {"num_sampled": 2, "method": "uniform"},
    "alignment": "predicts",
}
TOKEN: dict[str, Any] = {
    "row": 0,
    "logsumexp": 10.6,
    "top_indices": [1, 2],
    "top_logits": [10.0, 9.5],
    "sampled_indices": [3, 4],
    "sampled_logits": [-1.0, 2.0],
}


def tokens(*changes: dict[str, Any]) -> pl.DataFrame:
    floats, integers = pl.List(pl.Float64), pl.List(pl.Int64)
    schema: dict[str, Any] = {"row": pl.Int64, "logsumexp": pl.Float64, "top_indices": integers, "top_logits": floats}
    schema |= {"sampled_indices": integers, "sampled_logits": floats, "token_id": pl.Int64}
    return pl.DataFrame([TOKEN | {"token_id": None} | change for change in changes], schema=schema)
