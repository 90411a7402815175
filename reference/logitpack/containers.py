"""Containers: the files that hold record batches, opened by what is in them.

Strategy: a file is told by its first bytes, never by its name alone. Each container is read in
slices of bounded size, and whatever pyarrow has to say of a broken file becomes one DataError
FILE-1 here, so that nothing above knows pyarrow's errors.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import pyarrow as pa

from logitpack import arrow_ipc, parquet
from logitpack.columns import cut
from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.metadata import KEY
from logitpack.native import broken, open_native
from logitpack.pages import Chunk
from logitpack.stored_json import read_stored
from logitpack.urls import StrPath, extension, shown
from logitpack.wanted import ALL, Wanted

PARQUET, ARROW_FILE, ARROW_STREAM, JSON = "parquet", "arrow-file", "arrow-stream", "json"

EXTENSIONS = {
    ".parquet": PARQUET,
    ".arrow": ARROW_FILE,
    ".feather": ARROW_FILE,
    ".arrows": ARROW_STREAM,
    ".ndjson": JSON,
    ".jsonl": JSON,
}
"""The container a writer takes for a file's name; a reader looks into the file."""

DATA_EXTENSIONS = (".parquet", ".arrow", ".arrows")
"""The files that are part of a dataset when they stand in its folder."""


_SPACE = b" \t\r\n"  # of JSON


class Info(NamedTuple):
    """What is known of a file once it is open.

    `schema` is the Arrow schema with all columns, None for stored JSON. `metadata` are the raw
    bytes under the key ``logitpack``, None where there are none. `row_groups` counts row
    groups (Parquet) or record batches (IPC file), None where only reading tells.
    """

    path: str
    container: str
    schema: pa.Schema | None
    metadata: bytes | None
    row_groups: int | None


class Slice(NamedTuple):
    """Some rows of a file: its first row, counted from the start of the file, and their batch."""

    row_group: int | None
    first_row: int
    record_batch: pa.RecordBatch


class Source(Protocol):
    """What a container's own module gives."""

    @property
    def schema(self) -> pa.Schema | None:
        """All columns; None where the container has no schema."""

    @property
    def metadata(self) -> dict[bytes, bytes] | None:
        """What the file says of itself, by key."""

    @property
    def row_groups(self) -> int | None:
        """How many row groups or record batches there are, where that is known beforehand."""

    @property
    def sizes(self) -> Sequence[int]:
        """About how many bytes each row group or record batch takes; nothing where that is not known."""

    def batches(self, wanted: Wanted) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        """Yield (row group, record batch) in order, and raise where the file is not whole."""


class DataFile:
    """An open file of a dataset. Use it as a context manager, or `close` it.

    `native` is the file as Arrow has it, for those who look into its bytes.

    Opening raises UsageError where `path` cannot be opened as a file, and DataError FILE-1
    where it holds no container that is known, or a broken one. `container` is one of
    "parquet", "arrow-file", "arrow-stream" and "json"; None finds it out. `chunks` are the column chunks of a Parquet
    file that matter, where they are known: its footer is not parsed for them again.
    """

    def __init__(
        self, path: StrPath, *, container: str | None = None, name: str | None = None, chunks: tuple[Chunk, ...] = ()
    ) -> None:
        """Open `path`, which may be a URL; messages call it `name`, if that is given."""
        self._name = shown(path) if name is None else name
        self.native = open_native(path)
        try:
            with corrupt(self._name):
                kind = container or detect(_head(self.native), self.native.size(), extension(path))
                self._source = _open(self.native, kind, chunks)
                _check_names(self._source.schema)
                metadata = (self._source.metadata or {}).get(KEY)
        except LogitPackError:
            self.close()
            raise
        self.info = Info(self._name, kind, self._source.schema, metadata, self._source.row_groups)

    def parts(self, size: int) -> list[range]:
        """Return the row groups or record batches in runs of some `size` bytes each; nothing where there are none."""
        with corrupt(self._name):
            sizes = self._source.sizes
        ends, held = [0], 0
        for group, each in enumerate(sizes):
            held += each
            if held >= size or group + 1 == len(sizes):
                ends.append(group + 1)
                held = 0
        return [range(first, last) for first, last in pairwise(ends)]

    def rows(self, groups: range | None) -> int | None:
        """Return the rows of some row groups, or all, as a Parquet footer says; None in another container."""
        return self._source.rows(groups) if isinstance(self._source, parquet.ParquetSource) else None

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The column chunks of a Parquet file; none in another container."""
        return self._source.chunks if isinstance(self._source, parquet.ParquetSource) else ()

    @chunks.setter
    def chunks(self, known: tuple[Chunk, ...]) -> None:
        if isinstance(self._source, parquet.ParquetSource):
            self._source.chunks = known

    def slices(self, wanted: Wanted = ALL) -> Iterator[Slice]:
        """Yield the rows in order, in slices of bounded size; of some groups only, which are a run of `parts`.

        A slice of a row group holds as many list elements as are `wanted`, which by itself is some 65,536 tokens, or
        one row that has more; it has the table's columns and, if asked for, the others too. Raises DataError FILE-1
        and FILE-3 where the file turns out not to be whole, and what `stored_json.read_stored` raises.
        """
        first_row = 0
        batches = self._source.batches(wanted)
        while True:
            with corrupt(self._name):
                step = next(batches, None)
                if step is None:
                    return
                row_group, whole = step
                parts = cut(whole)
            for part in parts:
                yield Slice(row_group, first_row, part)
                first_row += part.num_rows

    def close(self) -> None:
        """Let go of the file."""
        self.native.close()

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close the file."""
        self.close()


def require_readable(path: StrPath) -> None:
    """Raise UsageError where `path` cannot be opened as a file."""
    open_native(path).close()


def detect(head: bytes, size: int, extension: str) -> str:
    """Return the container of a file by its first 16 bytes; its extension where they are mute.

    Raises DataError FILE-1 where neither tells.
    """
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith(b"ARROW1"):
        return ARROW_FILE
    if head.startswith(arrow_ipc.CONTINUATION) or arrow_ipc.is_old_stream(head, size):
        return ARROW_STREAM
    by_name = EXTENSIONS.get(extension.lower())
    if head.lstrip(_SPACE).startswith(b"{") or by_name == JSON:
        return JSON
    if size == 0:
        raise DataError("the file is empty", requirement="FILE-1")
    if by_name == ARROW_STREAM and arrow_ipc.CONTINUATION.startswith(head):
        return ARROW_STREAM
    encrypted = ": it begins as an encrypted Parquet file" if head.startswith(b"PARE") else ""
    raise DataError(f"the file is neither Parquet nor Arrow IPC nor stored JSON{encrypted}", requirement="FILE-1")


@contextmanager
def corrupt(name: str) -> Iterator[None]:
    """Turn whatever a library raises over the bytes of a file into DataError FILE-1."""
    try:
        yield
    except LogitPackError as error:
        raise error.at(file=name) from error.__cause__
    except UnicodeDecodeError as error:  # of pyarrow, whose own message is about a codec
        message = f"the file is broken: a name in it is not UTF-8: {error.object[:40]!r}"
        raise DataError(message, requirement="FILE-1", place=Place(file=name)) from error
    except Exception as error:
        # pyarrow has a dozen kinds of its own, and passes on those of its parsers: all of them
        # are about the bytes that were read, for nothing else is done under this.
        raise broken(error, Place(file=name)) from error


def _head(file: pa.NativeFile) -> bytes:
    """Return the first 16 bytes; of longer white space, its first byte and what follows it."""
    head: bytes = file.read(16)
    while not head.strip(_SPACE) and (more := file.read(1 << 16)):
        head = (head[:1] + more.lstrip(_SPACE))[:16]
    return head


def _open(file: pa.NativeFile, container: str, chunks: tuple[Chunk, ...]) -> Source:
    if container == PARQUET:
        return parquet.ParquetSource(file, chunks)
    if container == ARROW_FILE:
        return arrow_ipc.FileSource(file)
    if container == ARROW_STREAM:
        return arrow_ipc.StreamSource(file)
    if container == JSON:
        return _JsonSource(file)
    allowed = [PARQUET, ARROW_FILE, ARROW_STREAM, JSON]
    raise UsageError(f"unknown container {container!r}", got=container, allowed=allowed)


def _check_names(schema: pa.Schema | None) -> None:
    """Raise where names in a schema are not UTF-8: pyarrow finds out only as they are used."""
    if schema is not None:
        list(schema.names)


class _JsonSource:
    """Stored JSON: it has no schema, and never metadata."""

    schema = None
    metadata = None
    row_groups, sizes = None, ()

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file

    def batches(self, _wanted: Wanted) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        # Other members have no Arrow type.
        self._file.seek(0)
        lines = io.BufferedReader(self._file)
        try:
            for record_batch in read_stored(lines):
                yield None, record_batch
        finally:
            lines.detach()  # or it would close the file
