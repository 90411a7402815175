"""How rows fall into row groups, batches and arrays: readers return all of them, in their order (RD-2, RD-5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.rows import Row, copied
from logitpack_conformance.stored import CANONICAL, Form, to_bytes

from .bases import contents, edited, sound, variant
from .draft import ARROW, IPC, Draft, accept
from .encodings import ROWS

LOST = ("LOST_GROUP",)
SKIPPED = 2
"""Values before the first offset of a list."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _groups()
    yield from _empty()
    yield from _order()
    yield from _arrays()


def _groups() -> Iterator[Draft]:
    at = "forms/groups"
    sizes: tuple[tuple[str, int | Sequence[int], str], ...] = (
        ("each-row", 1, "A row group or batch for each row."),
        ("after-first", (1, 4), "A boundary after the first row."),
        ("before-last", (4, 1), "A boundary before the last row, alone in its group."),
        ("in-two", (2, 3), "Two row groups or batches."),
        ("uneven", (1, 3, 1), "Three row groups or batches of one, three and one row."),
    )
    broken_last = "The same row groups or batches; the last row has a range whose lower end is above the upper."
    for name, group, why in sizes:
        twin = sound(
            f"{at}/{name}",
            why,
            form=Form(group=group),
            containers=ARROW,
            requirements=("RD-2",),
            flags=LOST,
            twin=f"{at}/{name}-broken-last",
            **ROWS,
        )
        yield twin
        fault = "QNT-1/reversed-in-last-group"
        yield edited(twin, f"{at}/{name}-broken-last", broken_last, fault, _reversed_range, flags=LOST)
    why = "Twelve rows in twelve row groups or batches."
    options: dict[str, Any] = {"sizes": (1,) * 12, "largest": 2, "stride": 1}
    yield sound(f"{at}/twelve", why, form=Form(group=1), containers=ARROW, flags=LOST, **options)


def _reversed_range(rows: list[Row]) -> None:
    rows[-1]["top_min"][0] = 1e6


def _empty() -> Iterator[Draft]:
    """No rows: in the file, or in a group."""
    at = "forms/empty"
    for name, group, why in (
        ("group-first", (0, 2, 3), "An empty row group or batch before the first row."),
        ("group-between", (2, 0, 3), "An empty row group or batch between two others."),
        ("group-last", (2, 3, 0), "An empty row group or batch after the last row."),
        ("groups-only-between", (1, 0, 0, 4), "Two empty row groups or batches in succession."),
    ):
        yield sound(f"{at}/{name}", why, form=Form(group=group), containers=ARROW, **ROWS)
    lacking = "A file without rows that lacks a column: the schema is judged all the same."
    for name, groups, why in (
        ("no-groups", (), "A file without rows: no row group or batch at all."),
        ("one-group", (0,), "A file without rows: one row group or batch, which is empty."),
        ("three-groups", (0, 0, 0), "A file without rows: three row groups or batches, all empty."),
    ):
        content = contents(f"{at}/{name}", form=Form(group=groups), containers=ARROW)
        twin = accept(f"{at}/{name}", why, replace(content, rows=[]))
        if name == "three-groups":
            yield twin
        else:
            yield replace(twin, requirements=("RD-5",), twin=f"{at}/{name}-no-column")
            form = Form(group=groups, dropped=["top_max"])
            yield variant(twin, f"{at}/{name}-no-column", lacking, "COL-1/without-top-max", form=form)


def _order() -> Iterator[Draft]:
    """RD-2: entries stay where they are."""
    at = "forms/order"

    base = contents(f"{at}/rows", counts=((5, 5), (4,)), core=True)
    rows = copied(base.rows)
    for row in rows:
        first, *others = row["top_counts"]
        codes = row["top_logits_quantized"]
        row["top_logits_quantized"] = codes[:first][::-1] + codes[first:]
        if not others:
            row["top_logits_quantized"] = codes[1:3] + codes[:1] + codes[3:]
    flags = ("SORTED_ENTRIES",)
    why = "Nuclei whose entries ascend, or stand in no order: a reader keeps the stored order."
    name = f"{at}/unsorted-nucleus"
    twin = accept(name, why, replace(base, rows=rows), requirements=("RD-2",), flags=flags, twin=f"{name}-null")
    yield twin
    why = "Nuclei in no order, and a null in the last row."
    broken = [*rows[:-1], {**rows[-1], "logsumexp": None}]
    yield variant(twin, f"{name}-null", why, "COL-3/null-logsumexp", rows=broken, flags=flags)
    why = "Indices and codes of a nucleus fall together: neither ascends nor descends with the other."
    chosen = [90_001, 5, 65_536, 12, 262_143, 11, 131_072]
    yield sound(f"{at}/descending-indices", why, counts=((7,), (3, 4)), chosen=chosen, vocab=262_144, flags=flags)
    why = "Two equal logits in a nucleus, the larger index first."
    equal = contents(f"{at}/equal-logits", counts=((4, 2),), chosen=(900, 700, 800, 600), core=True)
    rows = copied(equal.rows)
    rows[0]["top_logits_quantized"][1] = rows[0]["top_logits_quantized"][2]
    yield accept(f"{at}/equal-logits", why, replace(equal, rows=rows), flags=flags)


def _arrays() -> Iterator[Draft]:
    """Slices, and offsets that do not begin at 0."""
    at = "forms/arrays"
    flags = ("SLICE_OFFSETS",)
    why = "Arrays that were slices of longer ones when they were written."
    yield sound(f"{at}/sliced", why, form=Form(sliced=True), containers=ARROW, flags=flags, **ROWS)
    why = "Batches that were slices of one array when they were written."
    yield sound(
        f"{at}/sliced-batches", why, form=Form(sliced=True, group=(2, 1, 2)), containers=ARROW, flags=flags, **ROWS
    )
    views = {column.name: pa.list_view(CANONICAL[column.name].value_type) for column in NAMED if column.shape == "list"}
    why = "List views of slices: their offsets begin beyond 0."
    form = Form(types=views, sliced=True, group=(3, 2))
    members: dict[str, Any] = {"containers": IPC, "findings": ("COL-5",), "features": ("list_view",), "flags": flags}
    yield sound(f"{at}/sliced-views", why, form=form, **members, **ROWS)
    yield from _late_offsets(flags)


def _late_offsets(flags: tuple[str, ...]) -> Iterator[Draft]:
    """Yield lists and binaries whose first offset is not 0: the values before it belong to no row."""
    name = "forms/arrays/offsets-not-from-zero"
    content = contents(name, counts=((4, 4, 3), (2, 1), (5,)), stride=3, containers=IPC, core=True)
    first = content.rows[0]
    longer = {key: value if key == "num_tokens" else value[:SKIPPED] + value for key, value in first.items()}
    rows = [longer, *content.rows[1:]]

    def damage(_: bytes, container: Container) -> bytes:
        data = to_bytes(rows, None, container)
        for key in longer.keys() - {"num_tokens"}:
            ends = list(accumulate(len(row[key]) for row in rows))
            old, new = (struct.pack(f"<{len(ends) + 1}i", start, *ends) for start in (0, SKIPPED))
            data = data.replace(old, new)
        return data

    why = "Lists and binaries whose first offset is 2: two values before the first row belong to nobody."
    yield accept(name, why, replace(content, damage=damage), flags=flags)
