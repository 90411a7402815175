"""The judgement of an extractor: what it wrote for dense logits, against those logits in binary64.

Strategy: first how many rows and tokens there are and where they come from, for nothing else can be said of a row that
is shifted; then token by token; then the draw over all of them. The expected values come from the golden file and the
request, never from an extractor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logitpack_conformance import dense
from logitpack_conformance.model import Case, Container, Kind, Response, Role, Verdict

from .alignment import judge_alignment
from .blame import PASSED, failed, said
from .breach import Breach, ids
from .distribution import Output
from .output import OutputFault, Token, bound, read_rows
from .selection import DRAW_FAULTS, MOST, Wanted, judge_token
from .uniformity import Drawn, uneven

FALLBACK = ("ALN-2",)
"""What a refusal of good logits breaks where the case names nothing: the tokens are not in the row."""


def judge(
    case: Case, role: Role, container: Container | None, folder: Path, request: Mapping[str, Any], response: Response
) -> Verdict:
    """Judge the response to a request to extract. `folder` holds the golden `.npy` file of the case.

    Where there is no row to judge, the first requirement of the case is broken: that which it is about.

    Raises ValueError where that is none.
    """
    del role, container
    at_fault = case.requirements[:1] or FALLBACK
    if case.kind is Kind.REFUSE:
        is_refused = response.outcome == "rejected"
        return PASSED if is_refused else failed(f"expected a refusal, got {said(response)}", at_fault)
    if case.kind is Kind.EITHER and response.outcome == "rejected":
        return PASSED
    if response.outcome != "accepted":
        return failed(f"expected a row, got {said(response)}", at_fault)
    output = Output(dense.decode((folder / case.materials["dense"].input).read_bytes()))
    wanted = Wanted.of(request)
    try:
        rows = list(read_rows(response.output, bound(2 * len(request["mask"]) * (MOST + wanted.num_sampled))))
    except OutputFault as fault:
        return failed(str(fault), at_fault)
    return _verdict(judge_rows(rows, output, request["mask"], wanted))


def judge_rows(rows: list[list[Token]], output: Output, mask: Sequence[int], wanted: Wanted) -> list[Breach]:
    """All that the rows of an extractor break, the most telling first; `mask` selects positions, not position 0."""
    expected = [position - 1 for position, selected in enumerate(mask) if selected]
    if len(rows) != 1:
        return [Breach("ALN-2", f"{len(rows)} rows for one conversation")]
    (tokens,) = rows
    found = list(judge_alignment(tokens, expected, output))
    if found:
        return found
    drawn: list[Drawn] = []
    for number, (token, position) in enumerate(zip(tokens, expected, strict=True)):
        breaches = judge_token(token, number, output[position], wanted)
        found += breaches
        if not DRAW_FAULTS & set(ids(breaches)):
            drawn.append((output[position], token))
    fault = uneven(drawn) if wanted.method == "uniform" else None
    if fault is not None:
        found.append(Breach("TAIL-3", f"over all tokens, {fault}"))
    return found


def _verdict(found: list[Breach]) -> Verdict:
    if not found:
        return PASSED
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return failed(f"{found[0]}{more}", ids(found))
