"""Fixtures: a connection, and one with the row of SPEC.md's appendix A in a table."""

from collections.abc import Iterator

import duckdb
import pytest
from support import COLUMNS, example

import reader


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with reader.connect() as opened:
        yield opened


@pytest.fixture
def table(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Put the row of SPEC.md's appendix A into a table `worked`, of canonical types."""
    read = {name: f"from_base64(${name})" if kind == "BLOB" else f"${name}::{kind}" for name, kind in COLUMNS.items()}
    values = ", ".join(f"{value} AS {name}" for name, value in read.items())
    connection.execute(f"CREATE TABLE worked AS SELECT {values}", example("row-stored"))
    return connection
