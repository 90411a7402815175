"""The metadata of a Described file: SPEC.md section 13.

Strategy: keep the JSON object as it was read, members that are not known included (META-3), and judge it
once against schema/metadata.schema.json; properties then read it without further checks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.resources import load_schema
from logitpack.schemas import first_breach, show_value

KEY = b"logitpack"
SIDECAR = "logitpack.json"
SPEC_VERSION = "1.0"
MAX_BYTES = 1_048_576
MAX_ENTRIES_UNDECLARED = 100
LONGEST_NAME = 60


class _Absent(str):
    """What is told of a member that is not there: no string in quotes."""

    __slots__ = ()
    __repr__ = str.__str__


_NOTHING = object()


@dataclass(frozen=True, eq=True)
class Metadata:
    """Valid metadata of spec version 1.x.

    `raw` is the JSON object itself. Make one with `from_dict` or `from_bytes`; both judge it.
    """

    raw: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        """Say whether both are equal as JSON values: 1 and 1.0 are, 1 and true are not (FILE-2)."""
        return isinstance(other, Metadata) and next(_differences(self.raw, other.raw), None) is None

    __hash__ = None  # type: ignore[assignment]  # as of the object itself

    def difference(self, other: Metadata) -> tuple[str, object, object]:
        """Return the first member that is not that of `other`, by name, and the values of both: `vocab_size`, 5, 6.

        A member that is not there has the value "absent". Of equal metadata, a member without a name, and no values.
        """
        name, one, two = next(_differences(self.raw, other.raw), ("", None, None))
        return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…", one, two

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Metadata:
        """Take the caller's metadata. Raises UsageError (META-1, META-2, META-7)."""
        try:
            text = json.dumps(dict(raw), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"metadata cannot be written as JSON: {error}"
            raise UsageError(message, requirement="META-1") from None
        return cls.from_user(text.encode())

    @classmethod
    def from_bytes(cls, raw: bytes, *, file: str | None = None) -> Metadata:
        """Take metadata as it stands in a file. Raises DataError (META-1, META-2, META-7)."""
        return cls._judged(raw, DataError, Place(file=file))

    @classmethod
    def from_user(cls, raw: bytes, *, file: str | None = None) -> Metadata:
        """Take metadata that the caller supplies as JSON text. Raises UsageError (META-1, META-2, META-7)."""
        return cls._judged(raw, UsageError, Place(file=file))

    @classmethod
    def _judged(cls, raw: bytes, fault: type[LogitPackError], place: Place) -> Metadata:
        if len(raw) > MAX_BYTES:
            message = f"metadata has {len(raw)} bytes, allowed {MAX_BYTES}"
            raise fault(message, requirement="META-7", place=place, got=len(raw), allowed=MAX_BYTES)

        def refuse(problem: str) -> NoReturn:
            message = f"metadata is not valid: {problem}"
            raise fault(message, requirement="META-1", place=place)

        twins: list[list[str]] = []  # by object, the outermost last

        def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            twins.append(_twins(pairs))
            return dict(pairs)

        try:
            value = json.loads(
                raw.decode("utf-8"), object_pairs_hook=members, parse_constant=_no_constant, parse_int=_integer
            )
        except UnicodeDecodeError:
            refuse("it is not UTF-8")
        except RecursionError:
            refuse("it is nested too deeply")
        except ValueError as error:
            refuse(f"it is not JSON: {error}")
        schema = load_schema("metadata.schema.json")
        version = value.get("spec_version") if isinstance(value, dict) and "spec_version" not in twins[-1] else None
        if not first_breach(schema["properties"]["spec_version"], version) and not str(version).startswith("1."):
            message = f"spec_version is {show_value(version)}, allowed 1.x"
            raise fault(message, requirement="META-2", place=place, got=version, allowed="1.x")
        breach = next((f"member {show_value(name)} stands twice" for names in twins for name in names), None)
        breach = breach or first_breach(schema, value)
        if breach:
            refuse(breach)
        size = value["tokenizer"].get("size", 0)
        if size > value["vocab_size"]:
            refuse(f"tokenizer.size: {size} is above vocab_size, {value['vocab_size']}")
        return cls(value)

    def to_bytes(self) -> bytes:
        """Give the JSON text as UTF-8."""
        return json.dumps(self.raw, separators=(",", ":"), allow_nan=False).encode()

    @property
    def spec_version(self) -> str:
        """The version of the specification that the file was written to."""
        return str(self.raw["spec_version"])

    @property
    def vocab_size(self) -> int:
        """Width of the logits."""
        return int(self.raw["vocab_size"])

    @property
    def tokenizer_size(self) -> int:
        """Tokens that can occur; `vocab_size` where it is not declared."""
        return int(self.raw["tokenizer"].get("size", self.vocab_size))

    @property
    def rule(self) -> str:
        """`covering`, `below` or `unspecified`."""
        return str(self.raw["nucleus"]["rule"])

    @property
    def top_p(self) -> float | None:
        """The mass that the nucleus is cut at."""
        top_p = self.raw["nucleus"].get("top_p")
        return None if top_p is None else float(top_p)

    @property
    def max_entries(self) -> int:
        """Largest nucleus size; 100 where it is not declared (NUC-8)."""
        return int(self.raw["nucleus"].get("max_entries", MAX_ENTRIES_UNDECLARED))

    @property
    def descending(self) -> bool:
        """Whether nucleus entries stand in descending order (NUC-7)."""
        return bool(self.raw["nucleus"].get("order") == "descending")

    @property
    def num_sampled(self) -> int:
        """Tail entries of each token, S."""
        return int(self.raw["tail"]["num_sampled"])

    @property
    def tail_method(self) -> str:
        """`uniform`, `proportional` or `unspecified`."""
        return str(self.raw["tail"]["method"])

    @property
    def alignment(self) -> str:
        """`predicts`, `follows` or `unspecified`."""
        return str(self.raw["alignment"])


def _differences(one: object, other: object, name: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield each value that is not that of the other, with the name of the member that it stands in."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            inner = f"{name}.{key}" if name else key
            yield from _differences(one.get(key, _NOTHING), other.get(key, _NOTHING), inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for pair in zip(one, other, strict=True):
            yield from _differences(*pair, name)
    elif isinstance(one, bool) != isinstance(other, bool) or one != other:
        got, allowed = (_Absent("absent") if value is _NOTHING else value for value in (one, other))
        yield name, got, allowed


def _twins(pairs: list[tuple[str, Any]]) -> list[str]:
    return [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]


def _integer(digits: str) -> int:
    # Python finds a longer one too long. It is beyond every range, and so is its beginning.
    return int(digits[:4000])


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON number"
    raise ValueError(message)
