"""An adapter for `logitpack conform` around the dataset card, which LOGITPACK_SEED_CARD names: python adapter.py

Whatever stops the card's functions or `datasets` gives the user no rows, and so rejects the file.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import warm

if TYPE_CHECKING:
    import seed_card

CONTAINERS = ["parquet", "arrow-file", "arrow-stream"]
MEMORY = 8 << 30
"""Bytes of address space. Of a row that claims 2^31 tokens the card makes a list of 17 GB: it ends in a MemoryError."""

# Neither views nor run-end encoded columns nor maps have a type in `datasets`; of token ids the card knows nothing.
PARQUET = ["zstd", "snappy", "gzip", "lz4", "brotli", "byte_stream_split", "dictionary", "delta", "data_page_v2"]
ARROW = ["arrow_zstd", "arrow_lz4", "legacy_stream", "large_list", "fixed_size_list", "large_binary", "binary_view"]
HELLO = {
    "protocol": 1,
    "spec": ["1.0"],
    "name": "seed-card",
    "version": f"datasets {version('datasets')}, numpy {version('numpy')}",
    "language": "python",
    "roles": ["reader"],
    "containers": CONTAINERS,
    "features": [*PARQUET, *ARROW, "wide_integers", "float16", "float64", "dataset", "sidecar"],
}


def plain(value: Any) -> Any:
    """Return a value in the terms of JSON, where numbers that are not finite are strings."""
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # an array
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def read(functions: seed_card.Functions, request: Mapping[str, Any]) -> None:
    """Write the rows of a file as logical JSON."""
    import seed_card

    with Path(request["output"]).open("w", encoding="utf-8", newline="\n") as output:
        for sample in seed_card.stream(request["input"], request["container"]):
            json.dump({"tokens": plain(seed_card.decode(functions, sample))}, output, allow_nan=False)
            output.write("\n")


def answer(functions: seed_card.Functions, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response to a request, without its number."""
    if request["cmd"] == "hello":
        return HELLO
    if request["cmd"] != "read":
        return {"outcome": "error", "message": f"the card cannot {request['cmd']}"}
    try:
        read(functions, request)
    except Exception as error:  # noqa: BLE001 - the card names none
        return {"outcome": "rejected", "message": f"{type(error).__name__}: {error}"}
    return {"outcome": "accepted"}


def load() -> seed_card.Functions:
    """Import what takes seconds, so that no request waits for it, and return the functions of the card."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets  # noqa: F401

    import seed_card

    return seed_card.load()


def main() -> int:
    """Answer the requests on standard input; return the exit status."""
    try:
        functions = load()
    except (OSError, ValueError) as error:
        print(f"the dataset card cannot be used: {error}", file=sys.stderr)
        return 1
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        with redirect_stdout(sys.stderr):
            response = {"seq": request["seq"], **answer(functions, request)}
        print(json.dumps(response), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(warm.run(main))
