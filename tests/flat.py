"""Messages of Arrow IPC whose numbers can be changed in place, to forge what record batches claim.

Strategy: a flatbuffer's tables are followed by their offsets to the few numbers that matter: lengths of arrays,
places and lengths of buffers, and what a footer says of its record batches.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SCHEMA, DICTIONARY, RECORD_BATCH = 1, 2, 3
CONTINUATION = b"\xff\xff\xff\xff"


@dataclass
class Message:
    """A message of a stream or file: where its metadata begin, where its body does, and what it is."""

    start: int
    body: int
    kind: int
    nodes: list[int]
    buffers: list[int]
    """Where pairs of 64-bit integers stand: (length, nulls) of an array, (offset, length) of a buffer."""


def number(data: bytes | bytearray, at: int, form: str = "<i") -> int:
    """Return an integer."""
    found: int = struct.unpack_from(form, data, at)[0]
    return found


def put(data: bytearray, at: int, value: int, form: str = "<q") -> None:
    """Overwrite an integer."""
    struct.pack_into(form, data, at, value)


def field(data: bytes | bytearray, table: int, name: int) -> int | None:
    """Return where the field of a table stands; None where it is absent."""
    vtable = table - number(data, table)
    at = 4 + 2 * name
    offset = number(data, vtable + at, "<H") if at < number(data, vtable, "<H") else 0
    return table + offset if offset else None


def follow(data: bytes | bytearray, at: int | None) -> int | None:
    """Return where a table, string or vector stands that is pointed to."""
    return None if at is None else at + number(data, at, "<I")


def vector(data: bytes | bytearray, table: int, name: int, width: int) -> list[int]:
    """Return where the elements of a vector of structs stand."""
    at = follow(data, field(data, table, name))
    count = 0 if at is None else number(data, at, "<I")
    if at is not None and at + width * count > len(data):
        raise ValueError(count)
    return [] if at is None else [at + 4 + width * k for k in range(count)]


def messages(data: bytes | bytearray) -> Iterator[Message]:
    """Yield the messages of a stream, or of a file up to its footer."""
    at = 8 if data.startswith(b"ARROW1") else 0
    while data[at : at + 4] == CONTINUATION and (size := number(data, at + 4)):
        start = at + 8
        table = start + number(data, start, "<I")
        kind = data[field(data, table, 1) or 0]
        header = follow(data, field(data, table, 2)) or 0
        long = field(data, table, 3)
        if kind == DICTIONARY:
            header = follow(data, field(data, header, 1)) or 0
        batch = kind in {DICTIONARY, RECORD_BATCH}
        nodes, buffers = (vector(data, header, name, 16) if batch else [] for name in (1, 2))
        yield Message(start, start + size, kind, nodes, buffers)
        if size < 0 or (long and number(data, long, "<q") < 0):
            return
        at = start + size + (number(data, long, "<q") if long else 0)


def blocks(data: bytes | bytearray) -> list[int]:
    """Return where the footer of a file tells of its record batches: offset, length of metadata, length of body."""
    start = len(data) - 10 - number(data, len(data) - 10)
    return vector(data, start + number(data, start, "<I"), 3, 24)
