"""One file of a dataset, as the loader hands it to the judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .finding import Finding


@dataclass
class File:
    """Plain rows, and what the container says about them.

    rows holds dicts of plain values, up to where the file breaks off. is_open says that its columns and metadata could
    be read; are_columns_sound that COL-1 and COL-2 hold, without which no row is judged. types are the Arrow types of
    the named columns; the rows of stored JSON have no other types than their values. embedded is the
    metadata inside the file, beside the `logitpack.json` of its folder and of the root, those that are there.
    """

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    embedded: bytes | None = None
    beside: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_open: bool = False
    is_json: bool = False
    are_columns_sound: bool = True

    def report(self, requirement: str, message: str, **place: Any) -> None:
        """Add a finding."""
        self.findings.append(Finding(requirement, message, **place))
