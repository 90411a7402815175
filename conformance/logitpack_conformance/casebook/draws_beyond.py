"""Tails beside indices that the test of TAIL-3 leaves out: those at tokenizer.size and above, and beyond 18 bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logitpack_conformance.oracle.indices import LIMIT

from .bases import drawn, variant
from .draft import Draft, Stored, accept
from .draws import FAULT, PARQUET, STRIDE, TOKENS, WARNED, WIDTH, Pair, facts, rows_of

EVIDENCE = ("TAIL-3", "CHK-2")


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    metadata = facts(vocab_size=300_000)
    why = "A vocabulary wider than 18 bits: tails are uniform over the 262,144 entries that can be stored."
    yield from _pair("tail/uniform/beyond-18-bits", why, LIMIT, TOKENS, metadata)
    metadata = facts(vocab_size=2 * WIDTH, tokenizer={"id": "example/teacher", "size": WIDTH})
    why = "Half of all entries lie at tokenizer.size and above, in nuclei and in tails: neither is counted there."
    yield from _pair("tail/uniform/beyond-tokenizer", why, 2 * WIDTH, 2 * TOKENS + 40, metadata)


def _pair(at: str, why: str, width: int, tokens: int, metadata: dict[str, Any]) -> Iterator[Draft]:
    """Yield uniform tails over a vocabulary, and such that hold an eighth of it less often."""
    content = Stored(rows_of(_pairs(f"{at}/inside", width, tokens, 1.0)), metadata, containers=PARQUET)
    twin = accept(f"{at}/inside", why, content, requirements=EVIDENCE, twin=f"{at}/outside")
    yield twin
    why = "Tails hold the first entries less often than the others, under the same metadata."
    rows = rows_of(_pairs(f"{at}/outside", width, tokens, 0.5))
    yield variant(twin, f"{at}/outside", why, FAULT, rows=rows, **WARNED)


def _pairs(name: str, width: int, tokens: int, share: float) -> list[Pair]:
    """Return nuclei of one entry that go round the vocabulary, and tails; of its first eighth a share is kept."""
    rng = drawn(name)
    found = []
    for token in range(tokens):
        top = token * 257 % width
        tail: dict[int, None] = {}
        while len(tail) < STRIDE:
            index = int(rng.random() * width)
            if index != top and (index >= width // 8 or rng.random() < share):
                tail[index] = None
        found.append(([top], list(tail)))
    return found
