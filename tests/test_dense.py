"""Dense logits in `.npy` files, against numpy as the other implementation."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

from logitpack_conformance import dense


def test_numpy_reads_what_is_written() -> None:
    """NumPy reads the same shape, type and numbers."""
    rows = [[1.5, -math.inf, 3e38], [0.0, -2.25, 1e-45]]
    found = np.load(io.BytesIO(dense.encode(dense.of_rows(rows))))
    assert np.array(rows, np.float32).tolist() == found.tolist()
    assert np.float32 == found.dtype


def test_reads_what_numpy_writes() -> None:
    """A file of numpy's is read, row by row."""
    sink = io.BytesIO()
    np.save(sink, np.arange(6, dtype="<f4").reshape(2, 3))
    found = dense.decode(sink.getvalue())
    assert ([3.0, 4.0, 5.0], 2, 3) == (found.row(1), found.positions, found.width)


@pytest.mark.parametrize(
    "values",
    [np.zeros((2, 3)), np.zeros(3, "<f4"), np.zeros((2, 3), "<f4", order="F"), np.zeros((2, 0), "<f4")],
    ids=["float64", "one-dimension", "fortran", "empty"],
)
def test_refuses_other_arrays(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    """Anything but binary32 [sequence, vocab_size] in C order is refused."""
    sink = io.BytesIO()
    np.save(sink, values)
    with pytest.raises(ValueError, match="binary32"):
        dense.decode(sink.getvalue())


@pytest.mark.parametrize("cut", [3, 7, 20, 90, -1])
def test_refuses_a_file_that_was_cut(cut: int) -> None:
    """A file that ends early is refused wherever it ends."""
    data = dense.encode(dense.of_rows([[1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"npy|numbers"):
        dense.decode(data[:cut])


def test_rows_are_of_equal_length() -> None:
    """Ragged rows are refused."""
    with pytest.raises(ValueError, match="equal length"):
        dense.of_rows([[1.0], [1.0, 2.0]])
