"""Hypothesis strategies for those who test an implementation of LogitPack in Python.

    from hypothesis import given
    from logitpack_conformance import strategies as lp

    @given(lp.stored_rows())
    def test_reader(rows):
        ...

| strategy | gives |
|---|---|
| `indices`, `codes`, `logits`, `ranges` | single values, and the ends of a range |
| `counts`, `count_lists`, `strides` | sizes of a nucleus, of the nuclei of a row, of a tail |
| `tokens`, `logical_rows`, `logical_datasets` | logical JSON (section 4.4) that a writer has to write |
| `refusals` | logical JSON that a writer has to refuse |
| `metadata` | metadata (section 13), true of given rows |
| `stored_rows`, `stored_datasets` | valid stored rows (section 5), as dicts of plain values |
| `faulty` | stored rows that break exactly one requirement |
| `dense_logits`, `extractions`, `refused_extractions` | what an extractor is given |

`smallest` finds the smallest example that meets a condition.

Strategy: corners are frequent and shrink to what is plain: the smallest row has one token, one nucleus entry of index 0
and one tail entry. Values are as the oracle has them: `oracle.logical.decode` tells what stored rows mean.
"""

from __future__ import annotations

from .dense import Extraction, dense_logits, extractions, refused_extractions
from .logical import logical_rows, tokens
from .metadata import metadata
from .refusals import Refusal, refusals
from .stored import Dataset, Faulty, faulty, logical_datasets, stored_datasets, stored_rows
from .values import codes, count_lists, counts, indices, logits, ranges, smallest, strides

__all__ = [
    "Dataset",
    "Extraction",
    "Faulty",
    "Refusal",
    "codes",
    "count_lists",
    "counts",
    "dense_logits",
    "extractions",
    "faulty",
    "indices",
    "logical_datasets",
    "logical_rows",
    "logits",
    "metadata",
    "ranges",
    "refusals",
    "refused_extractions",
    "smallest",
    "stored_datasets",
    "stored_rows",
    "strides",
    "tokens",
]
