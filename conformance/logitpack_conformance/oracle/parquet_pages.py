"""The page headers of a Parquet file: whether each page carries a checksum (FILE-4), and whether it is right (FILE-5).

Strategy: a page header is a Thrift struct in the compact protocol. Only few of its fields matter: 3, the size of the
page as stored; 4, the CRC-32 of those bytes; 5 and 8, of a data page, how many values it has; and where the header
ends. Everything else is skipped by its type.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

BOOLEANS, BYTE, INTEGERS, DOUBLE, BINARY, LISTS, MAP, STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12


class Thrift:
    """A cursor over bytes in Thrift's compact protocol. Raises IndexError past the end."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position

    def byte(self) -> int:
        """Return the next byte."""
        self.position += 1
        return self.data[self.position - 1]

    def varint(self) -> int:
        """Return an unsigned integer, seven bits a byte."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self) -> int:
        """Return a signed integer of 32 bits, as all are that matter here; more bits are cut off, as readers do."""
        value = self.varint() & 0xFFFFFFFF
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, *, element: bool = False) -> None:
        """Step over a value. A boolean field has no bytes of its own, a boolean element has one."""
        if self.position >= len(self.data):
            raise IndexError("past the end")
        if kind in BOOLEANS:
            self.position += element
        elif kind == BYTE:
            self.position += 1
        elif kind in INTEGERS:
            self.varint()
        elif kind == DOUBLE:
            self.position += 8
        elif kind == BINARY:
            length = self.varint()  # moves the position: read before it is added to
            self.position += length
        elif kind in LISTS:
            head = self.byte()
            for _ in range(self.varint() if head >> 4 == 15 else head >> 4):
                self.skip(head & 15, element=True)
        elif kind == STRUCT:
            self.struct()
        else:
            raise IndexError(f"no Thrift type {kind}")

    def struct(self) -> dict[int, Any]:
        """Read a struct; the fields that are integers, or structs of them, by their ids."""
        found: dict[int, Any] = {}
        field = 0
        while (head := self.byte()) & 15:  # others end a struct there, too, whatever else is in the byte
            field = field + (head >> 4) if head >> 4 else self.zigzag()
            if head & 15 in INTEGERS:
                found[field] = self.zigzag()
            elif head & 15 == STRUCT:
                found[field] = self.struct()
            else:
                self.skip(head & 15)
        return found


def pages(data: bytes, start: int, length: int) -> Iterator[tuple[dict[int, Any], bytes]]:
    """Yield the fields of each page's header in a column chunk, and the page as stored.

    Ends where the bytes are no page; whether the chunk can be read without is not judged here.
    """
    cursor, end = Thrift(data[: start + length], start), start + length
    while cursor.position < end:
        try:
            header = cursor.struct()
        except IndexError:
            return
        size = header.get(3, -1)
        if size < 0 or cursor.position + size > end:
            return
        page = data[cursor.position : cursor.position + size]
        cursor.position += size
        yield header, page


def page_checksums(data: bytes, start: int, length: int) -> Iterator[bool | None]:
    """For each page of a column chunk: None without a checksum, else whether it is right."""
    for header, page in pages(data, start, length):
        yield zlib.crc32(page) == header[4] & 0xFFFFFFFF if 4 in header else None


def count_values(data: bytes, start: int, length: int) -> int:
    """How many values the data pages of a column chunk say they have."""
    kinds = {0: 5, 3: 8}
    headers = [header for header, _ in pages(data, start, length)]
    return sum(header.get(kinds.get(header.get(1, -1), -1), {}).get(1, 0) for header in headers)
