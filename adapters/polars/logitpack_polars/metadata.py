"""The metadata of section 13: which are in force, and whether they are valid."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator

from logitpack_polars.faults import BreachError

KEY, SIDECAR = "logitpack", "logitpack.json"
LARGEST = 1_048_576  # bytes, META-7
_TEXT = (Path(__file__).parents[3] / "schema/metadata.schema.json").read_text(encoding="utf-8")
# In Python, $ also matches before a line break at the end.
SCHEMA = json.loads(_TEXT.replace('$"', '\\\\Z"'))
VALIDATOR = Draft202012Validator(SCHEMA)


def in_force(sources: Iterable[bytes]) -> dict[str, Any] | None:
    """Return the first valid metadata of `sources`, if any. Raises BreachError where their major version is unknown.

    Whether a version is known (META-2) is asked before whether the rest is valid (META-1): another version may well
    have other members.
    """
    for text in sources:
        metadata, sound = _parsed(text)
        version = metadata.get("spec_version")
        if isinstance(version, str) and re.fullmatch(SCHEMA["properties"]["spec_version"]["pattern"], version):
            if not version.startswith("1."):
                raise BreachError("META-2", f"version {version} is not known")
            if sound and valid(metadata):
                return metadata
    return None


def valid(metadata: dict[str, Any]) -> bool:
    """META-1, of metadata that are an object already."""
    if not VALIDATOR.is_valid(metadata):
        return False
    return bool(metadata["tokenizer"].get("size", 1) <= metadata["vocab_size"])


def serialised(metadata: dict[str, Any]) -> str:
    """Return the text to write. Raises BreachError: META-1, META-2, META-7."""
    text = json.dumps(metadata, ensure_ascii=False)
    if len(text.encode()) > LARGEST:
        raise BreachError("META-7", "the metadata are longer than 1,048,576 bytes")
    if in_force([text.encode()]) is None:
        raise BreachError("META-1", "the metadata are not valid")
    return text


def _parsed(text: bytes) -> tuple[dict[str, Any], bool]:
    """Return the members that stand once, and whether that is all there is."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        twice.extend(name for name in counts if counts[name] > 1)
        return {name: value for name, value in pairs if counts[name] == 1}

    if len(text) > LARGEST:
        return {}, False
    try:
        value = json.loads(text.decode(), object_pairs_hook=members, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return {}, False
    return (value, not twice) if isinstance(value, dict) else ({}, False)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)
