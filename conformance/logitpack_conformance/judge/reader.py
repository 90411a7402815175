"""The judgement of a reader: whether it took what it has to take, and whether it returned what is stored.

Strategy: the answer first. Of an accepted file the output is read row by row beside the expected one; counts come
before indices, and those before logits, for each says nothing once the one before is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from operator import le
from pathlib import Path
from typing import Any

from logitpack_conformance.model import Case, Container, Kind, Response, Role, Verdict

from .blame import PASSED, blamed, failed, said
from .output import Entries, OutputFault, Token, bound, read_rows
from .values import Bounds, Expected, Wanted, expected

SYMPTOMS = ("RD-2", "IDX-2", "QNT-2", "RD-4", "ALN-4")
"""What wrong values show, the most telling first."""
SHOWN_BY_VALUES = frozenset({"IDX-2", "QNT-2", "RD-4"})
"""What a case may be about that only its own symptom shows."""
BEHAVIOURS = frozenset({"COL-4", "IDX-4", "META-3", "META-4", "META-6", "RD-2", "RD-3"})
"""What a case may be about that wrong values show as well as a rejection does."""
KINDS = (("top", "nucleus"), ("sampled", "tail"))

Difference = tuple[str, str]


def judge(
    case: Case,
    role: Role,
    container: Container | None,
    folder: Path,
    request: Mapping[str, Any],
    response: Response,
    *,
    features: Collection[str] = (),
) -> Verdict:
    """Judge the response to a request to read; `folder` holds the golden files of the case for the container.

    `features` are those that the adapter declared. Raises SuiteFault where a golden file cannot be read.
    """
    del request
    broken = blamed(case, role)
    if response.outcome == "rejected":
        return PASSED if case.kind is not Kind.ACCEPT else failed(f"expected accepted, got {said(response)}", broken)
    if response.outcome != "accepted":
        allowed = {Kind.ACCEPT: "accepted", Kind.REJECT: "rejected"}.get(case.kind, "accepted or rejected")
        return failed(f"expected {allowed}, got {said(response)}", broken)
    if case.kind is Kind.REJECT:
        return failed(f"expected rejected, got accepted: {case.why}", broken)
    wanted = expected(case, case.materials[str(container)], folder)
    try:
        if wanted is None:  # an invalid file, of which nothing but the form of the output can be judged
            for _ in read_rows(response.output, bound(0)):
                pass
            return PASSED
        rows = read_rows(response.output, bound(wanted.size))
        found = compare(wanted, rows, ids_wanted="token_ids" in features)
    except OutputFault as fault:
        return failed(str(fault), broken)
    return _verdict(case, found)


def _verdict(case: Case, found: Mapping[str, str]) -> Verdict:
    if not found:
        return PASSED
    symptoms = [name for name in SYMPTOMS if name in found]
    own = [name for name in case.requirements if name in BEHAVIOURS]
    return failed(found[symptoms[0]], own + symptoms)


def compare(wanted: Expected, rows: Iterator[list[Token]], *, ids_wanted: bool) -> dict[str, str]:
    """Return what differs, by the requirement that it shows, the first place of each.

    Raises OutputFault where the rows do before anything differs.
    """
    found: dict[str, str] = {}
    seen: list[int] = []
    try:
        for number, (row, got) in enumerate(zip_longest(wanted.rows, rows)):
            if row is None or got is None:
                count = "more" if row is None else str(number)
                return {"RD-2": f"expected {_many(len(wanted.rows), 'row')}, got {count}"}
            for requirement, message in _row(row, got, seen, ids_wanted=ids_wanted):
                found.setdefault(requirement, f"row {number}{message}")
            if "RD-2" in found:
                return {"RD-2": found["RD-2"]}
    except OutputFault:
        if not found:
            raise
        return found
    if "IDX-2" in found and sorted(seen) == sorted(_indices(wanted)):
        return {"RD-2": f"the entries stand in another order: {found['IDX-2']}"}
    return found


def _indices(wanted: Expected) -> Iterator[int]:
    for row in wanted.rows:
        for token in row:
            yield from token.top.indices
            yield from token.sampled.indices


def _row(row: list[Wanted], got: list[Token], seen: list[int], *, ids_wanted: bool) -> Iterator[Difference]:
    """Yield what differs in a row, and add the indices that were returned to `seen`."""
    if len(got) != len(row):
        yield "RD-2", f": expected {_many(len(row), 'token')}, got {len(got)}"
        return
    ids_wanted = ids_wanted or any(one.token_id is not None for one in got)  # in every token or in none
    for position, (token, one) in enumerate(zip(row, got, strict=True)):
        seen += one.top.indices
        seen += one.sampled.indices
        for requirement, message in _token(token, one, ids_wanted=ids_wanted):
            yield requirement, f", token {position}{message}"


def _token(token: Wanted, got: Token, *, ids_wanted: bool) -> Iterator[Difference]:
    for kind, name in KINDS:
        yield from _entries(getattr(token, kind), getattr(got, kind), name)
    if got.logsumexp != token.logsumexp:
        yield "RD-4", f": expected logsumexp {token.logsumexp!r}, got {got.logsumexp!r}"
    if ids_wanted and got.token_id != token.token_id:
        broken = "ALN-4" if token.is_mute else "RD-4"
        yield broken, f": expected {_id(token.token_id)}, got {_id(got.token_id)}"


def _id(number: int | None) -> str:
    return "no token_id" if number is None else f"token_id {_short(number)}"


def _entries(bounds: Bounds, got: Entries, name: str) -> Iterator[Difference]:
    if not len(got.indices) == len(got.logits) == len(bounds.indices):
        numbers = f"{len(got.indices)} indices and {len(got.logits)} logits"
        yield "RD-2", f": expected {len(bounds.indices)} {name} entries, got {numbers}"
        return
    if got.indices != bounds.indices:
        pairs = zip(bounds.indices, got.indices, strict=True)
        entry, (index, other) = next((k, pair) for k, pair in enumerate(pairs) if pair[0] != pair[1])
        yield "IDX-2", f", {name} entry {entry}: expected index {index}, got {_short(other)}"
    if not (all(map(le, bounds.least, got.logits)) and all(map(le, got.logits, bounds.greatest))):
        ends = zip(bounds.least, got.logits, bounds.greatest, strict=True)
        entry = next(k for k, (low, y, high) in enumerate(ends) if not low <= y <= high)
        low, high = bounds.least[entry], bounds.greatest[entry]
        yield "QNT-2", f", {name} entry {entry}: expected a logit in {low!r} ... {high!r}, got {got.logits[entry]!r}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _short(number: int) -> str:
    return str(number) if abs(number) < 1 << 64 else "a number of more than 64 bits"
