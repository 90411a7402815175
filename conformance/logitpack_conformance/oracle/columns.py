"""The columns of section 5 in plain Python: names, and COL-1, COL-2 and COL-3 for one row given as a dict.

Strategy: a row is a mapping from column names to int, list and bytes. Files with a schema judge COL-1 and COL-2 on that
(`arrow_types`); a row of stored JSON or of a test has only its values, and is judged by their Python types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .finding import Finding


@dataclass(frozen=True, slots=True)
class Column:
    """One line of the table in section 5: shape is `scalar`, `list` or `binary`, values `int`, `float` or `bytes`."""

    name: str
    shape: str
    values: str
    canonical: str


COLUMNS = (
    Column("num_tokens", "scalar", "int", "int32"),
    Column("top_counts", "list", "int", "uint8"),
    Column("top_indices_low", "list", "int", "uint16"),
    Column("top_indices_high", "binary", "bytes", "binary"),
    Column("top_logits_quantized", "list", "int", "uint16"),
    Column("top_min", "list", "float", "float32"),
    Column("top_max", "list", "float", "float32"),
    Column("sampled_indices_low", "list", "int", "uint16"),
    Column("sampled_indices_high", "binary", "bytes", "binary"),
    Column("sampled_logits_quantized", "list", "int", "uint16"),
    Column("sampled_min", "list", "float", "float32"),
    Column("sampled_max", "list", "float", "float32"),
    Column("logsumexp", "list", "float", "float64"),
)
"""The thirteen required columns."""
TOKEN_IDS = Column("token_ids", "list", "int", "int32")
NAMED = (*COLUMNS, TOKEN_IDS)
PER_TOKEN = ("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
"""The columns of ROW-2."""


def _is_value(value: object, kind: str) -> bool:
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_typed(value: object, column: Column) -> bool:
    """Whether a value is of the column's type, nulls apart (COL-2)."""
    if value is None:
        return True
    if column.shape == "binary":
        return isinstance(value, bytes)
    if column.shape == "scalar":
        return _is_value(value, column.values)
    return isinstance(value, list) and all(v is None or _is_value(v, column.values) for v in value)


def judge_types(row: Mapping[str, object]) -> Iterator[Finding]:
    """COL-1 and COL-2 on one row of plain values; COL-2 only for a column that is there (section 14.3)."""
    for column in NAMED:
        if column.name not in row:
            if column is not TOKEN_IDS:
                yield Finding("COL-1", "the column is missing", column=column.name)
        elif not _is_typed(row[column.name], column):
            yield Finding("COL-2", f"expected {column.shape} of {column.values}", column=column.name)


def judge_nulls(row: Mapping[str, object]) -> Iterator[Finding]:
    """COL-3 on one row: one finding for a column with nulls."""
    for column in NAMED:
        if column.name in row:
            value = row[column.name]
            if value is None or (isinstance(value, list) and None in value):
                yield Finding("COL-3", "a null", column=column.name)
