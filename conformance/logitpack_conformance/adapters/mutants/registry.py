"""What a mutant is, and the table of all of them.

Strategy: a module of this package declares its mutants with `mutant`, or with `add` where a family differs in one
argument only. A declaration does nothing yet: the fault is made by `build`, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logitpack_conformance.adapters.reference import Reference
from logitpack_conformance.model import Container, Role

Build = Callable[[], Reference | None]

PARQUET, ARROW_FILE, ARROW_STREAM, JSON = (
    Container.PARQUET,
    Container.ARROW_FILE,
    Container.ARROW_STREAM,
    Container.JSON,
)
EVERYWHERE = tuple(Container)


@dataclass(frozen=True)
class Mutant:
    """The reference in one role, with one deliberate fault.

    `requirements` are those by which it is to be caught, each by cases of its own; `containers` those that show it, and
    that the self-test runs (none for an extractor, which knows no containers). `fault` is a sentence. `build` makes the
    fault in this process and returns the implementation, None for the plain reference over changed functions.
    """

    name: str
    role: Role
    requirements: tuple[str, ...]
    containers: tuple[Container, ...]
    fault: str
    build: Build


MUTANTS: dict[str, Mutant] = {}
"""All mutants by name, in the order of their declaration."""


def add(mutant: Mutant) -> None:
    """Put a mutant into the table. Raises ValueError for a name that is taken."""
    if mutant.name in MUTANTS:
        raise ValueError(f"two mutants are called {mutant.name}")
    MUTANTS[mutant.name] = mutant


def mutant(role: Role, *requirements: str, containers: Sequence[Container] = (PARQUET,)) -> Callable[[Build], Build]:
    """Declare a mutant: the function makes the fault, its name and docstring are the mutant's."""

    def declare(build: Build) -> Build:
        name = f"{role}-{build.__name__.replace('_', '-')}"
        where = () if role == Role.EXTRACTOR else tuple(containers)
        add(Mutant(name, role, requirements, where, " ".join((build.__doc__ or "").split()), build))
        return build

    return declare
