"""One token of a row that is structurally sound: its entries, and the intervals that its numbers stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from . import indices, logits
from .finding import known
from .structure import valid_range

Range = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Entries:
    """The nucleus or the tail of a token: indices, codes and the range of the codes."""

    indices: list[int]
    codes: list[int]
    range: Range

    @cached_property
    def logits(self) -> list[Fraction]:
        """The decoded values v."""
        return [logits.value(q, *self.range) for q in self.codes]

    @cached_property
    def intervals(self) -> list[Range]:
        """Where each true logit can be."""
        return logits.intervals(self.codes, *self.range)

    @cached_property
    def lower(self) -> list[Fraction]:
        """The smallest that each true logit can be."""
        return [low for low, _ in self.intervals]

    @cached_property
    def upper(self) -> list[Fraction]:
        """The largest that each true logit can be."""
        return [high for _, high in self.intervals]


@dataclass(frozen=True)
class Token:
    """One token."""

    number: int
    top: Entries
    sampled: Entries
    logsumexp: Fraction

    @property
    def tau(self) -> Fraction:
        """What the logsumexp may be off by (section 14.3)."""
        return max(Fraction(1), abs(self.logsumexp)) / 2**16


def tokens(row: Mapping[str, Any], stride: int) -> Iterator[Token]:
    """Return the tokens of a row for which every structural requirement holds (section 2.3)."""
    top = indices.unpack(row["top_indices_low"], row["top_indices_high"])
    sampled = indices.unpack(row["sampled_indices_low"], row["sampled_indices_high"])
    start = 0
    for i, count in enumerate(row["top_counts"]):
        here, there = slice(start, start + count), slice(i * stride, (i + 1) * stride)
        nucleus_range = known(valid_range(row["top_min"][i], row["top_max"][i]))
        tail_range = known(valid_range(row["sampled_min"][i], row["sampled_max"][i]))
        yield Token(
            i,
            Entries(top[here], row["top_logits_quantized"][here], nucleus_range),
            Entries(sampled[there], row["sampled_logits_quantized"][there], tail_range),
            Fraction(row["logsumexp"][i]),
        )
        start += count
