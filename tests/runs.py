"""Runs made by hand, for tests of scores and reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logitpack_conformance.model import Case, Container, Implementation, Kind, Material, Result, Role, Run

KINDS = {Kind.ACCEPT: "accepted", Kind.WRITE: "accepted", Kind.EXTRACT: "accepted"}


def case(name: str, kind: str, requirement: str | None = None, twin: str | None = None, **members: Any) -> Case:
    """Give a case for readers and checkers, or for whom its kind is."""
    roles = {"write": (Role.WRITER,), "refuse": (Role.WRITER,), "extract": (Role.EXTRACTOR,)}
    evidence = () if requirement is None else (requirement,)
    found = evidence if kind in {"reject", "either"} else ()
    defaults: dict[str, Any] = {
        "roles": roles.get(kind, (Role.READER, Role.CHECKER)),
        "why": f"{name} is a case.",
        "materials": {"parquet": Material(f"cases/{name}/parquet", "in.parquet", {})},
        "requirements": evidence,
        "findings": found,
        "twin": twin,
    }
    return Case(name, Kind(kind), **{**defaults, **members})


def result(of: Case, role: Role, status: str = "passed", **members: Any) -> Result:
    """Give a result of a case; one that failed names the case's requirements unless told otherwise."""
    right = KINDS.get(of.kind, "rejected")
    wrong = "rejected" if right == "accepted" else "accepted"
    sent = status in {"passed", "failed"}
    defaults: dict[str, Any] = {
        "container": Container.PARQUET,
        "outcome": (right if status == "passed" else wrong) if sent else "",
        "message": "" if status == "passed" else f"{status} it is",
        "broken": of.requirements if status == "failed" else (),
    }
    return Result(of, role, status=status, **{**defaults, **members})


def implementation(**members: Any) -> Implementation:
    """Give what a reader of Parquet says of itself."""
    defaults: dict[str, Any] = {"roles": (Role.READER,), "containers": (Container.PARQUET,)}
    return Implementation("my-reader", "0.1.0", **{**defaults, **members})


def run(*results: Result, **members: Any) -> Run:
    """Give a run with these results, of an implementation with their roles."""
    roles = tuple(dict.fromkeys(one.role for one in results)) or (Role.READER,)
    defaults: dict[str, Any] = {"implementation": implementation(roles=roles), "command": ("node", "adapter.js")}
    return Run(results=results, **{**defaults, **members})


def answering(cases: list[Case], role: Role, answer: Callable[[Case], str]) -> Run:
    """Give the run of an adapter that answers each case by a rule, judged as a judge would by outcome alone."""

    def judged(of: Case) -> Result:
        outcome = answer(of)
        if outcome == "unsupported":
            return result(of, role, "unsupported", outcome=outcome, message="feature zstd")
        right = outcome == KINDS.get(of.kind, "rejected") or of.kind is Kind.EITHER
        return result(of, role, "passed" if right else "failed", outcome=outcome)

    return run(*(judged(of) for of in cases))
