"""The framing of an Arrow IPC stream: FILE-1 and FILE-3.

Strategy: walk the messages by their lengths. Of a message's flatbuffer only two fields of its root table are read, the
kind of its header and `bodyLength`. A message begins with `FF FF FF FF` and its length, or with its length alone, as
before Arrow 0.15.
"""

from __future__ import annotations

import struct

CONTINUATION = b"\xff\xff\xff\xff"
END = CONTINUATION + bytes(4)
OLD_END = bytes(4)


SCHEMA = 1
"""The kind of a message's header that is a Schema."""


def is_old_stream(data: bytes) -> bool:
    """Whether the file begins with a length, and a Schema message of it (section 4.1)."""
    length = int.from_bytes(data[:4], "little")
    return 0 < length <= len(data) and _field(data[4 : 4 + length], 1, "<B") == SCHEMA


def whole_messages(data: bytes) -> tuple[int, tuple[str, str] | None]:
    """Return where the last whole message ends, and the requirement that is broken there and why, if one is."""
    position, is_old = 0, not data.startswith(CONTINUATION)
    while position < len(data):
        rest = data[position : position + 8]
        if rest == END or (is_old and rest[:4] == OLD_END):
            left = len(data) - position - (8 if rest == END else 4)
            return position, ("FILE-1", f"{left} bytes after the end of the stream") if left else None
        if END.startswith(rest) or rest[:4] == OLD_END or (is_old and OLD_END.startswith(rest)):
            return position, _cut(position)  # the old marker ends no stream of messages with a continuation indicator
        start = position + (8 if rest[:4] == CONTINUATION else 4)
        length = int.from_bytes(data[start - 4 : start], "little", signed=True)
        body = _field(data[start : start + length], 3, "<q") if length > 0 else None
        if body is None or body < 0 or start + length + body > len(data):
            return position, ("FILE-1", f"no whole message at byte {position}")
        position = start + length + body
    return position, _cut(position)


def _cut(position: int) -> tuple[str, str]:
    """FILE-3, or FILE-1 where not even the schema is there: nothing was cut between two messages then."""
    return ("FILE-3", "no end marker") if position else ("FILE-1", "no message")


def place(message: bytes, table: int, number: int) -> int | None:
    """Return where a field of a flatbuffer's table stands, None where it is left out. Raises struct.error."""
    (back,) = struct.unpack_from("<i", message, table)
    (size,) = struct.unpack_from("<H", message, table - back)
    if size < 6 + 2 * number:
        return None
    (offset,) = struct.unpack_from("<H", message, table - back + 4 + 2 * number)
    return table + int(offset) if offset else None


def _field(message: bytes, number: int, form: str) -> int | None:
    """Return a field of a Message, 0 where it is left out; None where the bytes are no message."""
    try:
        (table,) = struct.unpack_from("<I", message, 0)
        at = place(message, table, number)
        return 0 if at is None else int(struct.unpack_from(form, message, at)[0])
    except struct.error:
        return None
