"""Logical JSON that a stranger wrote, taken apart with care (section 4.4).

Strategy: the file is opened once, as a regular file and no further than a bound. Each line is strict JSON, and of its
objects only what the schema asks for is looked at, with few steps where everything is as it should be. Indices out of
range and logits that are not finite are left to the judge: what they break is not the form.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
MOST_BYTES = 64 << 20
"""The longest output that is read, whatever was asked for."""
ROOM = 1 << 20
BYTES_AN_ENTRY = 256
"""What an output may take: so much, and so much for each entry. An index and a logit take some 30."""


class OutputFault(Exception):  # noqa: N818  what the output has
    """The output is no logical JSON; the text says in one short line what is wrong."""


@dataclass(slots=True)
class Entries:
    """The nucleus or the tail of a token: vocabulary indices and logits in nats, in the order of the file.

    The two lists may differ in length, and may be empty; a logit may be infinite or NaN.
    """

    indices: list[int]
    logits: list[float]


@dataclass(slots=True)
class Token:
    """What was written for one token."""

    logsumexp: float
    top: Entries
    sampled: Entries
    token_id: int | None = None


def bound(entries: int) -> int:
    """Return how many bytes the text of so many entries may take, with room to spare."""
    return min(MOST_BYTES, ROOM + BYTES_AN_ENTRY * entries)


def read_rows(path: Path | None, most: int) -> Iterator[list[Token]]:
    """Yield the tokens of each row of a file of at most `most` bytes. Raises OutputFault, if need be after some rows.

    A number that is written NaN or Infinity without quotes is yielded as such, and is a fault after the last row.
    """
    data = _content(path, most)
    bare: list[str] = []

    def constant(text: str) -> float:
        bare.append(text)
        return float(text)

    decoder = json.JSONDecoder(object_pairs_hook=_members, parse_constant=constant)
    for number, line in enumerate(_lines(data)):
        try:
            yield _row(decoder, line)
        except OutputFault as fault:
            raise OutputFault(f"line {number + 1} of the output: {fault}") from fault
    if bare:
        raise OutputFault(f"the output holds {bare[0]} without quotes, which is no JSON")


def _content(path: Path | None, most: int) -> bytes:
    if path is None:
        raise OutputFault("there is no output")
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123  a descriptor
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OutputFault("the output is no regular file")
            data = file.read(most + 1)
    except FileNotFoundError:
        raise OutputFault("there is no output") from None
    except OSError as error:
        raise OutputFault(f"the output cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise OutputFault(f"the output is longer than {most} bytes, far more than was asked for")
    return data


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise OutputFault("a member stands twice in one object")
    return found


def _row(decoder: json.JSONDecoder, line: bytes) -> list[Token]:
    try:
        value = decoder.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise OutputFault(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise OutputFault(f"no JSON: {error.msg}, at character {error.pos}") from error
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits, brackets by the thousand
        raise OutputFault("no JSON that can be read") from error
    return [_token(token) for token in _member(value, "tokens", list)]


def _token(value: Any) -> Token:
    (logsumexp,) = _floats([_member(value, "logsumexp")], "logsumexp")
    top, sampled = _entries(value, "top"), _entries(value, "sampled")
    identifier = _integers([value["token_id"]], "token_id")[0] if "token_id" in value else None
    return Token(logsumexp, top, sampled, identifier)


def _entries(token: object, kind: str) -> Entries:
    part = _member(token, kind, dict)
    indices = _integers(_member(part, "indices", list), f"an index of {kind}")
    return Entries(indices, _floats(_member(part, "logits", list), f"a logit of {kind}"))


def _member(value: object, name: str, kind: type | None = None) -> Any:
    if not isinstance(value, dict):
        raise OutputFault(f"{_kind(value)} stands where an object with the member {name} is expected")
    if name not in value:
        raise OutputFault(f"the member {name} is missing")
    if kind is not None and not isinstance(value[name], kind):
        raise OutputFault(f"{name} is {_kind(value[name])}, expected {_KINDS[kind]}")
    return value[name]


def _integers(values: list[Any], what: str) -> list[int]:
    if set(map(type, values)) <= {int}:
        return values
    return [value if type(value) is int else _integer(value, what) for value in values]


def _integer(value: object, what: str) -> int:
    """Return the integer that JSON Schema takes 5.0 for."""
    if not isinstance(value, float) or not value.is_integer():
        _refuse(value, what, "an integer")
    return int(value)


def _floats(values: list[Any], what: str) -> list[float]:
    if set(map(type, values)) <= {float}:
        return values
    return [value if type(value) is float else _float(value, what) for value in values]


def _float(value: object, what: str) -> float:
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    if type(value) is not int:
        _refuse(value, what, "a number")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _refuse(value: object, what: str, wanted: str) -> NoReturn:
    raise OutputFault(f"{what} is {_kind(value)}, expected {wanted}")


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number with a fraction",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def _kind(value: object) -> str:
    return _KINDS[type(value)]
