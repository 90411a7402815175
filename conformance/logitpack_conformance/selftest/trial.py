"""Mutants on trial: each is started as any adapter is, and given the cases by which it is to be caught.

Strategy: the mutants are asked for a list of themselves, for nothing of the suite imports an adapter. A mutant gets the
cases that are evidence for the requirements it breaks; only where those do not catch it, all others of its role.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Container, Role
from logitpack_conformance.perform import Performer
from logitpack_conformance.plan import Choice, Planned, plan
from logitpack_conformance.process import Process
from logitpack_conformance.session import Launch, Limits, Session, StartError

MODULE = "logitpack_conformance.adapters.mutants"
REFERENCE = "logitpack_conformance.adapters.reference"
LIMITS = Limits(timeout=30.0)
LIST_SECONDS = 120


@dataclass(frozen=True)
class Mutant:
    """What the list of mutants says of one: `requirements` are those by which it is to be caught."""

    name: str
    role: Role
    requirements: tuple[str, ...]
    containers: tuple[Container, ...]
    fault: str


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    ELSEWHERE = "killed elsewhere"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Trial:
    """A mutant, and what came of it.

    `by` are the requirements among its own that were named by a failed result of a case which is evidence for them;
    `named` is what the result that caught it names first, and `message` what it says. `catching` are the cases sent
    that caught it, for the reference to be held against.
    """

    mutant: Mutant
    fate: Fate
    by: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    message: str = ""
    catching: tuple[Planned, ...] = ()


def listed() -> list[Mutant]:
    """Return all mutants. Raises SuiteFault where they cannot be listed."""
    try:
        found = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", MODULE, "--list"], capture_output=True, check=True, timeout=LIST_SECONDS
        )
        return [_mutant(told) for told in json.loads(found.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SuiteFault(f"the mutants cannot be listed: {error}") from error


def _mutant(told: dict[str, Any]) -> Mutant:
    return Mutant(
        told["name"],
        Role(told["role"]),
        tuple(told["requirements"]),
        tuple(map(Container, told["containers"])),
        told["fault"],
    )


def tried(mutant: Mutant, cases: Sequence[Case], fixtures: Path, folder: Path, launch: Launch = Process) -> Trial:
    """Run a mutant until its requirements are named by their own cases, or there is nothing left to send.

    Raises SuiteFault, also where it does not start.
    """
    try:
        with Session([sys.executable, "-m", MODULE, mutant.name], LIMITS, folder=folder, launch=launch) as session:
            chosen = plan(cases, session.implementation, Choice(containers=mutant.containers))
            performer = Performer(session, fixtures, folder)
            own = [planned for planned in chosen if set(planned.case.requirements) & set(mutant.requirements)]
            trial = _by_own_cases(mutant, own, performer)
            if trial.fate is Fate.KILLED:
                return trial
            others = [planned for planned in chosen if planned not in own]
            return _elsewhere(trial, others, performer)
    except StartError as error:
        raise SuiteFault(f"the mutant {mutant.name} did not start: {error}") from error


def _by_own_cases(mutant: Mutant, own: Sequence[Planned], performer: Performer) -> Trial:
    """Send the cases that are evidence for what a mutant breaks."""
    trial = Trial(mutant, Fate.SURVIVED)
    for planned in own:
        result = performer.perform(planned)
        if result.status != "failed":
            continue
        mine = set(mutant.requirements) & set(planned.case.requirements) & set(result.broken)
        if mine - set(trial.by):
            by = tuple(name for name in mutant.requirements if name in mine or name in trial.by)
            trial = Trial(mutant, Fate.KILLED, by, result.broken, result.message, (*trial.catching, planned))
        elif trial.fate is Fate.SURVIVED:
            trial = Trial(mutant, Fate.ELSEWHERE, (), result.broken, result.message, (planned,))
        if len(trial.by) == len(mutant.requirements):
            break
    return trial


def _elsewhere(trial: Trial, others: Iterable[Planned], performer: Performer) -> Trial:
    """Look for a case of another requirement that catches a mutant."""
    for planned in others if trial.fate is Fate.SURVIVED else ():
        result = performer.perform(planned)
        if result.status == "failed":
            return Trial(trial.mutant, Fate.ELSEWHERE, (), result.broken, result.message, (planned,))
    return trial


def name_of(planned: Planned) -> str:
    """Return the name of what is sent, unique in a run."""
    return planned.result("", "").name


def failed_by_the_reference(catching: Iterable[Planned], fixtures: Path, folder: Path) -> Iterator[str]:
    """Yield the names of those cases that the reference fails: they catch nobody.

    Raises SuiteFault.
    """
    try:
        with Session([sys.executable, "-m", REFERENCE], LIMITS, folder=folder) as session:
            performer = Performer(session, fixtures, folder)
            for name, planned in {name_of(planned): planned for planned in catching}.items():
                if performer.perform(planned).status != "passed":
                    yield name
    except StartError as error:
        raise SuiteFault(f"the reference did not start: {error}") from error
