"""Memory that is read into again and again: a file for Arrow to read record batches from, one at a time.

Strategy: fresh memory costs as much as copying into it, page by page, and two threads that ask for it wait for each
other. So each thread keeps some, in huge pages where there are such. A batch that does not fit gets addresses, and the
values of some of its rows are read when it is their turn. Nothing that came of an earlier batch may be used once a
later one, or other rows, are asked for: this is for those who look at rows and let go of them.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa

from logitpack.arrays import value_range
from logitpack.columns import cut
from logitpack.errors import DataError

KEPT = 64 << 20
"""Bytes that a thread keeps: a batch of 200,000 tokens."""
LARGE = 1 << 20
"""Bytes of a read that are worth it."""
ELEMENTS = 8 << 20
"""Elements of a batch that does not fit that are read at a time: some 60,000 tokens."""
_ALIGNMENT = 64


class Feed:
    """A file that Arrow reads batches from, as it is."""

    def __init__(self, file: pa.NativeFile) -> None:
        """Read from `file`, in this thread only."""
        self._file = file

    @property
    def file(self) -> pa.NativeFile:
        """The file for Arrow."""
        return self._file

    def begin(self, body: int | None) -> None:
        """Begin a batch: what was read before is no longer used.

        `body` is where its values begin, if they may be read later; None where they are compressed, or it is unknown.
        """

    def parts(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the batch that was begun, in slices where it did not fit."""
        yield batch


class Recycled(Feed):
    """A file whose large reads go into the memory of this thread: what a `pyarrow.PythonFile` asks for."""

    closed = False

    def __init__(self, file: pa.NativeFile) -> None:
        """Read from `file`, in this thread only."""
        super().__init__(file)
        self._size, self._at = file.size(), 0
        self._body: int | None = None
        self._mirror: _Mirror | None = None

    @property
    def file(self) -> pa.NativeFile:
        """The file for Arrow, whose large reads come here."""
        return pa.PythonFile(self, mode="r")

    def begin(self, body: int | None) -> None:
        """Begin a batch, as of any feed."""
        self._at, self._body, self._mirror = 0, body, None

    def parts(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the batch that was begun, as of any feed."""
        if self._mirror is None:
            yield batch
            return
        after = self.tell()
        yield from self._mirror.parts(batch)
        self.seek(after)

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
        """Read into the memory of this thread where that is worth it and it has room, or later."""
        place = self.tell()
        size = max(min(size, self._size - place), 0)
        start, stop = self._at, self._at + size
        if size < LARGE:
            return self._file.read_buffer(size)
        if stop <= KEPT:
            self._at = -(-stop // _ALIGNMENT) * _ALIGNMENT
            whole = _memory()
            return whole.slice(start, self._file.readinto(memoryview(whole)[start:stop]))
        if self._body is None or self._mirror is not None or not place <= self._body < place + size:
            return self._file.read_buffer(size)
        self._mirror = _Mirror(self._file, place, size)
        self._mirror.fill(0, self._body - place)
        self.seek(place + size)
        return self._mirror.buffer


class _Mirror:
    """A part of a file at addresses of memory, which is filled where that is asked for."""

    def __init__(self, file: pa.NativeFile, place: int, size: int) -> None:
        self._file, self._place = file, place
        self._pages = _pages(size)
        self.buffer = pa.py_buffer(self._pages)

    def parts(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Read what tells where values stand; then yield the rows in slices, whose values are there until the next."""
        base = self.buffer.address
        for array in batch.columns:
            *others, values = array.buffers()
            for buffer in [*others, values] if value_range(array.slice(0, 0)) is None else others:
                if buffer is not None:
                    self.fill(buffer.address - base, buffer.address - base + buffer.size)
        for part in cut(batch, elements=ELEMENTS):
            ranges = [found for found in map(value_range, part.columns) if found is not None]
            for start, stop in ranges:
                self.fill(start - base, stop - base)
            yield part
            for start, stop in ranges:
                self._forget(start - base, stop - base)

    def fill(self, start: int, stop: int) -> None:
        """Read the bytes from `start` to `stop`; nothing where they are not all of this part of the file."""
        if not 0 <= start < stop <= self.buffer.size:
            return
        self._file.seek(self._place + start)
        if self._file.readinto(memoryview(self._pages)[start:stop]) < stop - start:
            raise DataError("the file is broken: it ends within a record batch", requirement="FILE-1")

    def _forget(self, start: int, stop: int) -> None:
        """Give memory back, of whole pages: what else is on the others may be needed."""
        first, last = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, stop // mmap.PAGESIZE * mmap.PAGESIZE
        if first < last:
            with suppress(AttributeError, OSError, ValueError):
                self._pages.madvise(mmap.MADV_DONTNEED, first, last - first)


class _Kept(threading.local):
    whole: pa.Buffer | None = None


_KEPT = _Kept()


def _memory() -> pa.Buffer:
    if _KEPT.whole is None:
        pages = _pages(KEPT)
        with suppress(AttributeError, OSError):  # where there are no huge pages
            pages.madvise(mmap.MADV_HUGEPAGE)
        _KEPT.whole = pa.py_buffer(pages)
    return _KEPT.whole


def _pages(size: int) -> mmap.mmap:
    with suppress(AttributeError):  # of another system
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)
