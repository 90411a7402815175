"""Patterns: what the figures of a dataset look like where a known mistake was made.

Strategy: each pattern is held against the figures, what is declared, and how often requirements are broken. None
looks at the data, so that all of them cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from logitpack.figures import KINDS, NARROW, STEPS, UNIT, Figures
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata

ENOUGH = 100
"""Tokens below which nothing is said."""
NEARLY_ALL = 0.99
LOW_BITS = 65_536
MASSES = frozenset({"LSE-2", "LSE-3", "NUC-4", "NUC-5", "NUC-6"})


class Cause(NamedTuple):
    """What may be wrong, and the requirements whose findings it explains; `note` where it is worth saying alone."""

    text: str
    explains: frozenset[str]
    note: bool = False


@dataclass(frozen=True)
class Evidence:
    """What the patterns look at. `counts` are the places of all findings of the dataset, by requirement."""

    figures: Figures
    hits: tuple[float, float, float] | None
    metadata: Metadata | None
    counts: dict[str, int]

    @property
    def cap(self) -> int:
        """The largest nucleus that is allowed."""
        return MAX_ENTRIES_UNDECLARED if self.metadata is None else self.metadata.max_entries


def _high_bits_lost(seen: Evidence) -> Iterator[Cause]:
    if seen.metadata is None or seen.metadata.tokenizer_size < 1.1 * LOW_BITS:
        return
    figures, explains = seen.figures, frozenset({"TAIL-3", "NUC-2", "TAIL-1", "TAIL-2", "ALN-5"})
    each = zip(KINDS, figures.entries, figures.high_indices, strict=True)
    missing = [name for name, many, high in each if many >= 10 * ENOUGH and high == 0]
    if missing:
        which = "all" if len(missing) == 2 else "all nucleus" if missing == ["top"] else "all tail"
        size = f"{seen.metadata.vocab_size:,}"
        text = f"{which} indices are below 65,536 beside a vocabulary of {size}: the high bits were lost"
        yield Cause(text, explains, note=True)


def _beyond_the_vocabulary(seen: Evidence) -> Iterator[Cause]:
    beyond = seen.counts.get("IDX-5", 0)
    if seen.metadata is None or not beyond:
        return
    largest, block = seen.figures.largest_index, seen.metadata.vocab_size - 1 | LOW_BITS - 1
    # High bits that stand with other low bits fill the last 65,536 indices to their end, and go no further.
    if 0.99 * LOW_BITS < largest + LOW_BITS - block <= LOW_BITS and beyond > seen.figures.entries.sum() / 200:
        text = "high bits stand with other entries than their own: entry j has bits 2(j mod 4) and up of its byte"
        yield Cause(text, frozenset({"IDX-4", "IDX-5", "NUC-2", "TAIL-1", "TAIL-2", "TAIL-3", "ALN-5"}))
    else:
        text = f"the largest index is {largest:,}: vocab_size has to be the width of the logits, padded rows included"
        yield Cause(text, frozenset({"IDX-5"}))


def _shifted(seen: Evidence) -> Iterator[Cause]:
    if seen.hits is None:
        return
    own, before, after = seen.hits
    if seen.metadata is not None and seen.metadata.alignment != "predicts" and own != before:
        found, looks = ("their own entry", "predicts") if own > before else ("the entry before theirs", "follows")
        yield Cause(f"most tokens are in the nucleus of {found}: {looks!r} describes it", frozenset({"ALN-6"}))
    if before > own and before >= after:
        text = "entries were taken from the model's output at the token itself; the one before it predicts the token"
        yield Cause(text, frozenset({"ALN-5"}))
    elif after > own:
        text = "entries were taken from the model's output two positions before the token, where one predicts it"
        yield Cause(text, frozenset({"ALN-5"}))


def _nucleus_size(seen: Evidence) -> Iterator[Cause]:
    figures, explains = seen.figures, frozenset({"NUC-4", "NUC-5", "NUC-6"})
    largest = figures.largest_size
    at_largest, top_p = figures.share_at(largest), None if seen.metadata is None else seen.metadata.top_p
    by_mass = seen.metadata is not None and seen.metadata.rule != "unspecified"
    if by_mass and at_largest == 1 and largest > 1:
        text = f"every nucleus has {largest} entries: they were cut at a number (top-k), and top_p has no part in it"
        yield Cause(text, explains | {"NUC-8"}, note=True)
    elif largest > seen.cap:
        yield Cause(f"the largest nucleus has {largest} entries: max_entries is wrong", frozenset({"NUC-8"}))
    elif largest < seen.cap and at_largest >= 0.05 and "NUC-4" in seen.counts:
        text = f"no nucleus has more than {largest} entries, and {at_largest:.0%} have as many: max_entries is wrong"
        yield Cause(text, frozenset({"NUC-4"}))
    elif top_p is not None and figures.most_mass <= top_p + MARGIN and "NUC-4" in seen.counts:
        text = "no nucleus of several entries reaches top_p: the entry that crosses it was dropped; the rule is 'below'"
        yield Cause(text, explains)
    elif top_p is not None and "NUC-6" in seen.counts and abs(figures.least_mass - top_p) <= MARGIN:
        text = "nuclei reach top_p with their smallest entry, and not before it: the rule is 'covering'"
        yield Cause(text, frozenset({"NUC-6"}))
    elif top_p is not None and abs(figures.least_mass - top_p) > MARGIN and explains & seen.counts.keys():
        text = f"nuclei below the cap hold a mass of {figures.least_mass:.4f} at least: top_p is wrong"
        yield Cause(text, frozenset({"NUC-4", "NUC-5"}))


MARGIN = 0.001
"""How close masses of nuclei have to come to top_p."""


def _logsumexp(seen: Evidence) -> Iterator[Cause]:
    figures = seen.figures
    if figures.zero >= NEARLY_ALL * figures.tokens:
        text = "the logsumexp is 0 nearly everywhere: log-probabilities were stored, not raw logits"
        yield Cause(text, MASSES, note=True)
        return
    if figures.closed >= NEARLY_ALL * figures.several and figures.closed >= NEARLY_ALL * figures.tokens:
        text = "the logsumexp is that of the stored entries, nearly everywhere: it has to be over the full vocabulary"
        yield Cause(text, MASSES, note=True)
    for name, fitting in zip(NARROW, figures.narrow, strict=True):
        if name != "binary32" and fitting + figures.zero >= figures.tokens:
            text = f"every logsumexp is in the steps of {name}, 1/{STEPS[name]} near 20: it was computed in {name}"
            yield Cause(text, MASSES, note=True)
            return


SCALES = frozenset({127, 255, 1023, 4095, 16_383, 32_767, 65_534})
"""What codes are scaled by where 65,535 was meant."""


def _ranges(seen: Evidence) -> Iterator[Cause]:
    figures, explains = seen.figures, frozenset({"QNT-5"})
    if figures.wrapped >= max(NEARLY_ALL * figures.sizes[3:].sum(), 1):
        text = "the largest logit has code 0: codes were scaled by 65536, and the last one wrapped"
        yield Cause(text, explains | MASSES | {"NUC-3", "NUC-7"})
        return
    for k, name in enumerate(KINDS):
        ranges, at_min, at_max = (int(numbers[k]) for numbers in (figures.ranges, figures.at_min, figures.at_max))
        largest = int(figures.largest_code[k])
        if ranges < ENOUGH:
            continue
        if at_max == 0 and largest in SCALES and at_min >= NEARLY_ALL * ranges:
            yield Cause(f"no {name} code is above {largest}: codes were scaled by {largest}, not by 65535", explains)
        elif at_max >= NEARLY_ALL * ranges > at_min:
            where = "more entries than were stored, such as the max_entries largest"
            yield Cause(f"{name}_min was taken over {where}", explains)


def _order(seen: Evidence) -> Iterator[Cause]:
    if seen.figures.several and seen.figures.rising >= NEARLY_ALL * seen.figures.several:
        yield Cause("nuclei stand smallest logit first", frozenset({"NUC-7"}))


def _tail(seen: Evidence) -> Iterator[Cause]:
    if seen.metadata is None or seen.metadata.tail_method != "uniform":
        return
    figures, not_uniform = seen.figures, frozenset({"TAIL-3"})
    size, entries = seen.metadata.tokenizer_size, int(figures.entries[1])
    left = figures.tokens - figures.nucleus_mass * UNIT
    share = figures.tail_mass * UNIT / left if left > 0 else 0.0
    uniform = entries / figures.tokens / size
    if figures.falling_tail >= NEARLY_ALL * figures.tokens and share > PROPORTIONAL * uniform:
        yield Cause("the logits of every tail fall: it holds the next largest entries, not sampled ones", not_uniform)
    elif share > PROPORTIONAL * uniform:
        text = f"tails hold {share:.1%} of the mass outside the nucleus, a uniform sample would hold {uniform:.3%}"
        # One large entry that a uniform sample happens to meet weighs much among few tokens.
        alone = figures.tokens >= 10 * ENOUGH
        yield Cause(f"{text}: entries were drawn by their probability", not_uniform, note=alone)
    if "IDX-5" in seen.counts or "TAIL-3" in seen.counts:
        return
    width = entries / figures.tokens
    for name, expected, text in (
        ("TAIL-1", entries * (width - 1) / 2 / size, "tails were drawn with replacement"),
        ("TAIL-2", entries * figures.mean_entries / size, "tails were drawn without leaving out the nucleus"),
    ):
        got = seen.counts.get(name, 0)
        if got >= 5 and expected / 2 < got < 2 * expected:
            yield Cause(f"{text}: {got:,} such entries are about as many as that gives", frozenset({name}))


PROPORTIONAL = 20
"""How many times the mass of a uniform tail is taken for another way of drawing."""

PATTERNS: tuple[Callable[[Evidence], Iterator[Cause]], ...] = (
    _high_bits_lost,
    _beyond_the_vocabulary,
    _shifted,
    _logsumexp,
    _ranges,
    _nucleus_size,
    _order,
    _tail,
)
"""In the order in which they are believed."""
