"""JSON as RFC 8259 has it: no NaN and no byte order mark. Members that stand twice are remembered."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class Members(dict[str, Any]):
    """An object that remembers which of its names stood twice."""

    repeated: frozenset[str] = frozenset()


def parse(data: bytes) -> Any:
    """Return the value of a JSON text in UTF-8, numbers exactly: int, or Decimal where there is a fraction or exponent.

    An object is a `Members`. Raises ValueError where it is no JSON.
    """
    return _parse(data, object_pairs_hook=_members, parse_float=_decimal, parse_int=_integer)


def parse_binary64(data: bytes) -> tuple[Any, bool]:
    """Return the value of a JSON text as `parse` does, but fractions as binary64; and whether a member stands twice."""
    objects: list[Members] = []

    def remember(pairs: list[tuple[str, Any]]) -> Members:
        objects.append(_members(pairs))
        return objects[-1]

    return _parse(data, object_pairs_hook=remember), any(one.repeated for one in objects)


def _parse(data: bytes, **hooks: Any) -> Any:
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    try:
        return json.loads(text, parse_constant=_no_constant, **hooks)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _members(pairs: list[tuple[str, Any]]) -> Members:
    found = Members(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        found.repeated = frozenset(name for name, count in counts.items() if count > 1)
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond those of Decimal, far beyond those of binary64
        return Decimal(float(text))


def _integer(text: str) -> int:
    return int(text[:400])  # int refuses very long texts; what is left is beyond every range as well
