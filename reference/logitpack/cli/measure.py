"""What a card says in numbers: counted from the rows, in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logitpack.errors import DataError, UsageError
from logitpack.files import Reader
from logitpack.native import size_of
from logitpack.urls import shown


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows, tokens and nucleus entries of a dataset, the size of its files, and S.

    `mean_mass` is the share of the probability, 0..1, that a nucleus holds on average;
    `token_ids` whether every row has them.
    """

    rows: int
    tokens: int
    entries: int
    most_entries: int
    num_sampled: int
    mean_mass: float
    token_ids: bool
    files: int
    bytes: int

    @property
    def mean_entries(self) -> float:
        """Nucleus entries a token, on average."""
        return self.entries / self.tokens


def measure(reader: Reader) -> Counts:
    """Read the whole dataset and count.

    Raises DataError as the reader does, and for what a card could only state wrongly: ROW-5
    where S differs between rows. UsageError where there are no rows.
    """
    rows = tokens = entries = most = 0
    mass, ids, widths = 0.0, True, set()
    for batch in reader:
        rows += len(batch.num_tokens)
        tokens += len(batch.top_counts)
        entries += len(batch.top_indices)
        most = max(most, int(batch.top_counts.max(initial=0)))
        ids &= batch.token_ids is not None
        widths.add(batch.num_sampled)
        with np.errstate(over="ignore"):
            lse = np.repeat(batch.logsumexp, batch.top_counts)
            mass += float(np.exp(batch.top_logits - lse).sum())
    if rows == 0:
        raise UsageError(f"{shown(reader.path)} has no rows to describe")
    if len(widths) > 1:
        found = " and ".join(map(str, sorted(widths)))
        raise DataError(f"the tails have {found} entries a token, expected one number", requirement="ROW-5")
    size = sum(map(size_of, reader.files))
    return Counts(rows, tokens, entries, most, widths.pop(), mass / tokens, ids, len(reader.files), size)
