"""What is wanted of a file's rows, by whoever reads it."""

from __future__ import annotations

from typing import NamedTuple


class Wanted(NamedTuple):
    """Which rows and columns, and how.

    `groups` are row groups or record batches, None for all; `all_columns` asks for those that have no meaning here
    too. `threads` lets Arrow decode columns side by side; a slice of a row group holds some `elements` list elements.
    Slices that are only `passing` may lose their values once the next is asked for, and a thread asks for those of one
    file at a time.
    """

    groups: range | None = None
    all_columns: bool = False
    threads: bool = True
    elements: int | None = None
    passing: bool = False


ALL = Wanted()
"""All rows, with the columns of the table."""
