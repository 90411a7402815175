"""From reports to pairs: one file of a writer, and one reader or checker.

Strategy: implementations are told apart by name and version, and may stand in several reports. What a writer was to
write, its own report says; what a reader made of it, the reader's. A pair passes where both did their part, and fails
by the one that did not. A result on other bytes than the writer's report has is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from logitpack_conformance.keeping import ReportFault
from logitpack_conformance.model import Container, Role
from logitpack_conformance.reports.cells import BAD, UNDONE, Cell, cell
from logitpack_conformance.reports.reading import Report, read_report
from logitpack_conformance.text import bounded

TRIED = ("passed", "failed")
"""Statuses of a writer that was asked for a file and did not say that it lacks something."""
ROLES = (Role.READER, Role.CHECKER)
Identity = tuple[str, str]


@dataclass(frozen=True)
class Pair:
    """One file, and who was to take it; `status` is one of `cells.STATUSES`."""

    case: str
    container: Container
    status: str
    requirements: tuple[str, ...] = ()
    message: str = ""

    @property
    def requirement(self) -> str:
        """The requirement that tells most, "" where none is named."""
        return self.requirements[0] if self.requirements else ""


@dataclass(frozen=True)
class Party:
    """An implementation, with all reports of it."""

    reports: tuple[Report, ...]

    @property
    def identity(self) -> Identity:
        """Name and version as reports have them."""
        return self.reports[0].name, self.reports[0].version

    @property
    def label(self) -> str:
        """Name and version, printable."""
        return self.reports[0].label

    @cached_property
    def writing(self) -> Report | None:
        """The report of its writer. Raises ReportFault where there are two of different files."""
        found = [one for one in self.reports if one.written]
        for other in found[1:]:
            if other.written != found[0].written:
                both = f"{found[0].folder} and {other.folder}"
                raise ReportFault(f"{both}: two reports of the writer {self.label}, and their files differ")
        return next((one for one in (*found, *self.reports) if any(True for _ in one.writes)), None)

    def containers(self, role: Role) -> list[Container]:
        """Return the containers that it declares in a role."""
        about = [one.document["implementation"] for one in self.reports]
        declared = {name for one in about if role in one["roles"] for name in one["containers"]}
        return [container for container in Container if container in declared]

    @cached_property
    def taken(self) -> dict[tuple[Role, Identity, str, Container], list[tuple[Report, dict[str, Any]]]]:
        """What it made of files of others, by role, writer, case and container, with the report that says so."""
        found = defaultdict(list)
        for report in self.reports:
            for one in report.document.get("exchange", []):
                writer = (one["writer"]["name"], one["writer"]["version"])
                found[Role(one["role"]), writer, one["case"], Container(one["container"])].append((report, one))
        return dict(found)


@dataclass(frozen=True)
class Meeting:
    """A writer, a reader or checker, and their pairs."""

    writer: Party
    other: Party
    role: Role
    pairs: tuple[Pair, ...]

    def cell(self, container: Container | None = None) -> Cell:
        """Return the counts over one container or all."""
        return cell((one.status, one.requirement) for one in self.pairs if container in {None, one.container})


@dataclass(frozen=True)
class Matrix:
    """All that is told: `meetings` by role, in the order of the reports."""

    parties: tuple[Party, ...]
    meetings: tuple[Meeting, ...]
    notes: tuple[str, ...]

    @property
    def writers(self) -> list[Party]:
        """Those that wrote something."""
        return [party for party in self.parties if party.writing is not None]

    def others(self, role: Role) -> list[Party]:
        """Return those that took files in a role."""
        return list({id(one.other): one.other for one in self.meetings if one.role is role}.values())

    @property
    def roles(self) -> list[Role]:
        """The roles that there is a table for."""
        return [role for role in ROLES if any(one.role is role for one in self.meetings)]

    @property
    def verdict(self) -> str:
        """Over all pairs: "failed", "incomplete" where one was not run or is stale, or "passed"."""
        found = {pair.status for one in self.meetings for pair in one.pairs}
        found |= {one["status"].replace("-", " ") for party in self.writers for one in _asked(party)}
        if found & set(BAD):
            return "failed"
        return "passed" if "passed" in found and not found & set(UNDONE) else "incomplete"


def wrote(writer: Party) -> Cell:
    """Return what a writer did by itself."""
    return cell((one["status"], (one.get("broken") or [""])[0]) for one in _asked(writer))


def collect(folders: Sequence[Path]) -> Matrix:
    """Read reports and what they have kept, and put them together. Raises ReportFault."""
    seen: dict[Path, Path] = {}
    for folder in folders:
        if folder.resolve() in seen:
            raise ReportFault(f"{folder}: this report is given twice")
        seen[folder.resolve()] = folder
    reports = [read_report(folder) for folder in folders]
    for report in reports:
        for key in report.written:
            report.file(*key)  # raises where it is not the file that the report lists
    grouped: dict[Identity, list[Report]] = defaultdict(list)
    for report in reports:
        grouped[report.name, report.version].append(report)
    parties = tuple(Party(tuple(group)) for group in grouped.values())
    if not any(report.written for report in reports):
        raise ReportFault("none of these reports holds anything written: run a writer with --keep-written")
    if not any(party.containers(Role.READER) for party in parties):
        raise ReportFault("none of these reports is of a reader")
    return Matrix(parties, tuple(_meetings(parties)), tuple(_notes(parties)))


def _meetings(parties: Sequence[Party]) -> Iterator[Meeting]:
    for role in ROLES:
        others = [party for party in parties if party.containers(role)]
        if role is Role.CHECKER and not any(key[0] is role for party in others for key in party.taken):
            continue  # files were sent to readers only
        for writer in parties:
            if writer.writing is not None:
                for other in others:
                    yield Meeting(writer, other, role, tuple(_pairs(writer, other, role)))


def _asked(writer: Party) -> list[dict[str, Any]]:
    """Return the results of a writer over rows that can be written, in the containers that it declares."""
    return [] if writer.writing is None else [one for one in writer.writing.writes if one["status"] != "skipped"]


def _pairs(writer: Party, other: Party, role: Role) -> Iterator[Pair]:
    containers = other.containers(role)
    failed = {(pair.case, pair.container): pair for pair in own_failures(writer)}
    for one in _asked(writer):
        container = Container(one["container"])
        if container not in containers or one["status"] not in TRIED:
            continue
        case = one["case"]
        if (case, container) in failed:
            yield failed[case, container]
        elif "written" not in one:
            yield Pair(case, container, "not run", message="what was written was not kept")
        else:
            found = other.taken.get((role, writer.identity, case, container), [])
            yield _taken(case, container, one["written"]["sha256"], found, role)


def _taken(
    case: str, container: Container, sha256: str, found: Sequence[tuple[Report, dict[str, Any]]], role: Role
) -> Pair:
    """Return the pair of a file that was written as it should be, by what the other's reports say of it."""
    if not found:
        return Pair(case, container, "not run", message="the file was not sent")
    fresh = [(report, one) for report, one in found if one["sha256"] == sha256]
    if not fresh:
        return Pair(case, container, "stale", message="it was another file that was sent")
    (report, one), *rest = fresh
    for other, again in rest:
        if again["status"] != one["status"]:
            both = f"{report.folder} and {other.folder}"
            raise ReportFault(f"{both}: they say different things of {role}:{case}@{container}")
    status, message = one["status"].replace("-", " "), bounded(one.get("message", ""))
    if status != "failed":
        return Pair(case, container, status, message=message)
    return Pair(case, container, status, tuple(one.get("broken", ())), message)


def _notes(parties: Sequence[Party]) -> Iterator[str]:
    """Say whose files were read that are not here."""
    known = {party.identity for party in parties if party.writing is not None}
    for party in parties:
        for name, version in dict.fromkeys(key[1] for key in party.taken if key[1] not in known):
            label = f"{bounded(name, 100)} {bounded(version, 50)}"
            yield f"{party.label} was sent files of {label}, whose report as a writer is not among these"


def own_failures(writer: Party) -> Iterator[Pair]:
    """Yield what a writer got wrong, each file once, whoever was to take it."""
    for one in _asked(writer):
        if one["status"] == "failed":
            broken, message = tuple(one.get("broken", ())), bounded(one.get("message", ""))
            yield Pair(one["case"], Container(one["container"]), "written wrongly", broken, message)
