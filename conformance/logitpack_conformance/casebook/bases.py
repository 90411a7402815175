"""Sound files to break: small valid rows that differ from case to case.

Strategy: everything about the rows of a case is drawn from its id, so that no two cases hold the same numbers and an
implementation gains nothing by remembering them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from logitpack_conformance.model import Container
from logitpack_conformance.rows import Metadata, Row, copied, described, make_row, valid_rows
from logitpack_conformance.stored import PLAIN, Form

from .draft import ALL, Draft, Stored, accept, broken, faulty

VOCABULARIES = (32_000, 70_000, 128_256, 151_936, 201_088, 262_144)
TOP_P = (0.8, 0.9, 0.95, 0.98)


def drawn(name: str) -> Random:
    """Return the draws of a case."""
    return Random(zlib.crc32(name.encode()))  # noqa: S311 - the same rows each time


def contents(
    name: str,
    *,
    sizes: Sequence[int] = (),
    counts: Sequence[Sequence[int]] = (),
    core: bool = False,
    form: Form = PLAIN,
    containers: tuple[Container, ...] = ALL,
    **options: Any,
) -> Stored:
    """Return sound rows: `counts` are the nucleus sizes row by row, or else `sizes` the tokens of each row.

    Options are those of `rows.valid_rows`; what is not given is drawn from the name. `core` leaves the metadata out.
    """
    rng = drawn(name)
    stride = options.setdefault("stride", 2 + int(rng.random() * 3))
    vocab = options.setdefault("vocab", VOCABULARIES[int(rng.random() * len(VOCABULARIES))])
    top_p = options.setdefault("top_p", TOP_P[int(rng.random() * len(TOP_P))])
    sizes = sizes or [1 + int(rng.random() * 2) for _ in range(int(rng.random() * 2))] + [2 + int(rng.random() * 2)]
    rows: list[Row]
    if counts:
        rows = [make_row(rng, row, **options) for row in counts]
    else:
        rows = valid_rows(sizes, zlib.crc32(name.encode()), **{"largest": 5, **options})
    return Stored(rows, None if core else facts(vocab, stride, top_p, counts), form, containers)


def facts(vocab: int, stride: int, top_p: float, counts: Sequence[Sequence[int]] = ()) -> Metadata:
    """Return metadata that are true of rows."""
    largest = max([100, *(count for row in counts for count in row)])
    return described(
        vocab_size=vocab,
        nucleus={"top_p": top_p, "max_entries": largest, "rule": "covering", "order": "descending"},
        tail={"num_sampled": stride, "method": "uniform"},
    )


MEMBERS = ("findings", "requirements", "features", "flags", "twin", "roles", "metadata")


def sound(name: str, why: str, **options: Any) -> Draft:
    """Return a draft of a valid file; options are those of `contents` and members of the draft.

    like: another name to draw the rows from, for cases of the same rows.
    """
    members = {key: options.pop(key) for key in MEMBERS if key in options}
    return accept(name, why, contents(options.pop("like", name), **options), **members)


def stored(draft: Draft) -> Stored:
    """Return the content of a draft that is a file of stored rows. Raises TypeError."""
    if not isinstance(draft.content, Stored):
        raise TypeError(f"{draft.id} holds no stored rows")
    return draft.content


def edited(
    twin: Draft, name: str, why: str, fault: str, change: Callable[[list[Row]], object], **members: Any
) -> Draft:
    """Return the twin with its rows changed in place; `fault` is REQUIREMENT/operation."""
    rows = copied(stored(twin).rows)
    change(rows)
    return variant(twin, name, why, fault, rows=rows, **members)


CONTENT = ("rows", "form", "containers", "damage", "beside")


def variant(twin: Draft, name: str, why: str, fault: str, **members: Any) -> Draft:
    """Return the twin with other rows, form, containers, damage or files beside it, as one fault.

    turn: how many of its containers hold the case, which takes them in turn with others of its kind.
    """
    if "turn" in members:
        members["containers"] = in_turn(name, stored(twin).containers, members.pop("turn"))
    changes = {key: members.pop(key) for key in CONTENT if key in members}
    if "embedded" in members:
        changes["metadata"] = members.pop("embedded")
    return broken(twin, name, why, fault, replace(stored(twin), **changes), **members)


def in_turn(name: str, containers: Sequence[Container], number: int = 1) -> tuple[Container, ...]:
    """Return some of the containers by the name of a case: where faults are many, each need not stand in all."""
    start = zlib.crc32(name.encode())
    return tuple(containers[(start + i) % len(containers)] for i in range(min(number, len(containers))))


def contrasted(draft: Draft, fault: str, why: str, *requirements: str, **members: Any) -> Iterator[Draft]:
    """Yield a valid file as evidence for behaviour, and its contrast: the same rows plus one of `faults.FAULTS`.

    turn: how many containers hold the contrast.
    """
    name = f"{draft.id}-broken"
    if "turn" in members:
        members["only"] = in_turn(name, stored(draft).containers, members.pop("turn"))
    yield replace(draft, requirements=requirements, twin=name)
    yield faulty(draft, name, why, fault, **members)
