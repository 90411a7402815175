"""The types of section 5 on an Arrow schema: COL-1, COL-2 and COL-5. pyarrow names the types."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from .columns import NAMED, TOKEN_IDS, Column
from .file import File

INTEGERS = frozenset(f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64))
FLOATS = frozenset({"halffloat", "float", "double"})
BINARIES = frozenset({"binary", "large_binary", "binary_view"})
CANONICAL_NAMES = {"float32": "float", "float64": "double"}


def _is_list(typed: Any) -> bool:
    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(typed) for test in tests)


def is_accepted(typed: Any, column: Column) -> bool:
    """Whether a column may have the type (COL-2)."""
    if column.shape == "binary":
        return str(typed) in BINARIES
    if column.shape == "list":
        if not _is_list(typed):
            return False
        typed = typed.value_type
    return str(typed) in (INTEGERS if column.values == "int" else FLOATS)


def is_canonical(typed: Any, column: Column) -> bool:
    """Whether an accepted type is the canonical one (COL-5); the name and nullability of elements are free."""
    if column.shape == "list":
        if not pa.types.is_list(typed):
            return False
        typed = typed.value_type
    return str(typed) == CANONICAL_NAMES.get(column.canonical, column.canonical)


def plain_name(typed: Any) -> str:
    """Return a type without the names and nullability of its elements, for FILE-2."""
    if _is_list(typed):
        size = f"[{typed.list_size}]" if pa.types.is_fixed_size_list(typed) else ""
        return f"{str(typed).split('<')[0]}<{typed.value_type}>{size}"
    return str(typed)


def judge_schema(file: File, schema: Any) -> None:
    """COL-1, COL-2 and COL-5; sets `types` and `are_columns_sound`."""
    file.types = {}
    for column in NAMED:
        found = [i for i, name in enumerate(schema.names) if name == column.name]
        if len(found) > 1 or (not found and column is not TOKEN_IDS):
            file.report("COL-1", f"the column stands {len(found)} times", column=column.name)
            file.are_columns_sound = False
        elif found:
            typed = schema.field(found[0]).type
            file.types[column.name] = plain_name(typed)
            if not is_accepted(typed, column):
                file.report("COL-2", f"type {typed}, expected {column.canonical}", column=column.name)
                file.are_columns_sound = False
            elif not is_canonical(typed, column):
                file.report("COL-5", f"type {typed}, canonical {column.canonical}", column=column.name)
