"""What a writer wrote is kept in its report, and sent to others: who judges it, and what hostile reports come to."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from commandline import Result, logitpack
from fakes import (
    ACCEPTED,
    CUT,
    GOOD,
    LOGICAL,
    REJECTED,
    RIGHT,
    STORED,
    Step,
    fake,
    notes,
    pair,
    rows_to_write,
    running,
    save,
)
from logitpack_conformance import exchange, keeping, program
from logitpack_conformance.expectations import Held
from logitpack_conformance.manifest import Manifest
from logitpack_conformance.model import Container
from logitpack_conformance.oracle.schema import load
from logitpack_conformance.reports.results import load as load_report

SOUND: dict[str, list[Step]] = {"1": RIGHT, "*": [REJECTED]}
"""What a reader does that is right about the two cases of `pair`."""
WITH_IDS = json.dumps({**STORED, "token_ids": [7]}) + "\n"


def writes(text: bytes | str) -> dict[str, list[Step]]:
    """Give the steps of a writer that writes this, whatever it is given."""
    return {"write": [{"output": text.decode() if isinstance(text, bytes) else text}, ACCEPTED]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder with fixtures: two cases for readers, one for writers. Nothing of a run is left afterwards."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    place = tmp_path / "home"
    place.mkdir()
    cases = (*pair(place).cases, rows_to_write("put/rows", place))
    save(Manifest(cases, {}, {}), place)
    yield place
    assert [] == list(temporary.iterdir())
    assert [] == running(temporary)


def run(home: Path, name: str, steps: dict[str, list[Step]], *options: object, **members: Any) -> Result:
    """Run `conform` on an adapter of this name, which has a report of its own in `home / name`."""
    place = home / f"{name}-script"
    place.mkdir(exist_ok=True)
    hello = {"name": name, **members.pop("introduction", {})}
    if "starts" in members:
        members["starts"] = [{"introduction": hello, **script} for script in members["starts"]]
    command = fake(place, steps, introduction=hello, **members)
    return logitpack("conform", "--fixtures", home, "--jobs", 1, "--report", home / name, *options, "--", *command)


def write(home: Path, text: bytes | str = GOOD, name: str = "pen", **members: Any) -> Path:
    """Run a writer that writes this, and return its report."""
    run(home, name, writes(text), "--keep-written", introduction={"roles": ["writer"], **members})
    return home / name


def document(report: Path) -> dict[str, Any]:
    """Return a report that is valid against its schema."""
    found = load_report(report / "results.json")
    assert [] == [error.message for error in Draft202012Validator(load("results.schema.json")).iter_errors(found)]
    return found


def exchanged(report: Path) -> dict[str, Any]:
    """Return the one exchanged file of a report."""
    (found,) = document(report)["exchange"]
    assert isinstance(found, dict)
    return found


# What is kept ---------------------------------------------------------------------------------------------


def test_what_is_written_is_kept(home: Path) -> None:
    """The file stands at its place, and results.json has its digest."""
    report = write(home)
    assert GOOD == (report / "written/json/put/rows/out.ndjson").read_bytes()
    (result,) = [one for one in document(report)["results"] if one["role"] == "writer"]
    assert {"sha256": hashlib.sha256(GOOD).hexdigest(), "size": len(GOOD)} == result["written"]


def test_what_is_wrong_is_kept_too(home: Path) -> None:
    """A file that failed is there to be looked at."""
    report = write(home, CUT)
    assert CUT == (report / "written/json/put/rows/out.ndjson").read_bytes()
    assert "failed" == document(report)["results"][0]["status"]


REFUSED: list[dict[str, Any]] = [{"write": [REJECTED]}]
OTHERWISE: list[dict[str, Any]] = [writes(CUT), writes(GOOD)]


@pytest.mark.parametrize("steps", [REFUSED, OTHERWISE], ids=["refused", "nondeterministic"])
def test_what_nobody_can_rely_on_is_not_kept(steps: list[dict[str, Any]], home: Path) -> None:
    """Where rows were refused, or written otherwise the second time, nothing is kept, and what was there goes."""
    report = write(home)
    starts = [{"steps": one} for one in steps]
    run(home, "pen", {}, "--keep-written", introduction={"roles": ["writer"]}, starts=starts)
    assert ["failed"] == [one["status"] for one in document(report)["results"] if "written" not in one]
    assert [] == [path.name for path in report.iterdir() if "written" in path.name]


def test_large_files_are_not_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large is left out, and that is said."""
    monkeypatch.setattr(keeping, "MOST_FILE", 10)
    report = write(home)
    assert ["files that were written and too large to be kept: 1"] == document(report)["notes"]
    assert not (report / "written").exists()


def test_keeping_needs_a_report(home: Path) -> None:
    """Without a folder for reports, there is nowhere to keep anything."""
    done = logitpack("conform", "--fixtures", home, "--keep-written", "--", "true")
    assert (2, True) == (done.status, "--keep-written needs --report DIR" in done.err)


# What is sent -----------------------------------------------------------------------------------------------


def test_file_that_is_read(home: Path) -> None:
    """A reader is sent the very file, under a neutral name, and its answer is judged by the oracle's reading."""
    path = home / "notes"
    report = write(home)
    scripts = [{"steps": SOUND}, {"steps": {"*": [{"note": str(path)}, *RIGHT]}}]
    done = run(home, "eye", {}, "--exchange", report, starts=scripts)
    found = exchanged(home / "eye")
    assert (0, "passed") == (done.status, found["status"])
    assert {"name": "pen", "version": "1"} == found["writer"]
    assert hashlib.sha256(GOOD).hexdigest() == found["sha256"]
    assert ["in.ndjson"] == [Path(one["request"]["input"]).name for one in notes(path)]
    assert ["files of", "reader, json"] == done.out.splitlines()[2].split("  ")
    assert ["pen 1", "1/1"] == [word.strip() for word in done.out.splitlines()[3].split("  ") if word]


WRONG: dict[str, tuple[list[Step], str]] = {
    "rejected": ([REJECTED], "RD-5"),
    "index": ([{"output": json.dumps(LOGICAL).replace("[1]", "[3]") + "\n"}, ACCEPTED], "IDX-2"),
    "logit": ([{"output": json.dumps(LOGICAL).replace("[0.5]", "[0.75]") + "\n"}, ACCEPTED], "QNT-2"),
    "empty": ([{"output": ""}, ACCEPTED], "RD-2"),
    "crash": ([{"exit": 1}], "RD-5"),
}


@pytest.mark.parametrize(("steps", "requirement"), WRONG.values(), ids=WRONG)
def test_file_that_is_not_read(steps: list[Step], requirement: str, home: Path) -> None:
    """A failure names its requirement and how to repeat it, and is none of the run's: score and verdict stay."""
    report = write(home)
    done = run(home, "eye", {}, "--exchange", report, starts=[{"steps": SOUND}, {"steps": {"*": steps}}])
    found = exchanged(home / "eye")
    assert ("failed", requirement) == (found["status"], found["broken"][0])
    assert f"--case put/rows --fixtures {home} --exchange {report} -- " in found["repeat"]
    assert (0, "conformant") == (done.status, document(home / "eye")["footer"]["verdict"])
    assert f"{requirement}: put/rows (reader, json)" in done.out


def test_repeating(home: Path) -> None:
    """The files of others can be sent alone; such a run has no verdict."""
    report = write(home)
    done = run(home, "eye", {"*": RIGHT}, "--roles", "reader", "--case", "put/rows", "--exchange", report)
    assert (6, "passed", []) == (done.status, exchanged(home / "eye")["status"], document(home / "eye")["results"])


@pytest.mark.parametrize(("declared", "status"), [([], "unsupported"), (["token_ids"], "failed")])
def test_file_that_needs_a_feature(declared: list[str], status: str, home: Path) -> None:
    """`unsupported` is legal for a feature that the file has and that was not declared."""
    report = write(home, WITH_IDS)
    lacks = {"answer": {"outcome": "unsupported", "feature": "token_ids"}}
    scripts = [{"steps": SOUND}, {"steps": {"*": [lacks]}}]
    run(home, "eye", {}, "--exchange", report, starts=scripts, introduction={"features": declared})
    assert status == exchanged(home / "eye")["status"]


def test_unsupported_without_need(home: Path) -> None:
    """`unsupported` for a feature that the file does not have is a failure."""
    report = write(home)
    lacks = {"answer": {"outcome": "unsupported", "feature": "token_ids"}}
    run(home, "eye", {}, "--exchange", report, starts=[{"steps": SOUND}, {"steps": {"*": [lacks]}}])
    assert "failed" == exchanged(home / "eye")["status"]


def test_checker(home: Path) -> None:
    """A checker is sent the file as well, and has to report what the oracle finds."""
    report = write(home)
    accepts = {"answer": {"outcome": "accepted", "findings": [{"requirement": "IDX-4"}]}}
    run(home, "eye", {"*": [accepts]}, "--exchange", report, introduction={"roles": ["checker"]})
    found = exchanged(home / "eye")
    assert ("checker", "failed", "CHK-3") == (found["role"], found["status"], found["broken"][0])


def test_file_that_is_broken(home: Path) -> None:
    """What the oracle finds broken is not sent: that is its writer's failure, and is told so."""
    path = home / "notes"
    report = write(home, CUT)
    done = run(home, "eye", {"1": RIGHT, "*": [{"note": str(path)}, REJECTED]}, "--exchange", report)
    found = exchanged(home / "eye")
    assert ("not-run", ["JSON-1"]) == (found["status"], found["broken"])
    assert 1 == len(notes(path))  # the second case of `pair`
    assert "1 file of others: not sent: it breaks JSON-1" in done.out


def test_other_containers(home: Path) -> None:
    """Where a reader has no container in common with a writer, nothing is sent, and that is said."""
    report = write(home)
    run(home, "eye", {"*": RIGHT}, "--exchange", report, introduction={"containers": ["parquet"]})
    found = document(home / "eye")
    assert "exchange" not in found
    assert ["nothing of pen 1 was sent: none of it is for these roles and containers"] == found["notes"]


def test_adapter_that_starts_only_once(home: Path) -> None:
    """Where the adapter does not start again, only the exchange is lost."""
    report = write(home)
    done = run(home, "eye", {}, "--exchange", report, starts=[{"steps": SOUND}, {"steps": {"hello": [{"exit": 1}]}}])
    assert 0 == done.status
    assert "note: nothing of pen 1 was sent: hello:" in done.out


def interrupt(*_: object, **__: object) -> Held:
    """Send this process a signal."""
    os.kill(os.getpid(), signal.SIGINT)
    return Held()


@pytest.mark.parametrize(("module", "name"), [(exchange, "conduct"), (exchange, "_judged"), (program, "_held")])
def test_interrupt(module: ModuleType, name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """130; before or during the exchange, it ends that, and the results of the fixtures are shown and reported."""
    report = write(home)
    monkeypatch.setattr(module, name, interrupt)
    done = run(home, "eye", SOUND, "--exchange", report)
    assert (130, "conformant") == (done.status, document(home / "eye")["footer"]["verdict"])
    assert "note: the exchange of files was interrupted" in done.out.splitlines()


# Hostile reports --------------------------------------------------------------------------------------------

KEPT = "written/json/put/rows/out.ndjson"


def _change(report: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads((report / "results.json").read_bytes())
    change(found)
    (report / "results.json").write_text(json.dumps(found))


def _linked(report: Path) -> None:
    (report / KEPT).rename(report / "elsewhere")
    (report / KEPT).symlink_to(report / "elsewhere")


def _folder_linked(report: Path) -> None:
    (report / "written").rename(report / "elsewhere")
    (report / "written").symlink_to("elsewhere")


def _circle(report: Path) -> None:
    (report / KEPT).unlink()
    (report / KEPT).symlink_to("out.ndjson")


def _pipe(report: Path) -> None:
    (report / KEPT).unlink()
    os.mkfifo(report / KEPT)


def _huge(report: Path) -> None:
    with (report / KEPT).open("r+b") as file:
        file.truncate(1 << 40)


def _escaping(report: Path) -> None:
    _change(report, lambda found: found["results"][0].update(case="../../etc/passwd"))


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (lambda report: (report / KEPT).write_bytes(CUT), "is not the file that results.json lists"),
    "missing": (lambda report: (report / KEPT).unlink(), "cannot be read: No such file"),
    "linked": (_linked, "a symbolic link leads elsewhere"),
    "folder-linked": (_folder_linked, "a symbolic link leads elsewhere"),
    "circle": (_circle, "json/put/rows/out.ndjson"),
    "pipe": (_pipe, "cannot be read: it is no regular file"),
    "huge": (_huge, "cannot be read: it has more than"),
    "escaping": (_escaping, "results.json: $.results[0].case"),
    "control": (lambda r: _change(r, lambda f: f["results"][0].update(case="a\x1b[2J")), "'a\\x1b[2J' does not match"),
    "twice": (
        lambda r: _change(r, lambda f: (f["results"].append(f["results"][0]), f["footer"].update(results=2))),
        "writer:put/rows@json stands twice",
    ),
    "cut": (lambda r: (r / "results.json").write_bytes((r / "results.json").read_bytes()[:-9]), "not whole"),
    "deep": (lambda r: (r / "results.json").write_text("[" * 100_000), "not whole: RecursionError"),
    "no-report": (lambda report: (report / "results.json").unlink(), "no report: results.json: No such file"),
    "nothing-kept": (
        lambda r: _change(r, lambda f: f["results"][0].pop("written")),
        "run the writer with --keep-written",
    ),
}


@pytest.mark.parametrize(("damage", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_reports(damage: Callable[[Path], object], words: str, home: Path) -> None:
    """2: what is not as it should be is one line, before an adapter is started."""
    report = write(home)
    damage(report)
    path = home / "notes"
    done = run(home, "eye", {"hello": [{"note": str(path)}]}, "--exchange", report)
    assert (2, "", 1) == (done.status, done.out, done.err.count("\n"))
    assert words in done.err
    assert done.err.isprintable() or done.err[:-1].isprintable()
    assert not path.exists()


def test_every_container_has_a_place() -> None:
    """No two files of a report stand in one place."""
    assert 4 == len({keeping.place("a/b", container) for container in Container})
