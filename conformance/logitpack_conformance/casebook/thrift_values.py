"""Thrift's compact protocol as values that can be changed and written again: for footers that no library writes.

Strategy: a struct is a list of (field, type, value), a list is (type of its elements, values); everything else is an
integer or bytes. What was read and not changed is written as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from logitpack_conformance.oracle.parquet_pages import BINARY, BOOLEANS, DOUBLE, INTEGERS, LISTS, STRUCT, Thrift

I32 = INTEGERS[1]


@dataclass
class Struct:
    """A struct: its fields in their order, as (field, type, value)."""

    fields: list[tuple[int, int, Any]]

    def get(self, field: int) -> Any:
        """Return the value of a field, None where there is none."""
        return next((value for number, _, value in self.fields if number == field), None)

    def put(self, field: int, kind: int, value: Any) -> None:
        """Set a field."""
        self.drop(field)
        self.fields = sorted([*self.fields, (field, kind, value)], key=lambda one: one[0])

    def drop(self, *fields: int) -> None:
        """Take fields away."""
        self.fields = [one for one in self.fields if one[0] not in fields]


@dataclass
class Values:
    """A list: the type of its elements, and these."""

    kind: int
    values: list[Any]


def read_struct(cursor: Thrift) -> Struct:
    """Read a struct. Raises IndexError."""
    fields, field = [], 0
    while head := cursor.byte():
        field = field + (head >> 4) if head >> 4 else cursor.zigzag()
        kind = head & 15
        fields.append((field, kind, None if kind in BOOLEANS else _read(cursor, kind)))
    return Struct(fields)


def _read(cursor: Thrift, kind: int) -> Any:
    if kind in INTEGERS:
        value = cursor.varint()
        return (value >> 1) ^ -(value & 1)
    if kind == STRUCT:
        return read_struct(cursor)
    if kind in LISTS:
        head = cursor.byte()
        size = cursor.varint() if head >> 4 == 15 else head >> 4
        return Values(head & 15, [_read(cursor, head & 15) for _ in range(size)])
    length = cursor.varint() if kind == BINARY else 8 if kind == DOUBLE else 1
    start = cursor.position
    cursor.position += length
    return cursor.data[start : cursor.position]


def struct_bytes(struct: Struct) -> bytes:
    """Return the bytes of a struct."""
    found, last = b"", 0
    for field, kind, value in struct.fields:
        step = field - last
        found += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _varint(field * 2)
        found += b"" if kind in BOOLEANS else _bytes(kind, value)
        last = field
    return found + b"\0"


def _bytes(kind: int, value: Any) -> bytes:
    if kind in INTEGERS:
        return _varint(value * 2 if value >= 0 else -value * 2 - 1)
    if kind == STRUCT:
        return struct_bytes(value)
    if kind in LISTS:
        size = len(value.values)
        head = bytes([size << 4 | value.kind]) if size < 15 else bytes([0xF0 | value.kind]) + _varint(size)
        return head + b"".join(_bytes(value.kind, one) for one in value.values)
    raw = bytes(value)
    return _varint(len(raw)) + raw if kind == BINARY else raw  # a double, a byte, or a boolean among others


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])
