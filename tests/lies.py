"""Files that lie: small ones that claim much, nest deeply, contradict themselves, or carry what a terminal obeys.

Strategy: a valid file of a few rows is written, and what one of its columns claims is forged. Each lie is a function
of a folder that returns the path to name on the command line.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import compact
import flat
from compact import BINARY, I32, I64, Field
from logitpack.table import COLUMNS
from logitpack_conformance.rows import described, valid_rows
from support import table

LIES: dict[str, Callable[[Path], Path]] = {}
"""All lies by name."""

UNCOMPRESSED, SNAPPY, GZIP, BROTLI, LZ4_RAW, ZSTD = 0, 1, 2, 4, 7, 6
CODECS = {"none": UNCOMPRESSED, "snappy": SNAPPY, "gzip": GZIP, "brotli": BROTLI, "lz4": LZ4_RAW, "zstd": ZSTD}
PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8
DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3
GIB = 1 << 30
ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202e::error::x%0A"
"""What would clear a terminal, end a line, turn text around and begin a workflow's command."""

Lie = Callable[[Path], Path]


def _lie(name: str) -> Callable[[Lie], Lie]:
    def register(lie: Lie) -> Lie:
        LIES[name] = lie
        return lie

    return register


def base(**settings: Any) -> bytes:
    """Return a valid Parquet file of three rows, without page checksums."""
    return parquet(table(valid_rows(), metadata=described()), **settings)


@cache
def rows_table() -> pa.Table:
    """Return valid rows."""
    return table(valid_rows(), metadata=described())


def parquet(content: pa.Table, **settings: Any) -> bytes:
    """Return a table as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(content, out, **{"compression": "none", "use_dictionary": False, **settings})
    return out.getvalue()


def ipc(content: pa.Table, *, stream: bool, compression: str | None = None) -> bytes:
    """Return a table as an Arrow IPC file or stream."""
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(out, content.schema, options=options) as writer:
        writer.write_table(content)
    return out.getvalue()


# Parquet pages


def page(body: bytes, size: int, values: int, *, encoding: int = PLAIN, kind: int = DATA_PAGE) -> bytes:
    """Return a page whose header claims `size` bytes before compression, and `values` elements."""
    fields = [Field(1, I32, kind), Field(2, I32, size), Field(3, I32, len(body))]
    if kind == DICTIONARY_PAGE:
        fields.append(compact.struct(7, Field(1, I32, values), Field(2, I32, PLAIN)))
    elif kind == DATA_PAGE_V2:
        numbers: tuple[int, ...] = (values, 0, 1, encoding, 0, 0)
        fields.append(compact.struct(8, *(Field(k, I32, number) for k, number in enumerate(numbers, 1))))
    else:
        numbers = (values, encoding, RLE, RLE)
        fields.append(compact.struct(5, *(Field(k, I32, number) for k, number in enumerate(numbers, 1))))
    return compact.written(compact.struct(0, *fields)) + body


def runs(*pairs: tuple[int, int]) -> bytes:
    """Return runs of levels of one bit or of 0..3, (value, length) each, after their length."""
    body = b"".join(compact.varint(length << 1) + bytes([value]) for value, length in pairs)
    return len(body).to_bytes(4, "little") + body


def with_pages(data: bytes, name: str, pages: bytes, values: int, *, codec: int = 0, **claims: int) -> bytes:
    """Return a Parquet file whose column `name` has other pages. `size` and `stored` are bytes that are claimed."""
    footer = compact.footer_of(data)
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for column in footer.get(4).value[0].get(1).value:
        about = column.get(3)
        if about.get(3).value[0].value == name.encode():
            about.get(4).value = codec
            about.get(5).value = values
            about.get(6).value = claims.get("size", len(pages))
            about.get(7).value = claims.get("stored", len(pages))
            about.get(9).value = start
            about.value = [field for field in about.value if field.id not in {8, 11, 12, 16}]
    return compact.with_footer(data[:start] + pages + data[start:], footer)


def packed(content: bytes, codec: str) -> bytes:
    """Return bytes compressed as a page is."""
    if codec == "none":
        return content
    if codec == "gzip":
        return gzip.compress(content, 9)
    name = {"lz4": "lz4_raw"}.get(codec, codec)
    compressed: bytes = pa.compress(content, codec=name, asbytes=True)
    return compressed


@cache
def zeros(codec: str, size: int = GIB) -> bytes:
    """Return a gigabyte of zeros, compressed."""
    return packed(bytes(size), codec)


def _save(folder: Path, data: bytes, name: str = "lie.parquet") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _bomb(codec: str, name: str, kind: int) -> Lie:
    def lie(folder: Path) -> Path:
        values = len(table(valid_rows()).column("top_min").combine_chunks().flatten())
        size = GIB // 4
        pages = page(zeros(codec, size), size, values, kind=kind)
        return _save(folder, with_pages(base(), name, pages, values, codec=CODECS[codec]))

    return lie


for _codec in ("gzip", "brotli", "zstd", "lz4", "snappy"):
    LIES[f"parquet page of zeros, {_codec}"] = _bomb(_codec, "top_min", DATA_PAGE)
LIES["parquet page of zeros, version 2"] = _bomb("zstd", "top_min", DATA_PAGE_V2)
LIES["parquet dictionary of zeros"] = _bomb("zstd", "top_min", DICTIONARY_PAGE)
LIES["parquet page of zeros in a binary column"] = _bomb("zstd", "top_indices_high", DATA_PAGE)


@_lie("parquet pages of zeros in every column")
def _(folder: Path) -> Path:
    data, size = base(), 1 << 28
    for name in ("top_min", "top_max", "sampled_min", "sampled_max", "logsumexp", "top_indices_low"):
        data = with_pages(data, name, page(zeros("zstd", size), size, 9), 9, codec=ZSTD)
    return _save(folder, data)


def _repeated(values: int, *, footer: int | None = None, names: tuple[str, ...] = ("top_indices_low",)) -> Lie:
    """Let one row have `values` elements, which a dozen bytes hold: runs of levels, and indices of no bits."""

    def lie(folder: Path) -> Path:
        data = base()
        for name in names:
            levels = runs((0, 1), (1, values - 1)) + runs((3, values))
            body = levels + b"\x00" + compact.varint(values << 1)  # indices of 0 bits
            first = page(b"\0\0\0\0", 4, 1, kind=DICTIONARY_PAGE)
            pages = first + page(body, len(body), values, encoding=RLE_DICTIONARY)
            data = with_pages(data, name, pages, footer or values)
        return _save(folder, data)

    return lie


LIES["parquet page of two thousand million elements"] = _repeated(2**31 - 1)
LIES["parquet page of more elements than the footer says"] = _repeated(2**31 - 1, footer=9)
LIES["parquet row of sixteen million tokens"] = _repeated(
    (1 << 24) - 1, names=("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
)
LIES["parquet row of seventeen million tokens"] = _repeated(17_000_000, names=("logsumexp",))
LIES["parquet row of four thousand million entries"] = _repeated(
    2**31 - 1,
    names=("top_indices_low", "top_logits_quantized", "sampled_indices_low", "sampled_logits_quantized"),
)


@_lie("parquet entries as many as sixteen million tokens may have")
def _(folder: Path) -> Path:
    path = _repeated((1 << 24) - 1, names=("top_counts", "logsumexp"))(folder)
    data = path.read_bytes()
    levels = runs((0, 1), (1, 2**31 - 2)) + runs((3, 2**31 - 1)) + b"\x00" + compact.varint(2**32 - 2)
    pages = page(b"\0\0\0\0", 4, 1, kind=DICTIONARY_PAGE) + page(levels, len(levels), 2**31 - 1, encoding=8)
    for name in ("top_indices_low", "sampled_indices_low", "sampled_logits_quantized"):
        data = with_pages(data, name, pages, 2**31 - 1)
    return _save(folder, data)


@_lie("parquet column under another name")
def _(folder: Path) -> Path:
    data = _repeated(1 << 28)(folder).read_bytes()
    return _save(folder, _with_footer(data, _named("top_indices_low", b"other")))


@_lie("parquet pages that stand twice")
def _(folder: Path) -> Path:
    data = base()
    about = _chunk(compact.footer_of(data), "num_tokens")
    start, values = about.get(9).value, about.get(5).value
    pages = data[start : start + about.get(7).value] * 2
    return _save(folder, with_pages(data, "num_tokens", pages, values))


@_lie("parquet pages of fewer values than the footer says")
def _(folder: Path) -> Path:
    def edit(footer: Field) -> None:
        _chunk(footer, "top_indices_high").get(5).value += 1

    return _edited(edit)(folder)


@_lie("parquet column in another file")
def _(folder: Path) -> Path:
    def edit(footer: Field) -> None:
        footer.get(4).value[0].get(1).value[2].value.insert(0, Field(1, BINARY, b"other.parquet"))

    return _edited(edit)(folder)


@_lie("parquet row group that stands many times")
def _(folder: Path) -> Path:
    footer = compact.footer_of(data := base())
    groups = footer.get(4)
    groups.value = groups.value * 20_000
    footer.get(3).value *= 20_000
    return _save(folder, compact.with_footer(data, footer))


# Parquet footers


def _edited(edit: Callable[[Field], None]) -> Lie:
    def lie(folder: Path) -> Path:
        return _save(folder, _with_footer(base(), edit))

    return lie


def _with_footer(data: bytes, edit: Callable[[Field], None]) -> bytes:
    footer = compact.footer_of(data)
    edit(footer)
    return compact.with_footer(data, footer)


def _chunks(footer: Field) -> list[Field]:
    return [column.get(3) for group in footer.get(4).value for column in group.get(1).value]


def _chunk(footer: Field, name: str) -> Field:
    """Return what a footer says of a column of the first row group."""
    return next(about for about in _chunks(footer) if about.get(3).value[0].value == name.encode())


def _named(name: str, other: bytes) -> Callable[[Field], None]:
    def edit(footer: Field) -> None:
        _chunk(footer, name).get(3).value[0].value = other

    return edit


def _set(name: int, value: int) -> Callable[[Field], None]:
    def edit(footer: Field) -> None:
        for about in _chunks(footer):
            if about.has(name):
                about.get(name).value = value

    return edit


for _what, _name in (("values", 5), ("size", 6), ("stored size", 7), ("page offset", 9), ("codec", 4), ("type", 1)):
    for _value in (-1, 0, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63)):
        LIES[f"parquet {_what} of {_value}"] = _edited(_set(_name, _value))


def _rows(value: int) -> Callable[[Field], None]:
    def edit(footer: Field) -> None:
        footer.get(3).value = value
        for group in footer.get(4).value:
            group.get(3).value = value

    return edit


for _value in (-1, 0, 1, 1 << 40, (1 << 63) - 1):
    LIES[f"parquet with {_value} rows"] = _edited(_rows(_value))


def _deep(depth: int) -> Callable[[Field], None]:
    """Put a column nested `depth` deep beside the others, in the schema and in each row group."""

    def edit(footer: Field) -> None:
        schema = footer.get(2)
        schema.value[0].get(5).value += 1
        for level in range(depth):
            schema.value.append(compact.struct(0, Field(3, I32, 1), Field(4, BINARY, b"n%d" % level), Field(5, I32, 1)))
        schema.value.append(compact.struct(0, Field(1, I32, 1), Field(3, I32, 1), Field(4, BINARY, b"leaf")))
        for group in footer.get(4).value:
            about = compact.parsed(compact.written(group.get(1).value[0]))[0]
            group.get(1).value.append(about)
        footer.value = [field for field in footer.value if field.id != 5]

    return edit


for _depth in (100, 20_000):
    LIES[f"parquet column nested {_depth} deep"] = _edited(_deep(_depth))


@_lie("parquet footer of a million empty column chunks")
def _(folder: Path) -> Path:
    def edit(footer: Field) -> None:
        group = footer.get(4).value[0]
        small = compact.struct(0, Field(2, I64, 0))
        group.get(1).value = [small] * 990_000
        footer.get(4).value = [group] * 5

    return _edited(edit)(folder)


@_lie("parquet footer that claims a thousand million row groups")
def _(folder: Path) -> Path:
    data = base()
    raw = b"\x15\x04\x19" + b"\xfc" + compact.varint(10**9)
    return _save(folder, data[:4] + raw + len(raw).to_bytes(4, "little") + compact.END)


for _size in (0, 1, 1 << 20, (1 << 31) - 1, (1 << 32) - 1):

    @_lie(f"parquet footer of {_size} bytes")
    def _(folder: Path, size: int = _size) -> Path:
        return _save(folder, base()[:-8] + size.to_bytes(4, "little") + compact.END)


# Width, metadata, names


@_lie("parquet with ten thousand columns")
def _(folder: Path) -> Path:
    content = table(valid_rows(), metadata=described())
    more = {f"extra {k}": pa.array([k] * len(content), pa.int32()) for k in range(10_000)}
    content = pa.table({**{n: content.column(n) for n in content.schema.names}, **more})
    return _save(folder, parquet(content))


@_lie("ipc with ten thousand columns")
def _(folder: Path) -> Path:
    content = table(valid_rows(), metadata=described())
    more = {f"extra {k}": pa.array([k] * len(content), pa.int32()) for k in range(10_000)}
    content = pa.table({**{n: content.column(n) for n in content.schema.names}, **more})
    return _save(folder, ipc(content, stream=True), "lie.arrows")


def _described(size: int) -> bytes:
    return json.dumps({**described(), "padding": "x" * size}).encode()


for _form in ("parquet", "arrow", "arrows"):

    @_lie(f"{_form} names that a terminal obeys")
    def _(folder: Path, form: str = _form) -> Path:
        content = table(valid_rows(), metadata={**described(), "model": {"id": ESCAPES}, "alignment": ESCAPES})
        content = content.append_column(ESCAPES, pa.array(range(len(content))))
        content = content.set_column(1, "top_counts", pa.array([{ESCAPES: 1}] * len(content)))
        data = parquet(content) if form == "parquet" else ipc(content, stream=form == "arrows")
        return _save(folder, data, f"{ESCAPES.replace('/', '')}.{form}")


@_lie("parquet metadata of 50 MB")
def _(folder: Path) -> Path:
    return _save(folder, parquet(table(valid_rows(), metadata=_described(50_000_000))))


@_lie("arrow stream, metadata of 100 MB")
def _(folder: Path) -> Path:
    return _save(folder, ipc(table(valid_rows(), metadata=_described(100_000_000)), stream=True), "lie.arrows")


@_lie("sidecar of 100 MB")
def _(folder: Path) -> Path:
    (folder / "logitpack.json").write_bytes(_described(100_000_000))
    return _save(folder, parquet(table(valid_rows())))


@_lie("metadata nested deeply")
def _(folder: Path) -> Path:
    return _save(folder, parquet(table(valid_rows(), metadata=b'{"a":' * 150_000)))


@_lie("metadata of members that stand twice")
def _(folder: Path) -> Path:
    raw = "{" + ",".join(f'"{k}":0' for k in [*range(50_000), *range(50_000)]) + "}"
    return _save(folder, parquet(table(valid_rows(), metadata=raw.encode())))


@_lie("metadata with long numbers")
def _(folder: Path) -> Path:
    raw = json.dumps({**described(), "vocab_size": 0}).replace('"vocab_size": 0', '"vocab_size": ' + "9" * 900_000)
    return _save(folder, parquet(table(valid_rows(), metadata=raw.encode())))


@_lie("type of twenty thousand members")
def _(folder: Path) -> Path:
    content = table(valid_rows(), metadata=described())
    wide = pa.array([None] * len(content), pa.struct([(f"member {k}", pa.int8()) for k in range(20_000)]))
    return _save(folder, ipc(content.set_column(1, "top_counts", wide), stream=True), "lie.arrows")


# Stored JSON


def _json_lie(name: str, text: Callable[[], str]) -> None:
    LIES[f"json {name}"] = lambda folder: _save(folder, text().encode("utf-8", "surrogatepass"), "lie.ndjson")


_json_lie("nested deeply", lambda: '{"a":' * 1_000_000)
_json_lie("list nested deeply", lambda: '{"top_counts":' + "[" * 1_000_000)
_json_lie("number of a million digits", lambda: '{"num_tokens":' + "9" * 1_000_000 + "}")
_json_lie("exponent of nines", lambda: '{"num_tokens":1,"top_min":[1e' + "9" * 1000 + "]}")
_json_lie("members that a terminal obeys", lambda: json.dumps({ESCAPES: ESCAPES, "num_tokens": ESCAPES}))
_json_lie("line without end", lambda: '{"num_tokens": ' + " " * 50_000_000)
_json_lie("blank", lambda: " " * 50_000_000)
_json_lie("members that stand twice", lambda: "{" + ",".join(f'"{k % 200_000}":0' for k in range(400_000)) + "}")
_json_lie("million short lines", lambda: "{}\n" * 1_000_000)


# Arrow IPC


def _ipc_lie(name: str, change: Callable[[bytearray], bytes | None], **options: Any) -> None:
    """Register a lie of a file and of a stream, told by changing one of valid rows."""

    def lie(stream: bool) -> Lie:
        def tell(folder: Path) -> Path:
            data = bytearray(ipc(options.get("content", rows_table)(), stream=stream, compression=options.get("codec")))
            return _save(folder, change(data) or bytes(data), "lie.arrows" if stream else "lie.arrow")

        return tell

    LIES[f"arrow file, {name}"] = lie(stream=False)
    LIES[f"arrow stream, {name}"] = lie(stream=True)


def _batches(data: bytearray) -> list[flat.Message]:
    return [message for message in flat.messages(data) if message.kind == flat.RECORD_BATCH]


def _each(part: str, offset: int, value: int) -> Callable[[bytearray], None]:
    """Overwrite a number of each array or buffer of the record batches."""

    def change(data: bytearray) -> None:
        for message in _batches(data):
            for at in getattr(message, part):
                flat.put(data, at + offset, value)

    return change


for _what, _part, _offset in (
    ("lengths", "nodes", 0),
    ("null counts", "nodes", 8),
    ("buffer offsets", "buffers", 0),
    ("buffer lengths", "buffers", 8),
):
    for _value in (-1, 0, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63)):
        _ipc_lie(f"{_what} of {_value}", _each(_part, _offset, _value))


def _claims(size: int) -> Callable[[bytearray], None]:
    """Let each compressed buffer claim a size."""

    def change(data: bytearray) -> None:
        for message in _batches(data):
            for at in message.buffers:
                if flat.number(data, at + 8, "<q"):
                    flat.put(data, message.body + flat.number(data, at, "<q"), size)

    return change


for _codec in ("lz4", "zstd"):
    for _value in (-2, 0, 1 << 32, (1 << 63) - 1):
        _ipc_lie(f"{_codec} buffers that claim {_value} bytes", _claims(_value), codec=_codec)


@cache
def _repetitive_rows() -> pa.Table:
    """Return valid rows beside a column that zstd makes a hundred times smaller."""
    noise = np.random.default_rng(1).bytes(400_000)
    return rows_table().append_column("noise", pa.array([noise * 95, b"", b""], pa.binary()))


def _shared(data: bytearray) -> None:
    """Let all buffers of a record batch be the largest of them."""
    for message in _batches(data):
        at = max(message.buffers, key=lambda at: flat.number(data, at + 8, "<q"))
        for other in message.buffers:
            if flat.number(data, other + 8, "<q"):
                data[other : other + 16] = data[at : at + 16]


_ipc_lie("compressed buffers that share their bytes", _shared, content=_repetitive_rows, codec="zstd")


@cache
def _zero_rows() -> pa.Table:
    """Return a row whose lists have 2**28 zeros each."""
    count = 1 << 28
    zeros = pa.array(np.zeros(count, np.uint8))
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), zeros)
    return _of_all(pa.array([count], pa.int32()), lists, pa.array([b"\0" * 9]))


def _of_all(tokens: pa.Array, lists: pa.Array, binary: pa.Array) -> pa.Table:
    """Return rows of which all lists are the same."""
    wide = pa.LargeListViewArray.from_arrays(
        pa.array([0] * len(tokens)), pa.array([1] * len(tokens)), pa.array([0.0], pa.float64())
    )
    columns = {}
    for name, column in COLUMNS.items():
        if column.kind == "list":
            columns[name] = wide if column.accepts == "float" else lists
        else:
            columns[name] = tokens if column.kind == "scalar" else binary
    return pa.table(columns)


for _codec in ("lz4", "zstd"):
    _ipc_lie(f"buffers of zeros, {_codec}", lambda _: None, content=_zero_rows, codec=_codec)


def _words(indices: pa.Array, size: int = 1 << 28) -> pa.Table:
    """Return valid rows beside a column whose dictionary is one long word."""
    word = pa.Array.from_buffers(
        pa.large_string(), 1, [None, pa.py_buffer(np.array([0, size], np.int64)), pa.py_buffer(b"a" * size)]
    )
    return rows_table().append_column("words", pa.DictionaryArray.from_arrays(indices, word))


_ipc_lie("dictionary of one long word", lambda _: None, content=lambda: _words(pa.array([0, 0, 0])), codec="zstd")


def _views(rows: int, elements: int) -> pa.Table:
    """Return rows whose lists all show the same elements."""
    lists = pa.LargeListViewArray.from_arrays(
        pa.array(np.zeros(rows, np.int64)), pa.array(np.full(rows, elements)), pa.array(np.zeros(elements, np.uint8))
    )
    return _of_all(pa.array([elements] * rows, pa.int32()), lists, pa.array([b"\0"] * rows))


_ipc_lie("a hundred thousand views of the same elements", lambda _: None, content=lambda: _views(100_000, 100_000))
_ipc_lie(
    "views of the same ten million elements", lambda _: None, content=lambda: _views(10_000, 10_000_000), codec="zstd"
)


def _bytes_views(rows: int, size: int) -> pa.Table:
    content = rows_table().slice(0, 1)
    views = np.tile(np.array([size, 0, 0, 0], np.int32), rows)
    array = pa.Array.from_buffers(pa.binary_view(), rows, [None, pa.py_buffer(views), pa.py_buffer(bytes(size))])
    content = content.take(pa.array(np.zeros(rows, np.int64)))
    return content.set_column(content.schema.get_field_index("top_indices_high"), "top_indices_high", array)


_ipc_lie("views of the same bytes", lambda _: None, content=lambda: _bytes_views(60_000, 1_000_000))


def _offsets(*values: int) -> Callable[[bytearray], None]:
    """Overwrite the offsets of the column `top_counts`."""

    def change(data: bytearray) -> None:
        for message in _batches(data):
            at = message.body + flat.number(data, message.buffers[3], "<q")  # after two of num_tokens, and its nulls
            for k, value in enumerate(values):
                flat.put(data, at + 4 * k, value, "<i")

    return change


_ipc_lie("offsets that decrease", _offsets(0, 8, 4, 12))
_ipc_lie("offsets that point outside", _offsets(0, 4, 8, 2**31 - 1))
_ipc_lie("negative offsets", _offsets(-8, 0, 8, 12))


def _nothing() -> pa.Table:
    """Return rows whose counts are lists of a fixed length of 0."""
    empty = pa.Array.from_buffers(pa.list_(pa.uint8(), 0), 3, [None], children=[pa.array([], pa.uint8())])
    return rows_table().set_column(1, "top_counts", empty)


_ipc_lie("fixed lists of nothing", lambda _: None, content=_nothing)


@_lie("arrow file, batch that stands many times")
def _(folder: Path) -> Path:
    big = table(valid_rows() * 400, metadata=described())
    data = bytearray(ipc(big, stream=False))
    (block,) = flat.blocks(data)
    size = flat.number(data, len(data) - 10)
    start = len(data) - 10 - size
    count = 40_000
    # The vector of blocks is put behind everything else, and pointed to.
    root = start + flat.number(data, start, "<I")
    at = flat.field(data, root, 3)
    assert at is not None
    end = start + size
    pad = -(end - start + 4) % 8
    vector = bytes(pad) + count.to_bytes(4, "little") + bytes(data[block : block + 24]) * count
    flat.put(data, at, end + pad - at, "<I")
    raw = data[:end] + vector + (size + len(vector)).to_bytes(4, "little") + b"ARROW1"
    return _save(folder, bytes(raw), "lie.arrow")


def _nested(depth: int) -> pa.Table:
    array = pa.array([1, 2, 3])
    for _ in range(depth):
        array = pa.StructArray.from_arrays([array], ["n"])
    return rows_table().append_column("deep", array)


for _depth in (60,):
    _ipc_lie(f"column nested {_depth} deep", lambda _: None, content=lambda depth=_depth: _nested(depth))


@_lie("arrow stream of a thousand empty batches")
def _(folder: Path) -> Path:
    data = ipc(rows_table().slice(0, 0), stream=True)
    empty = pa.RecordBatch.from_pylist([], schema=rows_table().schema).serialize().to_pybytes()
    return _save(folder, data[:-8] + empty * 1_000 + data[-8:], "lie.arrows")


for _what, _size in (("negative", -5), ("2 GiB", 2**31 - 1)):

    @_lie(f"arrow stream, metadata of {_what} length")
    def _(folder: Path, size: int = _size) -> Path:
        data = bytearray(ipc(rows_table(), stream=True))
        (message,) = _batches(data)
        flat.put(data, message.start - 4, size, "<i")
        return _save(folder, bytes(data), "lie.arrows")
