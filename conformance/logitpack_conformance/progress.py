"""How far a run has come, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .model import Result

PAUSE = 10.0
"""Seconds between two lines."""


class Reporter:
    """Tells on `stream` how far a run over some `things` has come, within `with`."""

    def __init__(self, stream: TextIO, things: str = "cases", pause: float = PAUSE) -> None:
        self._stream = stream
        self._things = things
        self._pause = pause
        self._told = time.monotonic()
        self._failed = 0
        self._bar: Progress | None = None
        if stream.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(file=stream), transient=True)
            self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Begin."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a bar goes away."""
        if self._bar is not None:
            self._bar.stop()

    def tell(self, done: int, total: int, latest: Result | None) -> None:
        """Tell that `done` of `total` have a result."""
        self._failed += latest is not None and latest.status == "failed"
        failed = f", {self._failed} failed" if self._failed else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, description=f"{self._things}{failed}")
        elif time.monotonic() - self._told >= self._pause:
            self._told = time.monotonic()
            self._stream.write(f"{done} of {total} {self._things}{failed}\n")
            self._stream.flush()
