"""Readers to hold `logitpack check` against, each a process of its own: `python benchmarks/reads.py NAME FOLDER`.

Strategy: a reader goes over all columns of all files of a dataset, a file at a time, and lets go of what it has read.
Each imports what it needs and no more, for start-up counts.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path


def nothing(_folder: Path, _options: argparse.Namespace) -> None:
    """Start and stop: what an interpreter takes by itself."""


def bare(folder: Path, options: argparse.Namespace) -> None:
    """Read with pyarrow alone."""
    _pyarrow(folder, options, verify=False)


def verified(folder: Path, options: argparse.Namespace) -> None:
    """Read with pyarrow alone, which verifies page checksums."""
    _pyarrow(folder, options, verify=True)


def _pyarrow(folder: Path, options: argparse.Namespace, *, verify: bool) -> None:
    import pyarrow as pa

    pa.set_cpu_count(options.threads)
    pa.set_io_thread_count(options.threads)
    for path in _files(folder):
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            pq.read_table(path, page_checksum_verification=verify, use_threads=options.threads > 1)
            continue
        ipc_options = pa.ipc.IpcReadOptions(use_threads=options.threads > 1)
        with pa.memory_map(str(path)) as source:
            opened = pa.ipc.open_file if path.suffix == ".arrow" else pa.ipc.open_stream
            opened(source, options=ipc_options).read_all()


def decode(folder: Path, _options: argparse.Namespace) -> None:
    """Decode with `logitpack.read`."""
    import logitpack

    for batch in logitpack.read(folder):
        del batch


def card(folder: Path, options: argparse.Namespace) -> None:
    """Decode with the functions of a dataset card, from rows of Python lists as `datasets` gives them."""
    import decode as seed
    import pyarrow.parquet as pq

    functions = seed.card_functions(options.card)
    for path in _files(folder):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=64):
            seed.decode_as_card(functions, batch.to_pylist())


def duckdb(folder: Path, options: argparse.Namespace) -> None:
    """Read with DuckDB."""
    import duckdb as engine

    connection = engine.connect(config={"threads": options.threads})
    for path in _files(folder):
        relation = connection.sql("SELECT * FROM read_parquet($path)", params={"path": str(path)})
        for batch in relation.to_arrow_reader(50_000):
            del batch


def polars(folder: Path, options: argparse.Namespace) -> None:
    """Read with Polars."""
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    import polars as pl

    readers = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc, ".arrows": pl.read_ipc_stream}
    for path in _files(folder):
        readers[path.suffix](path)


READERS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    reader.__name__: reader for reader in (nothing, bare, verified, decode, card, duckdb, polars)
}


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.iterdir() if path.suffix in {".parquet", ".arrow", ".arrows"})


def main() -> None:
    """Run one of the readers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--card", type=Path)
    options = parser.parse_args()
    READERS[options.reader](options.folder, options)


if __name__ == "__main__":
    main()
