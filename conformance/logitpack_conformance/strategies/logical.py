"""Rows of logical JSON that a writer can write as a valid file.

Strategy: a token is built from the largest logit down, in steps: the nucleus, a gap, the tail. So the tail never rises
above the nucleus (NUC-3), and logsumexp is placed between the mass of what is stored and the most that the vocabulary
can hold (LSE-2, LSE-3). Long lists are a few drawn values before a plain background, so that a failure which needs a
hundred entries still shrinks to plain ones.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import chain, islice
from typing import Any

from hypothesis import strategies as st

from logitpack_conformance.oracle.indices import LIMIT
from logitpack_conformance.oracle.logits import STEPS

from .values import MOST_ENTRIES, below, codes, count_lists, indices, logits, steps, strides

Row = dict[str, Any]
INSIDE = 1 - 2.0**-26
"""Takes a binary32 number to a binary64 number beside it."""
PLACES = st.sampled_from(("last", "first", "anywhere"))
ORDERS = st.sampled_from(("descending", "ascending", "as drawn"))
OFFS = st.sampled_from([Fraction(part, 64) for part in (0, 0, 1, 32, 33, 63)])
"""How far a logit lies from a code, in steps."""
BOOLEANS = st.booleans()
STEPS_OF_INDICES = st.sampled_from((1, 2, 1021, 16_381, 65_535, 65_536))
SIGNS = st.sampled_from((1, -1))
SHARES = st.floats(0, 1)


@cache
def _one_of(many: int) -> st.SearchStrategy[int]:
    return st.integers(0, many - 1)


def _rarely(draw: st.DrawFn, many: int) -> bool:
    """Draw whether to do something that is done once in so many times."""
    return draw(_one_of(many)) == many - 1


def _placed(draw: st.DrawFn, chosen: Sequence[Any], background: Sequence[Any]) -> list[Any]:
    """Put chosen values among those of a background: in the last places, in the first, or anywhere."""
    place = draw(PLACES) if chosen and background else "first"
    ahead = {"last": len(background), "first": 0}.get(place)
    if ahead is None:
        ahead = draw(_one_of(len(background) + 1))
    return [*background[:ahead], *chosen, *background[ahead:]]


@st.composite
def index_lists(draw: st.DrawFn, size: int, taken: Collection[int] = (), vocab_size: int = LIMIT) -> list[int]:
    """Draw distinct vocabulary indices, none of them `taken` (NUC-2, TAIL-1, TAIL-2).

    >>> smallest(index_lists(3), lambda found: found[-1] >= 65_536)
    [0, 1, 65536]
    """
    return _indices(draw, size, taken, vocab_size)


def _indices(draw: st.DrawFn, size: int, taken: Collection[int], vocab_size: int) -> list[int]:
    drawn = [draw(indices(vocab_size)) for _ in range(draw(_one_of(min(size, 3) + 1)))]
    chosen = [index for index in dict.fromkeys(drawn) if index not in taken]
    start, step = 0, 1
    if len(chosen) < size and _rarely(draw, 8):
        start, step = draw(indices(vocab_size)), draw(STEPS_OF_INDICES) * draw(SIGNS)
    found = _free(start, step, vocab_size, {*taken, *chosen})
    return _placed(draw, chosen, list(islice(found, size - len(chosen))))


def _free(start: int, step: int, vocab_size: int, used: set[int]) -> Iterator[int]:
    """Yield indices that are not used, as many as there are: in steps from the start, then what they left out."""
    for number in chain(range(start, start + 512 * step, step), range(vocab_size)):
        index = number % vocab_size
        if index not in used:
            used.add(index)
            yield index


def _logits(draw: st.DrawFn, size: int, high: float) -> list[float]:
    """Draw so many logits from `high` down, both ends of their range among them."""
    low = below(high, draw(steps())) if size > 1 else high
    if low == high:
        return [high] * size
    width = Fraction(high) - Fraction(low)
    return [float(Fraction(low) + position * width / STEPS) for position in _positions(draw, size)]


def _positions(draw: st.DrawFn, size: int) -> list[Fraction]:
    """Draw where in its range each logit lies, in steps: 65535, 0, and between them codes and what is to be rounded."""
    if size == 2:
        found = [Fraction(STEPS), Fraction(0)]
    else:
        chosen = [draw(codes()) for _ in range(draw(_one_of(min(size - 2, 3) + 1)))]
        rest = size - 2 - len(chosen)
        plain = [STEPS - (i + 1) * STEPS // (rest + 1) for i in range(rest)]
        off = draw(OFFS)
        inner = [min(Fraction(STEPS), code + off) for code in _placed(draw, chosen, plain)]
        found = [Fraction(STEPS), *inner, Fraction(0)]
    order = draw(ORDERS)
    return found if order == "as drawn" else sorted(found, reverse=order == "descending")


def logsumexp(stored: Sequence[float], others: float = 0.0, level: float = -math.inf) -> float:
    """Return the log of the sum of exp over some logits, and over so many others at one level not above the largest.

    >>> round(logsumexp([0.0, 0.0]), 6)
    0.693147
    """
    top = max(stored)
    return top + math.log(others * math.exp(level - top) + math.fsum(math.exp(x - top) for x in stored))


@st.composite
def tokens(
    draw: st.DrawFn, size: int = 1, num_sampled: int = 1, *, vocab_size: int = LIMIT, token_id: bool = False
) -> dict[str, Any]:
    """Draw a token of logical JSON with a nucleus of `size` entries and a tail of `num_sampled`.

    >>> token = smallest(tokens(2), lambda token: token["top"]["logits"][0] > 1)
    >>> token["top"], token["sampled"]
    ({'indices': [0, 1], 'logits': [2.0, 2.0]}, {'indices': [2], 'logits': [2.0]})
    """
    return _token(draw, size, num_sampled, vocab_size, token_id=token_id)


def _token(draw: st.DrawFn, size: int, num_sampled: int, vocab_size: int, *, token_id: bool) -> dict[str, Any]:
    nucleus = _indices(draw, size, (), vocab_size)
    tail = _indices(draw, num_sampled, nucleus, vocab_size)
    top = _logits(draw, size, draw(logits()))
    sampled = _logits(draw, num_sampled, below(min(top), draw(steps())))
    if _rarely(draw, 8):  # logits that are no binary32 numbers
        top, sampled = [x * INSIDE for x in top], [x * INSIDE for x in sampled]
    share = draw(SHARES) if _rarely(draw, 3) else 0.0
    others = share * (vocab_size - size - num_sampled)
    found = {
        "logsumexp": logsumexp([*top, *sampled], others, min(top)),
        "top": {"indices": nucleus, "logits": top},
        "sampled": {"indices": tail, "logits": sampled},
    }
    return {**found, "token_id": draw(indices(vocab_size))} if token_id else found


@st.composite
def logical_rows(
    draw: st.DrawFn,
    *,
    min_size: int = 1,
    max_size: int = 3,
    vocab_size: int = LIMIT,
    max_entries: int = MOST_ENTRIES,
    num_sampled: int | None = None,
    token_ids: bool | None = None,
) -> list[Row]:
    """Draw rows of logical JSON (section 4.4) with one S, that a writer has to write (WR-5).

    Indices are below `vocab_size`, at least 512; nuclei have at most `max_entries` entries. All tokens have ids or
    none, or as `token_ids` says.

    >>> rows = smallest(logical_rows())
    >>> [token["top"] for row in rows for token in row["tokens"]]
    [{'indices': [0], 'logits': [0.0]}]
    """
    stride = draw(strides()) if num_sampled is None else num_sampled
    row = _row(stride, vocab_size, max_entries, token_id=draw(BOOLEANS) if token_ids is None else token_ids)
    return draw(st.lists(row, min_size=min_size, max_size=max_size))


@cache
def _row(num_sampled: int, vocab_size: int, max_entries: int, *, token_id: bool) -> st.SearchStrategy[Row]:
    sizes = count_lists(max_entries=max_entries)

    @st.composite
    def row(draw: st.DrawFn) -> Row:
        return {"tokens": [_token(draw, size, num_sampled, vocab_size, token_id=token_id) for size in draw(sizes)]}

    return row()
