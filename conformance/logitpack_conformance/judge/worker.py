"""The process in which files from strangers are opened: `python -m logitpack_conformance.judge.worker MEMORY`.

Strategy: one JSON object a line in, one out. Whatever such a file does to the libraries that read it, it does here:
pyarrow may end the process, and memory is limited. Only a fault of the suite's own files is told as one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from logitpack_conformance.model import Container

from .alone import judge_alone
from .written import judge_written, looks_complete, read_logical


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do one task: "written" (path, container, given, metadata, bare) as `judge_written`, "alone" (path, container) as
    `judge_alone`, "complete" (path) as its name says.

    In place of its answer stands `fault` where the file could not be judged, `suite` where the golden one could not.
    """
    path = Path(request["path"])
    if request["task"] == "complete":
        return _guarded("fault", lambda: {"complete": looks_complete(path)})
    if request["task"] == "alone":
        return _guarded("fault", lambda: judge_alone(path, Container(request["container"])))
    given = _guarded("suite", lambda: {"rows": read_logical(Path(request["given"]))})
    if "suite" in given:
        return given
    container = Container(request["container"])
    rows, metadata, is_bare = given["rows"], request["metadata"], request.get("bare", False)
    return _guarded("fault", lambda: judge_written(path, container, rows, metadata, is_bare=is_bare))


def _guarded(name: str, task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a task gives, or what it raised; without memory there is nothing left to return."""
    try:
        return task()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a stranger's bytes, and no proof that libraries foresaw them
        return {name: _told(error)}


def main() -> int:
    """Answer requests until the input ends."""
    _limit(int(sys.argv[1]))
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    for line in sys.stdin.buffer:
        out.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        out.flush()
    return 0


def _limit(memory: int) -> None:
    """Limit the address space, and write no core files, where the system knows how."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    sys.exit(main())
