"""COL-4: columns that SPEC.md does not name, of every type, in every place; a reader ignores them."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.stored import Extra, Form

from .bases import sound, stored, variant
from .draft import ALL, ARROW, IPC, Draft

MESSAGES = [
    [{"role": "user", "content": "What is 2+2?"}, {"role": "assistant", "content": "4."}],
    [],
    [{"role": "user", "content": "¿Qué?\n"}],
]
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
DAY = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
PRICE = decimal.Decimal("12.50")

FLAT: dict[str, tuple[pa.DataType, list[Any], str]] = {
    "strings": (pa.string(), ["a", "ü", ""], "Strings beside the columns, as an identifier of the conversation."),
    "nulls": (pa.string(), [None, "b", None], "A column with nulls beside the columns: COL-3 is not about it."),
    "all-null": (pa.int32(), [None], "A column of nothing but nulls beside the columns."),
    "doubles": (pa.float64(), [0.5, float("nan"), None], "Scores, one of them NaN, beside the columns."),
    "booleans": (pa.bool_(), [True, False, None], "Booleans beside the columns."),
    "binary": (pa.binary(), [b"\xff\x00", b""], "Bytes that are no UTF-8 beside the columns."),
}
NESTED: dict[str, tuple[pa.DataType, list[Any], str]] = {
    "messages": (pa.list_(MESSAGE), MESSAGES, "The conversation as a list of structs beside the columns."),
    "struct": (
        pa.struct([("source", pa.struct([("id", pa.string()), ("n", pa.int64())]))]),
        [{"source": {"id": "a", "n": 1}}, {"source": None}, None],
        "A struct in a struct beside the columns, null on each level.",
    ),
    "lists-of-lists": (
        pa.list_(pa.list_(pa.int32())),
        [[[1], [], [2, None]], None, []],
        "Lists of lists beside the columns: more repetition levels than any column here has.",
    ),
    "list-in-struct": (
        pa.list_(pa.struct([("tags", pa.list_(pa.string())), ("weight", pa.float32())])),
        [[{"tags": ["a", "b"], "weight": 1.0}, None], []],
        "Lists in structs in lists beside the columns.",
    ),
}
OTHER: dict[str, tuple[pa.DataType, list[Any], str]] = {
    "map": (pa.map_(pa.string(), pa.int32()), [[("a", 1)], [], None], "A map beside the columns."),
    "decimal": (pa.decimal128(9, 2), [PRICE, None], "Decimals beside the columns: not accepted there, but free here."),
    "timestamp": (pa.timestamp("us", tz="UTC"), [DAY, None], "Timestamps beside the columns."),
    "fixed-binary": (pa.binary(16), [bytes(range(16)), None], "Digests of a fixed width beside the columns."),
    "nothing": (pa.null(), [None], "A column of the type null beside the columns."),
}
IN_IPC: dict[str, tuple[pa.DataType, list[Any], str]] = {
    "dictionary": (
        pa.dictionary(pa.int8(), pa.string()),
        ["a", "b", "a"],
        "A dictionary-encoded column beside the columns: the file has dictionary batches.",
    ),
    "nested-dictionary": (
        pa.struct([("d", pa.dictionary(pa.int8(), pa.string()))]),
        [{"d": "a"}, {"d": "b"}],
        "A dictionary inside a struct beside the columns.",
    ),
    "views": (
        pa.string_view(),
        ["short", "a string longer than twelve bytes", None],
        "String views beside the columns.",
    ),
    "run-ends": (
        pa.run_end_encoded(pa.int32(), pa.string()),
        ["a", "a", "b"],
        "A run-end encoded column beside the columns.",
    ),
}


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    for group, containers in ((FLAT, ALL), (NESTED, ALL), (OTHER, ARROW), (IN_IPC, IPC)):
        for number, (name, (kind, values, why)) in enumerate(group.items()):
            plain = group is NESTED or not pa.types.is_binary(kind)
            places = (0, 5, 99)[number % 3]
            form = Form(extra=[Extra("other", kind, values, places)])
            is_nested = pa.types.is_nested(kind) or group is IN_IPC
            feature = "run_end_encoded" if pa.types.is_run_end_encoded(kind) else "nested_columns"
            yield from _pair(
                f"columns/other/{name}",
                why,
                form,
                containers=containers if plain else ARROW,
                features=(feature,) if is_nested else (),
            )
    yield from _places()


def _pair(at: str, why: str, form: Form, **members: Any) -> Iterator[Draft]:
    """Yield a file with other columns, and the same with a fault in a column of the format."""
    twin = sound(at, why, form=form, sizes=(2, 1, 2), requirements=("COL-4",), twin=f"{at}-null", **members)
    yield twin
    rows = [*stored(twin).rows[:-1], {**stored(twin).rows[-1], "top_max": None}]
    why = "Other columns stand beside a column of the format that has a null: that one does count."
    yield variant(twin, f"{at}-null", why, "COL-3/null-top-max", rows=rows, turn=1)


def _places() -> Iterator[Draft]:
    """Where other columns stand, and what they are called."""
    at = "columns/order"
    first = Extra("id", pa.string(), ["a", "b"], 0)
    middle = Extra("messages", pa.list_(MESSAGE), MESSAGES, 4)
    last = Extra("score", pa.float64(), [0.25], 99)
    why = "Other columns before, between and after the thirteen."
    form = Form(extra=[first, middle, last])
    yield from _pair(f"{at}/everywhere", why, form, features=("nested_columns",))
    names = list(stored(sound("columns/order/any", "Any rows, for their columns.")).rows[0])
    for name, why, order in (
        ("reversed", "The columns in reverse order: they are found by name.", names[::-1]),
        ("sorted", "The columns in alphabetical order, as some libraries write them.", sorted(names)),
        ("tail-first", "The columns of the tail before those of the nucleus.", [*names[7:12], *names[:7], names[12]]),
    ):
        yield from _pair(f"{at}/{name}", why, Form(order=order))
    strange = ["", "top_min.list.element", "TOP_MIN", "a\tb", "column with spaces", "__index_level_0__", "日本"]
    why = "Other columns with strange names: empty, with dots and tabs, and one that is a column's in capitals."
    form = Form(extra=[Extra(name, pa.int32(), [1, 2], 2 * i) for i, name in enumerate(strange)])
    yield from _pair(f"{at}/strange-names", why, form)
    many = [Extra(f"feature_{i}", pa.int8(), [i], 3 * i) for i in range(40)]
    yield from _pair(f"{at}/many", "Forty other columns among the thirteen.", Form(extra=many), containers=ARROW)
    why = "Two other columns of one name: COL-1 is not about them."
    twice = [Extra("note", pa.string(), ["a"]), Extra("note", pa.int32(), [1])]
    twin = sound(f"{at}/others-of-one-name", why, form=Form(extra=twice), requirements=("COL-4",), twin=f"{at}/both")
    yield twin
    why = "Two other columns of one name, and a column of the format that stands twice: only that one is wrong."
    form = replace(stored(twin).form, doubled=["top_counts"])
    yield variant(twin, f"{at}/both", why, "COL-1/doubled-top-counts", form=form, flags=("DOUBLED_COLUMN",))
