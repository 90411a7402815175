"""Adapters that are started once for each request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes import ACCEPTED, HANG, LIMITS, REJECTED, SHORT, Step, fake, running
from logitpack_conformance.model import Container, Implementation, Role
from logitpack_conformance.oneshot import OneShot
from logitpack_conformance.process import Limits
from logitpack_conformance.session import StartError

PLAIN = {"cmd": "check", "container": "json", "input": "/nowhere", "metadata": None}
DESCRIBED = Implementation("script", "", (Role.CHECKER,), (Container.JSON,))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give an empty folder; afterwards it is empty again, and no process is left."""
    place = tmp_path / "folder"
    place.mkdir()
    yield place
    assert [] == list(place.iterdir())
    assert [] == running(place)


def shell(folder: Path, script: str) -> list[str]:
    """Return a command that runs a shell script; $1, $2 and $3 are what it is given."""
    path = folder.parent / "adapter.sh"
    path.write_text(script, encoding="utf-8")
    return ["/bin/sh", str(path)]


def call(command: list[str], folder: Path, limits: Limits = LIMITS) -> tuple[str, str]:
    """Send one request; return outcome and message."""
    with OneShot(command, limits, folder=folder, described=DESCRIBED) as caller:
        response = caller.call(PLAIN)
    return response.outcome, response.message


def test_hello(folder: Path) -> None:
    """An adapter may say itself what it is."""
    with OneShot(fake(folder.parent), LIMITS, folder=folder) as caller:
        assert "fake" == caller.implementation.name


def test_responses(folder: Path) -> None:
    """Each request is answered by a process of its own."""
    command = fake(folder.parent, starts=[{}, {"steps": {"*": [ACCEPTED]}}, {"steps": {"*": [REJECTED]}}])
    with OneShot(command, LIMITS, folder=folder) as caller:
        assert ["accepted", "rejected"] == [caller.call(PLAIN).outcome for _ in range(2)]


def test_shell_script(folder: Path) -> None:
    """A few lines of shell will do: no seq, no hello, and what is printed means nothing."""
    script = 'test "$1" = check || exit 9\necho working on "$2"\necho \'{"outcome": "rejected"}\' > "$3"\n'
    with OneShot(shell(folder, script), LIMITS, folder=folder, described=DESCRIBED) as caller:
        assert DESCRIBED == caller.implementation
        assert "rejected" == caller.call(PLAIN).outcome


def test_neither_hello_nor_description(folder: Path) -> None:
    """An adapter that nobody describes does not start."""
    with (
        pytest.raises(StartError, match="described by --roles and --containers"),
        OneShot(shell(folder, "exit 9"), LIMITS, folder=folder),
    ):
        pass


def test_no_program(folder: Path) -> None:
    """A program that is not there does not start, described or not."""
    caller = OneShot(["no-such-program-anywhere"], LIMITS, folder=folder, described=DESCRIBED)
    with pytest.raises(StartError, match="there is no such program"), caller:
        pass


SCRIPTS = {
    "nothing": ("exit 0", "protocol_error", "there is no response: No such file or directory"),
    "status": ('echo "{}" > "$3"; echo disk full >&2; exit 3', "crash", "it exited with status 3; last on its"),
    "signal": ("kill -s KILL $$", "crash", "it was ended by SIGKILL"),
    "noise": ('echo hello > "$3"', "protocol_error", "a line that is no JSON: hello"),
    "wrong-seq": ('echo \'{"seq": 77, "outcome": "accepted"}\' > "$3"', "protocol_error", "seq is 77, expected 1"),
    "no-outcome": ('echo "{}" > "$3"', "protocol_error", "'outcome' is a required property"),
    "huge-number": ('echo \'{"outcome": 1e999}\' > "$3"', "protocol_error", "Infinity"),
    "folder": ('mkdir "$3"', "protocol_error", "there is no response"),
    "pipe": ('mkfifo "$3"', "protocol_error", "it is no regular file"),
    "link": ('echo "{}" > x; ln -s "$PWD/x" "$3"', "protocol_error", "there is no response"),
    "long": ('head -c 2000000 /dev/zero > "$3"', "protocol_error", "it has more than 1048576 bytes"),
}


@pytest.mark.parametrize(("script", "outcome", "words"), SCRIPTS.values(), ids=SCRIPTS)
def test_bad_responses(script: str, outcome: str, words: str, folder: Path) -> None:
    """What is no regular file with a response is none."""
    found, message = call(shell(folder, script), folder)
    assert outcome == found
    assert words in message


def test_timeout(folder: Path) -> None:
    """A process that does not end in time is ended."""
    assert ("timeout", "it did not end within 1 s") == call(fake(folder.parent, {"*": HANG}), folder, SHORT)


def test_memory(folder: Path) -> None:
    """The memory of a process is bounded."""
    steps: list[Step] = [{"memory": 1 << 30}]
    limits = Limits(timeout=30.0, memory=200 << 20)
    assert ("memory", f"more than {200 << 20} bytes of memory") == call(
        fake(folder.parent, {"*": steps}), folder, limits
    )


def test_children_are_ended(folder: Path) -> None:
    """A process that it started goes with it; the fixture sees to that."""
    assert "accepted" == call(fake(folder.parent, {"*": [{"child": "session"}, ACCEPTED]}), folder)[0]


def test_stopped(folder: Path) -> None:
    """After a stop nothing is answered."""
    with OneShot(fake(folder.parent), LIMITS, folder=folder) as caller:
        caller.stop()
        assert "crash" == caller.call(PLAIN).outcome
