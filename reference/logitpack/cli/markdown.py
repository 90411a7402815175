"""Text from metadata inside Markdown, YAML and Python source, where it must stay text.

Strategy: a stranger wrote it. It is made printable and cut first; what could end a code span or
a table cell becomes character references; YAML and Python literals are left to those who know
how to quote.
"""

from __future__ import annotations

import yaml

from logitpack.errors import printable

LONGEST = 300
_BREAKS_OUT = frozenset("`|\\")


def plain(text: object) -> str:
    """Return `text` on one line, without control characters, cut to 300 characters."""
    shown = printable(str(text))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 3] + "..."


def code(text: object) -> str:
    """Return `text` as a Markdown code span that is safe in a table cell as well.

    >>> code("example/model")
    '`example/model`'
    >>> code("a|b")
    '<code>a&#124;b</code>'
    """
    shown = plain(text)
    if shown.strip() == shown != "" and _BREAKS_OUT.isdisjoint(shown):
        return f"`{shown}`"
    # No backslash counts as an escape, and no bar ends a cell, once it is a character reference.
    inside = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in shown)
    return f"<code>{inside}</code>"


def literal(text: str) -> str:
    """Return `text` as a Python string literal on one line, in ASCII."""
    quoted = ascii(text)
    return quoted if '"' in quoted or quoted[0] == '"' else f'"{quoted[1:-1]}"'


def front_matter(members: dict[str, object]) -> str:
    """Return a card's YAML front matter without its fences; strings in it are made plain."""
    text: str = yaml.safe_dump(_plain(members), sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return plain(value) if isinstance(value, str) else value
