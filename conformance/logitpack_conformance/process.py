"""A stranger's program as a process: a line in, a line out, under limits, and gone at the end.

Strategy: its output is drained by threads of their own, another looks at its memory. Anything but one line in time for
each line that it is sent raises `Failure`, after which the process and all it started are dead.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import launch
from .drain import LINE_LIMIT, End, Lines, Log
from .tree import MARK, Tree

WATCH = 0.05
SETTLE = 1.0
"""Seconds in which what a process has printed is read, or its exit status seen, once it closed its output or ended."""
DRAINED = 0.25
"""Seconds in which what stands in a pipe is read, where a child of a process that ended keeps the pipe open."""
SAID = 300
"""Characters of its standard error that go into a message."""


@dataclass(frozen=True)
class Limits:
    """What a program may take: `timeout` seconds a call, `memory` bytes with all its children, and so on.

    `start` are the seconds until it has answered `hello`, or `timeout` where that is more; `grace` those from the end
    of its input to its own end; `file_size` the bytes of a file that it writes.
    """

    timeout: float = 10.0
    memory: int = 2 << 30
    start: float = 60.0
    grace: float = 5.0
    file_size: int = 1 << 30

    @property
    def hello(self) -> float:
        """The seconds that it has until it has answered `hello`."""
        return max(self.start, self.timeout)


class Failure(Exception):  # noqa: N818 - the program's, told as an outcome
    """The program did not do as it should: `outcome` is one of model.FAILURES."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Process:
    """A running program. `command` is resolved (see `commands`), `folder` is an empty folder.

    Its working folder and the one for its temporary files stand below `folder`.
    Raises OSError where no process can be started.
    """

    def __init__(self, command: Sequence[str], folder: Path, limits: Limits) -> None:
        self._limits = limits
        self._is_over_memory = False
        self._is_over = threading.Event()
        self._is_gone = False
        mark = uuid.uuid4().hex
        for name in ("work", "tmp"):
            (folder / name).mkdir()
        temporary = {name: str(folder / "tmp") for name in ("TMPDIR", "TMP", "TEMP")}
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(limits.file_size)]
        self._popen = subprocess.Popen(  # noqa: S603 - running it is what the user asked for
            [*launcher, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder / "work",
            env={**os.environ, **temporary, MARK: mark},
            start_new_session=True,
        )
        self._tree = Tree(self._popen.pid, mark)
        self._input = self._stream("stdin")
        if hasattr(select, "poll"):
            os.set_blocking(self._input.fileno(), False)
        self._lines = Lines(self._stream("stdout"))
        self.log = Log(self._stream("stderr"))
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _stream(self, name: str) -> IO[bytes]:
        stream: IO[bytes] = getattr(self._popen, name)
        return stream

    def ask(self, line: bytes, timeout: float) -> bytes:
        """Send a line and return the one that answers it, both without line feed. Raises Failure."""
        deadline = time.monotonic() + timeout
        if self._lines.waiting:
            self.kill()
            raise Failure("protocol_error", "it printed before the request was sent: a response is one line")
        try:
            self._send(line + b"\n", deadline)
            return self._take(deadline, timeout)
        except Failure:
            self.kill()
            raise

    def finish(self, timeout: float) -> int:
        """Close its input, wait until it ends by itself and return its exit status. Raises Failure."""
        try:
            with contextlib.suppress(OSError):
                self._input.close()
            status = self._popen.wait(timeout)
            self._lines.settle(SETTLE)
        except subprocess.TimeoutExpired:
            raise Failure("timeout", f"it did not end within {timeout:g} s") from None
        finally:
            self.kill()
        if self._is_over_memory or status < 0:
            raise self._crash(status)
        return status

    @property
    def has_unasked(self) -> bool:
        """Whether it has printed something after its last response."""
        return self._lines.waiting

    def kill(self) -> None:
        """End it and all that came of it. May be called again, and from another thread."""
        if self._is_gone:
            return
        self._is_over.set()
        self._tree.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(SETTLE)
        self._watcher.join(SETTLE)
        self._lines.end()
        with contextlib.suppress(OSError):
            self._input.close()
        self._lines.close(SETTLE)
        self.log.close(SETTLE)
        self._is_gone = True

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._input.fileno(), rest) :]
            except BlockingIOError:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failure("timeout", "it did not read the request") from None
                room = select.poll()
                room.register(self._input, select.POLLOUT)
                room.poll(min(left, 1.0) * 1000)
            except (OSError, ValueError):  # closed by it, or by `kill` in another thread
                raise self._ended("input") from None

    def _take(self, deadline: float, timeout: float) -> bytes:
        try:
            found = self._lines.take(deadline - time.monotonic())
        except queue.Empty:
            inside = self._lines.inside
            if self._is_over_memory or self._popen.poll() is not None:
                raise self._ended("output") from None
            if inside:
                raise Failure("protocol_error", f"{inside} bytes came without a line feed in {timeout:g} s") from None
            raise Failure("timeout", f"no response within {timeout:g} s") from None
        if found is End.TOO_LONG:
            raise Failure("protocol_error", f"a line of more than {LINE_LIMIT} bytes")
        if isinstance(found, End):
            raise self._ended("output")
        return found

    def _ended(self, stream: str) -> Failure:
        """Say how it ended, or that it goes on without one of its standard streams."""
        try:
            status = self._popen.wait(SETTLE)
        except subprocess.TimeoutExpired:
            return Failure("protocol_error", f"it closed its standard {stream}")
        if status == 0 and self._lines.inside:
            return Failure("protocol_error", f"it ended inside a line, after {self._lines.inside} bytes")
        return self._crash(status)

    def _crash(self, status: int) -> Failure:
        if self._is_over_memory:
            return Failure("memory", f"more than {self._limits.memory} bytes of memory")
        self.log.settle(SETTLE)
        said = self.log.last_line()[:SAID]
        return Failure("crash", how_it_ended(status) + (f"; last on its standard error: {said}" if said else ""))

    def _watch(self) -> None:
        """Hold its memory against the limit, and see it end even where a child keeps its output open."""
        while not self._is_over.wait(WATCH):
            if self._tree.memory() > self._limits.memory:
                self._is_over_memory = True
                self._tree.kill()
                return
            if self._popen.poll() is not None:
                self._lines.settle(DRAINED)
                self._tree.kill()
                self._lines.end()
                return


def how_it_ended(status: int) -> str:
    """Say what an exit status of a process means.

    >>> how_it_ended(3), how_it_ended(-11)
    ('it exited with status 3', 'it was ended by SIGSEGV')
    """
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"it was ended by {name}"
