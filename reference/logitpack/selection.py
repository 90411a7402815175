"""From dense logits to what is stored: the nucleus, a uniform tail and the logsumexp.

Strategy: go through blocks of positions that fit a cache. Find each position's largest entries
and the logsumexp; cut the nucleus where the cumulative mass says; draw the tail from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from logitpack.batch import Batch
from logitpack.errors import Place, UsageError
from logitpack.indices import MAX_INDEX
from logitpack.nucleus import group_maxima, largest
from logitpack.ragged import Floats
from logitpack.tail import draw

Rule = Literal["covering", "below"]

_BLOCK = 1 << 20  # logits worked on at a time
_WIDTH = 1 << 13  # logits of a position whose exponentials are added up at a time
_MAX_ENTRIES = 255  # NUC-1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The parameters of a selection, checked."""

    top_p: float
    max_entries: int
    num_sampled: int
    rule: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.top_p, float | int | np.floating) or not 0 < self.top_p <= 1:
            raise UsageError("top_p is a number above 0 and at most 1", got=self.top_p)
        _check_whole("max_entries", self.max_entries, _MAX_ENTRIES)
        _check_whole("num_sampled", self.num_sampled)
        if self.rule not in get_args(Rule):
            raise UsageError(
                f"the rule is one of {', '.join(get_args(Rule))}, not {self.rule!r}",
                got=self.rule,
                allowed=get_args(Rule),
            )


def _check_whole(name: str, value: object, most: int | None = None) -> None:
    """Refuse what is no integer from 1 on, or above `most`."""
    if not isinstance(value, int | np.integer) or value < 1 or (most is not None and value > most):
        limits = "at least 1" if most is None else f"in 1..{most}"
        raise UsageError(f"{name} is an integer {limits}, not {value!r}", got=value)


def select(
    logits: ArrayLike,
    *,
    top_p: float = 0.98,
    max_entries: int = 100,
    num_sampled: int = 24,
    rule: Rule = "covering",
    rng: np.random.Generator,
    block: int | None = None,
) -> Batch:
    """Return what is stored of dense logits, as one row whose tokens are the positions.

    `logits` are raw logits in nats, float16, float32 or float64 [positions, vocabulary], over
    the full width of the model's head; a `numpy.memmap` will do. Position i is to be the one
    that predicts token i: see `assistant_positions`.

    The nucleus is a prefix of the entries in descending order, ties by lower index. By the rule
    ``covering`` it is the shortest that holds at least `top_p` of the mass (NUC-4, NUC-5), by
    ``below`` the longest that holds at most `top_p`, but one entry at least (NUC-6); neither
    exceeds `max_entries` (NUC-8). The tail is `num_sampled` distinct entries out of the nucleus
    (TAIL-1, TAIL-2), uniform (TAIL-3), in the order drawn from `rng`; the same seed gives the
    same tail whatever `block` is. An entry of logit -inf has probability zero and is in neither
    (QNT-7). Masses and logsumexp are accumulated in binary64 (LSE-4); exponentials are binary64
    for float64 logits and binary32 for others. Logits come back as float64 or float32 likewise.

    `block` is how many positions are worked on at a time; scratch memory grows with it only.

    Raises UsageError QNT-9 for a NaN or +inf logit and for a position where all are -inf,
    QNT-10 where fewer than `num_sampled` entries are left for the tail, IDX-6 for a vocabulary
    over 262,144 unless what is beyond has probability zero throughout, ROW-1 where there are no
    positions (the place counts positions as tokens), and UsageError for arguments that are out
    of range or of a wrong type.
    """
    logits = _checked_logits(logits)
    wanted = _Wanted(top_p, max_entries, num_sampled, rule)
    if not isinstance(rng, np.random.Generator):
        raise UsageError(f"rng is a numpy.random.Generator, not {type(rng).__name__}")
    positions, vocab = logits.shape
    size = max(1, _BLOCK // vocab) if block is None else block
    _check_whole("block", size)
    dtype = np.float64 if logits.dtype.itemsize == np.float64().itemsize else np.float32
    parts = []
    with np.errstate(all="ignore"):
        for first in range(0, positions, size):
            x: Floats = np.ascontiguousarray(logits[first : first + size], dtype)
            parts.append(_select(x, first, wanted, rng))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    counts, top_indices, top_logits, sampled_indices, sampled_logits, logsumexp = joined
    return Batch(
        num_tokens=np.array([positions], np.int64),
        top_counts=counts,
        top_indices=top_indices,
        top_logits=top_logits,
        sampled_indices=sampled_indices,
        sampled_logits=sampled_logits,
        logsumexp=logsumexp,
    )


def assistant_positions(mask: ArrayLike) -> NDArray[np.int64]:
    """Return the positions whose output predicts the masked tokens, int64 [masked] (ALN-1).

    `mask` tells for each token of a sequence whether it is an assistant token, as truth values
    or 0 and 1 [tokens]. The token at t is predicted by the model's output at t - 1; positions
    stand in the order of their tokens (ALN-2).

    Raises UsageError ALN-3 where the mask selects the first token, which nothing predicts, and
    UsageError where it is no such mask.

    >>> assistant_positions([0, 0, 1, 1, 0, 1]).tolist()
    [1, 2, 4]
    """
    mask = np.asarray(mask)
    if mask.ndim != 1 or (mask.size and mask.dtype.kind not in "bui"):
        raise UsageError(f"a mask is truth values [tokens], not {mask.dtype} {mask.shape}")
    chosen = mask.astype(np.bool_)
    if (mask != chosen).any():
        raise UsageError("a mask holds 0 and 1 only", got=int(mask[mask != chosen][0]))
    if chosen.size and chosen[0]:
        raise UsageError(
            "the mask selects the first token, which nothing predicts",
            requirement="ALN-3",
            place=Place(token=0),
        )
    return np.flatnonzero(chosen).astype(np.int64) - 1


def _checked_logits(logits: ArrayLike) -> Floats:
    """Return the logits as an array [positions, vocabulary] that indices can address."""
    try:
        array = np.asarray(logits)
    except ValueError as error:  # rows of unequal length
        raise UsageError(f"logits are no array: {error}") from error
    if array.ndim != 2 or array.dtype.kind != "f" or array.dtype.itemsize > np.float64().itemsize:
        raise UsageError(
            f"logits are float16, float32 or float64 [positions, vocabulary], not {array.dtype} {array.shape}"
        )
    positions, vocab = array.shape
    if positions < 1:
        raise UsageError("there are no positions", requirement="ROW-1", got=0)
    if vocab < 1:
        raise UsageError("the vocabulary is empty", got=0)
    if vocab > MAX_INDEX + 1:
        if np.isneginf(array[:, MAX_INDEX + 1 :]).all():
            return array[:, : MAX_INDEX + 1]  # what has probability zero is never stored
        raise UsageError(
            f"logits are {vocab:,} wide: entries at {MAX_INDEX + 1:,} and up cannot be stored",
            requirement="IDX-6",
            got=vocab,
            allowed=MAX_INDEX + 1,
        )
    return array


def _select(x: Floats, first: int, wanted: _Wanted, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
    """Select from a block of positions, numbered from `first`: the columns of a `Batch`."""
    maxima = group_maxima(x)
    peak = maxima.max(axis=1)
    if not np.isfinite(peak).all():
        raise _refusal(x, peak, first)
    logsumexp = _logsumexp(x, peak)
    top, values, found = largest(x, maxima, wanted.max_entries)
    mass = np.cumsum(np.exp(values - logsumexp[:, None]), axis=1)
    if wanted.rule == "covering":
        counts = np.sum(mass < wanted.top_p, axis=1) + 1
    else:
        counts = np.sum(mass <= wanted.top_p, axis=1)
    counts = np.clip(counts, 1, found)
    nucleus = top[np.arange(top.shape[1]) < counts[:, None]]
    tail = draw(x, nucleus, first, wanted.num_sampled, rng)
    flat, vocab = x.reshape(-1), x.shape[1]
    indices = [(at % vocab).astype(np.int32) for at in (nucleus, tail)]
    return counts, indices[0], flat[nucleus], indices[1], flat[tail], logsumexp


def _logsumexp(x: Floats, peak: Floats) -> NDArray[np.float64]:
    """Return log(sum(exp)) of each row, accumulated in binary64 (LSE-4)."""
    rows, vocab = x.shape
    scratch = np.empty((rows, min(_WIDTH, vocab)), x.dtype)
    sums = np.zeros(rows, np.float64)
    for start in range(0, vocab, _WIDTH):
        part = x[:, start : start + _WIDTH]
        exps = scratch[:, : part.shape[1]]
        np.subtract(part, peak[:, None], out=exps)
        np.exp(exps, out=exps)
        sums += np.add.reduce(exps, axis=1, dtype=np.float64)
    return np.add(peak, np.log(sums), dtype=np.float64)


def _refusal(x: Floats, peak: Floats, first: int) -> UsageError:
    """Return the error for the first position that has no distribution (QNT-9)."""
    token = int(np.argmin(np.isfinite(peak)))
    got = float(peak[token])
    if got == -np.inf:
        message = "every logit is -inf"
    else:
        entry = int(np.argmax(~(x[token] < np.inf)))
        got = float(x[token, entry])
        message = f"the logit of vocabulary index {entry} is {got}"
    place = Place(token=first + token)
    return UsageError(message, requirement="QNT-9", place=place, got=got)
