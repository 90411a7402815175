"""A conversation with an adapter: `hello`, then one request after another, on as many processes as that takes.

Strategy: an adapter that fails to answer is gone, and a fresh one answers the next request. What it said of itself when
it was first started is what it is judged by.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from . import messages
from .commands import NoCommandError, resolve
from .messages import BadMessage
from .model import FAILURES, Implementation, Response
from .process import Failure, Limits, Process
from .workplace import remove

__all__ = ["Caller", "Launch", "Limits", "Session", "StartError"]

HINT = (
    "an adapter answers hello with one line of JSON, and flushes it; it runs in an empty folder of its own, "
    "so files that it needs are named by absolute paths"
)


class StartError(Exception):
    """The adapter did not start, or broke the protocol in `hello`. `log` is what it said on its standard error."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Caller(Protocol):
    """What sends requests to an adapter: `Session` or `OneShot`, each within `with`."""

    @property
    def implementation(self) -> Implementation:
        """What the adapter said of itself."""
        ...

    def __enter__(self) -> Self:
        """Start the adapter. Raises StartError."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all that was started."""
        ...

    def call(self, request: Mapping[str, Any]) -> Response:
        """Send a request without seq and return what came of it, whatever that is."""
        ...

    def restart(self) -> None:
        """Have the next request answered by a fresh process."""
        ...

    def close(self, patience: float) -> Response | None:
        """Let it end by itself, within `patience` seconds; return what was wrong, None where nothing was.

        The outcome is "protocol_error" where it printed something after its last response.
        """
        ...

    def stop(self) -> None:
        """End what runs, from any thread; calls then fail at once."""
        ...


class Said(Protocol):
    """What a process says on its standard error."""

    def text(self) -> str:
        """Return what it said until now."""
        ...


class Running(Protocol):
    """A process that was started: `Process`, or what stands in for one."""

    @property
    def log(self) -> Said:
        """What it says on its standard error."""
        ...

    @property
    def has_unasked(self) -> bool:
        """Whether it has printed something after its last response."""
        ...

    def ask(self, line: bytes, timeout: float) -> bytes:
        """Send a line and return the one that answers it, both without line feed. Raises Failure."""
        ...

    def finish(self, timeout: float) -> int:
        """Close its input, wait until it ends by itself and return its exit status. Raises Failure."""
        ...

    def kill(self) -> None:
        """End it and all that came of it."""
        ...


Launch = Callable[[Sequence[str], Path, Limits], Running]
"""Starts a command in an empty folder, under limits. Raises OSError."""


class Session:
    """One adapter process at a time. `folder` is where the folders of its processes are made, `launch` starts one.

    `log` is what the last process said on its standard error, its first and last part.
    """

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits,
        *,
        folder: Path,
        launch: Launch = Process,
    ) -> None:
        self._command = command
        self._launch = launch
        self._limits = limits
        self._folder = folder
        self._place: Path | None = None
        self._process: Running | None = None
        self._introduced: Implementation | None = None
        self._seq = 0
        self._is_stopped = False
        self.log = ""

    @property
    def implementation(self) -> Implementation:
        """What the adapter said of itself when it was first started."""
        if self._introduced is None:
            raise RuntimeError("the session has not been started")
        return self._introduced

    def __enter__(self) -> Self:
        """Start the adapter. Raises StartError."""
        try:
            self._command = resolve(self._command)
        except NoCommandError as error:
            raise StartError(str(error)) from None
        try:
            self._introduced = self._start()
        except (Failure, BadMessage, OSError) as error:
            self._discard()
            raise StartError(f"{error} ({HINT})", self.log) from None
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its input, wait for its end, and end it where it does not come."""
        self.close(patience=self._limits.grace if kind is None else 0.0)

    def close(self, patience: float) -> Response | None:
        """Let it end by itself, within `patience` seconds; return what was wrong, None where nothing was.

        The outcome is "protocol_error" where it printed something after its last response.
        """
        if self._process is None:
            return None
        fault = None
        try:
            status = self._process.finish(patience)
            if status:
                fault = Response("crash", f"at the end of its input it exited with status {status}, not 0")
        except Failure as failure:
            fault = Response(failure.outcome, f"at the end of its input: {failure}")
        if self._process.has_unasked:
            fault = Response("protocol_error", "it printed after its last response: a response is one line")
        self._discard()
        return fault

    def call(self, request: Mapping[str, Any]) -> Response:
        """Send a request without seq and return what came of it, whatever that is."""
        try:
            if self._process is None:
                self._restart()
            answer = self._exchange(request)
        except Failure as failure:
            answer = Response(failure.outcome, str(failure))
        except BadMessage as fault:
            answer = Response("protocol_error", str(fault))
        except OSError as error:
            answer = Response("crash", f"it could not be started again: {error.strerror}")
        if answer.outcome in FAILURES:
            self.restart()
        return answer

    def restart(self) -> None:
        """Have the next request answered by a fresh process; the one that runs is ended."""
        self._discard()

    def stop(self) -> None:
        """End what runs, from any thread; calls then fail at once."""
        self._is_stopped = True
        if (process := self._process) is not None:
            process.kill()

    def _exchange(self, request: Mapping[str, Any]) -> Response:
        if self._process is None or self._is_stopped:
            raise Failure("crash", "the run was stopped")
        self._seq += 1
        line = self._process.ask(messages.encode(request, self._seq), self._limits.timeout)
        answer = messages.response(line, self._seq)
        if self._process.has_unasked:
            raise Failure("protocol_error", "it printed after the response: a response is one line")
        return answer

    def _restart(self) -> None:
        if self._is_stopped:
            raise Failure("crash", "the run was stopped")
        if self._start() != self._introduced:
            raise Failure("protocol_error", "after a new start, its response to hello was another")

    def _start(self) -> Implementation:
        self._seq = 0
        self._place = Path(tempfile.mkdtemp(dir=self._folder, prefix="adapter-"))
        self._process = self._launch(self._command, self._place, self._limits)
        if self._is_stopped:  # meanwhile, by a thread that saw no process
            self._process.kill()
        try:
            line = self._process.ask(messages.encode(messages.HELLO, 0), self._limits.hello)
        except Failure as failure:
            raise Failure(failure.outcome, f"hello: {failure}") from None
        try:
            return messages.introduction(line)
        except BadMessage as fault:
            raise BadMessage(f"hello: {fault}") from None

    def _discard(self) -> None:
        """Forget the process, which has ended or is ended now, and remove its folder."""
        if self._process is not None:
            self._process.kill()
            self.log = self._process.log.text()
        if self._place is not None:
            remove(self._place)
        self._process = self._place = None
