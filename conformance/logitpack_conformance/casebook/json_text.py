"""Stored JSON as text: what JSON-1 and JSON-2 rule out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.stored import Extra, Form

from .bases import sound, stored, variant
from .draft import Draft

JSON = (Container.JSON,)
Text = Callable[[bytes], bytes]
BOM = b"\xef\xbb\xbf"


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _lines()
    yield from _base64()


def _lines() -> Iterator[Draft]:
    """JSON-1."""
    at = "json/lines"
    twin = sound(f"{at}/sound", "Three lines of stored JSON, each one object.", sizes=(1, 2, 2), containers=JSON)
    yield twin
    damage: tuple[tuple[str, Text, str], ...] = (
        ("cut-in-last", lambda t: t[:-40], "The last line is cut in the middle of a list."),
        ("cut-before-brace", lambda t: t[:-2], "The last line lacks its closing brace."),
        ("cut-in-first", lambda t: t[:100], "The file is cut in its first line."),
        ("blank-between", lambda t: t.replace(b"}\n", b"}\n\n", 1), "A blank line stands between two rows."),
        ("blank-at-end", lambda t: t + b"\n", "A blank line stands after the last row."),
        ("spaces-at-end", lambda t: t + b"  ", "A line of spaces stands after the last row."),
        ("byte-order-mark", lambda t: BOM + t, "The file begins with a byte order mark."),
        (
            "array",
            lambda t: b"[" + t.replace(b"}\n", b"},\n")[:-2] + b"]\n",
            "One array over several lines, not a row a line.",
        ),
        ("rows-in-array", lambda t: t.replace(b"}\n", b"}\n[]\n", 1), "The second line is an array."),
        ("number", lambda t: t + b"1\n", "The last line is a number."),
        ("null", lambda t: t + b"null\n", "The last line is null."),
        ("two-objects", lambda t: t.replace(b"}\n", b"} ", 1), "Two objects stand in the first line."),
        ("comma-between", lambda t: t.replace(b"}\n", b"},\n", 1), "A comma stands after the first object."),
        ("trailing-comma", lambda t: t.replace(b"}\n", b",}\n", 1), "A comma stands before the closing brace."),
        ("comment", lambda t: b"// rows\n" + t, "A comment stands in the first line."),
        ("single-quotes", lambda t: t.replace(b'"', b"'"), "Names stand in single quotes, as Python prints them."),
        ("unquoted-name", lambda t: t.replace(b'"logsumexp"', b"logsumexp", 1), "A name stands without quotes."),
        ("nan-literal", literal(b"NaN"), "The literal NaN, which JSON does not have, stands for a logsumexp."),
        ("infinity-literal", literal(b"-Infinity"), "The literal -Infinity stands for a logsumexp."),
        ("leading-zero", lambda t: t.replace(b'"num_tokens": ', b'"num_tokens": 0', 1), "A number begins with a zero."),
        ("leading-plus", lambda t: t.replace(b'"num_tokens": ', b'"num_tokens": +', 1), "A number begins with a plus."),
        ("bare-fraction", literal(b"10."), "A number ends in its decimal point."),
        ("utf-16", lambda t: t.decode().encode("utf-16-le"), "The text is in UTF-16."),
        ("pretty-printed", _pretty, "One object over many lines, as a pretty-printer writes it."),
        ("broken-in-object", lambda t: t.replace(b", ", b",\n", 1), "The first object is broken over two lines."),
    )
    for name, change, why in damage:
        yield variant(twin, f"{at}/{name}", why, f"JSON-1/{name}", form=Form(json=change))
    strings = Extra("note", pa.string(), ["a note"])
    twin = sound(
        f"{at}/with-strings", "Lines of stored JSON with strings in them.", form=Form(extra=[strings]), containers=JSON
    )
    yield twin
    in_strings: tuple[tuple[str, bytes, str], ...] = (
        ("not-utf-8", b'"a \xff note"', "A string has a byte that is no UTF-8, although its member is nobody's."),
        ("overlong-utf-8", b'"a \xc0\xaf note"', "A string has a character in an overlong form of UTF-8."),
        ("surrogate-in-utf-8", b'"a \xed\xa0\x80 note"', "A string has half of a surrogate pair encoded as UTF-8."),
        ("control-character", b'"a \x01 note"', "A string has a control character that is not escaped."),
        ("bad-escape", b'"a \\x note"', "A string has an escape that JSON does not know."),
    )
    for name, text, why in in_strings:
        form = Form(extra=[strings], json=swapped(b'"a note"', text))
        yield variant(twin, f"{at}/{name}", why, f"JSON-1/{name}", form=form)


def literal(text: bytes) -> Text:
    """Put a text in the place of the first logsumexp."""

    def change(data: bytes) -> bytes:
        start = data.index(b'"logsumexp": [') + len(b'"logsumexp": [')
        end = min(data.index(mark, start) for mark in (b",", b"]") if mark in data[start:])
        return data[:start] + text + data[end:]

    return change


def swapped(old: bytes, new: bytes) -> Text:
    """Put a text in the place of another where that first stands. Raises ValueError where it does not."""

    def change(data: bytes) -> bytes:
        at = data.index(old)
        return data[:at] + new + data[at + len(old) :]

    return change


def _pretty(data: bytes) -> bytes:
    return b"".join(json.dumps(json.loads(line), indent=1).encode() + b"\n" for line in data.splitlines())


def _base64() -> Iterator[Draft]:
    """JSON-2."""
    at = "json/base64"
    chosen = [262_143, 131_072 + 5, 200_000, 199_999, 196_608, 7, 8, 9]
    why = "High parts in base64 with the two characters that the alphabets differ in, and with padding."
    twin = sound(f"{at}/sound", why, counts=((4, 1), (5, 3)), vocab=262_144, chosen=chosen, stride=2, containers=JSON)
    yield twin
    high = stored(twin).rows[0]["top_indices_high"]
    text = base64.b64encode(high)
    changes: tuple[tuple[str, bytes, str], ...] = (
        ("no-padding", text.rstrip(b"="), "The padding is missing, as in URL-safe tokens."),
        ("half-padding", text[:-1], "One of the two padding characters is missing."),
        ("surplus-padding", text + b"=", "There is a padding character too many."),
        ("url-alphabet", text.replace(b"+", b"-").replace(b"/", b"_"), "The URL-safe alphabet: - and _ for + and /."),
        ("space", text[:2] + b" " + text[2:], "A space stands between the characters."),
        ("line-break", text[:2] + b"\\n" + text[2:], "An escaped line break stands between the characters."),
        ("trailing-break", text + b"\\n", "A line break stands at the end, as base64.encodebytes writes it."),
        ("unused-bits", _with_unused_bits(text), "An unused bit of the last character is set."),
        ("other-character", b"!" + text, "A character outside the alphabet, which lenient decoders skip."),
        ("data-after-padding", text + text, "Two texts run together, with padding in the middle."),
        ("hexadecimal", b"0x" + high.hex().encode(), "Hexadecimal digits instead of base64."),
    )
    for name, new, why in changes:
        form = Form(json=swapped(b'"' + text + b'"', b'"' + new + b'"'))
        yield variant(twin, f"{at}/{name}", why, f"JSON-2/{name}", form=form, flags=("LENIENT_BASE64",))
    tail = base64.b64encode(stored(twin).rows[-1]["sampled_indices_high"])
    form = Form(json=lambda t: _last(t, tail, tail.rstrip(b"=")))
    why = "The padding is missing in the tail of the last row only."
    yield variant(
        twin, f"{at}/no-padding-in-last-row", why, "JSON-2/tail-no-padding", form=form, flags=("LENIENT_BASE64",)
    )


def _with_unused_bits(text: bytes) -> bytes:
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip(b"=")
    last = alphabet.index(body[-1:]) | 1
    return body[:-1] + alphabet[last : last + 1] + text[len(body) :]


def _last(data: bytes, old: bytes, new: bytes) -> bytes:
    at = data.rindex(b'"sampled_indices_high": "' + old + b'"') + len(b'"sampled_indices_high": "')
    return data[:at] + new + data[at + len(old) :]
