"""The suite tests itself: mutants have to be caught by the requirement that they break, idlers may earn nothing.

Strategy: whatever is tried is an adapter in a process of its own, driven and judged as a stranger's would be; mutants,
which are trusted, are forks of one process, for their imports take longer than their trials. A catch counts only where
the reference passes the very same case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

from logitpack_conformance.manifest import SuiteFault, fixtures_folder, load_manifest
from logitpack_conformance.workplace import remove

from . import degenerates, show, trial
from .degenerates import Idle
from .forks import launcher
from .tally import held_against, tally, to_json
from .trial import Trial

__all__ = ["RESULTS", "main"]

RESULTS = "results.json"
WAITING = 4
"""Degenerate adapters to a job: most of them only let time pass."""
Thing = TypeVar("Thing")
Found = TypeVar("Found")


def main(jobs: int = 1, only: str | None = None, report: Path | None = None) -> int:
    """Try all mutants and degenerate adapters, or those whose names match `only`; return the exit status.

    It is 0 where every MUST that a role can break has a mutant killed by its own cases and nothing was earned that is
    not deserved; with `only`, where each of those mutants was killed by its own cases. `report` is a folder for the
    record, which is written only over all. Raises SuiteFault.
    """
    fixtures = fixtures_folder()
    cases = load_manifest(fixtures).cases
    mutants = [one for one in trial.listed() if only is None or fnmatchcase(one.name, only)]
    idlers = [name for name in degenerates.listed() if only is None or fnmatchcase(name, only)]
    if not mutants and not idlers:
        raise SuiteFault(f"no mutant and no degenerate adapter is called {only}")
    place = Path(mkdtemp(prefix="logitpack-self-test-")).resolve()
    try:
        with show.progress(len(mutants) + len(idlers)) as advance, launcher(place) as launch:
            trials = _all(mutants, lambda one: trial.tried(one, cases, fixtures, place, launch), jobs, advance)
            idle = _all(idlers, lambda name: degenerates.tried(name, cases, fixtures, place), WAITING * jobs, advance)
        catching = [planned for one in trials for planned in one.catching]
        failing = set(trial.failed_by_the_reference(catching, fixtures, place))
    finally:
        remove(place)
    return _concluded(held_against(trials, failing), idle, only, report)


def _concluded(trials: list[Trial], idle: list[Idle], only: str | None, report: Path | None) -> int:
    lines = tally(trials)
    show.show(trials, [line for line in lines if only is None or line.killed_by_own or line.survived], idle)
    if report is not None and only is None:
        report.mkdir(parents=True, exist_ok=True)
        (report / RESULTS).write_text(to_json(lines), encoding="utf-8", newline="\n")
    is_shown = all(one.fate is trial.Fate.KILLED for one in trials) if only else not show.missing(lines)
    return 0 if is_shown and not any(one.earned for one in idle) else 1


def _all(
    things: Iterable[Thing], work: Callable[[Thing], Found], jobs: int, advance: Callable[[], None]
) -> list[Found]:
    """Return what came of each, in order. Raises what the first that failed raises."""

    def counted(thing: Thing) -> Found:
        found = work(thing)
        advance()
        return found

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(counted, thing) for thing in things]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
