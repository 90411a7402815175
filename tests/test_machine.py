"""The kernels' machine code: compiled once, kept whole, loaded without numba, and never taken for another's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from logitpack import machine

LOAD = """
import sys
{before}
from logitpack.machine import kernels
print(kernels() is not None, "numba" in sys.modules, end="")
"""
COMPILED, LOADED, NOT_THERE = "True True", "True False", "False False"


def load(folder: Path, before: str = "") -> str:
    """Load the kernels in a process of its own: whether they are there, and whether numba was needed."""
    command = [sys.executable, "-c", LOAD.format(before=before)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have the kernels compiled, and their code kept, in a folder that is not there before."""
    folder = tmp_path_factory.mktemp("cache") / "new"
    assert load(folder) == COMPILED
    return folder


def test_the_second_time_needs_no_numba(kept: Path) -> None:
    """What was compiled once is loaded, even where numba cannot be imported."""
    assert load(kept) == LOADED


@pytest.mark.parametrize("cut", [False, True])
def test_damaged_code_is_compiled_anew(kept: Path, tmp_path: Path, *, cut: bool) -> None:
    """Code that does not match its digest is not run: what is cut off, or has one byte changed."""
    (whole,) = kept.iterdir()
    content = bytearray(whole.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / whole.name).write_bytes(b"" if cut else content)
    assert load(tmp_path) == COMPILED
    assert load(tmp_path) == LOADED


def test_code_for_another_processor_is_not_loaded(kept: Path) -> None:
    """The name of the file says what it was compiled for."""
    other = "import llvmlite.binding; llvmlite.binding.get_host_cpu_name = lambda: 'x86-64'"
    assert load(kept, f"sys.modules['numba'] = None; {other}") == NOT_THERE.replace("False False", "False True")


def test_without_a_place_to_keep_it_code_is_compiled(tmp_path: Path) -> None:
    """A folder that cannot be made is no reason to fail."""
    (tmp_path / "file").write_bytes(b"")
    assert load(tmp_path / "file" / "below") == COMPILED


def test_without_llvmlite_there_are_no_kernels(tmp_path: Path) -> None:
    """Reading and small data need numpy and pyarrow only."""
    assert load(tmp_path, "sys.modules['llvmlite'] = None; sys.modules['llvmlite.binding'] = None") == NOT_THERE


def test_arrays_of_another_kind_are_refused() -> None:
    """An array of another type, or with gaps, is never read as what it is not."""
    loaded = machine.kernels()
    assert loaded is not None
    offsets, falls, ranges = np.array([0, 2]), np.zeros(1, np.bool_), np.zeros((2, 1), np.float32)
    total, ends = np.zeros(1), np.zeros((2, 1), np.uint16)
    code = np.array([5, 4], np.uint16)
    loaded.scan(code, 2, offsets, 1, *ranges, total, *ends, falls)
    assert total.tolist() == pytest.approx([2])
    assert (ends.tolist(), falls.tolist()) == ([[4], [5]], [True])
    for other in (code.astype(np.int64), np.zeros((2, 2), np.uint16)[:, 0]):
        with pytest.raises(Exception, match=r"argument 1.*must have"):
            loaded.scan(other, 2, offsets, 1, *ranges, total, *ends, falls)
