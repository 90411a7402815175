"""What the two JSON forms share: lines of text, and numbers that may not be finite.

Strategy: Python's own parser, held to strict JSON. Its floats are read and written in
binary64, shortest form; binary32 needs one more step, so that a number that binary64 has
rounded already is not rounded twice.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn

import numpy as np

from logitpack.errors import DataError, Place

MAX_LINE = 1 << 28
"""The longest line read, in bytes: some 300,000 tokens. A longer one is refused unread."""

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_BEYOND = 2.0**128  # what stands for infinity where binary32 values are compared


class Members(dict[str, Any]):
    """A JSON object. `twins` are the names that stand in it more than once."""

    twins: frozenset[str] = frozenset()


def read_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield each line's number, from 0, and its text without the line break.

    Raises DataError JSON-1 for a line that is not UTF-8 or longer than `MAX_LINE`.
    """
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b"")):
        if len(line) > MAX_LINE:
            _refuse(number, f"the line is longer than {MAX_LINE} bytes")
        try:
            yield number, line.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as error:
            _refuse(number, f"byte {error.start} of the line is not UTF-8")


def parse_line(number: int, text: str) -> Members:
    """Return the JSON object that line `number` holds.

    Raises DataError JSON-1 where it is not exactly one JSON object.
    """
    try:
        value = _loads(text)
    except RecursionError:
        _refuse(number, "the line is nested too deeply")
    except json.JSONDecodeError as error:
        _refuse(number, f"the line is not JSON: {error.msg}, at character {error.pos}")
    except ValueError as error:
        _refuse(number, f"the line is not JSON: {error}")
    if not isinstance(value, Members):
        _refuse(number, f"the line holds {kind_of(value)}, expected an object")
    return value


def kind_of(value: object) -> str:
    """Return what JSON calls a parsed value, with an article."""
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "a boolean", str: "a string", list: "an array"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "an object")


def to_float(value: float | str) -> float:
    """Return the binary64 value of a JSON number, or of the string for a non-finite one.

    An integer beyond binary64 is infinite, as the same number with a fraction is.
    """
    if isinstance(value, str):
        return NON_FINITE[value]
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def from_floats(values: list[float]) -> list[float | str]:
    """Return floats as they stand in JSON: the non-finite ones as strings."""
    if all(map(math.isfinite, values)):
        return list(values)
    return [value if math.isfinite(value) else _name(value) for value in values]


def dumps(value: object) -> str:
    """Return a value as one line of JSON, floats in the shortest form that reads back."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def rounds_twice(values: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Return whether some binary64 value is half-way between two binary32 values.

    Of such a value one cannot tell on which side the number that it was read from lay.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        near = values.astype(np.float32)
        other = np.nextafter(near, np.where(values > near, np.inf, -np.inf).astype(np.float32))
        ends = [np.clip(end.astype(np.float64), -_BEYOND, _BEYOND) for end in (near, other)]
        return bool(np.any(ends[0] / 2 + ends[1] / 2 == values))


def nearest_float32(number: Decimal) -> float:
    """Return the binary32 value nearest to a decimal number, ties to even."""
    value = float(number)
    with np.errstate(over="ignore"):
        near = np.float32(value)
        if not math.isfinite(value) or float(near) == value:
            return float(near)
        other = np.nextafter(near, np.float32(math.copysign(math.inf, value - float(near))))
    gaps = [abs(Fraction(max(-_BEYOND, min(float(end), _BEYOND))) - Fraction(number)) for end in (near, other)]
    return float(near if gaps[0] <= gaps[1] else other)


def parse_exactly(text: str) -> Members:
    """Return the JSON object of a line that parses, its fractions as Decimal."""
    value: Members = _loads(text, parse_float=_decimal)
    return value


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond those of Decimal: zero or infinity
        return Decimal(float(text))


def _loads(text: str, **options: Any) -> Any:
    options |= {"object_pairs_hook": _members, "parse_constant": _constant}
    try:
        return json.loads(text, **options)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a constant that is no JSON, or an integer that Python finds too long
        return json.loads(text, **options, parse_int=_integer)


def _integer(digits: str) -> int:
    """Return an integer; one far beyond every range as some other that is, too."""
    return int(digits[:400])


def _members(pairs: list[tuple[str, Any]]) -> Members:
    members = Members(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        members.twins = frozenset(name for name, count in counts.items() if count > 1)
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _refuse(number: int, message: str) -> NoReturn:
    raise DataError(message, requirement="JSON-1", place=Place(row=number)) from None
