"""Parquet: row groups read in slices, checksums verified; and the settings it is written with.

Strategy: the footer says how many elements a row group has, and so how many of its rows make a
slice of some 65,536 tokens: memory is bounded whatever the size of the groups. A kilobyte can
claim gigabytes, so what a footer claims is held against the most that its tokens can have, and
against the bytes that are there: beyond some limits, which no logits reach, nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logitpack.errors import DataError, Place, UsageError
from logitpack.native import SMALL, broken, expect
from logitpack.pages import Chunk, are_whole, chunks, first_broken, longest_value
from logitpack.table import COLUMNS
from logitpack.thrift import MalformedError
from logitpack.wanted import Wanted

if TYPE_CHECKING:
    import pyarrow.parquet as pq

SLICE_ELEMENTS = 8 << 20
"""Elements of a row group that are read at a time: 65,536 tokens have about as many."""
STREAM_BYTES = 1 << 18
"""Bytes of a column chunk that are read at a time."""
MAX_SLICE_ROWS = 65_536
MAX_ROW_TOKENS = 1 << 24
SPARE = 1 << 20
"""Elements that a broken row group may claim beyond its limits, and still be judged row by row."""
LARGE_GROUP, MOST_BY_BYTE = 1 << 26, 32
"""Elements of a row group that are read whatever its bytes, and of a larger one for each of them: logits have one."""
LARGE_FILE, MOST_OF_A_FILE = 1 << 30, 256
"""The same for a file."""
MOST_REPEATED = 1 << 26
"""Bytes that may become of a column of bytes at a time, however few stand for them."""


class ParquetSource:
    """A Parquet file, read from its footer (FILE-1, FILE-5)."""

    def __init__(self, file: pa.NativeFile, known: tuple[Chunk, ...] = ()) -> None:
        self._file = file
        # Before Arrow: it would make gigabytes of some footers, and ends the whole process over others.
        self.chunks = known or tuple(chunks(file))
        self._bound_elements()
        self._reader = self._opened(buffer_size=0)
        self._footer = self._reader.metadata
        self.schema = self._reader.schema_arrow
        self.metadata = {**(self.schema.metadata or {}), **(self._footer.metadata or {})}
        self.row_groups = self._footer.num_row_groups

    def _opened(self, **options: Any) -> pq.ParquetFile:
        import pyarrow.parquet as pq  # which takes longer than many an Arrow file

        return pq.ParquetFile(self._file, page_checksum_verification=True, pre_buffer=False, **options)

    def _reader_of(self, claims: Iterable[Chunk]) -> pq.ParquetFile:
        """Return what reads some column chunks: page by page of a local file, so that memory is bounded."""
        # A stream would allocate whatever a broken page header claims. Without one a column chunk is read whole,
        # and no page can reach beyond it.
        if isinstance(self._file, pa.OSFile) and are_whole(self._file, claims):
            return self._opened(metadata=self._footer, buffer_size=STREAM_BYTES)
        return self._reader

    @property
    def sizes(self) -> list[int]:
        """How many bytes each row group takes in the file."""
        sizes = [0] * self.row_groups
        for chunk in self.chunks:
            if chunk.row_group < self.row_groups:
                sizes[chunk.row_group] += chunk.stop - chunk.start
        return sizes

    def rows(self, groups: range | None) -> int:
        """Return the rows of some row groups, or all, as the footer says."""
        return sum(
            self._footer.row_group(group).num_rows for group in (range(self.row_groups) if groups is None else groups)
        )

    def batches(self, wanted: Wanted) -> Iterator[tuple[int | None, pa.RecordBatch]]:
        """Yield the rows of each row group; raise DataError FILE-1 where they are too few."""
        names = None if wanted.all_columns else [n for n in COLUMNS if n in self.schema.names]
        threads = wanted.threads and self._file.size() > SMALL  # less is read before others would have begun
        by_group: dict[int, list[Chunk]] = {}
        for chunk in self.chunks:
            if chunk.fault and (wanted.groups is None or chunk.row_group in wanted.groups):
                raise MalformedError(f"column chunk {chunk.column} of row group {chunk.row_group} {chunk.fault}")
            if names is None or chunk.name in names:
                by_group.setdefault(chunk.row_group, []).append(chunk)
        for group in range(self.row_groups) if wanted.groups is None else wanted.groups:
            rows, needed = 0, by_group.get(group, [])
            size = self._slice_rows(group, {chunk.name: chunk for chunk in needed}, wanted.elements or SLICE_ELEMENTS)
            expect(self._file, [(chunk.start, chunk.stop) for chunk in needed])
            size = min(size, self._most_rows(group, needed))
            try:
                for record_batch in self._reader_of(needed).iter_batches(
                    batch_size=size, row_groups=[group], columns=names, use_threads=threads
                ):
                    rows += record_batch.num_rows
                    yield group, record_batch
            except (pa.ArrowException, OSError) as error:
                raise broken(error, self._place_of(error, group)) from error
            _check_rows(f"row group {group}", rows, self._footer.row_group(group).num_rows)
        if wanted.groups is None or wanted.groups.stop == self.row_groups:
            counts = (self._footer.row_group(group).num_rows for group in range(self.row_groups))
            _check_rows("the file", sum(counts), self._footer.num_rows)

    def _bound_elements(self) -> None:
        """Raise UsageError where the file claims far more elements than its bytes can have."""
        elements = sum(chunk.values for chunk in self.chunks if chunk.name in COLUMNS)
        if elements > LARGE_FILE + MOST_OF_A_FILE * self._file.size():
            raise UsageError(f"{elements:,} elements in {self._file.size():,} bytes are more than can be read")

    def _most_rows(self, group: int, needed: list[Chunk]) -> int:
        """Return how many rows of a row group can be read at a time, by what the pages of its columns claim.

        Raises UsageError where that is none, and MalformedError as `longest_value` does.
        """
        rows, most = self._footer.row_group(group).num_rows, MAX_SLICE_ROWS
        elements, stored = sum(chunk.values for chunk in needed), sum(chunk.stop - chunk.start for chunk in needed)
        for chunk in needed:
            if chunk.column == "num_tokens":
                _check_rows(f"row group {group}", chunk.values, rows)
            longest = longest_value(self._file, chunk)
            if longest:  # any row may have all elements that are more than one a row
                most = min(most, MOST_REPEATED // longest - max(chunk.values - rows, 0))
        if most < 1 or elements > max(LARGE_GROUP, MOST_BY_BYTE * stored):
            message = f"{elements:,} elements in {stored:,} bytes are more than can be read"
            raise UsageError(message, place=Place(row_group=group))
        return most

    def _slice_rows(self, group: int, claims: dict[str, Chunk], most: int) -> int:
        """Return how many rows of a row group have some `most` elements.

        Raises DataError ROW-3, ROW-4, IDX-3 where a row group claims far more than its tokens can
        have, UsageError where its rows have more tokens than can be read.
        """
        rows = max(int(self._footer.row_group(group).num_rows), 1)
        # The longest per-token column: where one of them is too short, that is what is to be found.
        tokens = max((claims[name].values for name in PER_TOKEN if name in claims), default=0)
        if tokens == 0:
            return min(rows, MAX_SLICE_ROWS)
        if tokens > MAX_ROW_TOKENS * rows:
            message = f"{tokens:,} tokens in {rows:,} rows are more than can be read"
            raise UsageError(message, place=Place(row_group=group))
        for name, (requirement, limit, unit) in _limits(tokens, rows).items():
            got = getattr(claims[name], unit) if name in claims else 0
            if got > limit + SPARE:
                message = f"{name} claims {got:,} {LIMITED[unit]}, the most for its tokens ({tokens:,}) is {limit:,}"
                raise DataError(message, requirement=requirement, place=Place(row_group=group, column=name), got=got)
        elements = sum(claims[name].values for name in claims if name in COLUMNS)
        return min(max(rows * most // max(elements, 1), 1), MAX_SLICE_ROWS)

    def _place_of(self, error: Exception, group: int) -> Place:
        """Return the place of an error in a row group; the column too where a checksum tells it."""
        if "CRC" not in str(error):
            return Place(row_group=group)
        found = first_broken(self._file, [chunk for chunk in self.chunks if chunk.row_group == group])
        return Place(row_group=group if found is None else found[0], column=None if found is None else found[1])


PER_TOKEN = ("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
LIMITED = {"values": "elements", "size": "bytes"}


def _limits(tokens: int, rows: int) -> dict[str, tuple[str, int, str]]:
    """Return, by column, what a row group may claim: requirement, limit, and of what."""
    top, tail = 255 * tokens, 262_144 * tokens
    return {
        "top_indices_low": ("ROW-3", top, "values"),
        "top_logits_quantized": ("ROW-3", top, "values"),
        "sampled_indices_low": ("ROW-4", tail, "values"),
        "sampled_logits_quantized": ("ROW-4", tail, "values"),
        "top_indices_high": ("IDX-3", top + 64 * rows, "size"),
        "sampled_indices_high": ("IDX-3", tail + 64 * rows, "size"),
    }


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
