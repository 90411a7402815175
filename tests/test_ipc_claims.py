"""Arrow IPC: what compressed buffers claim is held against what is stored, before it is allocated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import logitpack
from logitpack.ipc_claims import require_bounded
from logitpack_conformance.rows import valid_rows
from support import table

WRITERS: list[Callable[..., Any]] = [pa.ipc.new_file, pa.ipc.new_stream]


def compressed(path: Path, new: Callable[..., Any]) -> Path:
    """Write rows with buffers compressed by zstd."""
    content = table(valid_rows())
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as sink, new(sink, content.schema, options=options) as writer:
        writer.write_table(content)
    return path


def claiming(path: Path, size: int) -> Path:
    """Let the first compressed buffer claim a size: its eight bytes stand before zstd's mark."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x28\xb5\x2f\xfd") - 8
    data[at : at + 8] = size.to_bytes(8, "little")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("new", WRITERS)
def test_compressed_files_are_read(tmp_path: Path, new: Callable[..., Any]) -> None:
    """What claims as much as it holds is valid."""
    assert logitpack.check(compressed(tmp_path / "x.arrow", new)).verdict == "valid"


@pytest.mark.parametrize("new", WRITERS)
def test_a_buffer_that_claims_a_terabyte_is_refused(tmp_path: Path, new: Callable[..., Any]) -> None:
    """A small file that claims a terabyte is said to do so; nothing is allocated for it."""
    path = claiming(compressed(tmp_path / "x.arrow", new), 1 << 40)
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(logitpack.UsageError, match=r"claim to hold 1,099,511,6.*more than is read.*row group 0"):
        logitpack.check(path)
    assert pa.default_memory_pool().max_memory() < max(before, 1 << 24) + (1 << 24)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=120))
@example(b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\xff" * 16)
@example(b"\x08\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00")
def test_any_bytes_are_a_message_or_are_none(data: bytes) -> None:
    """Whatever stands where a message should, looking at it does no harm."""
    found = require_bounded(pa.BufferReader(data), 0)
    assert found is None or found.stop is not None


def test_flipped_bytes_do_no_harm(tmp_path: Path) -> None:
    """Flipping bytes of a compressed file ends in a report or a clean error."""
    path = compressed(tmp_path / "x.arrow", pa.ipc.new_file)
    content = path.read_bytes()
    verdicts = set()
    for at in range(0, len(content), 5):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            verdicts.add(logitpack.check(path).verdict)
        except logitpack.UsageError:
            verdicts.add("refused")
    assert verdicts <= {"valid", "invalid", "refused"}
    assert "invalid" in verdicts
