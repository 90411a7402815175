"""An interrupt at the terminal and a request to terminate: the first ends a command, and leaves time for a last word.

Strategy: both are raised as KeyboardInterrupt, once; further ones would cut short just that last word, and are ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Caught:
    """The signal that came, SIGINT where none did."""

    number: int = signal.SIGINT
    came: bool = False

    @property
    def status(self) -> int:
        """The exit status of a program that the signal ends: 130 or 143."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[Caught]:
    """Raise KeyboardInterrupt at the first signal. One that is ignored stays ignored."""
    caught = Caught()
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def interrupt(number: int, _: FrameType | None) -> None:
        if not caught.came:
            caught.came, caught.number = True, number
            raise KeyboardInterrupt

    found = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in found.items() if handler not in {signal.SIG_IGN, None}}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
