"""The sandbox: work on a stranger's bytes ends with them, and the next call finds a worker."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from judging import ROWS, logical, text
from logitpack_conformance.judge.sandbox import Sandbox, SandboxError
from logitpack_conformance.model import Container
from logitpack_conformance.stored import to_bytes

ECHO = """
import json, os, sys, time
for line in sys.stdin:
    task = json.loads(line)["task"]
    if task == "crash":
        os.abort()
    if task == "exit":
        sys.exit(3)
    if task == "hang":
        time.sleep(600)
    if task == "half":
        sys.stdout.write('{"half":'); sys.stdout.flush(); sys.exit(0)
    if task == "flood":
        sys.stdout.write("9" * (8 << 20)); sys.stdout.flush(); time.sleep(600)
    print(json.dumps({"task": task, "process": os.getpid()}), flush=True)
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Give a sandbox whose workers do what they are told."""
    found = Sandbox(timeout=30, command=[sys.executable, "-c", ECHO])
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers() -> Iterator[Sandbox]:
    """Give the sandbox itself, with little memory."""
    found = Sandbox(timeout=60, memory=768 << 20)
    yield found
    found.close()


def test_a_worker_is_kept(sandbox: Sandbox) -> None:
    """Calls one after another have the same worker."""
    assert 1 == len({sandbox.call("one")["process"] for _ in range(3)})


def test_calls_at_the_same_time(sandbox: Sandbox) -> None:
    """Threads have a worker each, and get their own answers."""
    found: list[str] = []
    calls = [threading.Thread(target=lambda n=n: found.append(sandbox.call(f"task {n}")["task"])) for n in range(4)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert [f"task {n}" for n in range(4)] == sorted(found)


@pytest.mark.parametrize(
    ("task", "message"),
    [("crash", "status -6"), ("exit", "status 3"), ("half", "status 0"), ("flood", "status -9")],
)
def test_a_worker_that_ends(sandbox: Sandbox, task: str, message: str) -> None:
    """It ends with the call that ended it, and is replaced."""
    first = sandbox.call("one")["process"]
    with pytest.raises(SandboxError, match=message):
        sandbox.call(task)
    assert first != sandbox.call("one")["process"]
    assert not psutil.pid_exists(first)


def test_a_worker_that_hangs(sandbox: Sandbox) -> None:
    """It is ended when its time is up."""
    first = sandbox.call("one")["process"]
    sandbox.timeout = 0.5
    with pytest.raises(SandboxError, match=r"more than 0\.5 s"):
        sandbox.call("hang")
    sandbox.timeout = 30
    assert first != sandbox.call("one")["process"]
    assert not psutil.pid_exists(first)


def test_closing_ends_the_workers(sandbox: Sandbox) -> None:
    """No worker outlives the sandbox."""
    worker = sandbox.call("one")["process"]
    sandbox.close()
    assert not psutil.pid_exists(worker)


def test_memory_is_limited(readers: Sandbox, tmp_path: Path) -> None:
    """A small file that would take gigabytes ends its worker, and the next file is judged as ever."""
    (tmp_path / "bomb.ndjson").write_bytes(b'{"a": [' + b"[]," * (8 << 20) + b"[]]}\n")
    with pytest.raises(SandboxError, match="ended with status"):
        readers.call("complete", path=str(tmp_path / "bomb.ndjson"))
    (tmp_path / "good.parquet").write_bytes(to_bytes(ROWS, None, Container.PARQUET))
    assert {"complete": True} == readers.call("complete", path=str(tmp_path / "good.parquet"))


def test_what_cannot_be_judged_is_told(readers: Sandbox, tmp_path: Path) -> None:
    """A file that is gone when it is opened is a fault of the file, golden rows that are gone one of the suite."""
    (tmp_path / "rows.ndjson").write_bytes(text(logical(ROWS)))
    arguments = {"path": str(tmp_path / "out.ndjson"), "container": "json", "metadata": None}
    assert ["fault"] == list(readers.call("written", given=str(tmp_path / "rows.ndjson"), **arguments))
    assert ["suite"] == list(readers.call("written", given=str(tmp_path / "none.ndjson"), **arguments))


@pytest.mark.parametrize("container", list(Container))
def test_broken_bytes_do_not_hurt(readers: Sandbox, tmp_path: Path, container: Container) -> None:
    """Whatever byte of a file is changed, there is an answer or a worker less, and no exception of another kind."""
    whole = to_bytes(ROWS[:1], None, container)
    (tmp_path / "rows.ndjson").write_bytes(text(logical(ROWS[:1])))
    path = tmp_path / "out"
    for at in range(0, len(whole), max(len(whole) // 60, 1)):
        data = bytearray(whole)
        data[at] ^= 0xA5
        path.write_bytes(data)
        try:
            found = readers.call(
                "written", path=str(path), container=str(container), given=str(tmp_path / "rows.ndjson"), metadata=None
            )
        except SandboxError:
            continue
        assert found.keys() in ({"broken", "advice", "message"}, {"fault"})
