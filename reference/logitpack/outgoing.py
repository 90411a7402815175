"""Rows on their way to a file: whatever the caller has, as record batches of canonical types.

Strategy: logical rows become batches, batches and stored rows become record batches, and all
come out through one place that holds them against the metadata and against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, NoReturn, TypeAlias

import numpy as np
import pyarrow as pa

from logitpack import refusals
from logitpack.batch import Batch
from logitpack.codec import encode, sound, to_record_batch
from logitpack.columns import cut, normalise
from logitpack.errors import LogitPackError, Place, UsageError
from logitpack.logical_json import batch_from_logical
from logitpack.metadata import KEY, Metadata
from logitpack.ragged import blocks
from logitpack.table import COLUMNS

Row: TypeAlias = Batch | pa.RecordBatch | pa.Table | Mapping[str, Any]


def outgoing(rows: Row | Iterable[Row], metadata: Metadata | None, *, batch_tokens: int) -> Iterator[pa.RecordBatch]:
    """Yield rows as record batches of one schema: canonical columns, then the caller's others.

    Raises UsageError, and DataError for stored rows, as `writer.write` says; the place counts
    rows over all that were given.
    """
    if isinstance(rows, Batch | pa.RecordBatch | pa.Table | Mapping):
        rows = [rows]
    sequence = _Sequence(metadata)
    for item in _gathered(rows, batch_tokens):
        if isinstance(item, list):
            with sequence.counting_rows():
                batch = batch_from_logical(item)
            yield from sequence.decoded(batch)
        elif isinstance(item, Batch):
            with sequence.counting_rows():
                refusals.check_shapes(item)
            for start, stop in blocks(item.row_offsets, batch_tokens):
                yield from sequence.decoded(_part(item, start, stop))
        else:
            for record_batch in item.to_batches() if isinstance(item, pa.Table) else [item]:
                with sequence.counting_rows():
                    parts = cut(record_batch)
                for part in parts:
                    yield from sequence.stored(part)


def carried(rows: Row | Iterable[Row]) -> tuple[Metadata | None, Row | Iterable[Row]]:
    """Return the metadata that stored rows bring in their schema, the first ones decide, and the rows.

    Raises DataError (META-1, META-2, META-7).
    """
    source: object = rows
    if not isinstance(rows, Batch | pa.RecordBatch | pa.Table | pa.RecordBatchReader | Mapping):
        iterator = iter(rows)
        head = list(islice(iterator, 1))
        source, rows = head[0] if head else None, chain(head, iterator)
    if not isinstance(source, pa.RecordBatch | pa.Table | pa.RecordBatchReader):
        return None, rows
    raw = (source.schema.metadata or {}).get(KEY)
    return None if raw is None else Metadata.from_bytes(raw), rows


def _gathered(
    rows: Iterable[Row], batch_tokens: int
) -> Iterator[Batch | pa.RecordBatch | pa.Table | list[Mapping[str, Any]]]:
    """Yield rows as they are, but logical ones in lists of some `batch_tokens` tokens."""
    logical: list[Mapping[str, Any]] = []
    tokens = 0
    for row in rows:
        if isinstance(row, Mapping):
            logical.append(row)
            held = row.get("tokens")
            tokens += len(held) if isinstance(held, list) else 0
        elif not isinstance(row, Batch | pa.RecordBatch | pa.Table):
            raise UsageError(f"rows hold {type(row).__name__}, expected batches or logical rows")
        if logical and (tokens >= batch_tokens or not isinstance(row, Mapping)):
            yield logical
            logical, tokens = [], 0
        if not isinstance(row, Mapping):
            yield row
    if logical:
        yield logical


class _Sequence:
    """What the rows have been so far, which those to come are held against."""

    def __init__(self, metadata: Metadata | None) -> None:
        self.metadata = metadata
        self.num_sampled: int | None = None
        self.schema: pa.Schema | None = None
        self.rows = 0

    def decoded(self, batch: Batch) -> Iterator[pa.RecordBatch]:
        """Encode a batch, which refuses what cannot be stored."""
        if len(batch.num_tokens) == 0:
            return
        with self.counting_rows():
            record_batch = encode(batch, self.metadata)
        yield self._admitted(record_batch, batch.num_sampled)

    def stored(self, record_batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Judge stored rows as a reader does, bring them to canonical types, keep the others."""
        if record_batch.num_rows == 0:
            return
        with self.counting_rows():
            columns = normalise(record_batch)
            widths = sound(columns)
            differs = np.flatnonzero(widths != widths[0])
            if differs.size:
                row = int(differs[0])
                _refuse_width(int(widths[row]), int(widths[0]), "ROW-5", Place(row=row))
            refusals.check_claims(columns, self.metadata)
            canonical = _with_others(to_record_batch(columns), record_batch)
        yield self._admitted(canonical, int(widths[0]))

    def _admitted(self, record_batch: pa.RecordBatch, num_sampled: int) -> pa.RecordBatch:
        """Return rows that may stand with those before them, and count them."""
        place = Place(row=self.rows)
        if self.metadata is not None and num_sampled != self.metadata.num_sampled:
            _refuse_width(num_sampled, self.metadata.num_sampled, "TAIL-4", place)
        if self.schema is None:
            self.schema, self.num_sampled = record_batch.schema, num_sampled
        if num_sampled != self.num_sampled:
            _refuse_width(num_sampled, self.num_sampled, "ROW-5", place)
        if record_batch.schema != self.schema:
            names = set(record_batch.schema.names) ^ set(self.schema.names)
            what = f"{', '.join(sorted(names))} in some rows only" if names else "of other types"
            raise UsageError(f"columns differ from those of the rows before: {what}", place=place)
        self.rows += record_batch.num_rows
        return record_batch

    @contextmanager
    def counting_rows(self) -> Iterator[None]:
        """Let errors over the rows at hand count rows over all that were given."""
        try:
            yield
        except LogitPackError as error:
            raise refusals.moved(error, rows=self.rows) from error.__cause__


def _refuse_width(got: int, expected: int | None, requirement: str, place: Place) -> NoReturn:
    source = "as declared" if requirement == "TAIL-4" else "as in the rows before"
    message = f"the tail has {got} entries a token, expected {expected} {source}"
    raise UsageError(message, requirement=requirement, place=place, got=got, allowed=expected)


def _part(batch: Batch, start: int, stop: int) -> Batch:
    """Return rows `start` to `stop` of a batch, without copies."""
    tokens = slice(*batch.row_offsets[[start, stop]].tolist())
    entries = slice(*batch.top_offsets[[tokens.start, tokens.stop]].tolist())
    return Batch(
        num_tokens=batch.num_tokens[start:stop],
        top_counts=batch.top_counts[tokens],
        top_indices=batch.top_indices[entries],
        top_logits=batch.top_logits[entries],
        sampled_indices=batch.sampled_indices[tokens],
        sampled_logits=batch.sampled_logits[tokens],
        logsumexp=batch.logsumexp[tokens],
        token_ids=None if batch.token_ids is None else batch.token_ids[tokens],
    )


def _with_others(canonical: pa.RecordBatch, source: pa.RecordBatch) -> pa.RecordBatch:
    """Return the canonical columns with those of `source` that LogitPack does not name (COL-6)."""
    fields, arrays = list(canonical.schema), list(canonical.columns)
    for number, field in enumerate(source.schema):
        if field.name not in COLUMNS:
            array = source.column(number)
            try:
                array.validate(full=True)
            except (pa.ArrowException, ValueError) as error:
                raise UsageError(f"{field.name} is corrupt: {error}", place=Place(column=field.name)) from error
            fields.append(field)
            arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
