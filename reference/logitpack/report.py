"""What a check found: findings of files and figures of datasets, as data and as JSON.

Strategy: a finding is one requirement; it counts all its places and keeps the first few, so
that its size does not grow with the fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from logitpack.breach import Breach
from logitpack.errors import LogitPackError, Place, printable
from logitpack.figures import Figures
from logitpack.metadata import SPEC_VERSION
from logitpack.requirements import is_error, requirements

PLACES = 5
"""Places kept of a finding unless told otherwise."""


LONGEST_VALUE = 200
"""Characters, or elements of a list, of a value that a report tells."""


class Spot(NamedTuple):
    """One place of a finding, None for a file as a whole; the value found there, and what may stand there."""

    place: Place | None
    got: object = None
    allowed: object = None

    def moved(self, rows: int) -> Spot:
        """Return the same, where `rows` rows stand before those that its row counts in."""
        if self.place is None or self.place.row is None:
            return self
        return self._replace(place=replace(self.place, row=self.place.row + rows))

    def values(self) -> dict[str, Any]:
        """Give the values as JSON."""
        return {"got": _json(self.got), "allowed": _json(self.allowed)}


@dataclass(frozen=True)
class Finding:
    """One requirement that does not hold in a file.

    `count` is the number of places, `message` describes the first, `spots` are the first few. `cause` says what
    such data mostly come from, where that is known.
    """

    requirement: str
    message: str
    spots: tuple[Spot, ...]
    count: int = 1
    cause: str | None = None

    @property
    def severity(self) -> str:
        """`error` for a MUST, `warning` for a SHOULD."""
        return "error" if is_error(self.requirement) else "warning"

    @property
    def places(self) -> tuple[Place, ...]:
        """The first places; none where the finding is on a file or dataset as a whole."""
        return tuple(spot.place for spot in self.spots if spot.place is not None)

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        names = ("row_group", "row", "token", "entry", "column")
        places = [
            {**{name: getattr(spot.place, name) for name in names}, **spot.values()}
            for spot in self.spots
            if spot.place is not None
        ]
        return {
            "requirement": self.requirement,
            "severity": self.severity,
            "count": self.count,
            "message": printable(self.message),
            **self.spots[0].values(),
            "cause": self.cause,
            "places": places,
        }


def json_number(number: float) -> float | str:
    """Return a number as JSON holds it: one that is not finite as "NaN", "Infinity", "-Infinity"."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _json(value: object) -> object:
    """Give a value found in data as JSON: bounded and printable."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return json_number(value)
    if isinstance(value, list | tuple):
        return [_json(element) for element in value[:LONGEST_VALUE]]
    text = printable(str(value))
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "\u2026"


@dataclass
class Findings:
    """Findings of one file as they come in, `limit` places of each kept."""

    limit: int = PLACES
    _found: dict[str, Finding] = field(default_factory=dict)

    def add_breach(self, breach: Breach, *, row_group: int | None = None) -> None:
        """Count all places of a breach."""
        details = [breach.describe(k) for k in range(min(len(breach), self.limit))]
        spots = tuple(
            Spot(replace(breach.place(k), row_group=row_group), detail.got, detail.allowed)
            for k, detail in enumerate(details)
        )
        self._add(Finding(breach.requirement, details[0].message, spots, len(breach)))

    def add_error(self, error: LogitPackError) -> None:
        """Count an error that names a requirement."""
        assert error.requirement is not None
        self.add(error.requirement, error.message, error.place, got=error.got, allowed=error.allowed)

    def add(
        self, name: str, message: str, place: Place | None = None, *, got: object = None, allowed: object = None
    ) -> None:
        """Count one place; None for a finding on the file or dataset as a whole."""
        inside = None if place is None else replace(place, file=None)
        self._add(Finding(name, message, (Spot(None if inside == Place() else inside, got, allowed),)))

    def add_places(self, name: str, message: str, spots: list[Spot], count: int) -> None:
        """Count some places at once, of which `spots` are the first."""
        self._add(Finding(name, message, tuple(spots), count))

    def add_all(self, other: Findings, *, rows: int) -> None:
        """Add the findings on a part of the file that begins at row `rows`."""
        for finding in other._found.values():
            self._add(replace(finding, spots=tuple(spot.moved(rows) for spot in finding.spots)))

    def _add(self, finding: Finding) -> None:
        before = self._found.get(finding.requirement)
        if before is not None:
            spots = (before.spots + finding.spots)[: self.limit]
            finding = replace(before, count=before.count + finding.count, spots=spots)
        self._found[finding.requirement] = finding

    def __contains__(self, name: str) -> bool:
        """Say whether there is a finding of the requirement."""
        return name in self._found

    def sorted(self) -> list[Finding]:
        """Give the errors, then the warnings, each in the order of SPEC.md."""
        order = list(requirements())
        return sorted(self._found.values(), key=lambda f: (f.severity, order.index(f.requirement)))


@dataclass(frozen=True)
class FileReport:
    """What was found in one file. `profile` is `Core` or `Described`."""

    path: str
    profile: str
    rows: int
    tokens: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """`valid` where there is no error, else `invalid`."""
        return _verdict(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        return {
            "path": self.path,
            "profile": self.profile,
            "verdict": self.verdict,
            "rows": self.rows,
            "tokens": self.tokens,
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True)
class DatasetReport:
    """What a dataset looks like as a whole: figures of its sound rows.

    `hits` are the shares of tokens in their own entry's nucleus, in that before and in that after (ALN-5), None where
    too few have token ids. `notes` are suspicions that no finding stands for.
    """

    path: str
    figures: Figures
    hits: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        figures: dict[str, Any] = self.figures.to_json()
        figures["hits"] = None if self.hits is None else dict(zip(("own", "before", "after"), self.hits, strict=True))
        return {"path": self.path, "figures": figures, "notes": list(self.notes)}


@dataclass(frozen=True)
class Report:
    """What was found in all files, and what their datasets look like."""

    files: tuple[FileReport, ...]
    datasets: tuple[DatasetReport, ...] = ()

    @property
    def verdict(self) -> str:
        """`valid` where all files are, else `invalid`."""
        return _verdict(file.verdict == "valid" for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        return {
            "spec": SPEC_VERSION,
            "verdict": self.verdict,
            "files": [file.to_json() for file in self.files],
            "datasets": [dataset.to_json() for dataset in self.datasets],
        }


def _verdict(parts: Iterable[bool]) -> str:
    return "valid" if all(parts) else "invalid"
