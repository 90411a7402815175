"""Memory that is read into again and again: batches are what they were, and nothing that is kept changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logitpack
from logitpack import native, recycling
from logitpack.containers import DataFile
from logitpack.wanted import ALL, Wanted
from logitpack_conformance.rows import described, valid_rows
from support import table

WRITERS: list[Callable[..., Any]] = [pa.ipc.new_file, pa.ipc.new_stream]
CONTENT = table(valid_rows((40, 50, 60, 30)), metadata=described())
PASSING = Wanted(passing=True)


@pytest.fixture(autouse=True)
def _small_reads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small files stay files, and small reads go into memory that is kept."""
    monkeypatch.setattr(native, "SMALL", 0)
    monkeypatch.setattr(recycling, "LARGE", 1024)


def stored(path: Path, new: Callable[..., Any], content: pa.Table = CONTENT, **options: Any) -> Path:
    """Write a batch for each row."""
    settings = pa.ipc.IpcWriteOptions(**options)
    with pa.OSFile(str(path), "wb") as sink, new(sink, content.schema, options=settings) as writer:
        writer.write_table(content, max_chunksize=1)
    return path


def address(batch: pa.RecordBatch) -> int:
    """Give where the indices of a batch stand."""
    where: int = batch.column("top_indices_low").values.buffers()[1].address
    return where


@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("new", WRITERS)
def test_passing_batches_are_those_of_the_file(tmp_path: Path, new: Callable[..., Any], compression: Any) -> None:
    """Each is right while it is looked at."""
    with DataFile(stored(tmp_path / "x.arrow", new, compression=compression)) as file:
        for number, part in enumerate(file.slices(PASSING)):
            assert part.record_batch.to_pylist() == CONTENT.slice(number, 1).to_pylist()
        assert number == CONTENT.num_rows - 1


@pytest.mark.parametrize("new", WRITERS)
def test_passing_batches_share_memory(tmp_path: Path, new: Callable[..., Any]) -> None:
    """One stands where the one before stood."""
    with DataFile(stored(tmp_path / "x.arrow", new)) as file:
        places = [address(part.record_batch) for part in file.slices(PASSING)]
    start = recycling._memory().address
    assert all(start <= place < start + (1 << 16) for place in places)


@pytest.mark.parametrize("new", WRITERS)
def test_batches_that_are_kept_do_not_change(tmp_path: Path, new: Callable[..., Any]) -> None:
    """Whoever asks for all has all, and `logitpack.read` does; a check in between changes nothing."""
    path = stored(tmp_path / "x.arrow", new)
    with DataFile(path) as file:
        batches = [part.record_batch for part in file.slices(ALL)]
    rows = list(logitpack.read(path))
    assert logitpack.check(path, jobs=1).verdict == "valid"
    assert pa.Table.from_batches(batches).to_pylist() == CONTENT.to_pylist()
    assert sum(batch.num_tokens.size for batch in rows) == CONTENT.num_rows


@pytest.mark.parametrize("other", [pa.array(["x"] * 4).dictionary_encode(), pa.array([[1] * 999] * 4)])
@pytest.mark.parametrize("new", WRITERS)
def test_files_with_other_columns(tmp_path: Path, new: Callable[..., Any], other: pa.Array) -> None:
    """A dictionary, which stays for all batches, is not read over, and other columns are left out."""
    path = stored(tmp_path / "x.arrow", new, CONTENT.append_column("other", other))
    with DataFile(path) as file:
        assert [part.record_batch.to_pylist() for part in file.slices(PASSING)] == [
            CONTENT.slice(number, 1).to_pylist() for number in range(4)
        ]
    assert logitpack.check(path).verdict == "valid"


def test_what_does_not_fit_is_read_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is larger than what is kept has memory of its own."""
    monkeypatch.setattr(recycling, "KEPT", 2048)
    with DataFile(stored(tmp_path / "x.arrow", pa.ipc.new_file)) as file:
        batches = [part.record_batch for part in file.slices(PASSING)]
    assert pa.Table.from_batches(batches).to_pylist() == CONTENT.to_pylist()


@pytest.mark.parametrize("new", WRITERS)
def test_a_file_that_is_cut_short_meanwhile(tmp_path: Path, new: Callable[..., Any]) -> None:
    """It is broken, and that is all."""
    path = stored(tmp_path / "x.arrow", new)
    with DataFile(path) as file:
        parts = file.slices(PASSING)
        next(parts)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(logitpack.DataError, match="FILE-1"):
            list(parts)
