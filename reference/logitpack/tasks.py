"""Tasks: a part of a file, read and judged by itself, in this process or in another.

Strategy: a task holds paths and numbers only, and opens its file where it is run. A file begins with one task, which
judges its header and its first part and tells which parts are left; each of these is a task of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from logitpack import screen, semantics, structure
from logitpack.arrays import known_arrays
from logitpack.columns import normalise
from logitpack.containers import PARQUET, DataFile, Slice, corrupt
from logitpack.entries import Sound
from logitpack.errors import DataError, Place
from logitpack.headers import Header, read_header
from logitpack.metadata import Metadata
from logitpack.pages import Chunk, first_broken, first_without_checksum
from logitpack.report import Findings
from logitpack.shards import located
from logitpack.structure import Judgement
from logitpack.summaries import Summary
from logitpack.table import COLUMNS
from logitpack.urls import shown
from logitpack.wanted import Wanted

PART_BYTES = 16 << 20
"""Bytes of a file that make a part: some 60,000 tokens, and as many row groups as that takes."""
SLICE_ELEMENTS = 3 << 20
"""Elements of a row group that are read at a time, some 24,000 tokens: they are judged while in a cache."""
BLOCK = 2 << 20
"""Entries of rows that are judged at a time: what there is by token fits a cache, and scratch by entry is bounded."""


@dataclass(frozen=True)
class Task:
    """A part of a file of the dataset `root`: `groups` of `parts`, with their `chunks`; the whole header where None.

    `given` stands for the metadata of files that have none, `places` of each finding are kept. `large`: the dataset
    is worth loading the kernels for. `threads` lets Arrow decode columns side by side. `base` is the folder that
    relative paths start from, None for the working folder. `header` is what the first task of the file has found.
    """

    path: str
    root: str
    given: Metadata | None
    places: int
    large: bool = False
    threads: bool = True
    base: str | None = None
    groups: range | None = None
    chunks: tuple[Chunk, ...] = ()
    header: Header | None = None


@dataclass
class Outcome:
    """What a task has found; of a file's first task also the header, None where there is none, and what is left."""

    summary: Summary
    header: Header | None = None
    left: tuple[Task, ...] = ()


@dataclass
class Live:
    """A part that is being judged: `stopped` is asked whether to go on, the others say how far it has come.

    `share` is that of its rows, 0 where it is not known how many there are.
    """

    stopped: Callable[[], bool] = bool
    tokens: int = 0
    share: float = 0.0


def perform(task: Task, live: Live | None = None) -> Outcome:
    """Read and judge a part to its end, to where the file breaks off, or until it is `live.stopped`.

    Raises UsageError where the file cannot be read at all.
    """
    outcome = Outcome(Summary(Findings(task.places)))
    try:
        with DataFile(located(task.path, task.base), name=shown(task.path), chunks=task.chunks) as file:
            if task.header is None:
                task = _begin(task, file, outcome)
            else:
                file.chunks = task.chunks
            if task.header is not None and not task.header.barred:
                _read(task, file, outcome.summary, live or Live())
    except DataError as error:
        outcome.summary.ended = error
    return outcome


def _begin(task: Task, file: DataFile, outcome: Outcome) -> Task:
    """Judge the header, and return the task for the first part."""
    header = outcome.header = read_header(file, task.path, task.root, task.given, task.places, task.base)
    if header.barred:
        return replace(task, header=header)
    known = replace(header, findings=Findings(task.places))  # they are told once
    chunks = file.chunks
    parts = [
        replace(task, header=known, groups=groups, chunks=tuple(each for each in chunks if each.row_group in groups))
        for groups in file.parts(PART_BYTES)
    ]
    outcome.left = tuple(parts[1:])
    return parts[0] if parts else replace(task, header=known)


def _read(task: Task, file: DataFile, summary: Summary, live: Live) -> None:
    rows = file.rows(task.groups)
    wanted = Wanted(task.groups, threads=task.threads, elements=SLICE_ELEMENTS, passing=True)
    for part in file.slices(wanted):
        if live.stopped():
            return
        _judge_slice(task, part, summary)
        live.tokens, live.share = summary.tokens, min(summary.rows / rows, 1.0) if rows else 0.0
    if file.info.container == PARQUET:
        with corrupt(shown(task.path)):
            _judge_checksums(task, file, summary)


def _judge_checksums(task: Task, file: DataFile, summary: Summary) -> None:
    """FILE-4, and FILE-5 for the columns that are not read."""
    among = [chunk for chunk in file.chunks if task.groups is None or chunk.row_group in task.groups]
    broken = first_broken(file.native, among, passed_over=set(COLUMNS))
    missing = first_without_checksum(file.native, among)
    summary.broken = broken and Place(row_group=broken[0], column=broken[1])
    summary.unchecked = missing and Place(row_group=missing[0], column=missing[1])


def _judge_slice(task: Task, part: Slice, summary: Summary) -> None:
    assert task.header is not None
    try:
        if not task.header.judgeable:
            known_arrays(part.record_batch)  # FILE-1
            return
        columns = normalise(part.record_batch, first_row=part.first_row)
    except DataError as error:
        raise error.at(row_group=part.row_group) from error.__cause__
    judgement: Judgement = structure.judge(columns)
    for breach in judgement.breaches:
        summary.findings.add_breach(breach, row_group=part.row_group)
    numbers = np.flatnonzero(judgement.sound) + part.first_row
    summary.rows += part.record_batch.num_rows
    for sound in Sound(columns.select(judgement.sound), numbers).blocks(BLOCK):
        _judge_sound(task, sound, summary, part.row_group)


def _judge_sound(task: Task, sound: Sound, summary: Summary, row_group: int | None) -> None:
    metadata = task.header.metadata if task.header else None
    seen = screen.screened(sound, metadata) if task.large else None
    seen = seen or screen.reckoned(sound, metadata)
    for breach in semantics.judge(seen.suspects, metadata):
        summary.findings.add_breach(breach, row_group=row_group)
    summary.totals += seen.totals
    summary.figures += seen.figures
    summary.count_strides(sound, row_group)
    summary.tokens += int(sound.num_tokens.sum())
