"""Processes that end, hang or take what they can get."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from logitpack_conformance.adapters.degenerate.base import ENDLESS, Message, hang


def exits_after_hello(request: Message) -> bytes:
    """End as soon as there is something to do."""
    del request
    sys.exit(0)


def fails_after_hello(request: Message) -> bytes:
    """End with a status that is not 0."""
    del request
    os._exit(3)


def killed(request: Message) -> bytes:
    """End by a signal."""
    del request
    os.kill(os.getpid(), signal.SIGSEGV)
    return hang()


def hangs_on_requests(request: Message) -> bytes:
    """Never answer."""
    del request
    return hang()


def hangs_and_ignores_signals(request: Message) -> bytes:
    """Never answer, and do not end when asked to."""
    del request
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return hang()


def leaves_a_child(request: Message) -> bytes:
    """End, and leave a child that keeps stdout open."""
    del request
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    os._exit(0)


def closes_stdout(request: Message) -> bytes:
    """Close stdout, and live on."""
    del request
    os.close(1)
    return hang()


def eats_memory(request: Message) -> bytes:
    """Take memory until there is none."""
    del request
    held = [bytearray(b"x" * (64 << 20)) for _ in range(ENDLESS)]
    return bytes(len(held))
