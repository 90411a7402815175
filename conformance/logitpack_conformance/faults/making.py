"""What faults are, and how they are put on the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from logitpack_conformance.oracle.logical import LogicalEntries
from logitpack_conformance.rows import Metadata, Row, starts

Apply = Callable[[list[Row], Metadata], None]
T = TypeVar("T")


class NoRoomError(ValueError):
    """The rows are too small for the fault."""


@dataclass(frozen=True)
class Fault:
    """One way to break a requirement: `apply` changes rows and metadata in place. Raises NoRoomError."""

    requirement: str
    op: str
    apply: Apply


FAULTS: dict[str, Fault] = {}
"""By name, `REQUIREMENT/operation`."""


def register(requirement: str, op: str, change: Apply) -> None:
    """Add a fault to the list; where the rows are too small for the change, applying it raises NoRoomError."""

    def apply(rows: list[Row], metadata: Metadata) -> None:
        try:
            change(rows, metadata)
        except (IndexError, KeyError) as error:
            raise NoRoomError(f"{requirement}/{op}: the rows leave no room") from error

    FAULTS[f"{requirement}/{op}"] = Fault(requirement, op, apply)


def fault(requirement: str) -> Callable[[Apply], Apply]:
    """Register a fault that is a function, under its name."""

    def take(change: Apply) -> Apply:
        register(requirement, change.__name__.replace("_", "-"), change)
        return change

    return take


def in_last(requirement: str, op: str, change: Callable[[Row], Any]) -> None:
    """Register a fault that is a change of the last row."""
    register(requirement, op, lambda rows, _: change(rows[-1]))


def put(requirement: str, op: str, column: str, element: int, value: object) -> None:
    """Register a fault that is one value, in one element of the last row."""
    in_last(requirement, op, lambda row: row[column].__setitem__(element, value))


def set_cell(requirement: str, op: str, column: str, value: object) -> None:
    """Register a fault that is a whole cell of the last row."""
    in_last(requirement, op, lambda row: row.update({column: value}))


def cut(requirement: str, column: str) -> None:
    """Register two faults: a column of the last row is an element short, or has one too many."""
    in_last(requirement, f"{column}-short".replace("_", "-"), lambda row: row.update({column: row[column][:-1]}))
    in_last(
        requirement, f"{column}-long".replace("_", "-"), lambda row: row.update({column: row[column] + row[column][:1]})
    )


def first(found: Iterable[T]) -> T:
    """Return the first of some places. Raises NoRoomError where there is none."""
    for one in found:
        return one
    raise NoRoomError("the rows leave no room")


def without(part: LogicalEntries) -> LogicalEntries:
    """Drop the last entry. Raises NoRoomError."""
    if len(part.indices) < 2:
        raise NoRoomError("a single entry")
    return LogicalEntries(part.indices[:-1], part.logits[:-1])


def nuclei(row: Row, least: int) -> list[int]:
    """Return where the nuclei of so many entries begin."""
    return [start for start, count in zip(starts(row), row["top_counts"], strict=True) if count >= least]


def stride_of(row: Row) -> int:
    """Return S of a row."""
    return int(len(row["sampled_indices_low"]) // row["num_tokens"])
