"""Rows to record batches and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logitpack.batch import Batch
from logitpack.codec import decode, decode_runs, encode
from logitpack.errors import DataError, Place, UsageError
from logitpack.metadata import Metadata
from logitpack.table import canonical_schema
from logitpack_conformance.rows import described, valid_rows
from support import table

SEEDED = settings(derandomize=True, deadline=None, database=None)


def made(counts: list[list[int]], width: int = 3, seed: int = 0, **changes: Any) -> Batch:
    """Make valid rows: for each row, the nucleus sizes of its tokens."""
    rng = np.random.default_rng(seed)
    sizes = np.array([count for row in counts for count in row], np.int64)
    chosen = [rng.choice(262_144, size + width, replace=False) for size in sizes]
    logits = [np.sort(rng.normal(0, 8, size + width))[::-1].astype(np.float32) for size in sizes]
    parts = list(zip(chosen, logits, sizes, strict=True))
    batch = Batch(
        num_tokens=np.array([len(row) for row in counts], np.int64),
        top_counts=sizes,
        top_indices=np.concatenate([c[:n] for c, _, n in parts]).astype(np.int32),
        top_logits=np.concatenate([x[:n] for _, x, n in parts]),
        sampled_indices=np.array([c[n:] for c, _, n in parts], np.int32),
        sampled_logits=np.array([x[n:] for _, x, n in parts], np.float32),
        logsumexp=np.array([np.log(np.exp(x.astype(float)).sum()) + 0.5 for _, x, _ in parts]),
    )
    return replace(batch, **changes)


def joined(batches: list[Batch], name: str) -> list[Any]:
    """Give one field of several batches, one after another."""
    return [value for batch in batches for value in getattr(batch, name).tolist()]


ROWS = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1, max_size=6)


@SEEDED
@given(ROWS, st.integers(1, 6))
def test_round_trip(counts: list[list[int]], width: int) -> None:
    """Indices, counts, order and logsumexp come back as they were."""
    before = made(counts, width)
    after = decode(encode(before))
    for name in ("num_tokens", "top_counts", "top_indices", "sampled_indices", "logsumexp"):
        assert getattr(before, name).tolist() == getattr(after, name).tolist()


@SEEDED
@given(ROWS)
def test_logits_come_back_within_half_a_step(counts: list[list[int]]) -> None:
    """QNT-3: what rounding costs is half a step, and little more."""
    before, after = made(counts), decode(encode(made(counts)), dtype=np.float64)
    ends = before.top_offsets
    for start, stop in pairwise(ends):
        logits = before.top_logits[start:stop].astype(np.float64)
        step = (logits.max() - logits.min()) / 65535
        assert np.all(abs(after.top_logits[start:stop] - logits) <= (1 / 2 + 1 / 64) * step)


@SEEDED
@given(ROWS, st.integers(0, 3), st.integers(0, 3))
def test_slices_decode_as_rows_of_the_whole(counts: list[list[int]], start: int, size: int) -> None:
    """A slice of a record batch means the rows that it shows."""
    whole = encode(made(counts))
    part = whole.slice(start, size)
    copy = pa.RecordBatch.from_pylist(part.to_pylist(), schema=whole.schema)
    assert decode(copy).top_logits.tolist() == decode(part).top_logits.tolist()


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 6, 7, 8])
def test_every_remainder_of_four(entries: int) -> None:
    """IDX-3: a row's high bits fill its last byte or not; the next row starts a new one."""
    before = made([[entries], [entries, 1], [2]], width=entries)
    after = decode(encode(before))
    assert before.top_indices.tolist() == after.top_indices.tolist()


def test_counts_do_not_wrap() -> None:
    """Offsets are added up beyond uint8: 100 + 100 + 100 are 300 entries."""
    before = made([[100, 100, 100]])
    assert [0, 100, 200, 300] == decode(encode(before)).top_offsets.tolist()


def test_types_are_canonical() -> None:
    """COL-5: an encoded batch has the canonical schema."""
    ids = np.array([1, 2], np.int32)
    assert canonical_schema(token_ids=True) == encode(made([[1, 2]], token_ids=ids)).schema


def test_decoded_dtypes() -> None:
    """A batch has the dtypes that it promises, for wide stored types too."""
    batch = table(valid_rows(), wide=True).combine_chunks().to_batches()[0]
    got = {field.name: str(getattr(decode(batch), field.name).dtype) for field in fields(Batch)[:7]}
    assert {
        "num_tokens": "int64",
        "top_counts": "int64",
        "top_indices": "int32",
        "top_logits": "float32",
        "sampled_indices": "int32",
        "sampled_logits": "float32",
        "logsumexp": "float64",
    } == got


def test_binary64_on_request() -> None:
    """Logits are decoded in binary64 where that is asked for."""
    batch = decode(encode(made([[2]])), dtype=np.float64)
    assert ["float64"] * 2 == [str(batch.top_logits.dtype), str(batch.sampled_logits.dtype)]


def test_threads_change_nothing() -> None:
    """A batch that is large enough for a second thread decodes as its rows do one by one."""
    whole = encode(made([[1, 2, 3, 4]] * 1500))
    parts = [decode(whole.slice(row, 1)) for row in range(0, 1500, 100)]
    large = decode(whole).sampled_logits.reshape(1500, -1)[::100]
    assert joined(parts, "sampled_logits") == [row for rows in large.reshape(15, 4, 3).tolist() for row in rows]


def test_no_rows() -> None:
    """No rows decode to no rows."""
    batch = decode(pa.RecordBatch.from_pylist([], schema=canonical_schema()))
    assert (0, 0, (0, 0)) == (batch.num_tokens.size, batch.top_logits.size, batch.sampled_indices.shape)


def test_token_ids_are_kept() -> None:
    """The optional column comes back as int32."""
    ids = np.array([5, 262_143], np.int32)
    assert [5, 262_143] == np.asarray(decode(encode(made([[1, 2]], token_ids=ids))).token_ids).tolist()


def test_token_ids_that_do_not_fit_are_refused() -> None:
    """ALN-4: a batch could not hold them."""
    batch = table([{**row, "token_ids": [1]} for row in valid_rows((2,))]).combine_chunks().to_batches()[0]
    with pytest.raises(DataError, match="ALN-4: token_ids has 1 element, expected 2"):
        decode(batch)


def test_stored_nan_in_another_type() -> None:
    """A binary64 range beyond binary32 breaks QNT-1, not the arithmetic."""
    rows = valid_rows((1,))
    rows[0]["top_max"] = [1e39]
    with pytest.raises(DataError, match="QNT-1: top_max is inf"):
        decode(table(rows, wide=True).combine_chunks().to_batches()[0])


def mixed() -> pa.RecordBatch:
    """Make a record batch whose rows have S of 3, 3, 2 and 3."""
    parts = [encode(made([[1]], width)) for width in (3, 3, 2, 3)]
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]


def test_one_batch_has_one_stride() -> None:
    """ROW-5: `decode` gives one array of tails, and refuses what does not fit it."""
    with pytest.raises(DataError) as caught:
        decode(mixed())
    error = caught.value
    assert ("ROW-5", 2, 2, 3) == (error.requirement, error.place.row, error.got, error.allowed)


def test_runs_of_one_stride() -> None:
    """A reader gets each run of rows with one S as a batch of its own, in order."""
    assert [(2, 3), (1, 2), (1, 3)] == [(b.num_tokens.size, b.num_sampled) for b in decode_runs(mixed())]


def test_runs_are_judged_before_the_first_is_given() -> None:
    """RD-3: nothing of a batch is returned before all of it is known to be sound."""
    batch = mixed().set_column(0, "num_tokens", pa.array([1, 1, 1, 0], pa.int32()))
    with pytest.raises(DataError, match="ROW-1"):
        next(decode_runs(batch))


def put(name: str, at: Any, value: Any) -> Callable[[Batch], Batch]:
    """Put one value into one array."""

    def change(batch: Batch) -> Batch:
        array = getattr(batch, name).copy()
        array[at] = value
        return replace(batch, **{name: array})

    return change


def short(name: str) -> Callable[[Batch], Batch]:
    """Drop the last element of an array."""
    return lambda batch: replace(batch, **{name: getattr(batch, name)[:-1]})


def same_index(batch: Batch) -> Batch:
    """Give a tail entry the index of a nucleus entry, in token 1 of row 1."""
    return put("sampled_indices", (3, 1), batch.top_indices[batch.top_offsets[3]])(batch)


REFUSED: dict[str, tuple[str, Place, Callable[[Batch], Batch]]] = {
    "no tokens": ("ROW-1", Place(row=1), put("num_tokens", 1, 0)),
    "counts": ("ROW-2", Place(), short("top_counts")),
    "logsumexp": ("ROW-2", Place(), short("logsumexp")),
    "indices": ("ROW-3", Place(), short("top_indices")),
    "logits": ("ROW-3", Place(), short("top_logits")),
    "tail": ("ROW-4", Place(), short("sampled_logits")),
    "no tail": (
        "ROW-4",
        Place(),
        lambda b: replace(b, sampled_indices=b.sampled_indices[:, :0], sampled_logits=b.sampled_logits[:, :0]),
    ),
    "empty nucleus": ("NUC-1", Place(row=1, token=0), put("top_counts", 2, 0)),
    "256 entries": ("NUC-1", Place(row=1, token=1), put("top_counts", 3, 256)),
    "101 entries": ("NUC-8", Place(row=1, token=0), lambda _: made([[1], [101]])),
    "negative index": ("IDX-6", Place(row=1, token=1, entry=3), put("top_indices", 2 + 3 + 1 + 3, -1)),
    "index of 2^18": ("IDX-6", Place(row=1, token=0, entry=2), put("sampled_indices", (2, 2), 262_144)),
    "nan": ("QNT-6", Place(row=1, token=1, entry=0), put("top_logits", 6, np.nan)),
    "infinite": ("QNT-6", Place(row=1, token=1, entry=2), put("sampled_logits", (3, 2), -np.inf)),
    "logsumexp nan": ("LSE-1", Place(row=1, token=0), put("logsumexp", 2, np.nan)),
    "twice in the nucleus": (
        "NUC-2",
        Place(row=1, token=1, entry=2),
        lambda b: put("top_indices", 6, b.top_indices[8])(b),
    ),
    "twice in the tail": ("TAIL-1", Place(row=0, token=0, entry=1), put("sampled_indices", 0, 7)),
    "in both": ("TAIL-2", Place(row=1, token=1, entry=1), same_index),
    "tail on top": ("NUC-3", Place(row=0, token=1), put("sampled_logits", (1, 0), 1000)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """A writer refuses what cannot be stored, or would break a requirement, with id and place."""
    requirement, place, change = REFUSED[name]
    with pytest.raises(UsageError) as caught:
        encode(change(made([[2, 3], [1, 4]])))
    assert (requirement, place) == (caught.value.requirement, replace(caught.value.place, column=None))


def test_range_beyond_binary32_is_refused() -> None:
    """QNT-1: the ends fit, their difference does not."""
    batch = made([[1], [2, 2]])
    wide = batch.top_logits.astype(np.float64)
    wide[3:5] = 3e38, -3e38
    tail = np.full(batch.sampled_logits.shape, -3.1e38)
    with pytest.raises(UsageError) as caught:
        encode(replace(batch, top_logits=wide, sampled_logits=tail))
    assert ("QNT-1", Place(row=1, token=1)) == (caught.value.requirement, caught.value.place)


def declared(**members: Any) -> Metadata:
    """Declare what the rows are held to; the rule of the nucleus stays open."""
    nucleus = {"rule": "unspecified", **members.pop("nucleus", {})}
    tail = {"num_sampled": 3, "method": "unspecified"}
    return Metadata.from_dict(described(nucleus=nucleus, tail=tail, **members))


def test_index_beyond_a_declared_vocabulary_is_refused() -> None:
    """IDX-6: vocab_size bounds indices below 2^18."""
    batch = made([[2]])
    limit = int(max(batch.top_indices.max(), batch.sampled_indices.max()))
    with pytest.raises(UsageError, match=f"IDX-6: index {limit} is outside 0 to {limit - 1}"):
        encode(batch, declared(vocab_size=limit))


def test_token_id_beyond_a_declared_vocabulary_is_refused() -> None:
    """ALN-4: so are token ids bounded."""
    with pytest.raises(UsageError, match="ALN-4: token id 262144"):
        encode(made([[2]], token_ids=np.array([262_144], np.int32)), declared(vocab_size=262_144))


def test_a_declared_limit_of_entries_replaces_the_usual_one() -> None:
    """NUC-8: 255 entries are allowed where metadata says so."""
    metadata = declared(vocab_size=262_144, nucleus={"max_entries": 255})
    batch = made([[255]])
    stored = np.concatenate([batch.top_logits, batch.sampled_logits[0]]).astype(np.float64)
    exact = replace(batch, logsumexp=np.log(np.exp(stored).sum(keepdims=True)))
    assert 255 == decode(encode(exact, metadata)).top_counts[0]


@pytest.mark.parametrize("name", ["top_indices", "top_logits", "num_tokens", "sampled_logits"])
def test_wrong_dtype_is_refused(name: str) -> None:
    """Arrays of another kind are a caller's mistake, said so at once."""
    batch = made([[2]])
    with pytest.raises(UsageError, match=f"{name} is complex"):
        encode(replace(batch, **{name: getattr(batch, name).astype(complex)}))


def test_lists_are_refused() -> None:
    """A Python list is no array."""
    with pytest.raises(UsageError, match="top_counts is list, expected a numpy array"):
        encode(replace(made([[2]]), top_counts=[2]))  # type: ignore[arg-type]


def test_decoded_rows_encode_to_the_same_codes() -> None:
    """Reading and writing again loses nothing more, and refuses nothing."""
    once = encode(made([[5, 1], [9, 3, 2]], width=6))
    twice = encode(decode(once, dtype=np.float64))
    assert once.to_pylist() == twice.to_pylist()


def test_ties_at_the_edge_of_the_nucleus_survive_rounding() -> None:
    """NUC-3: a tail logit equal to the smallest nucleus logit is allowed, after decoding as well."""
    batch = made([[4]] * 50)
    tail = batch.sampled_logits.copy()
    tail[:, 0] = batch.top_logits.reshape(50, 4).min(axis=1)
    encoded = encode(replace(batch, sampled_logits=tail))
    assert 50 == encode(decode(encoded)).num_rows


def test_indices_of_different_tokens_may_be_equal() -> None:
    """Distinctness is a matter of one token."""
    one = made([[3]])
    both = Batch(*(np.concatenate([getattr(one, f.name)] * 2) for f in fields(Batch)[:7]))
    assert 2 == encode(both).num_rows


def test_chunked_columns() -> None:
    """A table whose columns are cut into different chunks decodes as one batch does."""
    rows = valid_rows((2, 1, 3))
    whole = table(rows)
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 2)])
    names = whole.schema.names
    mixed_chunks = pa.table([parts[name] if number % 2 else whole[name] for number, name in enumerate(names)], names)
    expected, got = decode(encode(decode(whole.to_batches()[0]))), decode(mixed_chunks)
    for name in ("num_tokens", "top_counts", "top_indices", "sampled_indices", "logsumexp"):
        assert getattr(expected, name).tolist() == getattr(got, name).tolist()
    assert 0 == len(decode(whole.slice(0, 0)).num_tokens)
