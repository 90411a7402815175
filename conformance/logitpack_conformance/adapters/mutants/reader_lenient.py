"""Readers that accept what breaks one structural requirement, and return what can be made of it."""

from __future__ import annotations

from logitpack import DataError, parquet
from logitpack_conformance.adapters.mutants.registry import (
    ARROW_FILE,
    ARROW_STREAM,
    JSON,
    PARQUET,
    Mutant,
    add,
    mutant,
)
from logitpack_conformance.adapters.mutants.salvage import salvage
from logitpack_conformance.adapters.mutants.swap import swap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Container, Role

READER = Role.READER


class Lenient(Reference):
    """A reader that does not judge one requirement."""

    def __init__(self, requirement: str) -> None:
        self.requirement = requirement

    def read(self, path: str) -> list[Row]:
        """Return the rows; where they are rejected for that requirement, by best effort."""
        try:
            return super().read(path)
        except DataError as error:
            if error.requirement != self.requirement:
                raise
            return salvage(path)


_JUDGED: dict[str, tuple[Container, ...]] = {
    "FILE-1": (PARQUET, ARROW_FILE, ARROW_STREAM),
    "FILE-3": (ARROW_STREAM,),
    "JSON-1": (JSON,),
    "JSON-2": (JSON,),
    **dict.fromkeys(("COL-1", "COL-2", "COL-3"), (PARQUET, ARROW_FILE, JSON)),
    **dict.fromkeys(
        ("ROW-1", "ROW-2", "ROW-3", "ROW-4", "IDX-1", "IDX-3", "QNT-1", "QNT-8", "NUC-1", "LSE-1"), (PARQUET,)
    ),
}


def _family(requirement: str, containers: tuple[Container, ...]) -> None:
    add(
        Mutant(
            f"reader-accepts-{requirement.lower()}",
            READER,
            (requirement,),
            containers,
            f"What breaks {requirement} is accepted, and read by best effort.",
            lambda: Lenient(requirement),
        )
    )


for _requirement, _containers in _JUDGED.items():
    _family(_requirement, _containers)


@mutant(READER, "FILE-1")
def rows_of_the_footer_not_counted() -> None:
    """A Parquet file that holds other numbers of rows than its footer says is accepted."""
    swap(parquet._check_rows, lambda what, got, expected: None)  # noqa: ARG005


@mutant(READER, "FILE-3", containers=(ARROW_STREAM,))
def end_of_stream_not_looked_for() -> None:
    """A stream that stops between two messages is taken for whole."""
    from logitpack import arrow_ipc

    for name in ("_check_end", "_check_cut"):
        setattr(arrow_ipc.StreamSource, name, lambda self, start: None)  # noqa: ARG005
