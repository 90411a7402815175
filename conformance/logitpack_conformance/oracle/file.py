"""One file of a dataset, as the loader hands it to the judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .finding import Finding


@dataclass
class File:
    """Plain rows, and what the container says about them.

    rows holds dicts of plain values. types are the Arrow types of the named columns, or None for stored JSON, whose
    rows have no other types than their values. embedded is the metadata inside the file, beside that of a
    `logitpack.json`. findings are those of the container and the schema; rows in `unreadable` are not judged further,
    and where `whole` is False no row is.
    """

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    types: dict[str, str] | None = None
    embedded: bytes | None = None
    beside: bytes | None = None
    findings: list[Finding] = field(default_factory=list)
    unreadable: set[int] = field(default_factory=set)
    whole: bool = True

    def report(self, requirement: str, message: str, **place: Any) -> None:
        """Add a finding."""
        self.findings.append(Finding(requirement, message, **place))
