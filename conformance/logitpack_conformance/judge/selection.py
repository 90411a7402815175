"""One extracted token against the distribution it was made of: sections 7 to 11 on dense logits.

Strategy: sets first, then what stands on them, so that one slip has one name (as the conditions of section 14.3 have
it): masses are judged only of a nucleus that is a top set of distinct entries within the cap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from logitpack_conformance.oracle.indices import LIMIT

from .breach import Breach, ids
from .distribution import TOLERANCE, Distribution
from .output import Entries, Token

MOST = 255
"""The largest nucleus of NUC-1."""
SET_FAULTS = frozenset({"ROW-3", "ROW-4", "IDX-5", "IDX-6", "QNT-7", "NUC-1", "NUC-8", "NUC-2", "NUC-3"})
"""Masses are not judged beside these."""
DRAW_FAULTS = frozenset({"ROW-4", "IDX-5", "IDX-6", "QNT-7", "NUC-2", "TAIL-1", "TAIL-2"})
"""The draw is not judged beside these (section 14.3: TAIL-3)."""


@dataclass(frozen=True)
class Wanted:
    """What the request asked for."""

    top_p: float
    max_entries: int
    rule: str
    order: str
    num_sampled: int
    method: str

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Wanted:
        """Return the parameters of a request to extract."""
        nucleus, tail = request["nucleus"], request["tail"]
        return cls(
            top_p=float(nucleus["top_p"]),
            max_entries=int(nucleus["max_entries"]),
            rule=nucleus["rule"],
            order=nucleus.get("order", "unspecified"),
            num_sampled=int(tail["num_sampled"]),
            method=tail["method"],
        )


def judge_token(token: Token, number: int, distribution: Distribution, wanted: Wanted) -> list[Breach]:
    """All that one token breaks, the most telling first."""
    found = [*_entries(token, distribution), *_sets(token, distribution, wanted)]
    if not SET_FAULTS & set(ids(found)):
        found += _masses(token.top.indices, distribution, wanted)
    found += _order(token.top.logits, wanted)
    found += _logsumexp(token.logsumexp, distribution)
    return [Breach(breach.requirement, breach.message, number) for breach in found]


def _entries(token: Token, distribution: Distribution) -> Iterator[Breach]:
    """ROW-3, ROW-4, IDX-5, IDX-6, QNT-7 and QNT-12."""
    for name, entries, requirement in (("nucleus", token.top, "ROW-3"), ("tail", token.sampled, "ROW-4")):
        if len(entries.indices) != len(entries.logits):
            yield Breach(requirement, f"{len(entries.indices)} indices and {len(entries.logits)} logits in the {name}")
        yield from _values(entries, distribution, name)


def _values(entries: Entries, distribution: Distribution, name: str) -> Iterator[Breach]:
    width = len(distribution.logits)
    for index, logit in zip(entries.indices, entries.logits, strict=False):
        if not 0 <= index < LIMIT:
            yield Breach("IDX-6", f"index {_short(index)} in the {name}")
        elif index >= width:
            yield Breach("IDX-5", f"index {index} in the {name}, the logits are {width} wide")
        elif distribution.logits[index] == -math.inf:
            yield Breach("QNT-7", f"index {index} in the {name} has a logit of -inf")
        elif not distribution.is_raw(index, logit):
            raw = distribution.logits[index]
            yield Breach("QNT-12", f"logit {logit} at index {index} in the {name}, the raw one is {raw}")


def _short(index: int) -> str:
    return str(index) if abs(index) < 10**20 else "beyond 20 digits"


def _sets(token: Token, distribution: Distribution, wanted: Wanted) -> Iterator[Breach]:
    """NUC-1, NUC-8, NUC-2, NUC-3, TAIL-4, TAIL-1 and TAIL-2."""
    top, sampled = token.top.indices, token.sampled.indices
    if not 1 <= len(top) <= MOST:
        yield Breach("NUC-1", f"{len(top)} entries in the nucleus")
    if len(top) > wanted.max_entries:
        yield Breach("NUC-8", f"{len(top)} entries in the nucleus, at most {wanted.max_entries} are allowed")
    if len(set(top)) < len(top):
        yield Breach("NUC-2", "an index stands twice in the nucleus")
    elif all(0 <= index < len(distribution.logits) for index in top) and top:
        yield from _top_set(top, distribution)
    if len(sampled) != wanted.num_sampled:
        yield Breach("TAIL-4", f"{len(sampled)} entries in the tail, {wanted.num_sampled} were asked for")
    if len(set(sampled)) < len(sampled):
        yield Breach("TAIL-1", "an index stands twice in the tail")
    both = set(top) & set(sampled)
    if both:
        yield Breach("TAIL-2", f"index {_short(min(both))} stands in the nucleus and in the tail")


def _top_set(top: list[int], distribution: Distribution) -> Iterator[Breach]:
    """NUC-3, against the whole vocabulary; how ties were broken is free."""
    least = min(distribution.logits[index] for index in top)
    following = _following(top, distribution)
    if following is not None and following - least > TOLERANCE * max(1.0, abs(following)):
        yield Breach("NUC-3", f"a logit of {following} is left out of a nucleus that goes down to {least}")


def _following(top: list[int], distribution: Distribution) -> float | None:
    """Return the largest finite logit outside the nucleus, None where there is none."""
    inside = set(top)
    return max((distribution.logits[index] for index in distribution.finite if index not in inside), default=None)


def _masses(top: list[int], distribution: Distribution, wanted: Wanted) -> Iterator[Breach]:
    """NUC-4, NUC-5 and NUC-6, and that a run of rule `below` is the longest (section 9)."""
    off = distribution.mass_tolerance
    count, mass, following = len(top), distribution.mass(top), _following(top, distribution)
    could_grow = count < wanted.max_entries and following is not None
    told = f"a mass of {mass:.9g} in {count} entries, top_p is {wanted.top_p}"
    if wanted.rule == "covering":
        if could_grow and mass < wanted.top_p - off:
            yield Breach("NUC-4", told)
        least = min(top, key=lambda index: distribution.logits[index])
        without = distribution.mass(index for index in top if index != least)
        if count > 1 and without >= wanted.top_p + off:
            yield Breach("NUC-5", f"{told}; {without:.9g} without the smallest entry")
    elif wanted.rule == "below":
        if count > 1 and mass > wanted.top_p + off:
            yield Breach("NUC-6", told)
        elif could_grow and mass + _mass_of(following, distribution) <= wanted.top_p - off:
            yield Breach("NUC-6", f"{told}; it is not the longest run")


def _mass_of(logit: float | None, distribution: Distribution) -> float:
    return 0.0 if logit is None else math.exp(logit - distribution.logsumexp)


def _order(logits: list[float], wanted: Wanted) -> Iterator[Breach]:
    """NUC-7."""
    if wanted.order == "descending" and any(after > before for before, after in pairwise(logits)):
        yield Breach("NUC-7", "the logits of the nucleus increase, descending order was asked for")


def _logsumexp(found: float, distribution: Distribution) -> Iterator[Breach]:
    """LSE-4."""
    due = distribution.logsumexp
    if not abs(found - due) <= TOLERANCE * max(1.0, abs(due)):
        yield Breach("LSE-4", f"logsumexp {found}, {due} over the full width")
