"""Extractors that draw the tail in another way, or of another length (TAIL-*, QNT-10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from logitpack import UsageError, tail
from logitpack_conformance.adapters.mutants.extractor_base import (
    Answered,
    Asked,
    Floats,
    Message,
    entries,
    finite_outside,
)
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.mutants.swap import swap, wrap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

EXTRACTOR = Role.EXTRACTOR


@mutant(EXTRACTOR, "TAIL-1")
def tail_with_replacement() -> None:
    """The tail is drawn with replacement."""

    def ranks(left: Any, draws: int, rng: np.random.Generator) -> Any:
        return rng.integers(0, left[:, None], (len(left), draws))

    swap(tail._distinct_ranks, ranks)


@mutant(EXTRACTOR, "TAIL-2")
def tail_over_the_nucleus() -> None:
    """The tail is drawn from all of the vocabulary, the nucleus included."""
    wrap(tail.draw, lambda original, x, nucleus, *args: original(x, nucleus[:0], *args))


def _drawn(weights: Callable[[Floats, Floats], Floats]) -> Reference:
    """Return an extractor that draws its tail with the `weights` of (logits, candidates)."""

    class Drawn(Reference):
        def extract(self, logits: Floats, mask: Sequence[int], nucleus: Message, tail: Message, seed: int) -> list[Row]:
            rows = super().extract(logits, mask, nucleus, tail, seed)
            rng = np.random.default_rng(seed)
            outputs = logits[np.flatnonzero(mask) - 1].astype(np.float64)
            for token, x in zip(rows[0]["tokens"], outputs, strict=True):
                left = finite_outside(token, x)
                keys = np.log(weights(x, left) + 1e-300) + rng.gumbel(size=len(left))
                token["sampled"] = entries(x, left[np.argsort(-keys)[: tail["num_sampled"]]].tolist())
            return rows

    return Drawn()


@mutant(EXTRACTOR, "TAIL-3")
def tail_in_proportion() -> Reference:
    """A tail that is to be uniform is drawn in proportion to probability."""
    return _drawn(lambda x, left: np.exp(x[left] - x[left].max()))


@mutant(EXTRACTOR, "TAIL-3")
def tail_of_the_first_half() -> Reference:
    """The tail is drawn from the first half of the vocabulary as far as that goes."""
    return _drawn(lambda x, left: np.where(left < len(x) // 2, 1.0, 1e-30))


@mutant(EXTRACTOR, "TAIL-3")
def tail_next_to_the_nucleus() -> Reference:
    """The tail is what follows the nucleus in order of logits."""

    def change(token: Row, x: Floats) -> Row:
        left = finite_outside(token, x)
        best = left[np.argsort(-x[left], kind="stable")][: len(token["sampled"]["indices"])]
        return {**token, "sampled": entries(x, best.tolist())}

    return Answered(change)


def _chosen(choose: Callable[[Floats, int, np.random.Generator], Floats]) -> Reference:
    """Return an extractor whose tail is chosen of (candidates, how many)."""
    rng = np.random.default_rng(0)

    def change(token: Row, x: Floats) -> Row:
        left = finite_outside(token, x)
        size = len(token["sampled"]["indices"])
        return {**token, "sampled": entries(x, choose(left, size, rng).tolist())}

    return Answered(change)


@mutant(EXTRACTOR, "TAIL-3")
def last_index_never_drawn() -> Reference:
    """The tail is drawn from all but the last index, as far as that goes: the end of a range was taken for excluded."""
    return _chosen(lambda left, size, rng: rng.choice(left[: max(size, len(left) - 1)], size, replace=False))


@mutant(EXTRACTOR, "TAIL-3")
def tail_in_one_block() -> Reference:
    """The tail is one block of neighbours from a random place."""
    return _chosen(lambda left, size, rng: np.roll(left, -rng.integers(len(left)))[:size])


@mutant(EXTRACTOR, "TAIL-4")
def another_stride() -> Reference:
    """The tail has one entry less than was asked for, at least one."""
    return Asked(tail=lambda wanted: {**wanted, "num_sampled": max(1, wanted["num_sampled"] - 1)})


@mutant(EXTRACTOR, "TAIL-4", "QNT-10")
def stride_of_24() -> Reference:
    """The tail has 24 entries, whatever was asked for."""
    return Asked(tail=lambda wanted: {**wanted, "num_sampled": 24})


class Short(Reference):
    """An extractor that makes do where too few entries are left for the tail."""

    def __init__(self, make_do: Callable[[int, int], int]) -> None:
        self.make_do = make_do

    def extract(self, logits: Floats, mask: Sequence[int], nucleus: Message, tail: Message, seed: int) -> list[Row]:
        """Return the row, its tails as long as can be, or filled up."""
        for width in range(tail["num_sampled"], 0, -1):
            try:
                rows = super().extract(logits, mask, nucleus, {**tail, "num_sampled": width}, seed)
            except UsageError as error:
                if error.requirement != "QNT-10":
                    raise
                continue
            for token in rows[0]["tokens"]:
                fill = [self.make_do(i, width) for i in range(tail["num_sampled"])]
                token["sampled"] = {
                    name: [values[i] for i in fill if i < width] for name, values in token["sampled"].items()
                }
            return rows
        raise UsageError("nothing is left for a tail", requirement="QNT-10")


@mutant(EXTRACTOR, "QNT-10")
def tail_as_long_as_can_be() -> Reference:
    """Where too few entries are left, the tail is shorter."""
    return Short(lambda i, width: i)  # noqa: ARG005


@mutant(EXTRACTOR, "QNT-10")
def tail_filled_up() -> Reference:
    """Where too few entries are left, they are repeated."""
    return Short(lambda i, width: i % width)


@mutant(EXTRACTOR, "IDX-5")
def indices_from_one() -> Reference:
    """Indices count from one."""

    def change(token: Row, x: Floats) -> Row:
        del x
        return {
            **token,
            **{
                kind: {**token[kind], "indices": [i + 1 for i in token[kind]["indices"]]} for kind in ("top", "sampled")
            },
        }

    return Answered(change)
