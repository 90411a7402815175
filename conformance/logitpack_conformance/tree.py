"""All processes that came of one: how much memory they have, and how to end them.

Strategy: a program may start others, which may leave its process group, its session and even its line of descent.
Those seen once are remembered; at the end, every process is looked at for a mark in its environment, which children
inherit. One that cleared its environment before anyone saw it, and left the session, is not found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping

import psutil

MARK = "LOGITPACK_CONFORM_PROCESS"
"""The environment variable whose value all processes of a tree share."""
PAUSE = 20
"""How many times as long as it took the search for descendants, which reads the whole process table, is left out."""
ROUNDS = 40


class Tree:
    """The process `pid`, which leads a session of its own, and what came of it. `mark` is the value of MARK there."""

    def __init__(self, pid: int, mark: str) -> None:
        self._pid = pid
        self._mark = mark
        self._look_again = 0.0
        self._known: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            self._known[pid] = psutil.Process(pid)

    def memory(self) -> int:
        """Return the resident bytes of all of them; pages that two share count twice."""
        start = time.monotonic()
        if start >= self._look_again:
            self._look()
            end = time.monotonic()
            self._look_again = end + PAUSE * (end - start)
        total = 0
        for process in list(self._known.values()):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                self._known.pop(process.pid, None)
            except psutil.Error:
                continue
        return total

    def kill(self) -> None:
        """End them all, and those that they start meanwhile. Processes that have ended may wait to be collected."""
        self._look()
        for _ in range(ROUNDS):
            alive = self._alive()
            if not alive:
                return
            self._kill_group(alive)
            for process in alive:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.005)

    def _kill_group(self, alive: list[psutil.Process]) -> None:
        """End the process group at one stroke, which outruns those that multiply; it is known to be theirs."""
        with contextlib.suppress(OSError, AttributeError):  # gone, or Windows
            if any(os.getpgid(process.pid) == self._pid for process in alive):
                os.killpg(self._pid, signal.SIGKILL)

    def _look(self) -> None:
        """Remember the descendants of all known; each search reads the process table, mostly the first finds all."""
        found: dict[int, psutil.Process] = {}
        for process in list(self._known.values()):
            if process.pid not in found:
                with contextlib.suppress(psutil.Error):
                    found |= {child.pid: child for child in process.children(recursive=True)}
        self._known.update(found)

    def _alive(self) -> list[psutil.Process]:
        found = {process.pid: process for process in self._marked()} | self._known
        return [process for process in found.values() if _is_running(process)]

    def _marked(self) -> Iterator[psutil.Process]:
        own = os.getpid()
        for process in psutil.process_iter():
            if process.pid != own and (self._is_in_session(process.pid) or self._is_marked(process)):
                yield process

    def _is_in_session(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self._pid
        except (OSError, AttributeError):  # gone, another user's, or Windows
            return False

    def _is_marked(self, process: psutil.Process) -> bool:
        environment: Mapping[str, str] = {}
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
        return environment.get(MARK) == self._mark


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
