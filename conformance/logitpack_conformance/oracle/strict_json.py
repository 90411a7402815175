"""JSON as RFC 8259 has it: no NaN, no byte order mark, and no member twice where that is asked for."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class RepeatedError(ValueError):
    """A member stands twice in one object."""


class Members(dict[str, Any]):
    """An object that remembers which of its names stood twice."""

    repeated: frozenset[str] = frozenset()


def _members(pairs: list[tuple[str, Any]]) -> Members:
    found = Members(pairs)
    names = [name for name, _ in pairs]
    if len(found) < len(names):
        found.repeated = frozenset(name for name, count in Counter(names).items() if count > 1)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> Members:
    found = _members(pairs)
    if found.repeated:
        raise RepeatedError(f"{sorted(found.repeated)} twice in one object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"the exponent of {text[:40]} is out of reach") from error


def _integer(text: str) -> int | Decimal:
    """Python refuses very long integers; a Decimal takes their place."""
    return int(text) if len(text) < 4000 else Decimal(text)


def parse(data: bytes, *, unique: bool = True) -> Any:
    """Return the value of a JSON text in UTF-8. A number with a fraction or exponent becomes a Decimal, exactly.

    Raises ValueError where it is no JSON, and RepeatedError where `unique` and a member stands twice.
    """
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    hook = _unique if unique else _members
    try:
        return json.loads(
            text, object_pairs_hook=hook, parse_constant=_no_constant, parse_float=_number, parse_int=_integer
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
