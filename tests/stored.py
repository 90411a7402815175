"""Datasets as plain rows that can be corrupted at random, written into any container as they are."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import EXTENSIONS, Container
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import CANONICAL, Extra, Form, to_array, to_bytes

CONTAINERS = tuple(EXTENSIONS.values())
BY_EXTENSION = {extension: container for container, extension in EXTENSIONS.items()}


@dataclass
class Dataset:
    """Rows as plain values; by column, the Arrow type where it is not the canonical one; metadata as bytes.

    `dropped` columns are not written, `doubled` ones twice. `extra` adds a column of strings, `settings` go to the
    writer of Parquet.
    """

    rows: list[Row]
    metadata: bytes | None
    types: dict[str, pa.DataType] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    extra: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> Dataset:
        """Return one that can be changed by itself."""
        return copy.deepcopy(self)

    def form(self, container: Container, *, legacy: bool) -> Form:
        """Return how it is laid down. A type that cannot hold the values gives way to one that can."""
        types = {name: kind for name, kind in self.types.items() if self._fits(name, kind)}
        settings = {"store_schema": True, "use_dictionary": True, "write_statistics": True, **self.settings}
        messages = Extra("messages", pa.string(), [f"row {i}" for i in range(max(1, len(self.rows)))])
        return Form(
            types=types,
            dropped=sorted(self.dropped),
            doubled=sorted(self.doubled),
            extra=[messages] if self.extra else [],
            group=self.settings.get("row_group_size", 0) if container is Container.PARQUET else 2,
            parquet={name: value for name, value in settings.items() if name != "row_group_size"},
            legacy=legacy,
        )

    def _fits(self, name: str, kind: pa.DataType) -> bool:
        values = [row.get(name) for row in self.rows]
        try:
            held = to_array(values, name, kind).to_pylist()
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return False
        return bool(held == values) or pa.types.is_floating(getattr(kind, "value_type", kind))


def save(dataset: Dataset, folder: Path, stem: str, container: str, draw: Random | None = None) -> Path:
    """Write a dataset into a container, given by its extension; streams as before Arrow 0.15 if so drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = BY_EXTENSION[container]
    legacy = kind is Container.ARROW_STREAM and draw is not None and draw.random() < 0.3
    path = folder / (stem + container)
    path.write_bytes(to_bytes(dataset.rows, dataset.metadata, kind, dataset.form(kind, legacy=legacy)))
    return path


SCHEMA = pa.schema(list(CANONICAL.items()))
