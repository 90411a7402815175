"""Readers that refuse valid files (RD-5, COL-4, META-3, META-4, META-6), or take columns and metadata for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from logitpack import DataError, codec, containers, metadata, stored_json, structure, table
from logitpack.batch import Batch
from logitpack.columns import Columns
from logitpack.metadata import Metadata
from logitpack_conformance.adapters.mutants.reader_rows import Changed
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, ARROW_STREAM, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.salvage import salvage
from logitpack_conformance.adapters.mutants.swap import wrap, wrap_method
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

READER = Role.READER


def _refusing(is_unwanted: Callable[[list[Row]], bool]) -> Reference:
    """Return a reader that rejects files by their rows."""

    def change(rows: list[Row]) -> list[Row]:
        if is_unwanted(rows):
            raise DataError("such files are not read")
        return rows

    return Changed(change)


def _columns_refused(is_unwanted: Callable[[Columns], bool]) -> None:
    """Let files be rejected by what is stored."""

    def decode(original: Any, stored: Columns, **options: Any) -> Batch:
        if is_unwanted(stored):
            raise DataError("such rows are not read")
        batch: Batch = original(stored, **options)
        return batch

    wrap(codec.decode_columns, decode)


@mutant(READER, "RD-5", containers=(PARQUET, JSON))
def no_rows_refused() -> Reference:
    """A file without rows is rejected."""
    return _refusing(lambda rows: not rows)


@mutant(READER, "RD-5")
def tail_of_one_refused() -> Reference:
    """A file with S = 1 is rejected."""
    return _refusing(lambda rows: any(len(row["tokens"][0]["sampled"]["indices"]) == 1 for row in rows))


@mutant(READER, "RD-5", "RD-2")
def more_than_100_entries_refused() -> Reference:
    """A nucleus of more than 100 entries is rejected."""
    return _refusing(lambda rows: any(len(token["top"]["indices"]) > 100 for row in rows for token in row["tokens"]))


@mutant(READER, "RD-5", "IDX-2")
def greatest_index_refused() -> Reference:
    """The index 262,143 is rejected."""
    return _refusing(lambda rows: any(262_143 in token["top"]["indices"] for row in rows for token in row["tokens"]))


@mutant(READER, "RD-5")
def empty_ranges_refused() -> None:
    """A range whose ends are equal is rejected."""
    _columns_refused(lambda stored: bool((stored.top_min.values == stored.top_max.values).any()))


@mutant(READER, "RD-5")
def positive_logits_refused() -> None:
    """Logits are taken for log-probabilities, and those above zero rejected."""
    _columns_refused(lambda stored: bool((stored.top_max.values > 0).any()))


@mutant(READER, "RD-5")
def canonical_types_only() -> None:
    """Columns of accepted types that are not the canonical ones are rejected."""

    def errors(original: Any, schema: pa.Schema) -> list[DataError]:
        found: list[DataError] = original(schema)
        if not found and any(
            table.type_name(schema.field(name).type) != column.type
            for name, column in table.COLUMNS.items()
            if name in schema.names
        ):
            found = [DataError("a type is not canonical", requirement="COL-2")]
        return found

    wrap(table.schema_errors, errors)


@mutant(READER, "RD-5", "COL-4", containers=(PARQUET, ARROW_FILE))
def columns_in_order_only() -> None:
    """Columns in another order than that of the table are rejected."""

    def opened(original: Any, schema: pa.Schema) -> None:
        original(schema)
        known = [name for name in (schema or pa.schema([])).names if name in table.COLUMNS]
        if known != [name for name in table.COLUMNS if name in known]:
            raise DataError("the columns stand in another order")

    wrap(containers._check_names, opened)


@mutant(READER, "COL-4", containers=(PARQUET, ARROW_FILE, ARROW_STREAM))
def other_columns_refused() -> None:
    """A file with columns that SPEC.md does not name is rejected."""

    def opened(original: Any, schema: pa.Schema) -> None:
        original(schema)
        if schema is not None and set(schema.names) - set(table.COLUMNS):
            raise DataError("there are other columns")

    wrap(containers._check_names, opened)


@mutant(READER, "COL-4", containers=(JSON,))
def other_members_refused() -> None:
    """A line of stored JSON with members that SPEC.md does not name is rejected."""

    def row(original: Any, members: Any, *args: Any) -> Any:
        if set(members) - set(table.COLUMNS):
            raise DataError("there are other members")
        return original(members, *args)

    wrap(stored_json._row, row)


@mutant(READER, "COL-4")
def nested_columns_refused() -> None:
    """A file with other columns is rejected where one of them is nested."""

    def opened(original: Any, schema: pa.Schema) -> None:
        original(schema)
        for field in schema or ():
            if field.name not in table.COLUMNS and pa.types.is_nested(field.type):
                raise DataError("there is a nested column")

    wrap(containers._check_names, opened)


def _metadata_judged(refuse: Callable[[dict[str, Any]], bool]) -> None:
    def judged(original: Any, cls: type[Metadata], raw: bytes, *args: Any, **options: Any) -> Metadata:
        found: Metadata = original.__func__(cls, raw, *args, **options)
        if refuse(found.raw):
            raise DataError("such metadata are not read")
        return found

    original = vars(Metadata)["from_bytes"]

    def from_bytes(cls: type[Metadata], raw: bytes, *, file: str | None = None) -> Metadata:
        return judged(original, cls, raw, file=file)

    setattr(Metadata, "from_bytes", classmethod(from_bytes))  # noqa: B010  a method of a class is not to be assigned


KNOWN = {
    "spec_version", "model", "tokenizer", "vocab_size", "nucleus", "tail", "temperature", "alignment", "mask",
    "chat_template_sha256", "source", "writer",
}  # fmt: skip


@mutant(READER, "META-3", containers=(PARQUET, ARROW_FILE))
def unknown_members_refused() -> None:
    """Metadata with a member that SPEC.md does not name is rejected."""
    _metadata_judged(lambda raw: bool(set(raw) - KNOWN))


@mutant(READER, "META-6", containers=(PARQUET, ARROW_FILE))
def later_minor_version_refused() -> None:
    """A file of version 1.1 or later is rejected."""
    _metadata_judged(lambda raw: raw["spec_version"] != "1.0")


@mutant(READER, "META-4", containers=(PARQUET, ARROW_FILE))
def metadata_required() -> None:
    """A file without metadata is rejected."""
    from logitpack import files

    def metadata_of(original: Any, self: Any, info: Any, path: Path) -> Any:
        found = original(self, info, path)
        if found is None:
            raise DataError("the file has no metadata")
        return found

    wrap_method(files.Reader, "metadata_of", metadata_of)


@mutant(READER, "META-2", containers=(PARQUET, ARROW_FILE))
def major_version_ignored() -> Reference:
    """The major version in the metadata is not looked at."""

    class Careless(Reference):
        def read(self, path: str) -> list[Row]:
            try:
                return super().read(path)
            except DataError as error:
                if error.requirement != "META-2":
                    raise
                return salvage(path)

    return Careless()


@mutant(READER, "META-2")
def versions_compared_as_text() -> None:
    """The major version is taken to be known where it begins with a 1, as 10 does."""
    from logitpack import schemas

    def breach(original: Any, schema: Any, value: Any) -> Any:
        if "pattern" in schema and isinstance(value, str) and value.startswith("1"):
            return "not looked at"
        if isinstance(value, dict) and str(value.get("spec_version", "")).startswith("1"):
            value = {**value, "spec_version": "1.0"}
        return original(schema, value)

    wrap(schemas.first_breach, breach)
    assert metadata.SPEC_VERSION  # noqa: S101  the module that asks is loaded


@mutant(READER, "ALN-4")
def token_ids_kept_where_broken() -> None:
    """Rows whose token ids break ALN-4 are accepted, ids that can be told included."""

    def token_ids(original: Any, stored: Columns, sound: Any) -> Any:
        del original, stored, sound
        return iter(())

    def decode(original: Any, stored: Columns, **options: Any) -> Batch:
        ids = stored.token_ids
        if ids is not None:
            tokens = int(stored.num_tokens.sum())
            values = np.resize(ids.values if ids.values.size else np.zeros(1, np.int64), tokens).astype(np.int64)
            stored = replace(stored, token_ids=replace(ids, values=values & 0x7FFFFFFF))
        batch: Batch = original(stored, **options)
        return batch

    wrap(structure.token_ids, token_ids)
    wrap(codec.decode_columns, decode)
