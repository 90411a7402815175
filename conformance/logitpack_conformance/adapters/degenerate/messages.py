"""Messages that break the protocol."""

from __future__ import annotations

import sys

from logitpack_conformance.adapters.degenerate.base import ENDLESS, Message, accepted, answer, hang, line, say


def half_a_line(request: Message) -> bytes:
    """Write half a response, and then nothing."""
    say(accepted(request)[:20])
    return hang()


def wrong_seq(request: Message) -> bytes:
    """Answer the request before."""
    return line({"seq": request["seq"] - 1, "outcome": "accepted", "findings": []})


def seq_is_text(request: Message) -> bytes:
    """Answer with the number as text."""
    return line({"seq": str(request["seq"]), "outcome": "accepted", "findings": []})


def megabyte_lines(request: Message) -> bytes:
    """Answer with a message of twenty megabytes."""
    return answer(request, "rejected", message="x" * (20 << 20))


def endless_line(request: Message) -> bytes:
    """Begin a line that does not end."""
    del request
    for _ in range(ENDLESS):
        say(b"x" * 65_536)
    return b""


def many_findings(request: Message) -> bytes:
    """Report a finding a hundred thousand times."""
    return answer(request, "rejected", findings=[{"requirement": "FILE-1", "message": "x"}] * 100_000)


def not_utf_8(request: Message) -> bytes:
    """Answer in another encoding."""
    return answer(request, "rejected", message="x").replace(b"x", b"\xff\xfe")


def surrogates(request: Message) -> bytes:
    """Answer with half a character, control characters and markup."""
    text = "\\ud800\\u0000\\u001b[2J\\u202e<script>alert(1)</script>|`"
    return b'{"seq": %d, "outcome": "rejected", "message": "%s", "findings": []}\n' % (request["seq"], text.encode())


def no_json(request: Message) -> bytes:
    """Answer in words."""
    del request
    return b"OK\n"


def a_list(request: Message) -> bytes:
    """Answer with a list."""
    return line([request["seq"], "accepted"])


def unknown_outcome(request: Message) -> bytes:
    """Answer with an outcome of its own."""
    return answer(request, "passed")


def the_runners_outcome(request: Message) -> bytes:
    """Answer with an outcome that only the runner gives."""
    return answer(request, "timeout")


def answers_twice(request: Message) -> bytes:
    """Answer each request two times."""
    return accepted(request) * 2


def answers_before_asked(request: Message) -> bytes:
    """Answer the next requests as well."""
    found = [line({"seq": request["seq"] + k, "outcome": "accepted", "findings": []}) for k in range(20)]
    return b"".join(found)


def floods_stdout(request: Message) -> bytes:
    """Write a hundred thousand lines before each response."""
    say(b"working\n" * 100_000)
    return accepted(request)


def floods_stderr(request: Message) -> bytes:
    """Write ten megabytes to the log before each response."""
    for _ in range(10):
        sys.stderr.buffer.write(b"\x1b[31mlog\xff" * 131_072)
    return accepted(request)
