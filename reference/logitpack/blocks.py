"""Where the record batches of an Arrow IPC file stand, by its footer.

Strategy: the footer is a FlatBuffers table, of which one vector is looked at, the blocks of the record batches.
pyarrow keeps them to itself. Offsets are held against the bytes that are there; what cannot be understood gives no
places, for reading the file tells what is wrong with it.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

MAGIC = b"ARROW1"
MAX_FOOTER = 64 * 1024 * 1024
RECORD_BATCHES = 3
"""The field of the footer with the blocks: offset, length of the metadata, length of the body."""
BLOCK = struct.Struct("<qi4xq")


def blocks(file: BinaryIO) -> list[tuple[int, int]]:
    """Return (start, stop) of the bytes of each record batch; nothing where the footer cannot be understood."""
    end = file.seek(0, 2) - 4 - len(MAGIC)
    file.seek(max(end, 0))
    size, magic = int.from_bytes(file.read(4), "little"), file.read()
    if magic != MAGIC or not 0 < size <= min(end, MAX_FOOTER):
        return []
    file.seek(end - size)
    try:
        found = [(start, start + head + body) for start, head, body in BLOCK.iter_unpack(_vector(file.read(size)))]
    except (struct.error, IndexError):
        return []
    return found if all(0 < start < stop <= end for start, stop in found) else []


def _vector(footer: bytes) -> bytes:
    """Return the elements of the vector of blocks. Raises IndexError, struct.error where they are not there."""
    table = _number("<I", footer, 0)
    fields = table - _number("<i", footer, table)
    entry = 4 + 2 * RECORD_BATCHES
    if _number("<H", footer, fields) < entry + 2:
        return b""
    at = _number("<H", footer, fields + entry)
    if not at:
        return b""
    vector = table + at + _number("<I", footer, table + at)
    count = _number("<I", footer, vector)
    if count > (len(footer) - vector - 4) // BLOCK.size:
        raise IndexError
    return footer[vector + 4 : vector + 4 + count * BLOCK.size]


def _number(form: str, footer: bytes, at: int) -> int:
    if at < 0:
        raise IndexError
    number: int = struct.unpack_from(form, footer, at)[0]
    return number
