"""What a reader has to return for a golden file, as bounds that are cheap to compare and still exact.

Strategy: the oracle loads the file; v and the bound of QNT-2 are rational numbers. Their sum and difference are rounded
inward to binary64, once for each entry: a binary64 number lies within those ends exactly where it lies within QNT-2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Kind, Material
from logitpack_conformance.oracle import judge_path, logits, tokens
from logitpack_conformance.oracle.columns import judge_nulls
from logitpack_conformance.oracle.load import load_dataset
from logitpack_conformance.oracle.structure import judge_structure

CACHED = 8192
"""Files whose expected values are kept."""
ENDS_READING = frozenset({"FILE-1", "FILE-3", "JSON-1", "JSON-2", "COL-1", "COL-2"})
"""What leaves rows of a file unread."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The entries of a nucleus or tail: indices, and the least and the greatest binary64 logit that QNT-2 allows."""

    indices: list[int]
    least: list[float]
    greatest: list[float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one token has to come out as.

    `token_id` is None where none is stored, or where ALN-4 is broken, which `is_mute` says.
    """

    logsumexp: float
    top: Bounds
    sampled: Bounds
    token_id: int | None
    is_mute: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows of a file or dataset, and how many entries and tokens they have together."""

    rows: list[list[Wanted]]
    size: int


def expected(case: Case, material: Material, folder: Path) -> Expected | None:
    """Return what a case's file means; None where nobody can say, as where a checksum does not match.

    `folder` is that of the material. Raises SuiteFault where a valid file cannot be read.
    """
    path, ids_count = folder / material.input, "ALN-4" not in case.findings
    if material.digests:
        found = _cached(path, tuple(sorted(material.digests.items())), ids_count=ids_count)
    else:
        found = _load(path, ids_count=ids_count)
    if found is None and case.kind is Kind.ACCEPT:
        raise SuiteFault(f"{case.id}: {path} cannot be read")
    return found


@lru_cache(maxsize=CACHED)
def _cached(path: Path, digests: tuple[tuple[str, str], ...], *, ids_count: bool) -> Expected | None:
    del digests  # they tell files apart that stand in the same place one after another
    return _load(path, ids_count=ids_count)


def _load(path: Path, *, ids_count: bool) -> Expected | None:
    files = load_dataset(path)
    mute = set() if ids_count else {(f.file, f.row) for f in judge_path(path) if f.requirement == "ALN-4"}
    rows = []
    for file in files:
        if not file.is_open or any(finding.requirement in ENDS_READING for finding in file.findings):
            return None
        for number, row in enumerate(file.rows):
            made = _row(_Stored(repr(row), row), is_mute=(file.name, number) in mute)
            if made is None:
                return None
            rows.append(made)
    return Expected(rows, sum(1 + len(one.top.indices) + len(one.sampled.indices) for row in rows for one in row))


@dataclass(frozen=True)
class _Stored:
    """A row as it is stored, known by its text: most stand in several containers."""

    text: str
    row: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=CACHED)
def _row(stored: _Stored, *, is_mute: bool) -> list[Wanted] | None:
    row = stored.row
    if list(judge_nulls(row)):
        return None
    structure = judge_structure(row)
    if structure.findings or structure.stride is None:
        return None
    identifiers = None if is_mute else row.get("token_ids")
    return [
        Wanted(
            float(row["logsumexp"][token.number]),
            _bounds(token.top),
            _bounds(token.sampled),
            None if identifiers is None else identifiers[token.number],
            is_mute,
        )
        for token in tokens.tokens(row, structure.stride)
    ]


def _bounds(entries: tokens.Entries) -> Bounds:
    low, high = entries.range
    step, bound = (high - low) / logits.STEPS, logits.decoding_bound(low, high)
    # Over one denominator, as whole numbers: fractions would be reduced at every step.
    d = math.lcm(low.denominator, step.denominator, bound.denominator)
    a, b, e = (x.numerator * (d // x.denominator) for x in (low, step, bound))
    return Bounds(
        entries.indices,
        [at_least(a + q * b - e, d) for q in entries.codes],
        [-at_least(-(a + q * b) - e, d) for q in entries.codes],
    )


def at_least(numerator: int, denominator: int) -> float:
    """Return the smallest binary64 number that is not below a quotient, which is below 2**1000 in magnitude.

    >>> from fractions import Fraction
    >>> at_least(1, 10) >= Fraction(1, 10)
    True
    """
    near = numerator / denominator  # rounded to nearest
    n, d = near.as_integer_ratio()
    return near if n * denominator >= numerator * d else math.nextafter(near, math.inf)
