"""A dataset that fails both tests of section 14.4: neither is a condition of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.oracle.logical import decode, encode
from logitpack_conformance.rows import Row

from .draft import Draft, Stored, accept, broken
from .draws import WIDTH, evenly, facts, lower_half, pairs, rows_of

AT = "checking/tests"
IDS = ("token_ids",)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    parquet = (Container.PARQUET,)
    even, uneven = rows_of(pairs(f"{AT}/even", evenly)), rows_of(pairs(f"{AT}/uneven", lower_half))
    why = "Uniform tails, and each token in the nucleus of its own entry."
    twin = accept(f"{AT}/sound", why, Stored(_with_ids(even, 0), facts(), containers=parquet), features=IDS)
    yield twin
    members: dict[str, Any] = {"kind": Kind.ACCEPT, "roles": (Role.CHECKER,), "requirements": ("CHK-1",)}
    why = (
        "Uneven tails that are declared uniform, and each token in the nucleus of the entry before: both are reported."
    )
    both = Stored(_with_ids(uneven, -1), facts(), containers=parquet)
    yield broken(twin, f"{AT}/both", why, "TAIL-3/and-shifted", both, findings=("TAIL-3", "ALN-5"), **members)


def _with_ids(rows: list[Row], shift: int) -> list[Row]:
    """Give each token the id that its nucleus holds, or that of a neighbour; nuclei go round the vocabulary."""
    found, number = [], 0
    for row in rows:
        tokens = []
        for token in decode(row):
            tokens.append(replace(token, token_id=(number + shift) % WIDTH))
            number += 1
        found.append(encode(tokens))
    return found
