"""results.json: all of a run, for programs. schema/results.schema.json describes it.

Strategy: one result a line, so that line-based tools work on it, and the footer last, so that a report that was cut
short is recognised whatever wrote it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from logitpack_conformance.clauses import requirements
from logitpack_conformance.model import PROTOCOL, SPEC, Exchanged, Implementation, Result
from logitpack_conformance.reports.facts import Facts, clause, repeat, suite_version
from logitpack_conformance.score import Score
from logitpack_conformance.text import bounded, bounded_json
from logitpack_conformance.workplace import content

MOST_NAMES = 100
MOST_BYTES = 64 << 20
"""The longest report that is read."""
LINES = ("results", "scores", "exchange")
"""Members whose elements stand on a line each."""


class Truncated(ValueError):  # noqa: N818  what happened to it
    """A report that is not whole."""


def document(facts: Facts) -> dict[str, Any]:
    """Return the report as JSON values."""
    run = facts.run
    exchange = [_exchanged(facts, one) for one in run.exchanged]
    counted = {"exchanged": len(exchange)} if exchange else {}
    return {
        "spec": SPEC,
        "suite": suite_version(),
        "protocol": PROTOCOL,
        "date": facts.date,
        "command": [bounded(word) for word in run.command[:MOST_NAMES]],
        "implementation": _implementation(run.implementation),
        "selected": bounded(run.selected),
        "notes": facts.notes,
        "generated": facts.examples,
        "results": [_result(facts, result) for result in run.results],
        "scores": [_score(one) for one in facts.scores],
        **({"exchange": exchange} if exchange else {}),
        "footer": {"complete": facts.complete, "results": len(run.results), **counted, "verdict": str(facts.overall)},
    }


def encode(facts: Facts) -> bytes:
    """Return the report's bytes: ASCII, one result, score or exchanged file a line."""
    whole = document(facts)
    lines = []
    for name, value in whole.items():
        if name in LINES:
            inner = ",\n".join("  " + json.dumps(part, allow_nan=False) for part in value)
            lines.append(f' "{name}": [\n{inner}\n ]')
        else:
            lines.append(f' "{name}": {json.dumps(value, allow_nan=False)}')
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def load(path: Path) -> dict[str, Any]:
    """Return a report that is whole. Raises Truncated for one that was cut short, OSError."""
    try:
        found: dict[str, Any] = json.loads(content(path, MOST_BYTES))
        footer = found["footer"]
        counts = [(footer["results"], len(found["results"]), "results")]
        counts.append((footer.get("exchanged", 0), len(found.get("exchange", [])), "exchanged files"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Truncated(f"{path.name} is not whole: {type(error).__name__}") from error
    for number, listed, what in counts:
        if number != listed:
            raise Truncated(f"{path.name} is not whole: it has {listed} {what} of {bounded(number, 20)}")
    return found


def _implementation(implementation: Implementation) -> dict[str, Any]:
    texts = {name: bounded(getattr(implementation, name)) for name in ("name", "version", "language")}
    links = {name: bounded(getattr(implementation, name)) for name in ("homepage", "issues")}
    return {
        **texts,
        "roles": [str(role) for role in implementation.roles],
        "containers": [str(container) for container in implementation.containers],
        "features": [bounded(feature, 100) for feature in implementation.features[:MOST_NAMES]],
        **links,
        "spec": [bounded(version, 20) for version in implementation.spec[:MOST_NAMES]],
    }


def _result(facts: Facts, result: Result) -> dict[str, Any]:
    failed = result.status == "failed"
    optional: dict[str, Any] = {
        "message": bounded(result.message),
        "requirements": list(result.case.requirements),
        "broken": _known(result.broken),
        "advice": _known(result.advice),
        "flags": list(result.case.flags),
        "expected": facts.expected_reason(result),
        "request": bounded_json(result.request) if failed else {},
        "answer": bounded_json(result.answer) if failed else {},
        "repeat": repeat(facts.run, result) if failed else "",
        "written": {} if result.written is None else asdict(result.written),
    }
    return {
        "name": result.name,
        "case": result.case.id,
        "kind": str(result.case.kind),
        "role": str(result.role),
        "container": None if result.container is None else str(result.container),
        "status": result.status,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 4),
        **{name: value for name, value in optional.items() if value},
    }


def _exchanged(facts: Facts, one: Exchanged) -> dict[str, Any]:
    result = one.result
    optional = {
        "message": bounded(result.message),
        "broken": _known(result.broken),
        "repeat": repeat(facts.run, result) if result.status == "failed" else "",
    }
    return {
        "writer": {"name": bounded(one.writer), "version": bounded(one.version)},
        "case": result.case.id,
        "container": str(result.container),
        "sha256": one.sha256,
        "role": str(result.role),
        "status": result.status,
        "outcome": result.outcome,
        **{name: value for name, value in optional.items() if value},
    }


def _known(names: tuple[str, ...]) -> list[str]:
    """Keep the names that are requirements."""
    return [name for name in dict.fromkeys(names) if name in requirements()]


def _score(one: Score) -> dict[str, Any]:
    return {
        "requirement": one.requirement,
        "level": clause(one.requirement).level,
        "role": str(one.role),
        "status": str(one.status),
        "cases": one.cases,
        "out_of_scope": one.out_of_scope,
        "failing": list(one.failing),
        "reason": bounded(one.reason),
    }
