"""FlatBuffers, as far as Arrow's footers and messages need it: tables, their fields, vectors of structs.

Strategy: every offset is held against the bytes that are there, and nothing is taken apart before it is asked for.
"""

from __future__ import annotations

import struct


class Table:
    """A table at `at` in some bytes. All methods raise struct.error where it points outside."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self._fields = at - number_at(data, at, "<i")

    def place(self, field: int) -> int | None:
        """Return where the value of a field stands; None where it is absent."""
        if 4 + 2 * field >= number_at(self.data, self._fields, "<H"):
            return None
        offset = number_at(self.data, self._fields + 4 + 2 * field, "<H")
        return self.at + offset if offset else None

    def number(self, field: int, form: str) -> int:
        """Return a number, 0 where it is absent."""
        at = self.place(field)
        return 0 if at is None else number_at(self.data, at, form)

    def table(self, field: int) -> Table | None:
        """Return a table, None where it is absent."""
        at = self.place(field)
        return None if at is None else Table(self.data, at + number_at(self.data, at, "<I"))

    def structs(self, field: int, size: int) -> bytes:
        """Return the structs of a vector, `size` bytes each, one after another."""
        at = self.place(field)
        if at is None:
            return b""
        start = at + number_at(self.data, at, "<I")
        stop = start + 4 + size * number_at(self.data, start, "<I")
        if stop > len(self.data):
            raise struct.error
        return self.data[start + 4 : stop]


def root(data: bytes) -> Table:
    """Return the table that some bytes are about. Raises struct.error."""
    return Table(data, number_at(data, 0, "<I"))


def number_at(data: bytes, at: int, form: str) -> int:
    """Return the number at a place. Raises struct.error where it is outside."""
    if at < 0:
        raise struct.error
    number: int = struct.unpack_from(form, data, at)[0]
    return number
