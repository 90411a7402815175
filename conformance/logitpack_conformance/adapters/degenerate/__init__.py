"""Adapters that are no implementation of anything: they lie, flood, hang or break off, and shall earn nothing by it.

    python -m logitpack_conformance.adapters.degenerate NAME
    python -m logitpack_conformance.adapters.degenerate --list

Strategy: each is a function that is given a request and returns what is written to stdout. Most answer well-formed
messages with made-up content; the others break the protocol or misuse the machine. Only the standard library is needed.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType

from logitpack_conformance.adapters.degenerate import answers, messages, outputs, processes
from logitpack_conformance.adapters.degenerate.base import Answer, hello, say
from logitpack_conformance.adapters.degenerate.introductions import INTRODUCTIONS

__all__ = ["ANSWERS", "INTRODUCTIONS", "main"]


def _public(module: ModuleType) -> dict[str, Answer]:
    """Return what a module defines for others, by name, in the order of its definition."""
    return {
        name.replace("_", "-"): value
        for name, value in vars(module).items()
        if callable(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


ANSWERS: dict[str, Answer] = {
    name: value for module in (answers, outputs, messages, processes) for name, value in _public(module).items()
}
"""What is answered to a request, by name."""
AFTER_HELLO: dict[str, Answer] = {
    "changes-its-hello": processes.exits_after_hello,
    "lies-in-hello": answers.unsupported,
}
"""What those that get through with their introduction answer then; the others accept what they are sent."""


def main(arguments: list[str]) -> int:
    """Be the adapter of that name until the input ends, or print all names; return the exit status."""
    if arguments == ["--list"]:
        sys.stdout.write("".join(f"{name}\n" for name in (*ANSWERS, *INTRODUCTIONS)))
        return 0
    if len(arguments) != 1 or arguments[0] not in {**ANSWERS, **INTRODUCTIONS}:
        sys.stderr.write("usage: python -m logitpack_conformance.adapters.degenerate NAME | --list\n")
        return 2
    introduce = INTRODUCTIONS.get(arguments[0], hello)
    respond = ANSWERS.get(arguments[0]) or AFTER_HELLO.get(arguments[0], answers.accepts_with_a_plausible_row)
    for text in sys.stdin.buffer:
        request = json.loads(text)
        say(introduce(request) if request["cmd"] == "hello" else respond(request))
    return 0
