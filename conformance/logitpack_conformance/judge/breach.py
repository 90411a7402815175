"""What an extractor is found to break, and at which token of its row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach of one requirement. Tokens count from 0; None is the row as a whole."""

    requirement: str
    message: str
    token: int | None = None

    def __str__(self) -> str:
        """`LSE-4: logsumexp 9.1, expected 9.2 (token 3)`."""
        return f"{self.requirement}: {self.message}" + ("" if self.token is None else f" (token {self.token})")


def ids(breaches: Iterable[Breach]) -> tuple[str, ...]:
    """Return the requirements among the breaches, each once, in order."""
    return tuple(dict.fromkeys(breach.requirement for breach in breaches))
