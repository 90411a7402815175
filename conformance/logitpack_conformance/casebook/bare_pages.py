"""Pages without a checksum among others that have one: FILE-4, chunk by chunk.

Strategy: no library writes such files, so a field is cut out of a page's header. What follows in its column chunk moves
up, and the footer is told how long the chunk is now; the few bytes behind it belong to nothing. Nothing else moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container, Kind
from logitpack_conformance.oracle.parquet_pages import INTEGERS, Thrift
from logitpack_conformance.stored import Extra, Form

from .anatomy import Page, footer, pages
from .bases import sound, variant
from .draft import Draft

AT = "container/bare-pages"
TYPE, CRC = 1, 4
"""Fields of a page header, none but integers before them."""
DICTIONARY = 2
"""The type of a dictionary page."""
ROW_GROUPS, COLUMNS, METADATA = 4, 1, 3
"""Fields of FileMetaData, RowGroup and ColumnChunk."""
OF_GROUP, OF_CHUNK = (2, 6), (6, 7)
"""Sizes in RowGroup and in ColumnMetaData, as read and as stored, headers included."""
DATA_PAGES = 9
"""Where a chunk's data pages begin: a field of ColumnMetaData."""

Which = tuple[str, int, int]
"""A page: its column, its row group, its number there."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    note = Extra("note", pa.string(), ["what the first row is about", "and what the second one is"])
    options: dict[str, Any] = {"containers": (Container.PARQUET,), "sizes": (2, 1, 2)}
    twin = sound(f"{AT}/none", "Every page has a checksum.", form=Form(group=2, extra=[note]), **options)
    yield twin
    form = Form(parquet={"data_page_size": 1, "write_batch_size": 1})
    many = sound(f"{AT}/none-of-many", "Chunks of several pages, each with a checksum.", form=form, **options)
    yield many
    form = Form(parquet={"use_dictionary": True})
    options["features"] = ("dictionary",)
    dictionary = sound(f"{AT}/none-of-dictionaries", "Each dictionary page has a checksum.", form=form, **options)
    yield dictionary
    first: Sequence[tuple[str, Draft, tuple[Which, ...], str]] = (
        ("first-column", twin, (("num_tokens", 0, 0), ("num_tokens", 1, 0)), "Only the first column has none"),
        (
            "middle-column",
            twin,
            (("sampled_indices_high", 0, 0),),
            "Only a column in the middle has none, in one group",
        ),
        (
            "last-of-table",
            twin,
            (("logsumexp", 1, 0),),
            "Only the last column of the table has none, in the last group",
        ),
        ("other-column", twin, (("note", 0, 0), ("note", 1, 0)), "Only a column that is not read has none"),
        ("second-group", twin, _columns(1), "The second row group has none, the first has all"),
        ("first-group", twin, _columns(0), "The first row group has none, the second has all"),
        ("first-page", many, (("top_min", 0, 0),), "The first page of a chunk has none, those after it have"),
        ("dictionary-page", dictionary, (("top_max", 0, 0),), "A dictionary page has none, the data pages have"),
    )
    for name, base, which, told in first:
        why = f"{told}: a checker warns, for each chunk is judged by its first page."
        yield _bare(base, name, why, which, findings=("FILE-4",), requirements=("FILE-4", "RD-5"))
    later: Sequence[tuple[str, Draft, tuple[Which, ...], str]] = (
        ("second-page", many, (("top_min", 0, 1),), "The second page of a chunk has none"),
        ("after-dictionary", dictionary, (("top_max", 0, 1),), "A data page after a dictionary page has none"),
    )
    for name, base, which, told in later:
        why = f"{told}: a checker says nothing, for each chunk is judged by its first page."
        yield _bare(base, name, why, which, findings=(), requirements=("FILE-4", "RD-5"))


def _columns(group: int) -> tuple[Which, ...]:
    names = ("num_tokens", "top_counts", "top_indices_low", "top_indices_high", "top_logits_quantized", "top_min")
    more = ("top_max", "sampled_indices_low", "sampled_indices_high", "sampled_logits_quantized", "sampled_min")
    return tuple((name, group, 0) for name in (*names, *more, "sampled_max", "logsumexp", "note"))


def _bare(twin: Draft, name: str, why: str, which: Sequence[Which], **members: Any) -> Draft:
    def damage(data: bytes, _: Container) -> bytes:
        for one in which:
            data = without_checksum(data, *one)
        return data

    return variant(twin, f"{AT}/{name}", why, f"FILE-4/{name}", damage=damage, kind=Kind.ACCEPT, **members)


def without_checksum(data: bytes, column: str, group: int, number: int) -> bytes:
    """Return a Parquet file with the checksum of one page cut out. Raises ValueError where a number would shrink."""
    chunk = [page for page in pages(data) if (page.column, page.group) == (column, group)]
    page, end = chunk[number], chunk[-1].end
    header = _without(data, page)
    gone = page.body - page.start - len(header)
    moved = header + data[page.body : end] + bytes(gone)
    changed = bytearray(data[: page.start] + moved + data[end:])
    order = list(dict.fromkeys(one.column for one in pages(data))).index(column)
    is_dictionary = Thrift(data, page.start).struct()[TYPE] == DICTIONARY
    for place in _sizes(data, group, order, is_dictionary=is_dictionary):
        _lessen(changed, place, gone)
    return bytes(changed)


def _without(data: bytes, page: Page) -> bytes:
    """Return the header of a page without its checksum: the field after it is that many more fields away."""
    cursor, last = Thrift(data, page.start), 0
    while True:
        start = cursor.position
        head = cursor.byte()
        if last + (head >> 4) > CRC or head & 15 not in INTEGERS:
            raise ValueError("the page has no checksum")
        last += head >> 4
        cursor.varint()
        if last == CRC:
            break
    after = cursor.position
    longer = data[after] + ((data[start] >> 4) << 4)
    return data[page.start : start] + bytes([longer]) + data[after + 1 : page.body]


def _fields(cursor: Thrift) -> Iterator[tuple[int, int]]:
    """Yield the fields of a struct, and where their values stand; what nobody reads is stepped over."""
    field = 0
    while head := cursor.byte():
        field += head >> 4
        place = cursor.position
        yield field, place
        if cursor.position == place:
            cursor.skip(head & 15)


def _elements(cursor: Thrift) -> Iterator[int]:
    """Yield the numbers of the elements of a list of structs, the cursor before each."""
    head = cursor.byte()
    yield from range(cursor.varint() if head >> 4 == 15 else head >> 4)


def _sizes(data: bytes, group: int, column: int, *, is_dictionary: bool) -> Iterator[int]:
    """Yield where the footer says how long a chunk is, and where its data pages begin if they have moved."""
    wanted = {*OF_CHUNK, DATA_PAGES} if is_dictionary else set(OF_CHUNK)
    cursor = Thrift(data, footer(data))
    for field, _ in _fields(cursor):
        for one in _elements(cursor) if field == ROW_GROUPS else ():
            for inner, place in _fields(cursor):
                if inner in OF_GROUP and one == group:
                    yield place
                for number in _elements(cursor) if inner == COLUMNS else ():
                    for of_chunk, _ in _fields(cursor):
                        for about, at in _fields(cursor) if of_chunk == METADATA else ():
                            if about in wanted and (one, number) == (group, column):
                                yield at


def _lessen(data: bytearray, place: int, by: int) -> None:
    """Take something from a number of the footer, a zigzag varint, whose length does not change."""
    cursor = Thrift(bytes(data), place)
    value = cursor.varint() - 2 * by
    length = cursor.position - place
    if value >> 7 * (length - 1) == 0:
        raise ValueError("the number would be shorter")
    data[place : place + length] = bytes((value >> 7 * i) & 127 | (128 if i < length - 1 else 0) for i in range(length))
