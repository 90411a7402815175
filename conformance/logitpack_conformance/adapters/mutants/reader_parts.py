"""Readers that lose row groups, mistake offsets (RD-2, ROW-4), or hand out parts of what is broken (RD-1, RD-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from logitpack import DataError, arrays, arrow_ipc, codec, containers, parquet, structure
from logitpack.batch import Batch
from logitpack.columns import Columns
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, ARROW_STREAM, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.salvage import salvage
from logitpack_conformance.adapters.mutants.swap import wrap, wrap_method
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

READER = Role.READER


def _numbered(owner: type, choose: Callable[[int | None, int], bool]) -> None:
    """Return only batches that `choose` wants, by their number and that of all groups."""

    def batches(original: Any, self: Any, **options: Any) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        found = list(original(self, **options))
        last = max((group or 0 for group, _ in found), default=0)
        yield from ((group, batch) for group, batch in found if choose(group, last))

    wrap_method(owner, "batches", batches)


@mutant(READER, "RD-2")
def last_row_group_lost() -> None:
    """The last row group of a Parquet file with several is not read."""
    _numbered(parquet.ParquetSource, lambda group, last: not last or group != last)


@mutant(READER, "RD-2", containers=(ARROW_FILE,))
def last_batch_lost() -> None:
    """The last record batch of an Arrow file with several is not read."""
    _numbered(arrow_ipc.FileSource, lambda group, last: not last or group != last)


@mutant(READER, "RD-2", containers=(ARROW_STREAM,))
def first_batch_only() -> None:
    """Of an Arrow stream, the first record batch is read."""
    _numbered(arrow_ipc.StreamSource, lambda group, _: not group)


@mutant(READER, "RD-2")
def second_row_group_reversed() -> None:
    """The rows of the second row group come out last first."""

    def slices(original: Any, self: Any, **options: Any) -> Iterator[Any]:
        for part in original(self, **options):
            batch = part.record_batch
            yield (
                part._replace(record_batch=batch.take(pa.array(range(len(batch))[::-1])))
                if part.row_group == 1
                else part
            )

    wrap_method(containers.DataFile, "slices", slices)


def _offsets(wrapped: type[np.generic]) -> Reference:
    """Return a reader that adds up counts in a narrow type, and slices entries by the sums."""

    def entries(original: Any, batch: Batch, token: int, offsets: Any) -> Any:
        narrow = np.cumsum(np.append(0, batch.top_counts).astype(wrapped), dtype=wrapped).astype(np.int64)
        start, stop = (int(narrow[token + k]) for k in (0, 1))
        row = original(batch, token, offsets)
        chosen = slice(start, stop) if start < stop else slice(start, start + int(batch.top_counts[token]))
        row["top"] = {"indices": batch.top_indices[chosen].tolist(), "logits": batch.top_logits[chosen].tolist()}
        return row

    from logitpack import logical_json

    wrap(logical_json._token, entries)
    return Reference()


@mutant(READER, "RD-2")
def uint8_offsets() -> Reference:
    """Counts are added up in 8 bits, and wrap."""
    return _offsets(np.uint8)


@mutant(READER, "RD-2")
def int16_offsets() -> Reference:
    """Counts are added up in 16 bits, signed, and wrap."""
    return _offsets(np.int16)


@mutant(READER, "ROW-4", containers=(PARQUET, JSON))
def remainder_dropped() -> None:
    """Tail entries that are no whole number for each token are left out."""

    def judge(original: Any, stored: Columns) -> Any:
        return original(_whole_tails(stored))

    def decode(original: Any, stored: Columns, **options: Any) -> Any:
        return original(_whole_tails(stored), **options)

    wrap(structure.judge, judge)
    wrap(codec.decode_columns, decode)


def _whole_tails(stored: Columns) -> Columns:
    from logitpack.columns import Ragged
    from logitpack.ragged import to_offsets

    changes: dict[str, Any] = {}
    for name in ("sampled_indices_low", "sampled_logits_quantized"):
        column = stored.ragged(name)
        n = np.maximum(stored.num_tokens.astype(np.int64), 1)
        lengths = np.where(column.lengths >= n, column.lengths // n * n, column.lengths)
        parts = [column.values[at : at + k] for at, k in zip(column.offsets[:-1], lengths, strict=True)]
        changes[name] = Ragged(np.concatenate([column.values[:0], *parts]), to_offsets(lengths))
    high, low = stored.sampled_indices_high, changes["sampled_indices_low"].lengths
    lengths = np.minimum(high.lengths, (low + 3) // 4)
    parts = [high.values[at : at + k] for at, k in zip(high.offsets[:-1], lengths, strict=True)]
    changes["sampled_indices_high"] = Ragged(np.concatenate([high.values[:0], *parts]), to_offsets(lengths))
    return replace(stored, **changes)


def _views_in_stored_order(array: pa.Array) -> pa.Array:
    return array.values if len(array) else pa.array([], array.type.value_type)


@mutant(READER, "RD-2", containers=(ARROW_FILE, ARROW_STREAM))
def offsets_ignored() -> None:
    """The elements of lists are taken as they stand in memory, whatever the offsets of slices and views say."""
    wrap(arrays.flat, lambda _, array: _views_in_stored_order(array))


@mutant(READER, "RD-2", containers=(ARROW_FILE, ARROW_STREAM))
def list_views_in_memory_order() -> None:
    """Lists of a view type, and these only, are taken in the order in which they stand in memory."""

    def flat(original: Any, array: pa.Array) -> pa.Array:
        is_view = pa.types.is_list_view(array.type) or pa.types.is_large_list_view(array.type)
        return _views_in_stored_order(array) if is_view else original(array)

    wrap(arrays.flat, flat)


def _broken_rows(keep: Callable[[list[Row], int], list[Row]]) -> Reference:
    """Return a reader that answers a broken row with some of what can be read: of (rows, the broken one)."""

    class Partial(Reference):
        def read(self, path: str) -> list[Row]:
            try:
                return super().read(path)
            except DataError as error:
                if error.place.row is None:
                    raise
                return keep(salvage(path), error.place.row)

    return Partial()


@mutant(READER, "RD-1", containers=(PARQUET, JSON))
def broken_row_left_out() -> Reference:
    """A row that breaks a structural requirement is left out, and the others are returned."""
    return _broken_rows(lambda rows, broken: rows[:broken] + rows[broken + 1 :])


@mutant(READER, "RD-1", containers=(PARQUET, JSON))
def broken_row_ends_the_file() -> Reference:
    """The rows before the first that breaks a structural requirement are returned as the whole file."""
    return _broken_rows(lambda rows, broken: rows[:broken])


@mutant(READER, "RD-3", containers=(PARQUET, JSON))
def first_tokens_of_a_broken_row() -> Reference:
    """Of a row that breaks a structural requirement, the first token is returned."""

    def keep(rows: list[Row], broken: int) -> list[Row]:
        return rows[:broken] + [{"tokens": row["tokens"][:1]} for row in rows[broken : broken + 1]]

    return _broken_rows(keep)
