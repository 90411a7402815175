"""Tails over many tokens: TAIL-3, a SHOULD, so that every file here is valid and only some bring a warning.

Strategy: 204 tokens of a vocabulary of 64 entries with S = 32 are the fewest on which the test of section 14.4 can be
made: each bin is one index and expects some 102 entries. Tail logits are equal, so that files stay small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

from logitpack_conformance.model import Container, Kind
from logitpack_conformance.oracle import statistics
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, encode
from logitpack_conformance.rows import Metadata, Row, described

from .bases import drawn, stored, variant
from .draft import ALL, Draft, Folder, Stored, accept, broken
from .spread import DATASET, altered, metadata_of

TOKENS, ROW, WIDTH, STRIDE = 204, 68, 64, 32
PARQUET = (Container.PARQUET,)
FAULT, FLAGS = "TAIL-3/uneven", ("UNEVEN_TAIL",)
WARNED: dict[str, Any] = {"kind": Kind.ACCEPT, "flags": FLAGS}
Pair = tuple[list[int], list[int]]
Draw = Callable[[Random], int]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _plain()
    yield from _undeclared()
    yield from _too_few()
    yield from _critical()
    yield from _datasets()
    yield from _expectations()


def evenly(rng: Random) -> int:
    """Draw any index."""
    return int(rng.random() * WIDTH)


def lower_half(rng: Random) -> int:
    """Draw the lower half of the vocabulary three times as often as the upper."""
    return int(rng.random() * WIDTH / 2) + (WIDTH // 2 if rng.random() < 0.25 else 0)


def pairs(name: str, draw: Draw = evenly, tokens: int = TOKENS, nucleus: Sequence[int] = ()) -> list[Pair]:
    """Return nuclei and tails; nuclei go round the vocabulary, or are the one that is given."""
    rng = drawn(name)
    found = []
    for token in range(tokens):
        top = list(nucleus) or [token % WIDTH]
        tail: dict[int, None] = {}
        while len(tail) < STRIDE:
            index = draw(rng)
            if index not in top:
                tail[index] = None
        found.append((top, list(tail)))
    return found


def rows_of(found: Sequence[Pair], length: int = ROW) -> list[Row]:
    """Return stored rows of at most so many tokens."""
    tokens = [_token(top, tail) for top, tail in found]
    return [encode(tokens[at : at + length]) for at in range(0, len(tokens), length)]


def _token(top: list[int], tail: list[int]) -> LogicalToken:
    logits = [Fraction(6)] * len(top), [Fraction(-1)] * len(tail)
    whole = math.log(len(top) * math.exp(6) + 2 * len(tail) * math.exp(-1))
    logsumexp = round(whole * 2**30) / 2**30
    return LogicalToken(logsumexp, LogicalEntries(top, logits[0]), LogicalEntries(tail, logits[1]))


def facts(method: str = "uniform", **members: Any) -> Metadata:
    """Return metadata that declare nothing of the nucleus."""
    tail = {"num_sampled": STRIDE, "method": method}
    return described(**{"vocab_size": WIDTH, "nucleus": {"rule": "unspecified"}, "tail": tail, **members})


def _file(name: str, why: str, found: list[Pair], containers: tuple[Container, ...] = PARQUET) -> Draft:
    return accept(name, why, Stored(rows_of(found), facts(), containers=containers))


def _plain() -> Iterator[Draft]:
    at = "tail/uniform"
    twin = _file(f"{at}/sound", "Tails that were drawn uniformly, enough of them to tell.", pairs(f"{at}/sound"), ALL)
    yield twin
    why = "Tails hold the lower half of the vocabulary more often, and are declared uniform."
    rows = rows_of(pairs(f"{at}/lower-half", lower_half))
    yield variant(twin, f"{at}/lower-half", why, FAULT, rows=rows, **WARNED)

    def proportional(rng: Random) -> int:
        return min(WIDTH - 1, int(-math.log(rng.random()) * WIDTH / 3))

    why = "Tails were drawn in proportion to probability, which falls with the index, and are declared uniform."
    rows = rows_of(pairs(f"{at}/proportional", proportional))
    yield variant(twin, f"{at}/proportional", why, FAULT, rows=rows, containers=PARQUET, **WARNED)
    why = "Every tail is the same 32 entries."
    fixed = [([2 * (token % 32) + 1], list(range(0, WIDTH, 2))) for token in range(TOKENS)]
    yield variant(twin, f"{at}/fixed", why, FAULT, rows=rows_of(fixed), containers=PARQUET, **WARNED)


def _undeclared() -> Iterator[Draft]:
    """Uneven tails where nothing says that they are even."""
    at = "tail/uniform"
    found = pairs(f"{at}/undeclared", lower_half)
    whys = {
        "declared-proportional": "Uneven tails that are declared proportional.",
        "declared-unspecified": "Uneven tails of an unspecified method.",
        "core": "Uneven tails in a Core file.",
    }
    for slug, told in whys.items():
        twin = _file(f"{at}/{slug}", told, found)
        method = slug.split("-")[-1]
        metadata = None if slug == "core" else facts(method)
        content = replace(stored(twin), metadata=metadata)
        twin = replace(twin, content=content, requirements=("TAIL-3", "CHK-3"), twin=f"{at}/{slug}-now-uniform")
        yield twin
        why = "The same tails where the metadata declare them uniform."
        yield variant(twin, f"{at}/{slug}-now-uniform", why, "TAIL-3/uniform-declared", embedded=facts(), **WARNED)


def _too_few() -> Iterator[Draft]:
    at = "tail/uniform/too-few"
    found = pairs(at, lower_half, 199)
    why = "Uneven tails, too few of them for the test: some bin expects fewer than 100."
    twin = replace(_file(f"{at}/inside", why, found), requirements=("TAIL-3", "CHK-2"), twin=f"{at}/outside")
    yield twin
    more = pairs(f"{at}/more", lower_half, TOKENS)[199:]
    why = "A few uneven tails more, and every bin expects 100."
    yield variant(twin, f"{at}/outside", why, "TAIL-3/more-tokens", rows=rows_of([*found, *more]), **WARNED)
    at = "tail/uniform/covered"
    found = pairs(at, lower_half, nucleus=[63])
    why = "One bin is a single index that every nucleus holds: it expects nothing, and the test is not made."
    twin = replace(_file(f"{at}/inside", why, found), requirements=("TAIL-3", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "The same tails beside nuclei that go round the vocabulary."
    moved = [([i % 63], [63 if index == i % 63 else index for index in tail]) for i, (_, tail) in enumerate(found)]
    yield variant(twin, f"{at}/outside", why, "TAIL-3/other-nuclei", rows=rows_of(moved), **WARNED)


def _critical() -> Iterator[Draft]:
    """On both sides of the critical value."""
    at = "tail/uniform/critical"
    found = pairs(at)
    before, after = _moved_to_the_edge(found)
    why = "The statistic is just below its critical value: one in a thousand million, but still chance."
    twin = replace(_file(f"{at}/inside", why, before), requirements=("TAIL-3", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "The statistic is just above its critical value."
    yield variant(twin, f"{at}/outside", why, "TAIL-3/critical", rows=rows_of(after), **WARNED)


def _moved_to_the_edge(found: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Return tails just below and just above the critical value: the upper half gives entries to the lower, one by one.

    Raises ValueError where there are not enough to give.
    """
    expected, observed = statistics.expected_and_observed(found, WIDTH)
    before = list(found)
    for turn, place in product(range(WIDTH // 2), range(len(found))):
        low = (turn + place) % (WIDTH // 2)
        high = WIDTH - 1 - low
        top, tail = before[place]
        if high in tail and low not in tail and low not in top:
            after = list(before)
            after[place] = (top, [low if index == high else index for index in tail])
            observed[low], observed[high] = observed[low] + 1, observed[high] - 1
            if (statistics.statistic(expected, observed) or 0) > statistics.CRITICAL:
                return before, after
            before = after
    raise ValueError("the critical value was not reached")


def _datasets() -> Iterator[Draft]:
    at = "tail/uniform/two-files"
    even, uneven = pairs(f"{at}/even"), pairs(f"{at}/uneven", lower_half)
    half = TOKENS // 2

    def folder(found: list[Pair]) -> Folder:
        parts = {"data/part-0": found[:half], "data/part-1": found[half:]}
        files = {name: Stored(rows_of(part), facts(), containers=PARQUET) for name, part in parts.items()}
        return Folder(dict(files), containers=PARQUET)

    twin = accept(f"{at}/sound", "Uniform tails in two files.", folder(even), features=DATASET)
    yield twin
    why = "Uneven tails in two files: neither has enough of them, both together do."
    yield broken(twin, f"{at}/uneven", why, FAULT, folder(uneven), **WARNED)


def _expectations() -> Iterator[Draft]:
    """Yield tails beside padded rows and beside large nuclei, which both change what is expected."""
    at = "tail/uniform/padded"
    tokenizer = {"id": "example/teacher", "size": WIDTH}
    why = "Tails are uniform below tokenizer.size, and the padded rows above it have probability zero."
    twin = altered(_file(f"{at}/inside", why, pairs(at)), declared={"vocab_size": 128, "tokenizer": tokenizer})
    twin = replace(twin, requirements=("TAIL-3", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "The same tails where nothing says that the upper half of the vocabulary are padded rows."
    now = {**metadata_of(stored(twin)), "tokenizer": {"id": "example/teacher"}}
    yield variant(twin, f"{at}/outside", why, "TAIL-3/wider-tokenizer", embedded=now, **WARNED)
    at = "tail/uniform/large-nuclei"
    rng, nucleus = drawn(at), list(range(0, 40, 2))
    rest = [index for index in range(128) if index not in nucleus]
    found = [(nucleus, _sample(rng, rest, 64)) for _ in range(172)]
    metadata = facts(vocab_size=128, tail={"num_sampled": 64, "method": "uniform"})
    why = "Nuclei hold half of every bin below 40: half as many tail entries are expected there, and are there."
    content = Stored(rows_of(found), metadata, containers=PARQUET)
    twin = accept(f"{at}/inside", why, content, requirements=("TAIL-3", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "Tails that hold as many entries of the bins below 40 as of the others, as if there were no nuclei."
    weighted = [index for index in rest for _ in range(2 if index < 40 else 1)]
    filled = [(nucleus, _sample(rng, weighted, 64)) for _ in range(172)]
    yield variant(twin, f"{at}/outside", why, "TAIL-3/nuclei-ignored", rows=rows_of(filled), **WARNED)


def _sample(rng: Random, urn: Sequence[int], size: int) -> list[int]:
    found: dict[int, None] = {}
    while len(found) < size:
        found[urn[int(rng.random() * len(urn))]] = None
    return list(found)
