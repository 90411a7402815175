"""The messages of the protocol: requests become lines, and what comes back is held against its schema.

Strategy: a line is UTF-8 and strict JSON, one object, no member twice. schema/protocol.schema.json decides over the
rest, but for the sequence number, which has to be an integer as it was sent. The commonest small responses are seen
to be valid without the schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from jsonschema import Draft202012Validator

from .model import PROTOCOL, SPEC, Container, Implementation, Response, Role
from .oracle.schema import load
from .text import bounded, bounded_json

SCHEMA = "protocol.schema.json"
HELLO: Mapping[str, Any] = {"cmd": "hello", "protocol": PROTOCOL, "spec": [SPEC]}
SHORT = {"seq", "outcome", "message", "requirement"}
SHORT_OUTCOMES = {"accepted", "rejected", "error"}
LONGEST = 300


class BadMessage(Exception):  # noqa: N818 - what it is
    """A line is no message of the protocol, or not the one that was due; the text says why, bounded and printable."""


@cache
def validator(name: str) -> Draft202012Validator:
    """Return a validator of a definition of the protocol's schema. Raises FileNotFoundError."""
    schema = load(SCHEMA)
    return Draft202012Validator({"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})


def encode(request: Mapping[str, Any], seq: int) -> bytes:
    """Return the line of a request, without its line feed."""
    return json.dumps({"seq": seq, **request}, allow_nan=False).encode()


def introduction(line: bytes) -> Implementation:
    """Return what a response to `hello` says. Raises BadMessage."""
    message = decode(line)
    _hold_seq(message, 0)
    _validate(message, "introduction")
    if SPEC not in message["spec"]:
        raise BadMessage(f"it implements {bounded(message['spec'], 100)}, not version {SPEC} of the specification")
    roles = tuple(map(Role, message["roles"]))
    if not message["containers"] and set(roles) != {Role.EXTRACTOR}:
        raise BadMessage("containers is empty: nothing can be read, written or checked")
    return Implementation(
        name=message["name"],
        version=message["version"],
        roles=roles,
        containers=tuple(map(Container, message["containers"])),
        features=tuple(message.get("features") or ()),
        spec=tuple(message["spec"]),
        **{name: message.get(name) or "" for name in ("language", "homepage", "issues")},
    )


def response(line: bytes, seq: int) -> Response:
    """Return what a response to request `seq` says. Raises BadMessage."""
    message = decode(line)
    _hold_seq(message, seq)
    if not is_plain(message):
        _validate(message, "response")
    return Response(
        outcome=message["outcome"],
        message=message.get("message") or "",
        requirement=message.get("requirement"),
        findings=tuple(message.get("findings") or ()),
        feature=message.get("feature"),
    )


def is_plain(message: Mapping[str, Any]) -> bool:
    """Tell, of a message with a good sequence number, whether it is a response that surely is valid.

    What this takes, the schema takes; the schema takes more.
    """
    texts = (message.get("outcome"), message.get("message", ""), message.get("requirement", ""))
    return (
        message.keys() <= SHORT
        and all(isinstance(text, str) for text in texts)
        and message["outcome"] in SHORT_OUTCOMES
    )


def decode(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line. Raises BadMessage."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessage(f"a line that is no UTF-8: {_quoted(line)}") from error
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except BadMessage:
        raise
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"a line that is no JSON: {_quoted(line)}") from error
    if not isinstance(value, dict):
        raise BadMessage(f"a line that is no JSON object: {_quoted(line)}")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadMessage("a line with a member that stands twice")
    return found


def _no_constant(text: str) -> NoReturn:
    raise BadMessage(f"a line with {text}, which is no JSON")


def _hold_seq(message: Mapping[str, Any], seq: int) -> None:
    if "seq" not in message:
        raise BadMessage(f"a response without seq, expected {seq}")
    found = message["seq"]
    if type(found) is not int or found != seq:  # neither true nor 1.0 is 1 here
        raise BadMessage(f"seq is {bounded(json.dumps(bounded_json(found)), 40)}, expected {seq}")


def _validate(message: Mapping[str, Any], name: str) -> None:
    try:
        fault = next(validator(name).iter_errors(message), None)
    except RecursionError as error:
        raise BadMessage("a line that is nested too deeply") from error
    if fault is not None:
        raise BadMessage(f"{bounded(fault.json_path, 100)}: {bounded(fault.message, LONGEST)}")


def _quoted(line: bytes) -> str:
    return bounded(line[:LONGEST].decode("utf-8", "backslashreplace"), 100) or "(nothing)"
