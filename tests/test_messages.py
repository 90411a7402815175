"""Messages of the protocol: the schema says what is valid, and all that is sent and taken is held against it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from logitpack_conformance import manifest, messages
from logitpack_conformance.manifest import fixtures_folder
from logitpack_conformance.messages import BadMessage
from logitpack_conformance.model import COMMANDS, FEATURES, Container, Kind, Role
from logitpack_conformance.oracle import schema
from logitpack_conformance.perform import make_request, material_key
from logitpack_conformance.plan import plan
from logitpack_conformance.program import EVERYTHING

SCHEMA = schema.load(messages.SCHEMA)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OUTCOMES = st.sampled_from(["accepted", "rejected", "unsupported", "error", "ok", 1, None, ["accepted"]])
RESPONSES = st.fixed_dictionaries(
    {"seq": st.just(1)},
    optional={
        "outcome": OUTCOMES,
        "message": JSON,
        "requirement": JSON,
        "feature": st.sampled_from(["zstd", "", None, 1]),
        "findings": JSON | st.lists(st.fixed_dictionaries({"requirement": JSON}), max_size=2),
        "more": JSON,
        "cmd": JSON,
    },
)


def test_schema_is_a_schema() -> None:
    """The schema of the protocol is valid itself."""
    Draft202012Validator.check_schema(SCHEMA)


def test_names() -> None:
    """The schema knows the same roles, containers and features as the suite."""
    terms = SCHEMA["$defs"]
    assert [str(role) for role in Role] == terms["introduction"]["properties"]["roles"]["items"]["enum"]
    assert [str(container) for container in Container] == terms["container"]["enum"]
    assert list(FEATURES) == terms["feature"]["enum"]


def test_hello() -> None:
    """The first request is valid."""
    sent = json.loads(messages.encode(messages.HELLO, 0))
    messages.validator("request").validate(sent)


def test_every_request() -> None:
    """Every request that the fixtures lead to is valid."""
    known = manifest.load_manifest(fixtures_folder())
    for case, role, container, _ in plan(known.cases, EVERYTHING):
        given_input = Path("/place/in") / case.materials[material_key(role, container)].input
        line = messages.encode(make_request(case, role, container, given_input, Path("/place")), 3)
        messages.validator(COMMANDS[role]).validate(json.loads(line))


def test_requests_and_responses_differ() -> None:
    """No message is both, and both are messages."""
    request = json.loads(messages.encode(messages.HELLO, 0))
    assert messages.validator("request").is_valid(request)
    assert not messages.validator("response").is_valid({**request, "outcome": "accepted"})
    for message in (request, {"seq": 1, "outcome": "accepted"}):
        assert Draft202012Validator(SCHEMA).is_valid(message)


def test_kinds_of_requests() -> None:
    """The fixtures have cases for all roles, so that the test above sees all requests."""
    known = manifest.load_manifest(fixtures_folder())
    assert set(Role) == {role for case in known.cases for role in case.roles}
    assert set(Kind) == {case.kind for case in known.cases}


@given(RESPONSES)
def test_plain_responses_are_valid(message: dict[str, Any]) -> None:
    """What is taken without a look at the schema, the schema takes as well."""
    if messages.is_plain(message):
        assert messages.validator("response").is_valid(message)


def refused(take: Callable[[], object]) -> str | None:
    """Return why a line is taken for no message, None where it is taken."""
    try:
        take()
    except BadMessage as fault:
        return str(fault)
    return None


@given(RESPONSES)
def test_responses(message: dict[str, Any]) -> None:
    """A response is taken where, and only where, the schema says so; what is said of others is short and printable."""
    fault = refused(lambda: messages.response(json.dumps(message).encode(), 1))
    assert messages.validator("response").is_valid(message) == (fault is None)
    assert fault is None or (fault.isprintable() and len(fault) < 600)


@given(st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_line(line: bytes) -> None:
    """Whatever a line is, it is an object or a bad message."""
    fault = refused(lambda: messages.decode(line))
    assert (json.loads(line) == messages.decode(line)) if fault is None else fault.isprintable()


def test_plain_ones_are_common() -> None:
    """The responses that adapters mostly give need no look at the schema."""
    assert messages.is_plain({"seq": 1, "outcome": "accepted"})
    assert messages.is_plain({"seq": 1, "outcome": "rejected", "requirement": "IDX-3", "message": "one byte short"})


@pytest.mark.parametrize("name", ["language", "homepage", "issues", "features"])
def test_absent_or_null(name: str) -> None:
    """A member of the introduction that need not be there may be null."""
    said = {"seq": 0, "protocol": 1, "spec": ["1.0"], "name": "n", "version": "", "roles": ["reader"]}
    line = json.dumps({**said, "containers": ["json"], name: None}).encode()
    assert not getattr(messages.introduction(line), name)


def test_extractor_needs_no_container() -> None:
    """An adapter that only extracts is given no container, and declares none."""
    said = {"seq": 0, "protocol": 1, "spec": ["1.0", "1.1"], "name": "n", "version": "", "roles": ["extractor"]}
    found = messages.introduction(json.dumps({**said, "containers": []}).encode())
    assert ((Role.EXTRACTOR,), ()) == (found.roles, found.containers)
