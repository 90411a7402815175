"""What a writer has to refuse: lists that do not fit each other, and numbers of entries that no file can say."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .draft import Draft
from .handed import Change, Plain, both, declared, put, refused, rows_of, token, with_entry, without, written
from .refusing import COUNTS, REFUSING, SIDES


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _lengths()
    yield from _strides()
    yield from _counts()


def _lengths() -> Iterator[Draft]:
    """Yield lists that do not fit each other (ROW-1, ROW-3, ROW-4, NUC-1)."""
    group = "lengths"
    rows = rows_of("refuse/lengths", COUNTS)
    requirements = ("ROW-1", "ROW-3", "ROW-4", "NUC-1")
    why = "As many logits as indices, at least one of each, at least one token."
    twin = written(f"{group}/equal", why, rows, requirements, twin=f"{group}/top-logit-missing")
    yield twin
    for kind, where in SIDES.items():
        requirement = "ROW-3" if kind == "top" else "ROW-4"
        for member, word in (("logits", "logit"), ("indices", "index")):
            why = f"The last {word} of the last {where} is missing, its partner is there."
            change = without(-1, -1, kind, member)
            fault = f"{requirement}/{word}-missing"
            yield refused(twin, f"{group}/{kind}-{word}-missing", why, fault, change, more=REFUSING)
        why = f"The first {where} has a logit more than it has indices."
        change = put(0, 0, kind, {"indices": [7], "logits": [20.0, 19.0]} if kind == "top" else _tail(3, 4))
        yield refused(twin, f"{group}/{kind}-logit-more", why, f"{requirement}/logit-more", change)
    nothing: Plain = {"indices": [], "logits": []}
    for slug, row in (("first", 0), ("last", -1)):
        why = f"The {slug} token has no nucleus."
        yield refused(
            twin, f"{group}/no-nucleus-{slug}", why, "NUC-1/empty", put(row, row, "top", nothing), more=REFUSING
        )
        why = f"The {slug} row has no tokens."
        no_tokens: Change = lambda rows, row=row: rows.__setitem__(row, {"tokens": []})  # type: ignore[misc]  # noqa: E731
        yield refused(twin, f"{group}/no-tokens-{slug}", why, "ROW-1/empty", no_tokens, more=REFUSING)
    why = "The last token has no tail, while the others have three entries."
    yield refused(twin, f"{group}/no-tail-last", why, "ROW-4/empty", put(-1, -1, "sampled", nothing), more=REFUSING)
    why = "No token has a tail: S is 0."
    yield refused(twin, f"{group}/no-tail", why, "ROW-4/no-tail", _no_tails)
    why = "The only row has no tokens."
    yield refused(twin, f"{group}/no-tokens", why, "ROW-1/empty", _only_empty, more=REFUSING)


def _tail(indices: int, logits: int) -> Plain:
    return {"indices": list(range(150_000, 150_000 + indices)), "logits": [-9.0 - k for k in range(logits)]}


def _no_tails(rows: list[Plain]) -> None:
    for row in rows:
        for one in row["tokens"]:
            one["sampled"] = {"indices": [], "logits": []}


def _only_empty(rows: list[Plain]) -> None:
    rows[:] = [{"tokens": []}]


def _strides() -> Iterator[Draft]:
    """Yield tails of different lengths, within a row (ROW-4) and between rows (ROW-5)."""
    group, flags = "stride", ("STRIDE_CHANGES",)
    twin = written(
        f"{group}/one",
        "One S throughout.",
        rows_of("refuse/stride", COUNTS),
        ("ROW-4", "ROW-5"),
        twin=f"{group}/last-token",
    )
    yield twin
    why = "The last token of a row has a tail entry less than the one before it."
    change = without(-1, -1, "sampled", "indices", "logits")
    yield refused(twin, f"{group}/last-token", why, "ROW-4/less", change, flags=flags, more=REFUSING)
    why = "The first token of a row has a tail entry more than the one after it."
    change = with_entry(0, 0, "sampled", 3, -30.0)
    yield refused(twin, f"{group}/first-token", why, "ROW-4/more", change, flags=flags)
    why = "One token of a row has a tail entry less, another one more: the total is that of a whole S."
    change = both(without(0, 0, "sampled", "indices", "logits"), with_entry(0, 1, "sampled", 3, -30.0))
    yield refused(twin, f"{group}/evened-out", why, "ROW-4/evened-out", change, flags=flags)
    why = "All tokens of the last row have a tail entry less than those of the rows before."
    change = both(*(without(-1, place, "sampled", "indices", "logits") for place in range(2)))
    yield refused(twin, f"{group}/last-row", why, "ROW-5/less", change, flags=flags, more=REFUSING)
    why = "The row in the middle has a tail entry more than the others."
    yield refused(twin, f"{group}/middle-row", why, "ROW-5/more", with_entry(1, 0, "sampled", 3, -30.0), flags=flags)


def _counts() -> Iterator[Draft]:
    """Yield nuclei that are larger than a count can say (NUC-1), or than a Core file may have them (NUC-8)."""
    group, flags = "count", ("COUNT_WRAP",)
    rows = [{"tokens": [token([1.0], (-3.0,)), _equal(100)]}]
    twin = written(
        f"{group}/100", "A nucleus of 100 entries without metadata.", rows, ("NUC-1", "NUC-8"), twin=f"{group}/101"
    )
    yield twin
    for number, requirement in ((101, "NUC-8"), (255, "NUC-8"), (256, "NUC-1"), (257, "NUC-1"), (512, "NUC-1")):
        why = f"A nucleus of {number} entries without metadata: 100 are the most."
        change: Change = lambda rows, number=number: rows[0]["tokens"].__setitem__(1, _equal(number))  # type: ignore[misc]  # noqa: E731
        yield refused(twin, f"{group}/{number}", why, f"{requirement}/too-many", change, flags=flags, more=REFUSING)
    rows = [{"tokens": [token([1.0], (-3.0,)), _equal(255)]}]
    metadata = {**declared(stride=1, max_entries=255), "nucleus": {"rule": "unspecified", "max_entries": 255}}
    why = "A nucleus of 255 entries where metadata allow so many."
    twin = written(
        f"{group}/255-declared", why, rows, ("NUC-1", "NUC-8"), twin=f"{group}/256-declared", metadata=metadata
    )
    yield twin
    why = "A nucleus of 256 entries: no count in uint8 says that."
    change = lambda rows: rows[0]["tokens"].__setitem__(1, _equal(256))  # noqa: E731
    yield refused(twin, f"{group}/256-declared", why, "NUC-1/too-many", change, flags=flags, more=REFUSING)


def _equal(count: int) -> Plain:
    return token([2.0] * count, (-3.0,), 2.0 + round(math.log(count), 6) + 0.01)
