"""The command line of an adapter, as it is started: found, and independent of the folder it was typed in.

Strategy: an adapter runs in an empty folder of its own. So the program is looked up, and arguments that name a file
from the folder of the user become absolute; `python adapter.py` works as it does at the prompt.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path


class NoCommandError(Exception):
    """There is no such program."""


def resolve(command: Sequence[str]) -> tuple[str, ...]:
    """Return a command with absolute paths: the program, files, and folders that are written as `.` or `./NAME`.

    Raises NoCommandError.
    """
    program = shutil.which(command[0])
    if program is None:
        raise NoCommandError(f"{command[0]}: there is no such program")
    return (str(Path(program).absolute()), *map(_absolute, command[1:]))


def _absolute(argument: str) -> str:
    path = Path(argument)
    try:
        is_meant = path.is_file() or (path.is_dir() and argument.startswith((".", "~")))
    except (OSError, ValueError):  # too long for a path, say
        is_meant = False
    return os.path.normpath(path.absolute()) if is_meant else argument


def shown(command: Sequence[str]) -> str:
    """Return a command as it is typed at a prompt."""
    return shlex.join(command)
