"""Answers that are well formed, and have nothing to do with what was asked."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

from logitpack_conformance.adapters.degenerate.base import ROW, Message, accepted, answer, line


def accepts_everything(request: Message) -> bytes:
    """Accept, with an empty output."""
    if "output" in request:
        Path(request["output"]).write_bytes(b"")
    return accepted(request)


def accepts_without_output(request: Message) -> bytes:
    """Accept, and write nothing."""
    return accepted(request)


def accepts_with_a_plausible_row(request: Message) -> bytes:
    """Accept, with the same well-formed row each time."""
    if "output" in request:
        Path(request["output"]).write_bytes(line(ROW))
    return accepted(request)


def copies_its_input(request: Message) -> bytes:
    """Accept, with the input for an output."""
    if "output" in request:
        source = Path(request.get("input", request.get("logits", "")))
        if source.is_file():
            shutil.copyfile(source, request["output"])
    return accepted(request)


_seen: list[bytes] = []


def echoes_old_output(request: Message) -> bytes:
    """Accept, with what was the input of the request before."""
    if "output" in request:
        Path(request["output"]).write_bytes(_seen[-1] if _seen else line(ROW))
    source = Path(request.get("input", ""))
    if source.is_file():
        _seen.append(source.read_bytes())
    return accepted(request)


def rejects_everything(request: Message) -> bytes:
    """Reject, for the first requirement that there is."""
    finding = {"requirement": "FILE-1", "message": "no"}
    members: dict[str, Any] = {"findings": [finding]} if request["cmd"] == "check" else {"requirement": "FILE-1"}
    return answer(request, "rejected", message="no", **members)


def blames_everything(request: Message) -> bytes:
    """Reject, and name every requirement that was ever heard of."""
    if request["cmd"] != "check":
        return answer(request, "rejected", message="no")
    groups = ("FILE", "JSON", "COL", "ROW", "IDX", "QNT", "NUC", "TAIL", "LSE", "ALN", "META", "RD", "WR", "CHK")
    names = [f"{group}-{number}" for group in groups for number in range(1, 13)]
    return answer(request, "rejected", findings=[{"requirement": name, "message": "broken"} for name in names])


def unsupported(request: Message) -> bytes:
    """Support nothing."""
    return answer(request, "unsupported", feature="zstd", message="not yet")


def unsupported_by_an_own_name(request: Message) -> bytes:
    """Lack a feature that nobody knows."""
    return answer(request, "unsupported", feature="everything", message="not yet")


def fails(request: Message) -> bytes:
    """Fail in an orderly manner."""
    return answer(request, "error", message="out of order")


def random_answers(request: Message) -> bytes:
    """Answer by chance."""
    chance = random.Random(time.time_ns())  # noqa: S311  it is to be anything
    one = chance.choice([accepts_with_a_plausible_row, copies_its_input, rejects_everything, unsupported, fails])
    if request["cmd"] == "check" and chance.random() < 0.5:
        name = f"{chance.choice(['ROW', 'IDX', 'QNT', 'NUC', 'COL'])}-{chance.randint(1, 8)}"
        return answer(request, "rejected", findings=[{"requirement": name, "message": "by chance"}])
    return one(request)


def deletes_its_input(request: Message) -> bytes:
    """Accept, and take away whatever the request names."""
    for name in ("input", "logits"):
        path = Path(request.get(name, "/nowhere"))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
    return accepts_with_a_plausible_row(request)


def writes_outside(request: Message) -> bytes:
    """Accept, and leave files beside and above those that the request names."""
    for name in ("input", "output", "logits"):
        if name in request:
            place = Path(request[name]).parent
            (place / "logitpack.json").write_bytes(b"{}")
            (place / "more.parquet").write_bytes(b"PAR1")
    return accepts_with_a_plausible_row(request)
