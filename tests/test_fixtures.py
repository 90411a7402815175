"""The golden files: their bytes, and that they hold what they are there for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack_conformance.oracle import judge_path

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
BUILT = ["worked/row.parquet", "worked/row.arrow", "worked/row.arrows", "worked/row.ndjson", "synthetic"]


def test_golden_files_are_unchanged() -> None:
    """Every golden file has its digest, and there are no others: none is made anew in silence."""
    lines = [line.split() for line in (FIXTURES / "SHA256SUMS").read_text("utf-8").splitlines()]
    files = {path.relative_to(FIXTURES).as_posix(): path for path in FIXTURES.rglob("*") if path.is_file()}
    files = {name: path for name, path in files.items() if path.name not in {"SHA256SUMS", "README.md"}}
    found = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert {name: digest for digest, name in lines} == found


def test_fixtures_are_what_is_built() -> None:
    """The rows of the built fixtures are those that their builder makes here."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fixtures.py")], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", BUILT)
def test_both_implementations_find_nothing(name: str) -> None:
    """The reference's checker and the oracle find the fixtures valid."""
    assert [()] == [file.findings for file in logitpack.check(FIXTURES / name).files]
    assert [] == list(judge_path(FIXTURES / name))


def test_full_vocabulary_has_the_boundary_indices() -> None:
    """The synthetic rows hold the indices at which the high bits change, and every remainder of counts mod 4."""
    (batch,) = logitpack.read(FIXTURES / "synthetic")
    boundaries = {0, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_143}
    assert boundaries <= set(batch.top_indices.tolist())
    assert {1, 2, 3, 4, 5, 7, 100, 255} == set(batch.top_counts.tolist())
    per_row = np.diff(batch.top_offsets[batch.row_offsets])
    assert {0, 1, 2, 3} == set((per_row % 4).tolist())


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows", "x.ndjson"])
def test_full_vocabulary_survives_every_container(tmp_path: Path, name: str) -> None:
    """Written to each container and read back, every stored value is the same."""
    reader = logitpack.read(FIXTURES / "synthetic")
    (rows,) = reader.record_batches()
    metadata = reader.metadata
    if name.endswith("ndjson"):  # a Core file, whose nuclei have 100 entries at most (NUC-8)
        metadata = None
        rows = rows.filter(pa.array([max(counts) <= 100 for counts in rows.column("top_counts").to_pylist()]))
    logitpack.write(tmp_path / name, rows, metadata)
    (back,) = logitpack.read(tmp_path / name).record_batches()
    assert rows.to_pylist() == back.to_pylist()
