"""Plain stored rows as the bytes of any container, as they are, valid or not.

Strategy: a `Form` says how rows are laid down: the types of the columns, their order, what is dropped, doubled or
added, how rows fall into groups or batches, and what the writers of the containers are told. The baseline is the
plainest file: canonical types, no compression, PLAIN encoding, page checksums, no statistics, no dictionary.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .model import Container
from .oracle.columns import NAMED

Row = dict[str, Any]
KEY = "logitpack"


def canonical(name: str) -> pa.DataType:
    """Return the canonical type of a column (section 5)."""
    (column,) = (column for column in NAMED if column.name == name)
    if column.shape == "list":
        return pa.list_(pa.field("element", pa.type_for_alias(column.canonical)))
    return pa.type_for_alias(column.canonical)


def widened(kind: pa.DataType) -> pa.DataType:
    """Return the widest accepted type in place of a canonical one, lists staying lists."""
    if pa.types.is_list(kind):
        return pa.list_(pa.field("element", widened(kind.value_type)))
    if pa.types.is_binary(kind):
        return kind
    return pa.int64() if pa.types.is_integer(kind) else pa.float64()


CANONICAL = {column.name: canonical(column.name) for column in NAMED}


@dataclass(frozen=True)
class Extra:
    """A column that SPEC.md does not name: `place` counts the columns that stand before it, `values` are repeated."""

    name: str
    type: pa.DataType
    values: Sequence[Any]
    place: int = 99


@dataclass(frozen=True)
class Form:
    """How rows are laid down.

    types: by column, where it is not the canonical one. names: by column, the name it is written under. order: the
    columns, where it is not the canonical order. dropped, doubled: columns that are left out or stand twice. nested:
    a struct column that takes the columns `inside`. group: rows of each row group or record batch, 0 for all in one; a
    sequence gives each its own. sliced: arrays are slices of longer ones, so that their offsets do not begin at 0.
    required: whether the schema declares columns without nulls. schema_metadata: other keys. parquet: settings
    of pyarrow's writer. codec, legacy: of Arrow IPC. json: a function of the text of stored JSON.
    """

    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    dropped: Sequence[str] = ()
    doubled: Sequence[str] = ()
    nested: str = ""
    inside: Sequence[str] = ()
    extra: Sequence[Extra] = ()
    group: int | Sequence[int] = 0
    sliced: bool = False
    required: bool = False
    schema_metadata: Mapping[str, bytes] = field(default_factory=dict)
    parquet: Mapping[str, Any] = field(default_factory=dict)
    codec: str | None = None
    legacy: bool = False
    json: Callable[[bytes], bytes] | None = None


PLAIN = Form()


def to_bytes(rows: Sequence[Row], metadata: bytes | None, container: Container, form: Form = PLAIN) -> bytes:
    """Return the file. `metadata` is embedded; stored JSON has none.

    A canonical type that cannot hold the values gives way to the widest accepted one; a type that the form asks for
    does not. Raises what pyarrow raises.
    """
    if container is Container.JSON:
        return to_json(rows, form)
    table = to_table(rows, metadata, form)
    sink = pa.BufferOutputStream()
    if container is Container.PARQUET:
        _write_parquet(table, sink, form)
    else:
        options = pa.ipc.IpcWriteOptions(compression=form.codec, use_legacy_format=form.legacy)
        new = pa.ipc.new_file if container is Container.ARROW_FILE else pa.ipc.new_stream
        with new(sink, table.schema, options=options) as writer:
            for batch in _groups(table, form):
                writer.write_batch(batch)
    return bytes(sink.getvalue())


def _write_parquet(table: pa.Table, sink: Any, form: Form) -> None:
    settings = {
        "compression": "none",
        "use_dictionary": False,
        "write_statistics": False,
        "write_page_checksum": True,
        "store_schema": False,
        "write_page_index": False,
        **form.parquet,
    }
    with pq.ParquetWriter(sink, table.schema, **settings) as writer:
        if table.schema.metadata:  # without ARROW:schema, pyarrow leaves these out
            writer.add_key_value_metadata(table.schema.metadata)
        for batch in _groups(table, form):
            writer.write_table(pa.Table.from_batches([batch], table.schema))


def _groups(table: pa.Table, form: Form) -> list[pa.RecordBatch]:
    """Cut a table into its row groups or batches: one where there are no rows but a size was not asked for."""
    lengths = form.group
    if isinstance(lengths, int):
        step = lengths or max(1, table.num_rows)
        lengths = [min(step, table.num_rows - at) for at in range(0, table.num_rows, step)]
    found, start = [], 0
    for length in lengths:
        (batch,) = table.slice(start, length).combine_chunks().to_batches() if length else [_empty(table)]
        found.append(batch if form.sliced is False or not length else table.slice(start, length).to_batches()[0])
        start += length
    return found


def _empty(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], typed) for typed in table.schema.types], schema=table.schema)


def to_table(rows: Sequence[Row], metadata: bytes | None, form: Form = PLAIN) -> pa.Table:
    """Return the rows as an Arrow table of one chunk, or where `sliced`, of slices of longer arrays."""
    present = [name for name in form.order or CANONICAL if name not in form.dropped]
    if not form.order:
        present = [name for name in present if name != "token_ids" or any(name in row for row in rows)]
    columns: list[tuple[str, Any]] = []
    inside: list[tuple[str, Any]] = []
    for name in present:
        values = [row.get(name) for row in rows]
        array = to_array(values, name, form.types.get(name), sliced=form.sliced)
        made = [(form.names.get(name, name), array)] * (2 if name in form.doubled else 1)
        (inside if name in form.inside else columns).extend(made)
    if form.nested:
        struct = pa.StructArray.from_arrays([array for _, array in inside], names=[name for name, _ in inside])
        columns.append((form.nested, struct))
    for extra in form.extra:
        values = [extra.values[i % len(extra.values)] for i in range(len(rows))]
        columns.insert(extra.place, (extra.name, pa.array(values, extra.type)))
    raw = dict(form.schema_metadata) | ({} if metadata is None else {KEY: metadata})
    fields = [pa.field(name, array.type, nullable=not form.required) for name, array in columns]
    schema = pa.schema(fields, metadata=raw or None)
    return pa.table([array for _, array in columns], schema=schema)


def to_array(values: list[Any], name: str, wanted: pa.DataType | None = None, *, sliced: bool = False) -> pa.Array:
    """Return values as an array of the wanted type; without one of the canonical type, or the widest accepted one."""
    padding = [value for value in values if value is not None][:1] if sliced else []
    values = padding + values + padding
    try:
        found = pa.array(values, wanted or CANONICAL[name])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        if wanted is not None:
            raise
        found = pa.array(values, widened(CANONICAL[name]))
    return found.slice(len(padding), len(values) - 2 * len(padding))


# Stored JSON


def to_json(rows: Sequence[Row], form: Form = PLAIN) -> bytes:
    """Return stored JSON: a line for each row, members as the form has them."""
    text = b"".join(_line(row, number, form) for number, row in enumerate(rows))
    return form.json(text) if form.json else text


def _line(row: Row, number: int, form: Form) -> bytes:
    parts: list[str] = []
    inside: list[str] = []
    for name in form.order or row:
        if name not in form.dropped and name in row:
            member = f"{json.dumps(form.names.get(name, name))}: {json.dumps(json_value(row[name]))}"
            (inside if name in form.inside else parts).extend([member] * (2 if name in form.doubled else 1))
    if form.nested:
        parts.append(f"{json.dumps(form.nested)}: {{{', '.join(inside)}}}")
    for extra in form.extra:
        value = extra.values[number % len(extra.values)]
        parts.insert(extra.place, f"{json.dumps(extra.name)}: {json.dumps(json_value(value))}")
    return ("{" + ", ".join(parts) + "}\n").encode()


def json_value(cell: Any) -> Any:
    """Return a plain value as JSON has it (section 4.3): binary as base64, non-finite numbers as strings."""
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode()
    if isinstance(cell, dict):
        return {name: json_value(value) for name, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [json_value(element) for element in cell]
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if math.isnan(cell) else ("Infinity" if cell > 0 else "-Infinity")
    return cell
