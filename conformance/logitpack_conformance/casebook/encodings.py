"""The same rows in every compression and encoding that containers have: readers accept them all (RD-5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import COLUMNS
from logitpack_conformance.stored import Extra, Form

from .bases import sound
from .draft import ALL, IPC, Draft

PARQUET = (Container.PARQUET,)
ROWS: dict[str, Any] = {"like": "forms", "sizes": (2, 1, 3, 1, 2), "vocab": 262_144}
"""The rows that all forms hold."""


def _leaf(name: str, kind: str) -> str:
    """Return the path of a column's values in a Parquet schema."""
    return f"{name}.list.element" if kind == "list" else name


LEAVES = {column.name: _leaf(column.name, column.shape) for column in COLUMNS}
INTEGERS = [LEAVES[column.name] for column in COLUMNS if column.values == "int"]
FLOATS = [LEAVES[column.name] for column in COLUMNS if column.values == "float"]
BINARIES = [LEAVES[column.name] for column in COLUMNS if column.values == "bytes"]
SPLIT = dict.fromkeys([*FLOATS, *INTEGERS], "BYTE_STREAM_SPLIT")
DELTA = {**dict.fromkeys(INTEGERS, "DELTA_BINARY_PACKED"), **dict.fromkeys(BINARIES, "DELTA_LENGTH_BYTE_ARRAY")}
RECOMMENDED = {"compression": "zstd", "compression_level": 3, "column_encoding": SPLIT}
SMALL = {"data_page_size": 1, "write_batch_size": 1}

SETTINGS: tuple[tuple[str, tuple[str, ...], dict[str, Any], str], ...] = (
    ("zstd", ("zstd",), {"compression": "zstd"}, "Pages compressed with zstd."),
    ("snappy", ("snappy",), {"compression": "snappy"}, "Pages compressed with snappy, the default of many libraries."),
    ("gzip", ("gzip",), {"compression": "gzip"}, "Pages compressed with gzip."),
    ("lz4", ("lz4",), {"compression": "lz4"}, "Pages compressed with LZ4_RAW."),
    ("brotli", ("brotli",), {"compression": "brotli"}, "Pages compressed with brotli."),
    (
        "mixed-codecs",
        ("zstd", "snappy", "gzip"),
        {"compression": {leaf: ("zstd", "snappy", "gzip", "none")[i % 4] for i, leaf in enumerate(LEAVES.values())}},
        "A codec of its own for each column.",
    ),
    ("dictionary", ("dictionary",), {"use_dictionary": True}, "Dictionary pages, the default of many libraries."),
    (
        "dictionary-some",
        ("dictionary",),
        {"use_dictionary": [LEAVES["top_counts"], LEAVES["top_min"], LEAVES["num_tokens"]]},
        "Dictionary pages in some columns, plain ones in the others.",
    ),
    (
        "dictionary-fallback",
        ("dictionary",),
        {"use_dictionary": True, "dictionary_pagesize_limit": 8, **SMALL},
        "Dictionaries that were given up: a chunk begins with dictionary-encoded pages and goes on with plain ones.",
    ),
    (
        "dictionary-snappy",
        ("dictionary", "snappy"),
        {"use_dictionary": True, "compression": "snappy", "write_statistics": True},
        "The defaults of common libraries: dictionaries, snappy, statistics.",
    ),
    (
        "byte-stream-split",
        ("byte_stream_split",),
        {"column_encoding": SPLIT},
        "Numbers with their bytes split in streams.",
    ),
    (
        "byte-stream-split-floats",
        ("byte_stream_split",),
        {"column_encoding": dict.fromkeys(FLOATS, "BYTE_STREAM_SPLIT")},
        "Floating-point numbers only with their bytes split in streams, as the encoding began.",
    ),
    (
        "recommended",
        ("zstd", "byte_stream_split"),
        RECOMMENDED,
        "The settings that SPEC.md recommends in its appendix E.",
    ),
    ("delta", ("delta",), {"column_encoding": DELTA}, "Integers as packed differences, lengths of binaries apart."),
    (
        "delta-byte-array",
        ("delta",),
        {"column_encoding": dict.fromkeys(BINARIES, "DELTA_BYTE_ARRAY")},
        "High parts with the prefixes that they share taken out.",
    ),
    ("page-v2", ("data_page_v2",), {"data_page_version": "2.0"}, "Data pages of version 2: levels apart from values."),
    (
        "page-v2-zstd",
        ("data_page_v2", "zstd"),
        {"data_page_version": "2.0", "compression": "zstd"},
        "Data pages of version 2 whose values are compressed and whose levels are not.",
    ),
    (
        "page-v2-dictionary",
        ("data_page_v2", "dictionary"),
        {"data_page_version": "2.0", "use_dictionary": True, **SMALL},
        "Several data pages of version 2 behind a dictionary page.",
    ),
    ("small-pages", (), SMALL, "A page for each row: column chunks of many pages."),
    ("statistics", (), {"write_statistics": True}, "Statistics in the footer and in the page headers."),
    (
        "page-index",
        (),
        {"write_statistics": True, "write_page_index": True, **SMALL},
        "A page index between the row groups and the footer.",
    ),
    ("arrow-schema", (), {"store_schema": True}, "An Arrow schema in the footer."),
    ("version-1", (), {"version": "1.0"}, "A Parquet file of format version 1.0: converted types, uint32 in INT64."),
    ("old-list-names", (), {"use_compliant_nested_type": False}, "List elements that are called item."),
)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield sound("forms/baseline/plain", "Five rows in the plainest form: the same stand in every other form.", **ROWS)
    for name, features, settings, why in SETTINGS:
        form = Form(group=3, parquet=settings)
        yield sound(f"forms/parquet/{name}", why, form=form, containers=PARQUET, features=features, **ROWS)
    for codec in ("zstd", "lz4"):
        why = f"Record batches with buffers compressed with {codec}."
        form = Form(group=2, codec=codec)
        yield sound(f"forms/arrow/{codec}", why, form=form, containers=IPC, features=(f"arrow_{codec}",), **ROWS)
    why = "Messages without continuation indicators, as before Arrow 0.15."
    legacy = Form(group=2, legacy=True)
    stream = (Container.ARROW_STREAM,)
    yield sound("forms/arrow/legacy", why, form=legacy, containers=stream, features=("legacy_stream",), **ROWS)
    why = "A dictionary-encoded column beside the columns, in two batches: dictionary batches stand between them."
    words = Extra("source", pa.dictionary(pa.int8(), pa.string()), ["web", "book", "web"], 3)
    form = Form(group=3, extra=[words])
    yield sound("forms/arrow/dictionary-batches", why, form=form, containers=IPC, features=("nested_columns",), **ROWS)
    why = "Other keys beside logitpack among the metadata of the file."
    keys = {"huggingface": b'{"info": {"features": {}}}', "pandas": b"{}", "LogitPack": b"{}", "logitpack.json": b"[]"}
    form = Form(schema_metadata=keys)
    yield sound("forms/metadata/other-keys", why, form=form, containers=ALL[:3], **ROWS)
