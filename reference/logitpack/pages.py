"""The checksums of Parquet pages: which are missing (FILE-4), and which are wrong in columns not read (FILE-5).

Strategy: Arrow verifies the checksums of the columns that it reads, but does not tell which are there. A page header
is a Thrift struct in the compact protocol; of its fields only 3, the size of the page, and 4, its checksum, are of
interest, and neither is trusted for more than that.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

HEADER_BYTES = 4096
SIZE_FIELD, CRC_FIELD = 3, 4
I32 = 5
DEEPEST = 8
"""Page headers nest three structs; more is none."""


def first_without_checksum(path: str | Path) -> tuple[int, str] | None:
    """Give row group and column of the first column chunk whose first page has no checksum.

    A chunk whose header cannot be understood is passed over: reading the file tells what is wrong with it.
    """
    with Path(path).open("rb") as file, pq.ParquetFile(file) as source:
        for group, chunk, start in _chunks(source):
            file.seek(start)
            if has_checksum(file.read(HEADER_BYTES)) is False:
                return group, chunk.path_in_schema
    return None


def first_broken(path: str | Path, passed_over: Collection[str]) -> tuple[int, str] | None:
    """Give row group and column of the first page that does not match its checksum, but for some columns."""
    with Path(path).open("rb") as file, pq.ParquetFile(file) as source:
        for group, chunk, start in _chunks(source):
            if chunk.path_in_schema.split(".")[0] in passed_over:
                continue
            for crc, page in _pages(file, start, chunk.total_compressed_size):
                if crc is not None and zlib.crc32(page) != crc & 0xFFFFFFFF:
                    return group, chunk.path_in_schema
    return None


def has_checksum(header: bytes) -> bool | None:
    """Say whether a page header has field 4, its CRC; None where the bytes are no page header."""
    position, field = 0, 0
    while position < len(header):
        byte = header[position]
        position += 1
        if byte == 0 or field + (byte >> 4) > CRC_FIELD:
            return False
        # Fields 1 to 4 of a page header are all i32, in order, so the short form of their ids is used.
        if byte & 15 != I32 or byte >> 4 == 0:
            return None
        field += byte >> 4
        if field == CRC_FIELD:
            return True
        position = _varint(header, position)[1]
    return None


def _chunks(source: pq.ParquetFile) -> Iterator[tuple[int, Any, int]]:
    """Yield row group, column chunk and where its first page begins, of all chunks that have pages."""
    footer = source.metadata
    for group in range(footer.num_row_groups):
        try:
            # pyarrow raises here where it does not understand a column chunk, but aborts below.
            next(source.iter_batches(batch_size=1, row_groups=[group]), None)
        except (pa.ArrowException, OSError):
            continue
        for number in range(footer.num_columns):
            chunk = footer.row_group(group).column(number)
            offsets = [chunk.data_page_offset]
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                offsets.append(chunk.dictionary_page_offset)
            if chunk.num_values and min(offsets) >= 0:
                yield group, chunk, min(offsets)


def _pages(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int | None, bytes]]:
    """Yield checksum and bytes of each page, as far as the pages of the chunk can be told apart."""
    file.seek(start)
    data, at = file.read(max(size, 0)), 0
    while at < len(data):
        try:
            header, at = _struct(data, at, 0)
        except IndexError:
            return
        length = header.get(SIZE_FIELD, -1)
        if not 0 <= length <= len(data) - at:
            return
        yield header.get(CRC_FIELD), data[at : at + length]
        at += length


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, int], int]:
    """Return the i32 fields of a struct by their ids, and where it ends. Raises IndexError where it does not."""
    found: dict[int, int] = {}
    field = 0
    while head := data[at]:
        at, kind = at + 1, head & 15
        if head >> 4:
            field += head >> 4
        else:
            field, at = _zigzag(data, at)
        if kind == I32:
            found[field], at = _zigzag(data, at)
        elif kind > 2:  # a boolean is in its head
            at = _skip(data, at, kind, depth + 1)
    return found, at + 1


def _skip(data: bytes, at: int, kind: int, depth: int) -> int:
    """Return where a value of another type ends: integers, doubles, bytes, lists and structs."""
    if depth > DEEPEST or at >= len(data):
        raise IndexError
    if kind in {4, I32, 6}:
        return _varint(data, at)[1]
    if kind == 8:
        length, at = _varint(data, at)
        return at + length
    if kind == 9:
        count, element, at = data[at] >> 4, data[at] & 15, at + 1
        if count == 15:
            count, at = _varint(data, at)
        if element < 4:
            return at + count
        for _ in range(count):
            at = _skip(data, at, element, depth + 1)
        return at
    if kind == 12:
        return _struct(data, at, depth + 1)[1]
    fixed = {3: 1, 7: 8}
    if kind not in fixed:
        raise IndexError
    return at + fixed[kind]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned integer of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at
