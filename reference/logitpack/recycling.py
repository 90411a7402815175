"""Memory that is read into again and again: a file for Arrow to read from, whose large reads share it.

Strategy: fresh memory costs as much as copying into it, page by page, and two threads that ask for it wait for each
other. So each thread keeps some, in huge pages where there are such. Nothing that came of an earlier read may be used
once a later one begins, so that this is for those who look at a batch and let go of it.
"""

from __future__ import annotations

import mmap
import threading
from contextlib import suppress

import pyarrow as pa

KEPT = 64 << 20
"""Bytes that a thread keeps: a batch of 200,000 tokens."""
LARGE = 1 << 20
"""Bytes of a read that are worth it."""
_ALIGNMENT = 64


class Recycled:
    """A file whose large reads go into the memory of this thread: what a `pyarrow.PythonFile` asks for."""

    closed = False

    def __init__(self, file: pa.NativeFile) -> None:
        """Read from `file`, in this thread only."""
        self._file, self._size, self._at = file, file.size(), 0

    def again(self) -> None:
        """Begin anew: what was read before is no longer used."""
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as of any file."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """Give the place, as of any file."""
        return int(self._file.tell())

    def readable(self) -> bool:
        """Be read from."""
        return True

    def seekable(self) -> bool:
        """Be read from anywhere."""
        return True

    def close(self) -> None:
        """Leave the file to who opened it."""

    def read(self, size: int = -1) -> bytes:
        """Read into memory of its own."""
        content: bytes = self._file.read(size if size >= 0 else None)
        return content

    def read_buffer(self, size: int) -> pa.Buffer:
        """Read into the memory of this thread, where that is worth it and it has room."""
        size = max(min(size, self._size - self.tell()), 0)
        start, stop = self._at, self._at + size
        if size < LARGE or stop > KEPT:
            return self._file.read_buffer(size)
        self._at = -(-stop // _ALIGNMENT) * _ALIGNMENT
        whole = _memory()
        return whole.slice(start, self._file.readinto(memoryview(whole)[start:stop]))


class _Kept(threading.local):
    whole: pa.Buffer | None = None


_KEPT = _Kept()


def _memory() -> pa.Buffer:
    if _KEPT.whole is None:
        pages = mmap.mmap(-1, KEPT)
        with suppress(AttributeError, OSError):  # where there are no huge pages
            pages.madvise(mmap.MADV_HUGEPAGE)
        _KEPT.whole = pa.py_buffer(pages)
    return _KEPT.whole
