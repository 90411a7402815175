"""What a process prints, read as it comes so that it never has to wait, and of which little is kept.

Strategy: a thread for each stream. Its stdout becomes lines, as long as they are of a bearable length and number; the
rest is dropped unseen. Of its stderr the first and the last part are kept.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from typing import IO

LINE_LIMIT = 1 << 20
"""Bytes of a line, its line feed not counted."""
WAITING_LIMIT = 8
"""Lines that are kept where one is expected."""
LOG_PART = 1 << 14
CHUNK = 1 << 16


class End(Enum):
    """Why no line follows."""

    OUTPUT = auto()
    TOO_LONG = auto()


class _Drain:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        raise NotImplementedError

    def _chunks(self) -> Iterator[bytes]:
        try:
            while data := os.read(self._file.fileno(), CHUNK):
                yield data
        except (OSError, ValueError):
            return

    def settle(self, timeout: float) -> None:
        """Wait until everything was read, at most `timeout` seconds."""
        self._thread.join(timeout)

    def close(self, timeout: float) -> None:
        """Close the stream once everything was read. Where somebody holds its other end open, it stays open here."""
        self.settle(timeout)
        if not self._thread.is_alive():
            self._file.close()


class Lines(_Drain):
    """The lines of a stream. `inside` is how many bytes came of a line that has not ended."""

    def __init__(self, file: IO[bytes]) -> None:
        self.inside = 0
        self._queue: queue.SimpleQueue[bytes | End] = queue.SimpleQueue()
        self._put = self._taken = 0  # each is counted by one thread only
        super().__init__(file)

    def take(self, timeout: float) -> bytes | End:
        """Return the next line without its line feed, or why there is none. Raises queue.Empty after the time."""
        found = self._queue.get(timeout=max(0.0, timeout))
        if isinstance(found, End):
            self._queue.put(found)  # nothing comes after it
        else:
            self._taken += 1
        return found

    @property
    def waiting(self) -> bool:
        """Whether bytes came that nobody took."""
        return self._put > self._taken or self.inside > 0

    def end(self) -> None:
        """Tell whoever waits that nothing comes any more."""
        self._queue.put(End.OUTPUT)

    def _read(self) -> None:
        parts: list[bytes] = []
        is_flood = False
        for data in self._chunks():
            if is_flood:
                continue
            *lines, rest = data.split(b"\n")
            for line in lines:
                self._put += 1
                self._queue.put(b"".join([*parts, line]) if self.inside + len(line) <= LINE_LIMIT else End.TOO_LONG)
                parts, self.inside = [], 0
            parts.append(rest)
            self.inside += len(rest)
            if self.inside > LINE_LIMIT:
                self._queue.put(End.TOO_LONG)
            is_flood = self.inside > LINE_LIMIT or self._put - self._taken > WAITING_LIMIT
        self.end()


class Log(_Drain):
    """A stream of which the first and the last part are kept, of `part` bytes each."""

    def __init__(self, file: IO[bytes], part: int = LOG_PART) -> None:
        self._part = part
        self._first = b""
        self._last: deque[bytes] = deque()
        self._lengths = 0
        self._size = 0
        super().__init__(file)

    def _read(self) -> None:
        for data in self._chunks():
            room = self._part - len(self._first)
            self._size += len(data)
            self._first += data[:room]
            self._last.append(data[room:])
            self._lengths += len(data[room:])
            while self._lengths - len(self._last[0]) >= self._part:
                self._lengths -= len(self._last.popleft())

    def text(self) -> str:
        """Return what is kept, with bytes that are no UTF-8 escaped, and say how much is not."""
        last = b"".join(list(self._last))[-self._part :]
        lost = self._size - len(self._first) - len(last)
        between = f"\n[... {lost} bytes ...]\n".encode() if lost > 0 else b""
        return (self._first + between + last).decode("utf-8", "backslashreplace")

    def last_line(self) -> str:
        """Return the last line that says something, "" where none does."""
        lines = [line.strip() for line in self.text().splitlines()]
        return next((line for line in reversed(lines) if line), "")
