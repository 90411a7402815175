"""Become another program, under limits that hold for it and all it starts.

    python -I -S launch.py FILE_SIZE COMMAND [ARG ...]

Strategy: limits are set in the process that they are for, before it becomes the program, as the runner has threads and
may run no code between fork and exec. Only the standard library is needed. No file grows beyond FILE_SIZE bytes, and no
core is dumped. Where a system knows no such limits, the program runs without.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

NOT_STARTED = 127


def main(arguments: list[str]) -> int:
    """Become the program; return an exit status only where that fails."""
    size, command = int(arguments[0]), arguments[1:]
    with contextlib.suppress(ImportError):  # Windows has none
        _limit(size)
    if os.name == "nt":
        return subprocess.call(command)  # noqa: S603 - running it is what the user asked for
    # Python ignores these, and what it ignores the program would ignore as well.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - as above
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return NOT_STARTED


def _limit(size: int) -> None:
    import resource

    for kind, wanted in ((resource.RLIMIT_FSIZE, size), (resource.RLIMIT_CORE, 0)):
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)  # noqa: PLW2901 - what is allowed of it
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (wanted, wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
