"""How far a run has come, on standard error: a bar on a terminal, else a line now and then; and what fails, at once.

Strategy: failures are named as they happen, so that a case that is slow or hangs is seen before the run is over; after
the first few they are only counted, for the report has them all.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .model import Result
from .text import bounded

PAUSE = 10.0
"""Seconds between two lines."""
QUIET = 5.0
"""Seconds that an adapter may take to start before that is said."""
MOST_NAMED = 20
SAID = 120
"""Characters of a message that stand beside the name of a failure."""


class Reporter:
    """Tells on `stream` how far a run over some `things` has come, within `with`.

    `start` are the seconds that an adapter has until it has answered hello: nothing is told of a run before.
    """

    def __init__(
        self, stream: TextIO, things: str = "cases", *, start: float = 60.0, pause: float = PAUSE, quiet: float = QUIET
    ) -> None:
        self._stream = stream
        self._things = things
        self._pause = pause
        self._told = time.monotonic()
        self._failed = 0
        self._waiting = threading.Timer(quiet, self._say, [f"waiting for the response to hello, at most {start:g} s"])
        self._waiting.daemon = True
        self._bar: Progress | None = None
        if stream.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(file=stream), transient=True)
            self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Begin."""
        if self._bar is not None:
            self._bar.start()
        self._waiting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a bar goes away."""
        self._waiting.cancel()
        if self._bar is not None:
            self._bar.stop()

    def tell(self, done: int, total: int, latest: Result | None) -> None:
        """Tell that `done` of `total` have a result, and where the latest failed, that it did."""
        self._waiting.cancel()
        if latest is not None and latest.status == "failed":
            self._failed += 1
            self._name(latest)
        failed = f", {self._failed} failed" if self._failed else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, description=f"{self._things}{failed}")
        elif time.monotonic() - self._told >= self._pause:
            self._told = time.monotonic()
            self._say(f"{done} of {total} {self._things}{failed}")

    def _name(self, failure: Result) -> None:
        if self._failed <= MOST_NAMED:
            self._say(f"failed: {bounded(failure.name, SAID)}: {bounded(failure.message, SAID)}")
        elif self._failed == MOST_NAMED + 1:
            self._say("more failures are only counted")

    def _say(self, line: str) -> None:
        """Write a line; on a terminal it stands above the bar."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
            return
        self._stream.write(f"{line}\n")
        self._stream.flush()
