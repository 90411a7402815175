"""A reader of LogitPack in Parquet that runs the SQL files beside it in DuckDB, and the loop of the conformance protocol."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
SQL = "".join((HERE / name).read_text(encoding="utf-8") for name in ("logitpack.sql", "parquet.sql", "metadata.sql"))
SIDECAR = "logitpack.json"
METADATA_BYTES = 1 << 20  # META-7
UNBOUNDED = 1 << 31
TOKENS = 2048  # fetched at a time: as many as DuckDB decodes at a time

HELLO = {
    "protocol": 1,
    "spec": ["1.0"],
    "name": "duckdb",
    "version": duckdb.__version__,
    "language": "sql",
    "roles": ["reader"],
    "containers": ["parquet"],
    "features": [
        *("zstd", "snappy", "gzip", "lz4", "brotli", "byte_stream_split", "dictionary", "delta", "data_page_v2"),
        *("wide_integers", "float16", "float64", "nested_columns", "token_ids", "dataset", "sidecar"),
    ],
}


class BadFileError(Exception):
    """The file cannot be read. The text begins with the requirement that it breaks."""


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory with the macros of the SQL files, bounded in memory, that asks no network for anything."""
    connection = duckdb.connect(
        config={
            "memory_limit": "1200MB",
            "threads": min(2, os.cpu_count() or 1),
            "max_temp_directory_size": "0MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,
        }
    )
    connection.execute(SQL)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, path: str) -> Iterator[str]:
    """The rows of a file or of a folder of files, in order, each as a line of logical JSON (SPEC.md, section 4.4).

    Raises BadFileError where a file breaks a structural requirement or META-2, at the latest at the row that does.
    """
    if not Path(path).is_dir():
        yield from _rows_of_file(connection, path, [Path(path).parent])
        return
    files = connection.execute("FROM logitpack_files($1)", [path]).fetchall()
    for (file,) in files:
        yield from _rows_of_file(connection, file, [Path(file).parent, Path(path)])


def _rows_of_file(connection: duckdb.DuckDBPyConnection, file: str, folders: list[Path]) -> Iterator[str]:
    with Path(file).open("rb") as stream:
        if stream.read(4) != b"PAR1":  # which DuckDB does not look at
            raise BadFileError("FILE-1: the file does not begin with PAR1")
    (pattern,) = _one(connection, "SELECT logitpack_literal($1)", file)
    vocab_size = _vocab_size(connection, pattern, folders)
    if breach := connection.execute("SELECT message FROM logitpack_file_breaches($1)", [pattern]).fetchone():
        raise BadFileError(breach[0])
    columns = connection.execute("FROM logitpack_columns($1) SEMI JOIN logitpack_expected() USING (name)", [pattern])
    stored = ", ".join(f"#{position + 1} AS {name}" for position, name, *_ in columns.fetchall())
    connection.read_parquet(pattern, hive_partitioning=False).project(stored).create_view("stored")
    tokens = connection.execute("FROM logitpack_json('stored', vocab_size := $1)", [vocab_size])
    for _, group in groupby(_fetch(tokens), key=itemgetter(0)):
        yield '{"tokens":[' + ",".join(token for _, token in group) + "]}\n"


def _fetch(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str]]:
    while some := result.fetchmany(TOKENS):
        yield from some


def _one(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> tuple:
    row = connection.execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - a query that always has one
    return row


def _vocab_size(connection: duckdb.DuckDBPyConnection, pattern: str, folders: list[Path]) -> int:
    """The vocab_size that the metadata in force declare, those in the file or the first beside it, or what bounds it.

    Raises BadFileError for META-2.
    """
    query = "SELECT value FROM parquet_kv_metadata($1) WHERE key = 'logitpack'::BLOB"
    documents = [value for (value,) in connection.execute(query, [pattern]).fetchall()]
    beside = [folder / SIDECAR for folder in folders]
    documents += [path.read_bytes() for path in beside if path.is_file() and path.stat().st_size <= METADATA_BYTES]
    for document in documents:
        state, vocab_size = _one(connection, "FROM logitpack_metadata($1::BLOB)", document)
        if state == "foreign":
            raise BadFileError("META-2: the metadata are of another major version")
        if state == "known":
            return vocab_size
    return UNBOUNDED


def read(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> dict[str, str]:
    """Read a file or folder into a file of logical JSON, and say how it went, as the protocol has it."""
    try:
        with Path(target).open("w", encoding="utf-8", newline="\n") as output:
            output.writelines(rows(connection, source))
    except (BadFileError, duckdb.Error) as error:
        message = str(error)
        return {"outcome": "rejected", "message": message}
    return {"outcome": "accepted"}


def main() -> None:
    connection = connect()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answer = HELLO if request["cmd"] == "hello" else read(connection, request["input"], request["output"])
        print(json.dumps({"seq": request["seq"], **answer}), flush=True)


if __name__ == "__main__":
    main()
