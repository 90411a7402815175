"""Arrow IPC: the file with its footer, and the stream with its end (FILE-1, FILE-3).

Strategy: pyarrow reads the messages, of the columns that are needed only. It takes the end of
a file for the end of a stream, so whether the marker stands there is looked up in the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.ipc

from logitpack.blocks import DICTIONARIES, blocks
from logitpack.errors import DataError
from logitpack.ipc_claims import require_bounded, require_bounded_stream
from logitpack.native import expect
from logitpack.recycling import Feed, Recycled
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
        """Yield each record batch with its number, in slices if it is larger than what is kept."""
        feed = _feed(self._file, self.schema, wanted)
        reader = pa.ipc.open_file(feed.file, options=_options(self.schema, wanted))
        places = blocks(self._file)
        if sum(stop - start for start, stop in places) > self._file.size():
            raise DataError("the file is broken: record batches share their bytes", requirement="FILE-1")
        for start, _ in blocks(self._file, DICTIONARIES):
            require_bounded(self._file, start)
        for number in range(reader.num_record_batches) if wanted.groups is None else wanted.groups:
            expect(self._file, places[number : number + 1])
            message = None
            for start, _ in places[number : number + 1]:
                message = require_bounded(self._file, start, batch=number)
            feed.begin(None if message is None or message.is_compressed else message.body)
            for part in feed.parts(reader.get_batch(number)):
                yield number, part


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
        feed = _feed(self._file, self.schema, wanted)
        reader = pa.ipc.open_stream(feed.file, options=_options(self.schema, wanted))
        number = 0
        while True:
            start = self._file.tell()
            message = require_bounded_stream(self._file, start, batch=number)
            self._file.seek(start)
            feed.begin(None if message is None or message.is_compressed else message.body)
            try:
                record_batch = reader.read_next_batch()
            except StopIteration:
                self._check_end(start)
                return
            except (pa.ArrowException, OSError):
                self._check_cut(start)
                raise
            for part in feed.parts(record_batch):
                yield number, part
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


def _options(schema: pa.Schema, wanted: Wanted) -> pa.ipc.IpcReadOptions:
    """Ask for the columns of the table, unless there are no others."""
    fields = [number for number, name in enumerate(schema.names) if name in COLUMNS]
    whole = wanted.all_columns or len(fields) == len(schema)
    return pa.ipc.IpcReadOptions(included_fields=None if whole else fields, use_threads=wanted.threads)


def _feed(file: pa.NativeFile, schema: pa.Schema, wanted: Wanted) -> Feed:
    """Give what batches are read from.

    Columns of the table have no dictionaries, which a reader keeps; of files with others, only some parts are read.
    """
    simple = isinstance(file, pa.OSFile) and {*schema.names} <= {*COLUMNS} and not schema_errors(schema)
    return Recycled(file) if wanted.passing and simple else Feed(file)


def _no_end() -> DataError:
    return DataError("the stream has no end-of-stream marker: it was cut short", requirement="FILE-3")
