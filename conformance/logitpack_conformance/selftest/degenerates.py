"""Degenerate adapters on trial: none may earn a requirement, and none may keep the suite from its work.

Strategy: each is sent few cases, but such that every requirement could be earned by them, until it has no sound answer
left, and is scored as any adapter is. More cases only make it harder to earn something, except by chance: who answers
by chance is sent all. Nothing is sent a second time, for what is not earned in one run is not earned in two.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Container, Result, Run
from logitpack_conformance.perform import Performer, Streak
from logitpack_conformance.plan import Choice, Planned, plan
from logitpack_conformance.score import Status, score, sides
from logitpack_conformance.session import Limits, Session, StartError

MODULE = "logitpack_conformance.adapters.degenerate"
LIMITS = Limits(timeout=0.5, memory=512 << 20, start=5.0, grace=0.5)
CHOICE = Choice(containers=(Container.PARQUET, Container.JSON))
BY_CHANCE = frozenset({"random-answers"})
PATIENCE = 6
"""After so many calls in a row without a sound answer, no more are sent."""
LIST_SECONDS = 60


@dataclass(frozen=True)
class Idle:
    """A degenerate adapter: `earned` are requirements with their roles, `note` says how it went."""

    name: str
    earned: tuple[str, ...]
    note: str


def listed() -> list[str]:
    """Return the names of all. Raises SuiteFault where they cannot be listed."""
    try:
        found = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", MODULE, "--list"], capture_output=True, check=True, text=True, timeout=LIST_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SuiteFault(f"the degenerate adapters cannot be listed: {error}") from error
    return found.stdout.split()


def tried(name: str, cases: Sequence[Case], fixtures: Path, folder: Path) -> Idle:
    """Run a degenerate adapter and score it. Raises SuiteFault."""
    command = (sys.executable, "-m", MODULE, name)
    try:
        with Session(command, LIMITS, folder=folder) as session:
            streak = Streak()
            performer = Performer(session, fixtures, folder, streak)
            results: list[Result] = []
            everything = [one for one in plan(cases, session.implementation, CHOICE) if not one.skip]
            for planned in everything if name in BY_CHANCE else least(everything):
                if streak.length >= PATIENCE:
                    results.append(planned.result("not-run", "no sound answers"))
                else:
                    results.append(performer.perform(planned))
            run = Run(session.implementation, command, tuple(results))
    except StartError as error:
        return Idle(name, (), f"did not start: {error}")
    earned = tuple(f"{one.requirement} ({one.role})" for one in score(run) if one.status is Status.PASSED)
    failed = sum(result.status == "failed" for result in results)
    sent = sum(result.status != "not-run" for result in results)
    return Idle(name, earned, f"failed {failed} of {sent}")


def least(planned: Iterable[Planned]) -> list[Planned]:
    """Return cases that show both sides of every requirement of each role, with their twins, as few as come first."""
    everything = list(planned)
    shown: set[tuple[str, str, str]] = set()
    wanted: set[tuple[str, str, str | None]] = set()
    for case, role, container, _ in everything:
        of = {name: sides(case, role, "accepted", name) for name in case.requirements}
        news = {(name, str(role), side) for name, shown_by in of.items() for side in shown_by}
        if news - shown:
            shown |= news
            wanted |= {(case.id, role, container), (case.twin or case.id, role, container)}
    return [one for one in everything if (one.case.id, one.role, one.container) in wanted]
