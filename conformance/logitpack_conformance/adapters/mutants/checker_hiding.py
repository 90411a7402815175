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


def _hidden(by: str, requirement: str) -> Reference:
    """Return a checker that does not report a requirement where it reports another."""

    def change(found: list[Finding]) -> list[Finding]:
        is_there = any(finding.requirement == by for finding in found)
        return [finding for finding in found if not (is_there and finding.requirement == requirement)]

    return Told(change)


@mutant(CHECKER, "CHK-1")
def refused_type_hides_wide_one() -> Reference:
    """Where a column has a type that is not accepted, wider types of others are not reported."""
    return _hidden("COL-2", "COL-5")


@mutant(CHECKER, "CHK-1")
def metadata_hide_disagreement() -> Reference:
    """Where metadata are not valid, files are not compared."""
    return _hidden("META-1", "FILE-2")


@mutant(CHECKER, "CHK-1")
def uneven_tails_hide_shift() -> Reference:
    """Of the two tests over a dataset, only that of the tails is reported where both fail."""
    return _hidden("TAIL-3", "ALN-5")


@mutant(CHECKER, "CHK-1")
def shift_hides_uneven_tails() -> Reference:
    """Of the two tests over a dataset, only that of the alignment is reported where both fail."""
    return _hidden("ALN-5", "TAIL-3")


@mutant(CHECKER, "CHK-1")
def stride_hides_repetition() -> Reference:
    """Where S changes, nothing is reported of indices that stand twice."""
    return _hidden("ROW-5", "NUC-2")
