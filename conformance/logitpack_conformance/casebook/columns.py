"""Which columns there are: COL-1, COL-3 and COL-4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import COLUMNS, TOKEN_IDS
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import Extra, Form

from .bases import edited, sound, stored, variant
from .draft import ARROW, Draft

JSON = (Container.JSON,)
NAMES = [column.name for column in COLUMNS]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _missing()
    yield from _doubled()
    yield from _misplaced()
    yield from _nulls()


def _missing() -> Iterator[Draft]:
    """COL-1: a column that is not there, or under another name."""
    twin = sound("columns/presence/sound", "The thirteen required columns, each once.")
    yield twin
    for name in NAMES:
        why = f"The column {name} is missing; all others are there."
        op = f"COL-1/without-{name}".replace("_", "-")
        yield variant(twin, f"columns/presence/no-{name}".replace("_", "-"), why, op, form=Form(dropped=[name]), turn=2)
    why = "No column of this document is there, as in a dataset of conversations only."
    form = Form(dropped=NAMES, extra=[Extra("messages", pa.string(), ["hello", "there"])])
    yield variant(twin, "columns/presence/none", why, "COL-1/without-any", form=form, containers=(*ARROW, *JSON))
    for name, other, word in (
        ("num_tokens", "Num_Tokens", "capitals"),
        ("top_indices_high", "top_indices_hi", "an abbreviation"),
        ("logsumexp", "logsumexp ", "a space after it"),
        ("sampled_min", "sampled-min", "a hyphen"),
        ("top_max", "t\u043ep_max", "a Cyrillic letter"),
    ):
        key = word.split(" ")[-1].lower()
        why = f"The name {name} is written with {word}: another column."
        op = f"COL-1/renamed-{key}"
        yield variant(twin, f"columns/presence/name-with-{key}", why, op, form=Form(names={name: other}), turn=2)


def _doubled() -> Iterator[Draft]:
    """COL-1: a column that stands twice."""
    twin = sound(
        "columns/once/sound", "Each column once, token_ids among them.", token_ids=True, features=("token_ids",)
    )
    yield twin
    flags = ("DOUBLED_COLUMN",)
    for name in ("num_tokens", "top_indices_high", "logsumexp", "token_ids"):
        why = f"The column {name} stands twice with the same values; readers differ in which they take."
        op = f"COL-1/doubled-{name}".replace("_", "-")
        key = f"columns/once/{name}-twice".replace("_", "-")
        yield variant(twin, key, why, op, form=Form(doubled=[name]), flags=flags)
    for place, word in ((0, "before"), (99, "after")):
        why = f"A second column top_min with other values stands {word} the right one."
        other = Extra("top_min", pa.list_(pa.float32()), [[1.0, 2.0], [3.0]], place)
        op = f"COL-1/another-{word}"
        yield variant(twin, f"columns/once/another-{word}", why, op, form=Form(extra=[other]), flags=flags)
    plain = sound(
        "columns/once/ids-in-all-lines",
        "Every line of stored JSON has token_ids.",
        sizes=(2, 2, 1),
        token_ids=True,
        features=("token_ids",),
        containers=JSON,
    )
    yield plain
    for at, word in ((0, "first"), (2, "last")):
        why = f"In stored JSON, the {word} line lacks token_ids which the others have."
        change = _without_ids(at)
        yield edited(plain, f"columns/once/ids-not-in-{word}-line", why, f"COL-1/ids-not-in-{word}-line", change)


def _without_ids(at: int) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        del rows[at]["token_ids"]

    return change


def _misplaced() -> Iterator[Draft]:
    """COL-1: columns inside others; COL-4: others that hold what looks like columns."""
    twin = sound("columns/top-level/sound", "All columns at the top level.")
    yield twin
    why = "All columns stand inside a struct: none is at the top level."
    form = Form(nested="logits", inside=NAMES)
    yield variant(twin, "columns/top-level/all-in-struct", why, "COL-1/all-in-struct", form=form)
    why = "One column stands inside a struct, the others at the top level."
    form = Form(nested="logits", inside=["sampled_max"])
    yield variant(twin, "columns/top-level/one-in-struct", why, "COL-1/one-in-struct", form=form)
    why = "A column is missing at the top level, while a struct has a member of its name."
    struct = Extra("old", pa.struct([("logsumexp", pa.list_(pa.float64()))]), [{"logsumexp": [1.5, 2.5]}])
    form = Form(dropped=["logsumexp"], extra=[struct])
    yield variant(twin, "columns/top-level/namesake-in-struct", why, "COL-1/namesake-in-struct", form=form)
    accepted = sound(
        "columns/top-level/namesakes",
        "A struct whose members have the names of columns, beside the columns.",
        form=Form(extra=[struct]),
        features=("nested_columns",),
        requirements=("COL-4",),
        twin="columns/top-level/namesakes-one-missing",
    )
    yield accepted
    why = "A struct has members with the names of columns, one of which is missing at the top level."
    form = replace(stored(accepted).form, dropped=["logsumexp"])
    yield variant(accepted, "columns/top-level/namesakes-one-missing", why, "COL-1/namesake-only", form=form)


def _nulls() -> Iterator[Draft]:
    """COL-3."""
    twin = sound(
        "columns/nulls/none",
        "No null anywhere, in two rows with token_ids.",
        sizes=(2, 2),
        counts=((2, 3), (4, 1)),
        token_ids=True,
        features=("token_ids",),
    )
    yield twin
    flags = ("NULL_AS_ZERO",)
    for column in (*COLUMNS, TOKEN_IDS):
        name = column.name.replace("_", "-")
        why = f"The value of {column.name} in the last row is null."
        change = _null(column.name)
        yield edited(twin, f"columns/nulls/{name}", why, f"COL-3/null-{name}", change, flags=flags, turn=2)
        if column.shape == "list":
            why = f"An element of {column.name} in the first row is null: it has no place in the other lists."
            change = _null_element(column.name)
            yield edited(
                twin, f"columns/nulls/{name}-element", why, f"COL-3/null-element-{name}", change, flags=flags, turn=2
            )
    why = "The first row is null in every column, as where an outer join found no match."
    yield edited(twin, "columns/nulls/whole-row", why, "COL-3/null-everywhere", _null_row, flags=flags)


def _null(name: str) -> Callable[[list[Row]], None]:
    return lambda rows: rows[-1].update({name: None})


def _null_element(name: str) -> Callable[[list[Row]], None]:
    return lambda rows: rows[0][name].__setitem__(1, None)


def _null_row(rows: list[Row]) -> None:
    rows[0].update(dict.fromkeys(rows[0]))
