"""Stored JSON: section 4.3, JSON-1 and JSON-2.

Strategy: a number is read exactly and rounded once to the format of its column. A line is judged by JSON-1, COL-1,
COL-2 and JSON-2, in this order, and nothing after the first of them that it breaks is looked at.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import binary32, strict_json
from .columns import NAMED, TOKEN_IDS, Column, judge_types
from .file import File
from .finding import Finding

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def load_json(file: File, data: bytes) -> None:
    """Add the rows of stored JSON, up to the first line that cannot be understood."""
    file.is_open = file.is_json = True
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines):
        try:
            members = _object(line)
        except ValueError as error:
            file.report("JSON-1", str(error), row=number)
            return
        row, not_base64 = _row(members)
        first = file.rows[0] if file.rows else row
        found = list(_presence(members, first)) or list(judge_types(row)) or not_base64
        if found:
            file.findings += [finding.at(row=number) for finding in found]
            return
        file.rows.append(row)


def _object(line: bytes) -> strict_json.Members:
    """Return the object of a line. Raises ValueError where it is none (JSON-1)."""
    value = strict_json.parse(line)
    if isinstance(value, strict_json.Members):
        return value
    raise ValueError("the line is no object")


def _presence(members: strict_json.Members, first: dict[str, Any]) -> Iterator[Finding]:
    """COL-1: each column once, and `token_ids` in all lines or in none."""
    for column in NAMED:
        is_column = column is not TOKEN_IDS or column.name in first
        if column.name in members.repeated or (column.name in members) != is_column:
            yield Finding("COL-1", "the member does not stand once in each line", column=column.name)


def _row(members: strict_json.Members) -> tuple[dict[str, Any], list[Finding]]:
    """Return the values of a line, those of another type as they are, and the findings of JSON-2."""
    row: dict[str, Any] = {}
    found = []
    for column in NAMED:
        if column.name in members:
            try:
                row[column.name] = _cell(members[column.name], column)
            except ValueError as error:
                row[column.name] = b""
                found.append(Finding("JSON-2", str(error), column=column.name))
    return row, found


def _cell(value: Any, column: Column) -> Any:
    if column.shape == "binary" and isinstance(value, str):
        return _base64(value)
    if column.values == "float" and isinstance(value, list):
        single = column.canonical == "float32"
        return [_float(element, single=single) for element in value]
    return value


def _base64(text: str) -> bytes:
    """Return the bytes of a base64 text. Raises ValueError (JSON-2)."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("unused bits are set, or padding is out of place")
    return found


def _float(value: Any, *, single: bool) -> Any:
    """Return the nearest binary32 or binary64 number; what is no number stays as it is."""
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    number = Decimal(value)
    if not single or not number.is_finite() or abs(number.adjusted()) > 400:  # Python rounds to binary64 once
        return float(number)
    rounded = binary32.nearest(Fraction(number))
    return math.copysign(math.inf, number) if rounded is None else float(rounded)
