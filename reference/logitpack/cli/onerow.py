"""One row of a dataset, fetched without reading what stands before it.

Strategy: files and row groups before the row are passed over by what they say of themselves; a stream
and stored JSON, which have no footer, are read up to the row. Only the row itself is judged and
decoded, so that a broken one elsewhere does not hide it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from logitpack.batch import Batch
from logitpack.blocks import blocks
from logitpack.codec import decode_runs
from logitpack.containers import ARROW_FILE, PARQUET, DataFile, corrupt
from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.files import read
from logitpack.ipc_claims import rows_of
from logitpack.metadata import Metadata
from logitpack.urls import StrPath, shown
from logitpack.wanted import Wanted

ELEMENTS = 1 << 20
"""Elements of a row group that are read at a time, on the way to a row."""

CONTAINERS = {
    "parquet": "Parquet",
    "arrow-file": "Arrow IPC file",
    "arrow-stream": "Arrow IPC stream",
    "json": "stored JSON",
}

Found = tuple[int | None, pa.RecordBatch]


@dataclass(frozen=True, slots=True, eq=False)
class OneRow:
    """A row of a dataset: `row` counts over all files, `place` tells the file and the row in it.

    `batch` holds this row alone, its logits float32; `metadata` is None for a Core file.
    """

    row: int
    batch: Batch
    place: Place
    container: str
    metadata: Metadata | None

    @property
    def profile(self) -> str:
        """Which profile the file has, and the most important that its metadata says."""
        container = CONTAINERS[self.container]
        if self.metadata is None:
            return f"Core (no metadata), {container}"
        model = self.metadata.raw["model"]["id"]
        return f"Described, {container}; {model}, {self.metadata.vocab_size:,} logits"

    def document(self) -> dict[str, Any]:
        """Return the members that every JSON output of a row begins with."""
        place = self.place
        return {
            "row": self.row,
            "place": {"file": place.file, "row_group": place.row_group, "row": place.row},
            "container": self.container,
            "profile": "Core" if self.metadata is None else "Described",
        }


def read_row(path: StrPath, row: int) -> OneRow:
    """Return row `row` of the dataset at `path`, counted from 0 over all its files.

    Raises UsageError where there is no such row, and DataError where the row breaks a
    structural requirement, or the way to it does (FILE-1, FILE-3, COL-1, COL-2, META-1, META-2).
    """
    reader = read(path)
    if row < 0:
        raise UsageError(f"row {row} is negative: rows count from 0", got=row)
    before = 0
    for file_path in reader.files:
        with reader.open(file_path) as file:
            metadata = reader.metadata_of(file.info, file_path)
            with corrupt(file.info.path):
                rows, found = _look_up(file, row - before)
            if found is not None:
                return _decoded(file, metadata, row, row - before, found)
            before += rows
    there = f"it has rows 0 to {before - 1:,}" if before else "it has no rows"
    raise UsageError(f"{shown(path)} has no row {row}: {there}", got=row, allowed=before)


def _decoded(file: DataFile, metadata: Metadata | None, row: int, in_file: int, found: Found) -> OneRow:
    group, record_batch = found
    place = Place(file=file.info.path, row_group=group, row=in_file)
    try:
        (batch,) = decode_runs(record_batch, first_row=in_file)
    except LogitPackError as error:
        raise error.at(file=place.file, row_group=group) from None
    return OneRow(row, batch, place, file.info.container, metadata)


def _look_up(file: DataFile, row: int) -> tuple[int, Found | None]:
    """Return the rows of the file, or fewer where `row` is among them; and the row, if so."""
    start = 0
    for groups, rows in _known_rows(file):
        if rows is not None and row >= start + rows:
            start += rows
            continue
        read = 0
        for group, _, record_batch in file.slices(Wanted(groups, threads=False, elements=ELEMENTS)):
            at = row - start - read
            if at < record_batch.num_rows:
                return row + 1, (group, record_batch.slice(at, 1))
            read += record_batch.num_rows
        if rows is not None:
            raise DataError(f"{file.info.path} ends before row {row}, which it says it has", requirement="FILE-1")
        start += read
    return start, None


def _known_rows(file: DataFile) -> Iterator[tuple[range | None, int | None]]:
    """Yield the row groups or record batches, each with its rows, as the file says; all as one where it does not."""
    if file.info.container == PARQUET:
        footer = pq.ParquetFile(file.native, pre_buffer=False).metadata
        for group in range(footer.num_row_groups):
            yield range(group, group + 1), footer.row_group(group).num_rows
    elif file.info.container == ARROW_FILE:
        places = blocks(file.native)
        for number in range(file.info.row_groups or 0):
            yield range(number, number + 1), rows_of(file.native, places[number][0]) if places else None
    else:
        yield None, None
