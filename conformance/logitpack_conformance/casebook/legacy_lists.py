"""Lists as Parquet files had them before its specification settled on three levels with fixed names.

Strategy: no library writes such files any more, so the footer of another file is rewritten. Lists of required elements
have the same levels whether a repeated group stands between list and element or not: no page changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.oracle.parquet_pages import BINARY, Thrift
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import CANONICAL, Form

from .anatomy import MAGIC, footer
from .bases import edited, sound, stored
from .draft import Damage, Draft
from .encodings import ROWS
from .thrift_values import I32, Struct, read_struct, struct_bytes

AT = "forms/legacy-lists"
OPTIONS: dict[str, Any] = {"containers": (Container.PARQUET,), "features": ("legacy_lists",), **ROWS}
SCHEMA, ROW_GROUPS, COLUMNS, METADATA, PATH = 2, 4, 1, 3, 3
"""Fields of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData."""
REPETITION, NAME, CHILDREN = 3, 4, 5
"""Fields of SchemaElement."""
REPEATED = 2

Levels = Callable[[str, Struct, Struct, Struct], list[Struct]]
"""From a column and the three levels of its list to the levels that it is to have."""

NOT_NULL = {
    column.name: pa.list_(pa.field("element", CANONICAL[column.name].value_type, nullable=False))
    for column in NAMED
    if column.shape == "list"
}


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    two = _sound("two-levels", "Lists of two levels: the repeated field is the element.", two_levels("element"))
    yield two
    yield edited(two, f"{AT}/two-levels-range", "The same, with a range that is reversed.", "QNT-1/reversed", _reversed)
    why = "The same, with a row whose list is null."
    yield edited(two, f"{AT}/two-levels-null", why, "COL-3/null-list", lambda rows: rows[3].update(logsumexp=None))
    why = "Lists of two levels whose element is called array, as Avro's converter wrote them."
    yield _sound("array", why, two_levels("array"))
    why = "Lists of two levels whose element is called as the column and _tuple, as Thrift's converter wrote."
    yield _sound("tuple", why, two_levels("{}_tuple"))
    why = "Lists of three levels with the names that Hive gave them, bag and array_element."
    yield _sound("bag", why, named("bag", "array_element"))
    why = "Lists of one level: a repeated field without annotation, which is a list that cannot be null."
    one = _sound("one-level", why, one_level, twin="one-level-short", required=True)
    yield one
    why = "The same, with a list that lacks an element."
    yield edited(one, f"{AT}/one-level-short", why, "ROW-2/one-short", lambda rows: rows[-1]["sampled_max"].pop())


def _sound(name: str, why: str, levels: Levels, *, twin: str = "two-levels-range", required: bool = False) -> Draft:
    form = Form(types=NOT_NULL, required=required, group=3)
    draft = sound(f"{AT}/{name}", why, form=form, requirements=("RD-5", "RD-2"), twin=f"{AT}/{twin}", **OPTIONS)
    return replace(draft, content=replace(stored(draft), damage=rewriting(levels)))


def _reversed(rows: list[Row]) -> None:
    rows[-1]["top_min"][0] = 1e6


def two_levels(name: str) -> Levels:
    """Return what leaves the middle level out; `name` is that of the element, {} in it stands for the column."""

    def levels(column: str, outer: Struct, _: Struct, element: Struct) -> list[Struct]:
        element.put(REPETITION, I32, REPEATED)
        element.put(NAME, BINARY, name.format(column).encode())
        return [outer, element]

    return levels


def named(middle: str, element: str) -> Levels:
    """Return what gives the two inner levels these names."""

    def levels(_: str, outer: Struct, group: Struct, inner: Struct) -> list[Struct]:
        group.put(NAME, BINARY, middle.encode())
        inner.put(NAME, BINARY, element.encode())
        return [outer, group, inner]

    return levels


def one_level(column: str, _: Struct, __: Struct, element: Struct) -> list[Struct]:
    """Leave nothing but the element, repeated, under the name of the column."""
    element.put(REPETITION, I32, REPEATED)
    element.put(NAME, BINARY, column.encode())
    return [element]


def rewriting(levels: Levels) -> Damage:
    """Return what writes the footer of a Parquet file again with other levels of its lists."""

    def damage(data: bytes, _: Container) -> bytes:
        start = footer(data)
        told = read_struct(Thrift(data, start))
        paths = _relevel(told.get(SCHEMA).values, levels)
        for group in told.get(ROW_GROUPS).values:
            for chunk in group.get(COLUMNS).values:
                path = chunk.get(METADATA).get(PATH)
                path.values = paths[path.values[0]]
        raw = struct_bytes(told)
        return data[:start] + raw + len(raw).to_bytes(MAGIC, "little") + data[-MAGIC:]

    return damage


def _relevel(schema: list[Struct], levels: Levels) -> dict[bytes, list[bytes]]:
    """Change the lists of a flat schema, and return the path to each column's values."""
    root, *rest = schema
    schema[:] = [root]
    paths = {}
    while rest:
        name = rest[0].get(NAME)
        count = 3 if rest[0].get(CHILDREN) else 1
        made = levels(name.decode(), *rest[:3]) if count == 3 else rest[:1]
        schema += made
        paths[name] = [one.get(NAME) for one in made]
        rest = rest[count:]
    return paths
