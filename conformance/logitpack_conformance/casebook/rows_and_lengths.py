"""ROW-1 to ROW-4, NUC-1, IDX-3: lengths, one place wrong at a time."""

from __future__ import annotations

from collections.abc import Iterator

from logitpack_conformance.rows import described, valid_rows

from .draft import Draft, Stored, accept, faulty


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    base = accept(
        "lengths/rows/sound",
        "Two small rows whose lists all have the right lengths.",
        Stored(valid_rows((2, 3), 11), described()),
    )
    yield base
    yield faulty(
        base, "lengths/rows/zero-tokens", "A row of no tokens has no S, and known readers divide by zero.", "ROW-1/zero"
    )
