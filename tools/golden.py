"""The golden datasets beside the cases: the worked row of SPEC.md, and rows over a full vocabulary.

Rows are compared, not bytes: those depend on the version of Arrow. The manifest guards the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import logitpack
from logitpack.logical_json import batch_from_logical
from spec import ROOT, examples, read_spec

FIXTURES = ROOT / "fixtures"
VOCAB = 262_144
BOUNDARIES = [0, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_143]
NUCLEI = [[1], [255], [2, 100], [3], [1, 1, 1, 1], [5, 2], [4, 255, 100, 7]]
"""Nucleus sizes of the tokens of each row: 0 to 3 more than a multiple of 4 in all, the least and the greatest."""


def worked() -> tuple[pa.Table, dict[str, Any] | None]:
    """Make the row of SPEC.md's appendix A, a Core file."""
    row = json.loads(examples(read_spec())["row-logical"])
    return pa.Table.from_batches([logitpack.encode(batch_from_logical([row]))]), None


def full_vocabulary() -> tuple[pa.Table, dict[str, Any]]:
    """Make rows over a vocabulary of exactly 2^18 entries, whose nuclei hold its boundary indices."""
    rng = np.random.default_rng(262_144)
    batches = []
    for sizes in NUCLEI:
        logits = rng.normal(-8, 1, (sum(1 for _ in sizes), VOCAB)).astype(np.float32)
        for token, size in enumerate(sizes):
            others = rng.choice(VOCAB, size, replace=False)
            indices = list(dict.fromkeys([*rng.permutation(BOUNDARIES), *others]))[:size]
            logits[token, indices] = rng.normal(20, 0.01, size)
        tokens = [logitpack.select(row[None], top_p=0.9999, max_entries=255, num_sampled=3, rng=rng) for row in logits]
        batches += [logitpack.encode(joined(tokens), logitpack.Metadata.from_dict(METADATA))]
    return pa.Table.from_batches(batches), METADATA


def joined(tokens: list[logitpack.Batch]) -> logitpack.Batch:
    """Make one row of batches of one token each."""
    return logitpack.Batch(
        num_tokens=np.array([len(tokens)]),
        top_counts=np.concatenate([token.top_counts for token in tokens]),
        top_indices=np.concatenate([token.top_indices for token in tokens]),
        top_logits=np.concatenate([token.top_logits for token in tokens]),
        sampled_indices=np.concatenate([token.sampled_indices for token in tokens]),
        sampled_logits=np.concatenate([token.sampled_logits for token in tokens]),
        logsumexp=np.concatenate([token.logsumexp for token in tokens]),
    )


METADATA: dict[str, Any] = {
    "spec_version": "1.0",
    "model": {"id": "example/full-vocabulary"},
    "tokenizer": {"id": "example/full-vocabulary", "size": VOCAB},
    "vocab_size": VOCAB,
    "nucleus": {"top_p": 0.9999, "max_entries": 255, "rule": "covering", "order": "descending"},
    "tail": {"num_sampled": 3, "method": "uniform", "seed": 262_144},
    "temperature": 1.0,
    "alignment": "predicts",
}

BUILT: dict[str, Callable[[], tuple[pa.Table, dict[str, Any] | None]]] = {
    "worked/row.parquet": worked,
    "worked/row.arrow": worked,
    "worked/row.arrows": worked,
    "worked/row.ndjson": worked,
    "synthetic/full-vocabulary.parquet": full_vocabulary,
}


def same(path: Path, table: pa.Table, metadata: dict[str, Any] | None) -> bool:
    """Say whether a fixture has these rows and this metadata."""
    reader = logitpack.read(path)
    held = None if reader.metadata is None else reader.metadata.raw
    return held == metadata and pa.Table.from_batches(reader.record_batches()).equals(table)


def update(*, write: bool) -> list[str]:
    """Write the golden datasets that differ from what is built, or only say which differ."""
    differ = []
    for name, build in BUILT.items():
        path, (table, metadata) = FIXTURES / name, build()
        if path.exists() and same(path, table, metadata):
            continue
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            logitpack.write(path, table, metadata)
        differ.append(f"{name} differs from what is built")
    return differ
