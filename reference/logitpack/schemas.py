"""Judge a JSON value by a JSON Schema, for the few keywords that our own schemas use.

Strategy: reading and writing need only numpy and pyarrow, and both need the metadata judged. The schema
file itself is interpreted, so prose and code cannot drift apart; a keyword that is not known here is an
error, never skipped. The tests hold this against the `jsonschema` package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

ANNOTATIONS = frozenset({"$schema", "$id", "title", "description", "then"})


def first_breach(schema: Mapping[str, Any], value: object) -> str | None:
    """Say how `value` breaks `schema`, or None where it does not.

    `value` is what `json.loads` returns. The text names the member, as in `nucleus.top_p: 2 is not at most 1`.
    Raises NotImplementedError for a schema with a keyword that is not interpreted.
    """
    return next(_breaches(schema, value, ""), None)


def _breaches(schema: Mapping[str, Any], value: object, path: str) -> Iterator[str]:
    for keyword, argument in schema.items():
        if keyword in ASSERTIONS:
            fault = ASSERTIONS[keyword](value, argument)
            if fault:
                yield f"{path}: {fault}" if path else fault
        elif keyword in APPLICATORS:
            for inner, part, name in APPLICATORS[keyword](schema, value, path):
                yield from _breaches(inner, part, name)
        elif keyword not in ANNOTATIONS:
            msg = f"JSON Schema keyword {keyword!r}"
            raise NotImplementedError(msg)


Parts = Iterator[tuple[Mapping[str, Any], object, str]]


def _properties(schema: Mapping[str, Any], value: object, path: str) -> Parts:
    for name, inner in schema["properties"].items():
        if isinstance(value, dict) and name in value:
            yield inner, value[name], f"{path}.{name}" if path else name


def _items(schema: Mapping[str, Any], value: object, path: str) -> Parts:
    for position, element in enumerate(value if isinstance(value, list) else []):
        yield schema["items"], element, f"{path}[{position}]"


def _if(schema: Mapping[str, Any], value: object, path: str) -> Parts:
    if next(_breaches(schema["if"], value, path), None) is None:
        yield schema["then"], value, path


APPLICATORS: Mapping[str, Callable[[Mapping[str, Any], object, str], Parts]] = {
    "properties": _properties,
    "items": _items,
    "if": _if,
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return _is_number(value) and (isinstance(value, int) or float(str(value)).is_integer())


TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": _is_integer,
}


def show_value(value: object, limit: int = 60) -> str:
    """Give a value as short text, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _type(value: object, name: str) -> str | None:
    return None if TYPES[name](value) else f"{show_value(value)} is not of type {name}"


def _required(value: object, names: list[str]) -> str | None:
    missing = [name for name in names if isinstance(value, dict) and name not in value]
    return f"{', '.join(missing)} missing" if missing else None


def _enum(value: object, allowed: list[object]) -> str | None:
    return None if isinstance(value, str) and value in allowed else f"{show_value(value)} is none of {allowed}"


def _const(value: object, allowed: object) -> str | None:
    return None if _is_number(value) and value == allowed else f"{show_value(value)} is not {allowed}"


def _pattern(value: object, pattern: str) -> str | None:
    # `$` of Python's re also matches before a final newline, that of JSON Schema does not.
    anchored = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if not isinstance(value, str) or re.search(anchored, value):
        return None
    return f"{show_value(value)} does not match {pattern}"


def _bound(holds: Callable[[Any, Any], bool], words: str) -> Callable[[object, Any], str | None]:
    def judge(value: object, limit: float) -> str | None:
        return f"{show_value(value)} is not {words} {limit}" if _is_number(value) and not holds(value, limit) else None

    return judge


def _min_length(value: object, limit: int) -> str | None:
    return f"has fewer than {limit} characters" if isinstance(value, str) and len(value) < limit else None


ASSERTIONS: Mapping[str, Callable[[object, Any], str | None]] = {
    "type": _type,
    "required": _required,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _min_length,
    "minimum": _bound(lambda value, limit: value >= limit, "at least"),
    "maximum": _bound(lambda value, limit: value <= limit, "at most"),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit, "above"),
}
