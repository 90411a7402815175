"""Writing a dataset file: all of it, or nothing (WR-1, WR-2).

Strategy: whatever rows the caller has become record batches of canonical types, judged as they
come, and are cut into row groups. They go to a file that takes the target's place in one step
when it is complete and on disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from logitpack import parquet
from logitpack.arrays import numbers
from logitpack.batch import Batch
from logitpack.containers import ARROW_FILE, ARROW_STREAM, EXTENSIONS, JSON, PARQUET
from logitpack.errors import Place, UsageError
from logitpack.metadata import KEY, Metadata
from logitpack.outgoing import Row, carried, outgoing
from logitpack.replacing import replacing
from logitpack.stored_json import stored_lines
from logitpack.table import COLUMNS, canonical_schema

ROW_GROUP_TOKENS = 65_536


def write(
    path: str | os.PathLike[str],
    rows: Batch | pa.Table | pa.RecordBatch | Iterable[Row],
    metadata: Metadata | Mapping[str, Any] | None = None,
    *,
    container: str | None = None,
    row_group_tokens: int = ROW_GROUP_TOKENS,
) -> None:
    """Write rows to a file, which appears under its name only once it is complete (WR-2).

    `rows` are decoded (`Batch`), logical (dicts as `logical_json` has them) or stored (Arrow
    record batches or tables, whose other columns are kept), one of these or an iterable of
    them. `container` is "parquet", "arrow-file", "arrow-stream" or "json"; None goes by the
    extension of `path`. A row group holds some `row_group_tokens` tokens.

    Where `metadata` is None, stored rows bring their own: that under the key ``logitpack`` in
    the schema of the table or record batch, or of the first one of an iterable. Stored JSON
    has neither metadata nor other columns: metadata that rows bring is left out.

    Raises UsageError where the path, container or metadata do not do, for other columns in
    stored JSON, and for rows that break a requirement (see `codec.encode`; besides, ROW-5,
    TAIL-4 and `token_ids` in some rows only); DataError for stored rows that break a
    structural one, and for metadata of theirs (META-1, META-2, META-7). An existing regular
    file is replaced on success, and untouched otherwise; symbolic links are followed, and
    permission bits kept.
    """
    target = Path(path)
    kind = container or EXTENSIONS.get(target.suffix.lower())
    if kind not in _SINKS:
        what = f"extension {target.suffix!r}" if container is None else f"container {container!r}"
        raise UsageError(f"unknown {what}", got=what, allowed=[*EXTENSIONS] if container is None else [*_SINKS])
    if row_group_tokens < 1:
        raise UsageError("row_group_tokens is at least 1", got=row_group_tokens)
    if metadata is not None and not isinstance(metadata, Metadata):
        metadata = Metadata.from_dict(metadata)
    if kind == JSON and metadata is not None:
        raise UsageError("stored JSON carries no metadata", place=Place(file=str(target)))
    with replacing(target) as file:
        if metadata is None and kind != JSON:
            metadata, rows = carried(rows)
        batches = outgoing(rows, metadata, batch_tokens=row_group_tokens)
        first = next(batches, None)
        schema = canonical_schema() if first is None else first.schema
        others = [name for name in schema.names if name not in COLUMNS]
        if kind == JSON and others:
            message = f"stored JSON has no place for other columns, and would lose {', '.join(others)}"
            raise UsageError(message, place=Place(file=str(target)), got=others)
        if metadata is not None:
            schema = schema.with_metadata({KEY: metadata.to_bytes()})
        with _SINKS[kind](str(file), schema) as sink:
            if first is not None:
                for group in _groups(first, batches, row_group_tokens):
                    sink.write(group)


def _groups(first: pa.RecordBatch, others: Iterator[pa.RecordBatch], tokens: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches of at most `tokens` tokens each, or of one row."""
    pending: list[pa.RecordBatch] = []
    room = tokens
    for record_batch in _chain(first, others):
        ends = np.cumsum(numbers(record_batch.column("num_tokens")), dtype=np.int64)
        start = 0
        while start < len(ends):
            before = int(ends[start - 1]) if start else 0
            stop = int(np.searchsorted(ends, before + room, side="right"))
            if stop == start and not pending:
                stop = start + 1
            if stop > start:
                pending.append(record_batch.slice(start, stop - start))
                room -= int(ends[stop - 1]) - before
            if stop < len(ends):
                yield from _joined(pending)
                pending, room = [], tokens
            start = stop
    yield from _joined(pending)


def _joined(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if len(batches) == 1:
        yield batches[0]
    elif batches:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches()


def _chain(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


class _Sink(Protocol):
    """Where row groups go; complete once the block it is opened for has ended."""

    def write(self, group: pa.RecordBatch) -> None:
        """Write some rows."""


@contextmanager
def _parquet(path: str, schema: pa.Schema) -> Iterator[_Sink]:
    import pyarrow.parquet as pq

    class Sink:
        def write(self, group: pa.RecordBatch) -> None:
            writer.write_table(pa.Table.from_batches([group]), row_group_size=group.num_rows)

    # pyarrow takes names as UTF-8 only; an open file it takes whatever its name is.
    with Path(path).open("wb") as file, pq.ParquetWriter(file, schema, **parquet.settings(schema)) as writer:
        yield Sink()


@contextmanager
def _arrow(path: str, schema: pa.Schema, new: Any) -> Iterator[_Sink]:
    class Sink:
        def write(self, group: pa.RecordBatch) -> None:
            writer.write_batch(group)

    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with Path(path).open("wb") as file, new(file, schema, options=options) as writer:
        yield Sink()


@contextmanager
def _json(path: str, schema: pa.Schema) -> Iterator[_Sink]:
    del schema  # a line names its columns itself

    class Sink:
        rows = 0

        def write(self, group: pa.RecordBatch) -> None:
            file.writelines(line + "\n" for line in stored_lines(group, first_row=self.rows))
            self.rows += group.num_rows

    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        yield Sink()


_SINKS = {
    PARQUET: _parquet,
    ARROW_FILE: lambda path, schema: _arrow(path, schema, pa.ipc.new_file),
    ARROW_STREAM: lambda path, schema: _arrow(path, schema, pa.ipc.new_stream),
    JSON: _json,
}
