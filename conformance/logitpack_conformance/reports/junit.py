"""junit.xml: a test suite for each role, a test case for each result."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from logitpack_conformance.model import Result, Role
from logitpack_conformance.reports.facts import Facts, repeat
from logitpack_conformance.text import bounded

SKIPPED = ("unsupported", "skipped", "not-run")


def encode(facts: Facts) -> bytes:
    """Return the report. What XML cannot hold has been escaped as unprintable, markup is escaped by the library."""
    root = Element("testsuites", {"name": facts.name, **_totals(facts.run.results)})
    for role in Role:
        results = [result for result in facts.run.results if result.role is role]
        if not results:
            continue
        suite = SubElement(root, "testsuite", {"name": str(role), "timestamp": facts.date, **_totals(results)})
        suite.extend(_case(facts, result) for result in results)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _totals(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.status == "failed" for result in results)),
        "errors": "0",
        "skipped": str(sum(result.status in SKIPPED for result in results)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(facts: Facts, result: Result) -> Element:
    case = Element("testcase", classname=f"logitpack.{result.role}", name=result.name, time=f"{result.seconds:.3f}")
    message = bounded(result.message)
    if result.status == "failed":
        named = ", ".join(bounded(name, 40) for name in result.broken)
        failure = SubElement(case, "failure", type=bounded(result.outcome, 40), message=f"{named}: {message}")
        reason = facts.expected_reason(result)
        failure.text = "\n".join(
            [
                *([f"expected by the implementer: {reason}"] if reason else []),
                bounded(result.case.why),
                f"repeat: {repeat(facts.run, result)}",
            ]
        )
    elif result.status in SKIPPED:
        SubElement(case, "skipped", message=f"{result.status}: {message}")
    return case
