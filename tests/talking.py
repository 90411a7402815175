"""Conversations with adapters, every message of which the schema takes."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from jsonschema import Draft202012Validator

from logitpack_conformance.oracle import schema

PROTOCOL = schema.load("protocol.schema.json")


def errors(message: object, definition: str) -> list[str]:
    """Say what a definition of the protocol's schema has against a message."""
    validator = Draft202012Validator({**PROTOCOL, "anyOf": [{"$ref": f"#/$defs/{definition}"}]})
    return [error.message for error in validator.iter_errors(message)]


class Talk:
    """A conversation with an adapter in a process."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seq = 0

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return the response, which the schema takes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        message = {"seq": self.seq, **request}
        assert [] == errors(message, "request")
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert (self.seq, []) == (answer["seq"], errors(answer, "response" if self.seq else "introduction"))
        self.seq += 1
        return answer

    def end(self) -> int:
        """End the input and return the exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with self.process:
            return self.process.wait(timeout=30)
