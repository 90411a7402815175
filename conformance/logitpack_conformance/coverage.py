"""What the suite covers, counted from its own data: cases by requirement and role, and mutants killed.

Strategy: the manifest says which cases there are, `breakable` who can break what, the checked-in results of the
self-test which mutants were caught. `covertext` makes the page of it; nothing on the page is written by hand but the
reasons and limits here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .breakable import BREAKABLE
from .clauses import Requirement, requirements
from .manifest import Manifest
from .model import Case, Container, Kind, Role
from .score import ACCEPT, REJECT, sides

SELF_TEST = Path(__file__).resolve().parent / "selftest" / "results.json"

WHY_NOT: Mapping[tuple[str, Role], str] = MappingProxyType({})
"""Why a MUST that a role can break has no case of its own for that role, or no mutant killed by one."""

LIMITS = (
    "Whoever knows the cases can answer them by heart; `--fuzz` with a fresh seed makes files that nobody has seen",
    "A reader may accept or reject a semantic breach: nothing is held against it there but wrong values",
    "Where it may accept the only breach of a requirement, another file of the container stands for the reject side",
    "A writer's files are judged by every rule, but no input tempts an honest writer to break most of them",
    "The draw of a tail is random: an extractor with a slight bias passes the test of uniformity",
    "Tails are judged within a request: whether another seed gives another tail is not asked",
    "Files are small: nothing is said of speed, nor of files too large for memory",
    "A verdict holds for the containers and features that it names: whoever declares little is judged on little",
    "Of findings only the ids are judged, not their messages or places",
)
"""What is weak by the way the suite works."""


@dataclass(frozen=True)
class Mutants:
    """The mutants that break a requirement in a role, by what became of them."""

    own: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    survived: tuple[str, ...] = ()


@dataclass(frozen=True)
class Covered:
    """One requirement in one role that can break it.

    `own` are the cases that are evidence for it, `accept` and `reject` how many cases show either side, twins among
    them; `containers` are those of its own cases. `mutants` is None where there are no results of a self-test.
    """

    requirement: Requirement
    role: Role
    own: tuple[Case, ...]
    accept: int
    reject: int
    containers: frozenset[Container]
    mutants: Mutants | None

    @property
    def is_killed(self) -> bool:
        """Whether a mutant was killed by the requirement's own cases."""
        return self.mutants is not None and bool(self.mutants.own)

    @property
    def why_not(self) -> str:
        """The reason given for a gap."""
        return WHY_NOT.get((self.requirement.id, self.role), "")


def covered(manifest: Manifest, trials: Mapping[str, Any] | None) -> list[Covered]:
    """Return what is covered of each requirement in each role that can break it, in the order of SPEC.md.

    `trials` are the results of the self-test as `load_trials` gives them.
    """
    known = {case.id: case for case in manifest.cases}
    return [
        _covered(requirement, role, manifest.cases, known, trials)
        for requirement in requirements().values()
        for role in BREAKABLE[requirement.id]
    ]


def load_trials(path: Path = SELF_TEST) -> Mapping[str, Any] | None:
    """Return the results of the self-test, None where it has not been run. Raises ValueError for a broken file."""
    if not path.is_file():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def containers(case: Case, role: Role) -> frozenset[Container]:
    """Return the containers in which a case is sent to a role; an extractor's has none."""
    if role is Role.WRITER:
        return frozenset(case.containers)
    known = set(Container)
    return frozenset(Container(key) for key in case.materials if key in known)


def not_single(manifest: Manifest) -> list[Case]:
    """Return the cases with a breach that are not their twin plus one fault that adds one finding."""
    known = {case.id: case for case in manifest.cases}
    found = []
    for case in manifest.cases:
        if case.kind not in {Kind.REJECT, Kind.EITHER} or not case.findings:
            continue
        twin = known.get(case.twin or "")
        if twin is None or case.fault is None or len(set(case.findings) - set(twin.findings)) != 1:
            found.append(case)
    return found


def _covered(
    requirement: Requirement,
    role: Role,
    cases: Sequence[Case],
    known: Mapping[str, Case],
    trials: Mapping[str, Any] | None,
) -> Covered:
    own = tuple(case for case in cases if role in case.roles and requirement.id in case.requirements)
    twins = [known[case.twin] for case in own if case.twin is not None and role in known[case.twin].roles]
    both = {case.id: case for case in (*own, *twins)}
    # A file that a reader may reject counts as one to accept, which is what it can show.
    shown = [sides(case, role, "accepted", requirement.id) for case in both.values()]
    return Covered(
        requirement,
        role,
        own,
        sum(ACCEPT in side for side in shown),
        sum(REJECT in side for side in shown),
        frozenset().union(*(containers(case, role) for case in own)),
        None if trials is None else _mutants(trials.get(requirement.id, {}).get(str(role), {})),
    )


def _mutants(told: Mapping[str, Sequence[str]]) -> Mutants:
    kinds = ("killed_by_own", "killed_elsewhere", "survived")
    return Mutants(*(tuple(told.get(kind, ())) for kind in kinds))
