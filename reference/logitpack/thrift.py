"""Structs in Thrift's compact protocol, as plain values.

Strategy: the footer and the page headers of a Parquet file are such structs. Arrow keeps from its callers
what FILE-4 needs of them, and aborts the process over some broken footers, so they are read here. Lengths and
counts are held against the bytes that are there before anything is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Struct = dict[int, Any]
DEEPEST = 16
LONGEST_VARINT = 10


class MalformedError(ValueError):
    """The bytes are no struct."""


def read_struct(data: bytes, at: int = 0, *, depth: int = 0) -> tuple[Struct, int]:
    """Return the fields of a struct by their ids, and where it ends. Raises MalformedError."""
    if depth > DEEPEST:
        raise MalformedError("nested too deeply")
    fields: Struct = {}
    field = 0
    while head := _byte(data, at):
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            field, at = _zigzag(data, at)
        kind = head & 15
        if kind in {1, 2}:  # a boolean is in its head
            fields[field] = kind == 1
        else:
            fields[field], at = _value(data, at, kind, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind == 12:
        return read_struct(data, at, depth=depth + 1)
    if kind in {9, 10}:
        return _list(data, at, depth + 1)
    if kind not in SIMPLE:
        raise MalformedError(f"type {kind}")
    return SIMPLE[kind](data, at)


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    head = _byte(data, at)
    count, kind, at = head >> 4, head & 15, at + 1
    if count == 15:
        count, at = _varint(data, at)
    if depth > DEEPEST or count > len(data) - at:  # an element has at least one byte
        raise MalformedError("list longer than the bytes that are there")
    elements = []
    for _ in range(count):
        element, at = _value(data, at, 3 if kind in {1, 2} else kind, depth)
        elements.append(element)
    return elements, at


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise MalformedError("breaks off")
    return data[at]


def _fixed(size: int) -> Callable[[bytes, int], tuple[bytes, int]]:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if size > len(data) - at:
            raise MalformedError("breaks off")
        return data[at : at + size], at + size

    return read


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 7 * LONGEST_VARINT, 7):
        byte = _byte(data, at)
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise MalformedError("integer too long")


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _binary(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    return _fixed(size)(data, at)


SIMPLE: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    3: _fixed(1),
    4: _zigzag,
    5: _zigzag,
    6: _zigzag,
    7: _fixed(8),
    8: _binary,
}
