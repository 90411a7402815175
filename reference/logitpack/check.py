"""The checker: all structural and semantic requirements, over every row of datasets (CHK-1, CHK-3).

Strategy: each file is cut into parts, which are judged side by side, by threads or by whatever executor is given
(`dispatch`), and added up in the order of the file (`underway`). Then each dataset is judged as a whole (`verdicts`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from pathlib import Path

from logitpack import screen
from logitpack.dispatch import SMALL, Progress, run, side_by_side, workers
from logitpack.errors import UsageError
from logitpack.metadata import Metadata
from logitpack.native import size_of
from logitpack.report import PLACES, DatasetReport, FileReport, Report
from logitpack.shards import data_files
from logitpack.state import State
from logitpack.tasks import Task
from logitpack.underway import UnderWay
from logitpack.urls import StrPath, is_url, shown
from logitpack.verdicts import explain, judge_dataset

__all__ = ["IncompleteError", "InterruptedCheckError", "Progress", "check"]


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
    """A check was interrupted: `report` is on the files that were done, but for what is judged over a whole dataset.

    `begun` is on those that were done in part, `left` how many were not done, `errors` what went wrong before.
    """

    def __init__(self, report: Report, files: Sequence[UnderWay], errors: Sequence[UsageError] = ()) -> None:
        """Take what was found, and all files."""
        self.report, self.errors = report, list(errors)
        self.begun = tuple(file.checked.report() for file in files if file.begun)
        self.left = sum(not file.done for file in files)
        super().__init__(f"{self.left} files were not checked to their end")


def check(
    paths: Iterable[StrPath] | StrPath,
    *,
    metadata: Metadata | None = None,
    places: int = PLACES,
    jobs: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    state: StrPath | None = None,
) -> Report:
    """Judge datasets, each a file, a folder, a pattern or a URL of one.

    `metadata` stands for that of files that have none. `places` is how many places of each finding are kept.
    `jobs` parts of files are judged at a time, as many as there are processors where it is None: by threads, or by
    `executor`, which stays open; twice as many are handed to it. `progress` is called as parts are done, and meanwhile.
    `state` is a file that keeps what was found in files that are done: they are not judged again until something about
    them changes.

    Raises UsageError where there is no path, one cannot be read, a folder holds no data or `jobs` is below 1;
    IncompleteError, which is one too and has a report, where a file turns out not to be readable on the way, the
    executor fails or the state cannot be kept; InterruptedCheckError on KeyboardInterrupt.
    Everything else is a finding.
    """
    roots = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    found = [(root, data_files(root)) for root in roots]
    if not roots:
        raise UsageError("there is nothing to check: no path is given")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is {jobs}, allowed 1 or more", got=jobs)
    jobs = jobs or _processors()
    kept = None if state is None else State(Path(state))
    datasets = [(root, _begin(root, files, metadata, places, jobs, executor)) for root, files in found]
    every = [file for _, files in datasets for file in files]
    errors: list[UsageError] = []
    interrupted = False
    try:
        if kept is not None:
            kept.recall(every)
        _judge(every, jobs, executor, progress, kept)
    except KeyboardInterrupt:
        interrupted = True
    except (BrokenExecutor, CancelledError) as error:
        done = sum(file.done for file in every)
        errors.append(UsageError(f"the workers failed, {done:,} of {len(every):,} files were checked: {error}"))
    errors += [file.error for file in every if file.error is not None]
    try:
        if kept is not None:
            kept.save()
    except UsageError as error:
        errors.append(error)
    if interrupted:
        raise InterruptedCheckError(_report(datasets, whole=False), every, errors)
    report = _report(datasets)
    if errors:
        raise IncompleteError(report, errors) from errors[0]
    return report


def _begin(
    root: str,
    files: Sequence[str],
    metadata: Metadata | None,
    places: int,
    jobs: int,
    executor: Executor | None,
) -> list[UnderWay]:
    sizes = side_by_side(size_of, files)  # before hours of work are lost over the last one
    large = sum(sizes) >= screen.LARGE
    # Another process may have another working folder.
    base = None if executor is None or is_url(root) else os.getcwd()  # noqa: PTH109  paths are text
    threads = jobs > 1 and len(files) == 1  # several files are read side by side anyway
    tasks = [Task(path, root, metadata, places, large, threads=threads, base=base) for path in files]
    return [UnderWay(task, size) for task, size in zip(tasks, sizes, strict=True)]


def _judge(
    files: list[UnderWay],
    jobs: int,
    executor: Executor | None,
    progress: Callable[[Progress], None] | None,
    kept: State | None,
) -> None:
    """Judge files by their parts, and keep what was found."""

    def come(told: Progress) -> None:
        if progress is not None:
            progress(told)
        if kept is not None:
            kept.save_when_due()

    large = any(file.task.large for file in files if not file.over)
    small = len(files) == 1 and files[0].size < SMALL and not is_url(files[0].task.path)
    with workers(executor, jobs, small=small, large=large) as submit:
        run(files, submit, 2 * jobs, come, lambda file: None if kept is None else kept.keep(file))


def _report(datasets: list[tuple[str, list[UnderWay]]], *, whole: bool = True) -> Report:
    """Report on the files that are done; of what is judged over a dataset, only where that is `whole`."""
    reports: list[FileReport] = []
    seen: list[DatasetReport] = []
    for root, files in datasets:
        checked = [file.checked for file in files if file.done]
        if whole:
            judge_dataset(checked)
        told, one = explain(shown(root), checked)
        reports += told
        seen.append(one)
    return Report(tuple(reports), tuple(seen))


def _processors() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
