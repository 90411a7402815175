"""The screen: what batches of rows come to, at the speed of memory, and which rows are left to be judged.

Strategy: it never says that a requirement is broken. A row that it does not clear is judged by `semantics`, where
verdicts and messages are made; a row that it clears would have no breach there. Kernels do the work; they take seconds
to compile, and numba may not be there at all, so that small amounts of data, or all, are left to numpy.

Indices, counts and codes are exact. Masses are bounded in two steps. The first, in the kernel, takes decoded logits for
the true ones, which makes every interval of SPEC.md section 14.3 narrower than it is, and masses that are off by less
than `COARSE` + n * 2^-24 of themselves. exp(x), for a tolerance x, is taken for 1 + x. Tokens that this does not clear
are looked at in binary64, as section 14.3 has it, with half of the slack that a checker allows itself: the other half
is for what the two evaluations differ by. Up to `LARGEST` in magnitude, exponents are off by less than 2^-34, an eighth
of that; whatever is larger is not cleared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from logitpack import dataset, figures
from logitpack.dataset import Totals
from logitpack.entries import LOGIT_TOLERANCE, Entries, Ints, Mask, Reals, Sound
from logitpack.figures import Figures
from logitpack.machine import kernels
from logitpack.masses import SLACK
from logitpack.metadata import Metadata
from logitpack.passes import CLEARED, LARGEST, UNDECIDED, look, weigh
from logitpack.ragged import blocks, to_offsets
from logitpack.semantics import MAX_VOCAB, token_ids_hold

LARGE = 16 << 20
"""Bytes of a dataset that take as long to judge in numpy as the kernels take to compile."""


@dataclass(frozen=True, eq=False)
class Screened:
    """What a batch of sound rows comes to, and the rows that are left for `semantics` to judge."""

    suspects: Sound
    totals: Totals
    figures: Figures


def reckoned(sound: Sound, metadata: Metadata | None) -> Screened:
    """Leave all rows of a batch to be judged, and sum them up with numpy."""
    return Screened(sound, dataset.observe(sound, metadata), figures.observe(sound, metadata))


def screened(sound: Sound, metadata: Metadata | None) -> Screened | None:
    """Look through a batch with the kernels; None where there are none."""
    loaded = kernels()
    if loaded is None:
        return None
    aligned = token_ids_hold(sound, metadata) & (sound.columns.token_ids is not None)
    indices = look(loaded, sound, metadata, aligned)
    verdict, seen = weigh(loaded, sound, metadata, indices)
    sure = verdict == CLEARED
    undecided = np.flatnonzero(verdict == UNDECIDED)
    sizes = sound.top.counts[undecided] + sound.sampled.counts[undecided] if undecided.size else undecided
    for first, last in blocks(to_offsets(sizes)):
        part = undecided[first:last]
        sure[part] = _closely(sound, part, metadata)
    rows = np.asarray(np.logical_and.reduceat(sure, sound.row_offsets[:-1]))
    if metadata is not None:
        rows &= indices.largest < min(metadata.vocab_size, MAX_VOCAB)
    if sound.columns.token_ids is not None:
        rows &= aligned
    rows &= _padded(sound, "top") & _padded(sound, "sampled")
    return Screened(sound.select(~rows), indices.totals, seen)


def _padded(sound: Sound, kind: str) -> Mask:
    """IDX-4, by row."""
    high = sound.columns.ragged(f"{kind}_indices_high")
    used = sound.columns.ragged(f"{kind}_indices_low").lengths % 4
    return np.asarray((used == 0) | (high.values[high.offsets[1:] - 1] >> (2 * used) == 0))


def _bounded(sound: Sound, at: Ints) -> Mask:
    """Return which of the tokens `at` have no number above `LARGEST` in magnitude."""
    top, sampled = sound.top, sound.sampled
    lowest, highest = np.minimum(top.low[at], sampled.low[at]), np.maximum(top.high[at], sampled.high[at])
    return (lowest >= -LARGEST) & (highest <= LARGEST) & (np.abs(sound.logsumexp[at]) <= LARGEST)


def _closely(sound: Sound, at: Ints, metadata: Metadata | None) -> Mask:
    """Judge the same of the tokens `at` by the bounds of SPEC.md section 14.3, in binary64."""
    top, sampled = sound.top, sound.sampled
    given, counts, bounded = sound.logsumexp[at], top.counts[at], _bounded(sound, at)
    given = np.where(bounded, given, 0.0)
    tolerance = np.where(bounded, sound.logsumexp_tolerance[at], 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        up, down = np.exp(tolerance) * (1 + SLACK / 2), np.exp(-tolerance) * (1 - SLACK / 2)
        least, most = _bounds(top, at, given)
        tail_least, tail_most = _bounds(sampled, at, given)
        holds = bounded & (least + tail_least <= up)
        if metadata is None:
            return np.asarray(holds)
        smallest = np.exp(np.minimum(top.low[at] + LOGIT_TOLERANCE * top.step[at], top.high[at]) - given)
        rest = np.maximum(0, metadata.vocab_size - counts - sampled.counts[at])
        holds &= most + tail_most + rest * smallest >= down
        if metadata.rule == "covering" and metadata.top_p is not None:
            holds &= (counts >= metadata.max_entries) | (most * up >= metadata.top_p)
            holds &= (counts == 1) | ((least - np.exp(top.low[at] - given)) * down < metadata.top_p)
        if metadata.rule == "below" and metadata.top_p is not None:
            holds &= (counts == 1) | (least * down <= metadata.top_p)
    return np.asarray(holds)


def _bounds(entries: Entries, at: Ints, given: Reals) -> Iterator[Reals]:
    """Yield the mass of the entries of each of the tokens `at`, bounded from below, then from above."""
    counts = entries.counts[at]
    starts = to_offsets(counts)
    places = np.repeat(entries.offsets[at] - starts[:-1], counts) + np.arange(starts[-1])
    code = entries.code[places].astype(np.float64)
    low, high, step, shift = (
        np.repeat(each, counts) for each in (entries.low[at], entries.high[at], entries.step[at], given)
    )
    for side in (-1, +1):
        logits = np.clip((code + side * LOGIT_TOLERANCE) * step + low, low, high)
        yield np.add.reduceat(np.exp(logits - shift), starts[:-1])
