"""Datasets: one file or a folder of shards, read as decoded batches.

Strategy: find the files, open one after another, decode slice by slice. An error gets its file
and row group here, the last part of its place that lower layers do not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike

from logitpack.batch import Batch
from logitpack.codec import decode_runs
from logitpack.containers import DATA_EXTENSIONS, JSON, DataFile, Info
from logitpack.errors import LogitPackError, Place, UsageError
from logitpack.metadata import MAX_BYTES, SIDECAR, Metadata
from logitpack.table import check_schema
from logitpack.writer import write

__all__ = ["Reader", "data_files", "read", "sidecar", "write"]

StrPath = str | os.PathLike[str]


def read(path: StrPath, *, dtype: DTypeLike = np.float32) -> Reader:
    """Open a dataset, a file or a folder of shards, for reading.

    `dtype` is that of the decoded logits, float32 or float64. Raises UsageError where nothing
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
        self.path = Path(path)
        self.files = data_files(path)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise UsageError(f"logits are decoded to float32 or float64, not {self.dtype}")
        with self.open(self.files[0]) as file:
            self.metadata = self.metadata_of(file.info, self.files[0])

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
                for part in file.slices(all_columns=all_columns):
                    yield part.record_batch

    def open(self, path: Path) -> DataFile:
        """Open one of the files, its columns checked (COL-1, COL-2), under its name in the dataset."""
        name = self.name_of(path)
        file = DataFile(path, name=name)
        try:
            if file.info.schema is not None:
                check_schema(file.info.schema)
        except LogitPackError as error:
            file.close()
            raise error.at(file=name) from None
        return file

    def name_of(self, path: Path) -> str:
        """Return what messages call a file: its path in the folder, or the path that was given."""
        return path.relative_to(self.path).as_posix() if self.path in path.parents else str(path)

    def metadata_of(self, info: Info, path: Path) -> Metadata | None:
        """Return a file's metadata: what it holds, else what stands beside it; None for Core.

        Raises DataError META-1, META-2, META-7.
        """
        if info.metadata is not None:
            return Metadata.from_bytes(info.metadata, file=info.path)
        beside = None if info.container == JSON else sidecar(path, root=self.path)
        if beside is None:
            return None
        return Metadata.from_bytes(read_sidecar(beside), file=self.name_of(beside))


def data_files(path: StrPath) -> tuple[Path, ...]:
    """Return the files of a dataset: `path` itself, or the shards below it.

    Of a folder these are all ``*.parquet``, ``*.arrow`` and ``*.arrows`` anywhere below it, by
    relative path, but for names that begin with a dot or an underscore. Linked folders are
    followed, each folder once. Raises UsageError where there are none, or no such path.
    """
    root = Path(path)
    try:
        if not root.is_dir():
            root.stat()
            return (root,)
        found = [file for file in _walk(root) if file.suffix in DATA_EXTENSIONS]
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot be read: {reason}", place=Place(file=str(root))) from error
    if not found:
        wanted = ", ".join(f"*{extension}" for extension in DATA_EXTENSIONS)
        raise UsageError(f"the folder holds no data files ({wanted})", place=Place(file=str(root)))
    return tuple(sorted(found, key=lambda file: file.relative_to(root).as_posix()))


def sidecar(path: Path, *, root: Path) -> Path | None:
    """Return the ``logitpack.json`` of a data file: beside it, else at the dataset's root."""
    for folder in (path.parent, root):
        if (folder / SIDECAR).is_file():
            return folder / SIDECAR
    return None


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, hidden names left out, and no folder twice."""
    seen = set()

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(root, followlinks=True, onerror=fail):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        yield from (Path(folder, name) for name in files if not name.startswith((".", "_")))


def read_sidecar(path: Path) -> bytes:
    """Return the bytes of a metadata file, or enough of them to see that they are too many (META-7).

    Raises UsageError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(file=str(path))) from error
