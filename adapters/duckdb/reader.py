"""A reader of LogitPack 1.0 in Parquet: runs the SQL files beside it in DuckDB."""

import os
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).parent
SQL = "".join((HERE / name).read_text(encoding="utf-8") for name in ("logitpack.sql", "parquet.sql", "metadata.sql"))
SIDECAR = "logitpack.json"
METADATA_BYTES = 1 << 20  # META-7
NO_VOCAB_SIZE = 1 << 31  # above every token id
TOKENS = 2048  # fetched at a time: as many as DuckDB decodes at a time


class BadFileError(Exception):
    """A file that cannot be read. The text begins with the id of the requirement that it breaks."""


def connect(memory_limit: str = "1200MB") -> duckdb.DuckDBPyConnection:
    """Open a database in memory that has the macros of the SQL files, loads no extension and spills nothing."""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": min(2, os.cpu_count() or 1),
            "max_temp_directory_size": "0MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,  # whoever overwrites a file reads the new one
        }
    )
    connection.execute(SQL)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, path: str) -> Iterator[str]:
    """Read the rows of a file, or of a folder of files, in order, each as a line of logical JSON (SPEC.md, 4.4).

    Raises BadFileError where a file breaks a structural requirement or META-2: for what a row breaks, when its turn
    comes. Raises duckdb.Error where DuckDB cannot read a file, and OSError.
    """
    if not Path(path).is_dir():
        yield from _rows_of_file(connection, path, [Path(path).parent])
        return
    files = connection.execute("FROM logitpack_files($1)", [path]).fetchall()
    if not files:
        raise FileNotFoundError(f"no data file in {path}")
    for (file,) in files:
        if not file.endswith(".parquet"):
            raise NotImplementedError(f"only Parquet is read, not {file}")
        yield from _rows_of_file(connection, file, [Path(file).parent, Path(path)])


def _rows_of_file(connection: duckdb.DuckDBPyConnection, file: str, folders: list[Path]) -> Iterator[str]:
    with Path(file).open("rb") as stream:
        if stream.read(4) != b"PAR1":  # the one thing that DuckDB does not look at
            raise BadFileError("FILE-1: the file does not begin with PAR1")
    pattern = _query(connection, "SELECT logitpack_literal($1)", file)[0][0]
    vocab_size = _vocab_size(connection, pattern, folders)
    for _, message in _query(connection, "FROM logitpack_file_breaches($1) LIMIT 1", pattern):
        raise BadFileError(message)
    columns = _query(connection, "SELECT expression || ' AS ' || name FROM logitpack_columns($1)", pattern)
    table = connection.read_parquet(pattern, hive_partitioning=False)
    table.project(", ".join(column for (column,) in columns)).create_view("stored")
    tokens = connection.execute("FROM logitpack_json('stored', vocab_size := $1)", [vocab_size])
    for _, group in groupby(_fetch(tokens), key=itemgetter(0)):
        yield '{"tokens":[' + ",".join(token for _, token in group) + "]}\n"


def _vocab_size(connection: duckdb.DuckDBPyConnection, pattern: str, folders: list[Path]) -> int:
    """Find what the metadata in force declare (section 13): the first valid ones, in the file or then in the folders.

    Raises BadFileError for META-2.
    """
    embedded = "SELECT value FROM parquet_kv_metadata($1) WHERE key = 'logitpack'::BLOB"
    documents = [value for (value,) in _query(connection, embedded, pattern)]
    beside = [folder / SIDECAR for folder in folders]
    documents += [path.read_bytes() for path in beside if path.is_file() and path.stat().st_size <= METADATA_BYTES]
    for document in documents:
        ((state, vocab_size),) = _query(connection, "FROM logitpack_metadata($1::BLOB)", document)
        if state == "foreign":
            raise BadFileError("META-2: the metadata are of another major version")
        if state == "known":
            return int(vocab_size)
    return NO_VOCAB_SIZE


def _query(connection: duckdb.DuckDBPyConnection, query: str, value: object) -> list[Any]:
    return connection.execute(query, [value]).fetchall()


def _fetch(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str]]:
    while some := result.fetchmany(TOKENS):
        yield from some
