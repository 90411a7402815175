"""Size on disk: the recommended Parquet settings against others, on the real dataset.

python benchmarks/size.py [PATH]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import logitpack

REAL = Path(__file__).resolve().parents[1] / "fixtures" / "real" / "smollm2-135m-instruct"
BASELINE = "zstd, pyarrow's defaults"


def parquet(table: pa.Table, path: Path, **settings: Any) -> int:
    """Write a table with pyarrow alone, and give the file's size."""
    pq.write_table(table, path, **settings)
    return path.stat().st_size


def main() -> None:
    """Print bytes a token and ratios."""
    reader = logitpack.read(sys.argv[1] if len(sys.argv) > 1 else REAL)
    table = pa.Table.from_batches(reader.record_batches())
    metadata = reader.metadata
    tokens = sum(table["num_tokens"].to_pylist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.parquet")
        sizes = {
            "snappy, pyarrow's defaults": parquet(table, path),
            BASELINE: parquet(table, path, compression="zstd"),
            "zstd, no dictionaries": parquet(table, path, compression="zstd", use_dictionary=False),
        }
        for name in ("recommended.parquet", "recommended.arrow"):
            logitpack.write(Path(folder, name), table, metadata)
            sizes[f"logitpack.write, {Path(name).suffix}"] = Path(folder, name).stat().st_size
    print(f"{tokens} tokens in {table.num_rows} rows")
    print(f"{'settings':<30}{'bytes/token':>12}{'ratio':>8}")
    for name, size in sizes.items():
        print(f"{name:<30}{size / tokens:>12.1f}{size / sizes[BASELINE]:>8.3f}")


if __name__ == "__main__":
    main()
