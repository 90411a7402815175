"""The places of record batches in an Arrow IPC file, and footers that lie about them."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import pyarrow as pa
import pyarrow.ipc
import pytest

from logitpack.blocks import blocks

BATCH = pa.record_batch({"number": pa.array([1, 2, 3], pa.int64()), "text": pa.array(["a", None, "c"])})


def ipc_file(batches: int) -> bytes:
    """Give a file of equal record batches."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, BATCH.schema) as writer:
        for _ in range(batches):
            writer.write_batch(BATCH)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("batches", [0, 1, 5])
def test_each_place_holds_its_batch(batches: int) -> None:
    """What stands in a place is the message of a batch, and one place begins where another ends."""
    content = ipc_file(batches)
    places = blocks(BytesIO(content))
    read = [pa.ipc.read_record_batch(pa.py_buffer(content[start:stop]), BATCH.schema) for start, stop in places]
    assert ([BATCH] * batches, True) == (read, all(one[1] == other[0] for one, other in pairwise(places)))


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"\xff\xff\xff\x7fARROW1", bytes(100) + b"\x50\0\0\0ARROW1"])
def test_no_footer(content: bytes) -> None:
    """A file without a footer has no places."""
    assert [] == blocks(BytesIO(content))


def test_damaged_footers_do_no_harm() -> None:
    """Whatever stands in a footer, the places lie within the file."""
    content = ipc_file(2)
    size = int.from_bytes(content[-10:-6], "little")
    for at in range(len(content) - 10 - size, len(content)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
            assert all(0 < start < stop <= len(content) for start, stop in blocks(BytesIO(damaged)))
