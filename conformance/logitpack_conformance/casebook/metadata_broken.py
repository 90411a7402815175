"""Metadata that are not what they have to be: META-1, META-2 and META-7."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.metadata import LARGEST
from logitpack_conformance.rows import Metadata, embedded

from .bases import stored, variant
from .draft import Draft, Stored, accept
from .metadata_valid import Change, described

AT = "meta"
MAJOR = ("MAJOR_IGNORED",)
TRUSTED = ("METADATA_TRUSTED",)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _not_valid()
    yield from _not_json()
    yield from _major()
    yield from _size()


def _without(*path: str) -> Change:
    def change(metadata: Metadata) -> None:
        for name in path[:-1]:
            metadata = metadata[name]
        del metadata[path[-1]]

    return change


def _set(value: object, *path: str) -> Change:
    def change(metadata: Metadata) -> None:
        for name in path[:-1]:
            metadata = metadata[name]
        metadata[path[-1]] = value

    return change


def _not_valid() -> Iterator[Draft]:
    """META-1: JSON objects that the schema does not take."""
    at = f"{AT}/valid"
    content, metadata = described(f"{at}/sound")
    twin = accept(f"{at}/sound", "Metadata that are valid against their schema.", content)
    yield twin
    changes: list[tuple[str, Change, str]] = [
        (f"no-{name}".replace("_", "-"), _without(name), f"The required member {name} is missing.") for name in metadata
    ]
    changes += [
        ("no-model-id", _without("model", "id"), "The model has no id."),
        ("no-method", _without("tail", "method"), "The tail has no method."),
        ("no-top-p", _without("nucleus", "top_p"), "The rule is covering, and no top_p is declared."),
        ("no-max-entries", _without("nucleus", "max_entries"), "The rule is covering, and no max_entries is declared."),
        ("version-number", _set(1.0, "spec_version"), "The version is a number instead of text."),
        ("version-major-only", _set("1", "spec_version"), "The version has no minor number."),
        ("version-three-parts", _set("1.0.0", "spec_version"), "The version has three parts."),
        ("version-line-break", _set("1.0\n", "spec_version"), "The version ends in a line break."),
        ("version-leading-zero", _set("01.0", "spec_version"), "The version begins with a zero."),
        (
            "version-other-digits",
            _set("\u0661.\u0660", "spec_version"),
            "The version is in digits that are not 0 to 9.",
        ),
        ("vocab-size-text", _set("70000", "vocab_size"), "The size of the vocabulary is text."),
        ("vocab-size-zero", _set(0, "vocab_size"), "The vocabulary is empty."),
        ("vocab-size-fraction", _set(70_000.5, "vocab_size"), "The size of the vocabulary is no whole number."),
        ("vocab-size-true", _set(True, "vocab_size"), "The size of the vocabulary is true."),  # noqa: FBT003
        ("vocab-size-beyond-int32", _set(2**31, "vocab_size"), "The size of the vocabulary is beyond int32."),
        ("tokenizer-above-vocabulary", _above, "The tokenizer has more tokens than the vocabulary has entries."),
        ("top-p-zero", _set(0, "nucleus", "top_p"), "A top_p of 0."),
        ("top-p-percent", _set(98, "nucleus", "top_p"), "A top_p in per cent."),
        ("max-entries-256", _set(256, "nucleus", "max_entries"), "A max_entries that uint8 cannot reach."),
        ("unknown-rule", _set("min-p", "nucleus", "rule"), "A rule that this version does not have."),
        ("unknown-order", _set("ascending", "nucleus", "order"), "An order that this version does not have."),
        ("unknown-method", _set("gumbel", "tail", "method"), "A method that this version does not have."),
        ("unknown-alignment", _set("shifted", "alignment"), "An alignment that this version does not have."),
        ("temperature", _set(0.7, "temperature"), "A temperature other than 1: these would be no raw logits."),
        ("temperature-null", _set(None, "temperature"), "A temperature that is null."),
        ("digest-in-capitals", _set("AB" * 32, "chat_template_sha256"), "A digest in capital letters."),
        ("excluded-text", _set({"excluded": "think"}, "mask"), "A list of text that is text."),
        ("model-text", _set("example/teacher", "model"), "The model is text instead of an object."),
        ("empty-object", lambda m: m.clear(), "An empty object."),
    ]
    for name, change, why in changes:
        wrong = json.loads(json.dumps(metadata))
        change(wrong)
        yield variant(twin, f"{at}/{name}", why, f"META-1/{name}", embedded=wrong, flags=TRUSTED, turn=1)


def _above(metadata: Metadata) -> None:
    metadata["tokenizer"]["size"] = metadata["vocab_size"] + 1


def _not_json() -> Iterator[Draft]:
    """META-1: bytes that are no JSON object, or one with a name that stands twice."""
    at = f"{AT}/json"
    content, metadata = described(f"{at}/sound")
    twin = accept(f"{at}/sound", "Metadata that are a JSON object in UTF-8.", content)
    yield twin
    text = embedded(metadata)
    bare = text[1:-1]
    for name, data, why in (
        ("empty", b"", "The key is there, and nothing under it."),
        ("cut-short", text[:-9], "The object is cut short."),
        ("array", b"[" + text + b"]", "The object stands in an array."),
        ("text", json.dumps(text.decode()).encode(), "The object is encoded twice: JSON text inside a JSON string."),
        ("byte-order-mark", b"\xef\xbb\xbf" + text, "The object begins with a byte order mark."),
        ("not-utf-8", text.replace(b"teacher", b"te\xe4cher"), "An identifier is in Latin-1."),
        ("utf-16", text.decode().encode("utf-16"), "The object is in UTF-16."),
        ("nan", text[:-1] + b', "entropy": NaN}', "An unknown member is NaN, which JSON does not have."),
        ("single-quotes", str(metadata).encode(), "The object as Python prints it."),
        ("trailing-comma", text[:-1] + b",}", "A comma stands before the closing brace."),
        ("two-objects", text + b" " + text, "The object stands twice."),
        ("name-twice", b"{" + bare + b', "alignment": "predicts"}', "A member stands twice, with the same value."),
        (
            "name-twice-inside",
            text[:-1] + b', "x": {"a": 1, "a": 2}}',
            "An unknown object has a member that stands twice.",
        ),
        (
            "name-twice-by-escape",
            text[:-1] + b', "vocab\\u005fsize": 1}',
            "A member stands twice, once with an escape.",
        ),
        (
            "version-twice",
            text[:-1] + b', "spec_version": "2.0"}',
            "The version stands twice: so there is none, and not version 2.",
        ),
        ("nul-at-end", text + b"\0", "A NUL byte stands after the object, as C strings end."),
    ):
        yield variant(twin, f"{at}/{name}", why, f"META-1/{name}", embedded=data, flags=TRUSTED, turn=1)


def _major() -> Iterator[Draft]:
    """META-2."""
    at = f"{AT}/major"
    content, metadata = described(f"{at}/sound", sizes=(2, 2))
    twin = accept(f"{at}/sound", "Metadata of version 1.0.", content)
    yield twin
    for version, why in (
        ("2.0", "The next major version."),
        ("0.9", "A major version before the first."),
        ("10.0", "Major version 10, whose text begins with a 1."),
        ("100000000.3", "A major version far in the future."),
    ):
        name = f"{at}/{version.replace('.', '-')}"
        foreign = {**metadata, "spec_version": version}
        yield variant(twin, name, why, f"META-2/version-{version}", embedded=foreign, flags=MAJOR)
    why = "Version 2.0 with members that this version would find wrong: a checker reports the version only."
    foreign = {"spec_version": "2.0", "vocab_size": "many", "nucleus": []}
    yield variant(twin, f"{at}/other-members", why, "META-2/other-members", embedded=foreign, flags=MAJOR)
    why = "Version 2.0 where another member stands twice: the version stands once, and counts."
    text = embedded({**metadata, "spec_version": "2.0"})[:-1] + b', "alignment": "predicts"}'
    yield variant(twin, f"{at}/name-twice", why, "META-2/name-twice", embedded=text, flags=MAJOR)
    why = "Version 2.0, and rows that this version would find broken: a checker reports the version only."
    rows = [*stored(twin).rows[:-1], {**stored(twin).rows[-1], "num_tokens": 0, "logsumexp": []}]
    foreign = {**metadata, "spec_version": "2.0"}
    yield variant(twin, f"{at}/broken-rows", why, "META-2/broken-rows", embedded=foreign, rows=rows, flags=MAJOR)
    why = "Version 2.0, and a column of this version is missing: a checker reports the version only."
    form = replace(stored(twin).form, dropped=["top_max"])
    yield variant(twin, f"{at}/other-columns", why, "META-2/other-columns", embedded=foreign, form=form, flags=MAJOR)


def _size() -> Iterator[Draft]:
    """META-7: Parquet only, for the files are large."""
    at = f"{AT}/size"
    content, metadata = described(f"{at}/at-limit", containers=(Container.PARQUET,))
    text = embedded(metadata)
    twin = accept(f"{at}/at-limit", "Metadata of exactly 1,048,576 bytes.", _padded(content, text, LARGEST))
    yield twin
    why = "Metadata of 1,048,577 bytes: one more than readers have to take."
    yield variant(
        twin,
        f"{at}/one-more",
        why,
        "META-7/one-more",
        embedded=_filled(text, LARGEST + 1),
        flags=("UNBOUNDED_METADATA",),
    )


def _padded(content: Stored, text: bytes, length: int) -> Stored:
    return replace(content, metadata=_filled(text, length))


def _filled(text: bytes, length: int) -> bytes:
    """Return metadata of so many bytes: an unknown member is as long as it has to be."""
    head = text[:-1] + b', "padding": "'
    return head + b"x" * (length - len(head) - 2) + b'"}'
