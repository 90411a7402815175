"""Arrow tables and Parquet files of stored rows as they are, broken ones too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import logitpack
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import widened


def table(rows: Sequence[Row], *, wide: bool = False, metadata: Mapping[str, Any] | bytes | None = None) -> pa.Table:
    """Make an Arrow table of stored rows, without judging them. `wide` takes int64 and float64 throughout."""
    names = list(rows[0]) if rows else logitpack.canonical_schema().names
    canonical = logitpack.canonical_schema(token_ids=True)
    fields = []
    for name in names:
        kind = canonical.field(name).type if name in canonical.names else None
        if kind is not None and wide:
            kind = widest(kind)
        values = [row[name] for row in rows]
        fields.append((name, pa.array(values, kind) if kind is not None else pa.array(values)))
    raw = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    result = pa.table(dict(fields))
    return result if metadata is None else result.replace_schema_metadata({b"logitpack": raw})


def widest(kind: pa.DataType) -> pa.DataType:
    """Give the widest accepted type in place of a canonical one, with large offsets too."""
    if pa.types.is_list(kind):
        return pa.large_list(widened(kind.value_type))
    return pa.large_binary() if pa.types.is_binary(kind) else widened(kind)


def write_parquet(path: Path, content: pa.Table, **settings: Any) -> Path:
    """Write a table as it is, with page checksums."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, path, **{"write_page_checksum": True, **settings})
    return path
