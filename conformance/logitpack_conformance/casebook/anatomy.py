"""Where the parts of a file begin and end, for what cuts and damages files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from logitpack_conformance.oracle.parquet_pages import Thrift

MAGIC = 4
"""Bytes of Parquet's magic number, and of the length of its footer."""


@dataclass(frozen=True)
class Page:
    """A page of a Parquet file: where its header begins, and its body begins and ends."""

    column: str
    group: int
    start: int
    body: int
    end: int


def pages(data: bytes) -> list[Page]:
    """Return the pages of a sound Parquet file in the order of its row groups and columns."""
    source = pq.ParquetFile(pa.BufferReader(data))
    found = []
    for group in range(source.metadata.num_row_groups):
        for number in range(source.metadata.num_columns):
            chunk = source.metadata.row_group(group).column(number)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            end = start + chunk.total_compressed_size
            while start < end:
                cursor = Thrift(data, start)
                size = cursor.struct()[3]
                found.append(
                    Page(chunk.path_in_schema.split(".")[0], group, start, cursor.position, cursor.position + size)
                )
                start = found[-1].end
    return found


def footer(data: bytes) -> int:
    """Return where the footer of a Parquet file begins."""
    return len(data) - 2 * MAGIC - int.from_bytes(data[-2 * MAGIC : -MAGIC], "little")


@dataclass(frozen=True)
class Message:
    """A message of Arrow IPC: where it begins, its body begins, and it ends."""

    kind: str
    start: int
    body: int
    end: int


def messages(data: bytes) -> Iterator[Message]:
    """Yield the messages of a sound stream, or of the part of an IPC file that is one, without the end marker."""
    start = 8 if data.startswith(b"ARROW1") else 0
    while True:
        source = pa.BufferReader(data[start:])
        try:
            message = pa.ipc.read_message(source)
        except EOFError:
            return
        end = start + source.tell()
        yield Message(message.type, start, end - (message.body.size if message.body else 0), end)
        start = end
