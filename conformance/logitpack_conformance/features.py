"""Which features of the protocol a reader needs for one file, seen from the file itself.

Strategy: of a file that nobody has described, an adapter may still say `unsupported` for what it lacks. What is looked
for is what FEATURES names: types by the Arrow schema, compression and encodings by the container's own headers. The
bytes are a stranger's, so this is called where they may do harm (`judge.worker`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .model import FEATURES, Container
from .oracle.arrow_stream import is_old_stream, place
from .oracle.arrow_types import CANONICAL_NAMES, INTEGERS
from .oracle.columns import NAMED, Column
from .oracle.load import first_page
from .oracle.parquet_pages import pages

CODECS = {"ZSTD": "zstd", "SNAPPY": "snappy", "GZIP": "gzip", "LZ4": "lz4", "LZ4_RAW": "lz4", "BROTLI": "brotli"}
FLOATS = {"halffloat": "float16", "double": "float64"}
PAGE_TYPE, DICTIONARY_PAGE, DATA_PAGE_V2 = 1, 2, 3
HEADER, COMPRESSION = 2, 3
"""Fields of a Message and of a RecordBatch."""
BODY_CODECS = ("arrow_lz4", "arrow_zstd")
COLUMNS = {column.name: column for column in NAMED}


def features_of(data: bytes, container: Container) -> tuple[str, ...]:
    """Return the features that a valid file needs beyond the plainest ones, in the order of FEATURES."""
    finders = {
        Container.PARQUET: _of_parquet,
        Container.ARROW_FILE: _of_arrow_file,
        Container.ARROW_STREAM: _of_arrow_stream,
        Container.JSON: _of_json,
    }
    found = set(finders[container](data))
    return tuple(name for name in FEATURES if name in found)


def _of_parquet(data: bytes) -> Iterator[str]:
    source = pq.ParquetFile(pa.BufferReader(data))
    yield from _of_schema(source.schema_arrow)
    if any(_is_legacy_list(source.schema.column(number)) for number in range(len(source.schema))):
        yield "legacy_lists"
    footer = source.metadata
    for group in range(footer.num_row_groups):
        for number in range(footer.num_columns):
            chunk = footer.row_group(group).column(number)
            if chunk.path_in_schema.split(".")[0] in COLUMNS:
                yield from _of_chunk(data, chunk)


def _is_legacy_list(column: Any) -> bool:
    """Whether a column named here is a list in another form than `NAME.list.ELEMENT`, whose last name is free."""
    name, *inner = column.path.split(".")
    return name in COLUMNS and column.max_repetition_level > 0 and (len(inner) != 2 or inner[0] != "list")


def _of_chunk(data: bytes, chunk: Any) -> Iterator[str]:
    if chunk.compression in CODECS:
        yield CODECS[chunk.compression]
    for encoding in chunk.encodings:
        if encoding == "BYTE_STREAM_SPLIT":
            yield "byte_stream_split"
        elif encoding.startswith("DELTA_"):
            yield "delta"
    for header, _ in pages(data, first_page(chunk), chunk.total_compressed_size):
        if header.get(PAGE_TYPE) == DICTIONARY_PAGE:
            yield "dictionary"
        elif header.get(PAGE_TYPE) == DATA_PAGE_V2:
            yield "data_page_v2"


def _of_arrow_file(data: bytes) -> Iterator[str]:
    yield from _of_schema(pa.ipc.open_file(pa.BufferReader(data)).schema)
    yield from _of_messages(data[8:])  # between its magic numbers, a file is a stream


def _of_arrow_stream(data: bytes) -> Iterator[str]:
    yield from _of_schema(pa.ipc.open_stream(pa.BufferReader(data)).schema)
    yield from _of_messages(data)
    if is_old_stream(data):
        yield "legacy_stream"


def _of_messages(data: bytes) -> Iterator[str]:
    """Yield how the buffers of record batches are compressed."""
    try:
        for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(data)):
            if message.type == "record batch":
                yield from _of_batch(message.metadata.to_pybytes())
    except (pa.ArrowException, OSError, struct.error, IndexError):
        return


def _of_batch(message: bytes) -> Iterator[str]:
    """Go from a Message to its RecordBatch, and from there to its BodyCompression, which names a codec."""
    (table,) = struct.unpack_from("<I", message, 0)
    for field in (HEADER, COMPRESSION):
        at = place(message, table, field)
        if at is None:
            return
        table = at + int(struct.unpack_from("<I", message, at)[0])
    codec = place(message, table, 0)
    yield BODY_CODECS[0 if codec is None else message[codec]]


def _of_json(data: bytes) -> Iterator[str]:
    if b'"token_ids"' in data:
        yield "token_ids"


def _of_schema(schema: Any) -> Iterator[str]:
    """Yield what the types need."""
    for field in schema:
        if field.name in COLUMNS:
            yield from _of_type(field.type, COLUMNS[field.name])
        elif pa.types.is_run_end_encoded(field.type):
            yield "run_end_encoded"
        elif _is_unusual(field.type):
            yield "nested_columns"
    if "token_ids" in schema.names:
        yield "token_ids"


def _of_type(typed: Any, column: Column) -> Iterator[str]:
    if column.shape == "binary":
        if str(typed) in {"large_binary", "binary_view"}:
            yield str(typed)
        return
    if column.shape == "list":
        if pa.types.is_large_list(typed):
            yield "large_list"
        elif pa.types.is_fixed_size_list(typed):
            yield "fixed_size_list"
        elif not pa.types.is_list(typed):
            yield "list_view"
        typed = typed.value_type
    canonical = CANONICAL_NAMES.get(column.canonical, column.canonical)
    if str(typed) != canonical:
        yield "wide_integers" if str(typed) in INTEGERS else FLOATS.get(str(typed), "")


def _is_unusual(typed: Any) -> bool:
    tests = (pa.types.is_nested, pa.types.is_dictionary, pa.types.is_string_view, pa.types.is_binary_view)
    return any(test(typed) for test in tests)
