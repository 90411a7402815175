"""`logitpack check` while it runs: the bar on a terminal, and what an interrupt leaves."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import REAL, Result, logitpack, python
from logitpack_conformance.rows import described, valid_rows
from support import table, write_parquet

INTERRUPTED = """
import os, sys, threading
from contextlib import contextmanager
from logitpack import dispatch
from logitpack.cli import check, main

perform = dispatch.perform

def hanging(task, live):
    if task.path.endswith("b.parquet"):
        threading.Event().wait()
    return perform(task, live)

@contextmanager
def bar():
    def show(told):
        if told.files == int(os.environ["FILES"]):
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    yield show

dispatch.perform = hanging
sys.modules["logitpack.cli.check"].bar = bar
main()
"""
"""Checks, hangs in a file, and gets a signal, twice, once some files are done."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three files, of which the first is broken."""
    rows = valid_rows((3, 2))
    for name in ("a", "b", "c"):
        write_parquet(tmp_path / "data" / f"{name}.parquet", table(rows, metadata=described()))
    rows[0]["logsumexp"][1] = float("nan")
    write_parquet(tmp_path / "data" / "a.parquet", table(rows, metadata=described()))
    return tmp_path / "data"


def interrupted(folder: Path, *options: object, number: int = signal.SIGINT, files: int = 1) -> Result:
    """Interrupt a check of a folder once so many files are done."""
    code = ("-c", INTERRUPTED, "check", folder, "--jobs", 1, *options)
    return python(*code, SIGNAL=int(number), FILES=files)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_what_was_checked(folder: Path, number: int, status: int) -> None:
    """At once, though a file hangs: the findings in files that were done, and a line that counts."""
    result = interrupted(folder, number=number)
    expected = "interrupted: 1 of 3 files checked, 0 in part, 2 tokens; found so far: 1 error, 0 warnings\n"
    assert (status, expected) == (result.status, result.err)
    assert [
        f"{folder}/a.parquet: error LSE-1, 1 place",
        f"{folder}/a.parquet: invalid (Described, 2 rows, 2 tokens, 1 error)",
    ] == [line.split(": logsumexp")[0] for line in result.out.splitlines()]


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_programs_get_no_half_report(folder: Path, form: str) -> None:
    """A document that is not whole is not printed."""
    result = interrupted(folder, "--format", form)
    assert (130, "") == (result.status, result.out)


def test_an_interrupt_before_the_first_file(folder: Path) -> None:
    """There is nothing to say but that."""
    result = interrupted(folder, files=0)
    expected = "interrupted: 0 of 3 files checked, 0 in part, 0 tokens; found so far: 0 errors, 0 warnings\n"
    assert (130, "", expected) == result


def test_an_interrupted_run_is_gone_on_with(folder: Path, tmp_path: Path) -> None:
    """The state has what was done, the last line says so, and the next run gives the whole report."""
    result = interrupted(folder, "--state", tmp_path / "state")
    assert result.err.endswith(f"; {tmp_path}/state has what was found in the files that were checked\n")
    assert logitpack("check", folder) == logitpack("check", folder, "--state", tmp_path / "state")


def test_an_interrupt_while_the_package_loads() -> None:
    """From the first moment of the program on, it ends without a word."""
    code = """
import os, signal, sys
from logitpack_command import main

class Interrupt:
    def find_spec(self, name, *_):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
main()
"""
    assert (130, "", "") == python("-c", code)


def test_the_program_takes_interrupts_itself_then() -> None:
    """Once it is loaded, the command line has the word, and its exit status is passed on."""
    code = "import sys; from logitpack_command import main; sys.argv[1:] = ['rules', 'NUC-0']; main()"
    assert logitpack("rules", "NUC-0").status == python("-c", code).status


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_jobs_change_nothing(folder: Path, jobs: int) -> None:
    """However many parts are judged at a time, the report is the same."""
    assert logitpack("check", folder) == logitpack("check", folder, "--jobs", jobs)


def test_no_jobs(folder: Path) -> None:
    """Nobody to judge is wrong usage."""
    assert 2 == logitpack("check", folder, "--jobs", 0).status


def on_terminal(**environment: str) -> str:
    """Check with standard error on a terminal, and give what is written there."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "CI": "", **environment}
    with os.fdopen(ours, "rb") as terminal:
        command = [sys.executable, "-m", "logitpack.cli", "check", str(REAL)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True, check=True)
        os.close(theirs)
        assert logitpack("check", REAL).out == done.stdout
        try:
            return terminal.read1(1 << 20).decode()
        except OSError:  # Linux's word for the end of what a terminal that is gone has to say
            return ""


def test_a_bar_on_a_terminal() -> None:
    """It tells files, tokens and tokens a second, and standard output has none of it."""
    text = on_terminal()
    assert "1 of 1 files" in text
    assert "958 tokens, " in text
    assert "tokens/s" in text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_no_bar_where_nobody_looks(environment: dict[str, str]) -> None:
    """A terminal that cannot move its cursor, and the log of a workflow, get none."""
    assert "" == on_terminal(**environment)


def test_a_bar_without_colour() -> None:
    """NO_COLOR is respected."""
    assert "\x1b[3" not in on_terminal(NO_COLOR="1")
