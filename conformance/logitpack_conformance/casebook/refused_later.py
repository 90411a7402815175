"""What a writer has to refuse in a later row, when sound rows before it may have been written already (WR-2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .draft import Draft
from .handed import declared, plain_token, put, put_in, refused, with_entry, without, written
from .masses import token_of

AT = "later"
MORE: dict[str, Any] = {"more": ("WR-1", "WR-2")}


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _covering()
    yield from _below()


def _covering() -> Iterator[Draft]:
    """NUC-4, NUC-5, NUC-3, LSE-2 and LSE-3 in the second and the third of three rows."""
    tokens = (token_of([0.5, 0.49]), token_of([0.99]), token_of([0.9, 0.05, 0.04]), token_of([0.6, 0.385]))
    rows = [{"tokens": [plain_token(one) for one in part]} for part in (tokens[:2], tokens[2:], tokens[1:])]
    requirements = ("NUC-4", "NUC-5", "NUC-3", "LSE-2", "LSE-3")
    why = "Three rows whose nuclei cover 0.98 and no more than they need."
    metadata = declared(stride=2, top_p=0.98)
    twin = written(f"{AT}/covering", why, rows, requirements, twin=f"{AT}/short", metadata=metadata)
    yield twin
    less = float(token_of([0.001]).top.logits[0])
    for slug, fault, change, flag, why in (
        (
            "short",
            "NUC-4/short",
            without(1, -1, "top", "indices", "logits"),
            "CROSSING_DROPPED",
            "The last nucleus of the second row holds 0.6 of the 0.98 that it claims to cover.",
        ),
        (
            "entry-too-many",
            "NUC-5/entry-too-many",
            with_entry(2, -1, "top", 9_000, less),
            "OVERFULL",
            "The last nucleus of the third row has an entry after the one that crosses 0.98.",
        ),
        (
            "tail-above",
            "NUC-3/tail-above",
            put_in(2, -1, "sampled", "logits", -1, 9.5),
            "NOT_THE_TOP",
            "The last tail logit of the third row is above the smallest of its nucleus.",
        ),
        (
            "logsumexp-small",
            "LSE-2/too-small",
            put(2, -1, "logsumexp", 9.7),
            "LSE_TOO_SMALL",
            "The last logsumexp of the third row is 0.3 below that of its stored entries.",
        ),
        (
            "logsumexp-large",
            "LSE-3/too-large",
            put(1, 0, "logsumexp", 60.0),
            "LSE_TOO_LARGE",
            "The first logsumexp of the second row is one that the whole vocabulary cannot add up to.",
        ),
        (
            "logsumexp-large-first",
            "LSE-3/too-large",
            put(0, 0, "logsumexp", 60.0),
            "LSE_TOO_LARGE",
            "The first logsumexp of all is such a one.",
        ),
    ):
        yield refused(twin, f"{AT}/{slug}", why, fault, change, flags=(flag,), **MORE)


def _below() -> Iterator[Draft]:
    """NUC-6 in the last of three rows."""
    rows = [{"tokens": [plain_token(token_of(masses))]} for masses in ([0.5], [0.99], [0.6, 0.3])]
    why = "Three rows whose nuclei stay below 0.98, or are one entry."
    metadata = declared(stride=2, top_p=0.98, rule="below")
    twin = written(f"{AT}/below", why, rows, ("NUC-6",), twin=f"{AT}/crossing-kept", metadata=metadata)
    yield twin
    why = "The nucleus of the third row holds 0.995, above the 0.98 that rule below allows."
    change = with_entry(2, 0, "top", 9_000, float(token_of([0.095]).top.logits[0]))
    yield refused(twin, f"{AT}/crossing-kept", why, "NUC-6/kept", change, flags=("OVERFULL",), **MORE)
