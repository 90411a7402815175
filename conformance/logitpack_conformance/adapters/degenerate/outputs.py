"""Outputs that are no output: of another kind, or of a size and depth that nothing can take."""

from __future__ import annotations

import os
from pathlib import Path

from logitpack_conformance.adapters.degenerate.base import ROW, Message, accepted, line


def output_is_a_folder(request: Message) -> bytes:
    """Make a folder where a file belongs."""
    if "output" in request:
        Path(request["output"]).mkdir()
    return accepted(request)


def output_is_a_pipe(request: Message) -> bytes:
    """Make a pipe, which a careless runner would wait at."""
    if "output" in request:
        os.mkfifo(request["output"])
    return accepted(request)


def output_is_endless(request: Message) -> bytes:
    """Link the output to a device that never ends."""
    if "output" in request:
        Path(request["output"]).symlink_to("/dev/zero")
    return accepted(request)


def output_is_huge(request: Message) -> bytes:
    """Make an output that claims to be large."""
    if "output" in request:
        with Path(request["output"]).open("wb") as file:
            file.truncate(900 << 20)
    return accepted(request)


def output_is_deep(request: Message) -> bytes:
    """Nest the output until a parser gives up."""
    if "output" in request:
        Path(request["output"]).write_bytes(b'{"tokens": ' + b"[" * 200_000 + b"\n")
    return accepted(request)


def output_has_huge_numbers(request: Message) -> bytes:
    """Write numbers of a length that takes a parser forever."""
    if "output" in request:
        Path(request["output"]).write_bytes(line(ROW).replace(b"65541", b"9" * 200_000))
    return accepted(request)
