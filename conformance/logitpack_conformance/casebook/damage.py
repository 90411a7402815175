"""Bytes that changed where they stand: FILE-1 and FILE-5, and checksums that are not there (FILE-4)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.stored import Extra, Form

from .anatomy import footer, messages, pages
from .bases import sound, stored, variant
from .draft import IPC, Draft

PARQUET = Container.PARQUET
ROT = ("BIT_ROT",)
Change = Callable[[bytearray], None]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _checksums()
    yield from _no_checksums()
    yield from _footers()
    yield from _arrow_metadata()
    yield from _arrow_offsets()


def _changed(twin: Draft, name: str, why: str, fault: str, change: Change, **members: Any) -> Draft:
    def damage(data: bytes, _: Container) -> bytes:
        content = bytearray(data)
        change(content)
        return bytes(content)

    return variant(twin, name, why, fault, damage=damage, **members)


def _checksums() -> Iterator[Draft]:
    """FILE-5: a checker has to notice; a reader need not, and these have a case of their own."""
    at = "container/checksums"
    note = Extra("note", pa.string(), ["a first note", "a second note"])
    options: dict[str, Any] = {"containers": (PARQUET,), "sizes": (2, 1, 2), "form": Form(group=2, extra=[note])}
    twin = sound(f"{at}/right", "A Parquet file of two row groups whose pages all match their checksums.", **options)
    yield twin
    small = {"data_page_size": 1, "write_batch_size": 1}
    options["form"] = Form(parquet=small)
    many = sound(f"{at}/right-pages", "Column chunks of several pages, each with a checksum that is right.", **options)
    yield many
    options["form"] = Form(parquet={"data_page_version": "2.0"})
    version_2 = sound(f"{at}/right-v2", "Data pages of version 2.", features=("data_page_v2",), **options)
    yield version_2
    options["form"] = Form(parquet={"use_dictionary": True})
    dictionary = sound(
        f"{at}/right-dictionary", "Dictionary pages and data pages.", features=("dictionary",), **options
    )
    yield dictionary
    for name, base, change, why in (
        ("page-v2", version_2, flip_page("top_min", 0, 0), "A bit of a data page of version 2 has changed"),
        ("dictionary-page", dictionary, flip_page("top_max", 0, 0), "A bit of a dictionary page has changed"),
        ("first-page", twin, flip_page("num_tokens", 0, 0), "A bit of the first page has changed"),
        ("codes", twin, flip_page("top_logits_quantized", 0, 0), "A bit of a nucleus code has changed"),
        ("low-parts", twin, flip_page("sampled_indices_low", 0, 0), "A bit of a tail index has changed"),
        ("logsumexp", twin, flip_page("logsumexp", 0, 0), "A bit of a logsumexp has changed"),
        ("second-group", twin, flip_page("top_max", 1, 0), "A bit of a page in the second row group has changed"),
        ("second-page", many, flip_page("top_min", 0, 1), "A bit of the second page of a column chunk has changed"),
        ("other-column", twin, flip_page("note", 0, 0), "A bit has changed in a column that is not read"),
        (
            "checksum-itself",
            twin,
            _flip_checksum("top_counts"),
            "A bit of a checksum has changed, and the page has not",
        ),
    ):
        key = f"{at}/{name}"
        checked = {"kind": Kind.REJECT, "requirements": ("FILE-1", "FILE-5"), "roles": (Role.CHECKER,), "flags": ROT}
        sentence = f"{why}: a checker verifies the checksum, and reports FILE-1."
        yield _changed(base, key, sentence, f"FILE-1/flip-{name}", change, **checked)
        read = {"kind": Kind.EITHER, "requirements": (), "roles": (Role.READER,), "flags": ROT}
        sentence = f"{why}: a reader may notice."
        yield _changed(base, f"{key}-read", sentence, f"FILE-1/flip-{name}", change, **read)


def flip_page(column: str, group: int, number: int) -> Change:
    """Change the lowest bit of the byte before the last but one of a page: a value, and no level."""

    def change(data: bytearray) -> None:
        found = [page for page in pages(bytes(data)) if page.column == column and page.group == group]
        data[found[number].end - 2] ^= 1

    return change


def _flip_checksum(column: str) -> Change:
    """Change a bit of the CRC in a page header: the field after the two sizes, a varint of up to five bytes."""

    def change(data: bytearray) -> None:
        page = next(page for page in pages(bytes(data)) if page.column == column)
        at = data.index(b"\x15", data.index(b"\x15", data.index(b"\x15", page.start + 1) + 1) + 1)
        data[at + 1] ^= 2

    return change


def _no_checksums() -> Iterator[Draft]:
    """FILE-4: the file is valid, and a checker warns."""
    at = "container/no-checksums"
    yes = sound(f"{at}/with", "A Parquet file with page checksums.", containers=(PARQUET,))
    yield yes
    for name, more, why in (
        ("plain", {}, "A Parquet file without page checksums, as most libraries write it."),
        ("zstd", {"compression": "zstd"}, "A compressed Parquet file without page checksums."),
        ("page-v2", {"data_page_version": "2.0"}, "A Parquet file of data pages of version 2 without checksums."),
        ("dictionary", {"use_dictionary": True}, "A Parquet file of dictionary pages without checksums."),
    ):
        yield sound(
            f"{at}/{name}",
            why,
            containers=(PARQUET,),
            form=Form(group=1, parquet={"write_page_checksum": False, **more}),
            findings=("FILE-4",),
            requirements=("FILE-4", "RD-5"),
            twin=yes.id,
            features={"zstd": ("zstd",), "page-v2": ("data_page_v2",), "dictionary": ("dictionary",)}.get(name, ()),
        )


def _footers() -> Iterator[Draft]:
    """FILE-1: a Parquet file whose footer or page headers are damaged."""
    at = "container/parquet-damage"
    options: dict[str, Any] = {"containers": (PARQUET,), "sizes": (2, 1, 2), "form": Form(group=2)}
    twin = sound(f"{at}/none", "A Parquet file of two row groups that is as it was written.", **options)
    yield twin

    def removed(data: bytearray) -> None:
        middle = pages(bytes(data))[4].body
        del data[middle : middle + 10]

    changes: tuple[tuple[str, Change, str], ...] = (
        ("footer-zeroed", lambda d: _zero(d, footer(bytes(d)), 64), "The first bytes of the footer are zero."),
        ("footer-flipped", lambda d: _flip(d, footer(bytes(d)) + 1, 0xFF), "A byte of the footer has changed."),
        ("footer-length-too-large", lambda d: _put(d, -8, len(d)), "The footer claims to be as long as the file."),
        ("footer-length-too-small", lambda d: _put(d, -8, 16), "The footer claims to be 16 bytes long."),
        ("footer-length-negative", lambda d: _put(d, -8, -1), "The length of the footer is -1."),
        ("rows-in-footer", _more_rows, "The footer counts more rows than the row groups have."),
        ("page-header-zeroed", lambda d: _zero(d, pages(bytes(d))[2].start, 8), "The header of a page is zero."),
        ("page-zeroed", lambda d: _zero_page(d, 2), "A whole page is zero, header and body, as after a lost block."),
        ("bytes-removed", removed, "Ten bytes of a page are missing; everything after stands ten bytes earlier."),
        (
            "bytes-inserted",
            lambda d: d.__setitem__(slice(100, 100), bytes(10)),
            "Ten bytes stand in the middle of a page.",
        ),
    )
    for name, change, why in changes:
        yield _changed(twin, f"{at}/{name}", why, f"FILE-1/{name}", change, flags=ROT)


def _zero(data: bytearray, start: int, length: int) -> None:
    data[start : start + length] = bytes(length)


def _zero_page(data: bytearray, number: int) -> None:
    page = pages(bytes(data))[number]
    _zero(data, page.start, page.end - page.start)


def _flip(data: bytearray, at: int, bits: int) -> None:
    data[at] ^= bits


def _put(data: bytearray, at: int, value: int) -> None:
    struct.pack_into("<i", data, len(data) + at if at < 0 else at, value)


def _more_rows(data: bytearray) -> None:
    """Change num_rows of the footer, field 3: an i64 after the list of the schema's elements."""
    at = data.rindex(b"\x16\x06\x19\x2c")  # 3 rows as zigzag, then a list of two structs
    data[at + 1] = 8


def _arrow_metadata() -> Iterator[Draft]:
    """FILE-1: messages of Arrow IPC whose framing is damaged."""
    for container in IPC:
        at = f"container/{container}-damage"
        options: dict[str, Any] = {"containers": (container,), "sizes": (2, 1, 2), "form": Form(group=2)}
        twin = sound(f"{at}/none", "Two record batches as they were written.", **options)
        yield twin
        if container is Container.ARROW_STREAM:  # of a file, the schema is read from the footer
            why = "The schema message claims to be a megabyte long."
            change = _length(0, 1 << 20)
            yield _changed(twin, f"{at}/schema-length", why, "FILE-1/schema-length", change, flags=ROT)
        changes: tuple[tuple[str, Change, str], ...] = (
            ("batch-length", _length(1, 1 << 30), "The message of a batch claims to be a gigabyte long."),
            ("batch-length-negative", _length(1, -16), "The length of a batch's message is negative."),
            ("batch-header-zeroed", _zero_header(1), "The header of the first batch is zero."),
            ("last-header-zeroed", _zero_header(2), "The header of the last batch is zero."),
        )
        for name, change, why in changes:
            yield _changed(twin, f"{at}/{name}", why, f"FILE-1/{name}", change, flags=ROT)


def _length(number: int, value: int) -> Change:
    def change(data: bytearray) -> None:
        _put(data, list(messages(bytes(data)))[number].start + 4, value)

    return change


def _zero_header(number: int) -> Change:
    def change(data: bytearray) -> None:
        message = list(messages(bytes(data)))[number]
        _zero(data, message.start + 8, message.body - message.start - 8)

    return change


def _arrow_offsets() -> Iterator[Draft]:
    """FILE-1: offsets of lists that no list can have."""
    at = "container/arrow-offsets"
    twin = sound(f"{at}/sound", "Offsets of lists that rise from row to row.", containers=IPC, sizes=(2, 1, 2, 3))
    yield twin
    rows = stored(twin).rows
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row["top_indices_low"]))
    true = struct.pack("<5i", *offsets)
    for name, places, why in (
        ("decreasing", {2: offsets[2] + 40}, "An offset of a list is larger than the one after it."),
        ("beyond", {4: 1 << 20}, "The last offset points far beyond the values."),
        ("negative", {1: -4}, "An offset of a list is negative."),
        ("first-negative", {0: -1}, "The first offset of a list is -1."),
    ):
        wrong = struct.pack("<5i", *[places.get(i, offset) for i, offset in enumerate(offsets)])
        replaced = lambda data, wrong=wrong: data.__setitem__(slice(*_found(data, true)), wrong)  # noqa: E731
        flags = ("UNCHECKED_OFFSETS",)
        yield _changed(twin, f"{at}/{name}", why, f"FILE-1/offsets-{name}", replaced, flags=flags)


def _found(data: bytearray, part: bytes) -> tuple[int, int]:
    at = data.index(part)
    return at, at + len(part)
