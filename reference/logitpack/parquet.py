"""Parquet: row groups read in slices, checksums verified; and the settings it is written with.

Strategy: the footer says how large a row group is, and so how many of its rows make a slice of
some 65,536 tokens: memory is bounded whatever the size of the groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from logitpack.errors import DataError
from logitpack.table import COLUMNS

SLICE_BYTES = 20 << 20
"""Encoded bytes of a row group that are read at a time: 65,536 tokens have about as many."""
MAX_SLICE_ROWS = 65_536


class ParquetSource:
    """A Parquet file, read from its footer (FILE-1, FILE-5)."""

    def __init__(self, path: str) -> None:
        self._file = pa.OSFile(path)
        # A buffered stream would allocate whatever a broken page header claims; without one a
        # column chunk is read whole, and no page can reach beyond it.
        self._reader = pq.ParquetFile(self._file, page_checksum_verification=True, pre_buffer=False, buffer_size=0)
        self._footer = self._reader.metadata
        self.schema = self._reader.schema_arrow
        self.metadata = {**(self.schema.metadata or {}), **(self._footer.metadata or {})}
        self.row_groups = self._footer.num_row_groups

    def batches(self, *, all_columns: bool) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        """Yield the rows of each row group; raise DataError FILE-1 where they are too few."""
        names = None if all_columns else [n for n in COLUMNS if n in self.schema.names]
        total = 0
        for group in range(self.row_groups):
            rows = 0
            for record_batch in self._reader.iter_batches(
                batch_size=self._slice_rows(group), row_groups=[group], columns=names
            ):
                rows += record_batch.num_rows
                yield group, record_batch
            _check_rows(f"row group {group}", rows, self._footer.row_group(group).num_rows)
            total += rows
        _check_rows("the file", total, self._footer.num_rows)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()
        self._file.close()

    def _slice_rows(self, group: int) -> int:
        """Return how many rows of a row group take some `SLICE_BYTES` bytes."""
        # The sizes of single columns would tell more, but for a broken footer pyarrow ends the
        # whole process where they are asked for.
        footer = self._footer.row_group(group)
        rows = footer.num_rows * SLICE_BYTES // max(footer.total_byte_size, 1)
        return min(max(int(rows), 1), MAX_SLICE_ROWS)


def _check_rows(what: str, got: int, expected: int) -> None:
    if got != expected:
        message = f"{what} has {got} rows, its footer says {expected}"
        raise DataError(message, requirement="FILE-1", got=got, allowed=expected)


def settings(schema: pa.Schema) -> dict[str, Any]:
    """Return what `pyarrow.parquet.ParquetWriter` is given: the settings SPEC.md recommends.

    zstd with no dictionaries, BYTE_STREAM_SPLIT on every uint16 and float column of the table,
    and page checksums (FILE-4).
    """
    split = {
        f"{name}.list.element": "BYTE_STREAM_SPLIT"
        for name in schema.names
        if name in COLUMNS and COLUMNS[name].value in {"uint16", "float32", "float64"}
    }
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": False,
        "column_encoding": split,
        "write_page_checksum": True,
    }
