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

from logitpack.entries import Entries, Ints, Mask, Reals, Sound
from logitpack.metadata import MAX_ENTRIES_UNDECLARED, Metadata

KINDS = ("top", "sampled")
LARGEST_CODE = 65_535
MASS_EDGES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""Where the bins of nucleus masses end; the last bin has no end."""
UNIT = 2.0**-36
"""The unit of masses that are added up: sums of integers do not depend on their order."""
NARROW = {"bfloat16": 45, "binary16": 42, "binary32": 29}
"""Bits of a binary64 number that are zero where it came out of a narrower type."""
EXTREMES: dict[str, Callable[[Any, Any], Any]] = {"least_mass": min, "most_mass": max, "largest_code": np.maximum}
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
    | `ranges`, `at_min`, `at_max` | by kind: tokens with *min* < *max*, with a code of 0 there, with one of 65,535 |
    | `largest_code` | by kind: the largest code of all |
    | `several`, `rising` | with several nucleus entries; with a first one below the last |
    | `wrapped` | whose first code is 0, and the second the largest |
    | `falling_tail` | whose tail logits do not increase |
    | `narrow` | int64 [3]: whose logsumexp is not zero and fits bfloat16, binary16, binary32 |
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
    top, sampled, cap = sound.top, sound.sampled, MAX_ENTRIES_UNDECLARED if metadata is None else metadata.max_entries
    nucleus, tail = _mass(top, sound.logsumexp), _mass(sampled, sound.logsumexp)
    uncapped, several = top.counts < cap, top.counts > 1
    rising, wrapped = _order(top, several)
    both = (top, sampled)
    return Figures(
        tokens=tokens,
        sizes=np.bincount(top.counts, minlength=256),
        nucleus_mass=_fixed(nucleus),
        tail_mass=_fixed(tail),
        mass_bins=np.bincount(np.searchsorted(MASS_EDGES, nucleus, side="right"), minlength=len(MASS_EDGES) + 1),
        least_mass=float(nucleus.min(initial=np.inf, where=uncapped)),
        most_mass=float(nucleus.max(initial=-np.inf, where=several)),
        entries=_by_kind(each.index.size for each in both),
        high_indices=_by_kind((each.index > 0xFFFF).sum() for each in both),
        ranges=_by_kind((each.low < each.high).sum() for each in both),
        at_min=_by_kind(((each.low < each.high) & (each.smallest_code == 0)).sum() for each in both),
        at_max=_by_kind(((each.low < each.high) & (each.largest_code == LARGEST_CODE)).sum() for each in both),
        largest_code=_by_kind(each.largest_code.max() for each in both),
        several=int(several.sum()),
        rising=int(rising.sum()),
        wrapped=int(wrapped.sum()),
        falling_tail=int(_falling(sampled).sum()),
        narrow=_narrow(sound.logsumexp),
        zero=int((np.abs(sound.logsumexp) <= sound.logsumexp_tolerance).sum()),
        closed=int(_closed(sound).sum()),
    )


def _by_kind(numbers: Any) -> Ints:
    return np.array([int(number) for number in numbers], np.int64)


def _mass(entries: Entries, logsumexp: Reals) -> Reals:
    """Give the mass of each token's entries, at most 2: in the middle of its bounds."""
    middle = (entries.log_sum_exp(-1) + entries.log_sum_exp(+1)) / 2
    return np.asarray(np.exp(np.minimum(middle - logsumexp, np.log(2.0))))


def _fixed(mass: Reals) -> int:
    return int(np.rint(mass / UNIT).astype(np.int64).sum())


def _order(top: Entries, several: Mask) -> tuple[Mask, Mask]:
    """Tell where a nucleus begins below its end, and where it begins with 0 before its largest code."""
    code, starts = top.code, top.offsets[:-1]
    first = code[starts].astype(np.int64)
    second = code[np.minimum(starts + 1, code.size - 1)].astype(np.int64)
    rising = several & (first < code[top.offsets[1:] - 1])
    return rising, several & (first == 0) & (second == top.largest_code) & (second > 0)


def _falling(sampled: Entries) -> Mask:
    """Tell whose tail has several entries, and none with a larger code than the one before it."""
    rises = np.zeros(sampled.code.size, np.bool_)
    rises[1:] = sampled.code[1:] > sampled.code[:-1]
    rises[sampled.offsets[:-1]] = False
    return np.asarray((sampled.counts > 1) & ~np.logical_or.reduceat(rises, sampled.offsets[:-1]))


def _narrow(logsumexp: Reals) -> NDArray[np.int64]:
    bits = np.ascontiguousarray(logsumexp, np.float64).view(np.int64)
    masks = [(1 << zeros) - 1 for zeros in NARROW.values()]
    return _by_kind(((bits & mask == 0) & (logsumexp != 0)).sum() for mask in masks)


def _closed(sound: Sound) -> Mask:
    least, most = (np.logaddexp(sound.top.log_sum_exp(side), sound.sampled.log_sum_exp(side)) for side in (-1, +1))
    tolerance = sound.logsumexp_tolerance
    return np.asarray((sound.logsumexp >= least - tolerance) & (sound.logsumexp <= most + tolerance))
