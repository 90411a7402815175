"""The programs in benchmarks/, at small sizes: what they make is what they say it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import logitpack

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
TOKENS = 20_000


def run(program: str, *arguments: str | Path) -> str:
    """Run one of the programs, and return what it prints."""
    command = [sys.executable, str(BENCHMARKS / program), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small generated dataset."""
    folder = tmp_path_factory.mktemp("generated")
    run("dataset.py", folder, "--tokens", str(TOKENS), "--files", "2", "--jobs", "1", "--group-tokens", "6000")
    return folder


def test_generated_data_break_no_requirement(generated: Path) -> None:
    """Nothing is found in a generated dataset, not even a warning."""
    assert [] == [finding.requirement for file in logitpack.check(generated).files for finding in file.findings]


def test_generated_data_have_the_size_that_was_asked_for(generated: Path) -> None:
    """Rows are cut so that the tokens add up."""
    assert TOKENS == sum(file.tokens for file in logitpack.check(generated).files)


def test_generated_data_have_the_declared_shape(generated: Path) -> None:
    """Nuclei have 36 entries on average, from 1 to 100, and tails 24."""
    counts = np.concatenate([batch.top_counts for batch in logitpack.read(generated)])
    widths = {batch.num_sampled for batch in logitpack.read(generated)}
    assert (36, 1, 100, {24}) == (round(counts.mean()), counts.min(), counts.max(), widths)


def test_generated_data_are_the_same_for_the_same_seed(generated: Path, tmp_path: Path) -> None:
    """Neither the number of processes nor the run changes a byte."""
    run("dataset.py", tmp_path, "--tokens", str(TOKENS), "--files", "2", "--jobs", "2", "--group-tokens", "6000")
    name = "train-00000-of-00002.parquet"
    assert (generated / name).read_bytes() == (tmp_path / name).read_bytes()


def test_plain_arrow_files_are_not_compressed(tmp_path: Path) -> None:
    """They hold the same rows, and are larger than those that are compressed."""
    sizes = []
    for container in ("arrow-file", "arrow-plain"):
        arguments = ("--tokens", "3000", "--files", "1", "--jobs", "1", "--container", container)
        run("dataset.py", tmp_path / container, *arguments)
        (path,) = (tmp_path / container).iterdir()
        assert logitpack.check(path).files[0].tokens == 3000
        sizes.append(path.stat().st_size)
    assert sizes[0] < sizes[1]


def test_comparison(generated: Path, tmp_path: Path) -> None:
    """All ways go over the dataset, and are told with their ratio to the bare read with as many threads."""
    cache = tmp_path / "cache" / f"parquet-{TOKENS}-2-6000-7"
    cache.parent.mkdir()
    cache.symlink_to(generated)
    arguments = ("--tokens", str(TOKENS), "--files", "2", "--group-tokens", "6000", "--rounds", "1", "--jobs", "1")
    run("compare.py", *arguments, "--cache", cache.parent, "--output", tmp_path)
    ways = json.loads((tmp_path / "compare.json").read_text("utf-8"))["ways"]
    (bare,) = [way for way in ways if way["name"] == "pyarrow, bare read, 1 thread"]
    assert {"pyarrow, bare read, 1 thread"} == {way["against"] for way in ways[1:]}
    assert [way["seconds"] / bare["seconds"] for way in ways[1:]] == pytest.approx([way["ratio"] for way in ways[1:]])
