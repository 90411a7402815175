"""The checker: all structural and semantic requirements, over every row of datasets (CHK-1, CHK-3).

Strategy: each file is cut into parts, which are judged side by side, by threads or by whatever executor is given; a
few at a time, so that memory does not grow with the dataset. What the parts come to is added up in the order of the
file, so that a report does not depend on who was done first.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

from logitpack import facts
from logitpack.errors import UsageError
from logitpack.metadata import Metadata
from logitpack.native import size_of
from logitpack.report import PLACES, DatasetReport, FileReport, Findings, Report
from logitpack.shards import data_files
from logitpack.summaries import Summary
from logitpack.tasks import Outcome, Task, perform
from logitpack.urls import StrPath, shown
from logitpack.verdicts import Checked, explain, judge_dataset


class Progress(NamedTuple):
    """How far a check has come: files and bytes done, and of how many; tokens judged."""

    files: int
    all_files: int
    size: float
    whole_size: int
    tokens: int


class IncompleteError(UsageError):
    """Some files could not be read: `report` is on the others, `errors` says why, the first of them being this one."""

    def __init__(self, report: Report, errors: list[UsageError]) -> None:
        """Take what was found in the files that could be read."""
        first = errors[0]
        super().__init__(
            first.message, requirement=first.requirement, place=first.place, got=first.got, allowed=first.allowed
        )
        self.report, self.errors = report, errors


class InterruptedCheckError(KeyboardInterrupt):
    """A check was interrupted: `report` is on the files that were done, `left` is how many were not."""

    def __init__(self, report: Report, left: int) -> None:
        """Take what was found in the files that were done."""
        super().__init__(f"{left} files were not checked to their end")
        self.report, self.left = report, left


def check(
    paths: Iterable[StrPath] | StrPath,
    *,
    metadata: Metadata | None = None,
    places: int = PLACES,
    jobs: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Judge datasets, each a file, a folder, a pattern or a URL of one.

    `metadata` stands for that of files that have none. `places` is how many places of each finding are kept.
    `jobs` parts of files are judged at a time, as many as there are processors where it is None: by threads, or by
    `executor`, which stays open; twice as many are handed to it. `progress` is called as parts are done.

    Raises UsageError where a path cannot be read or a folder holds no data; IncompleteError, which is one too and has
    a report, where that turns out on the way; InterruptedCheckError on KeyboardInterrupt. Everything else is a finding.
    """
    roots = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    found = [(root, data_files(root)) for root in roots]
    jobs = jobs or _processors()
    datasets = []
    for root, files in found:
        sizes = [size_of(path) for path in files]  # before hours of work are lost over the last one
        large = sum(sizes) >= facts.LARGE
        tasks = [Task(path, root, metadata, places, large, threads=jobs > 1) for path in files]
        datasets.append((root, [_File(task, size) for task, size in zip(tasks, sizes, strict=True)]))
    every = [file for _, files in datasets for file in files]
    try:
        with _workers(executor, jobs, large=any(file.task.large for file in every)) as submit:
            _run(every, submit, 2 * jobs, progress)
    except KeyboardInterrupt:
        raise InterruptedCheckError(_report(datasets), sum(not file.done for file in every)) from None
    errors = [file.error for file in every if file.error is not None]
    report = _report(datasets)
    if errors:
        raise IncompleteError(report, errors) from errors[0]
    return report


class _File:
    """A file on its way: its parts are added up in order, those that come early wait."""

    def __init__(self, task: Task, size: int) -> None:
        self.task, self.size = task, size
        self.checked = Checked(shown(task.path), Summary(Findings(task.places)))
        self.error: UsageError | None = None
        self.parts, self._next = 1, 0
        self._early: dict[int, Summary] = {}

    @property
    def done(self) -> bool:
        """Whether the file was judged to its end, or to where it breaks off."""
        return self.error is None and (self._next == self.parts or self.checked.summary.ended is not None)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be read of it."""
        return self.done or self.error is not None

    def come(self) -> tuple[float, float, float]:
        """Tell how far it has come: files, bytes, tokens."""
        share = 1.0 if self.over else self._next / self.parts
        return float(self.over), self.size * share, float(self.checked.summary.tokens)

    def accept(self, number: int, outcome: Outcome) -> None:
        """Take what part `number` has come to."""
        checked, summary = self.checked, self.checked.summary
        header = outcome.header
        if header is not None:
            self.parts = 1 + len(outcome.left)
            checked.metadata, checked.described = header.metadata, header.described
            checked.comparable, checked.types = header.comparable, header.types
            checked.findings.add_all(header.findings, rows=0)
        self._early[number] = outcome.summary
        while self._next in self._early:
            summary.add(self._early.pop(self._next))
            self._next += 1
        if self.done:
            _conclude(checked)


def _conclude(file: Checked) -> None:
    """FILE-1, FILE-3 where the file breaks off; else FILE-5, and FILE-4 where that holds."""
    summary = file.summary
    if summary.ended is not None:
        file.findings.add_error(summary.ended)
    elif summary.broken is not None:
        file.findings.add("FILE-1", "a page does not match its checksum", summary.broken)
    elif summary.unchecked is not None:
        file.findings.add("FILE-4", "a page has no checksum", summary.unchecked)


Submit = Callable[[Task], "Future[Outcome]"]


def _run(files: list[_File], submit: Submit, most: int, progress: Callable[[Progress], None] | None) -> None:
    """Judge files, `most` parts of them handed out at a time, until none is left."""
    queue = deque((file, 0, file.task) for file in files)
    running: dict[Future[Outcome], tuple[_File, int]] = {}
    told = Progress(0, len(files), 0.0, sum(file.size for file in files), 0)
    try:
        while queue or running:
            while queue and len(running) < most:
                file, number, task = queue.popleft()
                if not file.over:
                    running[submit(task)] = file, number
            ready, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ready:
                file, number = running.pop(future)
                before = file.come()
                left = _take(file, number, future)
                queue.extendleft((file, number, task) for number, task in reversed(left))
                files_done, size, tokens = (now - then for now, then in zip(file.come(), before, strict=True))
                told = told._replace(
                    files=told.files + int(files_done), size=told.size + size, tokens=told.tokens + int(tokens)
                )
            if progress is not None:
                progress(told)
    finally:
        for future in running:
            future.cancel()


def _take(file: _File, number: int, future: Future[Outcome]) -> list[tuple[int, Task]]:
    """Give a part to its file; return the parts that are left to judge, with their numbers."""
    if file.over:
        return []
    try:
        outcome = future.result()
    except UsageError as error:
        file.error = error.at(file=file.checked.name)
        return []
    file.accept(number, outcome)
    return list(enumerate(outcome.left, 1))


@contextmanager
def _workers(executor: Executor | None, jobs: int, *, large: bool) -> Iterator[Submit]:
    """Give what submits a task, to the executor or to threads, which are stopped where this ends early."""
    if executor is not None:
        yield lambda task: executor.submit(perform, task)
        return
    stopped = threading.Event()
    threads = ThreadPoolExecutor(jobs, "logitpack")
    try:
        if large:
            threads.submit(facts.kernels)  # while the others read
        yield lambda task: threads.submit(perform, task, stopped.is_set)
    finally:
        stopped.set()
        threads.shutdown(wait=False, cancel_futures=True)


def _report(datasets: list[tuple[str, list[_File]]]) -> Report:
    """Report on the files that are done."""
    reports: list[FileReport] = []
    seen: list[DatasetReport] = []
    for root, files in datasets:
        checked = [file.checked for file in files if file.done]
        judge_dataset(checked)
        told, one = explain(shown(root), checked)
        reports += told
        seen.append(one)
    return Report(tuple(reports), tuple(seen))


def _processors() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
