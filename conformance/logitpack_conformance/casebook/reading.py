"""What a reader owes beyond each requirement on files: RD-1, RD-3, RD-4 and RD-5."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from logitpack_conformance.rows import Row, copied
from logitpack_conformance.stored import Form

from .bases import contents, contrasted, edited, sound
from .draft import ALL, Draft, accept

EXACT = ("ROUNDED_EXACT",)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _exact_logsumexps()
    yield from _exact_ids()
    yield from _rejected()
    yield from _accepted()


def _exact_logsumexps() -> Iterator[Draft]:
    """RD-4: Core files, in which any logsumexp that is not too small will do."""
    at = "reading/logsumexp"
    cases: tuple[tuple[str, Callable[[float, int], float], str], ...] = (
        (
            "last-bit",
            lambda x, i: math.nextafter(x, math.inf if i % 2 else 0),
            "Logsumexps that differ from others in the last bit of binary64.",
        ),
        ("thirds", lambda x, i: x + 1 / (3 + i), "Logsumexps that no shorter format holds."),
        (
            "beyond-float32",
            lambda x, i: 1e39 * (i + 1) + x,
            "Logsumexps beyond the largest binary32 number: finite all the same.",
        ),
        (
            "largest",
            lambda _, i: math.nextafter(math.inf, 0) / (i + 2),
            "Logsumexps near the largest binary64 number.",
        ),
        (
            "near-float32",
            lambda x, i: round(x * 4 + 4) / 4 + 2.0 ** -(30 + i),
            "Logsumexps a little beside a binary32 number.",
        ),
        ("whole", lambda x, i: float(math.ceil(x) + i), "Logsumexps that are whole numbers."),
    )
    for name, make, why in cases:
        content = contents(f"{at}/{name}", core=True, sizes=(2, 3))
        rows = copied(content.rows)
        for row in rows:
            row["logsumexp"] = [make(value + 0.001, i) for i, value in enumerate(row["logsumexp"])]
        draft = accept(f"{at}/{name}", why, replace(content, rows=rows), flags=EXACT)
        yield from contrasted(
            draft, "LSE-1/nan", "The same, but the last logsumexp is NaN.", "RD-4", flags=("NAN_SPREADS",)
        )
    for name, shift, why in (
        ("negative", -40.0, "Negative logsumexps, of logits that are all far below 0."),
        ("around-zero", -11.0, "Logits and logsumexps around 0."),
    ):
        content = contents(f"{at}/{name}", core=True, sizes=(2, 2), grain=9)
        rows = [_shifted(row, shift) for row in content.rows]
        yield accept(f"{at}/{name}", why, replace(content, rows=rows), flags=EXACT)


def _shifted(row: Row, by: float) -> Row:
    """Return a row with all logits and logsumexps moved: exact, for they are multiples of 2^-30 at the least."""
    columns = ("top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
    return {**row, **{name: [value + by for value in row[name]] for name in columns}}


def _exact_ids() -> Iterator[Draft]:
    """RD-4: token ids, which need more bits than binary32 has."""
    at = "reading/token-ids"
    cases: tuple[tuple[str, Sequence[int], str], ...] = (
        ("limits", (0, 1, 2**31 - 1, 2**31 - 2), "Token ids from 0 to the largest of int32."),
        ("beyond-float32", (2**24, 2**24 + 1, 2**24 + 3, 2**30 + 1), "Token ids that binary32 would round."),
        ("beyond-16-bits", (65_535, 65_536, 32_768, 262_144), "Token ids beyond 16 bits, one of them beyond 18."),
    )
    for name, ids, why in cases:
        content = contents(f"{at}/{name}", core=True, counts=((2, 1), (3, 1)))
        rows = [{**row, "token_ids": list(ids[2 * i : 2 * i + 2])} for i, row in enumerate(content.rows)]
        draft = accept(f"{at}/{name}", why, replace(content, rows=rows), flags=EXACT, features=("token_ids",))
        contrast = "The same ids, one of them null."
        yield from contrasted(draft, "COL-3/null-token-id", contrast, "RD-4", flags=("NULL_AS_ZERO",))


def _rejected() -> Iterator[Draft]:
    """RD-1 and RD-3: a broken row among sound ones, or with much that is sound."""
    at = "reading/broken-row"
    form = Form(group=1)
    twin = sound(
        f"{at}/none", "Four sound rows, each in a row group or batch of its own.", sizes=(2, 1, 1, 2), form=form
    )
    yield twin
    for number, word in ((0, "first"), (2, "third"), (3, "last")):
        why = f"The {word} of four rows lacks a tail code: none of its tokens may be returned as valid."
        members: dict[str, Any] = {"requirements": ("RD-1", "RD-3", "ROW-4"), "flags": ("PARTIAL_ROW",)}
        op = f"ROW-4/short-in-{word}"
        yield edited(twin, f"{at}/tail-in-{word}", why, op, _cut(number, "sampled_logits_quantized"), **members)
        why = f"The {word} of four rows lacks a byte of high parts: only its last entries would be wrong."
        members["requirements"] = ("RD-1", "RD-3", "IDX-3")
        op = f"IDX-3/short-in-{word}"
        yield edited(twin, f"{at}/high-in-{word}", why, op, _cut(number, "top_indices_high"), **members)
    why = "Only the last token of the last row is without a logsumexp: everything before it is sound."
    members = {"requirements": ("RD-1", "RD-3", "ROW-2"), "flags": ("PARTIAL_ROW",)}
    yield edited(twin, f"{at}/last-token", why, "ROW-2/last-token", _cut(3, "logsumexp"), **members)
    why = "Only the tail is broken; a reader of nuclei alone would not notice."
    members["requirements"] = ("RD-1", "RD-3", "QNT-1")
    yield edited(twin, f"{at}/tail-only", why, "QNT-1/tail-only", _nan_in_tail, **members)


def _cut(number: int, column: str) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        rows[number][column] = rows[number][column][:-1]

    return change


def _nan_in_tail(rows: list[Row]) -> None:
    rows[1]["sampled_max"][0] = math.nan


def _accepted() -> Iterator[Draft]:
    """RD-5: the plainest files there are."""
    for name, options, why in (
        ("described", {}, "A small file with metadata, as writers are to write them."),
        ("core", {"core": True}, "A small file without metadata."),
        ("one-token", {"counts": ((1,),), "stride": 1}, "One row of one token with one nucleus and one tail entry."),
        ("several-rows", {"sizes": (1, 2, 3, 2)}, "Several rows of different lengths."),
        ("two-groups", {"sizes": (2, 2), "form": Form(group=1)}, "Two row groups or batches."),
    ):
        draft = sound(f"reading/plain/{name}", why, containers=ALL, **options)
        contrast = "The same, but for a count that says one entry too many."
        yield from contrasted(draft, "ROW-3/count-off-by-one", contrast, "RD-5")
