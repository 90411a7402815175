"""The report of `logitpack check` as SARIF 2.1.0, for code scanning and other readers of that format.

Strategy: a requirement is a rule, a finding a result. Its places are logical locations inside the file: a Parquet
file has no lines. Results are bounded, errors first; the properties of the run count all of them.
"""

from __future__ import annotations

from typing import Any

from logitpack.cli.uris import artifact
from logitpack.errors import Place, printable
from logitpack.report import FileReport, Finding, Report
from logitpack.requirements import Requirement, is_error, requirements

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 5_000
"""Results of a run: code scanning shows no more."""


def document(report: Report, version: str) -> dict[str, Any]:
    """Give a SARIF log of one run by `version` of this program."""
    found = [(file, finding) for file in report.files for finding in file.findings]
    found.sort(key=lambda pair: pair[1].severity)  # errors come first, else the order stays
    # Those that a checker reports (CHK-1).
    rules = {
        name: about for name, about in requirements().items() if about["kind"] != "B" or name in {"FILE-5", "META-2"}
    }
    numbers = {name: number for number, name in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "logitpack",
                "version": version,
                "rules": [_rule(about) for about in rules.values()],
            }
        },
        "results": [_result(file, finding, numbers) for file, finding in found[:MOST]],
        "properties": {
            "verdict": report.verdict,
            "files": len(report.files),
            "findings": len(found),
            "datasets": [dataset.to_json() for dataset in report.datasets],
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(about: Requirement) -> dict[str, Any]:
    return {
        "id": about["id"],
        "name": about["title"],
        "shortDescription": {"text": f"{about['title']}."},
        "fullDescription": {"text": about["text"]},
        "help": {"text": f"SPEC.md#{about['anchor']}: {about['text']} Why: {about['reason']}"},
        "defaultConfiguration": {"level": "error" if is_error(about["id"]) else "warning"},
        "properties": {"section": about["section"], "level": about["level"], "kind": about["kind"]},
    }


def _result(file: FileReport, finding: Finding, numbers: dict[str, int]) -> dict[str, Any]:
    where = artifact(file.path)
    facts = finding.to_json()
    cause = "" if finding.cause is None else f" Probable cause: {finding.cause}."
    places: list[Place | None] = [*finding.places] or [None]
    return {
        "ruleId": finding.requirement,
        "ruleIndex": numbers[finding.requirement],
        "level": finding.severity,
        "message": {"text": f"{facts['message']}.{printable(cause)}"},
        "locations": [_location(where, place) for place in places],
        "occurrenceCount": finding.count,
        "partialFingerprints": {"requirementAndFile/v1": f"{finding.requirement} {where['uri']}"},
        "properties": {"got": facts["got"], "allowed": facts["allowed"], "cause": facts["cause"]},
    }


def _location(where: dict[str, str], place: Place | None) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": where}}
    if place is not None:
        numbers = {name: getattr(place, name) for name in ("row_group", "row", "token", "entry")}
        known = {name: number for name, number in numbers.items() if number is not None}
        parts = [f"{name}[{number}]" for name, number in known.items()]
        column = [] if place.column is None else [printable(place.column)]
        location["logicalLocations"] = [
            {
                "fullyQualifiedName": ".".join(parts + column),
                "kind": "member",
                "properties": known | ({"column": column[0]} if column else {}),
            }
        ]
    return location
