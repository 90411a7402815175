"""Processes for work on bytes that a stranger wrote: kept while they last, replaced when they do not.

Strategy: a call takes an idle worker or starts one, and gives it back. A worker that crashes, runs out of memory or
takes too long is gone with that call, and the caller is told so. Threads may call at the same time.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

TIMEOUT = 60.0
"""Seconds that a call may take."""
MEMORY = 4 << 30
"""Bytes of address space that a worker may take."""
LONGEST_ANSWER = 1 << 20
STARTED = "logitpack_conformance.judge.worker"


class SandboxError(Exception):
    """A worker ended before it answered; the text says how, in a few words."""


class Sandbox:
    """A pool of workers. `command` stands for that of the worker, in tests."""

    def __init__(
        self, timeout: float = TIMEOUT, memory: int = MEMORY, command: Sequence[str] = (sys.executable, "-m", STARTED)
    ) -> None:
        self.timeout = timeout
        self._command = [*command, str(memory)]
        self._idle: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def call(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Return a worker's answer to a task. Raises SandboxError."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or self._start()
        try:
            found = self._ask(worker, {"task": task, **arguments})
        except BaseException:
            _end(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        return found

    def close(self) -> None:
        """End the workers that are idle."""
        with self._lock:
            workers, self._idle = self._idle, []
        for worker in workers:
            _end(worker)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: an interrupt at the terminal is for the runner.
        return subprocess.Popen(  # noqa: S603  our own module, by our own interpreter
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _ask(self, worker: subprocess.Popen[bytes], request: dict[str, Any]) -> dict[str, Any]:
        late = threading.Event()

        def stop() -> None:
            late.set()
            worker.kill()

        timer = threading.Timer(self.timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            line = _exchange(worker, json.dumps(request).encode() + b"\n")
        finally:
            timer.cancel()
        if late.is_set():
            raise SandboxError(f"it took more than {self.timeout:g} s")
        if not line.endswith(b"\n"):
            worker.kill()
            raise SandboxError(f"the process that read it ended with status {worker.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found


def _exchange(worker: subprocess.Popen[bytes], line: bytes) -> bytes:
    """Send a line and return the one that comes back; what is there of it where the worker ends."""
    if worker.stdin is None or worker.stdout is None:
        raise TypeError("a worker has pipes")
    try:
        worker.stdin.write(line)
        worker.stdin.flush()
    except BrokenPipeError:
        return b""
    return worker.stdout.readline(LONGEST_ANSWER)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    with worker:  # closes its pipes and waits for it
        pass


@cache
def shared() -> Sandbox:
    """Return the sandbox of this process; its workers end with it."""
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox
