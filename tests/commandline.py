"""Run the command line, in this process or in one of its own, and look at what came of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from logitpack.cli.app import run

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "fixtures" / "real" / "smollm2-135m-instruct"
TOKENIZER = ROOT / "fixtures" / "real" / "tokenizer"


class Result(NamedTuple):
    """Exit status, standard output and standard error."""

    status: int
    out: str
    err: str


def logitpack(*arguments: object) -> Result:
    """Run `logitpack` in this process; output is what a pipe would get."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run([str(argument) for argument in arguments])
    return Result(status, out.getvalue(), err.getvalue())


def python(*arguments: object, **environment: object) -> Result:
    """Run Python in a process of its own, which imports the same logitpack as this one."""
    import logitpack as package

    path = os.pathsep.join([str(Path(package.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    added = {name: str(value) for name, value in environment.items()}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **added},
    )
    return Result(done.returncode, done.stdout, done.stderr)
