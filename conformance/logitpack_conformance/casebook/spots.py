"""Changes at one token of stored rows, wherever it stands.

Strategy: what can be said in logical terms is changed in the decoded token and encoded again, which leaves every other
token's codes as they were; what is about codes and ranges is changed in the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.oracle import binary32, logits
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, decode, encode
from logitpack_conformance.rows import Row, set_index, starts, unpacked

Change = Callable[[list[Row]], None]
Spot = tuple[int, int]
FIRST: Spot = (0, 0)
LAST: Spot = (-1, -1)
"""A row and a token of it."""


def entries(row: Row, kind: str, token: int) -> range:
    """Return where the entries of a token stand in the lists of the nucleus ("top") or the tail ("sampled")."""
    token %= row["num_tokens"]
    if kind == "top":
        start = starts(row)[token]
        return range(start, start + row["top_counts"][token])
    stride = len(row["sampled_indices_low"]) // row["num_tokens"]
    return range(token * stride, (token + 1) * stride)


def retold(spot: Spot, change: Callable[[LogicalToken], LogicalToken]) -> Change:
    """Return what changes the meaning of a token."""

    def apply(rows: list[Row]) -> None:
        row, token = rows[spot[0]], spot[1]
        meaning = decode(row)
        meaning[token] = change(meaning[token])
        rows[spot[0]] = row | encode(meaning)

    return apply


def with_entries(token: LogicalToken, kind: str, change: Callable[[LogicalEntries], LogicalEntries]) -> LogicalToken:
    """Return a token with another nucleus ("top") or tail ("sampled")."""
    parts: dict[str, Any] = {kind: change(getattr(token, kind))}
    return replace(token, **parts)


def put_index(spot: Spot, kind: str, entry: int, index: int) -> Change:
    """Return what gives an entry of a token another index."""

    def apply(rows: list[Row]) -> None:
        row = rows[spot[0]]
        set_index(row, kind, entries(row, kind, spot[1])[entry], index)

    return apply


def copy_index(spot: Spot, source: tuple[str, int], target: tuple[str, int], of: int | None = None) -> Change:
    """Return what gives the `target` entry of a token the index of a `source` entry, of its own or of token `of`."""

    def apply(rows: list[Row]) -> None:
        row = rows[spot[0]]
        place = entries(row, source[0], spot[1] if of is None else of)[source[1]]
        put_index(spot, *target, unpacked(row, source[0])[place])(rows)

    return apply


def put_codes(spot: Spot, kind: str, codes: Mapping[int, int]) -> Change:
    """Return what gives entries of a token other codes."""

    def apply(rows: list[Row]) -> None:
        row = rows[spot[0]]
        places = entries(row, kind, spot[1])
        for entry, code in codes.items():
            row[f"{kind}_logits_quantized"][places[entry]] = code

    return apply


def in_range(spot: Spot, kind: str, below: float, above: float) -> Change:
    """Return what encodes the logits of a token in a range that is wider by so much at its ends."""

    def apply(rows: list[Row]) -> None:
        row, token = rows[spot[0]], spot[1]
        part: LogicalEntries = getattr(decode(row)[token], kind)
        low = float(binary32.down(Fraction(row[f"{kind}_min"][token]) - Fraction(below)))
        high = float(binary32.up(Fraction(row[f"{kind}_max"][token]) + Fraction(above)))
        row[f"{kind}_min"][token], row[f"{kind}_max"][token] = low, high
        for place, x in zip(entries(row, kind, token), part.logits, strict=True):
            row[f"{kind}_logits_quantized"][place] = logits.encode(x, Fraction(low), Fraction(high))

    return apply


def put_logsumexp(spot: Spot, change: Callable[[float], float]) -> Change:
    """Return what changes a token's logsumexp."""

    def apply(rows: list[Row]) -> None:
        values = rows[spot[0]]["logsumexp"]
        values[spot[1]] = change(values[spot[1]])

    return apply


def swapped(spot: Spot, first: int, second: int) -> Change:
    """Return what makes two nucleus entries of a token change places."""

    def change(token: LogicalToken) -> LogicalToken:
        order = list(range(len(token.top.indices)))
        order[first], order[second] = order[second], order[first]
        return with_entries(token, "top", lambda part: picked(part, order))

    return retold(spot, change)


def picked(part: LogicalEntries, places: list[int]) -> LogicalEntries:
    """Return the entries at these places, in this order."""
    return LogicalEntries([part.indices[i] for i in places], [part.logits[i] for i in places])


def added(part: LogicalEntries, index: int, logit: Fraction) -> LogicalEntries:
    """Return the entries and one more."""
    return LogicalEntries([*part.indices, index], [*part.logits, logit])
