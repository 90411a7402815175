"""The checksums of Parquet pages: which are missing (FILE-4), and which are wrong in columns not read (FILE-5).

Strategy: Arrow verifies the checksums of the columns that it reads, but does not tell which are there. The
footer says where the pages of a column chunk begin, each page's header how long it is. Neither is trusted for
more than that: what cannot be understood is passed over, for reading the file tells what is wrong with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from logitpack.native import expect
from logitpack.thrift import MalformedError, Struct, read_struct

MAGIC = b"PAR1"
MAX_FOOTER = 64 * 1024 * 1024
HEADER_BYTES = (256, 1 << 16)
"""What a page's header has as a rule, and at most."""
PIECE = 1 << 20


class Chunk(NamedTuple):
    """A column chunk: its row group, its column, the bytes of its pages, and what it claims to hold.

    `values` counts elements, an empty list as one; `size` is in bytes, before compression.
    """

    row_group: int
    column: str
    start: int
    stop: int
    values: int
    size: int

    @property
    def name(self) -> str:
        """The column of the table that the chunk is part of: the first part of its own."""
        return self.column.split(".")[0]


class Page(NamedTuple):
    """A page: its checksum, None where it has none, and where its bytes stand."""

    checksum: int | None
    start: int
    size: int


def first_without_checksum(file: BinaryIO, among: Iterable[Chunk]) -> tuple[int, str] | None:
    """Give row group and column of the first column chunk, of an open Parquet file, whose first page has no checksum.

    `among` are the chunks to look at, see `chunks`.
    """
    for chunk in among:
        page = next(_pages(file, chunk), None)
        if page is not None and page.checksum is None:
            return chunk.row_group, chunk.column
    return None


def first_broken(file: BinaryIO, among: Iterable[Chunk], passed_over: Collection[str] = ()) -> tuple[int, str] | None:
    """Give row group and column of the first page that does not match its checksum, but for some columns.

    `file` and `among` are as above.
    """
    for chunk in among:
        if chunk.name in passed_over:
            continue
        expect(file, [(chunk.start, chunk.stop)])
        for page in _pages(file, chunk):
            if page.checksum is not None and _crc(file, page) != page.checksum & 0xFFFFFFFF:
                return chunk.row_group, chunk.column
    return None


def are_whole(file: BinaryIO, among: Iterable[Chunk]) -> bool:
    """Tell whether each chunk consists of pages, as their headers have it, and of nothing else."""
    return all(
        max((page.start + page.size for page in _pages(file, chunk)), default=0) == chunk.stop for chunk in among
    )


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the column chunks that have values, as the footer has them."""
    end = file.seek(0, 2) - 8
    file.seek(max(end, 0))
    size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic != MAGIC or not 0 < size <= min(end, MAX_FOOTER):
        return
    file.seek(end - size)
    try:
        # FileMetaData.row_groups, RowGroup.columns, ColumnChunk.meta_data
        footer, _ = read_struct(file.read(size))
        for group, columns in enumerate(footer.get(4, ())):
            for column in columns.get(1, ()):
                chunk = _chunk(group, column.get(3, {}), end - size)
                if chunk is not None:
                    yield chunk
    except (MalformedError, AttributeError, TypeError, ValueError):
        return  # a field of another type than it should have


def _chunk(group: int, column: Struct, limit: int) -> Chunk | None:
    """Give a chunk by the fields of ColumnMetaData; None where it is empty or lies outside the file."""
    starts = [offset for offset in (column.get(9), column.get(11)) if isinstance(offset, int) and offset > 0]
    start = min(starts, default=0)
    stop = start + column.get(7, 0)
    if not column.get(5) or not 0 < start < stop <= limit:
        return None
    name = ".".join(part.decode("utf-8", "replace") for part in column.get(3, ()))
    return Chunk(group, name, start, stop, int(column[5]), int(column.get(6, 0)))


def _pages(file: BinaryIO, chunk: Chunk) -> Iterator[Page]:
    """Yield the pages of a chunk, as far as they can be told apart."""
    at = chunk.start
    while at < chunk.stop:
        found = _header(file, at, chunk.stop)
        if found is None:
            return
        header, length = found
        size, checksum = header.get(3), header.get(4)
        at += length
        if not isinstance(size, int) or not 0 <= size <= chunk.stop - at:
            return
        yield Page(checksum if isinstance(checksum, int) else None, at, size)
        at += size


def _header(file: BinaryIO, at: int, stop: int) -> tuple[Struct, int] | None:
    for longest in HEADER_BYTES:
        file.seek(at)
        with suppress(MalformedError):
            return read_struct(file.read(min(longest, stop - at)))
    return None


def _crc(file: BinaryIO, page: Page) -> int:
    file.seek(page.start)
    crc, left = 0, page.size
    while left:
        piece = file.read(min(left, PIECE))
        if not piece:
            break
        crc, left = zlib.crc32(piece, crc), left - len(piece)
    return crc
