"""Checkers that look for page checksums (FILE-4) in some places only, or in too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logitpack import pages
from logitpack.table import COLUMNS
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.mutants.swap import swap
from logitpack_conformance.model import Role

CHECKER = Role.CHECKER
Looks = Callable[[pages.Chunk, list[bool]], bool]


def _bare_where(looks: Looks) -> None:
    """Let `looks` find that a checksum is missing: of a column chunk, and which of its pages have none."""

    def first(file: Any, *_: Any, **__: Any) -> tuple[int, str] | None:
        for chunk in pages.chunks(file):
            if looks(chunk, [page.checksum is None for page in pages._pages(file, chunk)]):
                return chunk.row_group, chunk.column
        return None

    swap(pages.first_without_checksum, first)


@mutant(CHECKER, "FILE-4")
def checksums_looked_for_in_the_first_column() -> None:
    """That page checksums are missing is judged by the first column."""
    _bare_where(lambda chunk, bare: chunk.name == "num_tokens" and bare[0])


@mutant(CHECKER, "FILE-4")
def checksums_looked_for_in_the_first_row_group() -> None:
    """That page checksums are missing is judged by the first row group."""
    _bare_where(lambda chunk, bare: chunk.row_group == 0 and bare[0])


@mutant(CHECKER, "FILE-4")
def checksums_looked_for_in_named_columns() -> None:
    """That page checksums are missing is judged by the columns that SPEC.md names."""
    _bare_where(lambda chunk, bare: chunk.name in COLUMNS and bare[0])


@mutant(CHECKER, "FILE-4")
def one_checksum_of_a_chunk_is_enough() -> None:
    """A column chunk counts as one with checksums where any of its pages has one."""
    _bare_where(lambda _, bare: all(bare))


@mutant(CHECKER, "FILE-4", "CHK-3")
def every_page_looked_at() -> None:
    """That page checksums are missing is reported for pages after the first of a column chunk too."""
    _bare_where(lambda _, bare: any(bare))
