"""The two errors of LogitPack, told apart by who is at fault: the caller or the data.

Strategy: an error carries its facts (requirement, place, value found, values allowed) as
attributes. A layer raises with what it knows of the place, and the layers above fill in the
rest with `LogitPackError.at`, so that a codec need not know files, nor a packer rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self


def printable(text: str) -> str:
    r"""Return `text` with each non-printing character as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    Controls, line breaks, bidirectional marks, surrogates and unassigned code points are
    escaped, so that text taken from a file cannot rewrite a terminal.

    >>> printable("a\tb")
    'a\\x09b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(ord(c)) for c in text)


def _escaped(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a dataset something is, as far as it is known; every number counts from zero.

    `row` counts in the file where one is given, else in what the caller passed. `token` is
    the token's position in its row, `entry` the entry's position in its token's nucleus or
    tail.

    >>> str(Place(file="part-0.parquet", row=17, token=3))
    'part-0.parquet, row 17, token 3'
    """

    file: str | None = None
    row_group: int | None = None
    row: int | None = None
    token: int | None = None
    entry: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """Return the known parts, widest first; the empty string where nothing is known."""
        parts = [] if self.file is None else [printable(self.file)]
        for name in ("row_group", "row", "token", "entry"):
            number = getattr(self, name)
            if number is not None:
                parts.append(f"{name.replace('_', ' ')} {number}")
        if self.column is not None:
            parts.append(f"column {printable(self.column)}")
        return ", ".join(parts)


class LogitPackError(ValueError):
    """What all errors of LogitPack have in common.

    Attributes: `message`; `requirement`, the id of the clause that is broken, if it is one;
    `place`; `got` and `allowed`, the value found and what may stand there, if that says more.
    """

    def __init__(
        self,
        message: str,
        *,
        requirement: str | None = None,
        place: Place = Place(),
        got: object = None,
        allowed: object = None,
    ) -> None:
        """Take the message, one sentence without the place, and what is known besides."""
        super().__init__(message)
        self.message = message
        self.requirement = requirement
        self.place = place
        self.got = got
        self.allowed = allowed

    def __str__(self) -> str:
        """Return ``REQUIREMENT: message (place)``, safe to print."""
        text = printable(self.message)
        if self.requirement is not None:
            text = f"{self.requirement}: {text}"
        place = str(self.place)
        return f"{text} ({place})" if place else text

    def at(
        self,
        *,
        file: str | None = None,
        row_group: int | None = None,
        row: int | None = None,
        token: int | None = None,
        entry: int | None = None,
        column: str | None = None,
    ) -> Self:
        """Return a copy of this error with the given parts of the place where none was known.

        A part that is known already stays: the layer that raised knew better.
        """
        given = Place(file, row_group, row, token, entry, column)
        missing = {
            field.name: getattr(given, field.name) for field in fields(Place) if getattr(self.place, field.name) is None
        }
        # Not by `copy`: libraries that send exceptions elsewhere teach it to share what they hold.
        other = type(self).__new__(type(self), *self.args)
        other.__dict__.update(self.__dict__)
        other.place = replace(self.place, **missing)
        return other


class UsageError(LogitPackError):
    """The caller is at fault: a wrong argument, or values that a writer refuses."""


class DataError(LogitPackError):
    """The data is at fault: a file, row or value that breaks a requirement."""
