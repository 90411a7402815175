"""Arrow arrays on their way to numpy: validated, flat, whatever their layout.

Strategy: the accepted types differ in where they keep the lengths of their rows and whether
rows stand in order; here that difference ends. Nothing is known of an array that comes from a
file until Arrow has validated it in full: offsets may decrease, or point out of their buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logitpack.errors import DataError, Place
from logitpack.table import COLUMNS

Numbers = NDArray[Any]

_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}


def known_arrays(record_batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Return the arrays of the table's columns, by name, each validated in full.

    Raises DataError FILE-1 for offsets or buffers that are out of bounds.
    """
    names = record_batch.schema.names
    arrays = {name: record_batch.column(names.index(name)) for name in COLUMNS if name in names}
    for name, array in arrays.items():
        try:
            array.validate(full=True)
        except (pa.ArrowException, ValueError) as error:
            raise DataError(f"{name} is corrupt: {error}", requirement="FILE-1", place=Place(column=name)) from error
    return arrays


def row_elements(arrays: dict[str, pa.Array]) -> NDArray[np.int64]:
    """Return how many elements and bytes each row takes once flat: int64 [rows].

    Views may share elements between rows, so a small file can have large rows.
    """
    total = np.zeros(len(arrays["num_tokens"]), np.int64)
    for name, array in arrays.items():
        if COLUMNS[name].kind != "scalar":
            total += lengths(array)
    return total


def plain(array: pa.Array) -> pa.Array:
    """Return a view of bytes as plain bytes, any other array as it is."""
    return array.cast(pa.large_binary()) if pa.types.is_binary_view(array.type) else array


def flat(array: pa.Array) -> pa.Array:
    """Return the elements of all rows of a list array, one after another."""
    if len(array) == 0:  # it need not have an offsets buffer, and Arrow would follow the null pointer
        return pa.array([], array.type.value_type)
    if array.null_count or not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return array.flatten()
    offsets = numbers(array.offsets)  # `flatten` would import pyarrow.compute, which takes longer than many a check
    return array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def lengths(array: pa.Array) -> Numbers:
    """Return the elements or bytes of each row, integers [rows]; a null row may have any."""
    kind = array.type
    if len(array) == 0:
        return np.zeros(0, np.int64)
    if pa.types.is_fixed_size_list(kind):
        return np.full(len(array), kind.list_size, np.int64)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return numbers(array.sizes)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _steps(numbers(array.offsets))
    if pa.types.is_binary_view(kind):  # views of 16 bytes, of which the first 4 are the length
        count, at = 4 * len(array), 16 * array.offset
        views = np.frombuffer(array.buffers()[1], np.int32, count=count, offset=at)
        return np.maximum(views[::4], 0)
    return _steps(_binary_offsets(array))


def _steps(offsets: Numbers) -> Numbers:
    return offsets[1:] - offsets[:-1]  # np.diff takes ten times as long for a few


def _binary_offsets(array: pa.Array) -> Numbers:
    dtype = np.dtype(np.int32 if pa.types.is_binary(array.type) else np.int64)
    at = array.offset * dtype.itemsize
    return np.frombuffer(array.buffers()[1], dtype, count=len(array) + 1, offset=at)


def flat_bytes(array: pa.Array, size: int) -> NDArray[np.uint8]:
    """Return the `size` bytes of all rows of a binary array, without a copy: uint8 [size]."""
    if size == 0:
        return np.zeros(0, np.uint8)
    start = int(_binary_offsets(array)[0])
    return np.frombuffer(array.buffers()[2], np.uint8, count=size, offset=start)


def value_range(array: pa.Array) -> tuple[int, int] | None:
    """Return the addresses where the values of a list or binary array begin and end, if they stand in one piece.

    None for others, whose values are few, or may stand anywhere; its offsets have been validated.
    """
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        first, last = array.offset * kind.list_size, (array.offset + len(array)) * kind.list_size
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        first, last = _ends(numbers(array.offsets)) if len(array) else (0, 0)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        first, last = _ends(_binary_offsets(array)) if len(array) else (0, 0)
    else:
        return None
    values = array.buffers()[-1]
    if values is None:
        return 0, 0
    width = kind.value_type.bit_width // 8 if pa.types.is_nested(kind) else 1
    return values.address + first * width, values.address + last * width


def _ends(offsets: Numbers) -> tuple[int, int]:
    return int(offsets[0]), int(offsets[-1])


def numbers(array: pa.Array) -> Numbers:
    """Return the values of an array of numbers without nulls, without a copy: [elements].

    `pyarrow.Array.to_numpy` and `to_pandas_dtype` would import pandas, which takes longer than many a check.
    """
    name = str(array.type)
    dtype = np.dtype(_FLOATS.get(name, name))
    if len(array) == 0:
        return np.zeros(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype, count=len(array), offset=array.offset * dtype.itemsize)


def is_null(array: pa.Array) -> NDArray[np.bool_]:
    """Return where an array is null: bool [rows]."""
    mask = array.is_null()
    if len(mask) == 0:
        return np.zeros(0, np.bool_)
    bits = np.unpackbits(np.frombuffer(mask.buffers()[1], np.uint8), bitorder="little")
    return bits[mask.offset : mask.offset + len(mask)].astype(np.bool_)
