"""Stored JSON: section 4.3, JSON-1 and JSON-2.

Strategy: a number is read exactly and rounded once to the format of its column. A value of the wrong kind is left as it
is for COL-2, and a member that stands twice breaks COL-1.
"""

from __future__ import annotations

import base64
import binascii
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import binary32, strict_json
from .columns import NAMED, Column, judge_types
from .file import File

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def load_json(name: str, data: bytes) -> File:
    """Return the rows of stored JSON. A line that breaks JSON-1 or JSON-2 is reported, and not judged further."""
    file = File(name)
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines):
        try:
            value = _object(line)
        except ValueError as error:
            file.report("JSON-1", str(error), row=number)
            file.rows.append({})
            file.unreadable.add(number)
        else:
            file.rows.append(_row(file, value, number))
    return file


def _object(line: bytes) -> strict_json.Members:
    """Return the object of a line. Raises ValueError where it is none (JSON-1)."""
    value = strict_json.parse(line, unique=False)
    if isinstance(value, strict_json.Members):
        return value
    raise ValueError("the line is no object")


def _row(file: File, value: strict_json.Members, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in NAMED:
        if column.name in value.repeated:
            file.report("COL-1", "the member stands twice", row=number, column=column.name)
            file.whole = False
        if column.name in value:
            try:
                row[column.name] = _cell(value[column.name], column)
            except binascii.Error as error:
                file.report("JSON-2", str(error), row=number, column=column.name)
                file.unreadable.add(number)
    if number not in file.unreadable:
        found = list(judge_types(row))
        file.findings += [finding.at(row=number) for finding in found]
        if found:
            file.whole = False
    return row


def _cell(value: Any, column: Column) -> Any:
    if column.shape == "binary":
        return _base64(value) if isinstance(value, str) else value
    if column.values == "float" and isinstance(value, list):
        single = column.canonical == "float32"
        return [_float(element, single=single) for element in value]
    return value


def _base64(text: str) -> bytes:
    """Return the bytes of a base64 text (JSON-2). Raises binascii.Error."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise binascii.Error(str(error)) from error
    if base64.b64encode(found).decode() != text:
        raise binascii.Error("unused bits are set, or padding is out of place")
    return found


def _float(value: Any, *, single: bool) -> Any:
    """Return the nearest binary32 or binary64 number; what is no number stays as it is."""
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    number = Decimal(value)
    if number and not -2000 < number.adjusted() < 400:  # too far out to be spelled out as a Fraction
        return math.copysign(math.inf if number.adjusted() > 0 else 0.0, number)
    exact = Fraction(number)
    if single:
        rounded = binary32.nearest(exact)
        return math.copysign(math.inf, exact) if rounded is None else float(rounded)
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
