"""How the Hugging Face Hub sees a dataset's files: splits, and the card's front matter."""

from __future__ import annotations

import re

SHARD = re.compile(r"(?P<folder>(?:[\w.-]+/)*)(?P<split>\w+)-\d{5}-of-\d{5}\.parquet", re.ASCII)

STREAMED = frozenset({".parquet", ".arrow"})
"""The files that the `datasets` library loads by their names' endings."""

_SIZES = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M"]
_SIZES += ["100M<n<1B", "1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T"]


def splits(names: list[str]) -> dict[str, str]:
    """Return the pattern of each split's files, where all are named in their folder as the Hub's shards are.

    >>> splits(["data/train-00000-of-00001.parquet"])
    {'train': 'data/train-*.parquet'}
    """
    found = {}
    for name in names:
        match = SHARD.fullmatch(name)
        if match is None:
            return {}
        found[match["split"]] = f"{match['folder']}{match['split']}-*.parquet"
    return found


def size_category(rows: int) -> str:
    """Return the Hub's name for a dataset's size.

    >>> size_category(999), size_category(1000)
    ('n<1K', '1K<n<10K')
    """
    return _SIZES[min(max(len(str(rows)) - 3, 0), len(_SIZES) - 1)]
