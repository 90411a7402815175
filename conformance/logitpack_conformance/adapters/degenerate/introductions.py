"""What breaks, or lies, in its first message."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from logitpack_conformance.adapters.degenerate.base import Message, hang, hello


def _exits_at_once() -> bytes:
    os._exit(0)


INTRODUCTIONS: dict[str, Callable[[Message], bytes]] = {
    "exits-at-once": lambda _: _exits_at_once(),
    "hangs-in-hello": lambda _: hang(),
    "hello-is-no-json": lambda _: b"hello\n",
    "hello-of-another-protocol": lambda request: hello(request, protocol=2),
    "hello-of-another-version": lambda request: hello(request, spec=["2.0"]),
    "hello-without-roles": lambda request: hello(request, roles=[]),
    "hello-with-unknown-roles": lambda request: hello(request, roles=["oracle"]),
    "hello-of-a-megabyte": lambda request: hello(request, name="x" * (1 << 20)),
    "lies-in-hello": lambda request: hello(request, features=["zstd", "large_list", "list_view", "dataset"]),
    "hello-with-unknown-features": lambda request: hello(request, features=["everything"]),
    "lies-about-scope": lambda request: hello(request, roles=["reader"], containers=["json"]),
    "changes-its-hello": lambda request: hello(request, version=str(time.time_ns())),
}
"""What breaks, or lies, in its first message; those that get through accept what they are sent, or exit."""
