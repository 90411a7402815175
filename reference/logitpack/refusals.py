"""What a writer refuses of rows (WR-1).

Strategy: what cannot be encoded is refused before, the rest afterwards, by the same judgement
that a checker makes of the file. Everything is looked at over the whole batch, and an error is
made only for the first place found.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from logitpack import screen, semantics
from logitpack.batch import Batch
from logitpack.breach import first
from logitpack.columns import Columns
from logitpack.entries import Sound
from logitpack.errors import LogitPackError, Place, UsageError
from logitpack.indices import MAX_INDEX
from logitpack.metadata import Metadata
from logitpack.ragged import to_offsets
from logitpack.requirements import is_error

MANY = 1 << 16
"""Tokens written at a time that are worth loading the kernels for."""
BLOCK = 1 << 20
"""Entries of rows that are judged at a time."""
MAX_COUNT = 255
MAX_TOKENS = 2_147_483_647


def check_shapes(batch: Batch) -> None:
    """Raise UsageError where the arrays of `batch` do not fit together.

    ROW-1 (tokens of a row), ROW-2 (one count and logsumexp for each token), NUC-1 (counts),
    ROW-3 (nucleus), ROW-4 (tail) and ALN-4 (token ids); no id for a wrong dtype.
    """
    for name in ("num_tokens", "top_counts", "top_indices", "sampled_indices"):
        _check_array(batch, name, "ui", 2 if name.startswith("sampled") else 1)
    for name in ("top_logits", "sampled_logits", "logsumexp"):
        _check_array(batch, name, "f", 2 if name.startswith("sampled") else 1)
    wrong = np.flatnonzero((batch.num_tokens < 1) | (batch.num_tokens > MAX_TOKENS))
    if wrong.size:
        got = int(batch.num_tokens[wrong[0]])
        _refuse("ROW-1", f"num_tokens is {got}", Place(row=int(wrong[0])), got, [1, MAX_TOKENS])
    tokens = int(batch.num_tokens.sum())
    _check_length("ROW-2", "top_counts", len(batch.top_counts), tokens)
    _check_length("ROW-2", "logsumexp", len(batch.logsumexp), tokens)
    wrong = np.flatnonzero((batch.top_counts < 1) | (batch.top_counts > MAX_COUNT))
    if wrong.size:
        got = int(batch.top_counts[wrong[0]])
        message = f"the nucleus has {got} entries, expected 1 to {MAX_COUNT}"
        _refuse("NUC-1", message, place_of(batch, int(wrong[0])), got, [1, MAX_COUNT])
    entries = int(batch.top_counts.sum())
    _check_length("ROW-3", "top_indices", len(batch.top_indices), entries)
    _check_length("ROW-3", "top_logits", len(batch.top_logits), entries)
    shape = batch.sampled_indices.shape
    if shape != batch.sampled_logits.shape or shape[0] != tokens or (tokens and shape[1] < 1):
        shapes = [shape, batch.sampled_logits.shape]
        message = f"the tail is {shapes[0]} indices and {shapes[1]} logits, expected [{tokens}, S] of both"
        _refuse("ROW-4", message, Place(), shapes)
    if batch.token_ids is not None:
        _check_array(batch, "token_ids", "ui", 1)
        _check_length("ALN-4", "token_ids", len(batch.token_ids), tokens)


def check_values(batch: Batch, metadata: Metadata | None) -> None:
    """Raise UsageError for an index (IDX-6), token id (ALN-4) or logsumexp (LSE-1) out of range."""
    vocab_size = None if metadata is None else metadata.vocab_size
    width = MAX_INDEX + 1 if vocab_size is None else min(vocab_size, MAX_INDEX + 1)
    for flat, name in ((batch.top_indices, "top"), (batch.sampled_indices, "sampled")):
        if flat.size and (flat.min() < 0 or flat.max() >= width):
            at = int(np.flatnonzero((flat.ravel() < 0) | (flat.ravel() >= width))[0])
            got = int(flat.ravel()[at])
            message = f"index {got} is outside 0 to {width - 1}"
            _refuse("IDX-6", message, _entry_place(batch, name, at), got, [0, width - 1])
    finite = np.isfinite(batch.logsumexp)
    if not finite.all():
        token = int(np.argmin(finite))
        value = float(batch.logsumexp[token])
        _refuse("LSE-1", f"logsumexp is {value}", place_of(batch, token), value)
    ids = batch.token_ids
    if ids is not None and ids.size:
        limit = MAX_TOKENS if vocab_size is None else vocab_size - 1
        wrong = np.flatnonzero((ids < 0) | (ids > limit))
        if wrong.size:
            got = int(ids[wrong[0]])
            message = f"token id {got} is outside 0 to {limit}"
            _refuse("ALN-4", message, place_of(batch, int(wrong[0])), got, [0, limit])


def check_claims(columns: Columns, metadata: Metadata | None) -> None:
    """Raise UsageError for the first breach of a semantic requirement at level MUST (WR-1).

    The rows of `columns` hold structurally.
    """
    for sound in Sound(columns, np.arange(len(columns))).blocks(BLOCK):
        seen = screen.screened(sound, metadata) if columns.top_counts.values.size >= MANY else None
        judged = semantics.judge(seen.suspects if seen else sound, metadata)
        breach = first([breach for breach in judged if is_error(breach.requirement)])
        if breach is not None:
            raise breach.error(kind=UsageError)


def place_of(batch: Batch, token: int, entry: int | None = None) -> Place:
    """Return the row of a token of the batch, and the token's position in it."""
    offsets = batch.row_offsets
    row = int(np.searchsorted(offsets, token, side="right")) - 1
    return Place(row=row, token=token - int(offsets[row]), entry=entry)


def with_row(error: LogitPackError, batch: Batch) -> LogitPackError:
    """Return an error whose place counts tokens over the batch as one that counts in rows."""
    if error.place.token is None:
        return error
    return _at_place(error, place_of(batch, error.place.token, error.place.entry))


def moved(error: LogitPackError, *, rows: int) -> LogitPackError:
    """Return an error over some rows as one over all rows, `rows` of which stand before them."""
    if error.place.row is None:
        return error
    return _at_place(error, replace(error.place, row=error.place.row + rows))


def _at_place(error: LogitPackError, place: Place) -> LogitPackError:
    other = copy.copy(error)
    other.place = place
    return other


def _entry_place(batch: Batch, kind: str, at: int) -> Place:
    if kind == "sampled":
        return place_of(batch, *divmod(at, batch.num_sampled))
    offsets = to_offsets(batch.top_counts)
    token = int(np.searchsorted(offsets, at, side="right")) - 1
    return place_of(batch, token, at - int(offsets[token]))


def _check_array(batch: Batch, name: str, kinds: str, dimensions: int) -> None:
    array: Any = getattr(batch, name)
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{name} is {type(array).__name__}, expected a numpy array")
    if array.dtype.kind not in kinds or array.ndim != dimensions:
        wanted = "integers" if kinds == "ui" else "floats"
        raise UsageError(f"{name} is {array.dtype} of {array.ndim} dimensions, expected {wanted} of {dimensions}")


def _check_length(requirement: str, name: str, got: int, expected: int) -> None:
    if got != expected:
        message = f"{name} has {got} elements, expected {expected}"
        _refuse(requirement, message, Place(), got, expected)


def _refuse(requirement: str, message: str, place: Place, got: object, allowed: object = None) -> None:
    raise UsageError(message, requirement=requirement, place=place, got=got, allowed=allowed)
