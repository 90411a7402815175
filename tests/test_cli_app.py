"""The command line as a program: help, exit statuses, terminals and pipes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import commandline
import logitpack_command
from commandline import REAL, Result, logitpack, python
from logitpack.cli import show

COMMANDS = ["check", "show", "rules", "card"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


def on_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """Run `logitpack` on a terminal of its own and return all that it printed."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    import fcntl
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    base = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "logitpack.cli", *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**base, "PYTHONPATH": package_path(), "TERM": "xterm", **environment},
    )
    os.close(child)
    chunks = []
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # what Linux says of a terminal that nobody holds any more
            break
        if not chunk:
            break
        chunks.append(chunk)
    process.wait()
    os.close(parent)
    return b"".join(chunks).decode("utf-8").replace("\r\n", "\n")


def package_path() -> str:
    """Return where this process imports logitpack from."""
    return str(Path(show.__file__).parents[2])


def test_version() -> None:
    """`--version` names the program and a version."""
    result = logitpack("--version")
    assert (0, "") == (result.status, result.err)
    assert re.fullmatch(r"logitpack \S.*\n", result.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    """Each command's help ends in examples, one a line, none of them broken at 80 columns."""
    result = logitpack(command, "--help")
    assert 0 == result.status
    examples = result.out.partition("Examples:")[2].strip().splitlines()
    assert len(examples) >= 2
    assert all(
        line.strip().startswith(f"logitpack {command}") for line in examples if line.strip() and "xit" not in line
    )


def test_no_arguments_print_help_as_wrong_usage() -> None:
    """`logitpack` alone prints the help, and exits with 2."""
    result = logitpack()
    assert 2 == result.status
    assert logitpack("--help").out == result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shwo"], "No such command 'shwo'"),
        (["check"], "Missing argument 'PATH' (see 'logitpack check --help')"),
        (["check", ""], "Invalid value for 'PATH': a path cannot be empty"),
        (["check", "x", ""], "Invalid value for 'PATH': a path cannot be empty"),
        (["check", "x", "--metadata", ""], "Invalid value for '--metadata': a path cannot be empty"),
        (["show", "", "--row", "0"], "Invalid value for 'PATH': a path cannot be empty"),
        (["card", ""], "Invalid value for 'PATH': a path cannot be empty"),
        (["card", "x", "--output", ""], "Invalid value for '--output' / '-o': a path cannot be empty"),
        (["show"], "Missing argument 'PATH' (see 'logitpack show --help')"),
        (["show", "x"], "Missing option '--row' / '-r' (see 'logitpack show --help')"),
        (["show", "x", "--rwo", "1"], "No such option: --rwo"),
        (["show", "x", "--row", "one"], "Invalid value for '--row' / '-r'"),
        (["rules", "--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    """Wrong usage is one line on standard error, and status 2."""
    result = logitpack(*arguments)
    assert (2, "") == (result.status, result.out)
    assert result.err.startswith(f"error: {message}")
    assert 1 == result.err.count("\n")


def test_own_fault_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the program itself is told as such, without a traceback."""

    def fail(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(show, "read_row", fail)
    result = logitpack("show", REAL, "--row", "0")
    expected = "error: a fault of logitpack itself, please report it: RuntimeError: two\\x0alines\n"
    assert (70, "", expected) == result


def test_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the program with status 130 and no word."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "read_row", interrupt)
    assert (130, "", "") == logitpack("show", REAL, "--row", "0")


def test_interrupt_while_importing() -> None:
    """So does it before there is a program to interrupt."""
    code = """
import sys
from logitpack.cli import main

class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
main()
"""
    assert (130, "", "") == python("-c", code)


def through_shell(arguments: str, redirections: str) -> Result:
    """Run `logitpack` from a shell that redirects its output."""
    sh = shutil.which("sh")
    if sh is None or not Path("/dev/full").exists():
        pytest.skip("needs sh and /dev/full")
    done = subprocess.run(
        [sh, "-c", f'"$PYTHON" -m logitpack.cli {arguments} {redirections}'],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": package_path(), "REAL": str(REAL)},
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [('check "$REAL"', 0), ('check "$REAL" --format json', 0), ("--version", 0), ("", 2)],
)
def test_closed_output(arguments: str, status: int) -> None:
    """Output to what is closed goes nowhere, and the exit status is the command's."""
    assert (status, "", "") == through_shell(arguments, ">&-")


def test_everything_closed() -> None:
    """The files read do not take the places of closed streams."""
    assert (0, "", "") == through_shell('check "$REAL"', "<&- >&- 2>&-")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>&1"])
def test_errors_that_cannot_be_printed(redirection: str) -> None:
    """An error that nobody can be told still has its exit status."""
    assert (2, "", "") == through_shell("check nope", redirection)


@pytest.mark.parametrize(
    "arguments",
    ['check "$REAL"', 'check "$REAL" --format json', "rules", "rules --format json", "--version", "--help", ""],
)
def test_full_output(arguments: str) -> None:
    """Output that cannot be written is told once, in one line."""
    assert (2, "", "error: No space left on device\n") == through_shell(arguments, ">/dev/full")


def test_broken_pipe() -> None:
    """A reader that goes away ends the program without a word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "logitpack.cli", "rules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": package_path()},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"" == process.stderr.read()
    process.stderr.close()
    assert 141 == process.wait()


def test_output_that_cannot_be_encoded_is_escaped() -> None:
    """An output of ASCII gets escapes, not an exception."""
    result = python("-m", "logitpack.cli", "rules", "ROW-4", PYTHONIOENCODING="ascii")
    assert (0, "") == (result.status, result.err)
    assert "S \\u2265 1" in result.out


@pytest.mark.parametrize("missing", ["typer", "rich", "jinja2", "yaml"])
def test_without_the_extra(missing: str) -> None:
    """In a base installation the program says in one line what to install."""
    code = f"import sys; sys.modules[{missing!r}] = None; from logitpack.cli import main; main()"
    result = python("-c", code)
    assert (2, "", f"error: the command line needs {missing}: pip install 'logitpack[cli]'\n") == result


def test_pipe_gets_plain_whole_lines() -> None:
    """In a pipe nothing is coloured, wrapped, cut or filled up with blanks, whatever the environment says."""
    result = python("-m", "logitpack.cli", "rules", "FILE-3", FORCE_COLOR="1", COLUMNS="20")
    assert 0 == result.status
    assert ANSI.search(result.out) is None
    longest = max(result.out.splitlines(), key=len)
    assert longest.startswith("An Arrow IPC stream MUST end")
    assert longest.endswith("have no continuation indicator).")
    assert [] == [line for line in result.out.splitlines() if line != line.rstrip()]


def test_terminal_gets_colour() -> None:
    """On a terminal the table is coloured, and its text is that of a pipe."""
    shown = on_terminal("rules", "WR")
    assert COLOUR.search(shown) is not None
    lines = [line.rstrip() for line in ANSI.sub("", shown).splitlines()]
    assert commandline.logitpack("rules", "WR").out.splitlines() == lines


def test_no_color() -> None:
    """With NO_COLOR a terminal gets no colour."""
    assert COLOUR.search(on_terminal("rules", "WR", NO_COLOR="1")) is None


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_terminal_is_not_overrun(columns: int) -> None:
    """Sentences are broken at the terminal's width."""
    shown = ANSI.sub("", on_terminal("rules", "FILE-3", columns=columns))
    assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize(("chosen", "pool"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_memory_comes_from_where_the_user_says(chosen: str | None, pool: str) -> None:
    """Arrow takes it from the system unless told otherwise, and programs begun later are told what the user said."""
    code = (
        "import os\n"
        "import logitpack_command as program\n"
        "with program._chosen():\n    import pyarrow\n"
        "print(pyarrow.default_memory_pool().backend_name, *map(os.environ.get, program.CHOSEN))"
    )
    base = {name: value for name, value in os.environ.items() if name not in logitpack_command.CHOSEN}
    environment = {**base, "PYTHONPATH": package_path()} | ({"ARROW_DEFAULT_MEMORY_POOL": chosen} if chosen else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert f"{pool} {chosen} None\n" == done.stdout
