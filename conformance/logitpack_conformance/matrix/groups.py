"""Pairs as they are told: those of the same two that have the same reason, together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from .collect import Matrix, Meeting, Pair, own_failures


def listed(matrix: Matrix, status: str) -> Iterator[tuple[Meeting, Pair]]:
    """Yield the pairs with a status."""
    for meeting in matrix.meetings:
        yield from ((meeting, pair) for pair in meeting.pairs if pair.status == status)


@dataclass(frozen=True)
class Group:
    """Pairs of the same two, `other` being "" where a writer is alone, that share a status and what is said of it."""

    writer: str
    other: str
    status: str
    reason: str
    pairs: tuple[Pair, ...]

    @property
    def cases(self) -> list[tuple[str, str, str]]:
        """Cases with their containers and what was found there, that of the first."""
        found: dict[str, list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            found[pair.case].append(pair)
        return [(case, ", ".join(one.container for one in pairs), pairs[0].message) for case, pairs in found.items()]


def groups(matrix: Matrix, status: str) -> list[Group]:
    """Return the pairs with a status, grouped by the requirement that tells most, or else by what is said."""
    found: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    if status == "written wrongly":
        for writer in matrix.writers:
            for pair in own_failures(writer):
                found[writer.label, "", pair.requirement].append(pair)
    else:
        for one, pair in listed(matrix, status):
            reason = pair.requirement if status == "failed" else pair.message
            found[one.writer.label, f"{one.other.label}, {one.role}", reason].append(pair)
    return [Group(writer, other, status, reason, tuple(pairs)) for (writer, other, reason), pairs in found.items()]
