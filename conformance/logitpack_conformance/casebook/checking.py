"""What a checker owes where several things are wrong: each is reported, and what follows from it is not (CHK-1, CHK-3).

Strategy: structural faults here, semantic ones beside the requirements that they are about. The conditions table of
section 14.3 says which findings remain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.rows import Row, copied
from logitpack_conformance.stored import Form

from .bases import sound, stored
from .draft import ARROW, Draft, broken

Change = Callable[[list[Row]], object]
CHECKER = (Role.CHECKER,)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    twin = sound(
        "checking/rows/sound", "Three sound rows with token_ids.", counts=((2, 3), (4, 1), (2, 2)), token_ids=True
    )
    yield replace(twin, features=("token_ids",))
    for name, changes, findings, why in _rows():
        rows = copied(stored(twin).rows)
        for change in changes:
            change(rows)
        content = replace(stored(twin), rows=rows)
        requirement = "CHK-1" if len(findings) > 1 else "CHK-3"
        yield _several(twin, f"checking/rows/{name}", why, findings, content, requirement, features=("token_ids",))
    yield from _columns()
    yield from _files()


def _several(
    twin: Draft, name: str, why: str, findings: Sequence[str], content: Any, *own: str, **members: Any
) -> Draft:
    fault = f"{findings[0]}/{name.rsplit('/', 1)[-1]}"
    members = {"kind": Kind.REJECT, "findings": tuple(findings), "requirements": own, "roles": CHECKER, **members}
    return broken(twin, name, why, fault, content, **members)


def _set(number: int, column: str, value: object, at: int | None = None) -> Change:
    def change(rows: list[Row]) -> None:
        if at is None:
            rows[number][column] = value
        else:
            rows[number][column][at] = value

    return change


def _pop(number: int, column: str) -> Change:
    def change(rows: list[Row]) -> None:
        rows[number][column] = rows[number][column][:-1]

    return change


def _rows() -> Iterator[tuple[str, tuple[Change, ...], tuple[str, ...], str]]:
    """Name, changes, what is to be found, why."""
    nan = math.nan
    yield (
        "two-rows",
        (_set(0, "num_tokens", 0), _pop(2, "top_indices_high")),
        ("ROW-1", "IDX-3"),
        "Two rows are broken in different ways, with a sound one between them.",
    )
    yield (
        "nucleus-and-tail",
        (_pop(1, "top_logits_quantized"), _pop(1, "sampled_indices_low")),
        ("ROW-3", "ROW-4"),
        "Nucleus and tail of one row are broken: neither depends on the other.",
    )
    yield (
        "range-and-logsumexp",
        (_set(1, "top_min", nan, 0), _set(1, "logsumexp", nan, 1), _pop(1, "sampled_indices_high")),
        ("QNT-1", "LSE-1", "IDX-3"),
        "A range, a logsumexp and high parts of one row are broken: all three are judged.",
    )
    yield (
        "null-and-others",
        (_set(0, "logsumexp", None), _set(0, "num_tokens", 0), _pop(2, "top_max")),
        ("COL-3", "ROW-2"),
        "A row with a null is not judged further; another row is.",
    )
    yield (
        "semantic-and-structural",
        (_set(0, "logsumexp", -50.0, 0), _pop(2, "sampled_indices_high")),
        ("LSE-2", "IDX-3"),
        "A structural breach in one row, a semantic one in another.",
    )
    yield (
        "no-tokens",
        (_set(1, "num_tokens", 0), _pop(1, "top_counts"), _set(1, "logsumexp", [nan]), _pop(1, "top_indices_high")),
        ("ROW-1",),
        "A row of no tokens, with lists of every length: only ROW-1 is judged, for all lengths are counted from it.",
    )
    yield (
        "counts-short",
        (_pop(1, "top_counts"), _pop(1, "top_indices_low"), _pop(1, "sampled_indices_low")),
        ("ROW-2",),
        "Counts are missing, and entries too: ROW-3 and ROW-4 are not judged without all counts.",
    )
    yield (
        "count-of-zero",
        (_set(1, "top_counts", 0, 0), _pop(1, "top_indices_low"), _pop(1, "top_indices_high")),
        ("NUC-1",),
        "A count of 0, and entries missing: ROW-3 and IDX-3 are not judged where a count has no meaning.",
    )
    yield (
        "entries-missing",
        (_pop(1, "top_indices_low"), _set(1, "top_indices_high", b"")),
        ("ROW-3",),
        "Entries and high parts are missing: IDX-3 is not judged where ROW-3 is broken.",
    )
    yield (
        "tail-missing",
        (_pop(1, "sampled_logits_quantized"), _set(1, "sampled_indices_high", b"")),
        ("ROW-4",),
        "Tail codes and high parts are missing: IDX-3 is not judged where ROW-4 is broken.",
    )
    yield (
        "semantics-of-broken-row",
        (_pop(1, "logsumexp"), _set(1, "token_ids", [-1, -1]), _set(1, "top_max", 1e30, 0)),
        ("ROW-2",),
        "A row that is structurally broken is not judged by what it means: not even its token ids are.",
    )
    yield (
        "range-not-a-number",
        (_set(1, "top_min", nan, 0), _set(1, "top_max", nan, 0)),
        ("QNT-1",),
        "Both ends of a range are NaN: one requirement is broken, and nothing that would follow from it.",
    )


def _columns() -> Iterator[Draft]:
    at = "checking/columns"
    twin = sound(f"{at}/sound", "A described file of canonical types.", containers=ARROW)
    yield twin
    strings = pa.list_(pa.string())

    def form(**changes: Any) -> Any:
        return replace(stored(twin), form=replace(Form(), **changes))

    rows = copied(stored(twin).rows)
    rows[0]["num_tokens"] = 0
    for name, content, findings, why in (
        (
            "missing-and-doubled",
            form(dropped=["top_max"], doubled=["logsumexp"]),
            ("COL-1",),
            "A column is missing, and another stands twice.",
        ),
        (
            "missing-and-wide",
            form(dropped=["top_max"], types={"num_tokens": pa.int64()}),
            ("COL-1", "COL-5"),
            "A column is missing, and another has a wider type.",
        ),
        (
            "missing-and-broken-row",
            replace(form(dropped=["top_max"]), rows=rows),
            ("COL-1",),
            "A column is missing, and a row is broken: rows are not judged without all columns.",
        ),
        (
            "missing-and-null",
            replace(form(dropped=["top_max"]), rows=[{**rows[0], "logsumexp": None}]),
            ("COL-1",),
            "A column is missing, and another has a null.",
        ),
    ):
        own = "CHK-1" if len(findings) > 1 else "CHK-3"
        yield _several(twin, f"{at}/{name}", why, findings, content, own)
    text = [{**row, "top_min": [str(value) for value in row["top_min"]]} for row in stored(twin).rows]
    content = replace(form(types={"top_min": strings}, dropped=["top_max"]), rows=text)
    why = "A column is missing, and another has a type that is not accepted."
    yield _several(twin, f"{at}/missing-and-text", why, ("COL-1", "COL-2"), content, "CHK-1")


def _files() -> Iterator[Draft]:
    """Yield files that break off: what was read before is judged, what comes after is not."""
    at = "checking/files"
    twin = sound(
        f"{at}/sound",
        "Three rows in three batches of a stream.",
        sizes=(2, 1, 2),
        form=Form(group=1),
        containers=(Container.ARROW_STREAM,),
    )
    yield twin
    first, last = copied(stored(twin).rows), copied(stored(twin).rows)
    first[0]["num_tokens"] = 0
    last[-1]["num_tokens"] = 0
    for name, rows, cut, findings, why in (
        (
            "broken-row-and-no-end",
            last,
            8,
            ("ROW-1", "FILE-3"),
            "The last row is broken, and the end marker is missing.",
        ),
        (
            "broken-row-before-cut",
            first,
            40,
            ("ROW-1", "FILE-1"),
            "The first row is broken, and the stream ends inside its last batch.",
        ),
        (
            "broken-row-after-cut",
            last,
            40,
            ("FILE-1",),
            "The stream ends inside its last batch, whose row is broken: that is not judged.",
        ),
    ):
        content = replace(stored(twin), rows=rows, damage=_shorter(cut))
        own = "CHK-1" if len(findings) > 1 else "CHK-3"
        yield _several(twin, f"{at}/{name}", why, findings, content, own, flags=("TRUNCATION",))
    lines = sound(f"{at}/lines", "Three lines of stored JSON.", sizes=(2, 1, 2), containers=(Container.JSON,))
    yield lines
    first = copied(stored(lines).rows)
    first[0]["num_tokens"] = 0
    content = replace(stored(lines), rows=first, damage=lambda data, _: data[:-30])
    why = "The first line is a broken row, and the last is cut short: both are reported."
    yield _several(lines, f"{at}/line-before-cut", why, ("ROW-1", "JSON-1"), content, "CHK-1", flags=("TRUNCATION",))
    content = replace(stored(lines), rows=first, damage=lambda data, _: b"[]\n" + data)
    why = "The first line is an array, and the rows after it are broken: they are not judged."
    yield _several(lines, f"{at}/line-after-break", why, ("JSON-1",), content, "CHK-3")
    content = replace(
        stored(lines),
        form=Form(dropped=["top_max"], json=lambda text: text.replace(b'"num_tokens": ', b'"num_tokens": "x')),
    )
    why = "Stored JSON that breaks off in its first line, where a column is missing too: only JSON-1 is reported."
    yield _several(lines, f"{at}/first-of-a-line", why, ("JSON-1",), content, "CHK-3")


def _shorter(by: int) -> Callable[[bytes, Container], bytes]:
    return lambda data, _: data[:-by]
