"""The codec: record batches to decoded rows, and back.

Strategy: a batch is normalised to flat arrays, judged as a whole, and only then decoded, so
that the decoding itself need not look out for anything. Encoding refuses first and packs
afterwards. Neither has a loop over rows, tokens or entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from logitpack import refusals, structure
from logitpack.batch import Batch
from logitpack.breach import first
from logitpack.columns import Columns, Ragged, normalise
from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.indices import pack, unpack
from logitpack.metadata import Metadata
from logitpack.quantisation import dequantise, quantise
from logitpack.ragged import to_offsets
from logitpack.table import COLUMNS, canonical_schema

_SMALL = 1 << 12  # tokens below which a second thread costs more than it brings
_ELEMENTS_MAX = 2**31 - 1  # what the 32-bit offsets of canonical lists can count


def decode(record_batch: pa.RecordBatch | pa.Table, *, dtype: DTypeLike = np.float32) -> Batch:
    """Return what a record batch, or a table, means (RD-1, RD-2, RD-3).

    It may have any accepted types, be sliced or chunked, and hold other columns. `dtype` is that
    of the decoded logits, float32 or float64. All rows are judged before one is decoded.

    Raises DataError with the first breach of a structural requirement, by row and then in
    judging order, and its place; ALN-4 where `token_ids` do not fit; ROW-5 where S differs
    between rows, which one `Batch` cannot hold (`decode_runs` can).
    """
    columns = normalise(record_batch)
    num_sampled = sound(columns)
    differs = np.flatnonzero(num_sampled != num_sampled[:1])
    if differs.size:
        row = int(differs[0])
        got, expected = int(num_sampled[row]), int(num_sampled[0])
        message = f"the tail has {got} entries a token, expected {expected} as in the row before"
        place = Place(row=row, column="sampled_indices_low")
        raise DataError(message, requirement="ROW-5", place=place, got=got, allowed=expected)
    return decode_columns(columns, dtype=dtype)


def decode_runs(
    record_batch: pa.RecordBatch,
    *,
    dtype: DTypeLike = np.float32,
    first_row: int = 0,
    vocab_size: int | None = None,
) -> Iterator[Batch]:
    """Yield what a record batch means, a `Batch` for each run of rows with one S.

    As a rule that is one. `first_row` is the place of the batch in its file, for messages;
    `vocab_size`, where it is declared, is what `token_ids` have to be below (ALN-4).
    Raises DataError as `decode` does, but for ROW-5, before anything is yielded.
    """
    columns = normalise(record_batch, first_row=first_row)
    num_sampled = sound(columns, vocab_size)
    cuts = np.flatnonzero(np.diff(num_sampled)) + 1
    edges = [0, *cuts.tolist(), len(columns)]
    for start, stop in pairwise(edges):
        if start < stop:
            yield decode_columns(columns.slice(start, stop), dtype=dtype)


def sound(columns: Columns, vocab_size: int | None = None) -> NDArray[np.int64]:
    """Return S of each row, int64 [rows], once every row is known to be sound.

    Raises DataError with the first breach, structural or of ALN-4.
    """
    judgement = structure.judge(columns)
    breach = first(judgement.breaches)
    if breach is None:
        breach = first(list(structure.token_ids(columns, judgement.sound, vocab_size)))
    if breach is not None:
        raise breach.error()
    return judgement.num_sampled


def decode_columns(columns: Columns, *, dtype: DTypeLike = np.float32) -> Batch:
    """Decode columns whose rows are all sound and have one S (IDX-2, QNT-2).

    Nothing is judged here: columns that break a structural requirement give an error of any
    kind, or values that mean nothing. `token_ids`, if they are there, fit as well.
    """
    tokens = columns.num_tokens.astype(np.int64)
    counts = columns.top_counts.values.astype(np.int64)
    entries, total = columns.sampled_indices_low.values.size, len(counts)
    width = entries // total if total else 0

    tasks: list[Callable[[], NDArray[Any]]] = [
        lambda: _logits(columns, "top", counts, dtype),
        lambda: _indices(columns, "top"),
        lambda: _logits(columns, "sampled", width, dtype),
        lambda: _indices(columns, "sampled"),
    ]
    if total < _SMALL:
        parts = [task() for task in tasks]
    else:
        with ThreadPoolExecutor(2) as pool:  # numpy lets go of the interpreter lock
            parts = list(pool.map(lambda task: task(), tasks))
    top_logits, top_indices, sampled_logits, sampled_indices = parts
    ids = columns.token_ids
    return Batch(
        num_tokens=tokens,
        top_counts=counts,
        top_indices=top_indices,
        top_logits=top_logits,
        sampled_indices=sampled_indices.reshape(total, width),
        sampled_logits=sampled_logits.reshape(total, width),
        logsumexp=columns.logsumexp.values,
        token_ids=None if ids is None else ids.values.astype(np.int32, copy=False),
    )


def _indices(columns: Columns, kind: str) -> NDArray[np.int32]:
    low, high = columns.ragged(f"{kind}_indices_low"), columns.ragged(f"{kind}_indices_high")
    return unpack(low.values, high.values, low.lengths)


def _logits(
    columns: Columns, kind: str, counts: NDArray[np.int64] | int, dtype: DTypeLike
) -> NDArray[np.floating[Any]]:
    codes = columns.ragged(f"{kind}_logits_quantized").values
    ends = (columns.ragged(f"{kind}_min").values, columns.ragged(f"{kind}_max").values)
    if codes.size == 0:  # no rows, and so no number of entries either
        return np.zeros(0, dtype)
    return dequantise(codes, *ends, counts, dtype=dtype)


def encode(batch: Batch, metadata: Metadata | None = None) -> pa.RecordBatch:
    """Return the rows of `batch` as a record batch of canonical types (IDX-2, QNT-3, QNT-11).

    `metadata` declares what the rows are held to besides. The order of rows, tokens and
    entries is kept.

    Raises UsageError, with row, token and entry where they are known, for what cannot be
    stored (IDX-6, QNT-6, QNT-1, LSE-1, ROW-1 to ROW-4, NUC-1) or would break any other
    requirement on rows at level MUST (WR-1; see `refusals`).
    """
    refusals.check_shapes(batch)
    refusals.check_values(batch, metadata)
    width = batch.num_sampled
    try:
        codes, top_min, top_max = quantise(batch.top_logits, batch.top_counts)
        tail_codes, tail_min, tail_max = quantise(batch.sampled_logits.ravel(), max(width, 1))
    except LogitPackError as error:
        raise refusals.with_row(error, batch) from None
    rows, tail_rows = np.diff(batch.top_offsets[batch.row_offsets]), batch.num_tokens * width
    low, high = pack(batch.top_indices, rows)
    tail_low, tail_high = pack(batch.sampled_indices.ravel(), tail_rows)
    tokens, top, tail = batch.row_offsets, to_offsets(rows), to_offsets(tail_rows)
    ids = batch.token_ids
    columns = Columns(
        num_tokens=batch.num_tokens,
        top_counts=Ragged(batch.top_counts, tokens),
        top_indices_low=Ragged(low, top),
        top_indices_high=Ragged(high, to_offsets((rows + 3) // 4)),
        top_logits_quantized=Ragged(codes, top),
        top_min=Ragged(top_min, tokens),
        top_max=Ragged(top_max, tokens),
        sampled_indices_low=Ragged(tail_low, tail),
        sampled_indices_high=Ragged(tail_high, to_offsets((tail_rows + 3) // 4)),
        sampled_logits_quantized=Ragged(tail_codes, tail),
        sampled_min=Ragged(tail_min, tokens),
        sampled_max=Ragged(tail_max, tokens),
        logsumexp=Ragged(batch.logsumexp, tokens),
        token_ids=None if ids is None else Ragged(ids, tokens),
    )
    refusals.check_claims(columns, metadata)
    return to_record_batch(columns)


def to_record_batch(columns: Columns) -> pa.RecordBatch:
    """Return columns whose rows are all sound as a record batch of canonical types."""
    schema = canonical_schema(token_ids=columns.token_ids is not None)
    arrays = []
    for column in (COLUMNS[name] for name in schema.names):
        if column.kind == "scalar":
            arrays.append(pa.array(columns.num_tokens.astype(column.value)))
            continue
        ragged = columns.ragged(column.name)
        if ragged.offsets[-1] > _ELEMENTS_MAX:
            raise UsageError("more than 2^31 - 1 elements do not fit a canonical list")
        offsets = ragged.offsets.astype(np.int32)
        if column.kind == "binary":
            buffers = [None, pa.py_buffer(offsets), pa.py_buffer(ragged.values)]
            arrays.append(pa.Array.from_buffers(pa.binary(), len(columns), buffers))
        else:
            values = pa.array(ragged.values.astype(column.value, copy=False))
            arrays.append(pa.ListArray.from_arrays(pa.array(offsets), values))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
