"""What degenerate adapters say: messages that are well formed, and a row that means something."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Answer = Callable[[Message], bytes]

ROLES = ["reader", "writer", "checker", "extractor"]
CONTAINERS = ["parquet", "arrow-file", "arrow-stream", "json"]
ENTRIES = {"indices": [5, 65541, 131077], "logits": [10.0, 8.25, 7.0]}
ROW = {"tokens": [{"logsumexp": 10.25, "top": ENTRIES, "sampled": {"indices": [12, 262142], "logits": [-1.25, 2.0]}}]}
ENDLESS = 1 << 30


def line(value: object) -> bytes:
    """Return a message as a line."""
    return json.dumps(value).encode() + b"\n"


def hello(request: Message, **members: Any) -> bytes:
    """Return an introduction that promises everything."""
    introduction = {
        "seq": request["seq"],
        "protocol": 1,
        "spec": ["1.0"],
        "name": "degenerate",
        "version": "0",
        "roles": ROLES,
        "containers": CONTAINERS,
        "features": [],
    }
    return line(introduction | members)


def answer(request: Message, outcome: str, **members: Any) -> bytes:
    """Return a response that is well formed."""
    return line({"seq": request["seq"], "outcome": outcome, **members})


def accepted(request: Message) -> bytes:
    """Return that a request was accepted."""
    return answer(request, "accepted", **({"findings": []} if request["cmd"] == "check" else {}))


def hang() -> bytes:
    """Never return."""
    time.sleep(ENDLESS)
    return b""


def say(data: bytes) -> None:
    """Write to stdout at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
