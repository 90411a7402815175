"""The program `logitpack` from its first moment on: an interrupt while it loads ends it, without a word.

Strategy: importing `logitpack` loads numpy and pyarrow, which takes a moment, and KeyboardInterrupt in there is a
traceback. So the signal ends the process itself, until the command line is there to take it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

INTERRUPTED = 130
TRIM, MAPPED = (-1, 1 << 29), (-3, 1 << 25)
"""Numbers of glibc: how much free memory the C library keeps, and from which size on it keeps none."""
SELDOM = 100_000
"""Objects that are made before garbage is looked for: loading makes tens of thousands, and no garbage."""

CHOSEN = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
"""What libraries look up as they are loaded.

Arrow's own allocator gives freed memory back at once, and gets it anew for each slice that is read: page by page, each
cleared by the kernel. The threads of numpy's linear algebra would have nothing to do.
"""


def main() -> None:
    """Run the command line on `sys.argv`, and exit with its status."""
    gc.set_threshold(SELDOM)
    waiting = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not where it is ignored, as in `nohup`
    if waiting:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    _keep_memory()
    with _chosen():
        from logitpack.cli import main as run

    if waiting:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _keep_memory() -> None:
    """Let the C library keep what is freed, for the next slice: memory from the system is cleared page by page."""
    with suppress(AttributeError, OSError, TypeError):  # of another system
        for number, value in (TRIM, MAPPED):
            ctypes.CDLL(None).mallopt(number, value)


@contextmanager
def _chosen() -> Iterator[None]:
    """Let libraries, as they are loaded, do as is best here, unless the user has chosen."""
    ours = {name: value for name, value in CHOSEN.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]  # other programs may be begun
