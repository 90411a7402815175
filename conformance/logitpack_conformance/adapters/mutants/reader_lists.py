"""Readers that know Parquet lists of three levels only."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from logitpack import DataError
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role


class ByPath(Reference):
    """A reader that finds lists by the names of their levels."""

    def read(self, path: str) -> list[Row]:
        """Read a file, but for lists that have other levels."""
        rows = super().read(path)
        if Path(path).is_file():
            schema = pq.ParquetFile(path).schema
            if "logsumexp.list.element" not in [schema.column(i).path for i in range(len(schema))]:
                raise DataError("there is no logsumexp.list.element")
        return rows


@mutant(Role.READER, "RD-5")
def lists_of_three_levels_only() -> Reference:
    """Parquet lists are found by the paths that today's writers give them, list.element."""
    return ByPath()
