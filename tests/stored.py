"""Datasets as plain rows, written into any container as they are, valid or not."""

from __future__ import annotations

import base64
import copy
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import logitpack
from support import Row, widened

CONTAINERS = (".parquet", ".arrow", ".arrows", ".ndjson")
SCHEMA = logitpack.canonical_schema(token_ids=True)


@dataclass
class Dataset:
    """Rows as plain values; by column, the Arrow type where it is not the canonical one; metadata as bytes.

    `dropped` columns are not written, `doubled` ones twice. `extra` adds a column of strings, `settings` go to the
    writer of Parquet.
    """

    rows: list[Row]
    metadata: bytes | None
    types: dict[str, pa.DataType] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    extra: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> Dataset:
        """Return one that can be changed by itself."""
        return copy.deepcopy(self)


def save(dataset: Dataset, folder: Path, stem: str, container: str, draw: Random | None = None) -> Path:
    """Write a dataset into a container as it is. A type that cannot hold the values gives way to a wider one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (stem + container)
    if container == ".ndjson":
        path.write_bytes(to_json(dataset))
        return path
    table = to_table(dataset)
    if container == ".parquet":
        pq.write_table(table, path, **{"write_page_checksum": True, "compression": "none", **dataset.settings})
    elif container == ".arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    else:
        old = pa.ipc.IpcWriteOptions(use_legacy_format=draw is not None and draw.random() < 0.3)
        with pa.ipc.new_stream(path, table.schema, options=old) as writer:
            writer.write_table(table, max_chunksize=2)
    return path


def to_table(dataset: Dataset) -> pa.Table:
    """Make an Arrow table."""
    present = [n for n in SCHEMA.names if n not in dataset.dropped and any(n in row for row in dataset.rows)]
    fields, arrays = [], []
    for name in present:
        values = [row.get(name) for row in dataset.rows]
        array = _array(values, SCHEMA.field(name).type, dataset.types.get(name))
        for _ in range(2 if name in dataset.doubled else 1):
            fields.append(pa.field(name, array.type))
            arrays.append(array)
    if dataset.extra:
        fields.append(pa.field("messages", pa.string()))
        arrays.append(pa.array([f"row {i}" for i in range(len(dataset.rows))]))
    raw = None if dataset.metadata is None else {b"logitpack": dataset.metadata}
    return pa.table(arrays, schema=pa.schema(fields, metadata=raw))


def _array(values: list[Any], canonical: pa.DataType, wanted: pa.DataType | None) -> pa.Array:
    for kind in (wanted, canonical):
        if kind is None:
            continue
        try:
            found = pa.array(values, kind)
            if found.to_pylist() == values or pa.types.is_floating(getattr(kind, "value_type", kind)):
                return found
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue
    return pa.array(values, widened(canonical))


def to_json(dataset: Dataset) -> bytes:
    """Make stored JSON, token ids in some lines only where the rows have it so."""
    return b"".join(_line(row, dataset) for row in dataset.rows)


def _line(row: Row, dataset: Dataset) -> bytes:
    parts = []
    for name, cell in row.items():
        if name not in dataset.dropped:
            part = f"{json.dumps(name)}: {json.dumps(_plain(cell))}"
            parts += [part] * (2 if name in dataset.doubled else 1)
    if dataset.extra:
        parts.append('"messages": [{"role": "user"}]')
    return ("{" + ", ".join(parts) + "}\n").encode()


def _plain(cell: Any) -> Any:
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode()
    if isinstance(cell, list):
        return [_plain(element) for element in cell]
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if math.isnan(cell) else ("Infinity" if cell > 0 else "-Infinity")
    return cell
