"""How generated rows are laid down in a file: row groups, order of columns, types, compression, encodings.

Strategy: a layout is a few plain choices, each of which has a plainest value that it falls back to one by one when a
failure is made smaller. Beyond the plainest files it takes only what the implementation has declared in `hello`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import CANONICAL, Extra, Form
from logitpack_conformance.strategies.values import rarely

ARROW = (Container.ARROW_FILE, Container.ARROW_STREAM)
TEXT = Extra("messages", pa.string(), ["row", "another row", None], 3)
NESTED = Extra("messages", pa.list_(pa.struct([("role", pa.string())])), [[{"role": "user"}], [], None], 3)
PARQUET_CODECS = {"zstd": "zstd", "snappy": "snappy", "gzip": "gzip", "lz4": "lz4", "brotli": "brotli"}
ENCODINGS = ("dictionary", "byte_stream_split", "delta", "data_page_v2")
LISTS = [column.name for column in NAMED if column.shape == "list"]
DELTA = {
    "num_tokens": "DELTA_BINARY_PACKED",
    "top_counts.list.element": "DELTA_BINARY_PACKED",
    "top_indices_low.list.element": "DELTA_BINARY_PACKED",
    "top_indices_high": "DELTA_LENGTH_BYTE_ARRAY",
}


@dataclass(frozen=True)
class Layout:
    """The choices; what is falsy is plain.

    group: rows of each row group or record batch. retyped: a column and the feature by which its type is another.
    extra: "text" or "nested", a column of others. Features are named as in `model.FEATURES`.
    """

    group: int = 0
    small_pages: bool = False
    sliced: bool = False
    backwards: bool = False
    extra: str = ""
    retyped: tuple[str, str] | None = None
    compression: str = ""
    encoding: str = ""
    legacy: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """What a reader needs for it beyond the plainest files."""
        needed = [self.compression, self.encoding, self.retyped[1] if self.retyped else ""]
        needed += ["nested_columns"] if self.extra == "nested" else []
        needed += ["legacy_stream"] if self.legacy else []
        return tuple(feature for feature in needed if feature)

    def form(self, rows: Sequence[Row], container: Container) -> Form:
        """Return the form in which rows are written."""
        extra = {"text": [TEXT], "nested": [NESTED]}.get(self.extra, [])
        order = list(rows[0])[::-1] if self.backwards else []
        if container is Container.JSON:
            return Form(order=order, extra=extra)
        return Form(
            order=order,
            extra=extra,
            group=self.group,
            sliced=self.sliced,
            types={self.retyped[0]: retyped(*self.retyped)} if self.retyped else {},
            parquet=self._parquet() if container is Container.PARQUET else {},
            codec=self.compression.removeprefix("arrow_") or None,
            legacy=self.legacy,
        )

    def _parquet(self) -> dict[str, Any]:
        found: dict[str, Any] = {"compression": self.compression or "none"}
        if self.small_pages and self.encoding != "delta":  # pyarrow reads no rows from such pages of its own
            found |= {"data_page_size": 16, "write_batch_size": 2}
        if self.encoding == "dictionary":
            found["use_dictionary"] = True
        elif self.encoding == "byte_stream_split":
            found["use_byte_stream_split"] = [f"{name}.list.element" for name in LISTS if "m" in name]
        elif self.encoding == "delta":
            found["column_encoding"] = DELTA
        elif self.encoding == "data_page_v2":
            found["data_page_version"] = "2.0"
        return found

    def plainer(self) -> Iterator[Layout]:
        """Yield layouts with one choice less, after the one with none."""
        if self != PLAIN:
            yield PLAIN
        for one in fields(self):
            if getattr(self, one.name) != one.default:
                plain: dict[str, Any] = {one.name: one.default}
                yield replace(self, **plain)


PLAIN = Layout()


def retyped(name: str, feature: str) -> pa.DataType:
    """Return the type of a column by a feature. Raises KeyError where the column has none by it."""
    found = CANONICAL[name]
    value = found.value_type if pa.types.is_list(found) else found
    element = pa.field("element", value)
    if feature in {"wide_integers", "float64"}:
        wide = {"wide_integers": pa.types.is_integer, "float64": pa.types.is_float32}[feature]
        if not wide(value):
            raise KeyError(name)
        value = pa.int64() if feature == "wide_integers" else pa.float64()
        return pa.list_(pa.field("element", value)) if pa.types.is_list(found) else value
    if pa.types.is_binary(found):
        return {"large_binary": pa.large_binary(), "binary_view": pa.binary_view()}[feature]
    if not pa.types.is_list(found):
        raise KeyError(name)
    return {"large_list": pa.large_list(element), "list_view": pa.list_view(element)}[feature]


def _retypings(features: Collection[str], container: Container) -> list[tuple[str, str]]:
    """Return the columns and the features by which they can have another type."""
    wide = {"wide_integers", "float64"}
    others = {"large_list", "list_view", "large_binary", "binary_view"} if container in ARROW else set()
    found = []
    for name in CANONICAL:
        for feature in sorted((wide | others) & set(features)):
            try:
                retyped(name, feature)
            except KeyError:
                continue
            found.append((name, feature))
    return found


def layouts(container: Container, features: Collection[str]) -> st.SearchStrategy[Layout]:
    """Layouts for a container within what an implementation declared, most often the plain one or nearly so."""

    def rare(choices: Sequence[Any], plain: Any) -> st.SearchStrategy[Any]:
        return rarely(st.sampled_from(choices), st.just(plain), 5) if choices else st.just(plain)

    extra = ["text", *(["nested"] if "nested_columns" in features else [])]
    common = {"backwards": rare([True], plain=False), "extra": rare(extra, "")}
    if container is Container.JSON:
        return st.builds(Layout, **common)
    codecs = list(PARQUET_CODECS) if container is Container.PARQUET else ["arrow_zstd", "arrow_lz4"]
    common |= {
        "group": st.sampled_from((0, 1, 2)),
        "retyped": rare(_retypings(features, container), None),
        "compression": rare([codec for codec in codecs if codec in features], ""),
    }
    if container is Container.PARQUET:
        encoding = rare([encoding for encoding in ENCODINGS if encoding in features], "")
        return st.builds(Layout, **common, encoding=encoding, small_pages=rare([True], plain=False))
    legacy = container is Container.ARROW_STREAM and "legacy_stream" in features
    return st.builds(
        Layout, **common, sliced=rare([True], plain=False), legacy=rare([True] if legacy else [], plain=False)
    )
