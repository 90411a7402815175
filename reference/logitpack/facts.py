"""Facts: what the entries of each token come to, gathered from a batch.

Strategy: `compiled` has kernels do it at the speed of memory. They take seconds to compile, and numba may not be there
at all, so that small amounts of data, or all, are left to `reckoned`, which says the same in numpy, masses a little
closer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import dataset
from logitpack.dataset import BINS, Totals
from logitpack.entries import Entries, Ints, Mask, Reals, Sound
from logitpack.machine import Kernels, kernels
from logitpack.metadata import Metadata
from logitpack.semantics import MAX_VOCAB, token_ids_hold

LOG2_E = float(np.log2(np.e))
LARGEST_LOW = 0xFFFF
LARGE = 16 << 20
"""Bytes of a dataset that take as long to judge in numpy as the kernels take to compile."""


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of one kind, nucleus or tail, by token: int64 and binary64 [tokens].

    `mass` is that of the decoded logits, `least` and `largest` the ends of the codes, `falls` whether no
    code is larger than the one before.
    """

    mass: Reals
    least: Ints
    largest: Ints
    falls: Mask


@dataclass(frozen=True, eq=False)
class Facts:
    """What a batch of sound rows comes to.

    `repeated` bool [tokens]: an index stands twice in the token; `largest_index` int64 [rows]; `beyond` int64 [2]:
    indices of 65,536 and more, nucleus and tail; `aligned` bool [rows]: ALN-4 holds.
    """

    top: Codes
    sampled: Codes
    repeated: Mask
    largest_index: Ints
    beyond: Ints
    aligned: Mask
    totals: Totals


def reckoned(sound: Sound, metadata: Metadata | None) -> Facts:
    """Gather the facts of a batch with numpy."""
    top, sampled = (_codes(entries, sound.logsumexp) for entries in (sound.top, sound.sampled))
    repeated, repeats = np.zeros(sound.logsumexp.size, np.bool_), sound.repeats
    for entries, at in (
        (sound.top, repeats.in_top),
        (sound.sampled, repeats.in_sampled),
        (sound.sampled, repeats.in_both),
    ):
        repeated[entries.tokens_of(at)] = True
    each = (sound.top, sound.sampled)
    ends = np.array([np.maximum.reduceat(one.index, one.offsets[sound.row_offsets[:-1]]) for one in each], np.int64)
    beyond = np.array([(one.index > LARGEST_LOW).sum() for one in each], np.int64)
    aligned = token_ids_hold(sound, metadata) & (sound.columns.token_ids is not None)
    return Facts(top, sampled, repeated, ends.max(axis=0), beyond, aligned, dataset.observe(sound, metadata))


def _codes(entries: Entries, logsumexp: Reals) -> Codes:
    rises = np.zeros(entries.code.size, np.bool_)
    rises[1:] = entries.code[1:] > entries.code[:-1]
    rises[entries.offsets[:-1]] = False
    falls = ~np.logical_or.reduceat(rises, entries.offsets[:-1])
    with np.errstate(over="ignore"):
        mass = np.exp(entries.log_sum_exp(0) - logsumexp)
    return Codes(mass, entries.smallest_code, entries.largest_code, falls)


def compiled(sound: Sound, metadata: Metadata | None) -> Facts | None:
    """Gather the facts of a batch with the kernels; None where there are none."""
    loaded = kernels()
    if loaded is None:
        return None
    top, sampled = (_scanned(loaded, entries, sound.logsumexp) for entries in (sound.top, sound.sampled))
    tokens = sound.logsumexp.size
    aligned = token_ids_hold(sound, metadata) & (sound.columns.token_ids is not None)
    size = 0
    if metadata is not None and metadata.tail_method == "uniform":
        size = min(metadata.tokenizer_size, MAX_VOCAB)
    packed, longest = [], 0
    for kind in ("top", "sampled"):
        low, high = (sound.columns.ragged(f"{kind}_indices_{part}") for part in ("low", "high"))
        packed += [_as(low.values, np.uint16), _as(high.values, np.uint8), low.offsets, high.offsets]
        longest += int(low.lengths.max())
    repeated, largest = np.zeros(tokens, np.bool_), np.zeros(len(sound), np.int64)
    beyond, found = np.zeros(2, np.int64), np.zeros(3, np.int64)
    observed, expected = np.zeros(BINS), np.zeros(BINS + 1)
    loaded.look(
        *packed,
        sound.row_offsets,
        len(sound),
        _as(sound.columns.top_counts.values, np.uint8),
        _ids(sound, aligned),
        aligned,
        size,
        np.empty(longest, np.uint32),
        np.zeros(MAX_VOCAB // 64 + 1, np.int64),
        repeated,
        largest,
        beyond,
        found,
        observed,
        expected,
    )
    judged = sound.num_tokens[aligned]
    looked = np.array([judged.sum(), (judged - 1).sum(), (judged - 1).sum()], np.int64)
    expected = expected[BINS] * dataset.widths(size) - expected[:BINS] if size else np.zeros(BINS)
    return Facts(
        top, sampled, repeated, largest, beyond, aligned, Totals(observed, dataset.summable(expected), found, looked)
    )


def _scanned(loaded: Kernels, entries: Entries, logsumexp: Reals) -> Codes:
    tokens = entries.counts.size
    total, (least, largest), falls = np.zeros(tokens), np.zeros((2, tokens), np.int64), np.zeros(tokens, np.bool_)
    code = _as(entries.code, np.uint16)
    loaded.scan(code, code.size, entries.offsets, tokens, entries.step * LOG2_E, total, least, largest, falls)
    with np.errstate(over="ignore"):
        total *= np.exp(entries.high - logsumexp)
    return Codes(total, least, largest, falls)


def _ids(sound: Sound, aligned: Mask) -> NDArray[np.int32]:
    """Give the token ids of the aligned rows, one for each token of the batch; 2^18 for those beyond it."""
    ids = sound.columns.token_ids
    if ids is None or not aligned.any():
        return np.zeros(0, np.int32)
    kept = np.minimum(ids.select(aligned).values if not aligned.all() else ids.values, MAX_VOCAB).astype(np.int32)
    if aligned.all():
        return kept
    whole = np.zeros(sound.logsumexp.size, np.int32)
    whole[aligned[sound.row_of_token]] = kept
    return whole


def _as(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Give values as the kernels take them: of one type, contiguous and aligned."""
    return np.require(values, dtype, ("C", "A"))
