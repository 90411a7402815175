"""The real dataset: what it says of itself."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

import logitpack

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "fixtures" / "real"
DATASET = REAL / "smollm2-135m-instruct"


def test_metadata_describe_the_tokenizer_beside_it() -> None:
    """The digests in the metadata are those of the tokenizer and the chat template that are shipped."""
    metadata = logitpack.read(DATASET).metadata
    assert metadata is not None
    tokenizer = (REAL / "tokenizer" / "tokenizer.json").read_bytes()
    assert metadata.raw["tokenizer"]["sha256"] == hashlib.sha256(tokenizer).hexdigest()
    config = json.loads((REAL / "tokenizer" / "tokenizer_config.json").read_text("utf-8"))
    assert metadata.raw["chat_template_sha256"] == hashlib.sha256(config["chat_template"].encode()).hexdigest()


def test_alignment_is_what_the_example_prints() -> None:
    """alignment.json is the output of examples/align_tokens.py on row 0."""
    command = [sys.executable, str(ROOT / "examples" / "align_tokens.py"), "--row", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (REAL / "alignment.json").read_text("utf-8")


def test_right_and_shifted_alignment_differ_clearly() -> None:
    """Tokens are found in their own entry's nucleus (ALN-5), seldom in that of a neighbour."""
    hits: dict[int, list[bool]] = {0: [], -1: [], 1: []}
    for batch in logitpack.read(DATASET):
        assert batch.token_ids is not None
        nuclei = np.split(batch.top_indices, batch.top_offsets[1:-1])
        for start, stop in pairwise(batch.row_offsets.tolist()):
            for shift, found in hits.items():
                for token in range(max(start, start - shift), min(stop, stop - shift)):
                    found.append(bool(batch.token_ids[token] in nuclei[token + shift]))
    own, before, after = (np.mean(found) for found in hits.values())
    assert own > 0.9
    assert max(before, after) < 0.3


def test_shifted_entries_are_found(tmp_path: Path) -> None:
    """Entries filled from the assistant positions themselves, as by a writer that forgets the shift, are a warning."""
    reader = logitpack.read(DATASET)
    rows = [row for batch in reader.record_batches() for row in batch.to_pylist()]
    for row in rows:
        # Entry i then stands where token i + 1 predicts: the ids move by one against the entries.
        row["token_ids"] = [row["token_ids"][-1], *row["token_ids"][:-1]]
    table = pa.Table.from_pylist(rows, schema=pa.Table.from_batches(reader.record_batches()).schema)
    logitpack.write(tmp_path / "shifted.parquet", table, reader.metadata)
    report = logitpack.check(tmp_path / "shifted.parquet")
    assert [(f.requirement, f.severity) for f in report.files[0].findings] == [("ALN-5", "warning")]


def test_proportional_tail_declared_uniform_is_found(tmp_path: Path) -> None:
    """A tail drawn in proportion to p fails the test of uniformity (TAIL-3)."""
    reader = logitpack.read(DATASET)
    batch = next(iter(reader))
    rng = np.random.default_rng(3)
    vocab = 49_152
    tokens = len(batch.top_counts)
    # Likely entries have low indices in a vocabulary that was built by merging: squares lean the same way.
    draws = np.argsort(rng.random((tokens, 2000)), axis=1)[:, :24] ** 2 % vocab
    offsets = batch.top_offsets
    for token in range(tokens):
        nucleus = set(batch.top_indices[offsets[token] : offsets[token + 1]].tolist())
        free = [index for index in dict.fromkeys((draws[token] // 3).tolist()) if index not in nucleus]
        spare = (index for index in range(vocab) if index not in nucleus and index not in free)
        draws[token] = [*free, *(next(spare) for _ in range(24 - len(free)))]
    logitpack.write(tmp_path / "x.parquet", replace(batch, sampled_indices=draws.astype(np.int32)), reader.metadata)
    assert [f.requirement for f in logitpack.check(tmp_path / "x.parquet").files[0].findings] == ["TAIL-3"]
