"""Segments of flat arrays: counts, offsets, blocks, and reductions over each segment.

Strategy: a segment is one token's entries (or one row's tokens) in a flat array. Offsets are
accumulated in int64 whatever the type of the counts: in uint8 they would wrap within three
tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_offsets(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return where each segment begins, and where the last ends: int64 [segments + 1].

    `counts` holds the length of each segment, integers of any width [segments].

    >>> to_offsets(np.array([200, 200, 3], np.uint8)).tolist()
    [0, 200, 400, 403]
    """
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, dtype=np.int64, out=offsets[1:])
    return offsets
