"""The reader behind the conformance protocol: requests on standard input, responses on standard output."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import duckdb

from reader import BadFileError, connect, rows

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
# What is no fault of the file: of the system, or of the queries.
NOT_THE_FILE = (
    *(OSError, NotImplementedError, duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException),
    *(duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException),
)


def read(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> dict[str, str]:
    """Read a file or folder into a file of logical JSON, and say how it went, as the protocol has it."""
    part = Path(f"{target}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as output:
            output.writelines(rows(connection, source))
        part.replace(target)
    except NOT_THE_FILE as error:
        return {"outcome": "error", "message": str(error)}
    except (BadFileError, duckdb.Error) as error:
        message = str(error).partition("\n")[0]
        broken = re.search(r"\b[A-Z]+-\d+(?=: )", message)
        return {"outcome": "rejected", "requirement": broken[0] if broken else "FILE-1", "message": message}
    finally:
        part.unlink(missing_ok=True)
    return {"outcome": "accepted"}


def main() -> None:
    """Answer requests until the input ends."""
    connection = connect()
    for line in sys.stdin.buffer:
        request: dict[str, Any] = json.loads(line)
        answer: dict[str, Any] = {"outcome": "error", "message": "this adapter only reads"}
        if request["cmd"] == "hello":
            answer = HELLO
        elif request["cmd"] == "read":
            answer = read(connection, request["input"], request["output"])
            if answer["outcome"] == "error":
                connection = connect()  # after some errors of DuckDB nothing works any more
        print(json.dumps({"seq": request["seq"], **answer}), flush=True)


if __name__ == "__main__":
    main()
