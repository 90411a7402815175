"""The judgement of a checker: the set of ids that it reports, and its outcome.

Strategy: the manifest says exactly what is to be found. What is missing is told before what is too much. Messages and
places are nobody's concern (section 14.3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.model import Case, Container, Response, Role, Verdict
from logitpack_conformance.oracle.finding import WARNINGS

from .blame import PASSED, blamed, failed, quoted, said

MOST_NAMED = 8
"""Ids that a message repeats."""


def judge(
    case: Case, role: Role, container: Container | None, folder: Path, request: Mapping[str, Any], response: Response
) -> Verdict:
    """Judge the response to a request to check."""
    del container, folder, request
    expected = "rejected" if _errors(case.findings) else "accepted"
    wanted = f"{expected} with {_listed(case.findings)}"
    if response.outcome not in {"accepted", "rejected"}:
        return failed(f"expected {wanted}, got {said(response)}", _first(case, blamed(case, role)))
    got = [str(finding.get("requirement")) for finding in response.findings]
    missing, surplus = sorted(set(case.findings) - set(got)), sorted(set(got) - set(case.findings))
    broken: list[str] = []
    if missing:
        broken += [*missing, "CHK-1"]
    if surplus:
        broken += [_false_blame(case), *(name for name in surplus if name in BREAKABLE)]
    if not broken and response.outcome != expected:
        broken = [*case.findings, "CHK-1"] if expected == "rejected" else [_false_blame(case)]
    if not broken:
        return PASSED
    return failed(f"expected {wanted}, got {response.outcome} with {_listed(got)}", _first(case, broken))


def _errors(findings: Collection[str]) -> bool:
    """Whether a checker rejects for these findings: one of them is at level MUST."""
    return not WARNINGS.issuperset(findings)


def _false_blame(case: Case) -> str:
    return "CHK-2" if "CHK-2" in case.requirements else "CHK-3"


def _first(case: Case, broken: Iterable[str]) -> list[str]:
    """Put FILE-5 before what a page that does not match its checksum shows besides."""
    return ["FILE-5", *broken] if "FILE-5" in case.requirements else list(broken)


def _listed(names: Iterable[str]) -> str:
    """Return ids for a message, those that are no ids of the specification quoted."""
    found = sorted(set(names))
    shown = [name if name in BREAKABLE else quoted(name[:40]) for name in found[:MOST_NAMED]]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(shown) + more if shown else "no findings"
