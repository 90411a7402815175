"""The screen: rows for which all semantic requirements certainly hold, told by cheap bounds.

Strategy: it never says that a requirement is broken. A row that it does not clear is judged by `semantics`, where
verdicts and messages are made; a row that it clears would have no breach there.

Indices, counts and codes are exact. Masses are bounded in two steps. The first takes decoded logits for the true
ones, which makes every interval of SPEC.md section 14.3 narrower than it is, and masses of `facts`, which are off
by less than `COARSE` + n * 2^-24 of themselves. exp(x), for a tolerance x, is taken for 1 + x. Tokens that this
does not clear are looked at in binary64, as section 14.3 has it, with half of the slack that a checker allows
itself: the other half is for what the two evaluations differ by. Up to `LARGEST` in magnitude, exponents are off by
less than 2^-34, an eighth of that; whatever is larger is not cleared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logitpack.entries import LOGIT_TOLERANCE, Entries, Ints, Mask, Reals, Sound
from logitpack.facts import Codes, Facts
from logitpack.masses import SLACK
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata
from logitpack.ragged import blocks, to_offsets
from logitpack.semantics import MAX_VOCAB

COARSE = 2.0**-18
LARGEST = 65_536.0


def suspects(sound: Sound, known: Facts | None, metadata: Metadata | None) -> Sound:
    """Return the rows that are left for `semantics` to judge: all of them where no facts are known."""
    return sound if known is None else sound.select(~cleared(sound, known, metadata))


def cleared(sound: Sound, facts: Facts, metadata: Metadata | None) -> Mask:
    """Return which rows certainly break no semantic requirement: bool [rows]."""
    tokens = _sets_hold(sound, facts, metadata)
    with np.errstate(over="ignore", invalid="ignore"):  # of a token that is not cleared
        sure = tokens & _masses_hold(sound, facts, metadata)
    undecided = np.flatnonzero(tokens & ~sure)
    for first, last in blocks(to_offsets(sound.top.counts[undecided] + sound.sampled.counts[undecided])):
        part = undecided[first:last]
        sure[part] = _closely(sound, part, metadata)
    rows = np.asarray(np.logical_and.reduceat(sure, sound.row_offsets[:-1]))
    if metadata is not None:
        rows &= facts.largest_index < min(metadata.vocab_size, MAX_VOCAB)
    if sound.columns.token_ids is not None:
        rows &= facts.aligned
    return rows & _padded(sound, sound.top) & _padded(sound, sound.sampled)


def _padded(sound: Sound, entries: Entries) -> Mask:
    """IDX-4, by row."""
    high = sound.columns.ragged(f"{entries.kind}_indices_high")
    used = sound.columns.ragged(f"{entries.kind}_indices_low").lengths % 4
    return np.asarray((used == 0) | (high.values[high.offsets[1:] - 1] >> (2 * used) == 0))


def _sets_hold(sound: Sound, facts: Facts, metadata: Metadata | None) -> Mask:
    """QNT-4, QNT-5, NUC-2, NUC-3, NUC-7, NUC-8, TAIL-1, TAIL-2, by token."""
    top, sampled = sound.top, sound.sampled
    limit = MAX_ENTRIES_UNDECLARED if metadata is None else metadata.max_entries
    holds: Mask = ~facts.repeated & (top.counts <= limit) & _tight(top, facts.top) & _tight(sampled, facts.sampled)
    # NUC-3 compares the far ends of the two intervals; their middles are closer.
    holds &= sampled.low + facts.sampled.largest * sampled.step <= top.low + facts.top.least * top.step
    if metadata is not None and metadata.descending:
        holds &= facts.top.falls
    return holds


def _tight(entries: Entries, codes: Codes) -> Mask:
    """QNT-4 and QNT-5: the ends of the range are codes, or it is empty and so are they."""
    whole: Mask = (codes.least == 0) & (codes.largest == 65535)
    return np.where(entries.low < entries.high, whole, codes.largest == 0)


def _masses_hold(sound: Sound, facts: Facts, metadata: Metadata | None) -> Mask:
    """LSE-2, LSE-3, NUC-4, NUC-5, NUC-6 by the masses of decoded logits, of tokens that are tight."""
    counts, drawn, given = sound.top.counts, sound.sampled.counts, sound.logsumexp
    bounded = _bounded(sound)
    more, less = 1 + (COARSE + np.maximum(counts, drawn) * 2.0**-24), 1 + sound.logsumexp_tolerance
    mass, smallest = facts.top.mass, np.exp(sound.top.low - given)
    stored = mass + facts.sampled.mass
    holds: Mask = bounded & (stored * more <= less)
    if metadata is None:
        return holds
    rest = np.maximum(0, metadata.vocab_size - counts - drawn)
    holds &= (stored + rest * smallest) * less >= more
    if metadata.rule == "covering" and metadata.top_p is not None:
        holds &= (counts >= metadata.max_entries) | (mass * less >= metadata.top_p * more)
        holds &= (counts == 1) | (mass * more - smallest < metadata.top_p * less)
    if metadata.rule == "below" and metadata.top_p is not None:
        holds &= (counts == 1) | (mass * more <= metadata.top_p * less)
    return holds


def _bounded(sound: Sound) -> Mask:
    """Return the tokens none of whose numbers is above `LARGEST` in magnitude."""
    top, sampled = sound.top, sound.sampled
    lowest, highest = np.minimum(top.low, sampled.low), np.maximum(top.high, sampled.high)
    return (lowest >= -LARGEST) & (highest <= LARGEST) & (np.abs(sound.logsumexp) <= LARGEST)


def _closely(sound: Sound, at: Ints, metadata: Metadata | None) -> Mask:
    """Judge the same of the tokens `at` by the bounds of SPEC.md section 14.3, in binary64."""
    top, sampled = sound.top, sound.sampled
    given, counts, bounded = sound.logsumexp[at], top.counts[at], _bounded(sound)[at]
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
