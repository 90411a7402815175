"""Dense logits as `.npy` files: binary32 numbers [sequence, vocab_size], read and written without numpy.

Strategy: NumPy's format is a magic number, a header that is the text of a Python dict, and the numbers themselves. Of
it, this module takes what the protocol promises: version 1.0 or 2.0, `<f4`, C order, two dimensions.
"""

from __future__ import annotations

import ast
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

MAGIC = b"\x93NUMPY"
ALIGNMENT = 64
"""The numbers begin at a multiple of so many bytes."""
LENGTH_BYTES = {1: 2, 2: 4}
"""By major version: how many bytes the length of the header takes."""


@dataclass(frozen=True)
class Dense:
    """Logits in nats: `values` holds the positions one after another, `width` (vocab_size) logits each."""

    width: int
    values: array[float]

    @property
    def positions(self) -> int:
        """The length of the sequence."""
        return len(self.values) // self.width

    def row(self, position: int) -> list[float]:
        """Return the logits of a position, [vocab_size]."""
        return self.values[position * self.width : (position + 1) * self.width].tolist()


def of_rows(rows: Sequence[Sequence[float]]) -> Dense:
    """Return logits of rows of equal length, each rounded to binary32. Raises ValueError for other rows."""
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("logits are rows of equal length, at least one")
    values = array("f")
    for row in rows:
        values.extend(row)
    return Dense(len(rows[0]), values)


def encode(dense: Dense) -> bytes:
    """Return the bytes of a `.npy` file of version 1.0."""
    shape = (dense.positions, dense.width)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    start = len(MAGIC) + 2 + LENGTH_BYTES[1]
    padded = header + " " * (-(start + len(header) + 1) % ALIGNMENT) + "\n"
    return MAGIC + b"\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("latin-1") + _swapped(dense.values)


def decode(data: bytes) -> Dense:
    """Return the logits of a `.npy` file. Raises ValueError where it is none of binary32 [sequence, vocab_size]."""
    width = LENGTH_BYTES.get(data[6] if len(data) > 6 else 0)
    if not data.startswith(MAGIC) or width is None:
        raise ValueError("no .npy file of version 1.0 or 2.0")
    start = 8 + width
    end = start + int.from_bytes(data[8:start], "little")
    try:
        header = ast.literal_eval(data[start:end].decode("latin-1").strip())
        kind, is_fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    except (SyntaxError, ValueError, TypeError, KeyError) as error:
        raise ValueError("the header is not that of a .npy file") from error
    if kind != "<f4" or is_fortran or not isinstance(shape, tuple) or len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"{kind} {shape} is not binary32 [sequence, vocab_size] in C order")
    if len(data) - end != 4 * shape[0] * shape[1]:
        raise ValueError(f"{len(data) - end} bytes of numbers for {shape}")
    values = array("f")
    values.frombytes(data[end:])
    if sys.byteorder == "big":
        values.byteswap()
    return Dense(shape[1], values)


def _swapped(values: array[float]) -> bytes:
    """Return the numbers in little-endian order."""
    if sys.byteorder == "big":
        values = array("f", values)
        values.byteswap()
    return values.tobytes()
