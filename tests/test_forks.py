"""Mutants that are forks of one process: to a session they are processes as any other."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logitpack_conformance.process import Failure, Process
from logitpack_conformance.selftest.forks import MODULE, Fork, launcher
from logitpack_conformance.session import Launch, Limits, Session, StartError

NAMES = ("reader-msb-first", "checker-nothing-reported")


def command(name: str) -> list[str]:
    """Return what starts a mutant by itself."""
    return [sys.executable, "-m", MODULE, name]


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Give what launches mutants."""
    with launcher(tmp_path_factory.mktemp("forks")) as found:
        yield found


def test_each_is_its_own(launch: Launch, tmp_path: Path) -> None:
    """Two that run side by side are the two that were asked for, though both are forks of one process."""
    first, second = (Session(command(name), Limits(), folder=tmp_path, launch=launch) for name in NAMES)
    with first, second:
        assert NAMES == (first.implementation.name, second.implementation.name)
        request = {"cmd": "read", "container": "json", "input": str(tmp_path / "none.ndjson"), "output": "x"}
        assert ["error", "error"] == [one.call(request).outcome for one in (first, second)]
        assert first.close(5.0) is None


def test_a_fault_stays_in_its_process(launch: Launch, tmp_path: Path) -> None:
    """What one mutant changed is as it was in the next."""
    for name in ("checker-nothing-reported", "checker-silent-on-idx-3", "checker-nothing-reported"):
        with Session(command(name), Limits(), folder=tmp_path, launch=launch) as session:
            assert name == session.implementation.name


def test_one_that_does_not_start(launch: Launch, tmp_path: Path) -> None:
    """A name that no mutant has is no start, and what it said is told; the next one starts."""
    with (
        pytest.raises(StartError, match="KeyError"),
        Session(command("nobody"), Limits(), folder=tmp_path, launch=launch),
    ):
        pass
    with Session(command(NAMES[0]), Limits(), folder=tmp_path, launch=launch) as session:
        assert NAMES[0] == session.implementation.name


def test_time_is_limited(tmp_path: Path) -> None:
    """Without an answer in time there is none."""
    ours, silent = socket.socketpair()
    process = Fork(ours, tmp_path / "log")
    with silent, pytest.raises(Failure, match="no response within"):
        process.ask(b'{"seq": 0, "cmd": "hello"}', 0.01)
    process.kill()


def test_their_origin_is_gone(tmp_path: Path) -> None:
    """Where the process that they are forks of cannot start, that is told."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("logitpack_conformance.selftest.forks.MODULE", "logitpack_conformance.nothing")
        with (
            launcher(tmp_path) as launch,
            pytest.raises(OSError, match="No module named"),
        ):
            launch(command(NAMES[0]), tmp_path, Limits())


def test_without_forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system has no forks, each is started by itself."""
    monkeypatch.delattr(os, "fork")
    with launcher(tmp_path) as launch:
        assert Process is launch
