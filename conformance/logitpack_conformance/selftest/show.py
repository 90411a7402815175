"""The self-test on the terminal: progress while it runs, then a table, what is missing, and the verdict."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from logitpack_conformance.text import bounded

from .degenerates import Idle
from .tally import Line
from .trial import Fate, Trial

TENTHS = 10
MOST_NAMES = 3


class Advance(Protocol):
    """Called once for each adapter that is done."""

    def __call__(self) -> None:
        """Count one."""


@contextmanager
def progress(total: int) -> Iterator[Advance]:
    """Show how far it is, on stderr: a bar on a terminal, else a line now and then."""
    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("self-test", total=total)
            yield lambda: bar.advance(task)
        return
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done * TENTHS // total > (done - 1) * TENTHS // total:
            sys.stderr.write(f"self-test: {done} of {total} adapters\n")

    yield advance


def show(trials: Sequence[Trial], lines: Sequence[Line], idle: Sequence[Idle]) -> None:
    """Print what was found."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 1_000
    table = Table("requirement", "role", "killed by own", "elsewhere", "survived", box=None, pad_edge=False)
    for line in lines:
        mutants = (line.killed_by_own, line.killed_elsewhere, line.survived)
        table.add_row(line.requirement, line.role, *map(_told, mutants))
    console.print(table)
    for trial in trials:
        if trial.fate is not Fate.KILLED:
            named = f", named {', '.join(trial.named)}: {bounded(trial.message, 200)}" if trial.named else ""
            console.print(f"{trial.fate}: {trial.mutant.name} ({', '.join(trial.mutant.requirements)}){named}")
    for one in idle:
        if one.earned:
            console.print(f"earned: {one.name}: {', '.join(one.earned)}")
    for line in missing(lines):
        console.print(f"no mutant killed by its own cases: {line.requirement} ({line.role})")
    due = [line for line in lines if line.is_due]
    killed = sum(trial.fate is Fate.KILLED for trial in trials)
    shown = sum(line.is_shown for line in due)
    console.print(
        f"{killed} of {len(trials)} mutants killed by their own cases; {shown} of {len(due)} MUSTs, counted for each "
        f"role, have one; {sum(bool(one.earned) for one in idle)} of {len(idle)} degenerate adapters earned anything"
    )


def missing(lines: Sequence[Line]) -> list[Line]:
    """Return the MUSTs of a role that no mutant was killed by."""
    return [line for line in lines if line.is_due and not line.is_shown]


def _told(names: Sequence[str]) -> str:
    if not names:
        return "-"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{len(names)}: {', '.join(names[:MOST_NAMES])}{more}"
