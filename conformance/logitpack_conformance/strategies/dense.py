"""Dense logits for extractors, and what is asked for beside them.

Strategy: small vocabularies, with the shapes at which selection goes wrong: ties at the threshold, one entry with all
the mass, a flat distribution that hits the cap, -inf padding, logits near overflow. What is to be extracted leaves room
for the tail whatever the nucleus is; what is to be refused leaves none whatever it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from .values import LARGEST, SMALLEST, below, rarely

Logits = list[list[float]]
TOP_P = st.sampled_from((0.98, 0.9, 0.5, 1.0, 0.25, 1e-6, 0.999999))
RULES = st.sampled_from(("covering", "below"))
ORDERS = st.sampled_from(("unspecified", "descending"))
TOKENS = st.lists(st.integers(0, 1), min_size=1, max_size=6)
ORDINARY = st.one_of(st.integers(-10, 10).map(float), st.floats(-20, 20, width=32))
SPECIAL = st.sampled_from((LARGEST, SMALLEST, -SMALLEST, -0.0, 100.0, -1e4, 1e30, -1e30, -LARGEST))
LOGIT = rarely(SPECIAL, ORDINARY, 12)
PADDED = rarely(st.just(value=True), st.just(value=False), 4)
FEW = st.integers(0, 4)


class Extraction(NamedTuple):
    """Dense logits [sequence, vocab_size], and the other members of a request to extract.

    `requirement` is the one by which they are to be refused, "" where they are to be extracted.
    """

    logits: Logits
    request: dict[str, Any]
    requirement: str = ""
    fault: str = ""


@st.composite
def dense_logits(draw: st.DrawFn, positions: int, vocab_size: int, finite: int = 1) -> Logits:
    """Draw logits [positions, vocab_size] in binary32, at least `finite` of each position finite.

    >>> smallest(dense_logits(1, 3), lambda logits: logits[0][1] < logits[0][0])
    [[0.0, -1.0, -1.0]]
    """
    return [_position(draw, vocab_size, finite) for _ in range(positions)]


def _position(draw: st.DrawFn, vocab_size: int, finite: int) -> list[float]:
    """Draw a level, a few entries away from it, some equal ones just below it, and padding at the end."""
    level = draw(LOGIT)
    found = [level] * vocab_size
    places = st.integers(0, vocab_size - 1)
    for _ in range(draw(FEW)):
        found[draw(places)] = draw(LOGIT)
    lower = draw(places)
    found[vocab_size - lower :] = [below(level, ("by", 1.0))] * lower
    padding = draw(st.integers(0, vocab_size - finite)) if draw(PADDED) else 0
    return found[: vocab_size - padding] + [-math.inf] * padding


@st.composite
def extractions(draw: st.DrawFn) -> Extraction:
    """Draw dense logits from which an extractor has to make a row, with mask, parameters of the selection, and seed.

    >>> smallest(extractions()).logits
    [[0.0, 0.0], [0.0, 0.0]]
    """
    selected = draw(TOKENS)
    mask = [0, *selected] if any(selected) else [0, *selected[1:], 1]
    num_sampled, most = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    vocab_size = num_sampled + most + draw(st.integers(0, 12))
    request = {
        "mask": mask,
        "nucleus": {"top_p": draw(TOP_P), "max_entries": most, "rule": draw(RULES), "order": draw(ORDERS)},
        "tail": {"num_sampled": num_sampled, "method": "uniform"},
        "vocab_size": vocab_size,
        "seed": draw(st.integers(0, 2**32 - 1)),
    }
    return Extraction(draw(dense_logits(len(mask), vocab_size, num_sampled + most)), request)


def why_refused(logits: Logits, request: Mapping[str, Any]) -> str:
    """Return the requirement by which an extractor has to refuse, "" where it has to extract.

    Raises ValueError where that depends on the size of a nucleus.

    >>> why_refused([[0.0, 0.0]], {"mask": [1], "nucleus": {"max_entries": 1}, "tail": {"num_sampled": 1}})
    'ALN-3'
    """
    mask, most, num_sampled = request["mask"], request["nucleus"]["max_entries"], request["tail"]["num_sampled"]
    if mask[0]:
        return "ALN-3"
    found = set()
    for position in (position - 1 for position, selected in enumerate(mask) if selected):
        row = logits[position]
        finite = sum(map(math.isfinite, row))
        if any(math.isnan(x) or x == math.inf for x in row) or not finite:
            found.add("QNT-9")
        elif finite <= num_sampled:
            found.add("QNT-10")
        elif finite < num_sampled + most:
            raise ValueError("there may be room for the tail, or none")
    if len(found) > 1 or not any(mask):
        raise ValueError("more than one reason, or no token")
    return "".join(found)


def _nan(logits: list[float], _: int) -> None:
    logits[-1] = math.nan


def _infinite(logits: list[float], _: int) -> None:
    logits[-1] = math.inf


def _nothing(logits: list[float], _: int) -> None:
    logits[:] = [-math.inf] * len(logits)


def _no_room(logits: list[float], num_sampled: int) -> None:
    logits[num_sampled:] = [-math.inf] * (len(logits) - num_sampled)


AT_A_POSITION: Mapping[str, Callable[[list[float], int], None]] = {
    "QNT-9/nan": _nan,
    "QNT-9/infinite": _infinite,
    "QNT-9/nothing": _nothing,
    "QNT-10/no-room": _no_room,
}
POSITION_0 = "ALN-3/position-0"


@st.composite
def refused_extractions(draw: st.DrawFn) -> Extraction:
    """Draw dense logits that an extractor has to refuse, for one fault (QNT-9, QNT-10, ALN-3).

    >>> smallest(refused_extractions(), lambda extraction: extraction.requirement == "QNT-10").logits
    [[0.0, -inf], [0.0, 0.0]]
    """
    fault = draw(st.sampled_from((*AT_A_POSITION, POSITION_0)))
    found = draw(extractions())
    mask = found.request["mask"]
    if fault == POSITION_0:
        mask[0] = 1
    else:
        position = draw(st.sampled_from([position - 1 for position, selected in enumerate(mask) if selected]))
        AT_A_POSITION[fault](found.logits[position], found.request["tail"]["num_sampled"])
    return Extraction(found.logits, found.request, fault.split("/")[0], fault)
