"""What the trials say of the suite: for each requirement and role, which mutants were caught, and by what.

Strategy: pure functions of the trials. The record of them is the same wherever the self-test runs, so that it can be
checked in and the page of coverage made of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.clauses import requirements
from logitpack_conformance.model import Role

from .trial import Fate, Trial, name_of

KINDS = ("killed_by_own", "killed_elsewhere", "survived")


@dataclass
class Line:
    """One requirement in one role: mutants by what became of them."""

    requirement: str
    role: Role
    killed_by_own: list[str] = field(default_factory=list)
    killed_elsewhere: list[str] = field(default_factory=list)
    survived: list[str] = field(default_factory=list)

    @property
    def is_due(self) -> bool:
        """Whether a mutant has to be killed by the requirement's own cases: of each MUST, in each role."""
        return requirements()[self.requirement].level == "MUST"

    @property
    def is_shown(self) -> bool:
        """Whether one was."""
        return bool(self.killed_by_own)


def tally(trials: Sequence[Trial]) -> list[Line]:
    """Return a line for each requirement and role that can break it, in the order of SPEC.md."""
    lines = {(name, role): Line(name, role) for name, roles in BREAKABLE.items() for role in roles}
    for trial in sorted(trials, key=lambda trial: trial.mutant.name):
        for name in trial.mutant.requirements:
            line = lines.get((name, trial.mutant.role))
            if line is not None:
                getattr(line, _kind(trial, name)).append(trial.mutant.name)
    return list(lines.values())


def _kind(trial: Trial, requirement: str) -> str:
    if requirement in trial.by:
        return "killed_by_own"
    return "survived" if trial.fate is Fate.SURVIVED else "killed_elsewhere"


def held_against(trials: Sequence[Trial], failing: Collection[str]) -> list[Trial]:
    """Return the trials, without what was caught by cases of these names: the reference fails them as well."""
    return [
        replace(trial, fate=Fate.SURVIVED, by=(), message="the reference fails that case as well")
        if any(name_of(planned) in failing for planned in trial.catching)
        else trial
        for trial in trials
    ]


def record(lines: Sequence[Line]) -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    """Return what is kept: mutants by requirement, role, and what became of them."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for line in lines:
        kinds = {kind: names for kind in KINDS if (names := getattr(line, kind))}
        if kinds:
            found.setdefault(line.requirement, {})[str(line.role)] = kinds
    return found


def to_json(lines: Sequence[Line]) -> str:
    """Return the record as text, a role a line."""
    parts = []
    for name, roles in record(lines).items():
        inner = ",\n".join(f"  {json.dumps(role)}: {json.dumps(kinds)}" for role, kinds in roles.items())
        parts.append(f" {json.dumps(name)}: {{\n{inner}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
