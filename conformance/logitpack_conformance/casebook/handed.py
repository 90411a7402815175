"""Logical rows as a writer is handed them, and pairs of what it writes and what it refuses.

Strategy: rows are drawn from the name of a case, valid under metadata that come with them; a refusal is the rows of its
twin with one value changed. `Plain` rows are those of logical JSON, so that a change can be of any kind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken
from logitpack_conformance.rows import make_token

from .bases import drawn, facts
from .draft import ALL, ARROW, Draft, Logical

Plain = dict[str, Any]
Change = Callable[[list[Plain]], object]
WRITER = (Role.WRITER,)
TOP_P = 0.9


def plain_token(token: LogicalToken) -> Plain:
    """Return a token as logical JSON has it."""

    def part(entries: LogicalEntries) -> Plain:
        return {"indices": list(entries.indices), "logits": [float(x) for x in entries.logits]}

    told: Plain = {"logsumexp": token.logsumexp, "top": part(token.top), "sampled": part(token.sampled)}
    return told if token.token_id is None else told | {"token_id": token.token_id}


def token(
    top: Sequence[float],
    sampled: Sequence[float] = (-3.0, -2.5),
    logsumexp: float | None = None,
    *,
    first: int = 10,
    tail_first: int = 30_000,
) -> Plain:
    """Return a token with these logits at rising indices; its logsumexp is 1 above the largest, or what is given."""
    return {
        "logsumexp": max([*top, *sampled]) + 1 + len(top) if logsumexp is None else logsumexp,
        "top": {"indices": [first + 3 * i for i in range(len(top))], "logits": list(top)},
        "sampled": {"indices": [tail_first + 5 * i for i in range(len(sampled))], "logits": list(sampled)},
    }


def rows_of(
    name: str,
    counts: Sequence[Sequence[int]],
    *,
    stride: int = 3,
    vocab: int = 151_936,
    chosen: Sequence[int] = (),
    token_ids: bool = False,
) -> list[Plain]:
    """Return rows with nuclei of these sizes, drawn from a name, that cover 0.9 and no more than needed."""
    rng, given = drawn(name), list(chosen)
    rows = []
    for sizes in counts:
        tokens = []
        for count in sizes:
            here, given = given[: count + stride], given[count + stride :]
            made = make_token(rng, count, here, stride=stride, vocab=vocab, top_p=TOP_P, token_id=token_ids)
            tokens.append(plain_token(made))
        rows.append({"tokens": tokens})
    return rows


def declared(vocab: int = 151_936, stride: int = 3, **members: Any) -> Plain:
    """Return metadata that are true of `rows_of`; members replace those of the nucleus."""
    found = facts(vocab, stride, TOP_P)
    return {**found, "nucleus": {**found["nucleus"], **members}}


def written(
    name: str,
    why: str,
    rows: Sequence[Plain],
    requirements: tuple[str, ...] = (),
    *,
    twin: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    containers: tuple[Container, ...] | None = None,
    **members: Any,
) -> Draft:
    """Return a draft of rows to be written, as `write/NAME`; with metadata only in containers that hold them.

    Each is evidence that a writer accepts what it can write (WR-5).
    """
    where = containers or (ALL if metadata is None else ARROW)
    other = None if twin is None else f"refuse/{twin}"
    return Draft(
        f"write/{name}",
        Kind.WRITE,
        why,
        Logical(rows),
        roles=WRITER,
        requirements=tuple(dict.fromkeys(("WR-5", *requirements))),
        twin=other,
        metadata=metadata,
        containers=where,
        **members,
    )


def refused(twin: Draft, name: str, why: str, fault: str, change: Change | None = None, **members: Any) -> Draft:
    """Return a draft of the rows of its twin after a change, to be refused, as `refuse/NAME`.

    `fault` is REQUIREMENT/operation; the requirement is what the output would break. Other members replace those of the
    draft, `more` adds requirements.
    """
    if not isinstance(twin.content, Logical):
        raise TypeError(f"{twin.id} holds no logical rows")
    rows = copy.deepcopy([dict(row) for row in twin.content.rows])
    if change is not None:
        change(rows)
    requirement, op = fault.split("/", 1)
    requirements = (requirement, *members.pop("more", ()))
    taken: dict[str, Any] = {
        "kind": Kind.REFUSE,
        "content": Logical(rows),
        "fault": {"op": op, "args": {}},
        "flags": (),
    }
    made = replace(twin, id=f"refuse/{name}", why=why, twin=twin.id, requirements=requirements, **taken)
    return replace(made, **members)


def put(row: int, token: int, member: str, value: object) -> Change:
    """Return what replaces a member of a token."""
    return lambda rows: rows[row]["tokens"][token].__setitem__(member, value)


def put_in(row: int, token: int, kind: str, member: str, entry: int, value: object) -> Change:
    """Return what replaces an index or a logit of an entry: `kind` is top or sampled, `member` indices or logits."""
    return lambda rows: rows[row]["tokens"][token][kind][member].__setitem__(entry, value)


def without(row: int, token: int, kind: str, *members: str) -> Change:
    """Return what takes the last index, the last logit, or both, from a token."""
    return lambda rows: [rows[row]["tokens"][token][kind][member].pop() for member in members]


def with_entry(row: int, token: int, kind: str, index: int, logit: float) -> Change:
    """Return what adds an entry to a token."""

    def change(rows: list[Plain]) -> None:
        part = rows[row]["tokens"][token][kind]
        part["indices"].append(index)
        part["logits"].append(logit)

    return change


def both(*changes: Change) -> Change:
    """Return what makes several changes, one after another."""

    def apply(rows: list[Plain]) -> None:
        for change in changes:
            change(rows)

    return apply
