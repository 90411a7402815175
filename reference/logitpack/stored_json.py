"""Stored JSON: rows as they are stored, one JSON object a line (JSON-1, JSON-2).

Strategy: a line becomes Python lists, some lines together one record batch, and from there on
all is as with any other container. What Arrow has types and nulls for is left to be judged
there; what only JSON can get wrong is judged here, line by line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, NoReturn

import numpy as np
import pyarrow as pa

from logitpack.columns import Columns, Ragged, normalise
from logitpack.errors import DataError, Place
from logitpack.jsonforms import (
    NON_FINITE,
    Members,
    dumps,
    from_floats,
    halfway,
    kind_of,
    parse_for_float32,
    parse_line,
    read_lines,
    require_bounded,
    to_float,
)
from logitpack.table import COLUMNS, Column

_BATCH_TEXT = 1 << 23  # characters of JSON that become one record batch
_INT64 = range(-(2**63), 2**63)


def read_stored(file: BinaryIO, *, batch_tokens: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Yield the rows of stored JSON, as record batches of about `batch_tokens` tokens.

    Types are canonical, but int64 stands where a value is out of its range. `token_ids` is
    there if the first row has it. Members that are no columns are ignored (COL-4).

    Raises DataError, with the number of its line as the row: JSON-1 (text), COL-1 (a column
    missing or twice, `token_ids` in some rows only), COL-2 (a value of another type), JSON-2
    (base64), once the rows before have been yielded. Nulls within the types are returned as such.
    """
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    size = tokens = 0
    broken = None
    try:
        for number, text in read_lines(file):
            members = parse_line(number, text)
            if number == 0:
                names = [name for name, c in COLUMNS.items() if c.required or name in members]
            rows.append(_row(members, number, text, names))
            size += len(text)
            del members, text  # a long row is not kept while it is judged, or the next is read
            count = rows[-1]["num_tokens"]
            tokens += count if count in range(batch_tokens) else batch_tokens
            if tokens >= batch_tokens or size >= _BATCH_TEXT:
                batch = _record_batch(rows, names)
                rows, size, tokens = [], 0, 0
                yield batch
                del batch
    except DataError as error:
        broken = error
    if rows:
        yield _record_batch(rows, names)
    if broken is not None:
        raise broken


def stored_lines(record_batch: pa.RecordBatch, *, first_row: int = 0) -> Iterator[str]:
    """Yield each row as a line of stored JSON, without a line break. `first_row` is the place of the first in its file.

    Only types are judged (DataError COL-1, COL-2, FILE-1), and nulls, which these lines do not
    hold (COL-3): rows that break other requirements are written as they are. Raises UsageError for a row whose line
    would be longer than is read.
    """
    columns = normalise(record_batch, first_row=first_row)
    for null in columns.nulls:
        raise null.error()
    for row in range(len(columns)):
        line = dumps(dict(_members(columns, row)))
        require_bounded(line.encode(), first_row + row)
        yield line


def _members(columns: Columns, row: int) -> Iterator[tuple[str, object]]:
    for name, column in COLUMNS.items():
        if column.kind == "scalar":
            yield name, int(columns.num_tokens[row])
            continue
        ragged: Ragged | None = getattr(columns, name)
        if ragged is None:
            continue
        values = ragged.values[ragged.offsets[row] : ragged.offsets[row + 1]]
        if column.kind == "binary":
            yield name, base64.b64encode(values.tobytes()).decode("ascii")
        elif column.accepts == "float":  # binary32 widens to binary64 without a change
            yield name, from_floats(values.astype(np.float64).tolist())
        else:
            yield name, values.tolist()


def _row(members: Members, number: int, text: str, names: list[str]) -> dict[str, Any]:
    """Return the columns of one line, each of its type, with nulls as they are."""
    for name, column in COLUMNS.items():
        if name in members.twins or (column.required and name not in members):
            word = "stands twice" if name in members.twins else "is not there"
            _refuse("COL-1", number, name, f"{name} {word}, expected once")
    if ("token_ids" in members) != ("token_ids" in names):
        _refuse("COL-1", number, "token_ids", "token_ids is in some rows only")
    row = {name: _value(COLUMNS[name], members[name], number, text) for name in names}
    # Base64 is judged once the types of all columns are known to hold (JSON-2).
    return {name: _binary(COLUMNS[name], v, number) if isinstance(v, str) else v for name, v in row.items()}


def _value(column: Column, value: Any, number: int, text: str) -> Any:
    if value is None:
        return None
    if column.kind == "binary":
        if not isinstance(value, str):
            _refuse_type(column, number, value)
        return value
    if column.kind == "list":
        if not isinstance(value, list):
            _refuse("COL-2", number, column.name, f"{column.name} is {kind_of(value)}, expected an array")
        if column.accepts == "float":
            return _floats(column, value, number, text)
        return _integers(column, value, number)
    return _integers(column, [value], number)[0]


def _integers(column: Column, values: list[Any], number: int) -> list[Any]:
    types = set(map(type, values))
    if not types <= {int, type(None)}:
        _refuse_type(column, number, next(v for v in values if v is not None and type(v) is not int))
    # No range reaches as far as 64 bits, so what is beyond them may as well be their end.
    if any(v is not None and v not in _INT64 for v in _extremes(values, types)):
        return [v if v is None else min(max(v, -(2**63)), 2**63 - 1) for v in values]
    return values


def _extremes(values: list[Any], types: set[type]) -> list[Any]:
    if type(None) in types:
        values = [v for v in values if v is not None]
    return [min(values), max(values)] if values else []


def _floats(column: Column, values: list[Any], number: int, text: str) -> list[Any]:
    if not set(map(type, values)) <= {float}:
        for value in values:
            known = type(value) in {int, float, type(None)}
            if not known and not (isinstance(value, str) and value in NON_FINITE):
                _refuse_type(column, number, value)
        values = [None if v is None else to_float(v) for v in values]
    if column.value == "float32":
        near = halfway(np.array(values, np.float64))  # a null is NaN here
        if near.size:
            again = parse_for_float32(text)[column.name]
            for at in near:
                values[at] = again[at]
    return values


def _binary(column: Column, value: str, number: int) -> bytes:
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        _refuse("JSON-2", number, column.name, f"{column.name} is not base64: {error}")
    if base64.b64encode(data).decode("ascii") != value:
        _refuse("JSON-2", number, column.name, f"{column.name} is not base64: unused bits are set")
    return data


def _record_batch(rows: list[dict[str, Any]], names: list[str]) -> pa.RecordBatch:
    arrays = {name: _array(COLUMNS[name], [row[name] for row in rows]) for name in names}
    return pa.RecordBatch.from_pydict(arrays)


def _array(column: Column, values: list[Any]) -> pa.Array:
    if column.kind == "binary":
        return pa.array(values, pa.binary())
    if column.value == "float32":
        # Arrow refuses what binary32 cannot hold; the cast makes it infinite.
        return pa.array(values, pa.list_(pa.float64())).cast(column.arrow_type, safe=False)
    if column.accepts == "float" or _fits(column, values):
        return pa.array(values, column.arrow_type)
    return pa.array(values, pa.list_(pa.int64()) if column.kind == "list" else pa.int64())


def _fits(column: Column, values: list[Any]) -> bool:
    """Return whether the canonical type can hold all integers."""
    limits = np.iinfo(column.value)
    lists = values if column.kind == "list" else [values]
    numbers = [v for v in chain.from_iterable(filter(None, lists)) if v is not None]
    return not numbers or (limits.min <= min(numbers) and max(numbers) <= limits.max)


def _refuse_type(column: Column, number: int, value: object) -> NoReturn:
    wanted = {"integer": "integers", "float": "numbers", "bytes": "a base64 string"}[column.accepts]
    what = "a fraction" if isinstance(value, float) else kind_of(value)
    _refuse("COL-2", number, column.name, f"{column.name} holds {what}, expected {wanted}")


def _refuse(requirement: str, number: int, name: str, message: str) -> NoReturn:
    place = Place(row=number, column=name)
    raise DataError(message, requirement=requirement, place=place) from None
