"""The column table: which columns a file has, and of which types (COL-1, COL-2).

Strategy: the table itself is schema/columns.json, for programs in any language; this module
reads it and holds Arrow schemas against it. It looks at types only, never at a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from logitpack.errors import DataError, Place
from logitpack.resources import load_schema


@dataclass(frozen=True, slots=True)
class Column:
    """One line of the table. `kind` is scalar, list or binary; `accepts` integer, float or bytes.

    `type` is the canonical type's name; `value` that of one of its values. `minimum` and
    `maximum` bound an integer's values under the requirement `range_requirement`, and
    `length_requirement` is the one that a wrong length breaks.
    """

    name: str
    type: str
    kind: str
    accepts: str
    required: bool
    length_requirement: str | None
    range_requirement: str | None
    minimum: int | None
    maximum: int | None

    @property
    def value(self) -> str:
        """The name of the canonical type of one value: "uint16" for ``list<uint16>``."""
        return self.type.removeprefix("list<").removesuffix(">")

    @property
    def arrow_type(self) -> pa.DataType:
        """The canonical Arrow type."""
        if self.kind == "binary":
            return pa.binary()
        value = getattr(pa, self.value)()
        return pa.list_(value) if self.kind == "list" else value


def _load() -> Iterator[Column]:
    for entry in load_schema("columns.json")["columns"]:
        bounds = entry["range"] or {}
        yield Column(
            name=entry["name"],
            type=entry["type"],
            kind=entry["kind"],
            accepts=entry["accepts"],
            required=entry["required"],
            length_requirement=entry["length_requirement"],
            range_requirement=bounds.get("requirement"),
            minimum=bounds.get("minimum"),
            maximum=bounds.get("maximum"),
        )


COLUMNS: dict[str, Column] = {column.name: column for column in _load()}
"""All columns by name, in canonical order; `token_ids` is the optional one."""

LONGEST_TYPE = 200

_ACCEPTED = load_schema("columns.json")["accepted"]


def canonical_schema(*, token_ids: bool = False, metadata: Mapping[bytes, bytes] | None = None) -> pa.Schema:
    """Return the schema a writer gives a file: canonical columns, order and types."""
    fields = [pa.field(column.name, column.arrow_type) for column in COLUMNS.values() if column.required or token_ids]
    return pa.schema(fields, metadata=metadata)


def schema_errors(schema: pa.Schema) -> list[DataError]:
    """Return what is wrong with a file's columns: absent or repeated ones, then wrong types.

    A column that is not in the table may have any name and type (COL-4).
    """
    counts = {name: schema.names.count(name) for name in COLUMNS}
    errors = [
        _count_error(name, counts[name])
        for name, column in COLUMNS.items()
        if counts[name] > 1 or (column.required and counts[name] == 0)
    ]
    for name, column in COLUMNS.items():
        if counts[name] == 1 and not accepts(column, schema.field(name).type):
            errors.append(_type_error(column, schema.field(name).type))
    return errors


def check_schema(schema: pa.Schema) -> None:
    """Raise the first of `schema_errors` as DataError, if there is one."""
    for error in schema_errors(schema):
        raise error


def accepts(column: Column, arrow_type: pa.DataType) -> bool:
    """Return whether a reader takes `arrow_type` where `column` stands (COL-2)."""
    if column.kind == "list":
        if _name(arrow_type) not in _ACCEPTED["list"]:
            return False
        arrow_type = arrow_type.value_type
    return _name(arrow_type) in _ACCEPTED[column.accepts]


_NAMES = {
    kind.id: name
    for name, kind in {
        "list": pa.list_(pa.int8()),
        "large_list": pa.large_list(pa.int8()),
        "fixed_size_list": pa.list_(pa.int8(), 1),
        "list_view": pa.list_view(pa.int8()),
        "large_list_view": pa.large_list_view(pa.int8()),
        "float16": pa.float16(),
        "float32": pa.float32(),
        "float64": pa.float64(),
    }.items()
}
"""The table's names of types, where they are not Arrow's own, by the number of the kind."""


def _name(arrow_type: pa.DataType) -> str:
    """Return the table's name of a type; Arrow's own, which the table lacks, for any other."""
    return _NAMES.get(arrow_type.id) or str(arrow_type)


def type_name(arrow_type: pa.DataType) -> str:
    """Return the table's name of a type, with its elements': "large_list<uint16>"."""
    name = _name(arrow_type)
    return f"{name}<{_name(arrow_type.value_type)}>" if name in _ACCEPTED["list"] else name


def _count_error(name: str, count: int) -> DataError:
    text = "is not there" if count == 0 else f"stands there {count} times"
    return DataError(
        f"{name} {text}, expected once",
        requirement="COL-1",
        place=Place(column=name),
        got=count,
        allowed=1,
    )


def _type_error(column: Column, arrow_type: pa.DataType) -> DataError:
    got = str(arrow_type)  # of a struct as long as its members are many
    got = got if len(got) <= LONGEST_TYPE else got[:LONGEST_TYPE] + "\u2026"
    return DataError(
        f"{column.name} is {got}, expected {column.type} or an accepted type",
        requirement="COL-2",
        place=Place(column=column.name),
        got=got,
        allowed=column.type,
    )
