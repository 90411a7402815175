"""Writers that take what they are to refuse.

Strategy: logical rows are made acceptable on their way in, as a careless writer does: cut off, clamped, masked, or
paired up as far as it goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from logitpack import UsageError, outgoing, refusals, semantics
from logitpack.jsonforms import NON_FINITE
from logitpack_conformance.adapters.mutants.registry import JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.salvage import stored_rows
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.adapters.mutants.writer_base import Given, Message, by_part, by_token, ordered
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Container, Role
from logitpack_conformance.stored import to_bytes

WRITER = Role.WRITER


@mutant(WRITER, "IDX-6", containers=(PARQUET, JSON))
def index_cut_to_18_bits() -> Reference:
    """An index beyond 262,143 is cut to 18 bits."""
    return Given(by_part(lambda part: {**part, "indices": [index & 0x3FFFF for index in part["indices"]]}))


@mutant(WRITER, "IDX-6", "IDX-5")
def vocab_size_not_looked_at() -> None:
    """An index that is not less than a declared vocab_size is written."""
    wrap(refusals.check_values, lambda original, batch, metadata: original(batch, metadata and None))
    _claim_dropped("IDX-5")


def _finite(value: Any, kept: Callable[[float], float]) -> Any:
    number: Any = NON_FINITE.get(value, value) if isinstance(value, str) else value
    return kept(number) if number != number or number in {float("inf"), float("-inf")} else value  # noqa: PLR0124


def _logits_finite(kept: Callable[[float], float]) -> Reference:
    return Given(by_part(lambda part: {**part, "logits": [_finite(x, kept) for x in part["logits"]]}), judged=False)


@mutant(WRITER, "QNT-6", containers=(PARQUET, JSON))
def nan_written_as_zero() -> Reference:
    """A NaN among the logits is written as 0."""
    return _logits_finite(lambda x: x if x == x else 0.0)  # noqa: PLR0124


@mutant(WRITER, "QNT-6")
def infinity_clamped() -> Reference:
    """Infinite logits are written as numbers of magnitude 1e4."""
    return _logits_finite(lambda x: 1e4 if x > 0 else -1e4 if x < 0 else x)


@mutant(WRITER, "LSE-1", containers=(PARQUET, JSON))
def logsumexp_not_finite() -> Reference:
    """A logsumexp that is not finite is written as 0."""
    change = by_token(lambda token: {**token, "logsumexp": _finite(token["logsumexp"], lambda _: 0.0)})
    return Given(change, judged=False)


def _paired(part: Row) -> Row:
    return ordered(part, range(min(len(part["indices"]), len(part["logits"]))))


@mutant(WRITER, "ROW-3", containers=(PARQUET, JSON))
def nucleus_paired_as_far_as_it_goes() -> Reference:
    """Indices and logits of different numbers in a nucleus are paired up to the shorter."""
    return Given(by_part(_paired, "top"), judged=False)


@mutant(WRITER, "ROW-4", containers=(PARQUET, JSON))
def tail_paired_as_far_as_it_goes() -> Reference:
    """Indices and logits of different numbers in a tail are paired up to the shorter, tails cut to the shortest."""

    def change(rows: list[Row]) -> list[Row]:
        rows = by_part(_paired, "sampled")(rows)
        width = min((len(token["sampled"]["indices"]) for row in rows for token in row["tokens"]), default=0)
        filled = {"indices": [0], "logits": [-20.0]}
        return by_part(lambda part: ordered(part, range(width)) if width else filled, "sampled")(rows)

    return Given(change, judged=False)


@mutant(WRITER, "ROW-1", containers=(PARQUET, JSON))
def empty_rows_left_out() -> Reference:
    """Rows without tokens are left out."""
    return Given(lambda rows: [row for row in rows if row["tokens"]])


@mutant(WRITER, "ROW-5", containers=(PARQUET, JSON))
def tails_cut_to_the_shortest_row() -> Reference:
    """Where S differs between rows, all tails are cut to the smallest."""

    def change(rows: list[Row]) -> list[Row]:
        width = min((len(row["tokens"][0]["sampled"]["indices"]) for row in rows if row["tokens"]), default=0)
        return by_part(lambda part: ordered(part, range(min(width, len(part["indices"])))), "sampled")(rows)

    return Given(change)


@mutant(WRITER, "NUC-1", containers=(PARQUET, JSON))
def counts_brought_into_range() -> Reference:
    """A nucleus of more than 255 entries is cut, an empty one gets an entry."""

    def change(part: Row) -> Row:
        return (
            ordered(part, range(min(255, len(part["indices"]))))
            if part["indices"]
            else {"indices": [0], "logits": [0.0]}
        )

    return Given(by_part(change, "top"), judged=False)


@mutant(WRITER, "QNT-1", containers=(PARQUET, JSON))
def logits_clamped_to_binary32() -> Reference:
    """Logits that span more than binary32 holds are clamped."""
    return Given(by_part(lambda part: {**part, "logits": [_clamped(x) for x in part["logits"]]}), judged=False)


def _clamped(x: Any) -> Any:
    return x if isinstance(x, str) else max(-1e38, min(1e38, x))


@mutant(WRITER, "ALN-4", containers=(PARQUET, JSON))
def token_ids_out_of_range_written_as_0() -> Reference:
    """Token ids that are missing, negative or too large are written as 0."""

    class Zeroed(Reference):
        def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
            limit = 2**31 if metadata is None else metadata["vocab_size"]
            given = [dict(row) for row in rows]
            if any("token_id" in token for row in given for token in row["tokens"]):
                given = by_token(lambda token: {**token, "token_id": _within(token.get("token_id", 0), limit)})(given)
            super().write(given, path, container, metadata)

    return Zeroed()


def _within(identifier: Any, limit: int) -> int:
    return identifier if isinstance(identifier, int) and 0 <= identifier < limit else 0


def _claim_dropped(requirement: str) -> None:
    """Let a writer not judge one semantic requirement."""

    def judge(original: Any, *args: Any) -> Any:
        return [breach for breach in original(*args) if breach.requirement != requirement]

    wrap(semantics.judge, judge)


@mutant(WRITER, "TAIL-4")
def declared_stride_not_looked_at() -> None:
    """Another S than the metadata declares is written."""

    def refuse(original: Any, got: Any, expected: Any, requirement: str, place: Any) -> None:
        if requirement != "TAIL-4":
            original(got, expected, requirement, place)

    wrap(outgoing._refuse_width, refuse)


@mutant(WRITER, "META-1")
def invalid_metadata_written() -> Reference:
    """Metadata that are not valid are written as they are."""

    class Unjudged(Reference):
        def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
            given = list(rows)
            try:
                super().write(given, path, container, metadata)
            except UsageError as error:
                if error.requirement not in {"META-1", "META-2", "META-7"}:
                    raise
                super().write(given, path, container, None)
                plain = list(stored_rows(Path(path)))
                Path(path).write_bytes(to_bytes(plain, json.dumps(metadata).encode(), Container(container)))

    return Unjudged()
