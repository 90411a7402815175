"""What mutants of the extractor are made of: other requests, or other answers, than those of the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack_conformance.adapters.reference import Reference, Row

Message = Mapping[str, Any]
Floats = NDArray[Any]


class Asked(Reference):
    """An extractor that changes what it is asked for: logits [sequence, vocabulary], nucleus and tail."""

    def __init__(self, logits: Callable[[Floats], Floats] = lambda x: x, **asked: Callable[[Message], Message]) -> None:
        self.logits, self.asked = logits, asked

    def extract(self, logits: Floats, mask: Sequence[int], nucleus: Message, tail: Message, seed: int) -> list[Row]:
        """Return the row of other logits, or by other parameters."""
        wanted = {
            name: self.asked[name](given) if name in self.asked else given
            for name, given in (("nucleus", nucleus), ("tail", tail))
        }
        return super().extract(self.logits(logits), mask, wanted["nucleus"], wanted["tail"], seed)


class Answered(Reference):
    """An extractor that changes what it answers: of (token, the output it was made of)."""

    def __init__(self, change: Callable[[Row, Floats], Row]) -> None:
        self.change = change

    def extract(self, logits: Floats, mask: Sequence[int], nucleus: Message, tail: Message, seed: int) -> list[Row]:
        """Return the row, changed token by token."""
        rows = super().extract(logits, mask, nucleus, tail, seed)
        outputs = logits[np.flatnonzero(mask) - 1].astype(np.float64)
        tokens = [self.change(token, x) for token, x in zip(rows[0]["tokens"], outputs, strict=True)]
        return [{"tokens": tokens}]


def lse(x: Floats) -> float:
    """Return the logsumexp of one output, in binary64."""
    top = float(x.max())
    return top + float(np.log(np.exp(x - top).sum()))


def entries(x: Floats, indices: Sequence[int]) -> Row:
    """Return entries with their raw logits."""
    return {"indices": [int(i) for i in indices], "logits": [float(x[i]) for i in indices]}


def finite_outside(token: Row, x: Floats) -> Floats:
    """Return the indices that may be drawn for a token."""
    allowed = np.isfinite(x)
    allowed[token["top"]["indices"]] = False
    return np.flatnonzero(allowed)
