"""One row of a dataset, fetched without reading what stands before it.

Strategy: files and row groups before the row are passed over by their footers alone; a stream
and stored JSON, which have none, are read up to the row. Only the row itself is judged and
decoded, so that a broken one elsewhere does not hide it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from logitpack.batch import Batch
from logitpack.codec import decode_runs
from logitpack.containers import ARROW_FILE, PARQUET, DataFile, corrupt
from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.files import read
from logitpack.metadata import Metadata
from logitpack.native import expect
from logitpack.pages import chunks
from logitpack.table import COLUMNS
from logitpack.urls import StrPath, shown

STEP_ROWS = 64

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
    if file.info.container == PARQUET:
        return _in_parquet(file.native, row)
    if file.info.container == ARROW_FILE:
        return _in_arrow_file(file.native, row)
    rows = 0
    for group, first_row, record_batch in file.slices():
        rows = first_row + record_batch.num_rows
        if row < rows:
            return rows, (group, record_batch.slice(row - first_row, 1))
    return rows, None


def _in_parquet(native: pa.NativeFile, row: int) -> tuple[int, Found | None]:
    file = pq.ParquetFile(native, page_checksum_verification=True, pre_buffer=False)
    footer = file.metadata
    if row >= footer.num_rows:
        return footer.num_rows, None
    group, start = 0, 0
    while row >= start + footer.row_group(group).num_rows:
        start += footer.row_group(group).num_rows
        group += 1
    names = [name for name in COLUMNS if name in file.schema_arrow.names]
    expect(native, (chunk[2:4] for chunk in chunks(native) if chunk.row_group == group and chunk.name in names))
    for record_batch in file.iter_batches(STEP_ROWS, row_groups=[group], columns=names):
        if row < start + record_batch.num_rows:
            return row + 1, (group, record_batch.slice(row - start, 1))
        start += record_batch.num_rows
    raise DataError(f"row group {group} ends before row {row}, which its footer says it has", requirement="FILE-1")


def _in_arrow_file(native: pa.NativeFile, row: int) -> tuple[int, Found | None]:
    schema = pa.ipc.open_file(native).schema
    # The shortest column is enough to count the rows of a batch.
    narrow = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index("num_tokens")])
    counter = pa.ipc.open_file(native, options=narrow)
    start = 0
    for number in range(counter.num_record_batches):
        rows = counter.get_batch(number).num_rows
        if row < start + rows:
            record_batch = pa.ipc.open_file(native).get_batch(number)
            return row + 1, (number, record_batch.slice(row - start, 1))
        start += rows
    return start, None
