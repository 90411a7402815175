"""The golden files: their bytes, and that they hold what they are there for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack_conformance.manifest import digest_of, load_manifest
from logitpack_conformance.oracle import judge_path

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
BUILT = ["worked/row.parquet", "worked/row.arrow", "worked/row.arrows", "worked/row.ndjson", "synthetic"]


def test_golden_files_are_unchanged() -> None:
    """The manifest lists every file with its digest, and no others: none is made anew in silence."""
    listed = load_manifest(FIXTURES)
    digests = dict(listed.others)
    for case in listed.cases:
        for material in case.materials.values():
            digests |= {f"{material.folder}/{name}": digest for name, digest in material.digests.items()}
    files = {path.relative_to(FIXTURES).as_posix(): path for path in FIXTURES.rglob("*") if path.is_file()}
    assert digests == {name: digest_of(path.read_bytes()) for name, path in files.items() if name != "manifest.json"}


def test_fixtures_are_what_is_built() -> None:
    """What is checked in is what is built here, and breaks what it declares to two implementations."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fixtures.py")], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr


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
