"""What is judged over a whole dataset: TAIL-3 and ALN-5, SPEC.md section 14.4.

Strategy: a batch of sound rows gives sums; sums of batches add up in any order; the verdict is made of the
total. Nothing here grows with the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logitpack.entries import Entries, Mask, Reals, Sound
from logitpack.metadata import Metadata
from logitpack.semantics import MAX_VOCAB, token_ids_hold

BINS = 64
MIN_EXPECTED = 100
MIN_TOKENS = 100
CHI_SQUARE_LIMIT = 155.0743
"""What a chi-square variable with 63 degrees of freedom exceeds with probability 1e-9."""

UNIT = 2.0**-20
"""What expected numbers are multiples of: such sums do not depend on their order, up to 2^33 a bin."""

SHIFTS = (0, -1, 1)
"""Whose nucleus a token is looked for in: its own entry's, the one before, the one after."""


def _bins() -> Reals:
    return np.zeros(BINS, np.float64)


def _counts() -> NDArray[np.int64]:
    return np.zeros(len(SHIFTS), np.int64)


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over rows: `observed` and `expected` [64] of TAIL-3, `found` and `looked` [3] of ALN-5.

    `expected` is in multiples of `UNIT`, see `summable`.
    """

    observed: Reals = field(default_factory=_bins)
    expected: Reals = field(default_factory=_bins)
    found: NDArray[np.int64] = field(default_factory=_counts)
    looked: NDArray[np.int64] = field(default_factory=_counts)

    def __add__(self, other: Totals) -> Totals:
        """Add the sums of other rows of the same dataset."""
        return Totals(
            self.observed + other.observed,
            self.expected + other.expected,
            self.found + other.found,
            self.looked + other.looked,
        )


def observe(sound: Sound, metadata: Metadata | None) -> Totals:
    """Sum up a batch of sound rows, for what the metadata makes judgeable."""
    if len(sound) == 0:
        return Totals()
    observed, expected = _bins(), _bins()
    if metadata is not None and metadata.tail_method == "uniform":
        observed, expected = _tail(sound, min(metadata.tokenizer_size, MAX_VOCAB))
    found, looked = _counts(), _counts()
    if sound.columns.token_ids is not None:
        found, looked = _alignment(sound, token_ids_hold(sound, metadata))
    return Totals(observed, summable(expected), found, looked)


def summable(numbers: Reals) -> Reals:
    """Round numbers to multiples of `UNIT`."""
    return np.rint(numbers / UNIT) * UNIT


def uniformity(totals: Totals) -> float | None:
    """Give the chi-square statistic of TAIL-3, or None where there is too little to judge."""
    if totals.expected.min() < MIN_EXPECTED:
        return None
    return float((np.square(totals.observed - totals.expected) / totals.expected).sum())


def hit_shares(totals: Totals) -> tuple[float, float, float] | None:
    """Give h0, h+ and h- of ALN-5, or None where there is too little to judge."""
    if totals.looked[1] < MIN_TOKENS:
        return None
    own, before, after = (totals.found / totals.looked).tolist()
    return own, before, after


def _tail(sound: Sound, size: int) -> tuple[Reals, Reals]:
    repeats = sound.repeats
    judged = np.ones(sound.top.counts.size, np.bool_)
    for entries, at in (
        (sound.top, repeats.in_top),
        (sound.sampled, repeats.in_sampled),
        (sound.sampled, repeats.in_both),
    ):
        judged[entries.tokens_of(at)] = False
    in_nucleus = _below(sound.top, size)
    judged &= in_nucleus < size
    left = np.maximum(size - in_nucleus, 1)
    weight = np.where(judged, _below(sound.sampled, size) / left, 0.0)
    expected = weight.sum() * widths(size) - _binned(sound.top, size, weight)
    return _binned(sound.sampled, size, judged.astype(np.float64)), expected


def widths(size: int) -> NDArray[np.int64]:
    """Return how many of the indices below `size` are in each bin, int64 [64]."""
    return np.diff(-(-np.arange(BINS + 1) * size // BINS))


def _below(entries: Entries, size: int) -> NDArray[np.int64]:
    """Count each token's entries below `size`."""
    return np.add.reduceat((entries.index < size).astype(np.int64), entries.offsets[:-1])


def _binned(entries: Entries, size: int, weight: Reals) -> Reals:
    """Add up the weights of the tokens of all entries below `size`, by bin."""
    low = entries.index < size
    bins = entries.index[low].astype(np.int64) * BINS // size
    weights = np.repeat(weight, entries.counts)[low]
    return np.bincount(bins, weights=weights, minlength=BINS).astype(np.float64)


def _alignment(sound: Sound, rows_hold: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids, tokens = sound.columns.token_ids, sound.top.counts.size
    assert ids is not None
    token_id = np.full(tokens, -1, np.int64)
    judged = rows_hold[sound.row_of_token]
    token_id[judged] = ids.select(rows_hold).values
    position = np.arange(tokens) - sound.row_offsets[sound.row_of_token]
    last = sound.num_tokens[sound.row_of_token] - 1
    found, looked = _counts(), _counts()
    for k, shift in enumerate(SHIFTS):
        # Entry e is asked for the token whose own entry is `shift` away from it.
        asks = judged & (position - shift >= 0) & (position - shift <= last)
        wanted = np.where(asks, np.roll(token_id, shift), -1)
        hit = sound.top.index == np.repeat(wanted, sound.top.counts)
        found[k] = np.logical_or.reduceat(hit, sound.top.offsets[:-1]).sum()
        looked[k] = asks.sum()
    return found, looked
