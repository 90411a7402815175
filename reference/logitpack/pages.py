"""Parquet pages: what they claim to hold, which have no checksum (FILE-4), and which a wrong one (FILE-5).

Strategy: the footer says where the pages of a column chunk begin, each page's header how long it is. Arrow verifies
the checksums of the columns that it reads, but does not tell which are there, and believes what a header claims: so
claims are held against each other and against the bytes that are there, before Arrow reads them.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from logitpack.errors import Place, UsageError
from logitpack.native import expect
from logitpack.thrift import MalformedError, Struct, read_struct

MAGIC = b"PAR1"
MAX_FOOTER = 64 << 20
HEADER_BYTES = (256, 1 << 16, 1 << 24)
"""What a page's header has as a rule, seldom, and at most."""
PIECE = 1 << 20
BYTES, DELTA_BYTE_ARRAY = (6, 7), 7
"""Physical types whose values have any length, and an encoding in which each may be as long as all before."""
DICTIONARY_PAGE, DATA_PAGE_V2 = 2, 3
KINDS = {0: 5, DICTIONARY_PAGE: 7, DATA_PAGE_V2: 8}
"""The field of a page's header that is for its kind; other kinds are passed over by those who read."""
LARGE_PAGE, MOST_PACKED = 1 << 24, 256
"""Bytes of a page before compression beyond which they are held against its bytes in the file."""


class Chunk(NamedTuple):
    """A column chunk: its row group, its column, the bytes of its pages, and what it claims to hold.

    `values` counts elements, an empty list as one; `size` is in bytes, before compression. `is_bytes` tells that its
    values have any length. `fault` is what its own description contradicts, if anything.
    """

    row_group: int
    column: str
    start: int
    stop: int
    values: int
    size: int
    is_bytes: bool = False
    fault: str = ""

    @property
    def name(self) -> str:
        """The column of the table that the chunk is part of: the first part of its own."""
        return self.column.split(".")[0]


class Page(NamedTuple):
    """A page: its checksum, None where it has none, where its bytes stand, and what it claims.

    `whole` is its size before compression; `values` counts its elements, 0 in a dictionary; `repeats` is whether a
    few of its bytes can stand for many values.
    """

    checksum: int | None
    start: int
    size: int
    whole: int
    values: int
    repeats: bool


def first_without_checksum(file: BinaryIO, among: Iterable[Chunk]) -> tuple[int, str] | None:
    """Give row group and column of the first column chunk, of an open Parquet file, whose first page has no checksum.

    `among` are the chunks to look at, see `chunks`.
    """
    for chunk in among:
        with suppress(MalformedError):
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
        with suppress(MalformedError):  # found as the column is read, and of no concern where none reads it
            for page in _pages(file, chunk):
                if page.checksum is not None and _crc(file, page) != page.checksum & 0xFFFFFFFF:
                    return chunk.row_group, chunk.column
    return None


def are_whole(file: BinaryIO, among: Iterable[Chunk]) -> bool:
    """Tell whether each chunk consists of pages, as their headers have it, and of nothing else."""
    try:
        return all(
            max((page.start + page.size for page in _pages(file, chunk)), default=0) == chunk.stop for chunk in among
        )
    except MalformedError:
        return False


def longest_value(file: BinaryIO, chunk: Chunk) -> int:
    """Hold what the pages of a chunk claim against the footer and their bytes; return the most bytes of a value.

    That is for values that a few bytes can stand for, again and again; 0 where there are none. Raises
    MalformedError where claims contradict each other, UsageError where a page is too large to be read.
    """
    left, longest = chunk.values, 0
    for page in _pages(file, chunk):
        if page.whole > max(LARGE_PAGE, MOST_PACKED * page.size):
            message = f"a page claims {page.whole:,} bytes in {page.size:,}: that is more than is read"
            raise UsageError(message, place=Place(row_group=chunk.row_group, column=chunk.name))
        left -= page.values  # Arrow reads on until there are as many as its footer says, and no further
        if left < 0:
            raise MalformedError(f"the pages of {chunk.column} have more values than its footer says")
        if page.repeats:
            longest = max(longest, page.whole)
    if left:
        raise MalformedError(f"the pages of {chunk.column} have {left} values fewer than its footer says")
    return longest if chunk.is_bytes else 0


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the column chunks that have values, as the footer has them; none where the file has no footer.

    Raises MalformedError where the footer cannot be understood, UsageError where it is too large to be read.
    """
    end = file.seek(0, 2) - 8
    file.seek(max(end, 0))
    size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic != MAGIC or not 0 < size <= end:
        return
    if size > MAX_FOOTER:
        raise UsageError(f"a footer of {size:,} bytes is more than is read")
    file.seek(end - size)
    left = end - size
    try:
        # FileMetaData.schema and .row_groups, RowGroup.columns, ColumnChunk.meta_data
        footer = _footer(file.read(size))
        leaves = _leaves(footer.get(2, ()))
        for group, columns in enumerate(footer.get(4, ())):
            for number, column in enumerate(columns.get(1, ())):
                about = column.get(3, {})
                chunk = _chunk(group, about, end - size)
                if chunk is None:
                    continue
                left -= chunk.stop - chunk.start
                if left < 0:
                    raise MalformedError("column chunks share their bytes")
                yield chunk._replace(fault=_fault(column, leaves[number : number + 1]))
    except (AttributeError, TypeError) as error:  # a field of another type than it should have
        raise MalformedError("the footer cannot be understood") from error


def _footer(data: bytes) -> Struct:
    try:
        return read_struct(data)[0]
    except MalformedError as error:
        raise MalformedError(f"the footer cannot be understood: {error}") from error


def _leaves(schema: list[Struct]) -> list[tuple[bytes, int]]:
    """Give the leaves of a schema in order: the column of the table that each is part of, and its physical type."""
    leaves, groups, name = [], list[int](), b""
    for element in schema[1:]:
        while groups and groups[-1] == 0:
            groups.pop()
        if groups:
            groups[-1] -= 1
        else:
            name = element.get(4, b"")
        if 1 in element:
            leaves.append((name, element[1]))
        else:
            groups.append(element.get(5, 0))
    return leaves


def _fault(column: Struct, at_its_place: list[tuple[bytes, int]]) -> str:
    """Say what a ColumnChunk contradicts, "" where it is that of the schema's leaf at its place."""
    about = column[3]
    # Arrow goes by the place of a column alone, and others may go by its name.
    if at_its_place != [(b"".join(about.get(3, ())[:1]), about.get(1))]:
        return "is not that of the schema"
    try:
        b".".join(about[3]).decode()
    except UnicodeDecodeError:
        return "has a name that is not UTF-8"
    return "is in another file" if column.get(1) else ""


def _chunk(group: int, column: Struct, limit: int) -> Chunk | None:
    """Give a chunk by the fields of ColumnMetaData; None where it is empty."""
    if not column.get(5):
        return None
    starts = [offset for offset in (column.get(9), column.get(11)) if isinstance(offset, int) and offset > 0]
    start = min(starts, default=0)
    stop = start + column.get(7, 0)
    name = ".".join(part.decode("utf-8", "replace") for part in column.get(3, ()))
    if not 0 < start < stop <= limit or column[5] < 0:
        raise MalformedError(f"column {name} in row group {group} is not in the file")
    return Chunk(group, name, start, stop, int(column[5]), int(column.get(6, 0)), column.get(1) in BYTES)


def _pages(file: BinaryIO, chunk: Chunk) -> Iterator[Page]:
    """Yield the pages of a chunk. Raises MalformedError where they cannot be told apart."""
    at = chunk.start
    while at < chunk.stop:
        header, length = _header(file, at, chunk.stop)
        at += length
        page = _page(header, at)
        if not 0 <= page.size <= chunk.stop - at:
            raise MalformedError(f"a page of {chunk.column} is longer than its column")
        yield page
        at += page.size


def _page(header: Struct, at: int) -> Page:
    """Give a page by the fields of PageHeader."""
    try:
        kind = header[1]
        about = header[KINDS[kind]] if kind in KINDS else {}
        values, size, whole = int(about.get(1, 0)), int(header[3]), int(header[2])
        repeats = kind == DICTIONARY_PAGE or about.get(4 if kind == DATA_PAGE_V2 else 2) == DELTA_BYTE_ARRAY
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MalformedError("a page's header cannot be understood") from None
    checksum = header.get(4)
    if whole < 0 or values < 0:
        raise MalformedError("a page claims less than nothing")
    # A dictionary's own values are none of the column's.
    values = 0 if kind == DICTIONARY_PAGE else values
    return Page(checksum if isinstance(checksum, int) else None, at, size, whole, values, repeats)


def _header(file: BinaryIO, at: int, stop: int) -> tuple[Struct, int]:
    for longest in HEADER_BYTES:
        file.seek(at)
        with suppress(MalformedError):
            return read_struct(file.read(min(longest, stop - at)))
        if longest >= stop - at:
            break
    raise MalformedError("a page has no header")


def _crc(file: BinaryIO, page: Page) -> int:
    file.seek(page.start)
    crc, left = 0, page.size
    while left:
        piece = file.read(min(left, PIECE))
        if not piece:
            break
        crc, left = zlib.crc32(piece, crc), left - len(piece)
    return crc
