"""Sessions with an adapter that does anything but answer: each is an outcome, and nothing stays behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes import ACCEPTED, HANG, LIMITS, REJECTED, SHORT, Step, fake, notes, running
from logitpack_conformance.drain import CHUNK, LINE_LIMIT, LOG_PART, WAITING_LIMIT, Lines
from logitpack_conformance.model import Container, Implementation, Role
from logitpack_conformance.process import Limits
from logitpack_conformance.session import Session, StartError

PLAIN = {"cmd": "check", "container": "json", "input": "/nowhere", "metadata": None}
SMALL = Limits(timeout=30.0, start=60.0, memory=200 << 20, file_size=1 << 20)
LARGE = 1 << 30


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give an empty folder for sessions; afterwards it is empty again, and no process of theirs is left."""
    place = tmp_path / "folder"
    place.mkdir()
    yield place
    assert [] == list(place.iterdir())
    assert [] == running(place)


def call(steps: list[Step], folder: Path, limits: Limits = LIMITS, **request: Any) -> tuple[str, str]:
    """Send one request to an adapter that answers the first with these steps; return outcome and message."""
    with Session(fake(folder.parent, {"1": steps}), limits, folder=folder) as session:
        response = session.call({**PLAIN, **request})
    return response.outcome, response.message


def test_introduction(folder: Path) -> None:
    """What an adapter says of itself is taken over, members that may be absent too."""
    said = {"roles": ["checker", "reader"], "containers": ["json", "parquet"], "features": ["zstd"], "language": None}
    with Session(fake(folder.parent, introduction=said), LIMITS, folder=folder) as session:
        expected = Implementation(
            name="fake",
            version="1",
            roles=(Role.CHECKER, Role.READER),
            containers=(Container.JSON, Container.PARQUET),
            features=("zstd",),
        )
        assert expected == session.implementation


def test_responses(folder: Path) -> None:
    """A sound response keeps its members; null stands for an absent one, and others are ignored."""
    members: dict[str, Any] = {
        "outcome": "rejected",
        "message": "m",
        "requirement": None,
        "findings": [{"requirement": "IDX-5", "row": 0, "token": None, "more": 1}],
        "feature": None,
        "more": [{}],
    }
    with Session(fake(folder.parent, {"*": [{"answer": members}]}), LIMITS, folder=folder) as session:
        response = session.call(PLAIN)
    assert ("rejected", "m", None) == (response.outcome, response.message, response.requirement)
    assert ({"requirement": "IDX-5", "row": 0, "token": None, "more": 1},) == response.findings


BAD_LINES = {
    "noise": ([{"text": "reading...\n"}, ACCEPTED], "a line that is no JSON: reading..."),
    "empty": ([{"text": "\n"}, ACCEPTED], "a line that is no JSON: (nothing)"),
    "no-utf8": ([{"hex": "7bff0a"}], "a line that is no UTF-8"),
    "no-object": ([{"text": "[SEQ]\n"}], "a line that is no JSON object"),
    "half": ([{"text": '{"seq": SEQ, "out'}, {"exit": 0}], "it ended inside a line, after 15 bytes"),
    "two": ([{"text": '{"seq": SEQ, "outcome": "accepted"}\n' * 2}], "it printed after the response"),
    "one-and-a-half": ([{"text": '{"seq": SEQ, "outcome": "accepted"}\n{'}], "it printed after the response"),
    "many": ([{"text": '{"seq": SEQ, "outcome": "accepted"}\n' * 5000}], "it printed after the response"),
    "wrong-seq": ([{"answer": {"outcome": "accepted", "seq": 7}}], "seq is 7, expected 1"),
    "no-seq": ([{"answer": {"outcome": "accepted", "seq": "none"}}], "a response without seq, expected 1"),
    "bool-seq": ([{"answer": {"outcome": "accepted", "seq": True}}], "seq is true, expected 1"),
    "float-seq": ([{"text": '{"seq": SEQ.0, "outcome": "accepted"}\n'}], "seq is 1.0, expected 1"),
    "huge-seq": ([{"text": '{"seq": ' + "9" * 5000 + ', "outcome": "accepted"}\n'}], "a line that is no JSON"),
    "string-seq": ([{"answer": {"outcome": "accepted", "seq": "1"}}], 'seq is "1", expected 1'),
    "nan": ([{"text": '{"seq": SEQ, "outcome": "accepted", "x": NaN}\n'}], "a line with NaN"),
    "infinity": ([{"text": '{"seq": SEQ, "outcome": "accepted", "x": -Infinity}\n'}], "a line with -Infinity"),
    "twice": ([{"text": '{"seq": SEQ, "outcome": "rejected", "outcome": "accepted"}\n'}], "stands twice"),
    "deep": ([{"text": "[" * 100_000 + "\n"}], "a line that is no JSON"),
    "deep-message": (
        [{"text": '{"seq": SEQ, "outcome": "accepted", "message": ' + "[" * 900 + "]" * 900 + "}\n"}],
        "",
    ),
    "no-outcome": ([{"answer": {}}], "'outcome' is a required property"),
    "outcome": ([{"answer": {"outcome": "ok"}}], "'ok' is not one of"),
    "outcome-list": ([{"answer": {"outcome": ["accepted"]}}], "$.outcome"),
    "message": ([{"answer": {"outcome": "error", "message": 1}}], "$.message"),
    "feature": ([{"answer": {"outcome": "unsupported"}}], "'feature' is a required property"),
    "findings": ([{"answer": {"outcome": "rejected", "findings": ["IDX-5"]}}], "$.findings[0]"),
    "long": ([{"text": " " * (LINE_LIMIT + 1)}], f"a line of more than {LINE_LIMIT} bytes"),
    "long-line": ([{"text": " " * (LINE_LIMIT + 1) + "\n"}], f"a line of more than {LINE_LIMIT} bytes"),
    "flood": ([{"flood": {"to": "stdout", "bytes": LARGE}}], f"a line of more than {LINE_LIMIT} bytes"),
    "flood-of-lines": ([{"flood": {"to": "stdout", "bytes": LARGE, "lines": True}}], "a line that is no JSON"),
}


@pytest.mark.parametrize(("steps", "words"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_lines(steps: list[Step], words: str, folder: Path) -> None:
    """Whatever is no response to the request is a breach of the protocol, in few and printable words."""
    outcome, message = call(steps, folder)
    assert "protocol_error" == outcome
    assert words in message
    assert len(message) < 600
    assert message.isprintable()


def test_longest_line(folder: Path) -> None:
    """A line of exactly as many bytes as are allowed is a response."""
    line = '{"seq": SEQ, "outcome": "accepted"}'
    padding = " " * (LINE_LIMIT - len(line.replace("SEQ", "1")))
    assert ("accepted", "") == call([{"text": line + padding + "\n"}], folder)


def test_carriage_return(folder: Path) -> None:
    """A line may end in a carriage return and a line feed."""
    assert ("accepted", "") == call([{"text": '{"seq": SEQ, "outcome": "accepted"}\r\n'}], folder)


ENDINGS = {
    "exit": ([{"exit": 3}], "it exited with status 3"),
    "exit-0": ([{"exit": 0}], "it exited with status 0"),
    "signal": ([{"signal": "SIGSEGV"}], "it was ended by SIGSEGV"),
    "no-input": ([{"close": "stdin"}, {"exit": 4}], "it exited with status 4"),
    "child": ([{"child": "group"}, {"exit": 5}], "it exited with status 5"),
    "orphan": ([{"orphan": 1}, {"exit": 6}], "it exited with status 6"),
}


@pytest.mark.parametrize(("steps", "words"), ENDINGS.values(), ids=ENDINGS)
def test_crash(steps: list[Step], words: str, folder: Path) -> None:
    """An adapter that ends, even one whose child keeps its output open, has crashed."""
    assert ("crash", words) == call(steps, folder)


def test_last_words(folder: Path) -> None:
    """What a crashed adapter said last on its standard error is told."""
    outcome, message = call([{"no such step": 0}], folder)
    assert "crash" == outcome
    assert "it exited with status 1; last on its standard error: KeyError: 'no such step'" == message


def test_timeout(folder: Path) -> None:
    """An adapter that does not answer in time is ended."""
    assert ("timeout", "no response within 1 s") == call(HANG, folder, SHORT)


def test_line_without_end(folder: Path) -> None:
    """A response whose line feed never comes is no response."""
    outcome, message = call([{"text": "{}"}, *HANG], folder, SHORT)
    assert ("protocol_error", "2 bytes came without a line feed in 1 s") == (outcome, message)


def test_closed_output(folder: Path) -> None:
    """An adapter that goes on without its output breaks the protocol."""
    assert ("protocol_error", "it closed its standard output") == call([{"close": "stdout"}, *HANG], folder)


def test_request_that_is_not_read(folder: Path) -> None:
    """A request larger than a pipe to an adapter that has stopped reading is no reason to hang."""
    with Session(fake(folder.parent, {"1": [ACCEPTED, *HANG]}), SHORT, folder=folder) as session:
        assert "accepted" == session.call(PLAIN).outcome
        assert "timeout" == session.call({**PLAIN, "metadata": {"x": "y" * (1 << 20)}}).outcome


def test_large_request(folder: Path) -> None:
    """A request larger than a pipe arrives whole."""
    path = folder.parent / "notes"
    assert ("accepted", "") == call([{"note": str(path)}, ACCEPTED], folder, metadata={"x": "y" * (1 << 20)})
    assert 1 << 20 == len(notes(path)[0]["request"]["metadata"]["x"])


@pytest.mark.parametrize("steps", [[{"memory": 1 << 30}], [{"greedy_child": 1 << 30}]], ids=["own", "child"])
def test_memory(steps: list[Step], folder: Path) -> None:
    """The memory of an adapter is bounded, with that of its children, whatever session they are in."""
    assert ("memory", f"more than {SMALL.memory} bytes of memory") == call(steps, folder, SMALL)


def test_large_file(folder: Path) -> None:
    """No file grows beyond the limit, not even that of the output."""
    output = folder.parent / "output"
    outcome, message = call([{"flood": {"to": "output", "bytes": LARGE}}], folder, SMALL, output=str(output))
    assert "crash" == outcome
    assert "File too large" in message
    assert SMALL.file_size == output.stat().st_size


def test_signals_are_as_usual(folder: Path) -> None:
    """An adapter is started with the signals that Python ignores set as for any program."""
    command = ["/bin/sh", "-c", "kill -s PIPE $$; echo still here"]
    with pytest.raises(StartError, match="it was ended by SIGPIPE"), Session(command, LIMITS, folder=folder):
        pass


def test_surplus_lines_are_dropped() -> None:
    """Of millions of lines that nobody takes, no more are kept than came at once."""
    source, sink = os.pipe()
    lines = Lines(os.fdopen(source, "rb"))
    with os.fdopen(sink, "wb") as file:
        file.write(b"\n" * (1 << 22))
    lines.close(60.0)
    assert lines._queue.qsize() <= CHUNK + WAITING_LIMIT + 1
    assert b"" == lines.take(0)


def test_standard_error(folder: Path) -> None:
    """Gigabytes of it hold nobody up, mean nothing, and only the first and the last part are kept."""
    steps: list[Step] = [{"flood": {"to": "stderr", "bytes": LARGE}}, ACCEPTED]
    with Session(fake(folder.parent, {"1": steps}), LIMITS, folder=folder) as session:
        assert "accepted" == session.call(PLAIN).outcome
    assert f"[... {LARGE - 2 * LOG_PART} bytes ...]" in session.log
    assert len(session.log) < 2 * LOG_PART + 100


@pytest.mark.parametrize("how", ["group", "own", "session"])
def test_children_are_ended(how: str, folder: Path) -> None:
    """A process that an adapter started goes with it, out of its group or session too; the fixture sees to that."""
    assert ("accepted", "") == call([{"child": how}, ACCEPTED], folder)


def test_orphans_are_ended(folder: Path) -> None:
    """So does one whose parent has ended."""
    assert ("accepted", "") == call([{"orphan": 1}, ACCEPTED], folder)


def test_many_processes_are_ended(folder: Path) -> None:
    """So do a hundred."""
    assert "timeout" == call([{"forks": 7}], folder, SHORT)[0]


FAILURES: dict[str, list[Step]] = {
    "crash": [{"exit": 1}],
    "timeout": HANG,
    "protocol_error": [{"text": "?\n"}],
    "memory": [{"memory": 1 << 30}],
}


@pytest.mark.parametrize("outcome", FAILURES)
def test_fresh_process(outcome: str, folder: Path) -> None:
    """After any failure a fresh process answers, in a folder of its own, and numbers begin anew."""
    path = folder.parent / "notes"
    scripts = [
        {"steps": {"2": [{"note": str(path)}, *FAILURES[outcome]]}},
        {"steps": {"*": [{"note": str(path)}, REJECTED]}},
    ]
    limits = Limits(timeout=2.0, start=60.0, memory=200 << 20)
    with Session(fake(folder.parent, starts=scripts), limits, folder=folder) as session:
        outcomes = [session.call(PLAIN).outcome for _ in range(3)]
    assert ["accepted", outcome, "rejected"] == outcomes
    before, after = notes(path)
    assert before["pid"] != after["pid"]
    assert before["cwd"] != after["cwd"]
    assert 1 == after["request"]["seq"]


def test_another_hello(folder: Path) -> None:
    """An adapter that says another thing of itself after a new start breaks the protocol."""
    scripts = [{"steps": {"1": [{"exit": 1}]}}, {"introduction": {"features": ["zstd"]}}]
    with Session(fake(folder.parent, starts=scripts), LIMITS, folder=folder) as session:
        assert "crash" == session.call(PLAIN).outcome
        response = session.call(PLAIN)
    assert ("protocol_error", True) == (response.outcome, "its response to hello was another" in response.message)


def test_no_second_start(folder: Path) -> None:
    """An adapter that does not start a second time fails the request, and not the run."""
    scripts: list[dict[str, Any]] = [{"steps": {"1": [{"exit": 1}]}}, {"steps": {"hello": [{"exit": 2}]}}]
    with Session(fake(folder.parent, starts=scripts), LIMITS, folder=folder) as session:
        assert "crash" == session.call(PLAIN).outcome
        response = session.call(PLAIN)
    assert ("crash", "hello: it exited with status 2") == (response.outcome, response.message)


def test_line_between_requests(folder: Path) -> None:
    """What is printed between two requests answers neither."""
    steps: list[Step] = [ACCEPTED, {"text": "later\n"}, {"sleep": 0.3}]
    with Session(fake(folder.parent, {"1": steps}), LIMITS, folder=folder) as session:
        outcomes = [session.call(PLAIN).outcome for _ in range(2)]
    assert "protocol_error" in outcomes


def test_line_at_the_end(folder: Path) -> None:
    """What is printed after the last response is found when the session is closed."""
    with Session(fake(folder.parent, {"end": [{"text": "bye\n"}]}), LIMITS, folder=folder) as session:
        session.call(PLAIN)
        fault = session.close(30.0)
    assert fault is not None
    assert ("protocol_error", True) == (fault.outcome, "after its last response" in fault.message)


def test_end_of_input(folder: Path) -> None:
    """An adapter that ends with status 0 at the end of its input has done all it has to."""
    with Session(fake(folder.parent), LIMITS, folder=folder) as session:
        session.call(PLAIN)
        assert session.close(30.0) is None


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (HANG, "at the end of its input: it did not end within 1 s"),
        ([{"exit": 9}], "at the end of its input it exited with status 9, not 0"),
        ([{"signal": "SIGABRT"}], "at the end of its input: it was ended by SIGABRT"),
    ],
    ids=["ignored", "status", "signal"],
)
def test_bad_end(steps: list[Step], words: str, folder: Path) -> None:
    """One that ignores the end of its input is ended, and however it ends badly is told."""
    with Session(fake(folder.parent, {"end": steps}), SHORT, folder=folder) as session:
        session.call(PLAIN)
        fault = session.close(1.0)
    assert fault is not None
    assert words == fault.message


BAD_HELLOS: dict[str, tuple[dict[str, Any], str]] = {
    "protocol": ({"introduction": {"protocol": 2}}, "hello: $.protocol: 1 was expected"),
    "spec": ({"introduction": {"spec": ["2.0"]}}, "not version 1.0"),
    "role": ({"introduction": {"roles": ["validator"]}}, "'validator' is not one of"),
    "no-role": ({"introduction": {"roles": []}}, "$.roles"),
    "container": ({"introduction": {"containers": ["csv"]}}, "'csv' is not one of"),
    "no-container": ({"introduction": {"containers": []}}, "containers is empty"),
    "feature": ({"introduction": {"features": ["list-view"]}}, "'list-view' is not one of"),
    "no-name": ({"introduction": {"name": ""}}, "$.name"),
    "seq": ({"introduction": {"seq": 1}}, "seq is 1, expected 0"),
    "exit": ({"steps": {"hello": [{"exit": 3}]}}, "hello: it exited with status 3"),
    "noise": ({"steps": {"hello": [{"text": "Welcome!\n"}]}}, "a line that is no JSON: Welcome!"),
    "half": ({"steps": {"hello": [{"text": "{"}, {"exit": 0}]}}, "it ended inside a line"),
    "answer": ({"steps": {"hello": [ACCEPTED]}}, "is a required property"),
}


@pytest.mark.parametrize(("script", "words"), BAD_HELLOS.values(), ids=BAD_HELLOS)
def test_bad_hello(script: dict[str, Any], words: str, folder: Path) -> None:
    """An adapter that does not introduce itself as it should does not start."""
    with pytest.raises(StartError) as raised, Session(fake(folder.parent, **script), LIMITS, folder=folder):
        pass
    assert words in str(raised.value)


def test_silent_hello(folder: Path) -> None:
    """One that says nothing is waited for as long as a start may take."""
    limits = Limits(timeout=0.5, start=1.0)
    command = fake(folder.parent, {"hello": HANG})
    with pytest.raises(StartError, match="no response within 1 s"), Session(command, limits, folder=folder):
        pass


def test_no_program(folder: Path) -> None:
    """A program that is not there does not start."""
    command = ["no-such-program-anywhere"]
    with pytest.raises(StartError, match="there is no such program"), Session(command, LIMITS, folder=folder):
        pass


def test_log_of_a_start_that_failed(folder: Path) -> None:
    """What an adapter says on its standard error is there to be shown."""
    command = ["/bin/sh", "-c", "echo no licence >&2; exit 1"]
    with pytest.raises(StartError) as raised, Session(command, LIMITS, folder=folder):
        pass
    assert "no licence\n" == raised.value.log


def test_stopped(folder: Path) -> None:
    """A session that was stopped answers no request, and starts nothing."""
    with Session(fake(folder.parent), LIMITS, folder=folder) as session:
        session.stop()
        assert "crash" == session.call(PLAIN).outcome
        assert "the run was stopped" == session.call(PLAIN).message


def test_temporary_files_go_too(folder: Path) -> None:
    """What an adapter puts where temporary files go is gone with it; the fixture sees to that."""
    code = "import json, sys, tempfile; tempfile.mkstemp(); sys.stdin.readline(); print(json.dumps({}))"
    command = ["python3", "-c", code]
    with pytest.raises(StartError, match="without seq"), Session(command, LIMITS, folder=folder):
        pass


def test_relative_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments that name files are understood from the folder of the user."""
    command = fake(folder.parent)
    monkeypatch.chdir(folder.parent)
    with Session([*command[:-1], "script.json"], LIMITS, folder=folder) as session:
        assert "fake" == session.implementation.name


def test_requests_on_the_wire(folder: Path) -> None:
    """Requests are numbered from 1 in a process, and a member is what was asked for."""
    path = folder.parent / "notes"
    with Session(fake(folder.parent, {"*": [{"note": str(path)}, ACCEPTED]}), LIMITS, folder=folder) as session:
        for name in ("a", "é\n"):
            session.call({**PLAIN, "input": name})
    sent = [json.loads(json.dumps(note["request"])) for note in notes(path)]
    assert [{"seq": 1, **PLAIN, "input": "a"}, {"seq": 2, **PLAIN, "input": "é\n"}] == sent
