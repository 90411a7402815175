"""Rows of a believable dataset, and what known mistakes of extractors make of them.

Strategy: logits are drawn and selected from as an extractor does; a mistake changes the stored columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import logitpack
from support import write_parquet

VOCAB, ROWS, TOKENS, NUM_SAMPLED = 80_000, 4, 60, 8
TOP_P, MAX_ENTRIES = 0.9, 20

METADATA: dict[str, Any] = {
    "spec_version": "1.0",
    "model": {"id": "teacher"},
    "tokenizer": {"id": "teacher"},
    "vocab_size": VOCAB,
    "nucleus": {"top_p": TOP_P, "max_entries": MAX_ENTRIES, "rule": "covering"},
    "tail": {"num_sampled": NUM_SAMPLED, "method": "uniform"},
    "alignment": "predicts",
}


@cache
def logits() -> np.ndarray:
    """Return raw logits, float32 [tokens, VOCAB]: a low body, and a few entries far above it, more or less steep."""
    rng = np.random.default_rng(11)
    drawn = rng.standard_normal((ROWS * TOKENS, VOCAB), np.float32)
    for token, row in enumerate(drawn):
        heights = 16 - np.arange(60) * rng.uniform(0.05, 2) + rng.normal(0, 0.1, 60)
        row[rng.choice(VOCAB, 60, replace=False)] = heights
        row[token] += 1
    return drawn


def selected(**options: Any) -> logitpack.Batch:
    """Return rows selected from the logits as `METADATA` declares, but for the options."""
    rng = np.random.default_rng(12)
    wanted = {"top_p": TOP_P, "max_entries": MAX_ENTRIES, "num_sampled": NUM_SAMPLED} | options
    batch = logitpack.select(logits(), rng=rng, **wanted)
    likely = batch.top_indices[batch.top_offsets[:-1]]
    return replace(batch, num_tokens=np.full(ROWS, TOKENS), token_ids=likely.astype(np.int32))


def stored(batch: logitpack.Batch, change: Callable[[dict[str, Any]], object] | None = None) -> pa.Table:
    """Encode rows, and let `change` spoil the stored values of each, a dict of numpy arrays, numbers and bytes."""
    table = pa.Table.from_batches([logitpack.encode(batch)])
    rows = table.to_pylist()
    for row in rows:
        row.update({name: np.array(value) for name, value in row.items() if isinstance(value, list)})
        if change is not None:
            change(row)
        row.update({name: value.tolist() for name, value in row.items() if isinstance(value, np.ndarray)})
    return pa.Table.from_pylist(rows, table.schema)


def checked(path: Path, table: pa.Table, **metadata: Any) -> logitpack.Report:
    """Write rows as a file with `METADATA`, some members of it replaced, and check it."""
    described = logitpack.Metadata.from_dict(METADATA | metadata).to_bytes()
    return logitpack.check(write_parquet(path, table.replace_schema_metadata({b"logitpack": described})))
