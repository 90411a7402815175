"""What every form of report says of a run: the verdict in words, counts, failures by requirement, what was left out.

Strategy: all text is made printable and bounded here, so that a form of report has only its own markup to escape.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from logitpack_conformance.clauses import Requirement, requirements
from logitpack_conformance.model import Container, Result, Role, Run
from logitpack_conformance.score import Overall, Score, Status, overall
from logitpack_conformance.text import bounded

MOST_NOTES = 20
UNNAMED = ""
"""Stands for the requirement of a failure that names none."""


def suite_version() -> str:
    """Return the version of the package that holds the suite."""
    try:
        return version("logitpack")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def repeat(run: Run, result: Result) -> str:
    """Return the command line that repeats just the case of a result, on one line.

    A result's own options, of which each has a value, take the place of the run's.
    """
    words = ["logitpack", "conform", "--roles", str(result.role), "--case", result.case.id]
    words += [*_without(run.options, result.options[::2]), *result.options, "--", *run.command]
    return bounded(shlex.join(words), 2000)


def _without(options: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return options of a command line without those named, and without their values."""
    kept = list(options)
    for name in names:
        if name in kept:
            at = kept.index(name)
            del kept[at : at + 2]
    return kept


@dataclass(frozen=True)
class Group:
    """Results that share a status, a role and a reason."""

    status: str
    role: Role
    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """A run, its scores, and what else is known beside it.

    `expected` gives the implementer's reason by the name of a result, `problems` is what is wrong with their list of
    expected failures, `flags` says what the flags of cases mean, `generated` describes generated examples that failed.
    """

    run: Run
    scores: Sequence[Score]
    expected: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    generated: Sequence[str] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def date(self) -> str:
        """The date and time in UTC."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @cached_property
    def overall(self) -> Overall:
        """The verdict: that over the run, unless a generated example has failed."""
        return Overall.NOT_CONFORMANT if self.generated else overall(self.run, self.scores)

    @property
    def complete(self) -> bool:
        """Whether every case of the declared scope was run."""
        run = self.run
        return run.complete and not run.selected and not self.counts["not-run"]

    @cached_property
    def counts(self) -> Counter[str]:
        """The number of results by status."""
        return Counter(result.status for result in self.run.results)

    @property
    def name(self) -> str:
        """The name and version that the adapter gave itself."""
        return f"{bounded(self.run.implementation.name, 100)} {bounded(self.run.implementation.version, 50)}"

    @property
    def roles(self) -> list[Role]:
        """The roles declared, in the order of the protocol."""
        return [role for role in Role if role in self.run.implementation.roles]

    @property
    def containers(self) -> list[Container]:
        """The containers declared, in the order of the protocol."""
        return [container for container in Container if container in self.run.implementation.containers]

    @property
    def notes(self) -> list[str]:
        """What was seen of the adapter beside its responses."""
        return [bounded(note) for note in self.run.notes[:MOST_NOTES]]

    def number(self, status: Status, role: Role | None = None) -> int:
        """Count the requirements with a status in a role, or in any."""
        found = {one.requirement for one in self.scores if one.status is status and role in {None, one.role}}
        return len(found)

    @property
    def recorded(self) -> int:
        """The number of requirements that no role declared can break: what was answered to their cases is recorded."""
        judged = {one.requirement for one in self.scores if one.status is not Status.NOT_JUDGED}
        return len({one.requirement for one in self.scores} - judged)

    @property
    def scope(self) -> str:
        """The roles declared, and the containers if there are any: an extractor needs none."""
        containers = f" ({', '.join(self.containers)})" if self.containers else ""
        return f"{listed(self.roles) or 'nothing'}{containers}"

    @property
    def examples(self) -> list[str]:
        """What is said of the generated examples that failed."""
        return [bounded(example, 2000) for example in self.generated[:MOST_NOTES]]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        verdict = self.overall if self.overall is not Overall.INCOMPLETE else "incomplete: no verdict"
        return f"{self.name}: {verdict} as {self.scope}: {self.reckoning}"

    @property
    def reckoning(self) -> str:
        """The figures behind the verdict."""
        parts = []
        failed = self.number(Status.FAILED)
        if failed:
            parts.append(f"{failed} {'requirement fails' if failed == 1 else 'requirements fail'}")
        elif self.counts["failed"]:
            parts.append(f"{plural(self.counts['failed'], 'case')} failed")
        else:
            parts.append(f"{plural(self.number(Status.PASSED), 'requirement')} passed")
        if self.generated:
            parts.append(f"{plural(len(self.generated), 'generated example')} failed")
        if self.number(Status.NOT_SHOWN):
            parts.append(f"{self.number(Status.NOT_SHOWN)} not shown")
        if self.counts["not-run"]:
            parts.append(f"{plural(self.counts['not-run'], 'case')} not run")
        if self.run.selected:
            parts.append(f"only {bounded(self.run.selected, 200)}")
        return ", ".join(parts)

    @cached_property
    def by_requirement(self) -> dict[str, list[Result]]:
        """The failed results by the requirement that tells most of them, in the order of SPEC.md."""
        found: dict[str, list[Result]] = defaultdict(list)
        for result in self.run.results:
            if result.status == "failed":
                named = (name for name in result.broken if name in requirements())
                found[next(named, UNNAMED)].append(result)
        order = {name: place for place, name in enumerate(requirements())}
        return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))

    @cached_property
    def left_out(self) -> list[Group]:
        """The results without a verdict, by status, role and reason."""
        found: dict[tuple[str, Role, str], list[str]] = defaultdict(list)
        for result in self.run.results:
            if result.status in {"unsupported", "skipped", "not-run"}:
                found[result.status, result.role, bounded(result.message, 200)].append(result.name)
        groups = [Group(*key, tuple(names)) for key, names in found.items()]
        return sorted(groups, key=lambda group: (group.status, group.role, -len(group.names), group.reason))

    def expected_reason(self, result: Result) -> str:
        """Return the implementer's reason for a failure, nothing where they list none."""
        return bounded(self.expected.get(result.name, ""), 300)


def alike(results: Sequence[Result]) -> list[tuple[Result, str]]:
    """Return one result for each case, role and outcome, with its containers: `reader, parquet, json`."""
    found: dict[tuple[str, Role, str], list[Result]] = defaultdict(list)
    for result in results:
        found[result.case.id, result.role, result.outcome].append(result)
    return [
        (group[0], ", ".join([str(role), *(str(result.container) for result in group if result.container)]))
        for (_, role, _), group in found.items()
    ]


def clause(requirement: str) -> Requirement:
    """Return a requirement, or one that says nothing for a name that is none."""
    unknown = Requirement(bounded(requirement, 40), "MUST", "B", "", "", "", "", "")
    return requirements().get(requirement, unknown)


def plural(number: int, noun: str) -> str:
    """Return a number and its noun.

    >>> plural(1, "case"), plural(2, "case")
    ('1 case', '2 cases')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them.

    >>> listed(["reader", "writer", "checker"])
    'reader, writer and checker'
    """
    return " and ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)


def tally(one: Score) -> str:
    """Return the number of cases behind a score: those that failed, or those that passed."""
    if one.status is Status.FAILED:
        return str(len(one.failing))
    return str(one.cases - one.out_of_scope) if one.status is Status.PASSED else ""
