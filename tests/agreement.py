"""What the reference and the oracle say of the same files, and whether they say the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import logitpack
from logitpack_conformance.oracle import judge_path
from logitpack_conformance.oracle.load import load_dataset
from logitpack_conformance.oracle.logits import decoding_bound
from logitpack_conformance.oracle.tokens import tokens
from logitpack_conformance.rows import Row

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = json.loads((ROOT / "schema" / "requirements.json").read_text("utf-8"))["requirements"]
REFUSED = {entry["id"] for entry in REQUIREMENTS if entry["kind"] == "S"} | {"META-2"}
MAY_BE_REFUSED = {"META-1", "META-7", "ALN-4"}
"""Semantic requirements that the reference's reader insists on."""

Found = dict[str, set[str]]


def by_reference(path: Path, given: dict[str, Any] | None = None) -> Found:
    """Return what the reference finds broken, by file."""
    found: Found = defaultdict(set)
    read = None if given is None else logitpack.Metadata.from_dict(given)
    for file in logitpack.check(path, metadata=read).files:
        name = path.name if path.is_file() else Path(file.path).relative_to(path).as_posix()
        found[name] |= {finding.requirement for finding in file.findings}
    return {name: ids for name, ids in found.items() if ids}


def by_oracle(path: Path, given: dict[str, Any] | None = None) -> Found:
    """Return what the oracle finds broken, by file."""
    found: Found = defaultdict(set)
    for finding in judge_path(path, given):
        found[str(finding.file)].add(finding.requirement)
    return dict(found)


def agreed(path: Path, given: dict[str, Any] | None = None) -> set[str]:
    """Return what both find broken."""
    found = by_reference(path, given)
    assert by_oracle(path, given) == found
    return set().union(*found.values())


def read_as_agreed(path: Path, found: set[str]) -> None:
    """Read a dataset: a structural breach is refused, all else is accepted and means what the oracle says (RD-1)."""
    if found & REFUSED:
        with pytest.raises(logitpack.DataError):
            list(logitpack.read(path))
    elif not found & MAY_BE_REFUSED:
        rows = [row for file in load_dataset(path) for row in file.rows]
        assert sum(len(batch.num_tokens) for batch in logitpack.read(path)) == len(rows)
        for row, got in zip(rows, _decoded(path), strict=True):
            _same(row, got)


def _decoded(path: Path) -> Iterator[tuple[logitpack.Batch, int]]:
    """Yield each row as a batch and where it stands in there."""
    for batch in logitpack.read(path):
        yield from ((batch, row) for row in range(len(batch.num_tokens)))


def _same(row: Row, got: tuple[logitpack.Batch, int]) -> None:
    """Compare a decoded row with the oracle's exact one: logits within QNT-2, all else equal."""
    batch, number = got
    start = int(batch.row_offsets[number])
    assert batch.num_tokens[number] == row["num_tokens"]
    if batch.token_ids is not None:
        assert batch.token_ids[start : start + row["num_tokens"]].tolist() == row["token_ids"]
    for token in tokens(row, len(row["sampled_indices_low"]) // row["num_tokens"]):
        at = start + token.number
        here = slice(*batch.top_offsets[at : at + 2])
        assert batch.logsumexp[at] == float(token.logsumexp)
        for part, indices, logits in (
            (token.top, batch.top_indices[here], batch.top_logits[here]),
            (token.sampled, batch.sampled_indices[at], batch.sampled_logits[at]),
        ):
            assert indices.tolist() == part.indices
            bound = decoding_bound(*part.range)
            assert all(abs(Fraction(y) - v) <= bound for y, v in zip(logits.tolist(), part.logits, strict=True))
