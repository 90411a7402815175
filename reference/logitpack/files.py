"""Datasets: one file, a folder of shards or a pattern, read as decoded batches.

Strategy: find the files (`shards`), open one after another, decode slice by slice. An error gets its file
and row group here, the last part of its place that lower layers do not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike

from logitpack.batch import Batch
from logitpack.codec import decode_runs
from logitpack.containers import JSON, DataFile, Info
from logitpack.errors import LogitPackError, UsageError
from logitpack.metadata import Metadata
from logitpack.shards import data_files, folder_of, name_in, sidecars
from logitpack.table import check_schema
from logitpack.urls import StrPath
from logitpack.wanted import Wanted
from logitpack.writer import write

__all__ = ["Reader", "read", "write"]


def read(path: StrPath, *, dtype: DTypeLike = np.float32) -> Reader:
    """Open a dataset for reading: a file, a folder of shards, or a pattern such as ``data/*.parquet``.

    Each may be a URL that fsspec knows (``s3://``, ``gs://``, ``hf://datasets/``, ``https://``), of which no more is
    fetched than is read. `dtype` is that of the decoded logits, float32 or float64. Raises UsageError where nothing
    can be read at `path`, and DataError where its first file cannot be (FILE-1, COL-1, COL-2,
    META-1, META-2, META-7); the others are opened as the reader gets to them.
    """
    return Reader(path, dtype=dtype)


class Reader:
    """The rows of a dataset, as decoded batches in stored order (RD-2).

    Each iteration starts from the first row. It raises DataError, with file, row group and
    row, for the first breach of a structural requirement or of ALN-4; batches before it have been given
    out by then, but no part of the row that breaks it, nor of its slice (RD-1, RD-3).

    `files` are the data files in order; `metadata` is that of the first, None for a Core
    dataset. Where S differs between rows, each `Batch` holds a run of rows of one S.
    """

    def __init__(self, path: StrPath, *, dtype: DTypeLike = np.float32) -> None:
        """Find the files of `path` and open the first one to see what it is."""
        self.path = os.fspath(path)
        self.files = data_files(path)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise UsageError(f"logits are decoded to float32 or float64, not {self.dtype}")
        # The first file stays open for the first iteration, in the process that opened it.
        self._opened: tuple[int, DataFile] | None = None
        file = self.open(self.files[0])
        self._opened = (os.getpid(), file)
        self.metadata = self.metadata_of(file.info, self.files[0])

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs: not the open file."""
        return {**self.__dict__, "_opened": None}

    def __iter__(self) -> Iterator[Batch]:
        """Yield the rows, some tens of thousands of tokens at a time."""
        for path in self.files:
            with self.open(path) as file:
                metadata = self.metadata_of(file.info, path)
                vocab_size = None if metadata is None else metadata.vocab_size
                for group, first_row, record_batch in file.slices():
                    try:
                        yield from decode_runs(
                            record_batch, dtype=self.dtype, first_row=first_row, vocab_size=vocab_size
                        )
                    except LogitPackError as error:
                        raise error.at(file=file.info.path, row_group=group) from error.__cause__

    def record_batches(self, *, all_columns: bool = True) -> Iterator[pa.RecordBatch]:
        """Yield the rows as they are stored, the other columns too, for `write` (COL-6).

        Values are not judged.
        """
        for path in self.files:
            with self.open(path) as file:
                for part in file.slices(Wanted(all_columns=all_columns)):
                    yield part.record_batch

    def open(self, path: str) -> DataFile:
        """Open one of the files, its columns checked (COL-1, COL-2), under its name in the dataset."""
        if self._opened is not None and path == self.files[0]:
            (process, file), self._opened = self._opened, None
            if process == os.getpid():
                return file
        name = self.name_of(path)
        file = DataFile(path, name=name)
        try:
            if file.info.schema is not None:
                check_schema(file.info.schema)
        except LogitPackError as error:
            file.close()
            raise error.at(file=name) from None
        return file

    def name_of(self, path: str) -> str:
        """Return what messages call a file: its path in the folder, or the path that was given."""
        return name_in(path, folder_of(self.path))

    def metadata_of(self, info: Info, path: str) -> Metadata | None:
        """Return a file's metadata: what it holds, else what stands beside it; None for Core.

        Raises DataError META-1, META-2, META-7.
        """
        if info.metadata is not None:
            return Metadata.from_bytes(info.metadata, file=info.path)
        beside = None if info.container == JSON else next(sidecars(path, self.path), None)
        return None if beside is None else Metadata.from_bytes(beside[1], file=self.name_of(beside[0]))
