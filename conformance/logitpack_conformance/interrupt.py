"""An interrupt at the terminal and a request to terminate, both as one KeyboardInterrupt.

Strategy: the first one ends the run and leaves time to clean up and to show what there is; further ones are ignored,
for they would cut short just that. Once there is something to show, the first is held back too, and only remembered.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

INTERRUPTED = 130
"""The exit status of a program that was interrupted."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class _Told:
    """What became of the first signal: `is_told` that there was one, `is_raised` that it was passed on."""

    is_held_back: bool = False
    is_told: bool = False
    is_raised: bool = False

    def pass_on(self) -> None:
        """Raise KeyboardInterrupt, once, where there was a signal that is not to be held back."""
        if self.is_told and not self.is_held_back and not self.is_raised:
            self.is_raised = True
            raise KeyboardInterrupt


_told = _Told()


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal only. A signal that is ignored stays ignored."""
    global _told  # noqa: PLW0603 - signals are the process's own
    _told = told = _Told()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        told.is_told = True
        told.pass_on()

    found = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in found.items() if handler not in {signal.SIG_IGN, None}}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hold_back() -> None:
    """From here on, remember a signal and raise nothing: there is something to show."""
    _told.is_held_back = True


def let_through() -> None:
    """From here on, raise KeyboardInterrupt again, and for a signal that was held back at once."""
    _told.is_held_back = False
    _told.pass_on()


def was_interrupted() -> bool:
    """Tell whether there was a signal within `interrupted_once`."""
    return _told.is_told
