"""Memory that is read into again and again: batches are what they were, and nothing that is kept changes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logitpack
from logitpack import native, recycling
from logitpack.containers import DataFile
from logitpack.wanted import ALL, Wanted
from logitpack_conformance.rows import described, valid_rows, with_token_ids
from support import table

WRITERS: list[Callable[..., Any]] = [pa.ipc.new_file, pa.ipc.new_stream]
CONTENT = table(valid_rows((40, 50, 60, 30)), metadata=described())
PASSING = Wanted(passing=True)


@pytest.fixture(autouse=True)
def _small_reads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small files stay files, and small reads go into memory that is kept."""
    monkeypatch.setattr(native, "SMALL", 0)
    monkeypatch.setattr(recycling, "LARGE", 1024)


def stored(path: Path, new: Callable[..., Any], content: pa.Table = CONTENT, *, rows: int = 1, **options: Any) -> Path:
    """Write a batch for each row, or for more."""
    settings = pa.ipc.IpcWriteOptions(**options)
    with pa.OSFile(str(path), "wb") as sink, new(sink, content.schema, options=settings) as writer:
        writer.write_table(content.combine_chunks(), max_chunksize=rows)
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
    path = stored(tmp_path / "x.arrow", new)
    with DataFile(path) as file:
        places = [address(part.record_batch) for part in file.slices(PASSING)]
    start = recycling._memory().address
    assert all(start <= place < start + path.stat().st_size // 2 for place in places)


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


SEVEN = table(with_token_ids(valid_rows((7,) * 6)), metadata=described())
"""The last column does not end where its batch does."""
OTHER_TYPES = {
    "num_tokens": pa.int64(),
    "top_counts": pa.list_(pa.int16(), 7),
    "top_indices_low": pa.large_list(pa.uint32()),
    "top_indices_high": pa.large_binary(),
    "top_logits_quantized": pa.list_view(pa.uint16()),
    "top_min": pa.list_(pa.float64()),
    "sampled_indices_low": pa.large_list_view(pa.int32()),
    "sampled_indices_high": pa.binary_view(),
    "logsumexp": pa.list_(pa.float64(), 7),
}


def in_other_types(content: pa.Table) -> pa.Table:
    """Give the same rows in types that are accepted."""
    for number, name in enumerate(content.schema.names):
        kind = OTHER_TYPES.get(name)
        if kind is not None:
            content = content.set_column(number, name, pa.array(content[name].to_pylist(), kind))
    return content


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a batch be too large for what is kept, and slices of it hold a row or two."""
    monkeypatch.setattr(recycling, "KEPT", 1024)
    monkeypatch.setattr(recycling, "LARGE", 512)
    monkeypatch.setattr(recycling, "ELEMENTS", 300)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("compression", [None, "zstd"])
@pytest.mark.parametrize("content", [SEVEN, in_other_types(SEVEN)], ids=["canonical", "others"])
@pytest.mark.parametrize("new", WRITERS)
def test_what_does_not_fit_is_read_in_slices(
    tmp_path: Path, new: Callable[..., Any], content: pa.Table, compression: Any
) -> None:
    """The rows of several large batches are right while they are looked at; compressed ones come whole."""
    path = stored(tmp_path / "x.arrow", new, content, rows=3, compression=compression)
    with DataFile(path) as file:
        parts = [(part.row_group, part.record_batch.to_pylist()) for part in file.slices(PASSING)]
    assert [row for _, rows in parts for row in rows] == content.to_pylist()
    assert {group for group, _ in parts} == {0, 1}
    assert (len(parts) > 2) == (compression is None)
    assert logitpack.check(path).verdict == "valid"


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("new", WRITERS)
def test_memory_of_rows_that_were_looked_at_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: Callable[..., Any]
) -> None:
    """Whole pages of values are gone once the next rows are asked for."""
    monkeypatch.setattr(recycling, "ELEMENTS", 100_000)
    content = table(valid_rows((900,) * 8), metadata=described())
    with DataFile(stored(tmp_path / "x.arrow", new, content, rows=8)) as file:
        parts = file.slices(PASSING)
        first = next(parts).record_batch
        codes = first.column("top_logits_quantized").flatten()
        expected = content.slice(0, len(first))["top_logits_quantized"].combine_chunks().flatten().to_pylist()
        assert codes.to_pylist() == expected
        next(parts)
        assert codes.to_pylist().count(0) > expected.count(0) + 1000


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("new", WRITERS)
def test_nulls_and_offsets_that_point_outside_are_found(tmp_path: Path, new: Callable[..., Any]) -> None:
    """What tells where values stand is read, and held against what is there, before they are."""
    rows = CONTENT.to_pylist()
    rows[2]["logsumexp"][5] = None
    path = stored(tmp_path / "null.arrow", new, pa.Table.from_pylist(rows, CONTENT.schema), rows=4)
    assert [finding.requirement for finding in logitpack.check(path).files[0].findings] == ["COL-3"]
    ends = struct.pack("<5i", 0, 40, 90, 150, 180)
    data = stored(tmp_path / "outside.arrow", new, rows=4).read_bytes()
    assert data.count(ends) > 1
    path.write_bytes(data.replace(ends, struct.pack("<5i", 0, 40, 30, 150, 1 << 30), 1))
    assert [finding.requirement for finding in logitpack.check(path).files[0].findings] == ["FILE-1"]


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
