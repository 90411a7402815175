"""What the compressed buffers of Arrow IPC messages claim to hold, before anything is allocated for it.

Strategy: each compressed buffer begins with its size once it is decompressed, and Arrow allocates that. The messages
are FlatBuffers, of which only the few fields on the way to the buffers are looked at here. What cannot be understood
is passed over, for reading the message tells what is wrong with it.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from logitpack.errors import Place, UsageError
from logitpack.flatbuffers import Table, number_at, root

SPARE = 256 << 20
RATIO = 32
"""Bytes for each stored one that a message may claim, beside `SPARE`: far more than logits gain.

Buffers that share their bytes, as no writer makes them, have `SPARE` alone.
"""
MAX_MESSAGE = 64 << 20
_CONTINUATION = b"\xff\xff\xff\xff"
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3  # fields of Message
_DICTIONARY, _RECORD_BATCH = 2, 3  # types of header
_DATA = 1  # field of DictionaryBatch
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3  # fields of RecordBatch


class Message(NamedTuple):
    """A message in a file: whether it is a dictionary, and compressed, and where its body begins and ends."""

    is_dictionary: bool
    is_compressed: bool
    body: int
    stop: int


def rows_of(file: pa.NativeFile, offset: int) -> int | None:
    """Return the rows that the record batch at `offset` says it has; None where it cannot be understood."""
    try:
        header = _message(file, offset)[0].table(_HEADER)
        rows = -1 if header is None else header.number(_LENGTH, "<q")
    except (struct.error, OSError):
        return None
    return rows if rows >= 0 else None


def require_bounded_stream(file: pa.NativeFile, offset: int, *, batch: int) -> Message | None:
    """Raise UsageError where a message of a stream from `offset` on, up to the next record batch, claims too much.

    Returns the last of them, as `require_bounded` does.
    """
    while (message := require_bounded(file, offset, batch=batch)) is not None:
        if not message.is_dictionary or message.stop <= offset:
            break
        offset = message.stop
    return message


def require_bounded(file: pa.NativeFile, offset: int, *, batch: int | None = None) -> Message | None:
    """Raise UsageError where the buffers of the message at `offset` claim too much; return what it is.

    None where it cannot be understood, or is neither a record batch nor a dictionary. `batch` is told as the place.
    """
    try:
        message, body = _message(file, offset)
        kind, header = message.number(_HEADER_TYPE, "<B"), message.table(_HEADER)
        if kind == _DICTIONARY and header is not None:
            header = header.table(_DATA)
        if header is None or kind not in {_DICTIONARY, _RECORD_BATCH}:
            return None
        is_compressed = header.table(_COMPRESSION) is not None
        if is_compressed:
            _require(file, body, header.structs(_BUFFERS, 16), batch)
        return Message(kind == _DICTIONARY, is_compressed, body, body + message.number(_BODY_LENGTH, "<q"))
    except (struct.error, OSError):
        return None


def _require(file: pa.NativeFile, body: int, buffers: bytes, batch: int | None) -> None:
    stored, claimed, stop, shared, size = 0, 0, 0, False, file.size()
    for offset, length in sorted(np.frombuffer(buffers, "<i8").reshape(-1, 2).tolist()):
        if length < 8 or offset < 0 or body + offset + length > size:
            continue
        file.seek(body + offset)
        claimed += max(number_at(file.read(8), 0, "<q"), 0)
        stored += max(offset + length - max(stop, offset), 0)
        shared, stop = shared or offset < stop, max(stop, offset + length)
    if claimed > SPARE + (0 if shared else RATIO * stored):
        message = f"compressed buffers in {stored:,} bytes claim to hold {claimed:,}, which is more than is read"
        raise UsageError(message, place=Place(row_group=batch), got=claimed)


def _message(file: pa.NativeFile, offset: int) -> tuple[Table, int]:
    """Return the message at `offset`, and where its body begins."""
    if not 0 <= offset < file.size():
        raise struct.error
    file.seek(offset)
    head = file.read(4)
    if head == _CONTINUATION:
        head, offset = file.read(4), offset + 4
    length = number_at(head, 0, "<i")
    if not 0 < length <= MAX_MESSAGE:
        raise struct.error
    data = file.read(length)
    return root(data), offset + 4 + length
