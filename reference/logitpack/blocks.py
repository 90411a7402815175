"""Where the record batches and dictionaries of an Arrow IPC file stand, by its footer.

Strategy: the footer is a FlatBuffers table, of which a vector of blocks is looked at; pyarrow keeps them to itself.
Offsets are held against the bytes that are there; what cannot be understood gives no places, for reading the file
tells what is wrong with it.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from logitpack.flatbuffers import root

MAGIC = b"ARROW1"
MAX_FOOTER = 64 * 1024 * 1024
DICTIONARIES, RECORD_BATCHES = 2, 3
"""The fields of the footer with blocks: offset, length of the metadata, length of the body."""
BLOCK = struct.Struct("<qi4xq")


def blocks(file: BinaryIO, field: int = RECORD_BATCHES) -> list[tuple[int, int]]:
    """Return (start, stop) of each record batch, or dictionary; nothing where the footer cannot be understood."""
    end = file.seek(0, 2) - 4 - len(MAGIC)
    file.seek(max(end, 0))
    size, magic = int.from_bytes(file.read(4), "little"), file.read()
    if magic != MAGIC or not 0 < size <= min(end, MAX_FOOTER):
        return []
    file.seek(end - size)
    try:
        vector = root(file.read(size)).structs(field, BLOCK.size)
        found = [(start, start + head + body) for start, head, body in BLOCK.iter_unpack(vector)]
    except struct.error:
        return []
    return found if all(0 < start < stop <= end for start, stop in found) else []
