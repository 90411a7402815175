"""The semantic requirements on a token's entries as sets, and on their masses (NUC-*, TAIL-*, LSE-*).

Strategy: each function gives the tokens that break its requirement, so that what stands on it is judged on
the others only (SPEC.md section 14.3). Logits and logsumexp are judged by their bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from logitpack.breach import Breach, Detail
from logitpack.entries import EVALUATION, Entries, Ints, Mask, Reals, Sound
from logitpack.located import entry_breach, token_breach
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata

SLACK = 1e-9


def sets_and_masses(sound: Sound, metadata: Metadata | None) -> Iterator[Breach]:
    """NUC-*, TAIL-1, TAIL-2, LSE-2, LSE-3: each narrows the tokens that the next are judged on."""
    repeats, holds = sound.repeats, np.ones(sound.logsumexp.size, np.bool_)
    overlapping = sound.sampled.tokens_of(repeats.in_both)
    disjoint = holds.copy()
    disjoint[overlapping] = False
    for requirement, entries, at, text in (
        ("NUC-2", sound.top, repeats.in_top, "stands twice in the nucleus"),
        ("TAIL-1", sound.sampled, repeats.in_sampled, "stands twice in the tail"),
        ("TAIL-2", sound.sampled, repeats.in_both, "of the tail stands in the nucleus too"),
    ):
        yield from entry_breach(sound, requirement, entries, "indices_low", at, _repeat_text(entries, at, text))
        holds[entries.tokens_of(at)] = False
    crowded, breaches = _too_many(sound, metadata)
    yield from breaches
    above, breaches = _not_top(sound, disjoint)
    yield from breaches
    yield from _descending(sound, metadata)
    holds[above] = False
    masses = holds.copy()
    masses[crowded] = False
    for tokens, breaches in (_too_small(sound, holds), _too_large(sound, holds, metadata)):
        yield from breaches
        masses[tokens] = False
    yield from _nucleus_mass(sound, masses, metadata)


def _repeat_text(entries: Entries, at: Ints, text: str) -> Callable[[int], Detail]:
    def describe(k: int) -> Detail:
        index = int(entries.index[at[k]])
        return Detail(f"index {index} {text}", index)

    return describe


def _too_many(sound: Sound, metadata: Metadata | None) -> tuple[Ints, list[Breach]]:
    """NUC-8: no nucleus has more than max_entries entries."""
    limit = MAX_ENTRIES_UNDECLARED if metadata is None else metadata.max_entries
    tokens = np.flatnonzero(sound.top.counts > limit)

    def describe(k: int) -> Detail:
        got = int(sound.top.counts[tokens[k]])
        return Detail(f"nucleus has {got} entries, allowed {limit}", got, [1, limit])

    return tokens, token_breach(sound, "NUC-8", "top_counts", tokens, describe)


def _not_top(sound: Sound, disjoint: Mask) -> tuple[Ints, list[Breach]]:
    """NUC-3: no tail logit exceeds the smallest nucleus logit."""
    tail = sound.sampled.bound(sound.sampled.largest_code, -1)
    top = sound.top.bound(sound.top.smallest_code, +1)
    slack = EVALUATION * np.maximum(np.abs(tail), np.abs(top))
    tokens = np.flatnonzero(disjoint & (tail > top + slack))

    def describe(k: int) -> Detail:
        got, allowed = float(tail[tokens[k]]), float(top[tokens[k]])
        text = f"a tail logit is at least {got:.7g}, above the smallest nucleus logit, at most {allowed:.7g}"
        return Detail(text, got, allowed)

    return tokens, token_breach(sound, "NUC-3", "sampled_logits_quantized", tokens, describe)


def _descending(sound: Sound, metadata: Metadata | None) -> Iterator[Breach]:
    """NUC-7: with order `descending`, codes do not increase."""
    if metadata is None or not metadata.descending:
        return
    code, offsets = sound.top.code, sound.top.offsets
    rises = np.zeros(code.size, np.bool_)
    rises[1:] = code[1:] > code[:-1]
    rises[offsets[:-1]] = False
    at = np.flatnonzero(rises)

    def describe(k: int) -> Detail:
        got, before = int(code[at[k]]), int(code[at[k] - 1])
        return Detail(f"code {got} stands after {before}, expected descending order", got, [0, before])

    yield from entry_breach(sound, "NUC-7", sound.top, "logits_quantized", at, describe)


def _too_small(sound: Sound, judged: Mask) -> tuple[Ints, list[Breach]]:
    """LSE-2: logsumexp is at least that of the stored entries."""
    stored = np.logaddexp(sound.top.log_sum_exp(-1), sound.sampled.log_sum_exp(-1))
    given = sound.logsumexp
    with np.errstate(over="ignore"):  # beyond the largest number stands infinity, and that is not too small
        tokens = np.flatnonzero(judged & (given + sound.logsumexp_tolerance + SLACK < stored))

    def describe(k: int) -> Detail:
        got, least = float(given[tokens[k]]), float(stored[tokens[k]])
        return Detail(f"logsumexp is {got:.7g}, the stored entries alone have {least:.7g}", got, least)

    return tokens, token_breach(sound, "LSE-2", "logsumexp", tokens, describe)


def _too_large(sound: Sound, judged: Mask, metadata: Metadata | None) -> tuple[Ints, list[Breach]]:
    """LSE-3: logsumexp is at most what entries as large as the smallest of the nucleus would give."""
    if metadata is None:
        return np.zeros(0, np.int64), []
    stored = np.logaddexp(sound.top.log_sum_exp(+1), sound.sampled.log_sum_exp(+1))
    rest = np.maximum(0, metadata.vocab_size - sound.top.counts - sound.sampled.counts)
    with np.errstate(divide="ignore"):
        most = np.logaddexp(stored, np.log(rest) + sound.top.bound(sound.top.smallest_code, +1))
    given = sound.logsumexp
    with np.errstate(over="ignore"):
        tokens = np.flatnonzero(judged & (given - sound.logsumexp_tolerance - SLACK > most))

    def describe(k: int) -> Detail:
        got, limit = float(given[tokens[k]]), float(most[tokens[k]])
        return Detail(f"logsumexp is {got:.7g}, the entries allow at most {limit:.7g}", got, limit)

    return tokens, token_breach(sound, "LSE-3", "logsumexp", tokens, describe)


def _nucleus_mass(sound: Sound, judged: Mask, metadata: Metadata | None) -> Iterator[Breach]:
    """NUC-4, NUC-5, NUC-6: the nucleus was cut by the rule that is declared."""
    if metadata is None or metadata.top_p is None or metadata.rule == "unspecified":
        return
    top_p, counts = metadata.top_p, sound.top.counts
    upper = _mass(sound.top.log_sum_exp(+1), sound, -1)
    lower = _mass(sound.top.log_sum_exp(-1), sound, +1)
    if metadata.rule == "below":
        above = judged & (counts > 1) & (lower * (1 - SLACK) > top_p)
        yield from _mass_breach(sound, "NUC-6", above, lower, top_p, f", expected at most {top_p} or one entry")
        return
    short = judged & (counts < metadata.max_entries) & (upper * (1 + SLACK) < top_p)
    expected = f", expected at least {top_p} or {metadata.max_entries} entries"
    yield from _mass_breach(sound, "NUC-4", short, upper, top_p, expected)
    with np.errstate(invalid="ignore"):  # of tokens that are not judged
        without = lower - _mass(sound.top.bound(sound.top.smallest_code, -1), sound, +1)
    more = judged & (counts > 1) & (without * (1 - SLACK) >= top_p)
    expected = f" without its smallest entry, expected less than {top_p}"
    yield from _mass_breach(sound, "NUC-5", more, without, top_p, expected)


def _mass(log_sum_exp: Reals, sound: Sound, side: int) -> Reals:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(log_sum_exp - (sound.logsumexp + side * sound.logsumexp_tolerance)))


def _mass_breach(sound: Sound, requirement: str, where: Mask, mass: Reals, top_p: float, expected: str) -> list[Breach]:
    tokens = np.flatnonzero(where)

    def describe(k: int) -> Detail:
        got = float(mass[tokens[k]])
        count = int(sound.top.counts[tokens[k]])
        entries = "1 entry" if count == 1 else f"{count} entries"
        return Detail(f"a nucleus of {entries} holds a mass of {got:.6f}{expected}", got, top_p)

    return token_breach(sound, requirement, "top_counts", tokens, describe)
