"""Runs: what is sent, what is made of the answers, when a run is given up, and that nothing stays behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes import ACCEPTED, CUT, HANG, LIMITS, REJECTED, RIGHT, SHORT, Step, case, fake, notes, running
from logitpack_conformance import perform as performing
from logitpack_conformance.manifest import Manifest, SuiteFault
from logitpack_conformance.model import Case, Container, Kind, Material, Result, Role, Run
from logitpack_conformance.perform import is_sent_twice
from logitpack_conformance.plan import Choice
from logitpack_conformance.process import Limits
from logitpack_conformance.run import InterruptedRun, NothingToRunError, Options, conduct
from logitpack_conformance.session import StartError

ONCE = [name for name in (f"case/n{i}" for i in range(60)) if not is_sent_twice(f"reader:{name}@json")]
TWICE = [name for name in (f"case/n{i}" for i in range(60)) if is_sent_twice(f"reader:{name}@json")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for fixtures and scripts; no folder or process of a run is left afterwards."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    place = tmp_path / "home"
    place.mkdir()
    yield place
    assert [] == list(temporary.iterdir())
    assert [] == running(temporary)


def results(
    home: Path, names: list[str], steps: dict[str, list[Step]] | None = None, limits: Limits = LIMITS, **members: Any
) -> list[Result]:
    """Run accept cases of these names with an adapter that follows steps, and return the results."""
    known = Manifest(tuple(case(name, home) for name in names), {}, {})
    return list(conduct(fake(home, steps, **members), known, Options(home, limits)).results)


def test_passes_and_failures(home: Path) -> None:
    """A right answer passes, a wrong one fails; what was sent and what came is kept, without the folder of the call."""
    scripts = [{"steps": {"1": RIGHT, "2": [REJECTED]}}, {"steps": {"1": [REJECTED]}}]
    good, bad = results(home, ONCE[:2], starts=scripts)
    assert ("passed", "accepted", ()) == (good.status, good.outcome, good.broken)
    assert ("failed", "rejected", ("RD-5",)) == (bad.status, bad.outcome, bad.broken)
    sent = {"cmd": "read", "container": "json", "input": ".../in/in.ndjson", "output": ".../rows.ndjson"}
    assert sent == bad.request


def test_order(home: Path) -> None:
    """Results stand in the order of the cases, whichever of several adapter processes was first."""
    known = Manifest(tuple(case(name, home) for name in ONCE[:12]), {}, {})
    command = fake(home, {"1": [{"sleep": 0.5}, *RIGHT], "*": RIGHT})
    run = conduct(command, known, Options(home, LIMITS, jobs=3))
    assert ONCE[:12] == [result.case.id for result in run.results]
    assert {"passed"} == {result.status for result in run.results}
    assert run.complete


def test_jobs_are_processes(home: Path) -> None:
    """Each job has an adapter process of its own."""
    path = home / "notes"
    known = Manifest(tuple(case(name, home) for name in ONCE[:9]), {}, {})
    command = fake(home, {"*": [{"note": str(path)}, {"sleep": 0.2}, *RIGHT]})
    conduct(command, known, Options(home, LIMITS, jobs=3))
    assert 3 == len({note["pid"] for note in notes(path)})


def test_fresh_folders(home: Path) -> None:
    """Each call has a folder of its own, in which neither the case's name nor another file stands."""
    path = home / "notes"
    results(home, ONCE[:2], {"*": [{"note": str(path)}, *RIGHT]})
    inputs = [Path(note["request"]["input"]) for note in notes(path)]
    assert 2 == len({one.parent for one in inputs})
    assert ["in.ndjson", "in.ndjson"] == [one.name for one in inputs]
    assert not [one for one in inputs if "case" in str(one)]


MISDEEDS: dict[str, tuple[list[Step], str]] = {
    "crash": ([{"exit": 1}], "crash"),
    "timeout": (HANG, "timeout"),
    "memory": ([{"memory": 1 << 30}], "memory"),
    "noise": ([{"text": "?\n"}], "protocol_error"),
    "no-output": ([ACCEPTED], "protocol_error"),
    "link": ([{"link": "/etc/passwd"}, ACCEPTED], "protocol_error"),
    "link-to-input": ([{"link": "in/in.ndjson"}, ACCEPTED], "protocol_error"),
    "swapped-folder": ([{"swap": "/etc"}, ACCEPTED], "protocol_error"),
    "gigabytes": ([{"flood": {"to": "output", "bytes": 1 << 30}}, ACCEPTED], "crash"),
    "error": ([{"answer": {"outcome": "error", "message": "x"}}], "error"),
    "unsupported": ([{"answer": {"outcome": "unsupported", "feature": "zstd"}}], "unsupported"),
    "empty-output": ([{"output": ""}, ACCEPTED], "accepted"),
    "other-output": ([{"output": "?"}, ACCEPTED], "accepted"),
}


@pytest.mark.parametrize(("steps", "outcome"), MISDEEDS.values(), ids=MISDEEDS)
def test_misdeeds(steps: list[Step], outcome: str, home: Path) -> None:
    """Whatever an adapter does to one case fails that case, is told as it is, and the next one is answered."""
    number = {"steps": {"1": steps, "2": RIGHT, "*": RIGHT}}
    # The failure is repeated on a fresh process, and the next case is its second request or its first.
    scripts = [number, number, {"steps": {"*": RIGHT}}]
    limits = Limits(timeout=2.0, start=60.0, memory=200 << 20, file_size=1 << 20)
    bad, good = results(home, ONCE[:2], limits=limits, starts=scripts)
    assert ("failed", outcome) == (bad.status, bad.outcome)
    assert "passed" == good.status


def test_damaged_input(home: Path) -> None:
    """An adapter has copies: what it does to them costs nobody anything."""
    steps = {"1": [{"damage": "delete"}, *RIGHT], "2": [{"damage": "change"}, *RIGHT], "3": RIGHT}
    assert ["passed"] * 3 == [result.status for result in results(home, ONCE[:3], steps)]
    known = Manifest((case(ONCE[0], home),), {}, {})
    assert ["passed"] == [one.status for one in conduct(fake(home, {"*": RIGHT}), known, Options(home, LIMITS)).results]


def test_litter(home: Path) -> None:
    """Links, loops, pipes and closed folders that it leaves are removed, and nothing beyond them."""
    (home / "kept").mkdir()
    (home / "kept" / "file").write_text("kept")
    steps = {"*": [{"litter": str(home / "kept")}, *RIGHT]}
    assert ["passed"] == [result.status for result in results(home, ONCE[:1], steps)]
    assert "kept" == (home / "kept" / "file").read_text()


def test_failures_are_repeated(home: Path) -> None:
    """A failing case is sent once more, to a fresh process."""
    path = home / "notes"
    (bad,) = results(home, ONCE[:1], {"*": [{"note": str(path)}, REJECTED]})
    assert ("failed", "rejected") == (bad.status, bad.outcome)
    assert 2 == len({note["pid"] for note in notes(path)})


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (RIGHT, "rejected, then accepted"),
        ([{"exit": 1}], "rejected, then crash"),
    ],
    ids=["passes", "crashes"],
)
def test_another_outcome(second: list[Step], words: str, home: Path) -> None:
    """A failure that comes out otherwise on a fresh process is told as such, and is a failure."""
    scripts = [{"steps": {"*": [REJECTED]}}, {"steps": {"*": second}}]
    (bad,) = results(home, ONCE[:1], starts=scripts)
    assert ("failed", "nondeterministic", ("RD-5",)) == (bad.status, bad.outcome, bad.broken)
    assert words in bad.message


def test_another_verdict(home: Path) -> None:
    """The same outcome with other values is another verdict."""
    scripts = [{"steps": {"*": [{"output": "?"}, ACCEPTED]}}, {"steps": {"*": RIGHT}}]
    (bad,) = results(home, ONCE[:1], starts=scripts)
    assert "nondeterministic" == bad.outcome


def test_reads_sent_twice(home: Path) -> None:
    """A fixed tenth of the passing reads is sent twice, to the same process."""
    assert 2 <= len(TWICE) <= 12
    path = home / "notes"
    results(home, [ONCE[0], TWICE[0]], {"*": [{"note": str(path)}, *RIGHT]})
    assert 3 == len(notes(path))
    assert 1 == len({note["pid"] for note in notes(path)})


def test_second_read_is_another(home: Path) -> None:
    """One that then comes out otherwise fails."""
    (bad,) = results(home, TWICE[:1], {"1": RIGHT, "2": [{"output": ""}, ACCEPTED]})
    assert ("failed", "nondeterministic") == (bad.status, bad.outcome)
    (bad,) = results(home, TWICE[:1], {"1": RIGHT, "2": [REJECTED]})
    assert ("failed", "nondeterministic") == (bad.status, bad.outcome)


def test_second_read_in_other_words(home: Path) -> None:
    """The order of members and white space are no values."""
    row = json.loads(RIGHT[0]["output"])
    text = json.dumps({"tokens": [dict(reversed(row["tokens"][0].items()))]}, indent=None, separators=(" ,  ", ":"))
    (good,) = results(home, TWICE[:1], {"1": RIGHT, "2": [{"output": text}, ACCEPTED]})
    assert "passed" == good.status


def test_giving_up(home: Path) -> None:
    """After ten calls in a row without a sound answer the rest is not run, and the run is incomplete."""
    path = home / "notes"
    known = Manifest(tuple(case(name, home) for name in ONCE[:8]), {}, {})
    run = conduct(fake(home, {"*": [{"note": str(path)}, {"exit": 1}]}), known, Options(home, LIMITS))
    assert ["failed"] * 5 + ["not-run"] * 3 == [result.status for result in run.results]
    assert "the adapter gave no sound answer to 10 requests in a row" == run.results[-1].message
    assert not run.complete
    assert 10 == len(notes(path))


def test_not_giving_up(home: Path) -> None:
    """An adapter that fails at many cases in a row, and still answers what it has answered before, is not given up."""
    crashing = {"steps": {"1": [{"exit": 1}], "*": RIGHT}}
    starts = [{"steps": {"1": RIGHT, "2": [{"exit": 1}]}}, *[crashing] * 9, {"steps": {"*": RIGHT}}]
    found = results(home, ONCE[:8], starts=starts)
    assert ["passed", *["failed"] * 5, "passed", "passed"] == [result.status for result in found]


def test_ten_in_a_row(home: Path) -> None:
    """Sound answers in between, wrong ones too, begin the count anew."""
    starts = [{"steps": {"1": [{"exit": 1}]}}, {"steps": {"1": [{"exit": 1}]}}, {"steps": {"*": [REJECTED]}}] * 8
    found = results(home, ONCE[:12], starts=starts)
    assert "not-run" not in {result.status for result in found}


def test_undeclared_containers(home: Path) -> None:
    """A container that was not declared is not sent, and listed with the reason."""
    one = case(ONCE[0], home)
    both = replace(one, materials={**one.materials, "parquet": one.materials["json"]})
    run = conduct(fake(home, {"*": RIGHT}), Manifest((both,), {}, {}), Options(home, LIMITS))
    assert [("skipped", Container.PARQUET), ("passed", Container.JSON)] == [
        (result.status, result.container) for result in run.results
    ]
    assert "hello does not declare the container parquet" == run.results[0].message
    assert run.complete


GOT = "expected accepted, got unsupported for"
UNSUPPORTED: dict[str, tuple[str, tuple[str, ...], list[str], str, str]] = {
    "undeclared": ("zstd", ("zstd",), [], "unsupported", "it lacks zstd"),
    "one-of-two": ("zstd", ("lz4", "zstd"), ["lz4"], "unsupported", "it lacks zstd"),
    "declared": ("zstd", ("zstd",), ["zstd"], "failed", f"{GOT} 'zstd', which hello declared"),
    "not-needed": ("zstd", (), [], "failed", f"{GOT} 'zstd': the case needs no feature"),
    "another": ("zstd", ("lz4", "gzip"), [], "failed", f"{GOT} 'zstd': the case needs lz4, gzip"),
    "unheard-of": ("\x1b[2J", ("lz4",), [], "failed", rf"{GOT} '\x1b[2J': the case needs lz4"),
}


@pytest.mark.parametrize(("named", "needed", "declared", "status", "words"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_unsupported(
    named: str, needed: tuple[str, ...], declared: list[str], status: str, words: str, home: Path
) -> None:
    """Only a feature that the case needs, and hello did not declare, may be lacking; the message says so."""
    one = case(ONCE[0], home, features=needed)
    steps: list[Step] = [{"answer": {"outcome": "unsupported", "feature": named, "message": "no"}}]
    command = fake(home, {"*": steps}, introduction={"features": declared})
    (result,) = conduct(command, Manifest((one,), {}, {}), Options(home, LIMITS)).results
    assert (status, "unsupported", words) == (result.status, result.outcome, result.message)


def chosen(home: Path, choice: Choice) -> Run:
    """Run a few cases as far as they are chosen."""
    known = Manifest(tuple(case(name, home) for name in ("a/x", "a/y", "b/x")), {}, {})
    return conduct(fake(home, {"*": RIGHT}), known, Options(home, LIMITS, choice))


def test_chosen_cases(home: Path) -> None:
    """A choice of cases is what is run, and the run says so."""
    run = chosen(home, Choice(globs=["b/*", "*/y"]))
    assert ["a/y", "b/x"] == [result.case.id for result in run.results]
    assert "--case b/* --case */y" == run.selected


def test_choice_of_everything(home: Path) -> None:
    """A choice that leaves nothing out is none."""
    assert "" == chosen(home, Choice(roles=[Role.READER], containers=[Container.JSON])).selected


@pytest.mark.parametrize(
    "choice", [Choice(globs=["c/*"]), Choice(roles=[Role.WRITER]), Choice(containers=[Container.PARQUET])]
)
def test_nothing_to_run(choice: Choice, home: Path) -> None:
    """A choice that leaves nothing is a fault of whoever chose."""
    with pytest.raises(NothingToRunError):
        chosen(home, choice)


def test_undeclared_role(home: Path) -> None:
    """A role that the adapter does not declare cannot be chosen, even beside one that it does."""
    with pytest.raises(NothingToRunError, match="does not declare the role writer"):
        chosen(home, Choice(roles=[Role.READER, Role.WRITER]))


def test_line_at_the_end(home: Path) -> None:
    """What is printed after the last response makes the last result a failure."""
    first, last = results(home, ONCE[:2], {"*": RIGHT, "end": [{"text": "bye\n"}]})
    assert ("passed", "failed", "protocol_error") == (first.status, last.status, last.outcome)


def test_bad_end_is_noted(home: Path) -> None:
    """An adapter that does not end at the end of its input is no failure of a case; the run has a note of it."""
    known = Manifest((case(ONCE[0], home),), {}, {})
    run = conduct(fake(home, {"*": RIGHT, "end": HANG}), known, Options(home, SHORT))
    assert ("passed", ("at the end of its input: it did not end within 1 s",)) == (run.results[0].status, run.notes)


def test_start_error(home: Path) -> None:
    """An adapter that does not start ends the run."""
    with pytest.raises(StartError):
        results(home, ONCE[:1], {"hello": [{"exit": 1}]})


def test_two_that_differ(home: Path) -> None:
    """Of two adapter processes that say different things of themselves, none can be believed."""
    known = Manifest(tuple(case(name, home) for name in ONCE[:4]), {}, {})
    starts = [{"steps": {"*": [{"sleep": 1}, *RIGHT]}}, {"introduction": {"version": "2"}}]
    with pytest.raises(StartError, match="another thing"):
        conduct(fake(home, starts=starts), known, Options(home, LIMITS, jobs=2))


def test_fixtures_at_fault(home: Path) -> None:
    """A golden file that was changed is a fault of the suite, not of the adapter."""
    known = Manifest((case(ONCE[0], home),), {}, {})
    (home / "cases" / ONCE[0] / "json" / "in.ndjson").write_bytes(b"changed")
    with pytest.raises(SuiteFault, match="is not the file that the manifest lists"):
        conduct(fake(home, {"*": RIGHT}), known, Options(home, LIMITS))


def test_judge_at_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a judge that fails."""

    def judge(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(performing, "judge", judge)
    with pytest.raises(SuiteFault, match="the judge failed: ZeroDivisionError"):
        results(home, ONCE[:1], {"*": RIGHT})


@pytest.mark.parametrize("jobs", [1, 3])
def test_interrupt(jobs: int, home: Path) -> None:
    """An interrupt ends all adapters, those too that hang, and removes all folders (see the fixture); results stay."""
    known = Manifest(tuple(case(name, home) for name in ONCE[:9]), {}, {})

    def interrupt(done: int, total: int, latest: Result | None) -> None:
        del total, latest
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRun) as raised:
        conduct(fake(home, {"1": RIGHT, "*": HANG}), known, Options(home, LIMITS, jobs=jobs), interrupt)
    run = raised.value.run
    assert {"passed", "not-run"} == {result.status for result in run.results}
    assert (9, False, ("the run was interrupted",)) == (len(run.results), run.complete, run.notes)


def test_progress(home: Path) -> None:
    """Progress is told from the beginning to the end."""
    told: list[tuple[int, int]] = []
    known = Manifest(tuple(case(name, home) for name in ONCE[:2]), {}, {})
    progress: Callable[[int, int, Result | None], None] = lambda done, total, _: told.append((done, total))  # noqa: E731
    conduct(fake(home, {"*": RIGHT}), known, Options(home, LIMITS), progress)
    assert [(0, 2), (1, 2), (2, 2)] == told


def with_material(name: str, key: str, file: str, home: Path, **members: Any) -> Case:
    """Make a case whose files are logical rows or dense logits."""
    folder = f"cases/{name}/{key}"
    (home / folder).mkdir(parents=True)
    (home / folder / file).write_bytes(CUT)
    material = Material(folder, file, {file: hashlib.sha256(CUT).hexdigest()})
    return Case(id=name, why="a case for tests", materials={key: material}, **members)


def test_requests(home: Path) -> None:
    """Each role is sent what the protocol says; metadata do not go into stored JSON."""
    metadata = {"spec_version": "1.0"}
    writing = {"roles": (Role.WRITER,), "containers": (Container.PARQUET, Container.JSON), "metadata": metadata}
    extracting = {
        "mask": [0, 1],
        "nucleus": {"rule": "below"},
        "tail": {"num_sampled": 1, "method": "uniform"},
        "seed": 7,
    }
    cases = (
        case("a/check", home, roles=(Role.CHECKER,), metadata=metadata),
        with_material("b/write", "logical", "rows.ndjson", home, kind=Kind.REFUSE, **writing),
        with_material(
            "c/extract", "dense", "logits.npy", home, kind=Kind.REFUSE, roles=(Role.EXTRACTOR,), request=extracting
        ),
    )
    said = {"roles": ["checker", "writer", "extractor"], "containers": ["json", "parquet"]}
    steps = {"check": [ACCEPTED], "*": [REJECTED]}
    run = conduct(fake(home, steps, introduction=said), Manifest(cases, {}, {}), Options(home, LIMITS))
    assert ["passed"] * 4 == [result.status for result in run.results]
    check, parquet, stored, extract = (result.request for result in run.results)
    given = {"container": "json", "input": ".../in/in.ndjson"}
    assert {"cmd": "check", **given, "metadata": metadata} == check
    given = {"container": "parquet", "input": ".../in/rows.ndjson"}
    assert {"cmd": "write", **given, "output": ".../out.parquet", "metadata": metadata} == parquet
    given = {"container": "json", "input": ".../in/rows.ndjson"}
    assert {"cmd": "write", **given, "output": ".../out.ndjson", "metadata": None} == stored
    paths = {"logits": ".../in/logits.npy", "output": ".../rows.ndjson"}
    assert {"cmd": "extract", **extracting, **paths} == extract
