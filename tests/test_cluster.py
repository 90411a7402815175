"""A check on a Dask cluster: the same report as on one machine, though workers die, and one error where it fails."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest

import commandline
import logitpack
from logitpack import cluster
from logitpack.check import IncompleteError, Progress
from logitpack.errors import UsageError
from logitpack_conformance.rows import STRIDE, described, valid_rows, with_token_ids
from support import table, write_parquet

LocalCluster: Any = distributed.LocalCluster
Client: Any = distributed.Client  # which have no types
WORKERS = 3
SMALL_PARTS = "import logitpack.tasks; logitpack.tasks.PART_BYTES = 1"
SLOWLY = """
import time
from logitpack import tasks

if not hasattr(tasks, "quickly"):
    tasks.quickly = tasks.perform
    tasks.perform = lambda *args: time.sleep(0.05) or tasks.quickly(*args)
"""


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Run a cluster of several processes on this machine."""
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0") as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write twelve files of eight row groups, some of them broken."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(3)
    for number in range(12):
        rows = with_token_ids(valid_rows((3, 2, 4, 2, 3, 1, 2, 3), stride=STRIDE + (number == 7)))
        for row in rows[:: int(rng.integers(3, 20))]:
            row["logsumexp"][0] = float("nan")
        content = table(rows, metadata=described(vocab_size=150_000 - (number == 9)))
        write_parquet(folder / f"{number:02}.parquet", content, row_group_size=1)
    return folder


def on_workers(running: Any, code: str) -> None:
    """Run a piece of code on every worker."""
    with Client(running, set_as_default=False) as client:
        client.run(exec, code, {})


def test_the_same_report(local: Any, folder: Path) -> None:
    """What the workers find adds up to what one machine finds; every part is counted once."""
    on_workers(local, SMALL_PARTS)
    told: list[Progress] = []
    with cluster.dask(local.scheduler_address) as (executor, threads):
        report = logitpack.check(folder, executor=executor, jobs=threads, progress=told.append)
    assert (logitpack.check(folder).to_json(), WORKERS) == (report.to_json(), threads)
    assert (12, sum(file.tokens for file in report.files)) == (told[-1].files, told[-1].tokens)


@pytest.mark.parametrize("after", [1, 20, 50])
def test_a_worker_that_is_killed(local: Any, folder: Path, after: int) -> None:
    """A worker is killed in the middle of a run: nothing is lost, nothing is counted twice."""
    local.scale(WORKERS)
    with Client(local, set_as_default=False) as client:
        client.wait_for_workers(WORKERS, timeout=60)
    on_workers(local, SMALL_PARTS + SLOWLY)
    told: list[Progress] = []
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        told.append(progress)
        if len(told) == after + 1:
            killed.append(next(iter(local.workers.values())).process.pid)
            os.kill(killed[0], signal.SIGKILL)

    with cluster.dask(local.scheduler_address) as (executor, threads):
        report = logitpack.check(folder, executor=executor, jobs=threads, progress=kill)
    assert (1, logitpack.check(folder).to_json()) == (len(killed), report.to_json())
    assert sum(file.tokens for file in report.files) == told[-1].tokens


@pytest.mark.parametrize(
    ("code", "undo", "message"),
    [
        (
            "import sys; sys.kept = sys.modules['logitpack.cluster']; sys.modules['logitpack.cluster'] = None",
            "import sys; sys.modules['logitpack.cluster'] = sys.kept",
            "a worker lacks logitpack .*: import of logitpack.cluster halted",
        ),
        (
            "from logitpack import cluster; cluster.kept = cluster.version; cluster.version = lambda: '0.9'",
            "from logitpack import cluster; cluster.version = cluster.kept",
            "logitpack is 0.9 on .*, but .* here",
        ),
    ],
)
def test_workers_with_another_version_or_none(local: Any, folder: Path, code: str, undo: str, message: str) -> None:
    """One error says what the workers lack, and how much was checked."""
    on_workers(local, "import logitpack.cluster")
    on_workers(local, code)
    try:
        with (
            cluster.dask(local.scheduler_address) as (executor, _),
            pytest.raises(
                IncompleteError, match=f"the workers failed, 0 of 12 files were checked: {message}"
            ) as caught,
        ):
            logitpack.check(folder, executor=executor)
    finally:
        on_workers(local, undo)
    assert 1 == len(caught.value.errors)


def test_workers_in_another_folder(local: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths start from here, on the workers too, and messages name them as they were given."""
    write_parquet(tmp_path / "data" / "deep" / "x.parquet", table(valid_rows()))
    (tmp_path / "data" / "logitpack.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    expected = commandline.logitpack("check", "data")
    assert "data/logitpack.json: metadata is not valid" in expected.out
    assert expected == commandline.logitpack("check", "data", "--dask", local.scheduler_address)


def test_an_interrupt(local: Any, folder: Path, tmp_path: Path) -> None:
    """Ctrl-C ends a check on a cluster as any other: status 130, and a line that says what had been checked."""
    on_workers(local, SMALL_PARTS + SLOWLY)
    command = ["check", folder, "--dask", local.scheduler_address, "--state", tmp_path / "state", "--format", "json"]
    started = subprocess.Popen(
        [sys.executable, "-m", "logitpack.cli", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "state").exists() and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (130, "", 1, True) == (started.returncode, out, err.count("\n"), err.startswith("interrupted"))


@pytest.fixture
def silent() -> Iterator[str]:
    """Give the address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def refused(address: str, folder: Path) -> str:
    """Give the one line that an address is refused with."""
    result = commandline.logitpack("check", folder, "--dask", address)
    assert (2, "", 1) == (result.status, result.out, result.err.count("\n"))
    return result.err


def test_a_server_that_says_nothing(silent: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no scheduler is given up."""
    monkeypatch.setattr(cluster, "SECONDS", 1)
    assert f"the Dask scheduler at {silent} cannot be reached: no answer within 1 s" in refused(silent, folder)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:1", "Timed out trying to connect"),
        ("nonsense", "missing port number"),
        ("smoke://x:1", "unknown address scheme"),
        ("tcp://\x1b[2J:x", r"\x1b[2J"),
    ],
)
def test_no_scheduler(address: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there, or no address: one line, status 2."""
    monkeypatch.setattr(cluster, "SECONDS", 1)
    assert message in refused(address, folder)


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, and how to get it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "error: a cluster needs distributed: pip install 'logitpack[cluster]'\n" == refused("x:1", folder)


def test_no_workers(folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A cluster without workers is waited for, which is said once, until some come."""
    monkeypatch.setattr(cluster, "SECONDS", 1)
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as running:

        def come() -> None:
            while not caplog.messages:
                time.sleep(0.1)
            running.scale(1)

        threading.Thread(target=come, daemon=True).start()
        with cluster.dask(running.scheduler_address) as (executor, _):
            assert logitpack.check(folder, executor=executor).to_json() == logitpack.check(folder).to_json()
    assert ["the Dask cluster has no workers: waiting for some"] == caplog.messages


def test_dask_logs_nothing(local: Any) -> None:
    """What it has to say of workers that die and schedulers that go is raised, and stands in no one's report."""
    with cluster.dask(local.scheduler_address):
        logger = logging.getLogger("distributed.client")
        assert not logger.isEnabledFor(logging.ERROR)


class Failing(Executor):
    """An executor whose futures fail, or which takes none."""

    def __init__(self, error: Exception, *, at_once: bool) -> None:
        """Fail with an error."""
        self.error, self.at_once = error, at_once

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        """Fail."""
        if self.at_once:
            raise self.error
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize("at_once", [False, True])
def test_tasks_that_kill_their_workers(folder: Path, at_once: bool) -> None:
    """Dask gives up a task after some workers have died of it: one error, in its words' first line."""
    executor = cluster._Dask(Failing(RuntimeError("4 workers died\nof it"), at_once=at_once))
    with pytest.raises(IncompleteError, match=r"files were checked: 4 workers died$"):
        logitpack.check(folder, executor=executor)


def test_a_scheduler_that_goes(folder: Path) -> None:
    """Its tasks are cancelled then."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as running,
        cluster.dask(running.scheduler_address) as (executor, _),
    ):

        def close(_: Progress) -> None:
            running.close()

        with pytest.raises(IncompleteError, match=r"the scheduler has gone|files were checked"):
            logitpack.check(folder, executor=executor, jobs=1, progress=close)


def test_a_pool_whose_process_is_killed(folder: Path) -> None:
    """The pool is of no use any more: one error, with what had been checked."""
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:

        def kill(progress: Progress) -> None:
            if progress.files == 3:
                os.kill(next(iter(executor._processes)), signal.SIGKILL)

        with pytest.raises(IncompleteError, match=r"the workers failed, [3-9] of 12 files were checked: ") as caught:
            logitpack.check(folder, executor=executor, jobs=1, progress=kill)
    assert isinstance(caught.value.__cause__, UsageError)
    assert 3 <= len(caught.value.report.files) < 12


def test_errors_of_files_stay_theirs(local: Any, tmp_path: Path) -> None:
    """A file that a worker cannot read is an error of that file, as on one machine."""
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with cluster.dask(local.scheduler_address) as (executor, _):
        there = logitpack.check(tmp_path, executor=executor).to_json()
    assert json.dumps(logitpack.check(tmp_path).to_json()) == json.dumps(there)


def test_what_a_call_raises(local: Any) -> None:
    """What a function raises on a worker is raised here; it is no failure of the cluster."""
    with cluster.dask(local.scheduler_address) as (executor, _):
        error = executor.submit(int, "x").exception(60)
    assert (ValueError, False) == (type(error), isinstance(error, BrokenExecutor))
