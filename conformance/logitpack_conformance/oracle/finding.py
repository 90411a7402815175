"""What a judgement says: which requirement is broken, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

WARNINGS = frozenset({"FILE-4", "COL-5", "QNT-5", "TAIL-3", "ALN-5", "ALN-6"})
"""The requirements of kinds S and M at level SHOULD. A breach of any other is an error (section 14.3)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one requirement. Rows, tokens and entries count from 0; `entry` counts within the token."""

    requirement: str
    message: str
    file: str | None = None
    row: int | None = None
    token: int | None = None
    entry: int | None = None
    column: str | None = None

    @property
    def severity(self) -> str:
        """`error` for a MUST, `warning` for a SHOULD."""
        return "warning" if self.requirement in WARNINGS else "error"

    def at(self, *, file: str | None = None, row: int | None = None) -> Finding:
        """Return the same finding with its file and row filled in."""
        return replace(
            self,
            file=self.file if file is None else file,
            row=self.row if row is None else row,
        )

    def __str__(self) -> str:
        """`IDX-3: top_indices_high has 1 byte, expected 2 (part-0.parquet, row 17)`."""
        parts = [self.file] if self.file is not None else []
        for name in ("row", "token", "entry", "column"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name} {value}")
        place = f" ({', '.join(parts)})" if parts else ""
        return f"{self.requirement}: {self.message}{place}"


T = TypeVar("T")


def known(value: T | None) -> T:
    """Return a value that an earlier judgement has shown to be there. Raises LookupError where it is not."""
    if value is None:
        raise LookupError("a requirement that this one stands on was not judged")
    return value


def requirements(findings: list[Finding]) -> set[str]:
    """Return the ids among the findings."""
    return {finding.requirement for finding in findings}
