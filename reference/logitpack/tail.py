"""A uniform tail: distinct entries of each row of logits, drawn from those not excluded.

Strategy: draw ranks among the entries that may be drawn, then turn ranks into indices by
counting the excluded indices before them: what may be drawn is nearly all of a vocabulary, and
listing it would cost more than finding the nucleus. It is listed where logits are -inf, for
then as much may be excluded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logitpack.errors import Place, UsageError
from logitpack.ragged import Floats


def draw(
    x: Floats, nucleus: NDArray[np.int64], first: int, num_sampled: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw each row's tail from its finite logits outside the nucleus (TAIL-1, TAIL-2, TAIL-3).

    `x` are logits, contiguous [rows, vocabulary], and `nucleus` the flat positions in it of all
    nucleus entries, grouped by row. Returns the flat positions of the entries drawn, in the
    order of drawing, int64 [rows, num_sampled].

    Raises UsageError QNT-10 where too few entries are left; `first` is the number of the first
    row as a token.
    """
    rows, vocab = x.shape
    bounds = np.arange(rows + 1) * vocab
    if x.min() == -np.inf:
        allowed = x > -np.inf
        allowed.reshape(-1)[nucleus] = False
        listed = np.flatnonzero(allowed)
        starts = np.searchsorted(listed, bounds)
        left = np.diff(starts)
        _check_left(left, num_sampled, first)
        ranks = _distinct_ranks(left, num_sampled, rng)
        drawn: NDArray[np.int64] = listed[ranks + starts[:-1, None]]
        return drawn
    excluded = np.sort(nucleus)
    starts = np.searchsorted(excluded, bounds)
    counts = np.diff(starts)
    left = vocab - counts
    _check_left(left, num_sampled, first)
    ranks = _distinct_ranks(left, num_sampled, rng)
    ranks += bounds[:-1, None]
    # How many may be drawn before each excluded entry: a rank that is no less passes it.
    before = excluded - np.arange(len(excluded)) + np.repeat(starts[:-1], counts)
    ranks += np.searchsorted(before, ranks, side="right") - starts[:-1, None]
    return ranks


def _check_left(left: NDArray[np.int64], num_sampled: int, first: int) -> None:
    """Refuse the first row that leaves fewer entries than are to be drawn (QNT-10)."""
    if left.min() < num_sampled:
        row = int(np.argmax(left < num_sampled))
        got = int(left[row])
        raise UsageError(
            f"{got} entries are left for a tail of {num_sampled}",
            requirement="QNT-10",
            place=Place(token=first + row),
            got=got,
            allowed=num_sampled,
        )


def _distinct_ranks(left: NDArray[np.int64], draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw distinct numbers below `left` for each row, uniformly and in order: [rows, draws].

    These are the first steps of a Fisher-Yates shuffle: step k swaps place k with a place from
    k on. What stands at a place is its own number unless the place was drawn before, so that
    only rows where one was drawn twice need the shuffle played through.
    """
    steps = np.arange(draws)
    places: NDArray[np.int64] = rng.integers(0, left[:, None] - steps) + steps
    ordered = np.sort(places, axis=1)
    for row in np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)):
        moved: dict[int, int] = {}
        for step, place in enumerate(places[row].tolist()):
            places[row, step] = moved.get(place, place)
            moved[place] = moved.get(step, step)
    return places
