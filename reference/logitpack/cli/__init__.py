"""The command line, `logitpack`: check, show, rules and card.

Strategy: the base install has numpy and pyarrow only. What the command line needs besides is
imported in here and nowhere else in the package, and its absence is said in one line.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

NEEDED = frozenset({"typer", "click", "rich", "jinja2", "yaml"})
INTERRUPTED, TERMINATED = 130, 143


def main() -> NoReturn:
    """Run the command line on `sys.argv`, and exit with its status."""
    # Around the imports too, which take longer than many a command.
    try:
        status = _main()
    except KeyboardInterrupt:
        status = INTERRUPTED
    if status in {INTERRUPTED, TERMINATED}:
        # Whatever threads are at, a server that does not answer for one, is not waited for.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    gc.freeze()  # nothing has to be looked through for garbage once more
    sys.exit(status)


def _main() -> int:
    _open_what_is_closed()
    try:
        from logitpack.cli.app import run
    except ModuleNotFoundError as error:
        if not (lacking := needed(error)):
            raise
        sys.stderr.write(f"error: {lacking}\n")
        return 2
    return run(sys.argv[1:])


def needed(error: ModuleNotFoundError) -> str:
    """Say what is to be installed, "" where it is none of what the command line needs."""
    missing = (error.name or "").partition(".")[0]
    return f"the command line needs {missing}: pip install 'logitpack[cli]'" if missing in NEEDED else ""


def _open_what_is_closed() -> None:
    """Let output to a stream that the caller has closed go nowhere."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one; else it would be that of the next file opened.
            os.open(os.devnull, os.O_RDWR)
    # None where the stream was closed when Python started, whatever their types say.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
