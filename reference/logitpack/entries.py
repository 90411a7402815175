"""Sound rows opened up for judgement: every entry's index, and bounds of its true logit.

Strategy: rows that hold structurally are turned into flat arrays over tokens and entries once; each
semantic requirement then reads what it needs. SPEC.md section 14.3 gives the bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import indices
from logitpack.columns import Columns
from logitpack.ragged import blocks, segment_logsumexp, to_offsets

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOGIT_TOLERANCE = 1 / 2 + 1 / 64
LOGSUMEXP_TOLERANCE = 2.0**-16
EVALUATION = 2.0**-40
"""What binary64 may cost, relative, where two logits are compared."""


class Entries:
    """The entries of one kind, nucleus or tail, of all tokens: flat arrays [entries].

    `counts` int64 [tokens] are the entries of each token, at least one; `code` the stored codes; `low`, `high`
    binary64 [tokens] the range of each token.
    """

    def __init__(self, columns: Columns, kind: str, counts: Ints, rows: Ints) -> None:
        """Take the columns of sound rows; `rows` int64 [rows] is how many entries each has."""
        self.kind = kind
        self.counts = counts
        self._columns, self._rows = columns, rows
        self.code: NDArray[np.integer[Any]] = columns.ragged(f"{kind}_logits_quantized").values
        self.low = columns.ragged(f"{kind}_min").values.astype(np.float64)
        self.high = columns.ragged(f"{kind}_max").values.astype(np.float64)
        self._log_sums: dict[int, Reals] = {}

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """The index of each entry, int32 [entries]."""
        low, high = (self._columns.ragged(f"{self.kind}_indices_{part}").values for part in ("low", "high"))
        return indices.unpack(low, high, self._rows)

    @cached_property
    def offsets(self) -> Ints:
        """Where each token's entries begin: int64 [tokens + 1]."""
        return to_offsets(self.counts)

    @cached_property
    def step(self) -> Reals:
        """The distance of two codes in nats, binary64 [tokens]."""
        return (self.high - self.low) / 65535

    @cached_property
    def smallest_code(self) -> Ints:
        """The smallest code of each token, int64 [tokens]."""
        return np.minimum.reduceat(self.code, self.offsets[:-1]).astype(np.int64)

    @cached_property
    def largest_code(self) -> Ints:
        """The largest code of each token, int64 [tokens]."""
        return np.maximum.reduceat(self.code, self.offsets[:-1]).astype(np.int64)

    def bound(self, code: Ints, side: int) -> Reals:
        """Bound the true logit of one entry of each token, in nats [tokens]: side -1 below, +1 above."""
        logit = self.low + code * self.step + side * LOGIT_TOLERANCE * self.step
        return np.clip(logit, self.low, self.high)

    def log_sum_exp(self, side: int) -> Reals:
        """Bound the log of the sum of exp over each token's entries, in nats [tokens]: side as in `bound`."""
        if side not in self._log_sums:
            low, high = np.repeat(self.low, self.counts), np.repeat(self.high, self.counts)
            logits = self.code.astype(np.float64)
            logits += side * LOGIT_TOLERANCE
            logits *= np.repeat(self.step, self.counts)
            logits += low
            np.clip(logits, low, high, out=logits)
            self._log_sums[side] = segment_logsumexp(logits, self.counts)
        return self._log_sums[side]

    def tokens_of(self, entries: Ints) -> Ints:
        """Give the token of each of some entries, by their place in the flat arrays."""
        return np.searchsorted(self.offsets, entries, side="right") - 1


@dataclass(frozen=True, eq=False)
class Sound:
    """Sound rows: `row_numbers` int64 [rows] tells where each stands in its file."""

    columns: Columns
    row_numbers: Ints

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns)

    def select(self, mask: Mask) -> Sound:
        """Return the rows where `mask` [rows] is true."""
        return self if mask.all() else Sound(self.columns.select(mask), self.row_numbers[mask])

    def blocks(self, entries: int) -> Iterator[Sound]:
        """Yield runs of rows of some `entries` entries each."""
        low, tail = self.columns.top_indices_low.offsets, self.columns.sampled_indices_low.offsets
        for first, last in blocks(low + tail, entries):
            yield (
                self
                if last - first == len(self)
                else Sound(self.columns.slice(first, last), self.row_numbers[first:last])
            )

    @cached_property
    def num_tokens(self) -> Ints:
        """Tokens of each row, int64 [rows]."""
        return self.columns.num_tokens.astype(np.int64)

    @cached_property
    def row_offsets(self) -> Ints:
        """Where each row's tokens begin, int64 [rows + 1]."""
        return to_offsets(self.num_tokens)

    @cached_property
    def row_of_token(self) -> Ints:
        """The row of each token, counted in this batch, int64 [tokens]."""
        return np.repeat(np.arange(len(self)), self.num_tokens)

    @cached_property
    def num_sampled(self) -> Ints:
        """S of each row, int64 [rows]."""
        return self.columns.sampled_indices_low.lengths // self.num_tokens

    @cached_property
    def top(self) -> Entries:
        """The nucleus entries."""
        counts = self.columns.top_counts.values.astype(np.int64)
        return Entries(self.columns, "top", counts, self.columns.top_indices_low.lengths)

    @cached_property
    def sampled(self) -> Entries:
        """The tail entries."""
        counts = np.repeat(self.num_sampled, self.num_tokens)
        return Entries(self.columns, "sampled", counts, self.columns.sampled_indices_low.lengths)

    @cached_property
    def logsumexp(self) -> Reals:
        """The stored logsumexp, in nats [tokens]."""
        return self.columns.logsumexp.values

    @cached_property
    def logsumexp_tolerance(self) -> Reals:
        """How far the true logsumexp may be off, in nats [tokens]."""
        return LOGSUMEXP_TOLERANCE * np.maximum(1.0, np.abs(self.logsumexp))

    @cached_property
    def repeats(self) -> Repeats:
        """Which indices stand more than once."""
        return Repeats(self.top, self.sampled)


class Repeats:
    """Entries whose index stands before them in the same token (NUC-2, TAIL-1, TAIL-2).

    `in_top` and `in_sampled` are places in the flat nucleus and tail: int64, ascending. `in_both` are
    places in the tail of entries that stand in the nucleus too.
    """

    def __init__(self, top: Entries, sampled: Entries) -> None:
        """Sort token, index and kind as one key; equal neighbours are repeats."""
        empty = np.zeros(0, np.int64)
        self.in_top, self.in_sampled, self.in_both = empty, empty, empty
        # 18 bits of index and 1 of kind leave 44 for the token.
        keys = np.concatenate([_keys(top) << 1, (_keys(sampled) << 1) | 1])
        ordered = np.sort(keys >> 1)
        if not (ordered[1:] == ordered[:-1]).any():
            return
        places = np.concatenate([np.arange(top.index.size), np.arange(sampled.index.size)])
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        again = np.flatnonzero((keys[1:] >> 1) == (keys[:-1] >> 1)) + 1
        tail = (keys[again] & 1).astype(bool)
        same = keys[again] == keys[again - 1]
        self.in_top = np.sort(places[again[~tail]])
        self.in_sampled = np.sort(places[again[tail & same]])
        self.in_both = np.sort(places[again[tail & ~same]])


def _keys(entries: Entries) -> Ints:
    token = np.repeat(np.arange(entries.counts.size, dtype=np.int64), entries.counts)
    return (token << 18) | entries.index
