"""How far a check has come: a bar on standard error, where that is a terminal, and nothing where it is not.

Strategy: the bar is of bytes, which are known from the start; files and tokens stand beside it. It goes in the end.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from logitpack.check import Progress


@contextmanager
def bar() -> Iterator[Callable[[Progress], None] | None]:
    """Give what shows how far a check has come, None where nobody looks: in a pipe, a dumb terminal, or CI."""
    console = Console(stderr=True, force_terminal=True) if sys.stderr.isatty() else None
    if console is None or console.is_dumb_terminal or os.environ.get("CI"):
        yield None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.fields[files]}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[tokens]}", markup=False),
        TimeRemainingColumn(),
    )
    shown = Bar(*columns, console=console, transient=True, redirect_stdout=False)
    begin, earlier = time.monotonic(), 0

    def show(told: Progress) -> None:
        nonlocal begin, earlier
        if not shown.task_ids:
            # What an earlier run has done says nothing of how fast this one is.
            begin, earlier = time.monotonic(), told.tokens
            shown.add_task("", total=told.whole_size, completed=int(told.size), files="", tokens="")
        speed = (told.tokens - earlier) / max(time.monotonic() - begin, 0.1)
        shown.update(
            shown.task_ids[0],
            completed=told.size,
            files=f"{told.files:,} of {told.all_files:,} files",
            tokens=f"{told.tokens:,} tokens, {speed:,.0f} tokens/s",
        )

    with shown:
        yield show
