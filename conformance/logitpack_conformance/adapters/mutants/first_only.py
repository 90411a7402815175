"""Readers, writers and checkers that judge some requirements in the first rows of a file only.

Strategy: each takes a group of requirements that one loop over rows would be for; what is found in other rows is
dropped on its way out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from logitpack import semantics, structure
from logitpack_conformance.adapters.mutants.registry import JSON, PARQUET, Mutant, add
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.model import Container, Role

Seen = Callable[[Any], bool]
"""Of a breach: whether one who looks in too few places sees it."""
SHAPES = ("ROW-1", "ROW-2", "ROW-3", "ROW-4", "COL-3")
VALUES = ("IDX-1", "QNT-8", "NUC-1")
FLOATS = ("QNT-1", "LSE-1")
CLAIMS = ("IDX-5", "NUC-3", "NUC-4", "NUC-5", "NUC-7", "NUC-8", "QNT-4", "LSE-3", "ALN-4")
SETS = ("NUC-2", "TAIL-1", "TAIL-2", "LSE-2", "IDX-4")


def _of_structure(requirements: tuple[str, ...], seen: Seen) -> None:
    """Let a breach of these, as readers judge them too, be passed over where it is not seen."""

    def judge(original: Any, columns: Any) -> Any:
        judgement = original(columns)
        kept = [one for one in judgement.breaches if one.requirement not in requirements or seen(one)]
        return replace(judgement, breaches=kept)

    wrap(structure.judge, judge)


def _of_meaning(requirements: tuple[str, ...], seen: Seen) -> None:
    def judge(original: Any, *args: Any) -> Any:
        return [one for one in original(*args) if one.requirement not in requirements or seen(one)]

    wrap(semantics.judge, judge)


def _in_first_row(breach: Any) -> bool:
    return bool((breach.rows + breach.first_row == 0).any())


def _in_first_two(breach: Any) -> bool:
    return bool((breach.rows + breach.first_row < 2).any())


def _declare(role: Role, group: str, requirements: tuple[str, ...], *where: Container) -> None:
    make = _of_meaning if set(requirements) <= {*CLAIMS, *SETS} else _of_structure
    for place, told, seen in (
        ("first-row", "the first row of a file is", _in_first_row),
        ("first-two-rows", "the first two rows of a file are", _in_first_two),
    ):
        name, fault = f"{role}-{group}-of-{place}", f"Of {', '.join(requirements)}, {told} looked at."
        add(Mutant(name, role, requirements, where or (PARQUET,), fault, partial(make, requirements, seen)))


_declare(Role.READER, "shapes", SHAPES, PARQUET, JSON)
_declare(Role.CHECKER, "shapes", (*SHAPES, "IDX-3"), PARQUET, JSON)
for _role in (Role.READER, Role.CHECKER):
    _declare(_role, "values", VALUES)
    _declare(_role, "floats", FLOATS, PARQUET, JSON)
_declare(Role.CHECKER, "claims", CLAIMS)
_declare(Role.CHECKER, "sets", SETS)
WRITTEN = ("NUC-2", "NUC-3", "NUC-4", "NUC-5", "NUC-6", "NUC-7", "NUC-8", "TAIL-1", "TAIL-2", "LSE-2", "LSE-3")
add(
    Mutant(
        "writer-claims-of-first-row",
        Role.WRITER,
        WRITTEN,
        (PARQUET,),
        f"Of {', '.join(WRITTEN)}, the first row that is handed over is looked at.",
        partial(_of_meaning, WRITTEN, _in_first_row),
    )
)
