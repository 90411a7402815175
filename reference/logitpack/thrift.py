"""Structs in Thrift's compact protocol, as plain values.

Strategy: the footer and the page headers of a Parquet file are such structs. Arrow keeps from its callers
what FILE-4 needs of them, and aborts the process over some broken footers, so they are read here. Lengths and
counts are held against the bytes that are there before anything is made of them, and what is made is counted: three
bytes of a footer can become a kilobyte. Where other parsers may see another value than is seen here, nothing is read.
"""

from __future__ import annotations

from typing import Any

Struct = dict[int, Any]
DEEPEST = 16
LONGEST_VARINT = 10
LARGEST_ID = 0x7FFF
MOST, STRUCT_COST = 8_000_000, 8
"""Values that are read of one struct and all below it, of which a struct counts as some."""

BOOLEANS, BYTE, INTEGERS, DOUBLE, BINARY, LISTS, STRUCT = {1, 2}, 3, {4, 5, 6}, 7, 8, {9, 10}, 12
"""The types of values, by their numbers."""


class MalformedError(ValueError):
    """The bytes are no struct."""


def read_struct(data: bytes, at: int = 0) -> tuple[Struct, int]:
    """Return the fields of a struct by their ids, and where it ends. Raises MalformedError."""
    try:
        return _struct(data, at, 0, [MOST])
    except IndexError:
        raise MalformedError("it breaks off") from None


def _struct(data: bytes, at: int, depth: int, left: list[int]) -> tuple[Struct, int]:
    if depth > DEEPEST:
        raise MalformedError("nested too deeply")
    fields: Struct = {}
    field = count = largest = 0
    while (head := data[at]) & 15:  # others end a struct there, too, whatever else is in the byte
        kind = head & 15
        if head >> 4:
            field, at = field + (head >> 4), at + 1
        else:
            largest = max(largest, field)
            field, at = _integer(data, at + 1)
            largest = max(largest, -field)
        count += 1
        if kind in BOOLEANS:  # their value is in the head
            fields[field] = kind == 1
        else:
            fields[field], at = _value(data, at, kind, depth, left)
    if count != len(fields) or max(largest, field) > LARGEST_ID:
        raise MalformedError("a field that stands twice, or whose id is too large")
    _count(left, STRUCT_COST + count)
    return fields, at + 1


def _count(left: list[int], values: int) -> None:
    left[0] -= values
    if left[0] < 0:
        raise MalformedError(f"more than {MOST:,} values")


def _value(data: bytes, at: int, kind: int, depth: int, left: list[int]) -> tuple[Any, int]:
    if kind in INTEGERS:
        return _integer(data, at)
    if kind == STRUCT:
        return _struct(data, at, depth + 1, left)
    if kind in LISTS:
        return _list(data, at, depth + 1, left)
    if kind == BINARY:
        size, at = _varint(data, at)
    elif kind in {BYTE, DOUBLE}:
        size = 1 if kind == BYTE else 8
    else:
        raise MalformedError(f"a value of unknown type {kind}")
    if size > len(data) - at:
        raise MalformedError("it breaks off")
    return data[at : at + size], at + size


def _list(data: bytes, at: int, depth: int, left: list[int]) -> tuple[list[Any], int]:
    head = data[at]
    count, kind, at = head >> 4, head & 15, at + 1
    if count == 15:
        count, at = _varint(data, at)
    if depth > DEEPEST or count > len(data) - at:  # an element has at least one byte
        raise MalformedError("list longer than the bytes that are there")
    _count(left, count)
    kind = BYTE if kind in BOOLEANS else kind
    elements = []
    for _ in range(count):
        element, at = _value(data, at, kind, depth, left)
        elements.append(element)
    return elements, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = data[at]
    if number < 0x80:
        return number, at + 1
    number &= 0x7F
    for shift in range(7, 7 * LONGEST_VARINT, 7):
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at + 1
    raise MalformedError("integer too long")


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Read an integer, whose sign is in its lowest bit."""
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at
