"""What Polars does not tell of a file, from its headers and footer alone.

That is: names that stand twice, a few types, the metadata of an Arrow schema, and bytes that are missing from a stream
or stand after its end.
"""

import struct
from itertools import islice
from typing import Any, NamedTuple

from logitpack_polars.faults import BreachError

CONTINUATION = b"\xff\xff\xff\xff"
FIXED_SIZE_BINARY, DICTIONARY = "fixed-size binary", "dictionary"
# By the numbers that Arrow gives them.
ODD_TYPES = {
    11: "interval",
    14: "union",
    15: FIXED_SIZE_BINARY,
    22: "run_end_encoded",
    23: "binary_view",
    25: "list_view",
    26: "list_view",
}
Buffer = Any  # bytes, or a map of a file


class Column(NamedTuple):
    """A column at the top level: where its name stands in the file, and what it is or holds beyond its Polars type."""

    name: slice
    odd: frozenset[str]


class Header(NamedTuple):
    """The columns of a file, and the values under the key `logitpack` of its Arrow schema (none in Parquet)."""

    columns: list[Column]
    metadata: list[bytes]


def header(data: Buffer) -> Header:
    """Read the header of a file of any container (section 4.1). Raises BreachError: FILE-1, FILE-3."""
    try:
        if data[:4] == b"PAR1":
            return _parquet(data)
        if data[:6] == b"ARROW1":
            return _arrow_file(data)
        if data[:4] == CONTINUATION or 0 < _number("<i", data, 0) <= len(data):
            return _arrow_stream(data)
    except (struct.error, LookupError, StopIteration, RecursionError, AttributeError, TypeError, ValueError) as error:
        raise BreachError("FILE-1", "the file ends early or is damaged") from error
    raise BreachError("FILE-1", "the first bytes are those of no container that Polars reads")


# Arrow: messages, and the flatbuffers in them


def _number(form: str, data: Buffer, at: int) -> int:
    if at < 0:
        raise IndexError(at)
    return int(struct.unpack_from(form, data, at)[0])


def _arrow_stream(data: Buffer) -> Header:
    """Go from message to message up to the end marker, which has to be the end of the file (FILE-3, FILE-1)."""
    found, at, marked = None, 0, data[:4] == CONTINUATION
    while len(data) - at >= 4 * (1 + marked):
        if marked and data[at : at + 4] != CONTINUATION:
            break
        at += 4 * marked
        size = _number("<i", data, at)
        at += 4
        if size == 0:
            if found is None or at != len(data):
                raise BreachError("FILE-1", "bytes stand after the end of the stream, or it has no schema")
            return found
        message = at + _number("<I", data, at)
        if found is None and _number("<B", data, _field(data, message, 1)) == 1:
            found = _schema(data, _table(data, message, 2))
        body = _number("<q", data, length) if (length := _field(data, message, 3)) else 0
        at += size + body
        if size < 0 or body < 0 or at > len(data) or found is None:
            raise BreachError("FILE-1", "a message is longer than the file, or the first is no schema")
    raise BreachError("FILE-3" if found else "FILE-1", "the stream has no end marker")


def _arrow_file(data: Buffer) -> Header:
    end = len(data) - 10 - _number("<i", data, len(data) - 10)
    if data[-6:] != b"ARROW1" or not 8 <= end <= len(data) - 10:
        raise BreachError("FILE-1", "the file does not end with a footer")
    footer = end + _number("<I", data, end)
    for blocks in (2, 3):
        for block in _vector(data, footer, blocks, 24):
            start, body = _number("<q", data, block), _number("<q", data, block + 16)
            marked = data[start : start + 4] == CONTINUATION
            size = _number("<i", data, start + 4 * marked)
            if size < 0 or body < 0 or start + 4 * marked + 4 + size + body > end:
                raise BreachError("FILE-1", "a record batch is longer than the file")
    return _schema(data, _table(data, footer, 1))


def _field(data: Buffer, table: int, slot: int) -> int:
    """Say where a field of a flatbuffer's table stands; 0 where it is absent."""
    entries = table - _number("<i", data, table)
    if 4 + 2 * slot >= _number("<H", data, entries):
        return 0
    offset = _number("<H", data, entries + 4 + 2 * slot)
    return table + offset if offset else 0


def _table(data: Buffer, table: int, slot: int) -> int:
    at = _field(data, table, slot)
    return at + _number("<I", data, at)


def _vector(data: Buffer, table: int, slot: int, width: int) -> range:
    if not _field(data, table, slot):
        return range(0)
    at = _table(data, table, slot)
    return range(at + 4, at + 4 + width * _number("<I", data, at), width)


def _text(data: Buffer, table: int, slot: int) -> slice:
    if not _field(data, table, slot):
        return slice(0, 0)
    at = _table(data, table, slot)
    return slice(at + 4, at + 4 + _number("<I", data, at))


def _schema(data: Buffer, schema: int) -> Header:
    columns = [_column(data, at + _number("<I", data, at)) for at in _vector(data, schema, 1, 4)]
    pairs = [at + _number("<I", data, at) for at in _vector(data, schema, 2, 4)]
    metadata = [bytes(data[_text(data, pair, 1)]) for pair in pairs if data[_text(data, pair, 0)] == b"logitpack"]
    return Header(columns, metadata)


def _column(data: Buffer, field: int) -> Column:
    odd, fields = set(), [field]
    for below in fields:
        kind = _field(data, below, 2)
        if kind and (number := _number("<B", data, kind)) in ODD_TYPES:
            odd.add(ODD_TYPES[number])
        if _field(data, below, 4):
            odd.add(DICTIONARY)
        fields.extend(child + _number("<I", data, child) for child in _vector(data, below, 5, 4))
        if len(fields) > len(data):
            raise BreachError("FILE-1", "the schema goes round in circles")
    return Column(_text(data, field, 0), frozenset(odd))


# Parquet: the footer, as far as its schema


def _parquet(data: Buffer) -> Header:
    size = _number("<i", data, len(data) - 8)
    if data[-4:] != b"PAR1" or not 0 < size <= len(data) - 12:
        raise BreachError("FILE-1", "the file does not end with a footer")
    elements = iter(_Thrift(data, len(data) - 8 - size).struct(until=2)[2])
    root, columns = next(elements), []
    for column in elements:
        leaves = [column]
        for element in leaves:  # what stands below a column follows it
            leaves.extend(islice(elements, element.get(5, 0)))
        odd = {FIXED_SIZE_BINARY} if column.get(1) == 7 else set()
        columns.append(Column(column[4], frozenset(odd)))
    if len(columns) != root.get(5, 0):
        raise BreachError("FILE-1", "the schema is damaged")
    return Header(columns, [])


class _Thrift:
    """Thrift's compact protocol. A binary value is given as where it stands."""

    def __init__(self, data: Buffer, at: int) -> None:
        self.data, self.at = data, at

    def struct(self, until: int | None = None) -> dict[int, Any]:
        """Read the fields of a struct, by their ids, up to the field `until`."""
        fields: dict[int, Any] = {}
        last = 0
        while until not in fields and (byte := self._byte()):
            last = last + (byte >> 4) if byte >> 4 else self._zigzag()
            fields[last] = self._value(byte & 15)
        return fields

    def _byte(self) -> int:
        self.at += 1
        return int(self.data[self.at - 1])

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise IndexError(self.at)

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _value(self, kind: int) -> Any:
        if kind in {1, 2}:
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in {4, 5, 6}:
            return self._zigzag()
        if kind == 8:
            size = self._varint()
            self.at += size
            return slice(self.at - size, self.at)
        if kind == 9:
            byte = self._byte()
            size = byte >> 4 if byte >> 4 < 15 else self._varint()
            return [self.struct() if byte & 15 == 12 else self._value(byte & 15) for _ in range(size)]
        if kind == 12:
            return self.struct()
        raise IndexError(kind)  # the fields before the schema's end have no other types
