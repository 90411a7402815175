"""The structural requirements on one row: sections 6 to 9 and 11, kind S.

Strategy: each length is compared before anything is read by it, in the order of the conditions table, so that one wrong
length gives one finding (CHK-3). What is learned on the way (n, N, S, the ranges) is what the semantic part reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from . import binary32, indices
from .columns import PER_TOKEN
from .finding import Finding, known

MOST_TOKENS = 2**31 - 1


@dataclass
class Structure:
    """What is known of a row's layout. A field is None where the requirement that it stands on is broken."""

    row: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    tokens: int | None = None
    stride: int | None = None
    fitting: set[str] = field(default_factory=set)

    def report(self, requirement: str, message: str, **place: Any) -> None:
        """Add a finding."""
        self.findings.append(Finding(requirement, message, **place))


def judge_structure(row: Mapping[str, Any]) -> Structure:
    """Judge a row for which COL-1, COL-2 and COL-3 hold."""
    found = Structure(row)
    _rows(found)
    if found.tokens is not None:
        _per_token(found)
        if "top_counts" in found.fitting:
            _nucleus(found)
            _tail(found)
        _ranges(found)
        _logsumexp(found)
    return found


def _rows(found: Structure) -> None:
    """ROW-1."""
    n = found.row["num_tokens"]
    if 1 <= n <= MOST_TOKENS:
        found.tokens = n
    else:
        found.report("ROW-1", f"{n} is not in 1 ... {MOST_TOKENS}", column="num_tokens")


def _per_token(found: Structure) -> None:
    """ROW-2."""
    for name in PER_TOKEN:
        length = len(found.row[name])
        if length == found.tokens:
            found.fitting.add(name)
        else:
            found.report("ROW-2", f"{length} elements for {found.tokens} tokens", column=name)


def _nucleus(found: Structure) -> None:
    """NUC-1, ROW-3, and what stands on them."""
    counts = found.row["top_counts"]
    wrong = [(token, count) for token, count in enumerate(counts) if not 1 <= count <= 255]
    for token, count in wrong:
        found.report("NUC-1", f"{count} is not in 1 ... 255", token=token, column="top_counts")
    if wrong:
        return
    total = sum(counts)
    lists = ("top_indices_low", "top_logits_quantized")
    for name in lists:
        if len(found.row[name]) != total:
            found.report("ROW-3", f"{len(found.row[name])} elements, expected {total}", column=name)
    if all(len(found.row[name]) == total for name in lists):
        _entries(found, "top", total)


def _tail(found: Structure) -> None:
    """ROW-4, and what stands on it."""
    n = known(found.tokens)
    low, codes = len(found.row["sampled_indices_low"]), len(found.row["sampled_logits_quantized"])
    if low != codes or low == 0 or low % n:
        found.report("ROW-4", f"{low} indices and {codes} codes for {n} tokens", column="sampled_indices_low")
    else:
        found.stride = low // n
        _entries(found, "sampled", low)


def _entries(found: Structure, kind: str, total: int) -> None:
    """IDX-3, IDX-1 and QNT-8 for the nucleus or the tail, once its length is known."""
    high = f"{kind}_indices_high"
    expected = indices.high_length(total)
    if len(found.row[high]) != expected:
        found.report("IDX-3", f"{len(found.row[high])} bytes, expected {expected} for {total} entries", column=high)
    for requirement, name in (("IDX-1", f"{kind}_indices_low"), ("QNT-8", f"{kind}_logits_quantized")):
        for value in found.row[name]:
            if not 0 <= value <= 65535:
                found.report(requirement, f"{value} is not in 0 ... 65535", column=name)


def _ranges(found: Structure) -> None:
    """QNT-1, on the binary32 values that the stored ones mean (section 5)."""
    for kind in ("top", "sampled"):
        lower, upper = f"{kind}_min", f"{kind}_max"
        if lower in found.fitting and upper in found.fitting:
            pairs = zip(found.row[lower], found.row[upper], strict=True)
            for token, (low, high) in enumerate(pairs):
                if valid_range(low, high) is None:
                    column = upper if math.isfinite(low) and not math.isfinite(high) else lower
                    found.report("QNT-1", f"no range: {low} ... {high}", token=token, column=column)


@lru_cache(maxsize=1 << 16)
def valid_range(low: float, high: float) -> tuple[Fraction, Fraction] | None:
    """Return the ends of a range as binary32 numbers, or None where QNT-1 is broken."""
    lower, upper = binary32.of_float(low), binary32.of_float(high)
    if lower is None or upper is None or lower > upper or binary32.nearest(upper - lower) is None:
        return None
    return lower, upper


def _logsumexp(found: Structure) -> None:
    """LSE-1."""
    if "logsumexp" in found.fitting:
        for token, value in enumerate(found.row["logsumexp"]):
            if not math.isfinite(value):
                found.report("LSE-1", f"{value} is not finite", token=token, column="logsumexp")
