"""Metadata and requests to extract with something taken from them, as `smaller` does it for rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from logitpack_conformance.oracle.indices import LIMIT
from logitpack_conformance.rows import Metadata
from logitpack_conformance.strategies.dense import Logits

from .smaller import pieces, without

NEEDED = ("spec_version", "model", "tokenizer", "vocab_size", "nucleus", "tail", "alignment")


def metadata(found: Metadata | None) -> Iterator[Metadata | None]:
    """Yield metadata with something less, none at all first."""
    if found is None:
        return
    yield None
    yield {name: found[name] for name in NEEDED}
    yield from ({other: found[other] for other in found if other != name} for name in found if name not in NEEDED)
    nucleus, tail = found["nucleus"], found["tail"]
    plain: list[Metadata] = [
        {"spec_version": "1.0"},
        {"vocab_size": LIMIT},
        {"nucleus": {"rule": "unspecified"}},
        {"nucleus": {name: value for name, value in nucleus.items() if name != "order"}},
        {"tail": {"num_sampled": tail["num_sampled"], "method": "unspecified"}},
    ]
    if "max_entries" in nucleus:
        plain.append({"nucleus": {"rule": "unspecified", "max_entries": nucleus["max_entries"]}})
    yield from ({**found, **members} for members in plain if {**found, **members} != found)


def extraction(logits: Logits, request: dict[str, Any]) -> Iterator[tuple[Logits, dict[str, Any]]]:
    """Yield dense logits and requests with something less: positions, entries, parameters, numbers."""
    mask = request["mask"]
    for cut in pieces(len(mask)):
        yield without(logits, cut), {**request, "mask": without(mask, cut)}
    for cut in pieces(len(logits[0])):
        rows = [without(row, cut) for row in logits]
        yield rows, {**request, "vocab_size": len(rows[0])}
    for position, selected in enumerate(mask):
        if selected:
            yield logits, {**request, "mask": [*mask[:position], 0, *mask[position + 1 :]]}
    yield from ((logits, other) for other in _requests(request))
    yield from ((rows, request) for rows in _numbers(logits))


def _requests(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    nucleus, tail = request["nucleus"], request["tail"]
    for most in {1, nucleus["max_entries"] // 2, nucleus["max_entries"] - 1} - {0, nucleus["max_entries"]}:
        yield {**request, "nucleus": {**nucleus, "max_entries": most}}
    for number in {1, tail["num_sampled"] // 2, tail["num_sampled"] - 1} - {0, tail["num_sampled"]}:
        yield {**request, "tail": {**tail, "num_sampled": number}}
    for name, value in (("top_p", 1.0), ("top_p", 0.5), ("order", "unspecified"), ("rule", "covering")):
        if nucleus[name] != value:
            yield {**request, "nucleus": {**nucleus, name: value}}
    if request["seed"]:
        yield {**request, "seed": 0}


def _numbers(logits: Logits) -> Iterator[Logits]:
    """Make numbers plain: all of them, those of a position, one after another."""
    yield [[0.0 if math.isfinite(x) else x for x in row] for row in logits]
    for place, row in enumerate(logits):
        ranks = {x: -float(rank) for rank, x in enumerate(sorted({x for x in row if math.isfinite(x)}, reverse=True))}
        for new in ([0.0] * len(row), [ranks.get(x, x) for x in row]):
            yield [*logits[:place], new, *logits[place + 1 :]]
        for column, x in enumerate(row):
            for y in (0.0, float(math.trunc(x)) if math.isfinite(x) else x, x / 2):
                if y != x:
                    yield [*logits[:place], [*row[:column], y, *row[column + 1 :]], *logits[place + 1 :]]
