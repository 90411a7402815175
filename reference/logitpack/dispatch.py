"""Dispatch: the parts of files are handed out a few at a time, and what they come to goes back to their files.

Strategy: only so many parts are under way at once, so that memory does not grow with the dataset. Files are begun in
order, and the parts of a file go before the files that follow.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from logitpack.errors import UsageError
from logitpack.machine import kernels
from logitpack.tasks import Live, Outcome, Task, perform
from logitpack.underway import UnderWay

In = TypeVar("In")
Out = TypeVar("Out")

SMALL = 1 << 18
"""Bytes of a local file that is judged before threads would have begun."""
PAUSE = 0.25
"""Seconds after which it is told how far the parts that are under way have come."""
LOOKS = 16
"""Files that are looked at at a time: behind URLs, that is mostly waiting."""


class Progress(NamedTuple):
    """How far a check has come: files and bytes done, and of how many; tokens judged."""

    files: int
    all_files: int
    size: float
    whole_size: int
    tokens: int


Submit = Callable[[Task, Live], "Future[Outcome]"]


def side_by_side(function: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
    """Return what a function gives for each item, many at a time. Raises what it raises."""
    if len(items) == 1:
        return [function(items[0])]
    threads = ThreadPoolExecutor(LOOKS)
    try:
        return list(threads.map(function, items))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def workers(executor: Executor | None, jobs: int, *, small: bool, large: bool) -> Iterator[Submit]:
    """Give what submits a task, to the executor or to threads, which are stopped where this ends early.

    What is `small`, one file, is judged at once.
    """
    if executor is not None:
        yield lambda task, _: executor.submit(perform, task)
        return
    if small:
        yield _at_once
        return
    stopped = threading.Event()
    threads = ThreadPoolExecutor(jobs, "logitpack")
    try:
        if large:
            threads.submit(kernels)  # while the others read

        def submit(task: Task, live: Live) -> Future[Outcome]:
            live.stopped = stopped.is_set
            return threads.submit(perform, task, live)

        yield submit
    finally:
        stopped.set()
        threads.shutdown(wait=False, cancel_futures=True)


def _at_once(task: Task, _: Live) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    try:
        future.set_result(perform(task))
    except Exception as error:  # noqa: BLE001 - raised again by the future
        future.set_exception(error)
    return future


def run(
    files: list[UnderWay],
    submit: Submit,
    most: int,
    progress: Callable[[Progress], None],
    done: Callable[[UnderWay], None],
) -> None:
    """Judge files, `most` parts of them handed out at a time, until none is left.

    `progress` is called before anything, as parts are done, and meanwhile; `done` with each file that was judged to its
    end.
    Raises whatever `submit` and its futures raise, but for UsageError, which is put to the file.
    """
    queue = deque((file, 0, file.task) for file in files)
    running: dict[Future[Outcome], tuple[UnderWay, int, Live]] = {}
    told = Progress(0, len(files), 0.0, sum(file.size for file in files), 0)
    for file in files:
        told = _further(told, (0, 0.0, 0), file)
    progress(told)
    try:
        while queue or running:
            while queue and len(running) < most:
                file, number, task = queue.popleft()
                if not file.over:
                    live = Live()
                    running[submit(task, live)] = file, number, live
            ready, _ = wait(running, PAUSE, return_when=FIRST_COMPLETED)
            for future in ready:
                file, number, _ = running.pop(future)
                if file.over:
                    continue
                before = file.come()
                queue.extendleft((file, number, task) for number, task in reversed(_take(file, number, future)))
                told = _further(told, before, file)
                if file.done:
                    done(file)
            progress(_meanwhile(told, running.values()))
    finally:
        for future in running:
            future.cancel()


def _further(told: Progress, before: tuple[int, float, int], file: UnderWay) -> Progress:
    files, size, tokens = (now - then for now, then in zip(file.come(), before, strict=True))
    return told._replace(files=told.files + int(files), size=told.size + size, tokens=told.tokens + int(tokens))


def _meanwhile(told: Progress, running: Iterable[tuple[UnderWay, int, Live]]) -> Progress:
    for file, _, live in running:
        if not file.over:
            told = told._replace(size=told.size + file.part_size * live.share, tokens=told.tokens + live.tokens)
    return told


def _take(file: UnderWay, number: int, future: Future[Outcome]) -> list[tuple[int, Task]]:
    """Give a part to its file; return the parts that are left to judge, with their numbers."""
    try:
        outcome = future.result()
    except UsageError as error:
        file.error = error.at(file=file.checked.name)
        return []
    file.accept(number, outcome)
    return list(enumerate(outcome.left, 1))
