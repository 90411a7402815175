"""The requirements of SPEC.md, as schema/requirements.json lists them."""

from __future__ import annotations

from functools import cache
from typing import TypedDict

from logitpack.resources import load_schema


class Requirement(TypedDict):
    """One obligation: `level` is MUST or SHOULD, `kind` S, M or B; the rest is plain text."""

    id: str
    level: str
    kind: str
    title: str
    section: str
    anchor: str
    text: str
    reason: str


@cache
def requirements() -> dict[str, Requirement]:
    """Return all requirements by id, in the order of SPEC.md."""
    listed: list[Requirement] = load_schema("requirements.json")["requirements"]
    return {requirement["id"]: requirement for requirement in listed}


def is_error(requirement: str) -> bool:
    """Say whether a breach is an error, that of a MUST, and not a warning. Raises KeyError for an unknown id."""
    return requirements()[requirement]["level"] == "MUST"
