"""Writers that lose or reorder what they are given (WR-3), refuse good rows (WR-5), or leave files behind (WR-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import logitpack
from logitpack import UsageError, logical_json, refusals
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, ARROW_STREAM, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import swapped
from logitpack_conformance.adapters.mutants.writer_base import Given, Message, by_part, ordered
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

WRITER = Role.WRITER


def _by(part: Row, name: str, sign: int) -> Row:
    return ordered(part, sorted(range(len(part[name])), key=lambda i: sign * part[name][i]))


@mutant(WRITER, "WR-3", containers=(PARQUET, JSON))
def last_row_lost() -> Reference:
    """The last of several rows is not written."""
    return Given(lambda rows: rows[:-1] if len(rows) > 1 else rows)


@mutant(WRITER, "WR-3")
def last_token_lost() -> Reference:
    """The last token of a row with several is not written."""
    return Given(lambda rows: [{**row, "tokens": row["tokens"][:-1] or row["tokens"]} for row in rows])


@mutant(WRITER, "WR-3")
def tail_sorted() -> Reference:
    """The tail is written in order of its indices."""
    return Given(by_part(lambda part: _by(part, "indices", 1), "sampled"))


@mutant(WRITER, "WR-3")
def nucleus_sorted() -> Reference:
    """The nucleus is written in order of its logits, whatever order it was given in."""
    return Given(by_part(lambda part: _by(part, "logits", -1), "top"))


@mutant(WRITER, "WR-3")
def rows_reversed() -> Reference:
    """Rows are written last first."""
    return Given(lambda rows: rows[::-1])


@mutant(WRITER, "WR-3", "NUC-8")
def nucleus_cut_at_100() -> Reference:
    """Of a nucleus, 100 entries are written; what was given is judged before."""
    cut = by_part(lambda part: ordered(part, range(min(100, len(part["indices"])))), "top")

    class Cut(Reference):
        def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
            given = [dict(row) for row in rows]
            super().write(given, path, container, metadata)
            if cut(given) != given:  # no claim would be refused of what has been cut
                with swapped(refusals.check_claims, lambda columns, declared: None):  # noqa: ARG005
                    super().write(cut(given), path, container, metadata)

    return Cut()


@mutant(WRITER, "WR-3")
def equal_rows_once() -> Reference:
    """A row that equals the one before it is not written again."""
    return Given(lambda rows: [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]])


def _refusing(is_unwanted: Callable[[list[Row]], bool]) -> Reference:
    def change(rows: list[Row]) -> list[Row]:
        if is_unwanted(rows):
            raise UsageError("such rows are not written")
        return rows

    return Given(change)


def _some(of: Callable[[Row], bool]) -> Callable[[list[Row]], bool]:
    return lambda rows: any(of(token) for row in rows for token in row["tokens"])


@mutant(WRITER, "WR-5", containers=(PARQUET, JSON))
def no_rows_refused() -> Reference:
    """No rows at all are refused."""
    return _refusing(lambda rows: not rows)


@mutant(WRITER, "WR-5")
def tail_of_one_refused() -> Reference:
    """Tails of one entry are refused."""
    return _refusing(_some(lambda token: len(token["sampled"]["indices"]) == 1))


@mutant(WRITER, "WR-5")
def greatest_index_refused() -> Reference:
    """The index 262,143 is refused."""
    return _refusing(_some(lambda token: 262_143 in token["top"]["indices"] + token["sampled"]["indices"]))


@mutant(WRITER, "WR-5")
def more_than_100_entries_refused() -> Reference:
    """A nucleus of more than 100 entries is refused."""
    return _refusing(_some(lambda token: len(token["top"]["indices"]) > 100))


@mutant(WRITER, "WR-5")
def empty_ranges_refused() -> Reference:
    """Entries of one logit throughout are refused."""
    return _refusing(_some(lambda token: len(set(token["top"]["logits"])) == 1))


@mutant(WRITER, "WR-5")
def metadata_required() -> Reference:
    """Rows without metadata are refused."""

    class Described(Reference):
        def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
            if metadata is None and container != JSON:
                raise UsageError("there are no metadata")
            super().write(rows, path, container, metadata)

    return Described()


class Untidy(Reference):
    """A writer that leaves a file where it refuses; `leave` writes it: of (path, container)."""

    def __init__(self, leave: Callable[[Path, str], None]) -> None:
        self.leave = leave

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
        """Write the rows, or refuse and leave something."""
        given = list(rows)
        try:
            super().write(given, path, container, metadata)
        except UsageError:
            target = Path(path)
            for count in range(len(given), -1, -1):  # as many rows as can be written
                with suppress(UsageError):
                    logitpack.write(target, logitpack_rows(given[:count]), container=container)
                    break
            self.leave(target, container)
            raise


def logitpack_rows(rows: list[Mapping[str, Any]]) -> logitpack.Batch:
    """Return logical rows as a batch."""
    return logical_json.batch_from_logical(rows)


@mutant(WRITER, "WR-2", containers=(PARQUET, ARROW_FILE, ARROW_STREAM, JSON))
def partial_file_left() -> Reference:
    """Where rows are refused, a file with those before them is left."""
    return Untidy(lambda path, container: None)  # noqa: ARG005


@mutant(WRITER, "WR-2")
def temporary_file_left() -> Reference:
    """Where rows are refused, a whole file with those before them is left under another name."""

    def leave(path: Path, container: str) -> None:
        del container
        path.replace(path.with_name(f"part-0{path.suffix}"))

    return Untidy(leave)
