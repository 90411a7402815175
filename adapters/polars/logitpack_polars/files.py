"""Files and folders (section 4): what is read is checked, what is written is whole."""

import mmap
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from logitpack_polars import structure
from logitpack_polars.columns import CANONICAL, TOKENS
from logitpack_polars.decoding import decode
from logitpack_polars.encoding import encode
from logitpack_polars.faults import BreachError, UnsupportedFeatureError, reject
from logitpack_polars.headers import DICTIONARY, FIXED_SIZE_BINARY, Header, header
from logitpack_polars.metadata import KEY, LARGEST, SIDECAR, in_force, serialised

Container = Literal["parquet", "arrow-file", "arrow-stream"]
SUFFIXES = {".parquet", ".arrow", ".arrows"}
TOKENS_IN_GROUP = 65_536
# Types that Polars lacks, and one that it reads but for compressed buffers of no bytes.
UNREADABLE = {"binary_view", "interval", "list_view", "run_end_encoded", "union"}
# Of columns that nobody reads, Polars need not know the time zones.
os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")
# What is wrong inside a file shows as one of these. A panic is no Exception.
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


class Stored(NamedTuple):
    """The rows of a file, without structural faults, and the metadata in force for it."""

    rows: pl.DataFrame
    metadata: dict[str, Any] | None


def read(path: str | Path) -> pl.DataFrame:
    """Read the tokens of a file, or of a folder of files (section 4.2), as `decode` returns them.

    Rows are numbered on from file to file. Raises BreachError for the first structural fault, before anything is
    returned, and UnsupportedFeatureError for what Polars cannot read.
    """
    frames, rows = [pl.DataFrame(schema=TOKENS).drop("token_id")], 0
    for file in files(Path(path)):
        stored = load(file, Path(path))
        vocab_size = None if stored.metadata is None else int(stored.metadata["vocab_size"])
        tokens = decode(stored.rows.lazy(), vocab_size).collect()
        frames.append(tokens.with_columns(pl.col("row") + rows))
        rows += stored.rows.height
    return pl.concat(frames, how="diagonal")


def files(path: Path) -> list[Path]:
    """List the data files of a dataset, in their order. Raises FileNotFoundError where there is none."""
    if not path.is_dir():
        return [path]
    found = [file.relative_to(path) for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file()]
    shown = [file for file in found if not any(part.startswith((".", "_")) for part in file.parts)]
    if not shown:
        raise FileNotFoundError(f"{path}: no data files")
    return [path / file for file in sorted(shown, key=lambda file: file.as_posix())]


def load(path: Path, root: Path) -> Stored:
    """Load the rows of one file of the dataset at `root`, which may be that file. Raises as `read` does."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
    head = header(data)
    metadata = in_force(_metadata(data, path, root, head))
    _check_header(data, head)
    try:
        rows = _scan(path, data, head)
        schema = rows.collect_schema()
        structure.check_schema(schema)
        stored = structure.plain(rows, schema).collect()
        if data[:4] == b"PAR1" and stored.height != rows.select(pl.len()).collect().item():
            raise BreachError("FILE-1", "the footer counts other rows than there are")
    except DAMAGE as error:
        for feature in UNREADABLE & set().union(*(column.odd for column in head.columns)):
            raise UnsupportedFeatureError(feature) from error
        raise BreachError("FILE-1", f"Polars does not read it: {error}") from error
    reject(structure.faults(stored.lazy(), stored.schema))
    return Stored(stored, metadata)


def _scan(path: Path, data: Any, head: Header) -> pl.LazyFrame:
    names = {bytes(data[column.name]) for column in head.columns}
    if data[:4] == b"PAR1":
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        try:
            rows.collect_schema()
        except DAMAGE:
            rows = pl.scan_parquet(_eased(data, head))
        return rows
    source = path if len(names) == len(head.columns) else _eased(data, head)
    if data[:6] == b"ARROW1":
        return pl.scan_ipc(source, glob=False, hive_partitioning=False)
    return pl.read_ipc_stream(source, columns=[name for name in CANONICAL if name.encode() in names]).lazy()


def _metadata(data: Any, path: Path, root: Path, head: Header) -> Iterator[bytes]:
    yield from head.metadata
    if data[:4] == b"PAR1":
        try:
            text = pl.read_parquet_metadata(path).get(KEY)
        except DAMAGE as error:
            raise BreachError("FILE-1", f"Polars does not read it: {error}") from error
        if text is not None:
            yield text.encode()
    for folder in dict.fromkeys((path.parent, root if root.is_dir() else path.parent)):
        if (folder / SIDECAR).is_file():
            with (folder / SIDECAR).open("rb") as file:
                yield file.read(LARGEST + 1)


def _check_header(data: Any, head: Header) -> None:
    names = Counter(bytes(data[column.name]) for column in head.columns)
    for column in head.columns:
        name = bytes(data[column.name])
        if name.decode(errors="replace") in CANONICAL:
            if names[name] > 1:
                raise BreachError("COL-1", f"{name.decode()} stands twice")
            for odd in column.odd & {DICTIONARY, FIXED_SIZE_BINARY}:
                raise BreachError("COL-2", f"{name.decode()} is {odd}")


def _eased(data: Any, head: Header) -> bytes:
    """Copy a file that is valid but not for Polars.

    Other columns that share a name, which those of a frame cannot, get numbers for names. The footer of Parquet loses
    the hint at Arrow types: what counts is its own schema (section 5), and some of those types Polars has not.
    """
    copy, names = bytearray(data), {bytes(data[column.name]) for column in head.columns}
    seen: set[bytes] = set()
    numbers: dict[int, Iterator[int]] = {}
    for column in head.columns:
        name = bytes(data[column.name])
        if name in seen:
            size = len(name)
            unused = numbers.setdefault(size, iter(range(10 ** min(size, 9))))
            spare = next((spare for number in unused if (spare := b"%0*d" % (size, number)) not in names), None)
            if spare is None:
                raise UnsupportedFeatureError("so many columns of one name")
            copy[column.name] = spare
        seen.add(name)
    if data[:4] == b"PAR1":
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        copy[footer:] = copy[footer:].replace(b"ARROW:schema", b"arrow:schema")
    return bytes(copy)


def write(
    tokens: pl.DataFrame,
    path: str | Path,
    container: Container = "parquet",
    metadata: dict[str, Any] | None = None,
) -> None:
    """Write tokens to a file: all of it, or nothing (WR-2).

    Polars embeds metadata in Parquet. It has no way to in Arrow files: there they go into `logitpack.json`, beside the
    file, which speaks for all files of the folder, and one that says otherwise is not replaced.
    Raises BreachError for tokens and metadata that cannot be stored, as `encode` does.
    """
    path = Path(path)
    text = None if metadata is None else serialised(metadata)
    rows = encode(tokens, metadata)
    with tempfile.TemporaryDirectory(prefix=".logitpack-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        if container == "parquet":
            tokens_in_row = max(1, len(tokens) // max(1, len(rows)))
            groups = max(1, TOKENS_IN_GROUP // tokens_in_row)
            rows.write_parquet(temporary, row_group_size=groups, metadata={} if text is None else {KEY: text})
        else:
            writers: dict[str, Callable[..., object]]
            writers = {"arrow-file": rows.write_ipc, "arrow-stream": rows.write_ipc_stream}
            writers[container](temporary, compression="zstd", compat_level=pl.CompatLevel.oldest())
            if text is not None:
                _write_sidecar(path.parent / SIDECAR, text, Path(folder) / SIDECAR)
        temporary.replace(path)


def _write_sidecar(path: Path, text: str, temporary: Path) -> None:
    if path.exists():
        if in_force([path.read_bytes()]) != in_force([text.encode()]):
            raise BreachError("FILE-2", f"{path.name} says otherwise of this folder")
        return
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
