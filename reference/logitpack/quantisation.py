"""Logits as 16-bit codes between a minimum and a maximum that each token has of its own.

Strategy: go through blocks of tokens, spread the range of a token over its entries with
`repeat`, and do each step of the arithmetic on the whole block in place. Where every token
has the same number of entries, as in a tail, broadcasting spreads the range for less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from logitpack.errors import Place, UsageError
from logitpack.ragged import Counts, Floats, blocks, checked_counts, locate, to_offsets

MAX_CODE = 65_535
"""The greatest code, which stands for a token's maximum."""

NEAR_OVERFLOW = 2.0**127
"""Below it, no sum of the decoding can overflow binary32."""


def dequantise(
    q: NDArray[np.integer[Any]],
    low: Floats,
    high: Floats,
    counts: Counts | int,
    *,
    dtype: DTypeLike = np.float32,
) -> Floats:
    """Return the logits that codes stand for, in nats [entries] (QNT-2).

    `q` are the codes, integers in 0..65535 [entries]; `low` and `high` the minimum and maximum
    of each token, taken as binary32 [tokens]; `counts` the number of entries of each token
    [tokens], or one int where it is the same for all.

    With `dtype` float32 all arithmetic is binary32, in the order ``q / 65535 * (high - low) +
    low`` that the format's published readers use, so that digits agree with theirs; with
    float64 it is the same in binary64. Ranges that break QNT-1 give values that mean nothing.

    Raises UsageError where the arguments do not fit.
    """
    q = np.asarray(q)
    dtype = np.dtype(dtype)
    if q.ndim != 1 or q.dtype.kind not in "ui":
        raise UsageError(f"codes are integers [entries], not {q.dtype} {q.shape}")
    if dtype not in (np.float32, np.float64):
        raise UsageError(f"logits are decoded to float32 or float64, not {dtype}")
    tokens, width = _token_counts(counts, len(q))
    if not np.shape(low) == np.shape(high) == tokens.shape:
        raise UsageError(f"{len(tokens)} tokens have minima {np.shape(low)} and maxima {np.shape(high)}")
    offsets = to_offsets(tokens)
    logits = np.empty(len(q), dtype)
    with np.errstate(all="ignore"):
        low, high = (np.asarray(end).astype(np.float32).astype(dtype) for end in (low, high))
        span = high - low
        for first, last in blocks(offsets):
            entries = slice(offsets[first], offsets[last])
            part = logits[entries]
            np.copyto(part, q[entries], casting="same_kind")
            np.divide(part, dtype.type(MAX_CODE), out=part)
            if width is None:
                part *= np.repeat(span[first:last], tokens[first:last])
                part += np.repeat(low[first:last], tokens[first:last])
            else:
                grid = part.reshape(-1, width)
                grid *= span[first:last, None]
                grid += low[first:last, None]
        # The last sum can round beyond the greatest finite number where the maximum is next to it.
        if high.size and high.max() > NEAR_OVERFLOW:
            over = np.flatnonzero(np.isinf(logits))
            logits[over] = high[np.searchsorted(offsets, over, side="right") - 1]
    return logits


def quantise(x: Floats, counts: Counts | int) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]]:
    """Return the codes of logits, and the range of each token (QNT-3, QNT-4, QNT-5, QNT-11).

    `x` are logits in nats, floats [entries]; `counts` the number of entries of each token, at
    least 1 [tokens], or one int where it is the same for all. Returns the codes, uint16
    [entries], and the minimum and the maximum of each token, float32 [tokens]: the logits' own
    where they are binary32, else the nearest that hold them all.

    Raises UsageError QNT-6 for a NaN or infinite logit, QNT-1 where a minimum, a maximum or
    their difference does not fit binary32 (the place counts tokens and their entries), and
    UsageError where the arguments do not fit.
    """
    x = np.asarray(x)
    if x.ndim != 1 or x.dtype not in (np.float16, np.float32, np.float64):
        raise UsageError(f"logits are floats [entries], not {x.dtype} {x.shape}")
    tokens, _ = _token_counts(counts, len(x))
    if len(tokens) and int(tokens.min()) < 1:
        token = int(np.argmin(tokens))
        raise UsageError("a token has no entries", place=Place(token=token), got=0)
    offsets = to_offsets(tokens)
    q = np.empty(len(x), np.uint16)
    low = np.empty(len(tokens), np.float32)
    high = np.empty(len(tokens), np.float32)
    with np.errstate(all="ignore"):
        for first, last in blocks(offsets):
            entries = slice(offsets[first], offsets[last])
            part, starts = x[entries], offsets[first:last] - offsets[first]
            least = _at_most(np.minimum.reduceat(part, starts))
            greatest = _at_least(np.maximum.reduceat(part, starts))
            if not np.isfinite(greatest - least).all():
                raise _refusal(part, least, greatest, tokens[first:last], first)
            low[first:last], high[first:last] = least, greatest
            # binary64 holds every step of binary32 ends with room to spare.
            wide = least.astype(np.float64)
            span = greatest - wide
            span[span == 0] = 1  # every logit is the minimum then, and its code 0 (QNT-4)
            steps = part.astype(np.float64)
            steps -= np.repeat(wide, tokens[first:last])
            steps /= np.repeat(span, tokens[first:last])
            steps *= MAX_CODE
            np.rint(steps, out=steps)
            np.copyto(q[entries], steps, casting="unsafe")
    return q, low, high


def _token_counts(counts: Counts | int, entries: int) -> tuple[NDArray[np.int64], int | None]:
    """Return the entries of each token, and the one number of them where one was given."""
    if not isinstance(counts, int | np.integer):
        return checked_counts(counts, entries), None
    width = int(counts)
    if width < 1 or entries % width:
        raise UsageError(f"{entries} entries are no tokens of {width} each", got=width)
    return np.full(entries // width, width, np.int64), width


def _at_most(x: Floats) -> NDArray[np.float32]:
    """Return the greatest binary32 at most `x`; NaN stays, what is too small becomes -inf."""
    nearest = x.astype(np.float32)
    return np.where(nearest > x, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _at_least(x: Floats) -> NDArray[np.float32]:
    """Return the least binary32 at least `x`; NaN stays, what is too great becomes +inf."""
    return -_at_most(-x)


def _refusal(
    x: Floats,
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    counts: NDArray[np.int64],
    first: int,
) -> UsageError:
    """Return the error for the first of these tokens (numbered from `first`) that is refused."""
    bad = ~np.isfinite(x)
    if bad.any():
        position = int(np.argmax(bad))
        token, entry = locate(to_offsets(counts), position)
        got = float(x[position])
        return UsageError(
            f"a logit is {got}, which cannot be quantised",
            requirement="QNT-6",
            place=Place(token=first + token, entry=entry),
            got=got,
        )
    token = int(np.argmin(np.isfinite(high - low)))
    span = (float(low[token]), float(high[token]))
    return UsageError(
        f"logits from {span[0]} to {span[1]} span more than binary32 holds",
        requirement="QNT-1",
        place=Place(token=first + token),
        got=span,
    )
