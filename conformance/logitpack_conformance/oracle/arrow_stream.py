"""The framing of an Arrow IPC stream: FILE-1 and FILE-3.

Strategy: walk the messages by their lengths. Of a message's flatbuffer only `bodyLength`, the fourth field of its root
table, is read.
"""

from __future__ import annotations

import struct

CONTINUATION = b"\xff\xff\xff\xff"


def judge_framing(data: bytes) -> tuple[str, str] | None:
    """Name the requirement that the framing breaks, and why; None where it is sound."""
    position = 0
    while position < len(data):
        marked = data[position : position + 4] == CONTINUATION
        start = position + (8 if marked else 4)
        if start > len(data):
            return "FILE-1", f"cut inside the length of the message at byte {position}"
        (length,) = struct.unpack("<i", data[start - 4 : start])
        if length == 0:
            left = len(data) - start
            return ("FILE-1", f"{left} bytes after the end of the stream") if left else None
        body = _body_length(data[start : start + length]) if length > 0 else -1
        if body < 0:
            return "FILE-1", f"no message at byte {position}"
        position = start + length + body
        if position > len(data):
            return "FILE-1", f"cut inside a message, {position - len(data)} bytes short"
    return ("FILE-3", "the stream has no end marker") if data else ("FILE-1", "an empty file")


def _body_length(message: bytes) -> int:
    """`bodyLength` of a Message; -1 where the bytes are none."""
    try:
        (table,) = struct.unpack_from("<I", message, 0)
        (back,) = struct.unpack_from("<i", message, table)
        (size,) = struct.unpack_from("<H", message, table - back)
        if size < 12:
            return 0
        (offset,) = struct.unpack_from("<H", message, table - back + 10)
        return int(struct.unpack_from("<q", message, table + offset)[0]) if offset else 0
    except struct.error:
        return -1
