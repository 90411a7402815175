"""Valid stored rows, and files of stored rows as they are, broken ones too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import logitpack

Row = dict[str, Any]
VOCAB = 70_000
NUM_SAMPLED = 5


def described(**members: Any) -> dict[str, Any]:
    """Metadata of the valid rows, with some members replaced; None takes a member away."""
    metadata: dict[str, Any] = {
        "spec_version": "1.0",
        "model": {"id": "example/teacher"},
        "tokenizer": {"id": "example/teacher"},
        "vocab_size": VOCAB,
        "nucleus": {"top_p": 0.9, "max_entries": 100, "rule": "covering", "order": "descending"},
        "tail": {"num_sampled": NUM_SAMPLED, "method": "uniform", "seed": 7},
        "temperature": 1.0,
        "alignment": "predicts",
    }
    metadata.update(members)
    return {name: value for name, value in metadata.items() if value is not None}


def dense_logits(tokens: int, rng: np.random.Generator, vocab: int = VOCAB) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits [tokens, vocab] with a head of a few likely entries, as language models have them."""
    logits = rng.normal(-4, 1.5, (tokens, vocab)).astype(np.float32)
    for row in logits:
        row[rng.choice(vocab, 30, replace=False)] += rng.exponential(6, 30) + 8
    return logits


def valid_rows(sizes: Sequence[int] = (4, 1, 7), seed: int = 1, **selection: Any) -> list[Row]:
    """Stored rows of `sizes` tokens each, as Python values, valid under `described()`."""
    rng = np.random.default_rng(seed)
    choice = {"top_p": 0.9, "num_sampled": NUM_SAMPLED, "rng": rng, **selection}
    batches = [logitpack.select(dense_logits(size, rng), **choice) for size in sizes]
    return [row for batch in batches for row in logitpack.encode(batch).to_pylist()]


def with_token_ids(rows: list[Row]) -> list[Row]:
    """Add the most likely entry of each token as its id."""
    for row in rows:
        starts = np.cumsum([0, *row["top_counts"][:-1]])
        indices = unpacked(row, "top")
        row["token_ids"] = [indices[start] for start in starts]
    return rows


def unpacked(row: Row, kind: str) -> list[int]:
    """Give the vocabulary indices of a stored row."""
    low, high = row[f"{kind}_indices_low"], row[f"{kind}_indices_high"]
    return [part | (high[j // 4] >> 2 * (j % 4) & 3) << 16 for j, part in enumerate(low)]


def set_index(row: Row, kind: str, entry: int, index: int) -> None:
    """Put a vocabulary index at a flat entry of a stored row."""
    row[f"{kind}_indices_low"][entry] = index & 0xFFFF
    high = bytearray(row[f"{kind}_indices_high"])
    shift = 2 * (entry % 4)
    high[entry // 4] = high[entry // 4] & ~(3 << shift) | (index >> 16) << shift
    row[f"{kind}_indices_high"] = bytes(high)


def table(rows: Sequence[Row], *, wide: bool = False, metadata: Mapping[str, Any] | bytes | None = None) -> pa.Table:
    """Make an Arrow table of stored rows, without judging them. `wide` takes int64 and float64 throughout."""
    names = list(rows[0]) if rows else logitpack.canonical_schema().names
    canonical = logitpack.canonical_schema(token_ids=True)
    fields = []
    for name in names:
        kind = canonical.field(name).type if name in canonical.names else None
        if kind is not None and wide:
            kind = widened(kind)
        values = [row[name] for row in rows]
        fields.append((name, pa.array(values, kind) if kind is not None else pa.array(values)))
    raw = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    result = pa.table(dict(fields))
    return result if metadata is None else result.replace_schema_metadata({b"logitpack": raw})


def widened(kind: pa.DataType) -> pa.DataType:
    """Give the widest accepted type in place of a canonical one."""
    if pa.types.is_list(kind):
        return pa.large_list(widened(kind.value_type))
    if pa.types.is_binary(kind):
        return pa.large_binary()
    return pa.int64() if pa.types.is_integer(kind) else pa.float64()


def write_parquet(path: Path, content: pa.Table, **settings: Any) -> Path:
    """Write a table as it is, with page checksums."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, path, **{"write_page_checksum": True, **settings})
    return path
