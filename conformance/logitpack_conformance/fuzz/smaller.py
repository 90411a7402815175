"""Logical rows with something taken from them: the steps by which a failing example gets small.

Strategy: what can go is tried in large pieces first, then in small ones. A step is never checked here: whether the rows
still mean what they have to, and still fail, is found out by making a file of them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

from logitpack_conformance.oracle import binary32
from logitpack_conformance.rows import Row
from logitpack_conformance.strategies.logical import logsumexp

KINDS = ("top", "sampled")
MOST_PLACES = 8
SMALLEST_NORMAL = 2.0**-126
T = TypeVar("T")
Token = dict[str, Any]


# How small something is


def count(rows: Sequence[Row]) -> tuple[int, int, int, int]:
    """Return the number of rows, tokens, entries and token ids."""
    tokens = [token for row in rows for token in row["tokens"]]
    entries = sum(len(token[kind]["indices"]) for token in tokens for kind in KINDS)
    return len(rows), len(tokens), entries, sum("token_id" in token for token in tokens)


def weight(rows: Sequence[Row]) -> tuple[float, ...]:
    """Return the sum of indices, how far the numbers are from plain ones, and the sum of token ids."""
    tokens = [token for row in rows for token in row["tokens"]]
    indices = sum(index for token in tokens for kind in KINDS for index in token[kind]["indices"])
    numbers = sum(cost(x) for token in tokens for kind in KINDS for x in token[kind]["logits"])
    extra = sum(token["logsumexp"] != plain_logsumexp(token) for token in tokens)
    return indices, numbers, extra, sum(token.get("token_id", 0) for token in tokens)


def cost(x: float) -> float:
    """Return how far a number is from 0: small integers are near, binary64 numbers that are not binary32 are far.

    >>> cost(0.0) < cost(1.0) < cost(-2.0) < cost(0.5) < cost(2.0**-149) < cost(0.1)
    True
    """
    if math.isnan(x) or math.isinf(x):
        return 1.0
    if abs(x) <= 1024 and x == int(x):
        return 0.5 if math.copysign(1, x) < 0 and not x else abs(x) / 1000 + (1 + (x < 0)) * bool(x)
    if abs(x) < SMALLEST_NORMAL and x == at_place(place(x)):
        return 8 + abs(place(x)) / 2**24
    mantissa, exponent = math.frexp(x)
    bits = int(abs(mantissa) * 2**53)
    return 8 + (bits.bit_length() - (bits & -bits).bit_length()) + abs(exponent) / 1024


def plain_logsumexp(token: Token) -> float:
    """Return the logsumexp of a token where nothing else has any probability."""
    return logsumexp([*token["top"]["logits"], *token["sampled"]["logits"]])


# Rows


def rows(found: list[Row]) -> Iterator[list[Row]]:
    """Yield logical rows with something less."""
    for cut in pieces(len(found)):
        yield without(found, cut)
    for number, row in enumerate(found):
        for tokens in _fewer_tokens(row["tokens"]):
            yield [*found[:number], {"tokens": tokens}, *found[number + 1 :]]
    yield from _shorter_tails(found)
    if count(found)[3]:
        yield _each(found, lambda token: {name: part for name, part in token.items() if name != "token_id"})
    changes: list[Callable[[Token], Iterator[Token]]] = [_fewer_entries, _other_indices, _other_logits, _other_numbers]
    for change in changes[1:]:
        yield from _everywhere(found, change)
    for change in changes:
        for number, row in enumerate(found):
            for place, token in enumerate(row["tokens"]):
                for new in change(token):
                    tokens = [*row["tokens"][:place], new, *row["tokens"][place + 1 :]]
                    yield [*found[:number], {"tokens": tokens}, *found[number + 1 :]]


def pieces(length: int, least: int = 1) -> Iterator[slice]:
    """Yield pieces of a list to leave out, halves first, so that at least `least` of it stay.

    Of each size there is one that is a multiple of four, for what hangs on the bytes of the high bits; of small pieces
    of a long list, only some are tried.

    >>> [(piece.start, piece.stop) for piece in pieces(3)]
    [(0, 2), (1, 3), (0, 1), (1, 2), (2, 3)]
    """
    sizes = {1, 2, 3, 4}
    size = length // 2
    while size:
        sizes |= {size, size // 4 * 4}
        size //= 2
    for size in sorted(sizes - {0}, reverse=True):
        if length - size >= least:
            last = length - size
            step = max(size, last // MOST_PLACES)
            for start in dict.fromkeys((*range(0, last + 1, step), last)):
                yield slice(start, start + size)


def without(found: Sequence[T], cut: slice) -> list[T]:
    """Return a list without a piece."""
    return [*found[: cut.start], *found[cut.stop :]]


def _each(found: list[Row], change: Callable[[Token], Token]) -> list[Row]:
    return [{"tokens": [change(token) for token in row["tokens"]]} for row in found]


def _everywhere(found: list[Row], change: Callable[[Token], Iterator[Token]]) -> Iterator[list[Row]]:
    """Yield the rows with the same, first, second ... change in each token, as far as all tokens have so many."""
    tokens = [token for row in found for token in row["tokens"]]
    if len(tokens) > 1:
        for changed in zip(*(change(token) for token in tokens), strict=False):
            new = iter(changed)
            yield [{"tokens": [next(new) for _ in row["tokens"]]} for row in found]


def _fewer_tokens(tokens: list[Token]) -> Iterator[list[Token]]:
    """Leave tokens out, or put two nuclei into one."""
    for cut in pieces(len(tokens)):
        yield without(tokens, cut)
    for number, (one, other) in enumerate(pairwise(tokens)):
        yield [*tokens[:number], _merged(one, other), *tokens[number + 2 :]]


def _merged(one: Token, other: Token) -> Token:
    """Put two nuclei into one, before the tail of the first; an index that stands there already becomes a free one."""
    top, tail = one["top"]["indices"] + other["top"]["indices"], one["sampled"]["indices"]
    used: set[int] = set()
    found = []
    for index in reversed(top + tail):
        free = next(number for number in (index, *range(len(top + tail))) if number not in used)
        used.add(free)
        found.append(free)
    found.reverse()
    parts = {
        "top": {"indices": found[: len(top)], "logits": one["top"]["logits"] + other["top"]["logits"]},
        "sampled": {"indices": found[len(top) :], "logits": one["sampled"]["logits"]},
    }
    return _with_logits({**one, **parts}, lambda _: 0.0)


def _shorter_tails(found: list[Row]) -> Iterator[list[Row]]:
    """Leave out the same tail entries of each token."""
    stride = len(found[0]["tokens"][0]["sampled"]["indices"])
    for cut in pieces(stride):
        yield _each(found, lambda token, cut=cut: {**token, "sampled": _cut(token["sampled"], cut)})  # type: ignore[misc]


def _cut(part: Mapping[str, list[Any]], cut: slice) -> dict[str, list[Any]]:
    return {name: without(values, cut) for name, values in part.items()}


def _fewer_entries(token: Token) -> Iterator[Token]:
    for cut in pieces(len(token["top"]["indices"])):
        yield {**token, "top": _cut(token["top"], cut)}


def _other_indices(token: Token) -> Iterator[Token]:
    """Give the entries the numbers from 0, all of them or in pieces; then lower one index after another."""
    size = len(token["top"]["indices"])
    found = [*token["top"]["indices"], *token["sampled"]["indices"]]
    plain = list(range(len(found)))

    def changed(new: list[int]) -> Token:
        parts = {"top": new[:size], "sampled": new[size:]}
        return {**token, **{kind: {**token[kind], "indices": part} for kind, part in parts.items()}}

    yield changed(plain)
    for cut in pieces(len(found), 0):
        if found[cut] != plain[cut]:
            yield changed([*found[: cut.start], *plain[cut], *found[cut.stop :]])
    for number, index in enumerate(found):
        if index != plain[number]:
            steps = (index & ~0xFFFF, index & 0xFFFF, *(index - (index >> shift) for shift in range(1, 18)))
            for lower in dict.fromkeys(steps):
                if 0 <= lower < index and lower not in found:
                    yield changed([*found[:number], lower, *found[number + 1 :]])


# Numbers


def _with_logits(token: Token, change: Callable[[float], float]) -> Token:
    """Change each logit by a function that keeps their order; logsumexp goes with them."""
    parts = {kind: {**token[kind], "logits": [change(x) for x in token[kind]["logits"]]} for kind in KINDS}
    found = {**token, **parts}
    return {**found, "logsumexp": plain_logsumexp(found)}


def _other_logits(token: Token) -> Iterator[Token]:
    """Make the logits plain, all of them alike."""
    values = [x for kind in KINDS for x in token[kind]["logits"]]
    ranks = {x: float(rank) for rank, x in enumerate(sorted(set(values), reverse=True))}
    top = max(values)
    least = min(token["top"]["logits"])
    yield _with_logits(token, lambda _: 0.0)
    yield _with_logits(token, lambda x: -ranks[x])
    tail = {**token["sampled"], "logits": [least] * len(token["sampled"]["logits"])}
    yield _with_logits({**token, "sampled": tail}, float)
    yield _with_ends(token)
    changes: list[Callable[[float], float]] = [
        lambda x: x - top,
        math.floor,
        single,
        lambda x: float(binary32.down(Fraction(x))),
        lambda x: masked(x, 16),
        lambda x: masked(x, 8),
        lambda x: shifted(x, -place(least)),
        halved,
    ]
    for change in changes:
        try:
            yield _with_logits(token, lambda x, change=change: float(change(x)))  # type: ignore[misc]
        except (OverflowError, ValueError, struct.error):
            continue


def _with_ends(token: Token) -> Token:
    """Move each logit to the nearer end of its range."""
    parts = {}
    for kind in KINDS:
        logits = token[kind]["logits"]
        low, high = min(logits), max(logits)
        parts[kind] = {**token[kind], "logits": [high if x - low > high - x else low for x in logits]}
    found = {**token, **parts}
    return {**found, "logsumexp": plain_logsumexp(found)}


def _other_numbers(token: Token) -> Iterator[Token]:
    """Make one number after another plain: a logit, logsumexp, the token's id."""
    plain = plain_logsumexp(token)
    if token["logsumexp"] != plain:
        yield {**token, "logsumexp": plain}
    if token.get("token_id"):
        yield {**token, "token_id": 0}
        yield {**token, "token_id": token["token_id"] // 2}
    for kind in KINDS:
        logits = token[kind]["logits"]
        for cut in pieces(len(logits), 0):
            new = [*logits[: cut.start], *([min(logits)] * (cut.stop - cut.start)), *logits[cut.stop :]]
            yield _with_logits({**token, kind: {**token[kind], "logits": new}}, lambda x: x)


def single(x: float) -> float:
    """Return the nearest binary32 number. Raises OverflowError."""
    (found,) = struct.unpack("<f", struct.pack("<f", x))
    return float(found)


def place(x: float) -> int:
    """Return the place of a binary32 number in their order, that of 0 being 0. Raises OverflowError."""
    (word,) = struct.unpack("<i", struct.pack("<f", abs(x)))
    return int(word) if x >= 0 else -int(word)


def at_place(number: int) -> float:
    """Return the binary32 number at a place of their order. Raises struct.error where there is none."""
    (found,) = struct.unpack("<f", struct.pack("<i", abs(number)))
    return math.copysign(found, number)


def shifted(x: float, by: int) -> float:
    """Return the binary32 number so many places further. Raises OverflowError, struct.error."""
    return at_place(place(x) + by)


def masked(x: float, bits: int) -> float:
    """Return a binary32 number with so many of its last bits cleared. Raises OverflowError."""
    return math.copysign(at_place(place(abs(x)) >> bits << bits), x)


def halved(x: float) -> float:
    """Return the binary32 number half as far from 0 in their order. Raises OverflowError.

    >>> halved(3 * 2.0**-149) == 2.0**-149
    True
    """
    return math.copysign(at_place(place(abs(x)) // 2), x)
