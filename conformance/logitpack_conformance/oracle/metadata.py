"""The metadata of section 13: META-1, META-2 and META-7, and what a judgement reads of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

from . import indices, schema, strict_json
from .finding import Finding

LARGEST = 1_048_576
KNOWN_MAJOR = 1


@dataclass(frozen=True, slots=True)
class Metadata:
    """The declared facts. `top_p` is the binary64 number that its text reads as; `occurring` is T of section 14.4."""

    vocab_size: int
    occurring: int
    rule: str
    top_p: Fraction | None
    max_entries: int | None
    order: str
    num_sampled: int
    method: str
    alignment: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of some bytes: the facts where they are valid, the JSON value, and the findings."""

    facts: Metadata | None = None
    value: Any = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_foreign(self) -> bool:
        """Whether the major version is unknown, so that nothing else of the file is judged (META-2)."""
        return any(finding.requirement == "META-2" for finding in self.findings)

    @property
    def counts(self) -> bool:
        """Whether the object is there: one that breaks META-1 or META-7 counts as absent."""
        return self.facts is not None or self.is_foreign


@cache
def _schema() -> dict[str, Any]:
    return schema.load("metadata.schema.json")


def read_metadata(data: bytes) -> Reading:
    """Judge META-7, META-2 and META-1, in that order, each only where the one before holds."""
    if len(data) > LARGEST:
        return Reading(findings=[Finding("META-7", f"{len(data)} bytes of {LARGEST}")])
    try:
        value, has_twins = strict_json.parse_binary64(data)
    except ValueError as error:
        return Reading(findings=[Finding("META-1", str(error))])
    if _major(value) not in (None, KNOWN_MAJOR):
        return Reading(value=value, findings=[Finding("META-2", f"spec_version {value['spec_version']}")])
    wrong = ["a member stands twice"] if has_twins else list(schema.errors(value, _schema()))
    if not wrong and value["tokenizer"].get("size", 0) > value["vocab_size"]:
        wrong = ["tokenizer.size is above vocab_size"]
    if wrong:
        return Reading(value=value, findings=[Finding("META-1", "; ".join(wrong))])
    return Reading(_facts(value), value)


def _major(value: Any) -> int | None:
    """Return the major number, or None where there is no well-formed version, or more than one."""
    if not isinstance(value, strict_json.Members) or "spec_version" in value.repeated:
        return None
    version = value.get("spec_version")
    part = _schema()["properties"]["spec_version"]
    if version is None or list(schema.errors(version, part)):
        return None
    return int(version.split(".")[0])


def _facts(value: dict[str, Any]) -> Metadata:
    nucleus, tail, vocab = value["nucleus"], value["tail"], int(value["vocab_size"])
    entries = nucleus.get("max_entries")
    return Metadata(
        vocab_size=vocab,
        occurring=min(int(value["tokenizer"].get("size", vocab)), indices.LIMIT),
        rule=nucleus["rule"],
        top_p=Fraction(nucleus["top_p"]) if "top_p" in nucleus else None,
        max_entries=None if entries is None else int(entries),
        order=nucleus.get("order", "unspecified"),
        num_sampled=int(tail["num_sampled"]),
        method=tail["method"],
        alignment=value["alignment"],
    )
