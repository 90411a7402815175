"""The semantic requirements on rows: what a row claims, held against what it stores.

Strategy: one function a requirement, over all tokens of a batch at once, in the order of SPEC.md. This
module has those on indices, ranges and token ids, and calls those on sets and masses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from logitpack import structure
from logitpack.breach import Breach, Detail
from logitpack.entries import EVALUATION, LOGIT_TOLERANCE, Entries, Ints, Mask, Sound
from logitpack.located import entry_breach, token_breach
from logitpack.masses import sets_and_masses
from logitpack.metadata import Metadata

MAX_VOCAB = 262_144


def judge(sound: Sound, metadata: Metadata | None) -> list[Breach]:
    """Judge sound rows; `metadata` None judges what a Core file is bound to.

    The rows of the breaches are those of the file.
    """
    if len(sound) == 0:
        return []
    breaches = [
        *_padding(sound, sound.top),
        *_padding(sound, sound.sampled),
        *_within_vocabulary(sound, metadata),
        *_empty_range(sound),
        *_tight_range(sound, sound.top),
        *_tight_range(sound, sound.sampled),
        *_token_ids(sound, metadata),
    ]
    return breaches + list(sets_and_masses(sound, metadata))


def _padding(sound: Sound, entries: Entries) -> Iterator[Breach]:
    """IDX-4: unused bits of a row's last byte are zero."""
    column = f"{entries.kind}_indices_high"
    high = sound.columns.ragged(column)
    used = sound.columns.ragged(f"{entries.kind}_indices_low").lengths % 4
    last = high.values[high.offsets[1:] - 1]
    rows = np.flatnonzero((used > 0) & ((last >> (2 * used)) > 0))
    if rows.size:

        def describe(k: int) -> Detail:
            got, kept = int(last[rows[k]]), int(used[rows[k]])
            entry = "1 entry" if kept == 1 else f"{kept} entries"
            return Detail(f"last byte is 0x{got:02X}, expected zeros above the bits of its {entry}", got)

        yield Breach("IDX-4", column, sound.row_numbers[rows], describe)


def _within_vocabulary(sound: Sound, metadata: Metadata | None) -> Iterator[Breach]:
    """IDX-5: each index is below a declared vocab_size."""
    if metadata is None or metadata.vocab_size >= MAX_VOCAB:
        return
    limit = metadata.vocab_size
    for entries in (sound.top, sound.sampled):
        at = np.flatnonzero(entries.index >= limit)

        def describe(k: int, entries: Entries = entries, at: Ints = at) -> Detail:
            got = int(entries.index[at[k]])
            return Detail(f"index {got} is not below vocab_size {limit}", got, [0, limit - 1])

        yield from entry_breach(sound, "IDX-5", entries, "indices_low", at, describe)


def _empty_range(sound: Sound) -> Iterator[Breach]:
    """QNT-4: where min = max, each code is 0."""
    for entries in (sound.top, sound.sampled):
        wrong = (entries.low == entries.high) & (entries.largest_code > 0)
        if not wrong.any():
            continue
        at = np.flatnonzero(np.repeat(wrong, entries.counts) & (entries.code != 0))

        def describe(k: int, entries: Entries = entries, at: Ints = at) -> Detail:
            got = int(entries.code[at[k]])
            return Detail(f"code is {got} in an empty range, expected 0", got, 0)

        yield from entry_breach(sound, "QNT-4", entries, "logits_quantized", at, describe)


def _tight_range(sound: Sound, entries: Entries) -> Iterator[Breach]:
    """QNT-5: the range is no wider than its token's logits."""
    low, high = entries.low.astype(np.float32), entries.high.astype(np.float32)
    with np.errstate(over="ignore"):  # next to the largest number stands infinity, and no code reaches it
        above = np.nextafter(low, np.float32(np.inf)).astype(np.float64)
        below = np.nextafter(high, np.float32(-np.inf)).astype(np.float64)
    slack = EVALUATION * np.maximum(np.abs(entries.low), np.abs(entries.high))
    loose_low = entries.low + (entries.smallest_code - LOGIT_TOLERANCE) * entries.step >= above + slack
    loose_high = entries.low + (entries.largest_code + LOGIT_TOLERANCE) * entries.step <= below - slack
    open_range = entries.low < entries.high
    tokens = np.flatnonzero(open_range & (loose_low | loose_high))

    def describe(k: int) -> Detail:
        got = [int(entries.smallest_code[tokens[k]]), int(entries.largest_code[tokens[k]])]
        return Detail(f"codes span {got[0]} to {got[1]}, expected 0 to 65535", got, [0, 65535])

    yield from token_breach(sound, "QNT-5", f"{entries.kind}_logits_quantized", tokens, describe)


def token_ids_hold(sound: Sound, metadata: Metadata | None) -> Mask:
    """Which rows have token_ids that hold (ALN-4): bool [rows]."""
    holds = np.ones(len(sound), np.bool_)
    for breach in _token_ids(sound, metadata):
        holds[np.isin(sound.row_numbers, breach.rows)] = False
    return holds


def _token_ids(sound: Sound, metadata: Metadata | None) -> Iterator[Breach]:
    """ALN-4: one vocabulary index for each token."""
    everywhere = np.ones(len(sound), np.bool_)
    vocab_size = None if metadata is None else metadata.vocab_size
    for breach in structure.token_ids(sound.columns, everywhere, vocab_size):
        yield replace(breach, rows=sound.row_numbers[breach.rows], first_row=0)
