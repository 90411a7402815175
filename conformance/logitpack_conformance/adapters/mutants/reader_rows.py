"""Readers that lose rows, tokens or entries, or put them into another order (RD-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logitpack_conformance.adapters.mutants.registry import JSON, PARQUET, mutant
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

READER = Role.READER
Entries = dict[str, list[Any]]


class Changed(Reference):
    """A reader whose rows are changed on their way out."""

    def __init__(self, change: Callable[[list[Row]], list[Row]]) -> None:
        self.change = change

    def read(self, path: str) -> list[Row]:
        """Return the rows, changed."""
        return self.change(super().read(path))


def entries_changed(kind: str, change: Callable[[Entries], Entries]) -> Reference:
    """Return a reader that changes the entries of each token."""

    def changed(rows: list[Row]) -> list[Row]:
        return [{"tokens": [{**token, kind: change(token[kind])} for token in row["tokens"]]} for row in rows]

    return Changed(changed)


def ordered(entries: Entries, order: list[int]) -> Entries:
    """Return entries in the given order."""
    return {name: [values[i] for i in order] for name, values in entries.items()}


def _by_logit(entries: Entries) -> Entries:
    return ordered(entries, sorted(range(len(entries["logits"])), key=lambda i: -entries["logits"][i]))


def _by_index(entries: Entries) -> Entries:
    return ordered(entries, sorted(range(len(entries["indices"])), key=lambda i: entries["indices"][i]))


@mutant(READER, "RD-2")
def nucleus_sorted() -> Reference:
    """The nucleus is sorted by logit on reading."""
    return entries_changed("top", _by_logit)


@mutant(READER, "RD-2")
def tail_sorted() -> Reference:
    """The tail is sorted by logit on reading."""
    return entries_changed("sampled", _by_logit)


@mutant(READER, "RD-2")
def nucleus_by_index() -> Reference:
    """The nucleus is sorted by index on reading."""
    return entries_changed("top", _by_index)


@mutant(READER, "RD-2")
def tail_by_index() -> Reference:
    """The tail is sorted by index on reading."""
    return entries_changed("sampled", _by_index)


@mutant(READER, "RD-2", containers=(PARQUET, JSON))
def last_row_lost() -> Reference:
    """The last row of a file with several is not returned."""
    return Changed(lambda rows: rows[:-1] if len(rows) > 1 else rows)


@mutant(READER, "RD-2")
def single_token_rows_lost() -> Reference:
    """Rows of one token are passed over where there are others."""
    return Changed(lambda rows: [row for row in rows if len(row["tokens"]) > 1] or rows)


@mutant(READER, "RD-2")
def tokens_reversed() -> Reference:
    """The tokens of a row come out last first."""
    return Changed(lambda rows: [{"tokens": row["tokens"][::-1]} for row in rows])


@mutant(READER, "RD-2")
def equal_rows_once() -> Reference:
    """A row that equals the one before it is not returned again."""
    return Changed(lambda rows: [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]])


@mutant(READER, "RD-2")
def nucleus_cut_at_100() -> Reference:
    """Of a nucleus, 100 entries are returned."""
    return entries_changed("top", lambda entries: ordered(entries, list(range(len(entries["indices"])))[:100]))


@mutant(READER, "RD-2", containers=(PARQUET,))
def rows_cut_at_4096_tokens() -> Reference:
    """Of a row, 4,096 tokens are returned."""
    return Changed(lambda rows: [{"tokens": row["tokens"][:4096]} for row in rows])


@mutant(READER, "RD-2")
def tail_of_one_entry_broadcast() -> Reference:
    """Where S is 1, all tokens of a row get the tail of its first."""

    def changed(rows: list[Row]) -> list[Row]:
        for row in rows:
            first = row["tokens"][0]["sampled"]
            for token in row["tokens"] if len(first["indices"]) == 1 else ():
                token["sampled"] = first
        return rows

    return Changed(changed)
