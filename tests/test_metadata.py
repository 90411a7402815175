"""Metadata: what is valid, and that our judgement of the schema is that of the `jsonschema` package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logitpack import DataError, Metadata, UsageError
from logitpack.schemas import first_breach
from logitpack_conformance.rows import described

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((ROOT / "schema" / "metadata.schema.json").read_text("utf-8"))
FULL = described(
    tokenizer={"id": "a/b", "revision": "r", "sha256": "0" * 64, "size": 40},
    mask={"turns": "assistant", "end_of_turn": False, "excluded": ["think"]},
    chat_template_sha256="a" * 64,
    source={"id": "x", "revision": "r", "split": "train"},
    writer={"name": "w", "version": "1"},
)


def paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Give the path of every member."""
    if not isinstance(value, dict):
        return [path]
    return [path, *(inner for name, member in value.items() for inner in paths(member, (*path, name)))]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 300),
    st.floats(-2, 2),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.sampled_from(["covering", "below", "unspecified", "1.0", "1.99", "01.0", "1.0.0"]),
    st.sampled_from(["f" * 64, "F" * 64, 1.0, 40.0]),
)


def changed(path: tuple[str, ...], value: object) -> Any:
    """Give the full metadata with one member replaced."""
    copy = json.loads(json.dumps(FULL))
    if not path:
        return value
    parent = copy
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return copy


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.sampled_from(paths(FULL)), VALUES)
def test_judgement_is_that_of_jsonschema(path: tuple[str, ...], value: object) -> None:
    """Whatever one member is replaced by, both find it valid or both do not."""
    document = changed(path, value)
    expected = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    assert (first_breach(SCHEMA, document) is None) == expected


@pytest.mark.parametrize("path", [path for path in paths(FULL) if path])
def test_judgement_of_an_absent_member(path: tuple[str, ...]) -> None:
    """Whichever member is absent, both agree whether it was required."""
    document = changed(path, None)
    parent = document
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    assert (first_breach(SCHEMA, document) is None) == jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_unknown_keyword_is_an_error() -> None:
    """A keyword that is not interpreted is never skipped."""
    with pytest.raises(NotImplementedError):
        first_breach({"maxProperties": 1}, {})


def test_round_trip() -> None:
    """Metadata keep every member, those that are not known too (META-3)."""
    raw = {**FULL, "extra": {"member": [1, None, "ü"]}}
    assert Metadata.from_bytes(Metadata.from_dict(raw).to_bytes()).raw == raw


def test_later_minor_version_is_accepted() -> None:
    """A later minor version is read (META-6)."""
    assert Metadata.from_dict(described(spec_version="1.7")).spec_version == "1.7"


@pytest.mark.parametrize("digits", [4000, 5000, 900_000])
def test_long_numbers_are_json(digits: int) -> None:
    """META-1: a number of an unknown member may be as long as it likes; one of a known member is out of range."""
    number = "9" * digits
    text = json.dumps(described())
    assert Metadata.from_bytes((text[:-1] + f',"other":{number}}}').encode()).vocab_size == described()["vocab_size"]
    with pytest.raises(DataError, match=r"META-1.*vocab_size: 999.* is not at most"):
        Metadata.from_bytes(json.dumps(described() | {"vocab_size": "HERE"}).replace('"HERE"', number).encode())


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_unknown_major_version_is_refused(version: str) -> None:
    """Another major version is refused as such, whatever else there is (META-2)."""
    with pytest.raises(DataError) as caught:
        Metadata.from_bytes(json.dumps({"spec_version": version}).encode())
    assert caught.value.requirement == "META-2"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b'{"a": 1, "a": 1}',
        b'{"a": NaN}',
        b"[" * 100_000,
        json.dumps(described(spec_version="1.0\n")).encode(),
        json.dumps(described(tokenizer={"id": "x", "size": 70_001})).encode(),
        b"\xef\xbb\xbf" + json.dumps(described()).encode(),
    ],
    ids=["empty", "list", "bytes", "members", "twice", "nan", "deep", "newline", "size", "bom"],
)
def test_broken_metadata(raw: bytes) -> None:
    """What is no JSON object, or not a valid one, is META-1, and the message says which file."""
    with pytest.raises(DataError, match=r"META-1.*\(x\.parquet\)") as caught:
        Metadata.from_bytes(raw, file="x.parquet")
    assert caught.value.requirement == "META-1"


def test_size_is_bounded() -> None:
    """More than a mebibyte is refused before it is parsed (META-7)."""
    with pytest.raises(DataError) as caught:
        Metadata.from_bytes(b" " * 1_048_577)
    assert (caught.value.requirement, caught.value.got) == ("META-7", 1_048_577)


def test_callers_metadata_is_the_callers_fault() -> None:
    """Metadata given by the caller raise UsageError, what JSON cannot hold included."""
    for raw in (described(vocab_size=0), {"a": object()}, {"a": float("nan")}):
        with pytest.raises(UsageError) as caught:
            Metadata.from_dict(raw)
        assert caught.value.requirement == "META-1"
