"""From a path to plain rows: the containers of section 4, and the public question `judge_path`.

Strategy: pyarrow opens Parquet and Arrow files and turns them into Python values; framing, checksums, types and values
are judged by the oracle itself. The container is told by its first bytes, stored JSON by its name or a first `{`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .arrow_stream import judge_framing
from .arrow_types import judge_schema
from .dataset import judge_files
from .file import File
from .finding import Finding
from .json_rows import load_json
from .parquet_pages import page_checksums

KEY = b"logitpack"
SIDE_FILE = "logitpack.json"
SUFFIXES = (".parquet", ".arrow", ".arrows")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
REFUSALS = (pa.ArrowException, OSError, ValueError, IndexError, KeyError, TypeError, OverflowError)
"""What pyarrow raises for bytes that are no file of its kind."""


def judge_path(path: str | Path, metadata: bytes | Mapping[str, Any] | None = None) -> list[Finding]:
    """All findings on a file or a folder. `metadata` counts where the data has none of its own (appendix F)."""
    given = metadata if isinstance(metadata, bytes | None) else json.dumps(dict(metadata)).encode()
    return judge_files(load_dataset(Path(path)), given)


def load_dataset(path: Path) -> list[File]:
    """Return the files of a dataset (section 4.2) in the order of their relative paths."""
    if not path.is_dir():
        return [_with_side_file(load(path.read_bytes(), path.name), [path.parent])]
    found = []
    for part in path.rglob("*"):
        relative = part.relative_to(path)
        if part.is_file() and part.name.endswith(SUFFIXES) and not any(p[0] in "._" for p in relative.parts):
            found.append(relative.as_posix())
    return [
        _with_side_file(load((path / name).read_bytes(), name), [(path / name).parent, path]) for name in sorted(found)
    ]


def _with_side_file(file: File, folders: list[Path]) -> File:
    """Return the metadata beside the file: in its own folder, else at the root (section 13)."""
    for folder in folders:
        if file.beside is None and (folder / SIDE_FILE).is_file():
            file.beside = (folder / SIDE_FILE).read_bytes()
    return file


def load(data: bytes, name: str) -> File:
    """One file. Its findings tell what is wrong with the container and the columns."""
    if name.endswith(JSON_SUFFIXES) or data[:1] == b"{":
        file = load_json(name, data)
    else:
        file = File(name)
        try:
            _load_arrow(file, data)
        except REFUSALS as error:
            _damaged(file, str(error))
    return file


def _damaged(file: File, message: str) -> None:
    """FILE-1; nothing else of the file is judged."""
    file.findings = []
    file.report("FILE-1", message)
    file.whole, file.rows, file.embedded = False, [], None


def _load_arrow(file: File, data: bytes) -> None:
    if data[:4] == b"PAR1" or file.name.endswith(".parquet"):
        _parquet(file, data)
    elif data[:6] == b"ARROW1":
        reader = pa.ipc.open_file(pa.BufferReader(data))
        _table(file, reader.schema, [reader.get_batch(i) for i in range(reader.num_record_batches)])
    else:
        broken = judge_framing(data)
        if broken is not None and broken[0] == "FILE-1":
            _damaged(file, broken[1])
            return
        reader = pa.ipc.open_stream(pa.BufferReader(data))
        _table(file, reader.schema, list(reader))
        if broken is not None:
            file.report(*broken)


def _parquet(file: File, data: bytes) -> None:
    """FILE-1, FILE-4 and FILE-5 on a Parquet file, then its rows."""
    source = pq.ParquetFile(pa.BufferReader(data))
    bare = 0
    for group in range(source.metadata.num_row_groups):
        for column in range(source.metadata.num_columns):
            chunk = source.metadata.row_group(group).column(column)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                start = min(start, chunk.dictionary_page_offset)
            checks = list(page_checksums(data, start, chunk.total_compressed_size))
            if False in checks:
                _damaged(file, f"a page of {chunk.path_in_schema} does not match its checksum")
                return
            bare += checks.count(None)
    _table(file, source.schema_arrow, source.read().to_batches())
    if bare:
        file.report("FILE-4", f"{bare} pages have no checksum")


def _table(file: File, schema: Any, batches: list[Any]) -> None:
    """Put the named columns into the file as plain rows, and the embedded metadata."""
    for batch in batches:
        batch.validate(full=True)
    file.embedded = (schema.metadata or {}).get(KEY)
    places = judge_schema(file, schema)
    if file.whole:
        for batch in batches:
            columns = {name: batch.column(place).to_pylist() for name, place in places.items()}
            file.rows += [{name: values[i] for name, values in columns.items()} for i in range(batch.num_rows)]
