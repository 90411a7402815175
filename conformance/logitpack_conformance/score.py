"""Scores: which requirements an implementation was shown to meet, role by role, and the verdict over all.

Strategy: a result belongs to a requirement where its case is evidence for it, or where what came back was found to
break it. For a role, a requirement is

- **failed** where a failed result of that role names it, whatever its other cases say, and whether or not the failure
  was expected;
- **passed** where both sides were shown in this run: each of its cases passed, each with its twin, and among them are
  one that had to be accepted and one that had to be rejected. So an adapter that accepts everything passes nothing, for
  the reject side fails; nor does one that rejects everything;
- **not judged** where the role cannot break it (`breakable`): its cases only record what the adapter does;
- **not shown** otherwise, and `reason` says why.

A case that was skipped or unsupported, or whose twin was, is no evidence either way: it narrows the scope that is
reported beside the score. It does not hold back a requirement that other cases show, and does not show one that they do
not. A case that was not run because the run ended holds its requirement back, for it was in scope. A reader may accept
or reject an `either` case; accepted with the right values, it shows the accept side, and the reject side is then that
the reader passed a reject case of the same container in this run. A requirement without a case for a role is listed for
it only where it failed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .breakable import BREAKABLE
from .clauses import reported
from .clauses import requirements as all_requirements
from .model import Case, Kind, Result, Role, Run
from .text import bounded

ACCEPT, REJECT = "accept", "reject"
HELD_BACK = ("failed", "not-run")
OUT_OF_SCOPE = ("skipped", "unsupported")


class Status(StrEnum):
    """What became of a requirement in a role."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SHOWN = "not shown"
    NOT_JUDGED = "not judged"


class Overall(StrEnum):
    """What became of an implementation."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not conformant"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Score:
    """One requirement in one role.

    `cases` counts its results in this run, `out_of_scope` those of them that were skipped or unsupported. `failing` are
    the names of the results that name it, `reason` says why it was not shown or not judged.
    """

    requirement: str
    role: Role
    status: Status
    cases: int
    out_of_scope: int = 0
    failing: tuple[str, ...] = ()
    reason: str = ""


def score(run: Run, requirements: Iterable[str] | None = None) -> list[Score]:
    """Score a run by requirement, in the order of `requirements` (of SPEC.md), and by role."""
    evidence = _Evidence(run.results)
    wanted = all_requirements() if requirements is None else requirements
    found = [evidence.score(requirement, role) for requirement in wanted for role in Role]
    return [one for one in found if one is not None]


def overall(run: Run, scores: Sequence[Score]) -> Overall:
    """Return the verdict over a run.

    Conformant is who failed no case of a complete run, over all cases, and passed a requirement in each role declared:
    a scope with nothing in it conforms to nothing.
    """
    if any(result.status == "failed" for result in run.results):
        return Overall.NOT_CONFORMANT
    shown = {one.role for one in scores if one.status is Status.PASSED}
    roles = set(run.implementation.roles)
    unfinished = any(result.status == "not-run" for result in run.results)
    if not run.complete or run.selected or unfinished or not roles or not roles <= shown:
        return Overall.INCOMPLETE
    return Overall.CONFORMANT


def sides(case: Case, role: Role, outcome: str, requirement: str) -> frozenset[str]:
    """Return the sides of a requirement that a case shows where it passed with this outcome: neither, or one of them.

    A checker shows what it reports, each id by itself: a file in which it had to find something else is one in which
    it did not blame this. Of what is not reported as such, CHK-1 say, any finding shows the reject side.
    """
    if role is Role.CHECKER:
        told = requirement in case.findings if requirement in reported() else bool(case.findings)
        return frozenset({REJECT if told else ACCEPT})
    if case.kind is Kind.EITHER:
        return frozenset({ACCEPT} if outcome == "accepted" else ())
    return frozenset({REJECT if case.kind in {Kind.REJECT, Kind.REFUSE} else ACCEPT})


def is_free(result: Result) -> bool:
    """Tell whether a result is of a case that its role may accept or reject."""
    return result.role is not Role.CHECKER and result.case.kind is Kind.EITHER


class _Evidence:
    """The results of a run, by what they are evidence for."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.declared: dict[tuple[str, Role], list[Result]] = defaultdict(list)
        self.naming: dict[tuple[str, Role], list[str]] = defaultdict(list)
        self.of_case: dict[tuple[str, Role], list[Result]] = defaultdict(list)
        self.rejecting: set[tuple[Role, str | None]] = set()
        for result in results:
            self.of_case[result.case.id, result.role].append(result)
            for requirement in result.case.requirements:
                self.declared[requirement, result.role].append(result)
            for requirement in dict.fromkeys(result.broken) if result.status == "failed" else ():
                self.naming[requirement, result.role].append(result.name)
            if result.status == "passed" and result.case.kind is Kind.REJECT:
                self.rejecting.add((result.role, result.container))

    def score(self, requirement: str, role: Role) -> Score | None:
        own, failing = self.declared[requirement, role], self.naming[requirement, role]
        if not own and not failing:
            return None
        out = sum(result.status in OUT_OF_SCOPE for result in own)

        def scored(status: Status, reason: str = "") -> Score:
            return Score(requirement, role, status, len(own), out, tuple(failing), reason)

        if failing:
            return scored(Status.FAILED)
        if role not in BREAKABLE.get(requirement, ()):
            return scored(Status.NOT_JUDGED, f"a {role} may do as it likes there")
        reason = self.missing(own, requirement)
        return scored(Status.NOT_SHOWN, reason) if reason else scored(Status.PASSED)

    def missing(self, own: Sequence[Result], requirement: str) -> str:
        """Say what keeps a requirement with these results from being shown; nothing where it is shown."""
        concerned = [*own, *(twin for result in own for twin in self.twins(result))]
        for status, words in (("failed", "failed, though not by it"), ("not-run", "not run")):
            names = {result.name for result in concerned if result.status == status}
            if names:
                return f"{words}: {_named(names)}"
        absent = {result.case.twin for result in own if result.case.twin and not self.twins(result)}
        if absent:
            return f"twin not in this run: {_named(absent)}"
        shown: set[str] = set()
        for result in own:
            if self.is_whole(result):
                shown |= self.shown_by(result, requirement)
        if {ACCEPT, REJECT} <= shown:
            return ""
        reasons = Counter(bounded(result.message, 100) for result in concerned if result.status in OUT_OF_SCOPE)
        if reasons:
            return "out of scope: " + "; ".join(reason for reason, _ in reasons.most_common(3))
        if any(is_free(result) and result.outcome == "rejected" for result in own):
            return "it rejected what a reader may reject, and so showed nothing"
        return f"no case that had to be {'rejected' if ACCEPT in shown else 'accepted'} stood beside it"

    def twins(self, result: Result) -> list[Result]:
        """Return the results of a case's twin: that of the same container, or else those of the others."""
        found = self.of_case[result.case.twin, result.role] if result.case.twin else []
        return [twin for twin in found if twin.container == result.container] or found

    def is_whole(self, result: Result) -> bool:
        """Tell whether a case and its twin have passed."""
        twins = self.twins(result)
        return result.status == "passed" and (not result.case.twin or any(twin.status == "passed" for twin in twins))

    def shown_by(self, result: Result, requirement: str) -> frozenset[str]:
        """Return the sides of a requirement that a case shows together with its twin."""
        shown = sides(result.case, result.role, result.outcome, requirement)
        for twin in self.twins(result):
            if twin.status == "passed":
                shown |= sides(twin.case, twin.role, twin.outcome, requirement)
        accepted = is_free(result) and result.outcome == "accepted"
        if accepted and (result.role, result.container) in self.rejecting:
            shown |= {REJECT}
        return shown


def _named(names: Iterable[str]) -> str:
    """Name the first few of some things, and count the rest."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(ordered[:3]) + more
