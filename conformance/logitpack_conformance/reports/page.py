"""report.html: one page that needs nothing beside it, neither a script nor another file.

Strategy: the template escapes all that it is given (jinja2's autoescape); what is cut or grouped is cut or grouped
here, so that the page stays readable however much has failed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from logitpack_conformance.clauses import Requirement
from logitpack_conformance.model import FEATURES, SPEC, Container, Result, Role
from logitpack_conformance.reports.facts import Facts, alike, clause, listed, plural, repeat, suite_version, tally
from logitpack_conformance.score import Overall, Score, Status
from logitpack_conformance.text import bounded, bounded_json

MOST_OF_ONE = 10
MOST_NAMES = 200
CLASSES = {
    Status.PASSED: "good",
    Status.FAILED: "bad",
    Status.NOT_SHOWN: "open",
    Status.NOT_JUDGED: "none",
    Overall.CONFORMANT: "good",
    Overall.NOT_CONFORMANT: "bad",
    Overall.INCOMPLETE: "open",
}


@dataclass(frozen=True)
class Failure:
    """One failed result, in texts."""

    case: str
    place: str
    why: str
    flags: tuple[tuple[str, str], ...]
    sent: str
    outcome: str
    came: str
    judged: str
    also: tuple[str, ...]
    expected: str
    repeat: str


@dataclass(frozen=True)
class Broken:
    """A requirement with `number` failed cases: some in full, of others the names, of still others the number."""

    clause: Requirement
    number: int
    shown: tuple[Failure, ...]
    named: tuple[str, ...]
    unnamed: int


def encode(facts: Facts) -> bytes:
    """Return the page in UTF-8."""
    return (template("report.html.j2").render(_context(facts)) + "\n").encode()


@cache
def template(name: str) -> Template:
    """Return a template of this package, in which all text is escaped."""
    environment = Environment(
        loader=PackageLoader("logitpack_conformance.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spec"] = _spec
    return environment.get_template(name)


def _spec(text: str) -> Markup:
    """Return text of SPEC.md with its marks of code as elements."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped just before


def _context(facts: Facts) -> dict[str, Any]:
    implementation = facts.run.implementation
    return {
        "facts": facts,
        "spec": SPEC,
        "suite": suite_version(),
        "name": bounded(implementation.name, 100),
        "version": bounded(implementation.version, 50),
        "language": bounded(implementation.language, 60),
        "links": [(word, _link(getattr(implementation, word))) for word in ("homepage", "issues")],
        "command": bounded(shlex.join(facts.run.command), 1000),
        "selected": bounded(facts.run.selected),
        "containers": [(str(container), container in facts.containers) for container in Container],
        "features": [(name, text, name in implementation.features) for name, text in FEATURES.items()],
        "roles": [_role(facts, role) for role in facts.roles],
        "broken": [_broken(facts, name, results) for name, results in facts.by_requirement.items()],
        "failed": list(dict.fromkeys(one.requirement for one in facts.scores if one.status is Status.FAILED)),
        "sections": _sections(facts),
        "recorded": facts.recorded,
        "not_shown": [one for one in facts.scores if one.status is Status.NOT_SHOWN],
        "expected": _expected(facts),
        "problems": [bounded(problem) for problem in facts.problems[:MOST_NAMES]],
        "seconds": sum(result.seconds for result in facts.run.results),
        "classes": CLASSES,
        "clause": clause,
        "most": MOST_NAMES,
        "listed": listed,
        "plural": plural,
        "tally": tally,
    }


def _link(address: str) -> str:
    """Return an address that is safe to link to, nothing for any other."""
    shown = bounded(address, 300)
    return shown if shown.startswith(("https://", "http://")) and shown == address and " " not in shown else ""


def _role(facts: Facts, role: Role) -> dict[str, Any]:
    """Return the figures of a role: requirements by status, and cases by status."""
    results = [result for result in facts.run.results if result.role is role]
    numbers = {status: facts.number(status, role) for status in (Status.PASSED, Status.FAILED, Status.NOT_SHOWN)}
    cases = {
        status: sum(result.status == status for result in results)
        for status in ("passed", "failed", "unsupported", "skipped", "not-run")
    }
    return {"name": str(role), "requirements": numbers, "cases": {key: n for key, n in cases.items() if n}}


def _broken(facts: Facts, name: str, results: list[Result]) -> Broken:
    cases = alike(results)
    rest = cases[MOST_OF_ONE:]
    return Broken(
        clause=clause(name),
        number=len(cases),
        shown=tuple(_failure(facts, *one) for one in cases[:MOST_OF_ONE]),
        named=tuple(f"{result.case.id} ({place})" for result, place in rest[:MOST_NAMES]),
        unnamed=max(0, len(rest) - MOST_NAMES),
    )


def _failure(facts: Facts, result: Result, place: str) -> Failure:
    return Failure(
        case=result.case.id,
        place=place,
        why=bounded(result.case.why),
        flags=tuple((flag, facts.flags.get(flag, "")) for flag in result.case.flags),
        sent=_lines(result.request),
        outcome=bounded(result.outcome, 40),
        came=_lines(result.answer),
        judged=bounded(result.message),
        also=tuple(bounded(name, 40) for name in result.broken[1:8]),
        expected=facts.expected_reason(result),
        repeat=repeat(facts.run, result),
    )


def _lines(message: Mapping[str, object]) -> str:
    """Return a message with one member a line."""
    members = bounded_json(message).items()
    return "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in members)


def _sections(facts: Facts) -> list[tuple[str, list[tuple[Requirement, list[Score | None]]]]]:
    """Return the judged requirements by section of SPEC.md, each with its score by role."""
    scores = {(one.requirement, one.role): one for one in facts.scores if one.status is not Status.NOT_JUDGED}
    sections: dict[str, list[tuple[Requirement, list[Score | None]]]] = {}
    for name in dict.fromkeys(requirement for requirement, _ in scores):
        about = clause(name)
        row = (about, [scores.get((name, role)) for role in facts.roles])
        sections.setdefault(about.section, []).append(row)
    return list(sections.items())


def _expected(facts: Facts) -> list[tuple[str, str, bool]]:
    """Return the expected failures: the result's name, the reason, and whether it did fail."""
    failed = {result.name for result in facts.run.results if result.status == "failed"}
    listed = list(facts.expected.items())[:MOST_NAMES]
    return [(bounded(name, 300), bounded(why, 300), name in failed) for name, why in listed]
