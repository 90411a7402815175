"""What a check found: findings of files, as data and as JSON.

Strategy: a finding is one requirement; it counts all its places and keeps the first few, so
that its size does not grow with the fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from logitpack.breach import Breach
from logitpack.errors import LogitPackError, Place, printable
from logitpack.metadata import SPEC_VERSION
from logitpack.requirements import is_error, requirements

PLACES = 5
"""Places kept of a finding unless told otherwise."""


@dataclass(frozen=True)
class Finding:
    """One requirement that does not hold in a file.

    `count` is the number of places, `message` describes the first, `places` are the first few.
    """

    requirement: str
    message: str
    places: tuple[Place, ...]
    count: int = 1

    @property
    def severity(self) -> str:
        """`error` for a MUST, `warning` for a SHOULD."""
        return "error" if is_error(self.requirement) else "warning"

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        names = ("row_group", "row", "token", "entry", "column")
        places = [{name: getattr(place, name) for name in names} for place in self.places]
        return {
            "requirement": self.requirement,
            "severity": self.severity,
            "count": self.count,
            "message": printable(self.message),
            "places": places,
        }


@dataclass
class Findings:
    """Findings of one file as they come in, `limit` places of each kept."""

    limit: int = PLACES
    _found: dict[str, Finding] = field(default_factory=dict)

    def add_breach(self, breach: Breach, *, row_group: int | None = None) -> None:
        """Count all places of a breach."""
        places = tuple(replace(breach.place(k), row_group=row_group) for k in range(min(len(breach), self.limit)))
        self._add(Finding(breach.requirement, breach.describe(0).message, places, len(breach)))

    def add_error(self, error: LogitPackError) -> None:
        """Count an error that names a requirement."""
        assert error.requirement is not None
        self.add(error.requirement, error.message, error.place)

    def add(self, name: str, message: str, place: Place | None = None) -> None:
        """Count one place; None for a finding on the file or dataset as a whole."""
        inside = None if place is None else replace(place, file=None)
        places = () if inside in {None, Place()} else (inside,)
        self._add(Finding(name, message, places))

    def add_places(self, name: str, message: str, places: list[Place], count: int) -> None:
        """Count some places at once, of which `places` are the first."""
        self._add(Finding(name, message, tuple(places), count))

    def _add(self, finding: Finding) -> None:
        before = self._found.get(finding.requirement)
        if before is not None:
            places = (before.places + finding.places)[: self.limit]
            finding = replace(before, count=before.count + finding.count, places=places)
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
class Report:
    """What was found in all files."""

    files: tuple[FileReport, ...]

    @property
    def verdict(self) -> str:
        """`valid` where all files are, else `invalid`."""
        return _verdict(file.verdict == "valid" for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Give it in the form of schema/check.schema.json."""
        return {"spec": SPEC_VERSION, "verdict": self.verdict, "files": [file.to_json() for file in self.files]}


def _verdict(parts: Iterable[bool]) -> str:
    return "valid" if all(parts) else "invalid"
