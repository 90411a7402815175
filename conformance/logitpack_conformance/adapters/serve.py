"""The adapter's side of the protocol, for implementations in Python: requests in, responses out.

    from logitpack_conformance.adapters.serve import Rejected, serve

    def read(request):
        try:
            rows = my_library.read(request["input"])
        except my_library.BadFile as error:
            raise Rejected(str(error))
        write_logical_json(rows, request["output"])

    sys.exit(serve({"read": read}, {"name": "my-library", "version": "1.2", "containers": ["parquet"]}))

Strategy: one JSON object a line, one response for each request, whatever goes wrong on the way. What handlers print
goes to stderr, for stdout belongs to the protocol. Only the standard library is needed, so the file can be copied.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, BinaryIO

PROTOCOL = 1
SPEC = "1.0"
ROLES = {"read": "reader", "write": "writer", "check": "checker", "extract": "extractor"}
USAGE = "usage: COMMAND, or COMMAND hello|read|write|check|extract REQUEST.json RESPONSE.json"

Message = Mapping[str, Any]
Handler = Callable[[Message], Message | None]


class Rejected(Exception):  # noqa: N818  an answer, not an error
    """A handler raises it for a file that it rejects or rows that it refuses."""

    def __init__(self, message: str, requirement: str | None = None) -> None:
        super().__init__(message)
        self.requirement = requirement


class Unsupported(Exception):  # noqa: N818  an answer, not an error
    """A handler raises it for a file that needs a feature which it lacks, and which `hello` does not declare."""

    def __init__(self, feature: str, message: str = "") -> None:
        super().__init__(message or f"{feature} is not supported")
        self.feature = feature


def serve(
    handlers: Mapping[str, Handler],
    hello: Message,
    arguments: Sequence[str] | None = None,
    streams: tuple[BinaryIO, BinaryIO] | None = None,
) -> int:
    """Answer requests until the input ends, or the one that `arguments` name; return the exit status.

    `handlers` are by command ("read", "write", "check", "extract"). A handler gets the request and returns members of
    the response, an "accepted" one unless they say otherwise, or None for that alone; it raises Rejected, Unsupported,
    or anything else for a failure of its own. `hello` has at least name, version and containers; the roles follow from
    the handlers. `arguments` and `streams` stand for those of the process.
    """
    introduction = _introduction(handlers, hello)
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments:
        return _serve_once(handlers, introduction, arguments)
    source, sink = streams or (sys.stdin.buffer, sys.stdout.buffer)
    try:
        for line in source:
            sink.write(_encoded(_answer(handlers, introduction, line)))
            sink.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    return 0


def _introduction(handlers: Mapping[str, Handler], hello: Message) -> dict[str, Any]:
    roles = [role for command, role in ROLES.items() if command in handlers]
    return {"protocol": PROTOCOL, "spec": [SPEC], "language": "python", "roles": roles, "features": [], **hello}


def _serve_once(handlers: Mapping[str, Handler], introduction: Message, arguments: Sequence[str]) -> int:
    """Answer one request from a file into a file (`--one-shot`)."""
    if len(arguments) != 3 or arguments[0] not in {"hello", *ROLES}:
        sys.stderr.write(USAGE + "\n")
        return 2
    _, request, response = arguments
    Path(response).write_bytes(_encoded(_answer(handlers, introduction, Path(request).read_bytes())))
    return 0


def _answer(handlers: Mapping[str, Handler], introduction: Message, line: bytes) -> dict[str, Any]:
    """Return the response to one request, whatever it is and whatever becomes of it."""
    seq = None
    try:
        request = json.loads(line)
        seq = request.get("seq")
        command = request.get("cmd")
        if command == "hello":
            return {"seq": seq, **introduction}
        with redirect_stdout(sys.stderr):
            members = handlers.get(command, _unknown)(request)
    except Rejected as rejection:
        answer = {"seq": seq, "outcome": "rejected", "message": str(rejection)}
        return answer if rejection.requirement is None else {**answer, "requirement": rejection.requirement}
    except Unsupported as lack:
        return {"seq": seq, "outcome": "unsupported", "feature": lack.feature, "message": str(lack)}
    except Exception as error:  # noqa: BLE001  the session goes on, and the runner is told
        return {"seq": seq, "outcome": "error", "message": f"{type(error).__name__}: {error}"}
    return {"seq": seq, "outcome": "accepted", **(members or {})}


def _unknown(request: Message) -> Message:
    raise LookupError(f"there is no command {request.get('cmd')!r}")


def _encoded(answer: Message) -> bytes:
    return json.dumps(answer).encode() + b"\n"
