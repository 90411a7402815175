"""The part of JSON Schema that the metadata schema uses.

Strategy: a keyword that is not handled here raises, so that a later schema cannot be half-checked in silence. A pattern
is matched as ECMA 262 has it: `$` is the end of the text, not the place before a last line feed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

KNOWN = frozenset(
    {"$schema", "$id", "title", "description", "type", "enum", "const", "if", "then"}
    | {"required", "properties", "items"}
    | {"pattern", "minLength", "minimum", "maximum", "exclusiveMinimum"}
)
"""The keywords that are handled, and those that say nothing about a value."""


def load(name: str) -> dict[str, Any]:
    """Return a schema by its file name, from the checkout or from the installed package. Raises FileNotFoundError."""
    folders = [parent / "schema" for parent in Path(__file__).resolve().parents]
    spec = find_spec("logitpack")  # found, not imported: only its data is used
    folders += [Path(place) / "schema" for place in (spec.submodule_search_locations or [] if spec else [])]
    for folder in folders:
        if (folder / name).is_file():
            found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
            return found
    raise FileNotFoundError(f"no schema {name} beside the program")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    """Tell whether a value is a number without a fractional part, as JSON Schema has it: 7.0 is an integer."""
    return value.is_integer() if isinstance(value, float) else _is_number(value)


TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": _is_integer,
}


def equal(a: object, b: object) -> bool:
    """Equality of JSON values: 1 is 1.0, and is not true; the order of members is free."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def errors(value: Any, schema: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Say what is wrong with a value, a line for each place."""
    unknown = set(schema) - KNOWN
    if unknown:
        raise NotImplementedError(f"schema keywords {sorted(unknown)}")
    if "type" in schema and not TYPES[schema["type"]](value):
        yield f"{path} is not of type {schema['type']}"
        return
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else [value])
    if not any(equal(value, other) for other in allowed):
        yield f"{path} is none of {allowed}"
    if isinstance(value, str):
        yield from _text(value, schema, path)
    if _is_number(value):
        yield from _number(value, schema, path)
    if isinstance(value, list):
        yield from _elements(value, schema, path)
    if isinstance(value, dict):
        yield from _members(value, schema, path)
    if "if" in schema and not list(errors(value, schema["if"], path)):
        yield from errors(value, schema.get("then", {}), path)


def _text(value: str, schema: dict[str, Any], path: str) -> Iterator[str]:
    pattern = schema.get("pattern")
    if pattern is not None and not re.search(pattern.replace("$", r"\Z"), value):
        yield f"{path} does not match {pattern}"
    if len(value) < schema.get("minLength", 0):
        yield f"{path} is too short"


def _number(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path} is less than {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{path} is more than {schema['maximum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{path} is not more than {schema['exclusiveMinimum']}"


def _elements(value: list[Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    for i, element in enumerate(value):
        yield from errors(element, schema.get("items", {}), f"{path}[{i}]")


def _members(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path} lacks {name}"
    for name, part in schema.get("properties", {}).items():
        if name in value:
            yield from errors(value[name], part, f"{path}.{name}")
