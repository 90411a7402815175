"""Trusted adapters that start at once: forks of a process in which everything was imported.

Strategy: to a session it is a process as any other, but for its limits: there is a time for each answer, and no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from logitpack_conformance.process import Failure, Limits, Process
from logitpack_conformance.session import Launch

MODULE = "logitpack_conformance.adapters.mutants"
LOG = "forks.log"
TOLD = 300
"""Characters of what was said that go into a message."""


class Fork:
    """A process at the other end of a socket. `log` is the file for its standard error."""

    def __init__(self, talk: socket.socket, log: Path) -> None:
        self._talk = talk
        self._lines = talk.makefile("rb")
        self._log = log

    @property
    def log(self) -> Fork:
        """What it says on its standard error, to be asked for its text."""
        return self

    def text(self) -> str:
        """Return the end of what it said on its standard error until now."""
        return _told(self._log)

    @property
    def has_unasked(self) -> bool:
        """Whether it has printed something after its last response."""
        return bool(select.select([self._talk], [], [], 0)[0]) and bool(self._lines.peek(1))

    def ask(self, line: bytes, timeout: float) -> bytes:
        """Send a line and return the one that answers it, both without line feed. Raises Failure."""
        self._talk.settimeout(timeout)
        try:
            self._talk.sendall(line + b"\n")
            answer = self._lines.readline()
        except TimeoutError:
            raise Failure("timeout", f"no response within {timeout:g} s") from None
        except OSError:
            answer = b""
        if not answer.endswith(b"\n"):
            raise Failure("crash", f"it ended; last on its standard error: {self.text()}")
        return answer[:-1]

    def finish(self, timeout: float) -> int:
        """Close its input and wait until it ends by itself; return 0, for its status is not known. Raises Failure."""
        self._talk.settimeout(timeout)
        try:
            self._talk.shutdown(socket.SHUT_WR)
            self._lines.read()
        except OSError as error:
            raise Failure("timeout", f"it did not end: {error}") from None
        return 0

    def kill(self) -> None:
        """Leave it: it ends when it next reads, or with the process that it is a fork of."""
        self._lines.close()
        self._talk.close()


def _told(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-TOLD:]


@contextlib.contextmanager
def launcher(folder: Path) -> Iterator[Launch]:
    """Yield what launches mutants by their command, each as a fork; where a system has no forks, each by itself."""
    if not hasattr(os, "fork"):
        yield Process
        return
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, (folder / LOG).open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", MODULE, "--fork"],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        lock = threading.Lock()

        def launch(command: Sequence[str], place: Path, limits: Limits) -> Fork:
            talk, other = socket.socketpair()
            with other, (place / "log").open("wb") as said, lock:
                ours.settimeout(limits.hello)
                message = json.dumps([command[-1], str(place)]).encode()
                try:
                    socket.send_fds(ours, [message], [other.fileno(), said.fileno()])
                    is_started = bool(ours.recv(1))
                except OSError:  # no answer in time, or nobody there
                    is_started = False
            if not is_started:
                talk.close()
                raise OSError(f"the process to fork did not answer: {_told(folder / LOG)}")
            return Fork(talk, place / "log")

        try:
            yield launch
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
