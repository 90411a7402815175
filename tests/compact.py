"""Structs in Thrift's compact protocol as trees that can be changed and written again, to forge what files claim.

Strategy: a tree keeps the type of each value, so that what is not changed is written as it was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
END = b"PAR1"


@dataclass
class Field:
    """A field of a struct, or an element of a list, whose `id` is 0.

    `value` is an integer, bytes, a list of elements, or the list of a struct's fields.
    """

    id: int
    kind: int
    value: Any
    of: int = 0
    """The type of a list's elements."""

    def get(self, *path: int) -> Field:
        """Return what stands in this struct under some ids, and in lists at some places."""
        found = self
        for step in path:
            if found.kind == LIST:
                found = found.value[step]
            else:
                found = next(field for field in found.value if field.id == step)
        return found

    def has(self, name: int) -> bool:
        """Return whether this struct has a field."""
        return any(field.id == name for field in self.value)

    def nodes(self) -> Iterator[Field]:
        """Yield this and all that it holds."""
        yield self
        if self.kind in {LIST, STRUCT}:
            for inner in self.value:
                yield from inner.nodes()


def struct(name: int, *fields: Field) -> Field:
    """Make a struct."""
    return Field(name, STRUCT, list(fields))


def parsed(data: bytes, at: int = 0) -> tuple[Field, int]:
    """Return the struct that begins at `at`, and where it ends."""
    return _read(data, at, STRUCT, 0)


def written(field: Field) -> bytes:
    """Return the bytes of a struct."""
    out = bytearray()
    _write(out, field)
    return bytes(out)


def footer_of(data: bytes) -> Field:
    """Return the footer of a Parquet file."""
    size = int.from_bytes(data[-8:-4], "little")
    return parsed(data, len(data) - 8 - size)[0]


def with_footer(data: bytes, footer: Field) -> bytes:
    """Return a Parquet file with another footer."""
    size = int.from_bytes(data[-8:-4], "little")
    raw = written(footer)
    return data[: len(data) - 8 - size] + raw + len(raw).to_bytes(4, "little") + END


def varint(number: int) -> bytes:
    """Return an unsigned integer as it is written."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def zigzag(number: int) -> bytes:
    """Return a signed integer as it is written."""
    return varint((number << 1) ^ (number >> 63) if number < 0 else number << 1)


def _unsigned(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return number, at


def _signed(data: bytes, at: int) -> tuple[int, int]:
    number, at = _unsigned(data, at)
    return (number >> 1) ^ -(number & 1), at


def _read(data: bytes, at: int, kind: int, name: int) -> tuple[Field, int]:
    if kind in {TRUE, FALSE}:
        return Field(name, kind, None), at
    if kind in {I16, I32, I64}:
        value, at = _signed(data, at)
        return Field(name, kind, value), at
    if kind in {BYTE, DOUBLE, BINARY}:
        size, at = _unsigned(data, at) if kind == BINARY else (1 if kind == BYTE else 8, at)
        if at + size > len(data):
            raise IndexError(at)
        return Field(name, kind, data[at : at + size]), at + size
    elements = []
    if kind == LIST:
        count, of, at = data[at] >> 4, data[at] & 15, at + 1
        if count == 15:
            count, at = _unsigned(data, at)
        for _ in range(count):
            element, at = _read(data, at, BYTE if of in {TRUE, FALSE} else of, 0)
            elements.append(element)
        return Field(name, LIST, elements, of), at
    last = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            last += head >> 4
        else:
            last, at = _signed(data, at)
        element, at = _read(data, at, head & 15, last)
        elements.append(element)
    return Field(name, STRUCT, elements), at + 1


def _write(out: bytearray, field: Field) -> None:
    if field.kind in {I16, I32, I64}:
        out += zigzag(field.value)
    elif field.kind in {BYTE, DOUBLE, BINARY}:
        out += (varint(len(field.value)) if field.kind == BINARY else b"") + field.value
    elif field.kind == LIST:
        count = len(field.value)
        out += bytes([count << 4 | field.of]) if count < 15 else bytes([0xF0 | field.of]) + varint(count)
        if count and all(element is field.value[0] for element in field.value):  # a million are written as fast
            out += written(field.value[0]) * count
            return
        for element in field.value:
            _write(out, element)
    elif field.kind == STRUCT:
        last = 0
        for inner in field.value:
            step = inner.id - last
            out += bytes([step << 4 | inner.kind]) if 0 < step < 16 else bytes([inner.kind]) + zigzag(inner.id)
            _write(out, inner)
            last = inner.id
        out.append(0)
