"""Adapters in the box: the serving loop, and the reference in all its roles."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judging import ROWS, judge_read, logical, text
from logitpack_conformance.adapters.serve import Handler, Rejected, Unsupported, serve
from logitpack_conformance.model import FEATURES, Container, Role
from logitpack_conformance.oracle import judge_path
from logitpack_conformance.stored import to_bytes, to_json
from talking import Talk, errors

REFERENCE = [sys.executable, "-m", "logitpack_conformance.adapters.reference"]
HELLO = {"seq": 0, "cmd": "hello", "protocol": 1, "spec": ["1.0"]}

# The serving loop


def answers(handlers: Mapping[str, Handler], *lines: bytes) -> list[dict[str, Any]]:
    """Serve some lines, and return what was answered."""
    sink = io.BytesIO()
    hello = {"name": "mine", "version": "1", "containers": ["json"]}
    assert 0 == serve(handlers, hello, [], (io.BytesIO(b"".join(line + b"\n" for line in lines)), sink))
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def asked(seq: int = 1) -> bytes:
    """Give a request to read."""
    return json.dumps({"seq": seq, "cmd": "read", "container": "json", "input": "/i", "output": "/o"}).encode()


def raising(error: Exception) -> Handler:
    """Give a handler that raises."""

    def handler(_: Mapping[str, Any]) -> None:
        raise error

    return handler


def test_hello_follows_from_the_handlers() -> None:
    """The roles are those of the handlers, the rest is what was given, and the schema takes it."""
    (answer,) = answers({"read": lambda _: None, "check": lambda _: None}, json.dumps(HELLO).encode())
    assert ["reader", "checker"] == answer["roles"]
    assert [] == errors(answer, "introduction")


ANSWERED: dict[str, tuple[Handler, dict[str, Any]]] = {
    "nothing": (lambda _: None, {"outcome": "accepted"}),
    "members": (lambda _: {"findings": []}, {"outcome": "accepted", "findings": []}),
    "an outcome": (lambda _: {"outcome": "rejected"}, {"outcome": "rejected"}),
    "rejected": (raising(Rejected("no", "IDX-3")), {"outcome": "rejected", "message": "no", "requirement": "IDX-3"}),
    "without an id": (raising(Rejected("no")), {"outcome": "rejected", "message": "no"}),
    "unsupported": (
        raising(Unsupported("zstd")),
        {"outcome": "unsupported", "feature": "zstd", "message": "zstd is not supported"},
    ),
    "an exception": (raising(KeyError("x")), {"outcome": "error", "message": "KeyError: 'x'"}),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_what_a_handler_does_is_answered(name: str) -> None:
    """Whatever a handler returns or raises is a response with the seq of its request."""
    handler, expected = ANSWERED[name]
    (answer,) = answers({"read": handler}, asked(17))
    assert {"seq": 17, **expected} == answer
    assert [] == errors(answer, "response")


def test_the_session_goes_on_after_a_failure() -> None:
    """A request that fails, one that is unknown, and a line that is none are answered, and so is the next."""
    found = answers(
        {"write": lambda _: None}, asked(1), b'{"seq": 2, "cmd": "dance"}', b"{", asked(3).replace(b"read", b"write")
    )
    assert [(1, "error"), (2, "error"), (None, "error"), (3, "accepted")] == [(a["seq"], a["outcome"]) for a in found]


def test_what_a_handler_prints_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the protocol."""
    (answer,) = answers({"read": lambda _: print("hello, world")}, asked())  # noqa: T201
    assert "accepted" == answer["outcome"]
    assert ("", "hello, world\n") == capsys.readouterr()


def test_one_request_in_files(tmp_path: Path) -> None:
    """With arguments, one request is read from a file, and the response stands in another."""
    for command, request in (("hello", json.dumps(HELLO).encode()), ("read", asked(5))):
        (tmp_path / "request.json").write_bytes(request)
        arguments = [command, str(tmp_path / "request.json"), str(tmp_path / "response.json")]
        assert 0 == serve({"read": lambda _: None}, {"name": "mine", "version": "1", "containers": []}, arguments)
        assert json.loads(request)["seq"] == json.loads((tmp_path / "response.json").read_bytes())["seq"]


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that name no request are wrong usage."""
    assert 2 == serve({}, {}, ["read"])
    assert "usage: " in capsys.readouterr().err


# The reference


@pytest.fixture
def reference() -> Iterator[Talk]:
    """Give the reference adapter, after its introduction; it ends with status 0."""
    talk = Talk(REFERENCE)
    answer = talk.ask(cmd="hello", protocol=1, spec=["1.0"])
    assert ([*Role], [*Container], set(FEATURES)) == (answer["roles"], answer["containers"], set(answer["features"]))
    yield talk
    assert 0 == talk.end()


@pytest.mark.parametrize("container", list(Container))
def test_the_reference_reads_writes_and_checks(reference: Talk, tmp_path: Path, container: Container) -> None:
    """What it writes in a container is what it was given; it reads and checks that as it should."""
    given, made, rows = tmp_path / "rows.ndjson", tmp_path / "made", tmp_path / "read.ndjson"
    given.write_bytes(text(logical(ROWS)))
    place: dict[str, Any] = {"container": str(container)}
    assert (
        "accepted" == reference.ask(cmd="write", **place, input=str(given), output=str(made), metadata=None)["outcome"]
    )
    assert [] == [str(finding) for finding in judge_path(made) if finding.severity == "error"]
    (tmp_path / "in.ndjson").write_bytes(to_json(ROWS))
    assert "accepted" == reference.ask(cmd="read", **place, input=str(made), output=str(rows))["outcome"]
    assert judge_read(tmp_path, rows.read_bytes()).passed
    answer = reference.ask(cmd="check", **place, input=str(made), metadata=None)
    assert ("accepted", []) == (answer["outcome"], answer["findings"])


def test_the_reference_rejects(reference: Talk, tmp_path: Path) -> None:
    """A broken file is rejected by the reader and the checker, rows that cannot be stored by the writer."""
    row = {**ROWS[0], "top_indices_high": b""}
    broken, rows = tmp_path / "in.parquet", tmp_path / "rows.ndjson"
    broken.write_bytes(to_bytes([row], None, Container.PARQUET))
    place = {"container": "parquet", "input": str(broken)}
    answer = reference.ask(cmd="read", **place, output=str(tmp_path / "out"))
    assert ("rejected", "IDX-3") == (answer["outcome"], answer["requirement"])
    answer = reference.ask(cmd="check", **place, metadata=None)
    assert ("rejected", ["IDX-3"]) == (answer["outcome"], [finding["requirement"] for finding in answer["findings"]])
    wide = logical(ROWS)
    wide[0]["tokens"][0]["top"]["indices"][0] = 1 << 18
    rows.write_bytes(text(wide))
    request = {"container": "parquet", "input": str(rows), "output": str(tmp_path / "out.parquet"), "metadata": None}
    answer = reference.ask(cmd="write", **request)
    assert ("rejected", "IDX-6") == (answer["outcome"], answer["requirement"])
    assert not (tmp_path / "out.parquet").exists()


def test_the_reference_extracts(reference: Talk, tmp_path: Path) -> None:
    """The row is that of the masked tokens, from the positions before them; position 0 has none before it."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (5, 200)).astype(np.float32)
    np.save(tmp_path / "logits.npy", logits)
    request: dict[str, Any] = {
        "logits": str(tmp_path / "logits.npy"),
        "nucleus": {"top_p": 0.9, "max_entries": 100, "rule": "covering", "order": "descending"},
        "tail": {"num_sampled": 4, "method": "uniform"},
        "seed": 7,
        "output": str(tmp_path / "rows.ndjson"),
    }
    assert "accepted" == reference.ask(cmd="extract", **request, mask=[0, 0, 1, 0, 1])["outcome"]
    row = json.loads((tmp_path / "rows.ndjson").read_text())
    best = [token["top"]["indices"][0] for token in row["tokens"]]
    assert logits[[1, 3]].argmax(axis=1).tolist() == best
    assert [4, 4] == [len(token["sampled"]["indices"]) for token in row["tokens"]]
    answer = reference.ask(cmd="extract", **request, mask=[1, 0, 1, 0, 1])
    assert ("rejected", "ALN-3") == (answer["outcome"], answer["requirement"])


def test_the_reference_says_what_failed(reference: Talk, tmp_path: Path) -> None:
    """A file that is not there is no broken file, and the next request is answered."""
    place = {"container": "json", "input": str(tmp_path / "none"), "output": str(tmp_path / "out")}
    assert ["error", "error"] == [reference.ask(cmd="read", **place)["outcome"] for _ in range(2)]
