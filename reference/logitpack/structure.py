"""The structural requirements: what must hold before a row can be read at all.

Strategy: one pass over a batch for each requirement, in judging order, and each only on rows
where what it stands on holds, so that one fault is reported once. Here are the rows' lengths;
the values themselves, which are judged where the lengths hold, are in `values`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logitpack import values
from logitpack.breach import Breach, Detail
from logitpack.columns import Columns
from logitpack.ragged import to_offsets
from logitpack.values import Lengths, Mask, Shape

PER_TOKEN = ("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
MAX_TOKENS = 2_147_483_647


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the structural requirements say of a batch.

    `breaches` stand in judging order, each over all rows of the batch. `sound` bool [rows]
    tells the rows that can be read. `num_sampled` int64 [rows] is S of each row, 0 where ROW-4
    or what it stands on does not hold.
    """

    breaches: list[Breach]
    sound: Mask
    num_sampled: NDArray[np.int64]


def judge(columns: Columns) -> Judgement:
    """Judge every row of `columns`; all breaches of a row are found, not only the first."""
    breaches = list(columns.nulls)
    shape = _judge_shape(columns, breaches)
    breaches.extend(values.integers(columns, shape))
    breaches.extend(values.floats(columns, shape))
    sound = np.ones(len(columns), np.bool_)
    for breach in breaches:
        sound[breach.rows] = False
    return Judgement(breaches, sound, shape.num_sampled)


def token_ids(columns: Columns, sound: Mask, vocab_size: int | None = None) -> Iterator[Breach]:
    """Yield the breaches of ALN-4: lengths, and ids out of range, which `vocab_size` narrows where it is declared.

    ALN-4 is semantic, so it is judged on `sound` rows only; a row that breaks it can still be
    read, without its `token_ids`.
    """
    ids = columns.token_ids
    if ids is None:
        return
    tokens = np.where(sound, columns.num_tokens, 0).astype(np.int64)
    fits = sound.copy()
    for breach in _per_token(columns, "token_ids", "ALN-4", sound, tokens):
        fits[breach.rows] = False
        yield breach
    for breach in values.out_of_range(columns, "token_ids", fits.copy()):
        fits[breach.rows] = False
        yield breach
    if vocab_size is None:
        return
    at = np.flatnonzero(ids.values >= vocab_size)
    row = np.searchsorted(ids.offsets, at, side="right") - 1
    at, row = at[fits[row]], row[fits[row]]
    if at.size:

        def describe(k: int) -> Detail:
            got = int(ids.values[at[k]])
            return Detail(f"token id {got} is not in 0 to {vocab_size - 1}", got, [0, vocab_size - 1])

        yield Breach("ALN-4", "token_ids", row, describe, tokens=at - ids.offsets[row], first_row=columns.first_row)


def _judge_shape(columns: Columns, breaches: list[Breach]) -> Shape:
    """Judge num_tokens and all lengths; what fails is appended to `breaches`."""
    judged = np.ones(len(columns), np.bool_)
    for breach in breaches:
        judged[breach.rows] = False
    valid = judged & values.in_range(columns.num_tokens, 1, MAX_TOKENS)
    if not valid.all():
        breaches.extend(_num_tokens(columns, np.flatnonzero(judged & ~valid)))
    tokens = np.where(valid, columns.num_tokens, 0).astype(np.int64)
    per_token = {}
    for name in PER_TOKEN:
        breaches.extend(_per_token(columns, name, "ROW-2", valid, tokens))
        per_token[name] = valid & (columns.ragged(name).lengths == tokens)

    counts = columns.top_counts
    counted = per_token["top_counts"].copy()
    for breach in values.out_of_range(columns, "top_counts", counted):
        breaches.append(breach)
        counted[breach.rows] = False
    # Counts of other rows are put aside, so that the offsets below never decrease.
    clean = counts.values
    if not counted.all():
        clean = np.where(np.repeat(counted, counts.lengths), clean, 0)
    starts = to_offsets(clean)
    entries = starts[counts.offsets[1:]] - starts[counts.offsets[:-1]]

    top, sampled = counted.copy(), per_token["top_counts"].copy()
    breaches.extend(_nucleus(columns, entries, top))
    breaches.extend(_high_bytes(columns, "top", entries, top))
    breaches.extend(_tail(columns, tokens, sampled))
    tail = columns.sampled_indices_low.lengths
    breaches.extend(_high_bytes(columns, "sampled", tail, sampled))
    num_sampled = np.where(sampled, tail // np.maximum(tokens, 1), 0)
    return Shape(per_token, top, sampled, num_sampled, starts)


def _num_tokens(columns: Columns, rows: Lengths) -> Iterator[Breach]:
    if rows.size == 0:
        return

    def describe(k: int) -> Detail:
        got = int(columns.num_tokens[rows[k]])
        return Detail(f"num_tokens is {got}, expected 1 to {MAX_TOKENS}", got, [1, MAX_TOKENS])

    yield Breach("ROW-1", "num_tokens", rows, describe, first_row=columns.first_row)


def _per_token(columns: Columns, name: str, requirement: str, valid: Mask, tokens: Lengths) -> Iterator[Breach]:
    """ROW-2 (and the like of ALN-4): a per-token list has num_tokens elements."""
    lengths = columns.ragged(name).lengths
    wrong = np.flatnonzero(valid & (lengths != tokens))
    if wrong.size == 0:
        return

    def describe(k: int) -> Detail:
        got, expected = int(lengths[wrong[k]]), int(tokens[wrong[k]])
        text = f"{name} has {_many(got, 'element')}, expected {expected}, one for each token"
        return Detail(text, got, expected)

    yield Breach(requirement, name, wrong, describe, first_row=columns.first_row)


def _nucleus(columns: Columns, entries: Lengths, holds: Mask) -> Iterator[Breach]:
    """ROW-3: the counts add up to the nucleus's indices and to its logits; narrows `holds`."""
    low = columns.top_indices_low.lengths
    logits = columns.top_logits_quantized.lengths
    wrong = holds & ((low != entries) | (logits != entries))
    if not wrong.any():
        return
    holds &= ~wrong

    def describe(row: int) -> Detail:
        got = [int(low[row]), int(logits[row])]
        text = (
            f"top_counts add up to {entries[row]}, but top_indices_low has "
            f"{_many(got[0], 'element')} and top_logits_quantized {got[1]}"
        )
        return Detail(text, got, int(entries[row]))

    # Two of the three agree as a rule: the third is named.
    yield from _blamed(columns, "ROW-3", "top_counts", wrong & (low == logits), describe)
    wrong &= low != logits
    yield from _blamed(columns, "ROW-3", "top_indices_low", wrong & (low != entries), describe)
    yield from _blamed(columns, "ROW-3", "top_logits_quantized", wrong & (low == entries), describe)


def _tail(columns: Columns, tokens: Lengths, holds: Mask) -> Iterator[Breach]:
    """ROW-4: the tail has S indices and S logits for each token, S >= 1; narrows `holds`."""
    low = columns.sampled_indices_low.lengths
    logits = columns.sampled_logits_quantized.lengths
    whole = (low > 0) & (low % np.maximum(tokens, 1) == 0)
    wrong = holds & ((low != logits) | ~whole)
    if not wrong.any():
        return
    holds &= ~wrong

    def describe(row: int) -> Detail:
        got = [int(low[row]), int(logits[row])]
        text = (
            f"sampled_indices_low has {_many(got[0], 'element')} and sampled_logits_quantized "
            f"{got[1]}, expected the same multiple of {_many(int(tokens[row]), 'token')} in both"
        )
        return Detail(text, got)

    yield from _blamed(columns, "ROW-4", "sampled_indices_low", wrong & ~whole, describe)
    yield from _blamed(columns, "ROW-4", "sampled_logits_quantized", wrong & whole, describe)


def _high_bytes(columns: Columns, kind: str, entries: Lengths, holds: Mask) -> Iterator[Breach]:
    """IDX-3: the high bits of a row's entries fill exactly ceil(entries / 4) bytes."""
    name = f"{kind}_indices_high"
    lengths = columns.ragged(name).lengths
    expected = (entries + 3) // 4

    def describe(row: int) -> Detail:
        got, need = int(lengths[row]), int(expected[row])
        indices = "1 index" if entries[row] == 1 else f"{entries[row]} indices"
        return Detail(f"{name} has {_many(got, 'byte')}, expected {need} for {indices}", got, need)

    yield from _blamed(columns, "IDX-3", name, holds & (lengths != expected), describe)


def _blamed(columns: Columns, requirement: str, name: str, wrong: Mask, detail: values.RowDetail) -> Iterator[Breach]:
    """Yield the rows where `wrong` as a breach in column `name`, if there are any."""
    rows = np.flatnonzero(wrong)
    if rows.size:
        yield Breach(requirement, name, rows, lambda k: detail(int(rows[k])), first_row=columns.first_row)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
