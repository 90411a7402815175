"""The implementer's own list of failures: what is expected to fail today, and whether the list still holds.

    [[expect]]
    case = "idx/high-length/*"       # a glob over case ids, at most 20 matches
    role = "reader"
    outcome = "accepted"             # what happens today
    reason = "surplus bytes ignored"
    issue = "https://..."            # may be absent, as the next two
    expires = 2027-01-31             # the last day on which it is expected
    container = "parquet"            # all containers, where it is absent

Strategy: a listed failure stays a failure. The list is held against all that there is for the adapter, of which a run
may be a part; what a run did not send is not held against the list.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .model import ANSWERS, FAILURES, Container, Result, Role
from .plan import Planned
from .text import bounded

MOST_MATCHES = 20
LARGEST = 1 << 20
TEXTS = ("case", "role", "outcome", "reason", "issue", "container")
REQUIRED = ("case", "role", "outcome", "reason")
OUTCOMES = (*ANSWERS, *FAILURES)


class ExpectError(Exception):
    """The file of expected failures cannot be used; the text says where it is wrong."""


@dataclass(frozen=True)
class Expectation:
    """One entry, the `number`-th from 1: these cases fail in this role, with this outcome."""

    number: int
    case: str
    role: Role
    outcome: str
    reason: str
    issue: str = ""
    expires: dt.date | None = None
    container: Container | None = None

    def __str__(self) -> str:
        """`entry 3 (reader, idx/*)`."""
        place = f"{self.role}, {bounded(self.case, 100)}" + (f", {self.container}" if self.container else "")
        return f"entry {self.number} ({place})"

    def matches(self, one: Planned | Result) -> bool:
        """Tell whether an entry is about a case in a role and container."""
        return (
            one.role is self.role
            and self.container in {None, one.container}
            and (one.case.id == self.case or fnmatchcase(one.case.id, self.case))
        )


@dataclass(frozen=True)
class Held:
    """A list held against a run.

    `reasons` are those of the failures that are as expected, by result name; `unexpected` the failures that are not;
    `stale` says in a sentence each what in the list does not hold any more.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    unexpected: Sequence[Result] = ()
    stale: Sequence[str] = ()

    @property
    def problems(self) -> list[str]:
        """All that makes a run other than the list says."""
        return [*self.stale, *(f"{one.name} failed ({one.outcome}) and is not listed" for one in self.unexpected)]


def load(path: Path) -> list[Expectation]:
    """Read a list. Raises ExpectError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ExpectError(f"{path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise ExpectError(f"{path}: longer than {LARGEST} bytes")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ExpectError(f"{path}: no TOML: {error}") from error
    entries = document.pop("expect", [])
    if document or not isinstance(entries, list):
        raise ExpectError(f"{path}: nothing but [[expect]] tables may stand in it")
    try:
        return [_entry(number, entry) for number, entry in enumerate(entries, 1)]
    except ExpectError as error:
        raise ExpectError(f"{path}: {error}") from None


def hold(
    expectations: Sequence[Expectation], results: Sequence[Result], everything: Iterable[Planned], today: dt.date
) -> Held:
    """Hold a list against the results of a run; `everything` is what there is for the adapter."""
    everything = [one for one in everything if not one.skip]
    owners: dict[str, list[Expectation]] = defaultdict(list)
    for result in results:
        owners[result.name] = [entry for entry in expectations if entry.matches(result)]
    stale = [text for entry in expectations for text in _alone(entry, everything, today)]
    stale += _overlaps(expectations, everything)
    reasons: dict[str, str] = {}
    unexpected = []
    for result in results:
        entries = owners[result.name]
        if result.status == "failed":
            if not entries:
                unexpected.append(result)
            elif any(entry.outcome == result.outcome for entry in entries):
                reasons[result.name] = entries[0].reason
            else:
                stale.append(f"{result.name} is {result.outcome}, not {entries[0].outcome} as {entries[0]} says")
        elif result.status == "passed" and entries:
            stale.append(f"{result.name} passes, against {entries[0]}")
    return Held(reasons, unexpected, stale)


def _alone(entry: Expectation, everything: Sequence[Planned], today: dt.date) -> Iterator[str]:
    """Say what is wrong with an entry whatever the results are."""
    cases = {one.case.id for one in everything if entry.matches(one)}
    if not cases:
        yield f"{entry} matches nothing that is sent to this adapter"
    if len(cases) > MOST_MATCHES:
        yield f"{entry} matches {len(cases)} cases, more than {MOST_MATCHES}"
    if entry.expires is not None and entry.expires < today:
        yield f"{entry} expired on {entry.expires.isoformat()}"


def _overlaps(expectations: Sequence[Expectation], everything: Sequence[Planned]) -> Iterator[str]:
    told = set()
    for one in everything:
        entries = [entry for entry in expectations if entry.matches(one)]
        for entry in entries[1:]:
            if (entries[0].number, entry.number) not in told:
                told.add((entries[0].number, entry.number))
                yield f"{entries[0]} and {entry} overlap: both match {one.case.id}"


def _entry(number: int, entry: object) -> Expectation:
    if not isinstance(entry, dict):
        raise ExpectError(f"entry {number} is no table")
    for fault in _faults(entry):
        raise ExpectError(f"entry {number}: {fault}")
    container = entry.get("container")
    return Expectation(
        number=number,
        case=entry["case"],
        role=Role(entry["role"]),
        outcome=entry["outcome"],
        reason=entry["reason"],
        issue=entry.get("issue", ""),
        expires=entry.get("expires"),
        container=None if container is None else Container(container),
    )


def _faults(entry: dict[str, Any]) -> Iterator[str]:
    for name in REQUIRED:
        if not entry.get(name):
            yield f"{name} is missing"
    for name, value in entry.items():
        if name not in {*TEXTS, "expires"}:
            yield f"{bounded(name, 40)} is no member of an entry"
        elif name in TEXTS and not isinstance(value, str):
            yield f"{name} is no string"
        elif name == "expires" and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
            yield "expires is no date (as in 2027-01-31, without quotes)"
    for name, known in (("role", Role), ("outcome", OUTCOMES), ("container", Container)):
        if name in entry and entry[name] not in {str(one) for one in known}:
            yield f"{name} is {bounded(entry[name], 40)!r}, not one of {', '.join(known)}"
