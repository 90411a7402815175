"""Mutants of the writer in what they write of the metadata that they are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.reference import Reference
from logitpack_conformance.model import Role
from logitpack_conformance.oracle.schema import load

WRITER = Role.WRITER
Rows = list[Mapping[str, Any]]
Members = dict[str, Any]


class Retold(Reference):
    """A writer whose metadata are changed on their way in."""

    def __init__(self, change: Callable[[Members, Rows], object]) -> None:
        self.change = change

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Any) -> None:
        """Write the rows with other metadata."""
        given, told = list(rows), deepcopy(metadata)
        if told is not None:
            self.change(told, given)
        super().write(given, path, container, told)


@mutant(WRITER, "WR-6")
def unknown_members_dropped() -> Reference:
    """Of the metadata only members that SPEC.md names are written."""
    known = load("metadata.schema.json")["properties"]

    def change(told: Members, _: Rows) -> None:
        for name in told.keys() - known.keys():
            del told[name]

    return Retold(change)


@mutant(WRITER, "WR-6")
def optional_members_dropped() -> Reference:
    """Of the metadata only members that are required are written."""
    required = load("metadata.schema.json")["required"]

    def change(told: Members, _: Rows) -> None:
        for name in told.keys() - set(required):
            del told[name]

    return Retold(change)


@mutant(WRITER, "WR-6")
def members_added() -> Reference:
    """Metadata without a mask are written with one that nobody gave."""
    return Retold(lambda told, _: told.setdefault("mask", {"turns": "assistant"}))


@mutant(WRITER, "WR-6")
def top_p_through_binary32() -> Reference:
    """The threshold is written as the binary32 number nearest to it."""

    def change(told: Members, _: Rows) -> None:
        if "top_p" in told["nucleus"]:
            told["nucleus"]["top_p"] = float(np.float32(told["nucleus"]["top_p"]))

    return Retold(change)


@mutant(WRITER, "WR-6")
def empty_members_dropped() -> Reference:
    """Members of the metadata that are empty, 0, false or null are left out."""

    def change(told: Members, _: Rows) -> None:
        for name in [name for name, value in told.items() if not value]:
            del told[name]

    return Retold(change)


@mutant(WRITER, "WR-6")
def metadata_in_ascii() -> Reference:
    """Characters beyond ASCII are written as question marks."""

    def change(told: Members, _: Rows) -> None:
        text = json.dumps(told, ensure_ascii=False).encode("ascii", "replace").decode()
        told.update(json.loads(text))

    return Retold(change)


@mutant(WRITER, "TAIL-4")
def metadata_made_to_fit() -> Reference:
    """Metadata that declare another S than the rows have are written with that of the rows."""

    def change(told: Members, rows: Rows) -> None:
        for row in rows[:1]:
            told["tail"]["num_sampled"] = len(row["tokens"][0]["sampled"]["indices"])

    return Retold(change)
