"""Text and JSON from an adapter, made safe to show: printable, and of bounded size.

Strategy: what comes from outside is cut before it is looked at, and escaped before it is kept. Each form of report then
does its own escaping of markup; none of them has to think of control characters again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

LONGEST = 500
"""Characters of a message that are kept."""
LARGEST = 4000
"""Characters of JSON that are kept of one message."""
WIDEST = 64
DEEPEST = 4


def printable(text: str) -> str:
    r"""Return `text` with each character that does not print as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    Those are controls, line breaks, bidirectional marks, surrogates and unassigned code points.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in text)


def _escaped(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def bounded(text: object, limit: int = LONGEST) -> str:
    """Return the text of a value, printable and of at most `limit` characters, with a note on what was cut.

    >>> bounded("abcdefgh", 3)
    'abc... (5 characters more)'
    """
    whole = text if isinstance(text, str) else str(text)
    kept = printable(whole[:limit])[:limit]
    if len(whole) <= limit and len(printable(whole)) <= limit:
        return kept
    more = len(whole) - limit
    return f"{kept}... ({more} characters more)" if more > 0 else f"{kept}... (cut)"


def bounded_json(value: object) -> Any:
    """Return a JSON value like the one given: its texts printable, its size bounded, its numbers finite.

    What is too deep, too wide or too long is replaced by a text that says so.
    """
    small = _bounded(value, DEEPEST)
    text = json.dumps(small, ensure_ascii=False)
    return small if len(text) <= LARGEST else {"cut": bounded(text, LARGEST // 2)}


def _bounded(value: object, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _members(value, depth - 1) if depth else f"... ({len(value)} members)"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _elements(value, depth - 1) if depth else f"... ({len(value)} elements)"
    return _scalar(value)


def _members(value: Mapping[Any, object], depth: int) -> dict[str, Any]:
    kept = {bounded(name, 100): _bounded(part, depth) for name, part in islice(value.items(), WIDEST)}
    return kept if len(value) <= WIDEST else {**kept, "...": f"{len(value) - WIDEST} members more"}


def _elements(value: Sequence[object], depth: int) -> list[Any]:
    kept = [_bounded(part, depth) for part in islice(value, WIDEST)]
    return kept if len(value) <= WIDEST else [*kept, f"... {len(value) - WIDEST} elements more"]


def _scalar(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # A longer one is refused by str, and rounded by most readers of JSON.
        return value if abs(value) < 2**63 else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return bounded(value)
