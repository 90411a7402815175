"""An interrupt at the terminal and a request to terminate, both as one KeyboardInterrupt.

Strategy: the first one ends the run and leaves time to clean up and to show what there is; further ones are ignored,
for they would cut short just that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""The exit status of a program that was interrupted."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal only. A signal that is ignored stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_told = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            raise KeyboardInterrupt

    found = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in found.items() if handler not in {signal.SIG_IGN, None}}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
