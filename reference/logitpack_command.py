"""The program `logitpack` from its first moment on: an interrupt while it loads ends it, without a word.

Strategy: importing `logitpack` loads numpy and pyarrow, which takes a moment, and KeyboardInterrupt in there is a
traceback. So the signal ends the process itself, until the command line is there to take it.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130


def main() -> None:
    """Run the command line on `sys.argv`, and exit with its status."""
    waiting = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not where it is ignored, as in `nohup`
    if waiting:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from logitpack.cli import main as run

    if waiting:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
