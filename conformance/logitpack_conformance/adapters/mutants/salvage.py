"""What a careless reader makes of any file: rows without a judgement, by best effort.

Strategy: mutants that accept what they are to reject answer with this. It takes what pyarrow gives, puts zeros where
something is missing, and leaves out a row only where nothing can be made of it.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from logitpack import jsonforms
from logitpack.table import COLUMNS
from logitpack_conformance.adapters.reference import Row

FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What can go wrong over bytes that are no file, or values that are no row."""
DATA = {".parquet", ".arrow", ".arrows"}


def salvage(path: str) -> list[Row]:
    """Return logical rows of a file or folder, whatever is wrong with it."""
    root = Path(path)
    files = sorted(part for part in root.rglob("*") if part.suffix in DATA) if root.is_dir() else [root]
    rows = []
    for row in (row for file in files for row in stored_rows(file)):
        with suppress(*FAULTS):
            rows.append(meaning(row))
    return [row for row in rows if row["tokens"]]


def stored_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the stored rows of a file as plain values, up to where it breaks off."""
    data = path.read_bytes()
    with suppress(*FAULTS):
        if data.startswith(b"PAR1"):
            yield from _rows(pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).iter_batches())
        elif data.startswith(b"ARROW1"):  # its messages are a stream, which needs no footer
            yield from _rows(pa.ipc.open_stream(pa.BufferReader(data[8:])))
        elif data[:4] == b"\xff" * 4 or data[1:4] == bytes(3):
            yield from _rows(pa.ipc.open_stream(pa.BufferReader(data)))
        else:
            for line in data.decode("utf-8-sig", "replace").splitlines():
                with suppress(*FAULTS):
                    yield json.loads(line)


def _rows(batches: Any) -> Iterator[dict[str, Any]]:
    for batch in batches:
        names = batch.schema.names
        columns = {name: batch.column(names.index(name)).to_pylist() for name in COLUMNS if name in names}
        yield from ({name: values[i] for name, values in columns.items()} for i in range(batch.num_rows))


def meaning(row: dict[str, Any]) -> Row:
    """Return the logical row of a stored one, as far as its lists reach."""
    counts = [max(int(count or 0), 0) for count in _list(row, "top_counts")] or [1]
    width = max(len(_list(row, "sampled_indices_low")) // len(counts), 1)
    identifiers = _list(row, "token_ids")
    tokens: list[Row] = []
    for token, count in enumerate(counts):
        top = _entries(row, "top", token, sum(counts[:token]), count)
        sampled = _entries(row, "sampled", token, token * width, width)
        if top["indices"] and sampled["indices"]:
            one = {"logsumexp": _float(row, "logsumexp", token), "top": top, "sampled": sampled}
            if len(identifiers) >= len(counts):
                one["token_id"] = int(identifiers[token] or 0) & 0x7FFFFFFF
            tokens.append(one)
    return {"tokens": tokens}


def _entries(row: dict[str, Any], kind: str, token: int, start: int, count: int) -> dict[str, list[Any]]:
    low, codes = _list(row, f"{kind}_indices_low"), _list(row, f"{kind}_logits_quantized")
    high = _bytes(row.get(f"{kind}_indices_high"))
    least, most = (_float(row, f"{kind}_{end}", token) for end in ("min", "max"))
    indices, logits = [], []
    for at in range(start, min(start + count, len(low), len(codes))):
        part = high[at // 4] >> 2 * (at % 4) & 3 if at // 4 < len(high) else 0
        indices.append((int(low[at] or 0) & 0xFFFF) | part << 16)
        logits.append(int(codes[at] or 0) / 65535 * (float(most) - float(least)) + float(least))
    return {"indices": indices, "logits": jsonforms.from_floats(logits)}


def _list(row: dict[str, Any], name: str) -> list[Any]:
    value = row.get(name)
    return value if isinstance(value, list) else []


def _float(row: dict[str, Any], name: str, token: int) -> Any:
    values = _list(row, name)
    value = float(values[token] or 0) if token < len(values) else 0.0
    if name != "logsumexp":
        with suppress(OverflowError):
            value = struct.unpack("f", struct.pack("f", value))[0]
    return value if math.isfinite(value) or name != "logsumexp" else jsonforms.from_floats([value])[0]


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return base64.b64decode(value + "===")
    return value if isinstance(value, bytes) else b""
