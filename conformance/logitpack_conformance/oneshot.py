"""An adapter that is started once for each request: `COMMAND read|write|check|extract REQUEST.json RESPONSE.json`.

Strategy: the same messages as in a session, in files. `COMMAND hello REQUEST.json RESPONSE.json` asks what the adapter
is; one that does not answer it can be described on the command line instead. What a program prints is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import messages
from .commands import NoCommandError, resolve
from .drain import LINE_LIMIT
from .messages import BadMessage
from .model import Implementation, Response
from .process import Failure, Limits, Process
from .session import StartError
from .workplace import content, workplace

HINT = "an adapter that does not answer hello is described by --roles and --containers"


class OneShot:
    """A process for each call, in a folder below `folder`. `described` stands in for an answer to `hello`.

    `log` is what the last process said on its standard error, its first and last part.
    """

    def __init__(
        self, command: Sequence[str], limits: Limits, *, folder: Path, described: Implementation | None = None
    ) -> None:
        self._command = command
        self._limits = limits
        self._folder = folder
        self._introduced = described
        self._process: Process | None = None
        self._is_stopped = False
        self._seq = 0
        self.log = ""

    @property
    def implementation(self) -> Implementation:
        """What the adapter said of itself, or what it was described as."""
        if self._introduced is None:
            raise RuntimeError("the adapter has not been started")
        return self._introduced

    def __enter__(self) -> Self:
        """Ask what the adapter is. Raises StartError."""
        try:
            self._command = resolve(self._command)
        except NoCommandError as error:
            raise StartError(str(error)) from None
        try:
            self._introduced = messages.introduction(self._run("hello", messages.HELLO, 0, self._limits.hello))
        except (Failure, BadMessage, OSError) as error:
            if self._introduced is None:
                raise StartError(f"hello: {error} ({HINT})", self.log) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing, as `close`."""

    def close(self, patience: float) -> None:
        """Do nothing, and find nothing wrong: no process outlives its call."""

    def call(self, request: Mapping[str, Any]) -> Response:
        """Send a request without seq and return what came of it, whatever that is."""
        self._seq += 1
        try:
            line = self._run(request["cmd"], request, self._seq, self._limits.timeout)
            return messages.response(line, self._seq)
        except Failure as failure:
            return Response(failure.outcome, str(failure))
        except BadMessage as fault:
            return Response("protocol_error", str(fault))
        except OSError as error:
            return Response("crash", f"it could not be started: {error.strerror}")

    def restart(self) -> None:
        """Do nothing: each process is a fresh one."""

    def stop(self) -> None:
        """End what runs, from any thread; calls then fail at once."""
        self._is_stopped = True
        if (process := self._process) is not None:
            process.kill()

    def _run(self, command: str, request: Mapping[str, Any], seq: int, timeout: float) -> bytes:
        """Return the response as a line with its sequence number."""
        with workplace(self._folder) as place:
            asked, answered = place / "request.json", place / "response.json"
            asked.write_bytes(messages.encode(request, seq) + b"\n")
            arguments = [*self._command, command, str(asked), str(answered)]
            self._process = process = Process(arguments, place, self._limits)
            if self._is_stopped:
                process.kill()
            try:
                status = process.finish(timeout)
            finally:
                process.kill()
                self.log = process.log.text()
                self._process = None
            if status:
                said = f"; last on its standard error: {process.log.last_line()[:300]}" if self.log.strip() else ""
                raise Failure("crash", f"it exited with status {status}{said}")
            try:
                data = content(answered, LINE_LIMIT)
            except OSError as error:
                raise BadMessage(f"there is no response: {error.strerror}") from error
            return _numbered(data, seq)


def _numbered(data: bytes, seq: int) -> bytes:
    """Put in the sequence number, which a program that sees one request may leave out."""
    message = messages.decode(data)
    return data if "seq" in message else json.dumps({"seq": seq, **message}).encode()
