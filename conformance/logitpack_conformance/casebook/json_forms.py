"""Stored JSON in every form that it may have: white space, escapes, numbers, other members."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.binary32 import LARGEST
from logitpack_conformance.oracle.columns import COLUMNS
from logitpack_conformance.stored import Extra, Form

from .bases import contents, contrasted, sound, variant
from .draft import Draft, Stored, accept
from .json_text import swapped
from .ranges import Part, row_of

JSON = (Container.JSON,)
AT = "json/written"


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    for name, change, why in (
        ("no-last-break", lambda t: t[:-1], "The line break after the last line is missing."),
        ("carriage-returns", lambda t: t.replace(b"\n", b"\r\n"), "Lines end in CR LF: a CR is white space of JSON."),
        ("spaces", lambda t: b" \t" + t.replace(b": ", b" :\t"), "White space around tokens, and before the first."),
        ("compact", lambda t: t.replace(b": ", b":").replace(b", ", b","), "No white space at all."),
        ("escapes", lambda t: t.replace(b"num_tokens", b"num\\u005ftokens"), "A name with an escape is the same name."),
        ("exponents", _exponents, "Floating-point numbers with exponents and digits of every form."),
    ):
        yield sound(f"{AT}/{name}", why, form=Form(json=change), containers=JSON, sizes=(2, 1))
    yield _whole_numbers()
    yield from _minus_zero()
    yield _rounded_once()
    yield from _others()
    why = "An empty file whose name ends in .ndjson: no rows."
    yield accept(f"{AT}/no-rows", why, replace(contents(f"{AT}/no-rows", core=True, containers=JSON), rows=[]))


def _exponents(data: bytes) -> bytes:
    forms = ("{:.17e}", "{:.20E}", "{:.25f}", "{!r}", "{:.22e}")
    lines = []
    for line in data.splitlines():
        row = json.loads(line)
        for column in COLUMNS:
            if column.values == "float":
                values = row[column.name]
                row[column.name] = [f"@{forms[i % len(forms)].format(value)}@" for i, value in enumerate(values)]
        lines.append(json.dumps(row).replace('"@', "").replace('@"', "").encode() + b"\n")
    return b"".join(lines)


def _whole_numbers() -> Draft:
    """Return logsumexps without fraction or exponent: JSON has one kind of number."""
    name = f"{AT}/whole-numbers"
    content = contents(name, core=True, containers=JSON)
    rows = [{**row, "logsumexp": [math.ceil(value) for value in row["logsumexp"]]} for row in content.rows]
    why = "Logsumexps that are whole numbers, written without a fraction: integers are floating-point numbers too."
    return accept(name, why, replace(content, rows=rows))


def _minus_zero() -> Iterator[Draft]:
    """Yield zeros with a sign, of each kind: -0 has neither fraction nor exponent."""
    name = f"{AT}/minus-zero"
    row = row_of(name, [(Part(0.0, 1.0, (65_535, 0)), Part(-1.0, 0.0, (0, 65_535)))])

    def signed(text: bytes) -> bytes:
        for zero, minus in ((b"[0.0]", b"[-0.0]"), (b", 0]", b", -0]"), (b"[0, ", b"[-0, ")):
            text = text.replace(zero, minus)
        return text.replace(b'"top_min": [-0.0]', b'"top_min": [-0]')

    why = "Codes written -0, and ends of ranges -0 and -0.0: the integer 0, and a zero whose sign does not matter."
    draft = accept(name, why, Stored([row], None, Form(json=signed), JSON))
    yield from contrasted(draft, "ROW-2/logsumexp-short", "The same zeros, but a logsumexp is missing.", "RD-5")


def _rounded_once() -> Draft:
    """Return a decimal number below the middle between the largest binary32 number and the first that is infinite."""
    name = f"{AT}/rounded-once"
    largest = float(LARGEST)
    row = row_of(name, [(Part(1.0, largest, (65_535, 0, 7)), Part(-3.0, 0.5, (65_535, 0)))])
    form = Form(json=swapped(json.dumps(largest).encode(), b"3.4028235677973366e38"))
    why = "A number that means the largest of binary32; rounded to binary64 first, it would be infinite."
    return accept(name, why, Stored([row], None, form, JSON), flags=("DOUBLE_ROUNDING",))


def _others() -> Iterator[Draft]:
    """COL-4 in stored JSON."""
    values: list[Any] = [{"a": 1, "b": [None, {"c": 1e300}], "d": "ü\0\n"}, [[], [[]]], None, -0.0, 10**40, True]
    form = Form(extra=[Extra("other", pa.null(), values, 3)])
    at = f"{AT}/other-members"
    why = "Other members of every kind: an object, lists, null, a very large integer, a string with escapes."
    members = {"form": form, "containers": JSON, "requirements": ("COL-4",), "sizes": (1, 1, 1, 1, 1, 2)}
    twin = sound(at, why, twin=f"{at}-one-missing", **members)
    yield twin
    why = "Other members of every kind, and a column that is missing."
    yield variant(twin, f"{at}-one-missing", why, "COL-1/without-top-min", form=replace(form, dropped=["top_min"]))
    other = Extra("other", pa.null(), [{"a": 1, "b": 2}], 3)
    form = Form(extra=[other], json=lambda text: text.replace(b'"b"', b'"a"'))
    at = f"{AT}/repeated"
    why = "An object inside another member has a name twice, and no column has."
    members = {"form": form, "containers": JSON, "requirements": ("COL-4",)}
    twin = sound(f"{at}-inside", why, twin=f"{at}-column", **members)
    yield twin
    why = "A member that is no column stands twice in each line: COL-1 is about columns only."
    twice = [Extra("note", pa.null(), ["a", None]), Extra("note", pa.null(), [1, 2])]
    yield sound(f"{AT}/others-repeated", why, form=Form(extra=twice), containers=JSON, sizes=(1, 2))
    form = Form(extra=[other], json=swapped(b'{"num_tokens"', b'{"num\\u005ftokens": 1, "num_tokens"'))
    why = "A column stands twice in the first line, once with an escape in its name."
    yield variant(twin, f"{at}-column", why, "COL-1/repeated-by-escape", form=form, flags=("DOUBLED_COLUMN",))
