"""A run: all that was planned is performed, by as many adapter processes as there are jobs.

Strategy: threads, each with a session of its own, take the cases one after another; the thread that called gathers
what they have done, and results stand in the order of the cases. Whatever an adapter does is a result, and the run goes
on; only when it gives no sound answer any more is the rest not run. A fault of the suite ends the run. An interrupt
ends it too, and what was found until then goes with it; one that comes after the last case is held back (`interrupt`).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from .interrupt import hold_back
from .keeping import Keeper
from .manifest import Manifest
from .model import FAILURES, Implementation, Result, Run
from .oneshot import OneShot
from .perform import Performer, Streak
from .plan import Choice, Planned, plan
from .session import Caller, Limits, Session, StartError
from .workplace import remove

__all__ = ["Choice", "InterruptedRun", "Limits", "NothingToRunError", "Options", "conduct", "open_caller"]

PATIENCE = 10
"""After so many calls in a row without a sound answer, the run is given up."""
GAVE_UP = f"the adapter gave no sound answer to {PATIENCE} requests in a row"
INTERRUPTED = "the run was interrupted"

Progress = Callable[[int, int, Result | None], None]
"""Told how many results there are of how many, and the latest: from the thread that called, `None` at the beginning."""


class NothingToRunError(Exception):
    """What the user chose leaves no case that could be sent."""


class InterruptedRun(KeyboardInterrupt):
    """A run was interrupted. `run` is what there is of it: the cases without a result are "not-run"."""

    def __init__(self, run: Run) -> None:
        super().__init__(INTERRUPTED)
        self.run = run


@dataclass(frozen=True)
class Options:
    """How to run.

    `described` stands in for an answer to `hello` of a one-shot adapter; `repeats` are the options that a command line
    needs to repeat a case as it was run. `keeper` takes what is written. A run `may_be_empty` where there is more to do
    than to send cases.
    """

    fixtures: Path
    limits: Limits = field(default_factory=Limits)
    choice: Choice = field(default_factory=Choice)
    jobs: int = 1
    one_shot: bool = False
    described: Implementation | None = None
    repeats: tuple[str, ...] = ()
    keeper: Keeper | None = None
    may_be_empty: bool = False


def open_caller(command: Sequence[str], options: Options, folder: Path) -> Caller:
    """Return what sends requests to an adapter; it is started by `with`. `folder` is for its folders."""
    if options.one_shot:
        return OneShot(command, options.limits, folder=folder, described=options.described)
    return Session(command, options.limits, folder=folder)


def conduct(command: Sequence[str], manifest: Manifest, options: Options, progress: Progress | None = None) -> Run:
    """Run all that was chosen of a manifest. Nothing is left behind, also where this is interrupted.

    Raises StartError, NothingToRunError, SuiteFault, and InterruptedRun where the first case was already sent.
    """
    place = Path(mkdtemp(prefix="logitpack-conform-")).resolve()
    try:
        return _Conduct(command, options, place).run(manifest, progress or (lambda *_: None))
    finally:
        remove(place)


class _Conduct:
    def __init__(self, command: Sequence[str], options: Options, place: Path) -> None:
        self._command = command
        self._options = options
        self._place = place
        self._streak = Streak()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._good: Planned | None = None
        self._next = 0
        self._done: queue.SimpleQueue[tuple[int, Result] | BaseException | None] = queue.SimpleQueue()
        self._gave_up = False
        self._notes: list[str] = []
        self._results: dict[int, Result] = {}

    def run(self, manifest: Manifest, progress: Progress) -> Run:
        """Run all that was chosen; the first adapter process says what there is to run."""
        choice = self._options.choice
        with open_caller(self._command, self._options, self._place) as first:
            implementation = first.implementation
            for role in choice.roles:
                if role not in implementation.roles:
                    raise NothingToRunError(f"the adapter does not declare the role {role}")
            everything = plan(manifest.cases, implementation)
            planned = [one for one in everything if choice.takes(one)]
            if not planned and not self._options.may_be_empty:
                raise NothingToRunError(f"none of the cases chosen is for {' or '.join(implementation.roles)}")
            others = range(min(self._options.jobs, len(planned)) - 1)
            callers = [first, *(open_caller(self._command, self._options, self._place) for _ in others)]
            selected = str(choice) if len(planned) < len(everything) else ""
            try:
                self._gather(planned, callers, progress)
                hold_back()
            except KeyboardInterrupt:
                self._notes.insert(0, INTERRUPTED)
                run = self._as_run(implementation, planned, selected, INTERRUPTED)
                raise InterruptedRun(replace(run, complete=False)) from None
        return self._as_run(implementation, planned, selected, GAVE_UP if self._gave_up else "the run was stopped")

    def _as_run(self, implementation: Implementation, planned: list[Planned], selected: str, reason: str) -> Run:
        """Return what there is by now; what has no result was not run, for the reason given."""
        found = self._results
        return Run(
            implementation=implementation,
            command=tuple(self._command),
            results=tuple(found.get(number) or one.result("not-run", reason) for number, one in enumerate(planned)),
            complete=len(found) == len(planned),
            selected=selected,
            options=self._options.repeats,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _gather(self, planned: list[Planned], callers: list[Caller], progress: Progress) -> None:
        """Take the results from the threads. Raises what a thread raised."""
        threads = [threading.Thread(target=self._work, args=(planned, caller, callers[0])) for caller in callers]
        progress(0, len(planned), None)
        try:
            for thread in threads:
                thread.start()
            working = len(threads)
            while working:
                found = self._done.get()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    working -= 1
                else:
                    self._results[found[0]] = found[1]
                    progress(len(self._results), len(planned), found[1])
        finally:
            self._stop.set()
            for caller in callers:
                caller.stop()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            while not self._done.empty():  # where this is interrupted
                found = self._done.get()
                if isinstance(found, tuple):
                    self._results[found[0]] = found[1]

    def _work(self, planned: list[Planned], caller: Caller, first: Caller) -> None:
        """Take and settle cases until there are none. The first caller runs already."""
        try:
            with nullcontext(caller) if caller is first else caller:
                _hold_same(caller, first)
                performer = Performer(caller, self._options.fixtures, self._place, self._streak, self._options.keeper)
                self._close(caller, performer, self._work_through(planned, performer))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that called
            self._done.put(error)
        else:
            self._done.put(None)

    def _work_through(self, planned: list[Planned], performer: Performer) -> tuple[int, Result] | None:
        """Return the last result, with its number."""
        last = None
        while (number := self._take(len(planned))) is not None:
            one = planned[number]
            if one.skip:
                self._done.put((number, one.result("skipped", one.skip)))
                continue
            result = performer.settle(one)
            if self._stop.is_set():  # a call that was cut short says nothing
                return None
            last = (number, result)
            self._done.put(last)
            if result.outcome not in FAILURES:
                self._good = one
            elif self._streak.length >= PATIENCE and not self._answers_still(performer):
                self._gave_up = True
                self._stop.set()
        return last

    def _take(self, end: int) -> int | None:
        with self._lock:
            number, self._next = self._next, self._next + 1
        return number if number < end and not self._stop.is_set() else None

    def _answers_still(self, performer: Performer) -> bool:
        """Tell whether the adapter answers what it has answered before: it may just fail at many cases in a row."""
        return self._good is not None and performer.perform(self._good).outcome not in FAILURES

    def _close(self, caller: Caller, performer: Performer, last: tuple[int, Result] | None) -> None:
        fault = caller.close(0.0 if self._stop.is_set() else self._options.limits.grace)
        if fault is None or self._stop.is_set():
            return
        if fault.outcome == "protocol_error" and last is not None and last[1].status == "passed":
            self._done.put((last[0], performer.blame(last[1], fault.message)))
        else:
            self._notes.append(fault.message)


def _hold_same(caller: Caller, first: Caller) -> None:
    if caller.implementation != first.implementation:
        raise StartError("of two adapter processes, each said another thing of itself in hello")
