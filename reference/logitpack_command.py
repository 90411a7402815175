"""The program `logitpack` from its first moment on: an interrupt while it loads ends it, without a word.

Strategy: importing `logitpack` loads numpy and pyarrow, which takes a moment, and KeyboardInterrupt in there is a
traceback. So the signal ends the process itself, until the command line is there to take it.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
SELDOM = 100_000
"""Objects that are made before garbage is looked for: loading makes tens of thousands, and no garbage."""

POOL = "ARROW_DEFAULT_MEMORY_POOL"


def main() -> None:
    """Run the command line on `sys.argv`, and exit with its status."""
    gc.set_threshold(SELDOM)
    waiting = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not where it is ignored, as in `nohup`
    if waiting:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    with _memory():
        from logitpack.cli import main as run

    if waiting:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


@contextmanager
def _memory() -> Iterator[None]:
    """Let Arrow, as it is loaded, take its memory from the system, unless the user has chosen.

    Its own allocator gives freed memory back at once, and gets it anew for each slice that is read: page by page, each
    cleared by the kernel.
    """
    if POOL in os.environ:
        yield
        return
    os.environ[POOL] = "system"
    try:
        yield
    finally:
        del os.environ[POOL]  # other programs may be begun
