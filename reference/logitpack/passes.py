"""Passes over a batch: its arrays as the kernels take them, and what comes of it.

Strategy: one pass over the indices of all tokens, one over the codes of each kind, and one over the tokens, which holds
what those came to against bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import dataset, figures
from logitpack.dataset import BINS, Totals
from logitpack.entries import LOGIT_TOLERANCE, LOGSUMEXP_TOLERANCE, Ints, Mask, Sound
from logitpack.figures import Figures
from logitpack.machine import Kernels
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata
from logitpack.semantics import MAX_VOCAB

COARSE = 2.0**-18
"""What masses are off by, relative, beside 2^-24 for each entry."""
LARGEST = 65_536.0
"""The largest magnitude of a number whose token is cleared."""
NOT_CLEARED, UNDECIDED, CLEARED = range(3)
_RANGES = ("top_min", "top_max", "sampled_min", "sampled_max")


@dataclass(frozen=True, eq=False)
class Indices:
    """`repeated` bool [tokens], `largest` int64 [rows], `beyond` int64 [2]: of 65,536 and more, nucleus and tail."""

    repeated: Mask
    largest: Ints
    beyond: Ints
    totals: Totals


def look(loaded: Kernels, sound: Sound, metadata: Metadata | None, aligned: Mask) -> Indices:
    """Look through the indices, and the token ids of the rows that are `aligned` bool [rows]."""
    tokens = sound.logsumexp.size
    size = 0
    if metadata is not None and metadata.tail_method == "uniform":
        size = min(metadata.tokenizer_size, MAX_VOCAB)
    packed, longest = [], 0
    for kind in figures.KINDS:
        low, high = (sound.columns.ragged(f"{kind}_indices_{part}") for part in ("low", "high"))
        packed += [_as(low.values, np.uint16), _as(high.values, np.uint8), low.offsets, high.offsets]
        longest += int(low.lengths.max())
    repeated, largest = np.zeros(tokens, np.bool_), np.zeros(len(sound), np.int64)
    beyond, found = np.zeros(2, np.int64), np.zeros(3, np.int64)
    observed, expected = np.zeros(BINS), np.zeros(BINS + 1)
    quads = np.empty(longest // 4 + 1, np.uint32)
    loaded.look(
        *packed,
        sound.row_offsets,
        len(sound),
        _as(sound.columns.top_counts.values, np.uint8),
        _ids(sound, aligned),
        aligned,
        size,
        np.empty(longest, np.uint32),
        quads,
        quads.view(np.uint8),
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
    return Indices(repeated, largest, beyond, Totals(observed, dataset.summable(expected), found, looked))


def weigh(
    loaded: Kernels, sound: Sound, metadata: Metadata | None, indices: Indices
) -> tuple[NDArray[np.uint8], Figures]:
    """Return the verdict on the masses of each token, uint8 [tokens], and the figures."""
    columns, tokens = sound.columns, sound.logsumexp.size
    offsets = (sound.top.offsets, sound.sampled.offsets)
    codes = [_as(each.code, np.uint16) for each in (sound.top, sound.sampled)]
    ranges = [_as(columns.ragged(name).values, np.float32) for name in _RANGES]
    total, falls = np.empty((2, tokens)), np.empty((2, tokens), np.bool_)
    least, largest = np.empty((2, tokens), np.uint16), np.empty((2, tokens), np.uint16)
    for k, (code, starts) in enumerate(zip(codes, offsets, strict=True)):
        ends = ranges[2 * k : 2 * k + 2]
        loaded.scan(code, code.size, starts, tokens, *ends, total[k], least[k], largest[k], falls[k])
    cap = MAX_ENTRIES_UNDECLARED if metadata is None else metadata.max_entries
    vocabulary = 0 if metadata is None else metadata.vocab_size
    top_p = None if metadata is None else metadata.top_p
    rule = metadata.rule if metadata is not None and top_p is not None else None
    logsumexp = _as(sound.logsumexp, np.float64)
    verdict, sizes = np.empty(tokens, np.uint8), np.zeros(256, np.int64)
    masses, bins = np.zeros(2, np.int64), np.zeros(len(figures.MASS_EDGES) + 1, np.int64)
    kinds, numbers = np.zeros((4, 2), np.int64), np.zeros(6, np.int64)
    narrow, extremes = np.zeros(len(figures.NARROW), np.int64), np.array([np.inf, -np.inf])
    loaded.weigh(
        _as(columns.top_counts.values, np.uint8),
        sound.num_sampled,
        sound.row_offsets,
        len(sound),
        codes[0],
        offsets[0],
        *ranges,
        logsumexp,
        logsumexp.view(np.int64),
        total,
        least,
        largest,
        falls,
        indices.repeated,
        metadata is not None,
        metadata is not None and metadata.descending,
        rule == "covering",
        rule == "below",
        np.array([cap, vocabulary, top_p or 0, COARSE, LARGEST, LOGSUMEXP_TOLERANCE, LOGIT_TOLERANCE, figures.UNIT]),
        np.array(figures.MASS_EDGES),
        len(figures.MASS_EDGES),
        np.array([(1 << zeros) - 1 for zeros in figures.NARROW.values()]),
        np.array([*figures.STEPS.values()], np.float64),
        len(figures.NARROW),
        verdict,
        sizes,
        masses,
        bins,
        kinds,
        numbers,
        narrow,
        extremes,
    )
    several, rising, wrapped, falling_tail, zero, closed = numbers.tolist()
    ranges_, at_min, at_max, largest_code = kinds
    return verdict, Figures(
        tokens=tokens,
        sizes=sizes,
        nucleus_mass=int(masses[0]),
        tail_mass=int(masses[1]),
        mass_bins=bins,
        least_mass=float(extremes[0]),
        most_mass=float(extremes[1]),
        entries=np.array([code.size for code in codes], np.int64),
        high_indices=indices.beyond,
        largest_index=int(indices.largest.max()),
        ranges=ranges_,
        at_min=at_min,
        at_max=at_max,
        largest_code=largest_code,
        several=several,
        rising=rising,
        wrapped=wrapped,
        falling_tail=falling_tail,
        narrow=narrow,
        zero=zero,
        closed=closed,
    )


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
