"""The requirements of SPEC.md, as schema/requirements.json lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .oracle.schema import load


@dataclass(frozen=True)
class Requirement:
    """One obligation: `level` is MUST or SHOULD, `kind` S, M or B; `text` and `reason` are plain text."""

    id: str
    level: str
    kind: str
    title: str
    section: str
    anchor: str
    text: str
    reason: str


@cache
def requirements() -> Mapping[str, Requirement]:
    """Return all requirements by id, in the order of SPEC.md. Raises FileNotFoundError."""
    listed = load("requirements.json")["requirements"]
    return {members["id"]: Requirement(**members) for members in listed}


@cache
def reported() -> frozenset[str]:
    """Return the ids of the requirements that checkers report (CHK-1): those on files, and META-2."""
    return frozenset(name for name, requirement in requirements().items() if requirement.kind != "B") | {"META-2"}
