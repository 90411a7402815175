"""Checkers in which one finding hides others that are owed beside it (CHK-1)."""

from __future__ import annotations

from collections.abc import Callable

from logitpack import Finding
from logitpack_conformance.adapters.mutants.checker_findings import Told
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.reference import Reference
from logitpack_conformance.clauses import requirements
from logitpack_conformance.model import Role

CHECKER = Role.CHECKER


def _alone(hides: Callable[[Finding], bool]) -> Reference:
    """Return a checker that reports nothing else where it finds what `hides`."""
    return Told(lambda found: [finding for finding in found if hides(finding)] or found)


@mutant(CHECKER, "CHK-1")
def metadata_hide_rows() -> Reference:
    """Where the metadata break something, rows are not judged."""
    return _alone(lambda finding: finding.requirement.startswith("META"))


@mutant(CHECKER, "CHK-1")
def disagreement_hides_rows() -> Reference:
    """Of a dataset that breaks FILE-2, nothing else is reported."""
    return _alone(lambda finding: finding.requirement == "FILE-2")


@mutant(CHECKER, "CHK-1")
def structure_hides_claims() -> Reference:
    """Where a row is broken structurally, no row is judged by what it claims."""
    return _alone(lambda finding: requirements()[finding.requirement].kind == "S")


@mutant(CHECKER, "CHK-1")
def errors_hide_warnings() -> Reference:
    """Warnings are reported of valid files only."""
    return _alone(lambda finding: finding.severity == "error")


@mutant(CHECKER, "CHK-1")
def one_finding_of_a_group() -> Reference:
    """Of requirements of one group, NUC-2 and NUC-7 say, the first is reported."""

    def change(found: list[Finding]) -> list[Finding]:
        return list({finding.requirement.partition("-")[0]: finding for finding in reversed(found)}.values())

    return Told(change)
