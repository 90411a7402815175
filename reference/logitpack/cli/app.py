"""The program: its commands, and how it ends. Other packages can add commands (`plugins`).

Strategy: commands raise, this module alone turns errors into a line and an exit status, so
that no command can end in a traceback. 0: done. 1: the data is at fault. 2: wrong usage, or
what was named cannot be read. 70: a fault of the program itself. 130, 141: interrupted, or
its reader went away.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, TextIO

import typer

from logitpack.cli import INTERRUPTED, needed
from logitpack.cli.output import print_error
from logitpack.cli.plugins import SETTINGS, Commands
from logitpack.errors import LogitPackError, UsageError
from logitpack.version import version

DONE, DATA_FAULT, USAGE_FAULT, OWN_FAULT, NO_READER = 0, 1, 2, 70, 141

EPILOG = """\b
Examples:
  logitpack check my-dataset/
  logitpack show my-dataset/ --row 0 --token 3
  logitpack rules IDX-3
  logitpack card my-dataset/ --output my-dataset/README.md"""

app = typer.Typer(
    name="logitpack",
    cls=Commands,
    help="Check, show and describe datasets of compressed token-level logits.",
    epilog=EPILOG,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        sys.stdout.write(f"logitpack {version()}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: FBT002 - an option of the command line
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit status; errors are printed, none is raised."""
    # A terminal or pipe that cannot show a character gets its escape, not an exception.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(list(arguments))
    except BrokenPipeError:
        status = NO_READER
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = NO_READER
    except OSError as error:
        # Where the command itself met it, it has been told.
        if status in {DONE, DATA_FAULT}:
            status = _failed(error)
        _discard(sys.stdout)
    if status == NO_READER:
        _discard(sys.stdout)
    return status


def _run(arguments: list[str]) -> int:
    try:
        status = app(arguments or ["--help"], prog_name="logitpack", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as error:
        # typer turns a broken pipe into an exit with status 1, which says another thing here.
        return NO_READER if isinstance(error.__context__, BrokenPipeError) else OWN_FAULT
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback
        return _failed(error)
    if not arguments:
        return USAGE_FAULT
    return status if isinstance(status, int) else DONE


def _failed(error: Exception) -> int:
    """Print an error as one line, and return the exit status it stands for."""
    if isinstance(error, LogitPackError):
        _tell(error)
        return USAGE_FAULT if isinstance(error, UsageError) else DATA_FAULT
    if hasattr(error, "format_message"):  # typer's own: an option or argument is wrong
        context = getattr(error, "ctx", None)
        path = "logitpack" if context is None else context.command_path
        _tell(f"{error.format_message().rstrip('.')} (see '{path} --help')")
        return USAGE_FAULT
    if isinstance(error, ModuleNotFoundError) and (lacking := needed(error)):
        _tell(lacking)
        return USAGE_FAULT
    if isinstance(error, OSError):
        _tell(error.strerror if error.filename is None else f"{error.filename}: {error.strerror}")
        return USAGE_FAULT
    if isinstance(error, MemoryError):
        _tell("not enough memory")
        return OWN_FAULT
    _tell(f"a fault of logitpack itself, please report it: {type(error).__name__}: {error}")
    return OWN_FAULT


def _tell(error: object) -> None:
    """Print an error; where standard error takes nothing, the exit status alone has to say it."""
    try:
        print_error(error)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    # What is left in the buffer would raise once more when the interpreter flushes it.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
