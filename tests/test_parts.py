"""The checker's parts: however a file is cut, and whoever is done first, the report is the same."""

from __future__ import annotations

import copy
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack import tasks
from logitpack.check import IncompleteError, InterruptedCheckError, Progress
from logitpack.containers import DataFile, Slice
from logitpack.errors import UsageError
from logitpack.underway import UnderWay
from logitpack_conformance.rows import STRIDE, Row, described, valid_rows, with_token_ids
from support import table, write_parquet


def broken_rows() -> list[Row]:
    """Make eight rows, of which some break NUC-2, LSE-1, ROW-2 or have another S."""
    rows = with_token_ids(valid_rows((3, 2, 4, 2, 3, 1, 2, 3)))
    rows[1]["logsumexp"][0] = float("nan")
    rows[6]["logsumexp"][1] = float("inf")
    rows[4]["top_min"] = rows[4]["top_min"][:-1]
    rows[5] = with_token_ids(valid_rows((1,), stride=STRIDE + 1))[0]
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the rows to a Parquet file and to an Arrow file, a row a group."""
    content = table(broken_rows(), metadata=described())
    write_parquet(tmp_path / "data" / "a.parquet", content, row_group_size=1)
    with pa.OSFile(str(tmp_path / "data" / "b.arrow"), "wb") as sink, pa.ipc.new_file(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=1)
    return tmp_path / "data"


class LastFirst(Executor):
    """Runs what it is given only when somebody waits for it, what came last first."""

    def __init__(self) -> None:
        """Begin without anything to do."""
        self.tasks: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self.pool = ThreadPoolExecutor(1)

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """Take a call."""
        future: Future[Any] = Future()
        self.tasks.append((future, lambda: function(*args, **options)))
        self.pool.submit(self.run_last)
        return future

    def run_last(self) -> None:
        """Do what came last."""
        future, call = self.tasks.pop()
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  the future has it
            future.set_exception(error)


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each row group a part."""
    monkeypatch.setattr(tasks, "PART_BYTES", 1)


def document(folder: Path, **options: Any) -> dict[str, Any]:
    """Check, and give the report."""
    return logitpack.check(folder, **options).to_json()


def test_parts_add_up_to_the_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in eight parts gives the report of one part, places and all."""
    whole = document(folder)
    small_parts(monkeypatch)
    assert document(folder, jobs=1) == whole


def test_order_of_completion_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that are done last first give the same report."""
    small_parts(monkeypatch)
    assert document(folder, executor=LastFirst(), jobs=4) == document(folder, jobs=1)


def test_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks travel to other processes, where each opens its file itself."""
    whole = document(folder)
    small_parts(monkeypatch)
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        assert document(folder, executor=executor) == whole


def test_what_follows_a_broken_row_group_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row group that cannot be read ends the file, though the parts after it were read before (FILE-1)."""
    rows = broken_rows()
    content = table(rows, metadata=described())
    path = write_parquet(tmp_path / "x.parquet", content, compression="none", use_dictionary=False, row_group_size=1)
    data = bytearray(path.read_bytes())
    data[data.index(np.array(rows[3]["logsumexp"]).tobytes()[:16])] ^= 1
    path.write_bytes(data)
    whole = document(path)
    small_parts(monkeypatch)
    assert document(path, executor=LastFirst(), jobs=4) == whole
    found = {finding["requirement"]: finding["count"] for finding in whole["files"][0]["findings"]}
    assert found == {"FILE-1": 1, "LSE-1": 1}


def test_places_count_rows_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place in a later part has its row in the file."""
    small_parts(monkeypatch)
    findings = {finding.requirement: finding for finding in logitpack.check(folder).files[1].findings}
    assert [(place.row_group, place.row, place.token) for place in findings["LSE-1"].places] == [(1, 1, 0), (6, 6, 1)]
    assert [place.row for place in findings["ROW-5"].places] == [5]


def test_an_unreadable_file_does_not_end_the_others(tmp_path: Path) -> None:
    """A row with more tokens than can be read is an error of its file; the others are judged."""
    rows = with_token_ids(valid_rows())
    large = table(copy.deepcopy(rows[1:2]), metadata=described())
    zeros = pa.array(np.zeros(17_000_000, np.float64))
    lists = pa.ListArray.from_arrays(pa.array([0, len(zeros)], pa.int32()), zeros)
    large = large.set_column(large.schema.get_field_index("logsumexp"), "logsumexp", lists)
    write_parquet(tmp_path / "a.parquet", large, compression="zstd")
    write_parquet(tmp_path / "b.parquet", table(rows, metadata=described()))
    with pytest.raises(IncompleteError, match="17,000,000 tokens") as caught:
        logitpack.check(tmp_path)
    assert [Path(file.path).name for file in caught.value.report.files] == ["b.parquet"]
    assert [Path(error.place.file or "").name for error in caught.value.errors] == ["a.parquet"]


def test_an_interrupt_tells_what_was_done(folder: Path) -> None:
    """An interrupt ends the check at once, and brings the report on the files that were done."""

    def interrupt(progress: Progress) -> None:
        if progress.files == 1:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedCheckError) as caught:
        logitpack.check(folder, executor=LastFirst(), jobs=1, progress=interrupt)
    assert (len(caught.value.report.files), caught.value.left) == (1, 1)


def test_progress_ends_with_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress counts up to all files, all bytes and all tokens."""
    small_parts(monkeypatch)
    told: list[Progress] = []
    report = logitpack.check(folder, jobs=2, progress=told.append)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert told[-1]._replace(size=round(told[-1].size)) == Progress(
        2, 2, size, size, sum(file.tokens for file in report.files)
    )


def test_parts_that_come_early_count_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that is done before one that stands before it is progress too."""
    small_parts(monkeypatch)
    path = str(folder / "a.parquet")
    first = tasks.perform(tasks.Task(path, path, None, 10))
    file = UnderWay(tasks.Task(path, path, None, 10), 800)
    file.accept(0, first)
    tokens = first.summary.tokens
    for number in reversed(range(1, 8)):
        outcome = tasks.perform(first.left[number - 1])
        tokens += outcome.summary.tokens
        file.accept(number, outcome)
        assert file.come() == (int(number == 1), 100.0 * (9 - number), tokens)


def test_progress_within_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one large row group is judged, it is told how much of it was."""
    monkeypatch.setattr(tasks, "SLICE_ELEMENTS", 1)
    monkeypatch.setattr("logitpack.dispatch.PAUSE", 0.001)
    monkeypatch.setattr(sys.modules["logitpack.check"], "SMALL", 0)
    path = write_parquet(tmp_path / "x.parquet", table(valid_rows((5,) * 20)))
    told: list[Progress] = []
    heard = threading.Event()

    def progress(now: Progress) -> None:
        told.append(now)
        heard.set()

    original = DataFile.slices

    def slowly(*arguments: Any) -> Iterator[Slice]:
        for part in original(*arguments):
            heard.clear()
            heard.wait(5)
            yield part

    monkeypatch.setattr(DataFile, "slices", slowly)
    logitpack.check(path, jobs=1, progress=progress)
    tokens = [now.tokens for now in told]
    assert tokens == sorted(tokens)
    assert len({*tokens} & {*range(5, 100, 5)}) > 10
    assert {now.tokens / 100 for now in told} == {now.size / now.whole_size for now in told}


def test_a_file_that_vanishes_is_an_error_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong with one file while another is read leaves the report on the other."""
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", table(valid_rows()))
    original = DataFile

    def opened(path: str, **options: Any) -> Any:
        if path.endswith("a.parquet"):
            raise UsageError("cannot be read: it is gone")
        return original(path, **options)

    monkeypatch.setattr(tasks, "DataFile", opened)
    with pytest.raises(IncompleteError, match="it is gone") as caught:
        logitpack.check(tmp_path)
    assert caught.value.report.verdict == "valid"
