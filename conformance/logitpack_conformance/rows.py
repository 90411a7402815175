"""Valid stored rows in pure Python, and what to change in them.

Strategy: a token is drawn from its nucleus size: logits in descending order, a logsumexp in the middle of what the
covering rule allows, and a tail that lies below the nucleus and shares the rest. Rows are made of tokens by the
oracle's encoder. Draws are `random.Random.random` only, and logsumexps are whole multiples of 2**-30, so that every
platform makes the same rows.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from .oracle import indices
from .oracle.logical import LogicalEntries, LogicalToken, encode

Row = dict[str, Any]
Metadata = dict[str, Any]
VOCAB = 70_000
STRIDE = 5
TOP_P = 0.9
BOUNDARIES = (0, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_143)
"""The indices on both sides of each change of the high bits."""


def described(**members: Any) -> Metadata:
    """Metadata of the valid rows, with some members replaced; None takes a member away."""
    metadata: Metadata = {
        "spec_version": "1.0",
        "model": {"id": "teacher"},
        "tokenizer": {"id": "teacher"},
        "vocab_size": VOCAB,
        "nucleus": {"top_p": TOP_P, "max_entries": 100, "rule": "covering", "order": "descending"},
        "tail": {"num_sampled": STRIDE, "method": "uniform"},
        "alignment": "predicts",
    }
    metadata.update(members)
    return {name: value for name, value in metadata.items() if value is not None}


def embedded(metadata: Mapping[str, Any]) -> bytes:
    """Return metadata as they are embedded, without white space."""
    return json.dumps(metadata, separators=(",", ":")).encode()


def valid_rows(sizes: Sequence[int] = (4, 1, 7), seed: int = 1, *, largest: int = 9, **options: Any) -> list[Row]:
    """Return stored rows of so many tokens each, valid under `described()` with the same vocabulary, stride and top_p.

    The nuclei have 1 to `largest` entries, the first and second of a row two or more. Options are those of `make_row`.
    """
    rng = Random(seed)  # noqa: S311 - the same rows each time
    counts = [[int(1 + rng.random() * largest) for _ in range(size)] for size in sizes]
    counts = [[max(count, 2) if token < 2 else count for token, count in enumerate(row)] for row in counts]
    return [make_row(rng, row, **options) for row in counts]


def make_row(
    rng: Random,
    counts: Sequence[int],
    *,
    stride: int = STRIDE,
    vocab: int = VOCAB,
    top_p: float = TOP_P,
    token_ids: bool = False,
    grain: int = 12,
    chosen: Sequence[int] = (),
) -> Row:
    """Return a stored row with nuclei of these sizes. The `chosen` indices stand first, as many in a token as fit.

    Logits are multiples of 2**-grain, logsumexps as well where that is coarse (8 or less).
    """
    tokens = []
    given = list(chosen)
    for count in counts:
        here = given[: count + stride]
        del given[: count + stride]
        tokens.append(
            make_token(rng, count, here, stride=stride, vocab=vocab, top_p=top_p, token_id=token_ids, grain=grain)
        )
    return encode(tokens)


def make_token(
    rng: Random,
    count: int,
    chosen: Sequence[int] = (),
    *,
    stride: int = STRIDE,
    vocab: int = VOCAB,
    top_p: float = TOP_P,
    token_id: bool = False,
    grain: int = 12,
) -> LogicalToken:
    """Return a token with so many nucleus entries, the first of them at the chosen indices; its id is the first."""
    entries = distinct(rng, count + stride, vocab, chosen)
    drawn: set[float] = set()
    while len(drawn) < count:
        drawn.add(_logit(rng, 8, 14, grain))
    top = sorted(drawn, reverse=True)
    mass, least = sum(map(math.exp, top)), math.exp(top[-1])
    whole = (max(mass, (mass - least) / top_p) + mass / top_p) / 2
    level = math.log((whole - mass) / (vocab - count))
    tail = [round(min(level, top[-1] - 1) * 64) / 64 + _logit(rng, -1, 0.5, grain) for _ in range(stride)]
    fineness = 2 ** (30 if grain > 8 else grain)
    return LogicalToken(
        round(math.log(whole) * fineness) / fineness,
        LogicalEntries(entries[:count], list(map(Fraction, top))),
        LogicalEntries(entries[count:], list(map(Fraction, tail))),
        entries[0] if token_id else None,
    )


def _logit(rng: Random, low: float, high: float, grain: int) -> float:
    """Draw a multiple of 2**-grain."""
    unit = 2.0**-grain
    return round((low + (high - low) * rng.random()) / unit) * unit


def distinct(rng: Random, count: int, vocab: int, chosen: Iterable[int] = ()) -> list[int]:
    """Draw distinct indices of a vocabulary, the chosen ones first."""
    found = dict.fromkeys(chosen)
    while len(found) < count:
        found[int(rng.random() * vocab)] = None
    return list(found)


# What stands in a row


def unpacked(row: Row, kind: str) -> list[int]:
    """Return the vocabulary indices of the nucleus ("top") or the tail ("sampled") of a stored row."""
    return indices.unpack(row[f"{kind}_indices_low"], row[f"{kind}_indices_high"])


def set_index(row: Row, kind: str, entry: int, index: int) -> None:
    """Put a vocabulary index at an entry of a stored row, counted from the row's first."""
    row[f"{kind}_indices_low"][entry] = index & 0xFFFF
    high = bytearray(row[f"{kind}_indices_high"])
    shift = 2 * (entry % 4)
    high[entry // 4] = high[entry // 4] & ~(3 << shift) | (index >> 16) << shift
    row[f"{kind}_indices_high"] = bytes(high)


def set_indices(row: Row, kind: str, wanted: Sequence[int]) -> None:
    """Put other indices, of whatever number, in the place of all those of a kind."""
    row[f"{kind}_indices_low"], row[f"{kind}_indices_high"] = indices.pack(wanted)


def starts(row: Row) -> list[int]:
    """Return where the nucleus of each token begins."""
    return [sum(row["top_counts"][:token]) for token in range(len(row["top_counts"]))]


def with_token_ids(rows: list[Row]) -> list[Row]:
    """Add the first nucleus entry of each token as its id, in place."""
    for row in rows:
        entries = unpacked(row, "top")
        row["token_ids"] = [entries[start] for start in starts(row)]
    return rows


def copied(rows: Sequence[Row]) -> list[Row]:
    """Return rows that can be changed by themselves."""
    return copy.deepcopy(list(rows))
