"""Checkers that keep a requirement to themselves (CHK-1), or name one that is not broken (CHK-3).

Strategy: the findings of the reference are changed on their way out. A consequence is named beside its cause, for each
line of the conditions table (section 14.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logitpack import Finding
from logitpack_conformance.adapters.mutants.registry import (
    ARROW_FILE,
    ARROW_STREAM,
    EVERYWHERE,
    JSON,
    PARQUET,
    Mutant,
    add,
    mutant,
)
from logitpack_conformance.adapters.reference import Reference
from logitpack_conformance.adapters.serve import Message
from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.model import Container, Role

CHECKER = Role.CHECKER


class Told(Reference):
    """A checker whose findings are changed on their way out."""

    def __init__(self, change: Callable[[list[Finding]], list[Finding]]) -> None:
        self.change = change

    def check(self, path: str, metadata: Message | None) -> list[Finding]:
        """Return the findings, changed."""
        return self.change(super().check(path, metadata))


def _without(requirement: str) -> Reference:
    return Told(lambda found: [finding for finding in found if finding.requirement != requirement])


_WHERE: dict[str, tuple[Container, ...]] = {
    "FILE-1": (PARQUET, ARROW_FILE, ARROW_STREAM),
    "FILE-3": (ARROW_STREAM,),
    "JSON-1": (JSON,),
    "JSON-2": (JSON,),
}
_BEHAVIOUR = {"FILE-5", "CHK-1", "CHK-2", "CHK-3"}


def _silent(requirement: str) -> None:
    add(
        Mutant(
            f"checker-silent-on-{requirement.lower()}",
            CHECKER,
            (requirement,),
            _WHERE.get(requirement, (PARQUET,)),
            f"{requirement} is never reported.",
            lambda: _without(requirement),
        )
    )


for _requirement, _roles in BREAKABLE.items():
    if CHECKER in _roles and _requirement not in _BEHAVIOUR:
        _silent(_requirement)


@mutant(CHECKER, "CHK-1", containers=(PARQUET, JSON))
def first_finding_only() -> Reference:
    """Of several requirements that are broken, the first is reported."""
    return Told(lambda found: found[:1])


@mutant(CHECKER, "CHK-1", containers=EVERYWHERE)
def nothing_reported() -> Reference:
    """Nothing is ever reported."""
    return Told(lambda found: [])  # noqa: ARG005


@mutant(CHECKER, "CHK-1")
def warnings_only() -> Reference:
    """Breaches of a MUST are not reported, those of a SHOULD are."""
    return Told(lambda found: [finding for finding in found if finding.severity == "warning"])


CONSEQUENCES = (
    ("FILE-3", "FILE-1", ARROW_STREAM),
    ("FILE-1", "FILE-4", PARQUET),
    ("COL-1", "COL-2", PARQUET),
    ("COL-1", "FILE-2", PARQUET),
    ("COL-2", "COL-5", PARQUET),
    ("COL-3", "ROW-2", PARQUET),
    ("JSON-1", "COL-1", JSON),
    ("JSON-2", "IDX-3", JSON),
    ("ROW-1", "ROW-2", PARQUET),
    ("ROW-2", "ROW-3", PARQUET),
    ("ROW-2", "ROW-4", PARQUET),
    ("NUC-1", "ROW-3", PARQUET),
    ("ROW-3", "IDX-3", PARQUET),
    ("ROW-4", "IDX-3", PARQUET),
    ("ROW-4", "ROW-5", PARQUET),
    ("IDX-1", "IDX-5", PARQUET),
    ("IDX-3", "IDX-4", PARQUET),
    ("QNT-1", "QNT-4", PARQUET),
    ("QNT-8", "NUC-7", PARQUET),
    ("LSE-1", "LSE-2", PARQUET),
    ("ROW-5", "TAIL-4", PARQUET),
    ("TAIL-2", "NUC-3", PARQUET),
    ("NUC-2", "LSE-2", PARQUET),
    ("TAIL-1", "LSE-2", PARQUET),
    ("NUC-3", "LSE-3", PARQUET),
    ("NUC-8", "NUC-5", PARQUET),
    ("LSE-2", "NUC-6", PARQUET),
    ("LSE-3", "NUC-4", PARQUET),
    ("META-2", "META-1", PARQUET),
    ("META-7", "META-1", PARQUET),
    ("FILE-2", "ALN-5", PARQUET),
)
"""A cause, what is named beside it, and where."""


def _blaming(cause: str, consequence: str, container: Container) -> None:
    def change(found: list[Finding]) -> list[Finding]:
        names = {finding.requirement for finding in found}
        told = [Finding(consequence, f"{cause} does not hold", ())] if cause in names - {consequence} else []
        return found + told

    add(
        Mutant(
            f"checker-{cause.lower()}-also-{consequence.lower()}",
            CHECKER,
            ("CHK-3",),
            (container,),
            f"Where {cause} is reported, so is {consequence}, which was not judged.",
            lambda: Told(change),
        )
    )


for _cause, _consequence, _container in CONSEQUENCES:
    _blaming(_cause, _consequence, _container)


def _always(requirement: str) -> Reference:
    def change(found: list[Finding]) -> list[Finding]:
        return found if any(f.requirement == requirement for f in found) else [*found, Finding(requirement, "so", ())]

    return Told(change)


@mutant(CHECKER, "CHK-3", containers=(PARQUET, JSON))
def core_files_lack_metadata() -> Reference:
    """META-1 is reported for a file without metadata, and any other."""
    return _always("META-1")


@mutant(CHECKER, "CHK-3")
def tail_always_suspect() -> Reference:
    """TAIL-3 is reported where there is too little to judge by."""
    return _always("TAIL-3")


@mutant(CHECKER, "META-2")
def rows_of_a_later_version_judged() -> Reference:
    """Of a file with an unknown major version, META-1 is reported in place of META-2."""

    def change(found: list[Finding]) -> list[Finding]:
        other: Any = Finding("META-1", "spec_version is not 1.x", ())
        return [other if finding.requirement == "META-2" else finding for finding in found]

    return Told(change)
