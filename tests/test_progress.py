"""What is told on standard error while a run goes on."""

from __future__ import annotations

import io
import threading

from logitpack_conformance.model import Result, Role
from logitpack_conformance.progress import Reporter
from runs import case, result


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Heard(io.StringIO):
    """A stream that tells when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def flush(self) -> None:
        """Tell it."""
        self.event.set()


def failing(number: int, message: str = "expected accepted, got rejected") -> Result:
    """Give a result that failed."""
    return result(case(f"idx/n{number}", "accept"), Role.READER, "failed", message=message)


def told(stream: io.StringIO, *failures: Result) -> str:
    """Tell of some failures, and return what was written."""
    with Reporter(stream) as reporter:
        for done, failure in enumerate(failures, 1):
            reporter.tell(done, len(failures), failure)
    return stream.getvalue()


def test_failures_are_named_at_once() -> None:
    """A failure is named with what was found wrong; what passes is not."""
    stream = io.StringIO()
    with Reporter(stream) as reporter:
        reporter.tell(1, 3, result(case("idx/good", "accept"), Role.READER))
        reporter.tell(2, 3, failing(1))
        assert "failed: reader:idx/n1@parquet: expected accepted, got rejected\n" == stream.getvalue()


def test_many_failures_are_counted() -> None:
    """After twenty, one line says that more are only counted."""
    lines = told(io.StringIO(), *(failing(number) for number in range(30))).splitlines()
    assert 21 == len(lines)
    assert "failed: reader:idx/n19@parquet" in lines[19]
    assert "more failures are only counted" == lines[20]


def test_messages_are_escaped_and_cut() -> None:
    """What came from an adapter is one line of bounded size, without control characters or bidirectional marks."""
    line = told(io.StringIO(), failing(1, "\x1b[2J\r\n\u202e" + "x" * 100_000))
    assert r": \x1b[2J\x0d\x0a\u202exxx" in line
    assert len(line) < 200
    assert 1 == line.count("\n")


def test_failures_stand_above_the_bar() -> None:
    """On a terminal too, a failure is a line; nothing in it is read as markup."""
    text = told(Terminal(), failing(1, "[red]loud[/red] :smile:"))
    assert "failed: reader:idx/n1@parquet: [red]loud[/red] :smile:\n" in text


def test_waiting_for_hello() -> None:
    """An adapter that takes its time to start: it is said what is waited for, and how long."""
    stream = Heard()
    with Reporter(stream, start=60, quiet=0):
        assert stream.event.wait(30)
    assert "waiting for the response to hello, at most 60 s\n" == stream.getvalue()


def test_no_waiting_once_it_runs() -> None:
    """Of an adapter that has answered, nothing is said."""
    stream = io.StringIO()
    with Reporter(stream, quiet=3600) as reporter:
        reporter.tell(0, 1, None)
        timers = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
        for timer in timers:
            timer.join(30)
        assert [] == [timer for timer in timers if timer.is_alive()]
    assert "" == stream.getvalue()
