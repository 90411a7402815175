"""Extractors that cut the nucleus in another place, or take other entries into it (NUC-*)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from logitpack import nucleus, selection, tail
from logitpack_conformance.adapters.mutants.extractor_base import Answered, Asked, Floats, entries, finite_outside
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.mutants.swap import put, swap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

EXTRACTOR = Role.EXTRACTOR


def _cut(counts: Callable[[Any, Floats, Any], Any]) -> None:
    """Let `counts` cut nuclei: of (what is wanted, cumulative masses [rows, entries], entries that there are)."""

    def select(x: Any, first: int, wanted: Any, rng: Any) -> tuple[Any, ...]:
        maxima = nucleus.group_maxima(x)
        peak = maxima.max(axis=1)
        if not np.isfinite(peak).all():
            raise selection._refusal(x, peak, first)
        lse = selection._logsumexp(x, peak)
        top, values, found = nucleus.largest(x, maxima, 255)
        mass = np.cumsum(np.exp(values - lse[:, None]), axis=1)
        cut = np.clip(counts(wanted, mass, found), 0, np.minimum(found, top.shape[1]))
        chosen = top[np.arange(top.shape[1]) < cut[:, None]]
        drawn = tail.draw(x, chosen, first, wanted.num_sampled, rng)
        flat, vocab = x.reshape(-1), x.shape[1]
        indices = [(at % vocab).astype(np.int32) for at in (chosen, drawn)]
        return cut, indices[0], flat[chosen], indices[1], flat[drawn], lse

    swap(selection._select, select)


def _due(wanted: Any, mass: Floats, found: Any) -> Any:
    """Return the counts that are right."""
    return np.clip(_uncapped(wanted, mass), 1, np.minimum(found, wanted.max_entries))


def _uncapped(wanted: Any, mass: Floats) -> Any:
    covering = (mass < wanted.top_p).sum(axis=1) + 1
    return covering if wanted.rule == "covering" else (mass <= wanted.top_p).sum(axis=1)


@mutant(EXTRACTOR, "NUC-4")
def crossing_entry_dropped() -> None:
    """By the rule covering, the entry that crosses the threshold is left out."""
    _cut(lambda wanted, mass, found: np.maximum(_due(wanted, mass, found) - (wanted.rule == "covering"), 1))


@mutant(EXTRACTOR, "NUC-5")
def one_entry_more() -> None:
    """By the rule covering, the nucleus has one entry more than needed."""
    _cut(lambda wanted, mass, found: np.minimum(_due(wanted, mass, found) + 1, wanted.max_entries))


@mutant(EXTRACTOR, "NUC-5", "NUC-4")
def always_full() -> None:
    """The nucleus has max_entries entries, whatever its mass."""
    _cut(lambda wanted, _, found: np.minimum(found, wanted.max_entries))


@mutant(EXTRACTOR, "NUC-6")
def rule_ignored() -> Reference:
    """Nuclei are cut by the rule covering, whatever was asked for."""
    return Asked(nucleus=lambda wanted: {**wanted, "rule": "covering"})


@mutant(EXTRACTOR, "NUC-6", "NUC-4")
def below_by_one_entry() -> None:
    """By the rule below, the nucleus has one entry less than it may."""
    _cut(lambda wanted, mass, found: np.maximum(_due(wanted, mass, found) - (wanted.rule == "below"), 1))


@mutant(EXTRACTOR, "NUC-1")
def below_may_be_empty() -> None:
    """By the rule below, a nucleus whose first entry exceeds the threshold is empty."""
    _cut(
        lambda wanted, mass, found: np.where(
            (wanted.rule == "below") & (mass[:, 0] > wanted.top_p), 0, _due(wanted, mass, found)
        )
    )


@mutant(EXTRACTOR, "NUC-8")
def cap_ignored() -> None:
    """Nuclei are cut at 255 entries, whatever cap was asked for."""
    _cut(lambda wanted, mass, found: np.clip(_uncapped(wanted, mass), 1, found))


@mutant(EXTRACTOR, "NUC-8")
def cap_by_one_too_many() -> None:
    """A nucleus that reaches the cap has one entry more."""
    _cut(lambda wanted, mass, found: (due := _due(wanted, mass, found)) + (due == wanted.max_entries))


@mutant(EXTRACTOR, "NUC-2")
def first_entry_twice() -> Reference:
    """The last entry of a nucleus of two or more repeats the first."""

    def change(token: Row, x: Floats) -> Row:
        indices = token["top"]["indices"]
        return {**token, "top": entries(x, [*indices[:-1], indices[0]])}

    return Answered(change)


@mutant(EXTRACTOR, "NUC-3")
def second_entry_left_out() -> Reference:
    """The second largest entry is not in the nucleus; the next one down stands in its place."""

    def change(token: Row, x: Floats) -> Row:
        indices = token["top"]["indices"]
        taken = set(indices) | set(token["sampled"]["indices"])
        order = [i for i in np.argsort(-x, kind="stable")[: len(taken) + 2].tolist() if i not in taken]
        if len(indices) > 1 and order and np.isfinite(x[order[0]]):
            indices = [indices[0], *indices[2:], order[0]]
        return {**token, "top": entries(x, indices)}

    return Answered(change)


@mutant(EXTRACTOR, "NUC-3")
def first_of_blocks() -> Reference:
    """The largest entries are looked for in the first half of the vocabulary."""

    def change(token: Row, x: Floats) -> Row:
        taken = set(token["sampled"]["indices"])
        order = [i for i in np.argsort(-x[: len(x) // 2], kind="stable").tolist() if i not in taken]
        chosen = order[: len(token["top"]["indices"])]
        return {**token, "top": entries(x, chosen)} if chosen else token

    return Answered(change)


@mutant(EXTRACTOR, "NUC-7")
def ascending() -> Reference:
    """The nucleus stands in ascending order."""
    return Answered(lambda token, x: {**token, "top": entries(x, token["top"]["indices"][::-1])})


@mutant(EXTRACTOR, "NUC-7")
def by_index() -> Reference:
    """The nucleus stands in the order of its indices."""
    return Answered(lambda token, x: {**token, "top": entries(x, sorted(token["top"]["indices"]))})


@mutant(EXTRACTOR, "NUC-1", "NUC-8")
def nucleus_of_256() -> Reference:
    """A nucleus at the cap of 255 has 256 entries."""

    def change(token: Row, x: Floats) -> Row:
        indices = token["top"]["indices"]
        left = finite_outside(token, x)
        left = left[~np.isin(left, token["sampled"]["indices"])]
        if len(indices) == 255 and len(left):
            indices = [*indices, int(left[np.argmax(x[left])])]
        return {**token, "top": entries(x, indices)}

    return Answered(change)


@mutant(EXTRACTOR, "NUC-8")
def cap_of_100_always() -> None:
    """Nuclei are cut at 100 entries where a smaller cap was asked for."""
    put(selection, "_MAX_ENTRIES", 256)
    _cut(lambda wanted, mass, found: np.clip((mass < wanted.top_p).sum(axis=1) + 1, 1, np.minimum(found, 100)))
