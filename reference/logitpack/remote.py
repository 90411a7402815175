"""Files behind URLs, read by ranges: no byte is fetched that is not asked for, and hardly one twice.

Strategy: whoever knows what comes next says so (`expect`), and it comes in a few long requests; whoever reads
on where he stopped gets more than he asked for, which is kept for his next step; anything else is fetched as it is
asked for. The two ends of a file are kept, where its schema and its footer are, for as long as the file is the same,
for it may be opened again for its next part; and what was expected last, for it is looked at again: decoded first,
then for its checksums.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from logitpack.errors import Place, UsageError
from logitpack.urls import file_system, first_cause, is_web, reaching, refusal, shown, status_of, version_of

SMALL = 1 << 20
HEAD, TAIL = 1 << 14, 1 << 16
GAP = 1 << 16
"""Ranges that are nearer to each other than this are fetched in one."""
AHEAD = (1 << 16, 4 << 20)
"""How much more one who reads on gets: the first time, and at most."""
PIECE = 4 << 20
"""Bytes of one request at most: each is in memory some three times as it arrives, for every job."""
MOST_EXPECTED, MOST_KEPT = 256 << 20, 64 << 20
"""Bytes that are fetched ahead at a time, and that are kept of earlier times."""
PAUSES = (0.2, 1.0)
"""Seconds before a request that failed is made again; then it has failed."""

MOST_ENDS = 32 << 20
"""Bytes of the ends of files that are kept for the next time they are opened."""
PARQUET_END, MOST_FOOTER = b"PAR1", 16 << 20

Range = tuple[int, int]
Kept = tuple[int, pa.Buffer]
Key = tuple[str, int, str | None]


class RemoteFile:
    """A file behind a URL, as `pyarrow.PythonFile` takes it. Raises UsageError where it cannot be reached."""

    def __init__(self, url: str) -> None:
        """Find the file and its size; nothing is fetched before something is read."""
        self._url = url
        system, path = file_system(url)
        with reaching(url):
            told = system.info(path)
            # A web server would be asked for the size once more.
            size = {"size": told["size"]} if is_web(url) and told.get("size") else {}
            self._file: Any = system.open(path, "rb", cache_type="none", **size)
            self.size = int(self._file.seek(0, 2))
        self._key = (url, self.size, version_of(told))
        self.closed = False
        self._at, self._next = 0, self.size  # where it stands, and where one who reads on would
        self._ahead = AHEAD[0]
        self._expected: list[Kept] = []
        self._last: Kept = (0, pa.py_buffer(b""))
        self._ends: list[Kept] = []

    def expect(self, ranges: Iterable[Range]) -> None:
        """Fetch what is going to be read, (start, stop) each, and let go of what was expected long before."""
        self._fetch_ends()
        first, last = self._ends[0][1].size, self._ends[-1][0]  # what is between the ends
        clipped = ((max(start, first), min(stop, last)) for start, stop in sorted(ranges))
        wanted = [(start, stop) for start, stop in clipped if start < stop and self._kept(start, stop) is None]
        if sum(stop - start for start, stop in wanted) > MOST_EXPECTED:
            return
        while sum(content.size for _, content in self._expected) > MOST_KEPT:
            del self._expected[0]
        self._expected += [(start, self._fetch(start, stop)) for start, stop in _runs(wanted)]

    def read_buffer(self, size: int = -1) -> pa.Buffer:
        """Read as `read` does, without a copy."""
        self._fetch_ends()
        start = self._at
        stop = self.size if size < 0 else min(start + size, self.size)
        pieces = []
        while self._at < stop:
            piece = self._piece(self._at, stop)
            pieces.append(piece)
            self._at += piece.size
        return pieces[0] if len(pieces) == 1 else pa.py_buffer(b"".join(pieces))

    def read(self, size: int = -1) -> bytes:
        """Read on from where the file stands, to its end where `size` is negative."""
        content: bytes = self.read_buffer(size).to_pybytes()
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to another place."""
        self._at = max(offset + (0, self._at, self.size)[whence], 0)
        return self._at

    def tell(self) -> int:
        """Return where the file stands."""
        return self._at

    def close(self) -> None:
        """Let go of the file, and of what is kept of it."""
        if not self.closed:
            self.closed = True
            self._expected = []
            self._file.close()

    def _fetch_ends(self) -> None:
        """Fetch both ends of the file, its whole footer among them, or all of a small file; unless they are kept."""
        self._ends = self._ends or _ENDS.get(self._key)
        if self._ends:
            return
        if self.size <= SMALL:
            self._ends = [(0, self._fetch(0, self.size))]
        else:
            start = self.size - TAIL
            tail = self._fetch(start, self.size)
            self._ends = [(0, self._fetch(0, HEAD)), (start, tail)]
            last = tail[-8:].to_pybytes()
            footer = self.size - 8 - int.from_bytes(last[:4], "little")
            if last.endswith(PARQUET_END) and self.size - MOST_FOOTER < footer < start:
                self._ends.insert(1, (footer, self._fetch(footer, start)))
        _ENDS.put(self._key, self._ends)

    def _piece(self, start: int, stop: int) -> pa.Buffer:
        """Return the bytes from `start` on, at most to `stop` and at least one: kept ones, else new ones."""
        kept = self._kept(start, start + 1, stop)
        if kept is None:
            begins = [begin for begin, _ in (*self._expected, *self._ends) if begin > start]
            end = min([stop, *begins])
            # One who reads on gets more, or a stream of small messages would be as many requests.
            if 0 <= start - self._next <= GAP:
                end = min([max(end, start + self._ahead), self.size, *begins])
                self._ahead = min(2 * self._ahead, AHEAD[1])
            else:
                self._ahead = AHEAD[0]
            self._last = (start, self._fetch(start, end))
            kept = self._last[1].slice(0, min(stop, end) - start)
        self._next = start + kept.size
        return kept

    def _kept(self, start: int, stop: int, longest: int | None = None) -> pa.Buffer | None:
        """Return the bytes from `start` to `stop` where they are kept; with `longest`, as far as they are kept."""
        for begin, content in (*self._expected, *self._ends, self._last):
            end = begin + content.size
            if begin <= start and stop <= end:
                return content.slice(start - begin, min(longest or stop, end) - start)
        return None

    def _fetch(self, start: int, stop: int) -> pa.Buffer:
        """Fetch bytes, in requests that are not too long to be made again."""
        if stop - start <= PIECE:
            return pa.py_buffer(self._request(start, stop))
        content = bytearray(stop - start)
        for at in range(start, stop, PIECE):
            piece = self._request(at, min(at + PIECE, stop))
            content[at - start : at - start + len(piece)] = piece
        return pa.py_buffer(content)

    def _request(self, start: int, stop: int) -> bytes:
        if start == stop:
            return b""
        for pause in (*PAUSES, None):
            try:
                self._file.seek(start)
                content: bytes = self._file.read(stop - start)
            except Exception as error:
                if pause is None or not _passes(error):
                    raise refusal(error, self._url) from error
            else:
                if len(content) == stop - start:
                    return content
            if pause is not None:
                time.sleep(pause)
        raise UsageError(
            f"cannot be read: {len(content):,} bytes came in place of {stop - start:,}",
            place=Place(file=shown(self._url)),
        )


class _Ends:
    """The ends of files by URL, size and version, those that were wanted longest ago let go of first."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, list[Kept]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> list[Kept]:
        """Return what is kept of a file: nothing where it may have changed since."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return list(self._held.get(key, ()))

    def put(self, key: Key, ends: list[Kept]) -> None:
        """Keep the ends of a file; not of one that would not tell if it changed."""
        if key[2] is None:
            return
        with self._lock:
            self._held[key] = ends
            while sum(content.size for each in self._held.values() for _, content in each) > MOST_ENDS:
                self._held.popitem(last=False)


_ENDS = _Ends()


def _runs(ranges: list[Range]) -> list[Range]:
    """Join sorted ranges that are near each other.

    >>> _runs([(0, 10), (12, 20), (1 << 20, 2 << 20)])
    [(0, 20), (1048576, 2097152)]
    """
    runs: list[Range] = []
    for start, stop in ranges:
        if runs and start - runs[-1][1] <= GAP:
            runs[-1] = (runs[-1][0], max(runs[-1][1], stop))
        else:
            runs.append((start, stop))
    return runs


def _passes(error: Exception) -> bool:
    """Return whether what went wrong may go better in a moment."""
    cause = first_cause(error)
    status = status_of(cause)
    if status is not None:
        return status in {408, 429} or status >= 500
    return not isinstance(cause, FileNotFoundError | PermissionError | ValueError | TypeError)
