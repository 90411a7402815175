"""The adapter: requests of the conformance suite on standard input, a response a line on standard output."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

import logitpack_polars
from logitpack_polars.logical import from_json, to_json

HELLO = {
    "protocol": 1,
    "spec": ["1.0"],
    "name": "polars",
    "version": pl.__version__,
    "language": "python",
    "roles": ["reader", "writer"],
    "containers": ["parquet", "arrow-file", "arrow-stream"],
    # Neither list_view nor run_end_encoded: Polars has no such types. Nor binary_view, which it reads but for one form.
    "features": [
        *("zstd", "snappy", "gzip", "lz4", "brotli", "arrow_zstd", "arrow_lz4"),
        *("byte_stream_split", "dictionary", "delta", "data_page_v2"),
        *("wide_integers", "float16", "float64", "large_list", "fixed_size_list", "large_binary"),
        *("legacy_stream", "nested_columns", "dataset", "token_ids", "sidecar"),
    ],
    "homepage": "https://pola.rs",
}


def read(request: dict[str, Any]) -> None:
    """Answer a request `read`."""
    lines = to_json(logitpack_polars.read(request["input"]))
    lines.write_csv(request["output"], include_header=False, quote_style="never")


def write(request: dict[str, Any]) -> None:
    """Answer a request `write`."""
    try:
        tokens = from_json(Path(request["input"]))
    except pl.exceptions.PolarsError as error:
        raise logitpack_polars.BreachError("WR-1", f"rows of another form than logical JSON: {error}") from error
    logitpack_polars.write(tokens, request["output"], request["container"], request["metadata"])


COMMANDS: dict[str, Callable[[dict[str, Any]], None]] = {"read": read, "write": write}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to `request`, without its number."""
    if request["cmd"] == "hello":
        return HELLO
    try:
        COMMANDS[request["cmd"]](request)
    except logitpack_polars.BreachError as error:
        return {"outcome": "rejected", "requirement": error.requirement, "message": str(error)}
    except logitpack_polars.UnsupportedFeatureError as error:
        return {"outcome": "unsupported", "feature": error.feature, "message": str(error)}
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # the session goes on
        return {"outcome": "error", "message": f"{type(error).__name__}: {error}"}
    return {"outcome": "accepted"}


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        request = json.loads(line)
        print(json.dumps({"seq": request["seq"], **answer(request)}), flush=True)  # noqa: T201
