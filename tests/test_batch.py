"""Decoded rows and what is derived from them."""

from __future__ import annotations

import numpy as np

from logitpack.batch import Batch

BATCH = Batch(
    num_tokens=np.array([2, 1]),
    top_counts=np.array([3, 1, 2]),
    top_indices=np.arange(6, dtype=np.int32),
    top_logits=np.zeros(6, np.float32),
    sampled_indices=np.zeros((3, 4), np.int32),
    sampled_logits=np.zeros((3, 4), np.float32),
    logsumexp=np.zeros(3),
)


def test_row_offsets_count_tokens() -> None:
    """Row offsets point into the arrays that have one element a token."""
    assert [0, 2, 3] == BATCH.row_offsets.tolist()


def test_top_offsets_count_entries() -> None:
    """Top offsets point into the arrays that have one element a nucleus entry."""
    assert [0, 3, 4, 6] == BATCH.top_offsets.tolist()


def test_num_sampled_is_the_width_of_the_tail() -> None:
    """S is read off the tail's shape."""
    assert 4 == BATCH.num_sampled
