"""Dense logits as models give them, and what an extractor is asked to make of them.

Strategy: logits are odd multiples of 2^-12, exact in binary32 and rounded by anything narrower; every position has its
own, so that a shift by one shows in every number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from logitpack_conformance import dense
from logitpack_conformance.dense import Dense
from logitpack_conformance.model import Kind, Role

from .bases import drawn
from .draft import Draft

EXTRACTOR = (Role.EXTRACTOR,)
Rows = list[list[float]]
Change = Callable[[Rows], object]


def asked(
    mask: Sequence[int],
    *,
    top_p: float = 0.9,
    max_entries: int = 100,
    rule: str = "covering",
    order: str = "descending",
    num_sampled: int = 5,
    seed: int = 7,
) -> dict[str, Any]:
    """Return the members of a request to extract beside its files."""
    nucleus = {"top_p": top_p, "max_entries": max_entries, "rule": rule, "order": order}
    tail = {"num_sampled": num_sampled, "method": "uniform"}
    return {"mask": list(mask), "nucleus": nucleus, "tail": tail, "seed": seed}


def logits_of(name: str, positions: int, width: int = 160, likely: int = 8) -> Rows:
    """Return logits: at each position a few likely entries, anywhere, and a tail that falls with the index."""
    rng = drawn(name)
    rows = []
    for _ in range(positions):
        row = [exact(3 - 9 * index / width - 2 * rng.random()) for index in range(width)]
        for _ in range(likely):
            row[int(rng.random() * width)] = exact(6 + 7 * rng.random())
        rows.append(row)
    return rows


def exact(x: float) -> float:
    """Round to a multiple of 2^-12, an odd one, which neither binary16 nor bfloat16 holds from 1 on."""
    return (2 * math.floor(x * 2048) + 1) / 4096


def of_masses(masses: Sequence[float], width: int, rest: float, level: float = 9.0) -> list[float]:
    """Return the logits of one position: entries of these masses, and others that share the rest evenly."""
    others = width - len(masses)
    return [level + math.log(p) for p in masses] + [level + math.log(rest / others)] * others


def extracted(
    name: str,
    why: str,
    rows: Rows,
    request: dict[str, Any],
    requirements: tuple[str, ...],
    *,
    twin: str,
    flags: tuple[str, ...] = (),
) -> Draft:
    """Return a draft of dense logits that are to be extracted."""
    return Draft(
        f"extract/{name}",
        Kind.EXTRACT,
        why,
        dense.of_rows(rows),
        roles=EXTRACTOR,
        requirements=tuple(dict.fromkeys(requirements)),
        twin=f"extract/{twin}",
        request=request,
        flags=flags,
    )


def broken_logits(twin: Draft, name: str, why: str, fault: str, change: Change | None = None, **members: Any) -> Draft:
    """Return a draft of its twin's logits after a change, or under another `request`, to be refused.

    Other members replace those of the draft.
    """
    content = twin.content
    if not isinstance(content, Dense):
        raise TypeError(f"{twin.id} holds no dense logits")
    rows = [content.row(position) for position in range(content.positions)]
    if change is not None:
        change(rows)
    requirement, op = fault.split("/", 1)
    taken: dict[str, Any] = {
        "kind": Kind.REFUSE,
        "content": dense.of_rows(rows),
        "requirements": (requirement,),
        "fault": {"op": op, "args": {}},
        "flags": (),
    }
    return replace(twin, id=f"extract/{name}", why=why, twin=twin.id, **(taken | members))


def put(position: int, index: int, value: float) -> Change:
    """Return what replaces a logit."""
    return lambda rows: rows[position].__setitem__(index, value)
