"""Headers: what a file says of itself before its rows, judged (META-*, ALN-6, COL-1, COL-2, COL-5).

Strategy: the metadata in force are looked for first, for where their version is not known nothing else is judged;
then the columns, which tell whether rows can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from logitpack.containers import DataFile
from logitpack.errors import DataError, Place
from logitpack.metadata import SIDECAR, Metadata
from logitpack.report import Findings
from logitpack.schemas import show_value
from logitpack.shards import sidecars
from logitpack.table import COLUMNS, schema_errors, type_name
from logitpack.urls import shown


@dataclass
class Header:
    """What is known of a file before its rows.

    `metadata` are those in force, `described` whether they are the file's own; `comparable` is false where its own do
    not count (FILE-2). `types` are those of its columns, None where they do not hold. `barred`: nothing else is to be
    judged (META-2). `judgeable`: rows can be.
    """

    findings: Findings
    metadata: Metadata | None = None
    described: bool = False
    comparable: bool = True
    types: dict[str, str] | None = None
    barred: bool = False
    judgeable: bool = True


def read_header(
    file: DataFile, path: str, root: str, given: Metadata | None, places: int, base: str | None = None
) -> Header:
    """Judge what stands before the rows of an open file of the dataset `root`.

    `given` stands for the metadata of files that have none; `places` of each finding are kept. `base` is the folder
    that relative paths start from, None for the working folder.
    """
    header = Header(Findings(places))
    _judge_metadata(header, file, sidecars(path, root, base), given)
    if not header.barred and file.info.schema is not None:
        _judge_schema(header, file.info.schema)
    return header


def _judge_metadata(
    header: Header, file: DataFile, beside: Iterable[tuple[str, bytes]], given: Metadata | None
) -> None:
    """Find the metadata in force: META-1, META-2, META-7, ALN-6, and FILE-2 within the file."""
    embedded = _metadata_from(file.info.metadata, "", header.findings)
    other = _accompanying(beside, header.findings) if file.info.schema is not None else None
    own = [found for found in (embedded, other) if found is not None]
    header.comparable = bool(own) or not header.findings.sorted()
    in_force = own[0] if own else given
    if isinstance(in_force, DataError):
        header.findings = Findings(header.findings.limit)
        header.findings.add_error(in_force)
        header.barred = True
        return
    if isinstance(embedded, Metadata) and isinstance(other, Metadata) and embedded != other:
        name, got, allowed = embedded.difference(other)
        message = f"{name} is {show_value(got)} in the file's metadata, but {show_value(allowed)} in {SIDECAR}"
        header.findings.add("FILE-2", message, got=got, allowed=allowed)
    elif len(own) > 1 and embedded != other:
        header.findings.add("FILE-2", f"the metadata in the file differs from the {SIDECAR} beside it")
    header.described, header.metadata = bool(own), in_force
    if in_force is not None and in_force.alignment != "predicts":
        message = f"alignment is declared to be {in_force.alignment!r}, expected 'predicts'"
        header.findings.add("ALN-6", message, got=in_force.alignment, allowed="predicts")


def _accompanying(beside: Iterable[tuple[str, bytes]], findings: Findings) -> Metadata | DataError | None:
    """Give what stands beside the file, in its folder or at the root, and does not count as absent."""
    for path, raw in beside:
        found = _metadata_from(raw, f"{shown(path)}: ", findings)
        if found is not None:
            return found
    return None


def _metadata_from(raw: bytes | None, source: str, findings: Findings) -> Metadata | DataError | None:
    """Give metadata, the error where its major version is unknown, None where it is absent or counts as such.

    `source` begins the message of an error.
    """
    try:
        return None if raw is None else Metadata.from_bytes(raw)
    except DataError as error:
        told = DataError(source + error.message, requirement=error.requirement, got=error.got)
        if told.requirement == "META-2":
            return told
        findings.add_error(told)
        return None


def _judge_schema(header: Header, schema: pa.Schema) -> None:
    """COL-1, COL-2, and COL-5 where they hold."""
    errors = schema_errors(schema)
    for error in errors:
        header.findings.add_error(error)
    broken = {error.place.column for error in errors}
    types = {name: schema.field(name).type for name in COLUMNS if name in schema.names and name not in broken}
    for name, kind in types.items():
        got, expected = type_name(kind), COLUMNS[name].type
        if got != expected:
            message = f"{name} is {got}, canonical is {expected}"
            header.findings.add("COL-5", message, Place(column=name), got=got, allowed=expected)
    header.judgeable = not errors
    if not errors:
        header.types = {name: _full_name(kind) for name, kind in types.items()}


def _full_name(kind: pa.DataType) -> str:
    """Give a type but for the names and nullability of its elements."""
    return f"{type_name(kind)}[{kind.list_size}]" if pa.types.is_fixed_size_list(kind) else type_name(kind)
