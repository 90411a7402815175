"""From a path to plain rows: the containers of section 4, and the public question `judge_path`.

Strategy: the first bytes tell the container. pyarrow opens Parquet and Arrow files and turns them into Python values;
framing, checksums, types and values are judged by the oracle itself. What was read before a file breaks off is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .arrow_stream import CONTINUATION, is_old_stream, whole_messages
from .arrow_types import judge_schema
from .columns import NAMED
from .dataset import judge_files
from .file import File
from .finding import Finding
from .json_rows import load_json
from .parquet_pages import count_values, page_checksums

KEY = b"logitpack"
SIDE_FILE = "logitpack.json"
SUFFIXES = (".parquet", ".arrow", ".arrows")
JSON_SUFFIXES = (".ndjson", ".jsonl")
NAMES = [column.name for column in NAMED]
REFUSALS = (pa.ArrowException, OSError, ValueError, IndexError, KeyError, TypeError, OverflowError)
"""What pyarrow raises for bytes that are no file of its kind."""


def judge_path(path: str | Path, metadata: bytes | Mapping[str, Any] | None = None) -> list[Finding]:
    """All findings on a file or a folder. `metadata` counts for files that have none (section 13).

    Raises ValueError where that is not valid.
    """
    given = metadata if isinstance(metadata, bytes | None) else json.dumps(dict(metadata)).encode()
    return judge_files(load_dataset(Path(path)), given)


def load_dataset(path: Path) -> list[File]:
    """Return the files of a dataset (section 4.2) in the order of their relative paths."""
    if not path.is_dir():
        return [_with_side_files(load(path.read_bytes(), path.name), [path.parent])]
    found = []
    for part in path.rglob("*"):
        relative = part.relative_to(path)
        if part.is_file() and part.name.endswith(SUFFIXES) and not any(p[0] in "._" for p in relative.parts):
            found.append(relative.as_posix())
    return [
        _with_side_files(load((path / name).read_bytes(), name), [(path / name).parent, path]) for name in sorted(found)
    ]


def _with_side_files(file: File, folders: list[Path]) -> File:
    """Put the metadata beside the file to it: those of its own folder, then those at the root (section 13)."""
    places = [folder / SIDE_FILE for folder in dict.fromkeys(folders)]
    if not file.is_json:  # always Core (section 4.3)
        file.beside = [place.read_bytes() for place in places if place.is_file()]
    return file


def load(data: bytes, name: str) -> File:
    """One file. Its findings tell what is wrong with the container and the columns."""
    file = File(name)
    try:
        if data.startswith(b"PAR1"):
            _parquet(file, data)
        elif data.startswith(b"ARROW1"):
            _arrow_file(file, data)
        elif data.lstrip(b" \t\r\n").startswith(b"{"):
            load_json(file, data)
        elif data.startswith(CONTINUATION) or is_old_stream(data):
            _arrow_stream(file, data)
        elif name.endswith(JSON_SUFFIXES):
            load_json(file, data)
        else:
            file.report("FILE-1", "the first bytes are those of no container")
    except REFUSALS as error:
        file.report("FILE-1", str(error))
    return file


def _open(file: File, schema: Any, embedded: bytes | None) -> None:
    judge_schema(file, schema)
    file.is_open, file.embedded = True, embedded


def _add(file: File, batch: Any) -> None:
    """Add the named columns of a batch as plain rows. Raises where Arrow finds one of them broken."""
    names = batch.schema.names
    columns = {name: batch.column(names.index(name)) for name in NAMES if name in names}
    for column in columns.values():
        column.validate(full=True)
    if file.are_columns_sound:
        columns = {name: column.to_pylist() for name, column in columns.items()}
        file.rows += [{name: values[i] for name, values in columns.items()} for i in range(batch.num_rows)]


def _parquet(file: File, data: bytes) -> None:
    """FILE-1, FILE-4 and FILE-5 on a Parquet file, and its rows, a row group after another."""
    source = pq.ParquetFile(pa.BufferReader(data))
    footer = source.metadata
    _open(file, source.schema_arrow, (footer.metadata or {}).get(KEY))
    names = [name for name in source.schema_arrow.names if name in NAMES]
    checks: list[tuple[str, list[bool | None]]] = []
    count = 0
    for group in range(footer.num_row_groups):
        _hold_columns(source, group)
    for group in range(footer.num_row_groups):
        rows = source.read_row_group(group, columns=names)
        checks += _checks(data, source, group)
        _hold_values(data, source, group)
        if any(False in found and path.split(".")[0] in NAMES for path, found in checks):
            raise ValueError("a page does not match its checksum")
        for batch in rows.to_batches():
            _add(file, batch)
        _hold(rows.num_rows, footer.row_group(group).num_rows)
        count += rows.num_rows
    _hold(count, footer.num_rows)
    if any(False in found for _, found in checks):
        file.report("FILE-1", "a page of a column that is not read does not match its checksum")
    elif any(found[:1] == [None] for _, found in checks):
        file.report("FILE-4", "the first page of a column chunk has no checksum")


def _hold(rows: int, expected: int) -> None:
    if rows != expected:
        raise ValueError(f"{rows} rows, {expected} in the footer")


def _chunks(source: Any, group: int) -> Iterator[tuple[Any, Any]]:
    """Yield each column of a row group: the leaf of the schema at its place, and what the footer says of its chunk."""
    try:
        next(source.iter_batches(batch_size=1, row_groups=[group]), None)
    except REFUSALS:
        return  # a column that is not read: pyarrow would end the process over its description
    for number in range(source.metadata.num_columns):
        yield source.schema.column(number), source.metadata.row_group(group).column(number)


def _checks(data: bytes, source: Any, group: int) -> Iterator[tuple[str, list[bool | None]]]:
    """Yield each column of a row group, and of its pages whether they match their checksums."""
    for leaf, chunk in _chunks(source, group):
        yield leaf.path, list(page_checksums(data, first_page(chunk), chunk.total_compressed_size))


def _hold_columns(source: Any, group: int) -> None:
    """Raise where a column chunk is in another file, or says that it is of another column than that at its place."""
    for leaf, chunk in _chunks(source, group):
        columns = [path.split(".")[0] for path in (leaf.path, chunk.path_in_schema)]
        if chunk.file_path or columns[0] != columns[1] or leaf.physical_type != chunk.physical_type:
            raise ValueError(f"the column chunk of {leaf.path} is another one")


def _hold_values(data: bytes, source: Any, group: int) -> None:
    """Raise where the pages of a column that is read have other values than the footer says."""
    for leaf, chunk in _chunks(source, group):
        if leaf.path.split(".")[0] in NAMES and chunk.num_values:
            values = count_values(data, first_page(chunk), chunk.total_compressed_size)
            if values != chunk.num_values:
                raise ValueError(f"{values} values in {leaf.path}, {chunk.num_values} in the footer")


def first_page(chunk: Any) -> int:
    """Return where the first page of a column chunk begins, that of its dictionary where it has one."""
    start = int(chunk.data_page_offset)
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    return start


def _arrow_file(file: File, data: bytes) -> None:
    schema = pa.ipc.open_file(pa.BufferReader(data)).schema
    _open(file, schema, (schema.metadata or {}).get(KEY))
    reader = pa.ipc.open_file(pa.BufferReader(data), options=_options(schema))
    for number in range(reader.num_record_batches):
        _add(file, reader.get_batch(number))


def _arrow_stream(file: File, data: bytes) -> None:
    """Read the messages that are whole, then say what is wrong where they end (FILE-1, FILE-3)."""
    end, broken = whole_messages(data)
    schema = pa.ipc.open_stream(pa.BufferReader(data[:end])).schema
    _open(file, schema, (schema.metadata or {}).get(KEY))
    for batch in pa.ipc.open_stream(pa.BufferReader(data[:end]), options=_options(schema)):
        _add(file, batch)
    if broken is not None:
        file.report(*broken)


def _options(schema: Any) -> Any:
    """Read the named columns only: the others are nobody's concern (COL-4)."""
    return pa.ipc.IpcReadOptions(included_fields=[i for i, name in enumerate(schema.names) if name in NAMES])
