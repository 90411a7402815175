"""Columns: a record batch as flat numpy arrays, whatever Arrow types it has (COL-1..COL-3).

Strategy: each list or binary column becomes one flat array and the offsets of its rows,
without a copy where Arrow has it so already. Only types, nulls and offsets are looked at here;
what the lengths and values are is judged by `structure`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logitpack.arrays import (
    Numbers,
    flat,
    flat_bytes,
    is_null,
    known_arrays,
    lengths,
    numbers,
    plain,
    row_elements,
)
from logitpack.breach import Breach, Detail
from logitpack.errors import UsageError
from logitpack.ragged import to_offsets
from logitpack.table import COLUMNS, Column, check_schema, schema_errors

Offsets = NDArray[np.int64]

SLICE_ELEMENTS = 1 << 24
"""Elements of all columns that are worked on at a time: some 100,000 tokens have as many."""
MOST_SHARED, MOST_BY_BYTE = 1 << 20, 64
"""Elements of a batch whose rows may share all they have, and for each byte of a larger one."""


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """A list or binary column: the values of all its rows, one row after another.

    `values` are [elements], those of row r being
    ``values[offsets[r]:offsets[r + 1]]``; `offsets` is int64 [rows + 1] and begins with 0.
    """

    values: Numbers
    offsets: Offsets

    @property
    def lengths(self) -> Offsets:
        """Elements of each row: int64 [rows]."""
        return self.offsets[1:] - self.offsets[:-1]

    def slice(self, start: int, stop: int) -> Ragged:
        """Return rows `start` to `stop`, without a copy of the values."""
        offsets = self.offsets[start : stop + 1]
        return Ragged(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])

    def select(self, mask: NDArray[np.bool_]) -> Ragged:
        """Return the rows where `mask` [rows] is true."""
        lengths = self.lengths
        return Ragged(self.values[np.repeat(mask, lengths)], to_offsets(lengths[mask]))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A record batch, column by column, as it is stored: no length or value has been judged.

    Integers keep their stored type, so that a value out of range is still seen; the ranges
    (`top_min` and its like) are float32, the nearest to what is stored; `logsumexp` is
    float64; the `*_high` columns are uint8. `first_row` is the batch's first row in its file.

    `nulls` are the breaches of COL-3. A row with a null is empty in every column here, so that
    the rows keep their numbers; no other requirement can be judged on it.
    """

    num_tokens: Numbers
    top_counts: Ragged
    top_indices_low: Ragged
    top_indices_high: Ragged
    top_logits_quantized: Ragged
    top_min: Ragged
    top_max: Ragged
    sampled_indices_low: Ragged
    sampled_indices_high: Ragged
    sampled_logits_quantized: Ragged
    sampled_min: Ragged
    sampled_max: Ragged
    logsumexp: Ragged
    token_ids: Ragged | None = None
    first_row: int = 0
    nulls: tuple[Breach, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.num_tokens.size

    def ragged(self, name: str) -> Ragged:
        """Return the list or binary column `name`."""
        column: Ragged = getattr(self, name)
        return column

    def slice(self, start: int, stop: int) -> Columns:
        """Return rows `start` to `stop`, of rows without nulls, without a copy of the values."""
        parts = {name: column.slice(start, stop) for name, column in self._ragged().items()}
        return Columns(self.num_tokens[start:stop], **parts, first_row=self.first_row + start)

    def select(self, mask: NDArray[np.bool_]) -> Columns:
        """Return the rows where `mask` [rows] is true, of rows without nulls.

        Returns itself where that is all of them. Else a row's place in its file is lost.
        """
        if mask.all():
            return self
        if not mask.any():
            return self.slice(0, 0)
        parts = {name: column.select(mask) for name, column in self._ragged().items()}
        return Columns(self.num_tokens[mask], **parts)

    def _ragged(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Ragged)}


def normalise(record_batch: pa.RecordBatch | pa.Table, *, first_row: int = 0) -> Columns:
    """Return the columns of `record_batch`, or of a table of chunked columns, in any of the accepted types.

    `first_row` is the place of its first row in its file, for messages. Nulls are found, but
    raise nothing. Raises DataError COL-1, COL-2 (columns and types) and FILE-1 (offsets or
    buffers that Arrow finds invalid). Other columns are not looked at (COL-4).
    """
    check_schema(record_batch.schema)
    if isinstance(record_batch, pa.Table):
        record_batch = one_batch(record_batch)
    arrays = {name: plain(array) for name, array in known_arrays(record_batch).items()}
    nulls = tuple(_nulls(arrays, first_row))
    whole = np.ones(record_batch.num_rows, np.bool_)
    for breach in nulls:
        whole[breach.rows] = False
    if nulls:
        arrays = {name: array.filter(pa.array(whole)) for name, array in arrays.items()}
    parts: dict[str, Any] = {name: _converted(COLUMNS[name], array) for name, array in arrays.items()}
    if nulls:
        parts = {name: _spread(part, whole) for name, part in parts.items()}
    return Columns(**parts, first_row=first_row, nulls=nulls)


def cut(record_batch: pa.RecordBatch, *, elements: int = SLICE_ELEMENTS) -> list[pa.RecordBatch]:
    """Return a batch in slices of at most `elements` list elements each, or of one row.

    Views may share elements between rows, so that a small file can grow large once it is flat.
    A batch whose columns do not hold (COL-1, COL-2) is returned whole, for that to be found.
    Raises DataError FILE-1 as `normalise` does, UsageError where it would grow too large.
    """
    if record_batch.num_rows < 2 or schema_errors(record_batch.schema):
        return [record_batch]
    arrays = known_arrays(record_batch)
    ends = np.cumsum(row_elements(arrays))
    held = sum(array.get_total_buffer_size() for array in arrays.values())
    if ends[-1] > max(MOST_SHARED, MOST_BY_BYTE * held):
        raise UsageError(f"views of {ends[-1]:,} elements share {held:,} bytes: that is more than is read")
    parts, start = [], 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + elements, side="right")), start + 1)
        parts.append(record_batch.slice(start, stop - start))
        start = stop
    return parts


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """Return the table's columns, those that have a meaning here, as one batch (COL-4).

    Raises UsageError where the elements of one column do not fit a batch.
    """
    known = table.select([name for name in table.schema.names if name in COLUMNS]).combine_chunks()
    batches = known.to_batches()
    if len(batches) > 1:
        raise UsageError("the table is too large for one batch: decode its batches one by one")
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=known.schema)


def _spread(part: Numbers | Ragged, whole: NDArray[np.bool_]) -> Numbers | Ragged:
    """Put rows back to where `whole` is true, with empty rows between them."""
    if not isinstance(part, Ragged):
        numbers = np.zeros(whole.size, part.dtype)
        numbers[whole] = part
        return numbers
    lengths = np.zeros(whole.size, np.int64)
    lengths[whole] = part.lengths
    return Ragged(part.values, to_offsets(lengths))


def _converted(column: Column, array: pa.Array) -> Numbers | Ragged:
    if column.kind == "scalar":
        return _numbers(column, array)
    offsets = to_offsets(lengths(array))
    if column.kind == "binary":
        return Ragged(flat_bytes(array, int(offsets[-1])), offsets)
    return Ragged(_numbers(column, flat(array)), offsets)


def _numbers(column: Column, array: pa.Array) -> Numbers:
    values = numbers(array)
    if column.accepts == "integer":
        return values
    # A float64 beyond binary32 becomes infinite here, and so breaks QNT-1 as it should.
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(column.value, copy=False)


def _nulls(arrays: dict[str, pa.Array], first_row: int) -> list[Breach]:
    """Return the nulls of each column: first rows that are null, then elements."""
    breaches = []
    for name, array in arrays.items():
        column = COLUMNS[name]
        if array.null_count:
            breaches.append(_null(column, _null_positions(array), None, first_row))
        if column.kind == "list":
            lists = array.drop_null() if array.null_count else array
            elements = flat(lists)
            if elements.null_count:
                rows = np.flatnonzero(~is_null(array))
                at = _null_positions(elements)
                offsets = to_offsets(lengths(lists))
                row = np.searchsorted(offsets, at, side="right") - 1
                breaches.append(_null(column, rows[row], at - offsets[row], first_row))
    return breaches


def _null_positions(array: pa.Array) -> NDArray[np.int64]:
    return np.flatnonzero(is_null(array))


def _null(column: Column, rows: NDArray[np.int64], elements: NDArray[np.int64] | None, first_row: int) -> Breach:
    def describe(k: int) -> Detail:
        what = "" if elements is None else f"element {elements[k]} of "
        return Detail(f"{what}{column.name} is null", None, column.type)

    # An element is a token's only where the column has one for each token.
    tokens = elements if column.length_requirement in {"ROW-2", "ALN-4"} else None
    return Breach("COL-3", column.name, rows, describe, tokens=tokens, first_row=first_row)
