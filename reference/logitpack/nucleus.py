"""The largest entries of each row of logits, in order, found without sorting a vocabulary.

Strategy: the maxima of many interleaved groups of the vocabulary cost one fast pass. The k-th
largest of them is a lower bound of the k-th largest logit, for k groups have an entry that is
no less; so that, ties apart, little more than k candidates are left to sort.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logitpack.ragged import Floats

_GROUPS = 2048  # many against the entries wanted, few against the vocabulary
_CROWD = 4  # candidates for each entry wanted, beyond which ties are taken out before sorting


def group_maxima(x: Floats) -> Floats:
    """Return the maxima of interleaved groups of entries, NaN where a group has one.

    `x` are logits, contiguous [rows, vocabulary]; the result is [rows, groups], and `x` itself
    where the vocabulary is small.
    """
    rows, vocab = x.shape
    if vocab <= 2 * _GROUPS:
        return x
    rest = vocab % _GROUPS
    maxima: Floats = x[:, : vocab - rest].reshape(rows, -1, _GROUPS).max(axis=1)
    np.maximum(maxima[:, :rest], x[:, vocab - rest :], out=maxima[:, :rest])
    return maxima


def largest(x: Floats, maxima: Floats, limit: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return each row's largest entries, at most `limit`, in order, ties by lower index.

    `x` are logits without NaN, contiguous [rows, vocabulary], and `maxima` what `group_maxima`
    returns for them. Returns the entries' positions in the flat `x`, int64, and their values,
    binary64 [rows, at most limit], and how many there are, int64 [rows]: entries of -inf do not
    count (QNT-7), and only fill up the rows that have fewer.
    """
    rows, vocab = x.shape
    flat = x.reshape(-1)
    kth = max(0, maxima.shape[1] - limit)
    floor: Floats = np.partition(maxima, kth, axis=1)[:, kth]
    # From the least finite number on, for -inf is no candidate (QNT-7).
    np.maximum(floor, np.finfo(x.dtype).min, out=floor)
    at = np.flatnonzero(x >= floor[:, None])
    bounds = np.arange(rows + 1) * vocab
    starts = np.searchsorted(at, bounds)
    crowded = np.flatnonzero(np.diff(starts) > _CROWD * limit)
    if len(crowded):
        kept = np.ones(len(at), np.bool_)
        for row in crowded:
            mine = slice(starts[row], starts[row + 1])
            kept[mine] = _chosen(flat[at[mine]], limit)
        at = at[kept]
        starts = np.searchsorted(at, bounds)
    found = np.diff(starts)
    filled = np.arange(found.max()) < found[:, None]
    top = np.zeros(filled.shape, np.int64)
    values = np.full(filled.shape, -np.inf)
    top[filled], values[filled] = at, flat[at]
    # Candidates stand in order of index, and a stable sort leaves ties so.
    order = np.argsort(-values, axis=1, kind="stable")[:, :limit]
    top = np.take_along_axis(top, order, axis=1)
    return top, np.take_along_axis(values, order, axis=1), np.minimum(found, limit)


def _chosen(values: Floats, limit: int) -> NDArray[np.bool_]:
    """Return which values are the `limit` largest, ties by lower position."""
    kth = len(values) - limit
    least = np.partition(values, kth)[kth]
    chosen: NDArray[np.bool_] = values > least
    chosen[np.flatnonzero(values == least)[: limit - np.count_nonzero(chosen)]] = True
    return chosen
