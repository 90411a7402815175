"""Extractors that fill tokens from other positions than those that predict them (ALN-1, ALN-2, ALN-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import UsageError, selection
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.mutants.swap import swap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

EXTRACTOR = Role.EXTRACTOR
Ints = NDArray[np.int64]
Message = Mapping[str, Any]


def _positions(choose: Callable[[Ints], Ints], *, judged: bool = True) -> None:
    """Let `choose` turn the masked positions into those whose output is taken."""

    def positions(mask: Any) -> Ints:
        chosen = np.flatnonzero(np.asarray(mask)).astype(np.int64)
        if judged and len(chosen) and chosen[0] == 0:
            raise UsageError("the mask selects the first token", requirement="ALN-3")
        return choose(chosen)

    # The reference adapter asks the package itself.
    swap(selection.assistant_positions, positions)


def _turns(chosen: Ints) -> Ints:
    """Return the number of the turn that each position is in."""
    turns: Ints = np.cumsum(np.diff(chosen, prepend=chosen[:1]) > 1, dtype=np.int64)
    return turns


@mutant(EXTRACTOR, "ALN-1")
def shifted_later() -> None:
    """Tokens are filled from the output at their own position."""
    _positions(lambda chosen: chosen)


@mutant(EXTRACTOR, "ALN-1")
def shifted_earlier() -> None:
    """Tokens are filled from the output two positions before their own."""
    _positions(lambda chosen: np.maximum(chosen - 2, 0))


@mutant(EXTRACTOR, "ALN-1")
def shifted_within_a_turn() -> None:
    """The first token of each turn is filled from the right position, the others from their own."""
    _positions(lambda chosen: np.where(np.diff(chosen, prepend=-2) > 1, chosen - 1, chosen))


@mutant(EXTRACTOR, "ALN-1")
def second_turn_shifted() -> None:
    """Tokens of turns after the first are filled from the output at their own position."""
    _positions(lambda chosen: np.where(_turns(chosen) > 0, chosen, chosen - 1))


@mutant(EXTRACTOR, "ALN-3")
def first_position_wrapped() -> None:
    """Where the mask selects position 0, the last position's output is taken."""
    _positions(lambda chosen: chosen - 1, judged=False)


@mutant(EXTRACTOR, "ALN-3")
def first_position_left_out() -> None:
    """Where the mask selects position 0, that token is left out."""
    _positions(lambda chosen: chosen[chosen > 0] - 1, judged=False)


@mutant(EXTRACTOR, "ALN-3")
def first_position_by_itself() -> None:
    """Where the mask selects position 0, its own output is taken."""
    _positions(lambda chosen: np.maximum(chosen - 1, 0), judged=False)


@mutant(EXTRACTOR, "ALN-2")
def first_turn_only() -> None:
    """Of several turns, the first is extracted."""
    _positions(lambda chosen: chosen[_turns(chosen) == 0] - 1)


@mutant(EXTRACTOR, "ALN-2")
def last_turn_only() -> None:
    """Of several turns, the last is extracted."""

    def choose(chosen: Ints) -> Ints:
        last: Ints = chosen[_turns(chosen) == _turns(chosen)[-1:]] - 1
        return last

    _positions(choose)


@mutant(EXTRACTOR, "ALN-2")
def last_turn_first() -> None:
    """Turns are put into the row last first."""

    def choose(chosen: Ints) -> Ints:
        return chosen[np.argsort(-_turns(chosen), kind="stable")] - 1

    _positions(choose)


@mutant(EXTRACTOR, "ALN-2")
def tokens_between_turns() -> None:
    """All tokens from the first to the last that the mask selects are extracted."""
    _positions(lambda chosen: np.arange(chosen[0], chosen[-1] + 1) - 1 if len(chosen) else chosen)


@mutant(EXTRACTOR, "ALN-2")
def last_token_of_a_turn_left_out() -> None:
    """The token that ends a turn is not extracted."""
    _positions(lambda chosen: chosen[np.diff(chosen, append=1 << 40) == 1] - 1 if len(chosen) > 1 else chosen - 1)


@mutant(EXTRACTOR, "ALN-2")
def a_row_for_each_turn() -> Reference:
    """Each turn becomes a row of its own."""

    class Split(Reference):
        def extract(self, logits: Any, mask: Sequence[int], nucleus: Message, tail: Message, seed: int) -> list[Row]:
            row = super().extract(logits, mask, nucleus, tail, seed)[0]
            chosen = np.flatnonzero(mask)
            turn = _turns(chosen)
            tokens = [(turn[i], token) for i, token in enumerate(row["tokens"])]
            return [
                {"tokens": [token for at, token in tokens if at == number]} for number in dict.fromkeys(turn.tolist())
            ]

    return Split()
