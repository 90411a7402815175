"""What mutants of the writer are made of: other rows than they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from logitpack import refusals
from logitpack_conformance.adapters.mutants.swap import swap
from logitpack_conformance.adapters.reference import Reference, Row

Message = Mapping[str, Any]
Change = Callable[[list[Row]], list[Row]]


class Given(Reference):
    """A writer whose rows are changed on their way in; without `judged` it refuses no claims."""

    def __init__(self, change: Change, *, judged: bool = True) -> None:
        self.change = change
        if not judged:
            swap(refusals.check_claims, lambda columns, metadata: None)  # noqa: ARG005

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
        """Write the rows, changed."""
        super().write(self.change([dict(row) for row in rows]), path, container, metadata)


def by_token(change: Callable[[Row], Row]) -> Change:
    """Return a change of rows by their tokens."""
    return lambda rows: [{**row, "tokens": [change(token) for token in row["tokens"]]} for row in rows]


def by_part(change: Callable[[Row], Row], *kinds: str) -> Change:
    """Return a change of rows by the nuclei ("top"), the tails ("sampled") or both."""
    return by_token(lambda token: {**token, **{kind: change(token[kind]) for kind in kinds or ("top", "sampled")}})


def ordered(part: Row, order: Iterable[int]) -> Row:
    """Return the entries of a part in another order, or some of them."""
    order = list(order)
    return {name: [part[name][i] for i in order] for name in ("indices", "logits")}
