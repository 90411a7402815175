"""Files that were cut short, or have something after their end: FILE-1 and FILE-3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from logitpack_conformance.model import Container
from logitpack_conformance.stored import Form

from .anatomy import Message, Page, footer, messages, pages
from .bases import sound, variant
from .draft import Draft

PARQUET, FILE, STREAM = Container.PARQUET, Container.ARROW_FILE, Container.ARROW_STREAM
CUT = ("TRUNCATION",)
MORE = ("TRAILING_BYTES",)
Place = Callable[[bytes], int]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _parquet()
    yield from _arrow_file()
    yield from _arrow_stream()
    yield from _legacy_stream()


def _cut(twin: Draft, name: str, why: str, place: Place, requirement: str = "FILE-1") -> Draft:
    """Return the twin, cut at a place that is found in its bytes."""
    op = f"{requirement}/cut-{name.rsplit('/', 1)[-1]}"
    return variant(twin, name, why, op, damage=lambda data, _: data[: place(data)], flags=CUT)


def _page(column: str, group: int, of: Callable[[Page], int]) -> Place:
    def place(data: bytes) -> int:
        (page,) = (page for page in pages(data) if page.column == column and page.group == group)
        return of(page)

    return place


def _parquet() -> Iterator[Draft]:
    at = "container/parquet-cut"
    options: dict[str, Any] = {"containers": (PARQUET,), "sizes": (2, 1, 2), "form": Form(group=2)}
    twin = sound(f"{at}/whole", "A whole Parquet file of two row groups.", **options)
    yield twin
    places: tuple[tuple[str, Place, str], ...] = (
        ("to-nothing", lambda _: 0, "Nothing is left of the file: an empty file named .parquet."),
        ("in-first-magic", lambda _: 2, "The file ends inside its first magic number."),
        ("after-first-magic", lambda _: 4, "Only the first magic number is left."),
        (
            "in-first-page-header",
            _page("num_tokens", 0, lambda p: p.start + 9),
            "The file ends inside the first page header.",
        ),
        (
            "after-first-page-header",
            _page("num_tokens", 0, lambda p: p.body),
            "The file ends after the first page header.",
        ),
        ("in-first-page", _page("num_tokens", 0, lambda p: p.end - 1), "The file ends inside the first page."),
        ("after-first-chunk", _page("num_tokens", 0, lambda p: p.end), "The file ends after its first column chunk."),
        (
            "in-list-levels",
            _page("top_counts", 0, lambda p: p.body + 5),
            "The file ends in the levels of a list column.",
        ),
        ("after-list-chunk", _page("top_min", 0, lambda p: p.end), "The file ends after the chunk of a list column."),
        (
            "in-binary-page",
            _page("top_indices_high", 0, lambda p: p.end - 2),
            "The file ends inside a page of binary values.",
        ),
        (
            "after-first-group",
            _page("logsumexp", 0, lambda p: p.end),
            "The file ends after its first row group, without a footer.",
        ),
        (
            "in-second-group",
            _page("top_logits_quantized", 1, lambda p: p.body + 9),
            "The file ends in its second row group.",
        ),
        ("before-footer", footer, "The file ends where its footer would begin: all rows are there."),
        ("after-footer-start", lambda data: footer(data) + 1, "The file ends after the first byte of its footer."),
        ("in-footer", lambda data: (footer(data) + len(data)) // 2, "The file ends in the middle of its footer."),
        ("before-footer-length", lambda data: len(data) - 8, "The file ends before the length of its footer."),
        ("in-footer-length", lambda data: len(data) - 6, "The file ends inside the length of its footer."),
        ("before-last-magic", lambda data: len(data) - 4, "The file lacks its last magic number."),
        ("in-last-magic", lambda data: len(data) - 1, "The last byte of the file is missing."),
    )
    for name, place, why in places:
        yield _cut(twin, f"{at}/{name}", why, place)
    at = "container/parquet-more"
    twin = sound(f"{at}/whole", "A whole Parquet file of one row group.", containers=(PARQUET,))
    yield twin
    for name, more, why in (
        ("zero-byte", b"\0", "A zero byte stands after the last magic number."),
        ("line-break", b"\n", "A line break stands after the last magic number, as a text editor adds it."),
        ("block-of-zeros", bytes(512), "The file is padded with zeros to a block, as by some archives."),
        ("half-a-magic", b"PA", "Half of a magic number stands after the last one."),
    ):
        yield _appended(twin, f"{at}/{name}", why, more)
    why = "A line break stands before the first magic number: the first bytes are those of no container."
    yield variant(twin, f"{at}/before", why, "FILE-1/prepended", damage=lambda data, _: b"\n" + data)
    why = "The first magic number is another one; the last is right."
    yield variant(twin, f"{at}/other-first-magic", why, "FILE-1/first-magic", damage=lambda data, _: b"PAR2" + data[4:])
    why = "The last magic number is another one; the first is right."
    yield variant(twin, f"{at}/other-last-magic", why, "FILE-1/last-magic", damage=lambda data, _: data[:-4] + b"PAR2")


def _appended(twin: Draft, name: str, why: str, more: bytes) -> Draft:
    damage = lambda data, _: data + more  # noqa: E731
    return variant(twin, name, why, "FILE-1/appended", args={"bytes": more.hex()}, damage=damage, flags=MORE)


def _of(number: int, of: Callable[[Message], int]) -> Place:
    return lambda data: of(list(messages(data))[number])


MESSAGE_PLACES: tuple[tuple[str, Place, str], ...] = (
    ("in-schema", _of(0, lambda m: m.end - 40), "inside the schema message"),
    ("in-first-length", _of(1, lambda m: m.start + 6), "inside the length of the first batch's message"),
    ("in-first-header", _of(1, lambda m: m.start + 100), "inside the header of the first batch"),
    ("before-first-body", _of(1, lambda m: m.body), "between the header and the body of the first batch"),
    ("in-first-body", _of(1, lambda m: (m.body + m.end) // 2), "inside the body of the first batch"),
    ("in-last-header", _of(2, lambda m: m.body - 8), "inside the header of the last batch"),
    ("in-last-body", _of(2, lambda m: m.end - 8), "eight bytes before the end of the last batch"),
)
"""Where both forms of Arrow IPC are cut inside a message."""
SCHEMA_END = ("after-schema", _of(0, lambda m: m.end), "after the schema")
FIRST_END = ("after-first-batch", _of(1, lambda m: m.end), "after the first of two batches")
LAST_END = ("after-last-batch", _of(2, lambda m: m.end), "after the last batch")


def _arrow_file() -> Iterator[Draft]:
    at = "container/arrow-file-cut"
    options: dict[str, Any] = {"containers": (FILE,), "sizes": (2, 1, 2), "form": Form(group=2)}
    twin = sound(f"{at}/whole", "A whole Arrow file of two record batches.", **options)
    yield twin
    places = (
        ("in-magic", lambda _: 3, "inside its magic number"),
        ("after-magic", lambda _: 8, "after its magic number"),
        *MESSAGE_PLACES,
        SCHEMA_END,
        FIRST_END,
        LAST_END,
        ("before-footer", _of(2, lambda m: m.end + 8), "before its footer, after the end marker of its batches"),
        ("in-footer", lambda data: len(data) - 200, "inside its footer"),
        ("before-footer-length", lambda data: len(data) - 10, "before the length of its footer"),
        ("in-footer-length", lambda data: len(data) - 8, "inside the length of its footer"),
        ("before-last-magic", lambda data: len(data) - 6, "before its last magic number"),
        ("in-last-magic", lambda data: len(data) - 1, "before the last byte of its last magic number"),
    )
    for name, place, where in places:
        yield _cut(twin, f"{at}/{name}", f"The Arrow file ends {where}.", place)
    at = "container/arrow-file-more"
    twin = sound(f"{at}/whole", "A whole Arrow file of one record batch.", containers=(FILE,))
    yield twin
    for name, more, why in (
        ("zero-byte", b"\0", "A zero byte stands after the last magic number."),
        ("line-break", b"\n", "A line break stands after the last magic number."),
        ("end-marker", b"\xff\xff\xff\xff" + bytes(4), "An end marker of a stream stands after the end of the file."),
    ):
        yield _appended(twin, f"{at}/{name}", why, more)


def _arrow_stream() -> Iterator[Draft]:
    at = "container/arrow-stream-cut"
    options: dict[str, Any] = {"containers": (STREAM,), "sizes": (2, 1, 2), "form": Form(group=2)}
    twin = sound(f"{at}/whole", "A whole Arrow stream of two record batches and its end marker.", **options)
    yield twin
    yield _cut(twin, f"{at}/to-nothing", "Nothing is left of the stream: an empty file named .arrows.", lambda _: 0)
    yield _cut(twin, f"{at}/in-continuation", "The stream ends inside its first four bytes.", lambda _: 3)
    for name, place, where in MESSAGE_PLACES:
        yield _cut(twin, f"{at}/{name}", f"The stream ends {where}.", place)
    for name, place, where in (SCHEMA_END, FIRST_END, LAST_END):
        why = f"The stream ends {where}, between two messages and without an end marker: a sound stream but for that."
        yield _cut(twin, f"{at}/{name}", why, place, "FILE-3")
    for left in (1, 4, 7):
        why = f"The stream ends {left} bytes into its end marker of eight."
        yield _cut(twin, f"{at}/in-end-marker-{left}", why, _marker(left), "FILE-3")
    why = "The end marker is the four zero bytes of older streams, although the messages have continuation indicators."
    old = lambda data, _: data[:-8] + bytes(4)  # noqa: E731
    yield variant(twin, f"{at}/old-end-marker", why, "FILE-3/old-end-marker", damage=old, flags=CUT)
    at = "container/arrow-stream-more"
    twin = sound(f"{at}/whole", "A whole Arrow stream of one record batch and its end marker.", containers=(STREAM,))
    yield twin
    for name, more, why in (
        ("zero-byte", b"\0", "A zero byte stands after the end marker."),
        ("second-marker", b"\xff\xff\xff\xff" + bytes(4), "A second end marker stands after the first."),
        ("padding", bytes(64), "Zeros fill the stream up to a multiple of 64 bytes."),
    ):
        yield _appended(twin, f"{at}/{name}", why, more)
    why = "A second stream stands after the first: what was run together is read as the first of them."
    yield variant(twin, f"{at}/second-stream", why, "FILE-1/second-stream", damage=lambda data, _: data * 2, flags=MORE)
    why = "An end marker alone: a stream without even a schema."
    end = b"\xff\xff\xff\xff" + bytes(4)
    yield variant(twin, f"{at}/marker-only", why, "FILE-1/marker-only", damage=lambda *_: end, flags=CUT)


def _marker(left: int) -> Place:
    return _of(2, lambda message: message.end + left)


def _legacy_stream() -> Iterator[Draft]:
    at = "container/legacy-stream"
    members: dict[str, Any] = {"containers": (STREAM,), "features": ("legacy_stream",), "sizes": (2, 1)}
    form = Form(group=1, legacy=True)
    twin = sound(
        f"{at}/whole", "A stream as before Arrow 0.15: messages without continuation indicators.", form=form, **members
    )
    yield twin
    why = "A stream without continuation indicators that lacks its end marker of four zero bytes."
    yield _cut(twin, f"{at}/without-end-marker", why, lambda data: len(data) - 4, "FILE-3")
    why = "A stream without continuation indicators that ends two bytes into its end marker."
    yield _cut(twin, f"{at}/in-end-marker", why, lambda data: len(data) - 2, "FILE-3")
    why = "A stream without continuation indicators that ends inside its last batch."
    yield _cut(twin, f"{at}/in-last-body", why, lambda data: len(data) - 20)
    why = "A stream without continuation indicators, with bytes after its end marker."
    yield _appended(twin, f"{at}/more", why, b"\0\0\0\0\1")
