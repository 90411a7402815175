"""Arrow IPC: the file with its footer, and the stream with its end (FILE-1, FILE-3).

Strategy: pyarrow reads the messages, of the columns that are needed only. It takes the end of
a file for the end of a stream, so whether the marker stands there is looked up in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.ipc

from logitpack.blocks import DICTIONARIES, blocks
from logitpack.errors import DataError
from logitpack.ipc_claims import require_bounded, require_bounded_stream
from logitpack.native import expect
from logitpack.recycling import Recycled
from logitpack.table import COLUMNS, schema_errors
from logitpack.wanted import Wanted

CONTINUATION = b"\xff\xff\xff\xff"
END = CONTINUATION + bytes(4)
_OLD_END = bytes(4)  # of streams whose messages have no continuation indicator


class FileSource:
    """An Arrow IPC file, read from its footer."""

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file
        reader = pa.ipc.open_file(self._file)
        self.schema = reader.schema
        self.metadata = reader.schema.metadata
        self.row_groups = reader.num_record_batches

    @property
    def sizes(self) -> list[int]:
        """About how many bytes each record batch takes in the file."""
        return [self._file.size() // max(self.row_groups, 1)] * self.row_groups

    def batches(self, wanted: Wanted) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        """Yield each record batch with its number, whole."""
        file, begin = _opened(self._file, self.schema, passing=wanted.passing)
        reader = pa.ipc.open_file(file, options=_options(self.schema, all_columns=wanted.all_columns))
        places = blocks(self._file)
        if sum(stop - start for start, stop in places) > self._file.size():
            raise DataError("the file is broken: record batches share their bytes", requirement="FILE-1")
        for start, _ in blocks(self._file, DICTIONARIES):
            require_bounded(self._file, start)
        for number in range(reader.num_record_batches) if wanted.groups is None else wanted.groups:
            expect(self._file, places[number : number + 1])
            for start, _ in places[number : number + 1]:
                require_bounded(self._file, start, batch=number)
            begin()
            yield number, reader.get_batch(number)


class StreamSource:
    """An Arrow IPC stream, read from its start."""

    row_groups, sizes = None, ()

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file
        self._file.seek(0)
        self._old = self._file.read(4) != CONTINUATION
        self._file.seek(0)
        self.schema = pa.ipc.open_stream(self._file).schema
        self.metadata = self.schema.metadata

    def batches(self, wanted: Wanted) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        """Yield each record batch with its number; raise DataError where the stream has no end."""
        self._file.seek(0)
        file, begin = _opened(self._file, self.schema, passing=wanted.passing)
        reader = pa.ipc.open_stream(file, options=_options(self.schema, all_columns=wanted.all_columns))
        number = 0
        while True:
            start = self._file.tell()
            require_bounded_stream(self._file, start, batch=number)
            self._file.seek(start)
            begin()
            try:
                record_batch = reader.read_next_batch()
            except StopIteration:
                self._check_end(start)
                return
            except (pa.ArrowException, OSError):
                self._check_cut(start)
                raise
            yield number, record_batch
            number += 1

    def _check_end(self, start: int) -> None:
        """Raise unless the marker stands at `start`, where the messages end, and nothing after it."""
        end = _OLD_END if self._old else END
        self._check_cut(start)
        self._file.seek(start)
        left = self._file.size() - start - len(end)
        if self._file.read(len(end)) != end:
            raise _no_end()
        if left:
            raise DataError(f"{left} bytes follow the end of the stream", requirement="FILE-1", got=left)

    def _check_cut(self, start: int) -> None:
        """Raise FILE-3 where the file ends at `start`, or within the marker there."""
        end = _OLD_END if self._old else END
        if self._file.size() - start < len(end):
            self._file.seek(start)
            if end.startswith(self._file.read(len(end))):
                raise _no_end()


def is_old_stream(head: bytes, size: int) -> bool:
    """Return whether a file may be a stream of before Arrow 0.15, by its first bytes.

    Its messages begin with their length, and that of a schema is small.
    """
    length = int.from_bytes(head[:4], "little")
    root = int.from_bytes(head[4:8], "little")
    return len(head) >= 8 and 8 <= length <= size - 4 and length % 4 == 0 and 4 <= root < length


def _options(schema: pa.Schema, *, all_columns: bool) -> pa.ipc.IpcReadOptions | None:
    """Ask for the columns of the table, unless there are no others."""
    fields = [number for number, name in enumerate(schema.names) if name in COLUMNS]
    return None if all_columns or len(fields) == len(schema) else pa.ipc.IpcReadOptions(included_fields=fields)


def _opened(file: pa.NativeFile, schema: pa.Schema, *, passing: bool) -> tuple[pa.NativeFile, Callable[[], None]]:
    """Give a file to read batches from, and what is called before each.

    Columns of the table have no dictionaries, which a reader keeps; of files with others, only some parts are read.
    """
    if not passing or not isinstance(file, pa.OSFile) or {*schema.names} - {*COLUMNS} or schema_errors(schema):
        return file, lambda: None
    recycled = Recycled(file)
    return pa.PythonFile(recycled, mode="r"), recycled.again


def _no_end() -> DataError:
    return DataError("the stream has no end-of-stream marker: it was cut short", requirement="FILE-3")
