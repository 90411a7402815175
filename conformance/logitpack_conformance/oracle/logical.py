"""Stored rows and logical rows: what a row means, with exact logits, and back.

Strategy: a logical row holds the decoded values v as rational numbers. Encoding takes the tightest binary32 range of
each token (QNT-5) and the nearest code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import indices, logits
from .tokens import tokens


@dataclass(frozen=True)
class LogicalEntries:
    """Vocabulary indices and their logits, in stored order."""

    indices: list[int]
    logits: list[Fraction]


@dataclass(frozen=True)
class LogicalToken:
    """What one token of a row means."""

    logsumexp: float
    top: LogicalEntries
    sampled: LogicalEntries
    token_id: int | None = None


def decode(row: Mapping[str, Any]) -> list[LogicalToken]:
    """Return the meaning of a row for which every structural requirement holds, entries in stored order (RD-2)."""
    stride = len(row["sampled_indices_low"]) // row["num_tokens"]
    identifiers = row.get("token_ids") or [None] * row["num_tokens"]
    return [
        LogicalToken(
            float(row["logsumexp"][token.number]),
            LogicalEntries(token.top.indices, token.top.logits),
            LogicalEntries(token.sampled.indices, token.sampled.logits),
            identifiers[token.number],
        )
        for token in tokens(row, stride)
    ]


def encode(meaning: Sequence[LogicalToken]) -> dict[str, Any]:
    """Return a stored row (QNT-3, QNT-11, IDX-2). Raises ValueError for an index or a logit that cannot be stored."""
    row: dict[str, Any] = {"num_tokens": len(meaning), "top_counts": [len(token.top.indices) for token in meaning]}
    for kind in ("top", "sampled"):
        parts: list[LogicalEntries] = [getattr(token, kind) for token in meaning]
        low, high = indices.pack([index for part in parts for index in part.indices])
        ranges = [logits.tight_range(part.logits) for part in parts]
        row[f"{kind}_indices_low"] = low
        row[f"{kind}_indices_high"] = high
        row[f"{kind}_logits_quantized"] = [
            logits.encode(x, *ends) for part, ends in zip(parts, ranges, strict=True) for x in part.logits
        ]
        row[f"{kind}_min"] = [float(ends[0]) for ends in ranges]
        row[f"{kind}_max"] = [float(ends[1]) for ends in ranges]
    row["logsumexp"] = [token.logsumexp for token in meaning]
    if all(token.token_id is not None for token in meaning):
        row["token_ids"] = [token.token_id for token in meaning]
    return row


def of_json(value: Mapping[str, Any]) -> list[LogicalToken]:
    """Return the logical row of an object of logical JSON (section 4.4)."""

    def entries(part: Mapping[str, Any]) -> LogicalEntries:
        return LogicalEntries(list(part["indices"]), [Fraction(float(x)) for x in part["logits"]])

    return [
        LogicalToken(float(token["logsumexp"]), entries(token["top"]), entries(token["sampled"]), token.get("token_id"))
        for token in value["tokens"]
    ]
