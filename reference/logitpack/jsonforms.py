"""What the two JSON forms share: lines of text, and numbers that may not be finite.

Strategy: Python's own parser, held to strict JSON. Its floats are read and written in
binary64, shortest form; binary32 needs one more step, so that a number that binary64 has
rounded already is not rounded twice: where it makes a difference, the binary64 value beside
is taken.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any, BinaryIO, NoReturn

import numpy as np

from logitpack.errors import DataError, Place, UsageError

MAX_LINE = 1 << 25
"""The longest line read, in bytes: some 25,000 tokens."""
MAX_COMMAS, MAX_NESTED = 3 << 20, 1 << 20
"""The most commas of a line, and quotes and opening brackets: a number takes a hundred bytes, an object more."""

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Members(dict[str, Any]):
    """A JSON object. `twins` are the names that stand in it more than once."""

    twins: frozenset[str] = frozenset()


def read_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield each line's number, from 0, and its text without the line break.

    Raises DataError JSON-1 for a line that is not UTF-8; UsageError as `require_bounded` does.
    """
    for number in count():
        if not (line := file.readline(MAX_LINE + 1)):
            return
        require_bounded(line, number)
        try:
            text = line.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as error:
            _refuse(number, f"byte {error.start} of the line is not UTF-8")
        del line  # the text takes as much again
        yield number, text


def require_bounded(line: bytes, number: int) -> None:
    """Raise UsageError for a line that may be well formed, but takes more memory than it gets.

    It is longer than `MAX_LINE`, or has more values than `MAX_COMMAS` and `MAX_NESTED` allow. `number` is its row.
    """
    if len(line) > MAX_LINE:
        raise UsageError(f"a line of more than {MAX_LINE:,} bytes is more than is read", place=Place(row=number))
    if line.count(b",") > MAX_COMMAS or sum(map(line.count, (b'"', b"[", b"{"))) > MAX_NESTED:
        raise UsageError("a line of that many values is more than is read", place=Place(row=number))


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


def halfway(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return where binary64 values may be half-way between two binary32 values: all that are so, and few others.

    Of such a value one cannot tell on which side the number that it was read from lay. It has one bit more than
    binary32 holds, so that the last 28 of its 53 are zero.
    """
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
    short = values.view(np.int64) & 0xFFF_FFFF == 0
    return np.flatnonzero(short & (near != values) & np.isfinite(values))


def parse_for_float32(text: str) -> Members:
    """Return the JSON object of a line that parses, its numbers such that they round to binary32 as their text does."""
    with np.errstate(over="ignore"):
        value: Members = _loads(text, parse_float=_beside, parse_int=_beside)
    return value


def _beside(text: str) -> float:
    """Return the binary64 value of a number; where that may be `halfway` and the number is not, the one beside it."""
    value = float(text)
    short = (math.frexp(value)[0] * 2**25).is_integer()
    if not short or float(np.float32(value)) == value:
        return value
    exact = Decimal(text)
    return value if exact == value else math.nextafter(value, math.inf if exact > value else -math.inf)


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
