"""Writers whose file breaks one requirement: by a fault of the suite's own table, or one in the container.

Strategy: what the reference wrote is read back as plain rows, spoiled, and put into the container as it is. A fault for
which the rows leave no room leaves the file as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow as pa

from logitpack import semantics
from logitpack_conformance.adapters.mutants.registry import (
    ARROW_FILE,
    ARROW_STREAM,
    JSON,
    PARQUET,
    Mutant,
    add,
    mutant,
)
from logitpack_conformance.adapters.mutants.salvage import stored_rows
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.faults import FAULTS, NoRoomError
from logitpack_conformance.model import Container, Role
from logitpack_conformance.stored import Form, to_bytes

WRITER = Role.WRITER
Message = Mapping[str, Any]
Rewrite = Callable[[list[Row], dict[str, Any] | None, Container], bytes]


class Spoiled(Reference):
    """A writer that writes the file a second time, with a fault."""

    def __init__(self, rewrite: Rewrite) -> None:
        self.rewrite = rewrite

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
        """Write the rows, or refuse them, and spoil what was written."""
        super().write(rows, path, container, metadata)
        plain = list(stored_rows(Path(path)))
        with suppress(NoRoomError):
            given = None if metadata is None else deepcopy(dict(metadata))
            Path(path).write_bytes(self.rewrite(plain, given, Container(container)))


def _raw(metadata: dict[str, Any] | None) -> bytes | None:
    return None if metadata is None else json.dumps(metadata).encode()


def _by_faults(requirement: str) -> Rewrite:
    """Return what breaks a requirement by the first fault of the table that the rows leave room for."""
    table = [fault for fault in FAULTS.values() if fault.requirement == requirement]

    def rewrite(rows: list[Row], metadata: dict[str, Any] | None, container: Container) -> bytes:
        for fault in table:
            spoiled, declared = deepcopy(rows), deepcopy(metadata or {})
            with suppress(NoRoomError):
                fault.apply(spoiled, declared)
                return to_bytes(spoiled, _raw(declared or None), container)
        raise NoRoomError(requirement)

    return rewrite


STORED = (
    "COL-3", "ROW-1", "ROW-2", "ROW-3", "ROW-4", "ROW-5", "IDX-1", "IDX-3", "IDX-4", "IDX-5", "QNT-1", "QNT-8", "QNT-4",
    "NUC-1", "NUC-8", "NUC-2", "NUC-3", "NUC-4", "NUC-5", "NUC-6", "NUC-7", "TAIL-1", "TAIL-2", "TAIL-4", "LSE-1",
    "LSE-2", "LSE-3", "ALN-4", "META-1",
)  # fmt: skip
"""What a writer's output can break, and the table has faults of."""


def _family(requirement: str) -> None:
    add(
        Mutant(
            f"writer-breaks-{requirement.lower()}",
            WRITER,
            (requirement, "WR-1"),
            (PARQUET,),
            f"What is written breaks {requirement}.",
            lambda: Spoiled(_by_faults(requirement)),
        )
    )


for _requirement in STORED:
    _family(_requirement)


def _plainly(form: Form) -> Rewrite:
    return lambda rows, metadata, container: to_bytes(rows, _raw(metadata), container, form)


def _bytes(change: Callable[[bytes], bytes]) -> Rewrite:
    return lambda rows, metadata, container: change(to_bytes(rows, _raw(metadata), container))


@mutant(WRITER, "FILE-1", "WR-1", containers=(PARQUET, ARROW_FILE, ARROW_STREAM))
def file_cut_short() -> Reference:
    """The last hundred bytes of the file are not written."""
    return Spoiled(_bytes(lambda data: data[:-100]))


@mutant(WRITER, "FILE-3", "WR-1", containers=(ARROW_STREAM,))
def stream_not_ended() -> Reference:
    """The stream is left without its end-of-stream marker."""
    return Spoiled(_bytes(lambda data: data[:-8]))


@mutant(WRITER, "JSON-1", "WR-1", containers=(JSON,))
def byte_order_mark() -> Reference:
    """Stored JSON begins with a byte order mark."""
    return Spoiled(_bytes(lambda data: b"\xef\xbb\xbf" + data))


@mutant(WRITER, "JSON-1", "WR-1", containers=(JSON,))
def one_array() -> Reference:
    """Stored JSON is one array of all rows."""
    return Spoiled(_bytes(lambda data: b"[" + b",".join(data.splitlines()) + b"]"))


@mutant(WRITER, "JSON-2", "WR-1", containers=(JSON,))
def base64_without_padding() -> Reference:
    """Base64 is written without its padding."""
    return Spoiled(_bytes(lambda data: data.replace(b"=", b"")))


@mutant(WRITER, "JSON-2", "WR-1", containers=(JSON,))
def base64_for_urls() -> Reference:
    """Base64 is written in the alphabet for URLs."""

    def change(data: bytes) -> bytes:
        rows = [json.loads(line) for line in data.splitlines()]
        for row in rows:
            for name in ("top_indices_high", "sampled_indices_high"):
                row[name] = row[name].replace("+", "-").replace("/", "_")
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return Spoiled(_bytes(change))


@mutant(WRITER, "COL-1", "WR-1", containers=(PARQUET, ARROW_FILE, JSON))
def column_left_out() -> Reference:
    """The column sampled_max is not written."""
    return Spoiled(_plainly(Form(dropped=("sampled_max",))))


@mutant(WRITER, "COL-1", "WR-1")
def columns_in_a_struct() -> Reference:
    """The tail's columns stand inside a struct."""
    tail = ("sampled_indices_low", "sampled_indices_high", "sampled_logits_quantized", "sampled_min", "sampled_max")
    return Spoiled(_plainly(Form(nested="sampled", inside=tail)))


@mutant(WRITER, "COL-2", "WR-1", containers=(PARQUET, ARROW_FILE))
def counts_as_floats() -> Reference:
    """Counts are written as binary64 numbers."""
    return Spoiled(_plainly(Form(types={"top_counts": pa.list_(pa.float64())})))


@mutant(WRITER, "COL-2", "WR-1", containers=(JSON,))
def integers_with_a_fraction() -> Reference:
    """In stored JSON, num_tokens is written with a fraction."""

    def change(data: bytes) -> bytes:
        rows = [json.loads(line) for line in data.splitlines()]
        return b"".join(json.dumps({**row, "num_tokens": float(row["num_tokens"])}).encode() + b"\n" for row in rows)

    return Spoiled(_bytes(change))


@mutant(WRITER, "META-7", "WR-1")
def metadata_with_a_megabyte_of_space() -> Reference:
    """Metadata are padded to more than a megabyte."""

    def rewrite(rows: list[Row], metadata: dict[str, Any] | None, container: Container) -> bytes:
        raw = _raw(metadata)
        return to_bytes(rows, None if raw is None else raw.ljust(1_048_577), container)

    return Spoiled(rewrite)


# What is to be refused, and is not


def _unjudged(requirement: str) -> None:
    def build() -> None:
        def judge(original: Any, *args: Any) -> Any:
            return [breach for breach in original(*args) if breach.requirement != requirement]

        wrap(semantics.judge, judge)

    add(
        Mutant(
            f"writer-takes-{requirement.lower()}",
            WRITER,
            (requirement,),
            (PARQUET,),
            f"Rows that break {requirement} are written.",
            build,
        )
    )


for _requirement in (
    "NUC-8", "NUC-2", "NUC-3", "NUC-4", "NUC-5", "NUC-6", "NUC-7", "TAIL-1", "TAIL-2", "LSE-2", "LSE-3",
):  # fmt: skip
    _unjudged(_requirement)
