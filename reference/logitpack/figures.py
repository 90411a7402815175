"""Figures of a dataset: what its rows look like as a whole, for people and for suggested causes.

Strategy: a batch of sound rows gives counts, and masses in fixed point; those of batches add up in any order to
the same numbers. Nothing here is a requirement, and nothing grows with the dataset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack.entries import LOGIT_TOLERANCE, Entries, Ints, Mask, Reals, Sound
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata

KINDS = ("top", "sampled")
LARGEST_CODE = LARGEST_LOW = 65_535
MASS_EDGES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""Where the bins of nucleus masses end; the last bin has no end."""
UNIT = 2.0**-36
"""The unit of masses that are added up: sums of integers do not depend on their order."""
NARROW = {"bfloat16": 45, "binary16": 42, "binary32": 29}
"""Bits of a binary64 number that are zero where it came out of a narrower type."""
STEPS = {"bfloat16": 8, "binary16": 64, "binary32": 2**19}
"""The parts of one that such a number near 20 is a multiple of: rounding to these says as much."""
EXTREMES: dict[str, Callable[[Any, Any], Any]] = {
    "least_mass": min,
    "most_mass": max,
    "largest_code": np.maximum,
    "largest_index": max,
}
"""What is not added up."""


def _zeros(size: int) -> Callable[[], Ints]:
    return lambda: np.zeros(size, np.int64)


_BY_SIZE, _BY_MASS, _BY_KIND, _BY_TYPE = (_zeros(size) for size in (256, len(MASS_EDGES) + 1, len(KINDS), len(NARROW)))


@dataclass(frozen=True, eq=False)
class Figures:
    """Sums over sound rows. Numbers of tokens, unless it says otherwise; an array by kind is [2], see `KINDS`.

    | field | meaning |
    |---|---|
    | `tokens` | tokens |
    | `sizes` | int64 [256]: tokens by nucleus size |
    | `nucleus_mass`, `tail_mass` | sum of the masses, each at most 2, in `UNIT` |
    | `mass_bins` | int64 [8]: tokens by nucleus mass, see `MASS_EDGES` |
    | `least_mass`, `most_mass` | smallest nucleus mass below the cap, largest among those of several entries |
    | `entries`, `high_indices` | by kind: entries, and those with an index of 65,536 or more |
    | `largest_index` | the largest index of all, -1 where there are none |
    | `ranges`, `at_min`, `at_max` | by kind: tokens with *min* < *max*, with a code of 0 there, with one of 65,535 |
    | `largest_code` | by kind: the largest code of all |
    | `several`, `rising` | with several nucleus entries; with a first one below the last |
    | `wrapped` | whose first code is 0, and the second the largest |
    | `falling_tail` | whose tail logits do not increase |
    | `narrow` | int64 [3]: whose logsumexp is not zero and a bfloat16, binary16, binary32 number, or in such steps |
    | `zero`, `closed` | whose logsumexp is zero; is that of the stored entries alone |
    """

    tokens: int = 0
    sizes: Ints = field(default_factory=_BY_SIZE)
    nucleus_mass: int = 0
    tail_mass: int = 0
    mass_bins: Ints = field(default_factory=_BY_MASS)
    least_mass: float = np.inf
    most_mass: float = -np.inf
    entries: Ints = field(default_factory=_BY_KIND)
    high_indices: Ints = field(default_factory=_BY_KIND)
    largest_index: int = -1
    ranges: Ints = field(default_factory=_BY_KIND)
    at_min: Ints = field(default_factory=_BY_KIND)
    at_max: Ints = field(default_factory=_BY_KIND)
    largest_code: Ints = field(default_factory=_BY_KIND)
    several: int = 0
    rising: int = 0
    wrapped: int = 0
    falling_tail: int = 0
    narrow: Ints = field(default_factory=_BY_TYPE)
    zero: int = 0
    closed: int = 0

    def __add__(self, other: Figures) -> Figures:
        """Put the figures of other rows of the same dataset together with these."""
        joined: dict[str, Any] = {}
        for name in (each.name for each in fields(self)):
            one, two = getattr(self, name), getattr(other, name)
            joined[name] = EXTREMES[name](one, two) if name in EXTREMES else one + two
        return Figures(**joined)

    @property
    def mean_entries(self) -> float:
        """Nucleus entries of a token, on average."""
        return int(self.entries[0]) / self.tokens

    @property
    def mean_nucleus_mass(self) -> float:
        """Share of the probability that a nucleus holds, on average."""
        return self.nucleus_mass * UNIT / self.tokens

    @property
    def mean_tail_mass(self) -> float:
        """Share of the probability that a tail holds, on average."""
        return self.tail_mass * UNIT / self.tokens

    @property
    def largest_size(self) -> int:
        """The most entries of a nucleus."""
        return int(self.sizes.nonzero()[0][-1])

    def share_at(self, size: int) -> float:
        """Share of the tokens whose nucleus has `size` entries or more."""
        return int(self.sizes[size:].sum()) / self.tokens

    def to_json(self) -> dict[str, Any]:
        """Give what tells of the data in the form of schema/check.schema.json; means are null without tokens."""
        some = self.tokens > 0
        return {
            "tokens": self.tokens,
            "entries": dict(zip(KINDS, self.entries.tolist(), strict=True)),
            "high_indices": dict(zip(KINDS, self.high_indices.tolist(), strict=True)),
            "largest_index": self.largest_index if some else None,
            "mean_entries": self.mean_entries if some else None,
            "tokens_by_size": {str(size): int(self.sizes[size]) for size in np.flatnonzero(self.sizes)},
            "mean_nucleus_mass": self.mean_nucleus_mass if some else None,
            "mean_tail_mass": self.mean_tail_mass if some else None,
            "tokens_by_nucleus_mass": {"edges": list(MASS_EDGES), "tokens": self.mass_bins.tolist()},
            "narrow_logsumexp": dict(zip(NARROW, self.narrow.tolist(), strict=True)),
        }


def observe(sound: Sound, metadata: Metadata | None) -> Figures:
    """Sum up a batch of sound rows. `metadata` tells the cap on nucleus sizes, 100 where there are none."""
    tokens = sound.top.counts.size
    if tokens == 0:
        return Figures()
    top, cap = sound.top, MAX_ENTRIES_UNDECLARED if metadata is None else metadata.max_entries
    both = (top, sound.sampled)
    masses = [_mass(each, sound.logsumexp) for each in both]
    nucleus, tail = (np.minimum(mass, 2.0) for mass in masses)
    uncapped, several = top.counts < cap, top.counts > 1
    rising, wrapped = _order(top, several)
    opened = [each.low < each.high for each in both]
    return Figures(
        tokens=tokens,
        sizes=np.bincount(top.counts, minlength=256),
        nucleus_mass=_fixed(nucleus),
        tail_mass=_fixed(tail),
        mass_bins=_binned(nucleus),
        least_mass=float(nucleus.min(initial=np.inf, where=uncapped)),
        most_mass=float(nucleus.max(initial=-np.inf, where=several)),
        entries=_by_kind(each.code.size for each in both),
        high_indices=_by_kind((each.index > LARGEST_LOW).sum() for each in both),
        largest_index=max(int(each.index.max()) for each in both),
        ranges=_by_kind(each.sum() for each in opened),
        at_min=_by_kind((each & (one.smallest_code == 0)).sum() for each, one in zip(opened, both, strict=True)),
        at_max=_by_kind(
            (each & (one.largest_code == LARGEST_CODE)).sum() for each, one in zip(opened, both, strict=True)
        ),
        largest_code=_by_kind(one.largest_code.max() for one in both),
        several=int(several.sum()),
        rising=int(rising.sum()),
        wrapped=int(wrapped.sum()),
        falling_tail=int((_falls(sound.sampled) & (sound.sampled.counts > 1)).sum()),
        narrow=_narrow(sound.logsumexp),
        zero=int((np.abs(sound.logsumexp) <= sound.logsumexp_tolerance).sum()),
        closed=int(_closed(sound, masses[0] + masses[1]).sum()),
    )


def _mass(entries: Entries, logsumexp: Reals) -> Reals:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(entries.log_sum_exp(0) - logsumexp))


def _falls(entries: Entries) -> Mask:
    """Tell where no code is larger than the one before."""
    rises = np.zeros(entries.code.size, np.bool_)
    rises[1:] = entries.code[1:] > entries.code[:-1]
    rises[entries.offsets[:-1]] = False
    return ~np.logical_or.reduceat(rises, entries.offsets[:-1])


def _by_kind(numbers: Any) -> Ints:
    return np.array([int(number) for number in numbers], np.int64)


def _binned(mass: Reals) -> Ints:
    at_least = [mass.size, *(int((mass >= edge).sum()) for edge in MASS_EDGES), 0]
    return -np.diff(at_least)


def _fixed(mass: Reals) -> int:
    return int((mass / UNIT + 0.5).astype(np.int64).sum())


def _order(top: Entries, several: Mask) -> tuple[Mask, Mask]:
    """Tell where a nucleus begins below its end, and where it begins with 0 before its largest code."""
    code, starts = top.code, top.offsets[:-1]
    first = code[starts].astype(np.int64)
    second = code[np.minimum(starts + 1, code.size - 1)].astype(np.int64)
    rising = several & (first < code[top.offsets[1:] - 1])
    return rising, several & (first == 0) & (second == top.largest_code) & (second > 0)


def _narrow(logsumexp: Reals) -> NDArray[np.int64]:
    bits, some = np.ascontiguousarray(logsumexp, np.float64).view(np.int64), logsumexp != 0
    fitting = []
    for name, zeros in NARROW.items():
        with np.errstate(over="ignore"):  # one near the largest number overflows to infinity, which is whole as it is
            steps = logsumexp * STEPS[name]
        fitting.append((some & ((bits & ((1 << zeros) - 1) == 0) | (steps == np.rint(steps)))).sum())
    return _by_kind(fitting)


def _closed(sound: Sound, stored: Reals) -> Mask:
    with np.errstate(divide="ignore"):
        off = np.abs(np.log(stored))
    return np.asarray(off <= sound.logsumexp_tolerance + LOGIT_TOLERANCE * sound.top.step)
