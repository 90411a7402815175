"""The judgement of one stored row, given as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import indices
from .columns import judge_nulls, judge_types
from .finding import Finding, known
from .metadata import Metadata
from .semantics import judge_token
from .structure import judge_structure
from .tokens import Token, tokens


@dataclass(frozen=True)
class Judged:
    """A row's findings, and what the judgement of a dataset reads of it.

    stride and tokens are None where a structural requirement is broken, token_ids where ALN-4 is or they are absent.
    """

    findings: list[Finding]
    stride: int | None = None
    tokens: list[Token] | None = None
    token_ids: list[int] | None = None

    def breaks(self, token: int, requirements: frozenset[str]) -> bool:
        """Whether the token breaks one of the requirements."""
        return any(f.token == token and f.requirement in requirements for f in self.findings)


def judge_row(row: Mapping[str, Any], meta: Metadata | None = None, *, typed: bool = False) -> list[Finding]:
    """All requirements of kinds S and M that one row can break, under their conditions (CHK-3)."""
    return study_row(row, meta, typed=typed).findings


def study_row(row: Mapping[str, Any], meta: Metadata | None = None, *, typed: bool = False) -> Judged:
    """As judge_row, with the decoded tokens. `typed` says that COL-1 and COL-2 have been judged and hold."""
    found = [] if typed else list(judge_types(row))
    found = found or list(judge_nulls(row))
    if found:
        return Judged(found)
    structure = judge_structure(row)
    if structure.findings:
        return Judged(structure.findings)
    stride = known(structure.stride)
    decoded = list(tokens(row, stride))
    findings = _padding(row)
    for token in decoded:
        findings += judge_token(token, meta)
    identifiers = _token_ids(row, meta)
    findings += identifiers
    return Judged(findings, stride, decoded, None if identifiers else row.get("token_ids"))


def _padding(row: Mapping[str, Any]) -> list[Finding]:
    """IDX-4."""
    return [
        Finding("IDX-4", "padding bits are set", column=f"{kind}_indices_high")
        for kind in ("top", "sampled")
        if indices.padding(len(row[f"{kind}_indices_low"]), row[f"{kind}_indices_high"])
    ]


def _token_ids(row: Mapping[str, Any], meta: Metadata | None) -> list[Finding]:
    """ALN-4. Section 5: the values lie in the range of the canonical type, int32."""
    if "token_ids" not in row:
        return []
    identifiers, n = row["token_ids"], row["num_tokens"]
    if len(identifiers) != n:
        return [Finding("ALN-4", f"{len(identifiers)} elements for {n} tokens", column="token_ids")]
    limit = 2**31 if meta is None else meta.vocab_size
    return [
        Finding("ALN-4", f"{identifier} is not in 0 ... {limit - 1}", token=i, column="token_ids")
        for i, identifier in enumerate(identifiers)
        if not 0 <= identifier < limit
    ]
