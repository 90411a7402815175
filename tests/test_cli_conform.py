"""`logitpack conform`: what it prints, what it writes, and the status that it ends with."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from commandline import Result, logitpack, python
from fakes import ACCEPTED, CUT, HANG, REJECTED, RIGHT, Step, case, fake, pair, running, save
from logitpack.cli import plugins
from logitpack_conformance import fuzz as fuzzing
from logitpack_conformance import program, reports
from logitpack_conformance.expectations import Held
from logitpack_conformance.manifest import Manifest
from logitpack_conformance.model import Kind
from logitpack_conformance.reports import terminal
from logitpack_conformance.reports.results import load as load_report

SOUND: dict[str, list[Step]] = {"1": RIGHT, "*": [REJECTED]}
"""What an adapter does that is right about the two cases of `pair`; neither is one of those sent twice."""
REFUSING: dict[str, list[Step]] = {"*": [REJECTED]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder with fixtures of two cases; no folder or process of a run is left afterwards."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    place = tmp_path / "home"
    place.mkdir()
    save(pair(place), place)
    yield place
    assert [] == list(temporary.iterdir())
    assert [] == running(temporary)


def conform(home: Path, *options: object, steps: dict[str, list[Step]] = SOUND, **members: object) -> Result:
    """Run the command on an adapter that follows steps, in one process unless the options say otherwise."""
    return logitpack("conform", "--fixtures", home, "--jobs", 1, *options, "--", *fake(home, steps, **members))


def test_conformant(home: Path) -> None:
    """0: everything passed, and both sides of a requirement were shown."""
    done = conform(home)
    assert (0, "") == (done.status, done.err)
    assert "fake 1: conformant as reader (json)" in done.out.splitlines()[-1]


def test_not_conformant(home: Path) -> None:
    """1: what was sent, what came, the clause, and the command that repeats the case are told."""
    done = conform(home, "--timeout", "25", steps=REFUSING)
    assert 1 == done.status
    for words in (
        "JSON-1",
        "MUST be UTF-8 text without a byte order mark",
        '"input": ".../in/in.ndjson"',
        "expected accepted, got rejected",
        f"logitpack conform --roles reader --case pair/whole --fixtures {home} --timeout 25 -- {sys.executable} -m",
    ):
        assert words in done.out
    assert "failed: reader:pair/whole@json: expected accepted, got rejected\n" == done.err


def test_repeating(home: Path) -> None:
    """The command that is told repeats the case."""
    done = conform(home, steps=REFUSING)
    line = next(line for line in done.out.splitlines() if "--case pair/whole" in line)
    words = line[line.index("conform") :].split()
    assert ["failed"] == [status for status in ("passed", "failed") if f" {status} " in logitpack(*words).out]


WRONG: dict[str, tuple[list[str], str]] = {
    "no-command": ([], "there is no COMMAND"),
    "no-command-after-dashes": (["--"], "there is no COMMAND"),
    "role": (["--roles", "validator", "--", "true"], "'validator' is no role; there are reader, writer"),
    "container": (["--containers", "csv", "--", "true"], "'csv' is no container"),
    "option": (["--no-such-option", "--", "true"], "no-such-option"),
    "glob": (["--case", "no/such*", "--", "true"], "no case matches no/such*"),
    "jobs": (["--jobs", "0", "--", "true"], "--jobs"),
    "update-only": (["--update-expect", "--", "true"], "need --expect FILE"),
    "update-part": (["--update-expect", "--expect", "x", "--case", "pair/*", "--", "true"], "a run over all cases"),
    "expect": (["--expect", "no-such-file", "--", "true"], "no-such-file: No such file"),
    "report": (["--report", "/dev/null/out", "--", "true"], "/dev/null/out"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_usage(arguments: list[str], words: str, home: Path) -> None:
    """2: what was asked for cannot be done; it is told in one line."""
    done = logitpack("conform", "--fixtures", home, *arguments)
    assert (2, "") == (done.status, done.out)
    assert words in done.err
    assert 1 == done.err.count("\n")


def test_fixtures_that_are_none(tmp_path: Path) -> None:
    """2: a folder of fixtures that is none."""
    done = logitpack("conform", "--fixtures", tmp_path, "--", "true")
    assert (2, f"error: {tmp_path}: there is no manifest.json\n") == (done.status, done.err)


def test_undeclared_role(home: Path) -> None:
    """2: a role that the adapter does not declare."""
    done = conform(home, "--roles", "writer")
    assert (2, "error: the adapter does not declare the role writer\n") == (done.status, done.err)


def test_no_such_program(home: Path) -> None:
    """3: the adapter is not there."""
    done = logitpack("conform", "--fixtures", home, "--", "no-such-program-anywhere")
    assert (3, "error: no-such-program-anywhere: there is no such program\n") == (done.status, done.err)


def test_bad_hello(home: Path) -> None:
    """3: the adapter broke the protocol in hello; what it said on its standard error is shown, and cannot do harm."""
    script = "import sys; print('no licence \\x1b[2J', file=sys.stderr); print('hello')"
    done = logitpack("conform", "--fixtures", home, "--", sys.executable, "-c", script)
    assert 3 == done.status
    assert "error: hello: a line that is no JSON: hello" in done.err
    assert "  | no licence \\x1b[2J\n" in done.err


def listing(home: Path, **members: str) -> Path:
    """Write a list with one entry, on what an adapter that refuses everything does."""
    usual = {"case": '"pair/whole"', "role": '"reader"', "outcome": '"rejected"', "reason": '"a known fault"'}
    path = home / "expect.toml"
    lines = [f"{name} = {value}" for name, value in {**usual, **members}.items()]
    path.write_text("\n".join(["[[expect]]", *lines, ""]), encoding="utf-8")
    return path


def test_expected_failures(home: Path) -> None:
    """1: an expected failure never makes an implementation conformant; its reason is shown."""
    done = conform(home, "--expect", listing(home), steps=REFUSING)
    assert 1 == done.status
    assert "a known fault" in done.out
    assert "not conformant" in done.out


def test_expected_failures_allowed(home: Path) -> None:
    """0 by request: no failure but expected ones, and the verdict stays what it is."""
    done = conform(home, "--expect", listing(home), "--allow-expected", steps=REFUSING)
    assert (0, True) == (done.status, "not conformant" in done.out)


def test_unexpected_failure(home: Path) -> None:
    """1: a failure that is not listed, by whatever request."""
    (home / "expect.toml").write_text("")
    done = conform(home, "--expect", home / "expect.toml", "--allow-expected", steps=REFUSING)
    assert 1 == done.status
    assert "reader:pair/whole@json failed (rejected) and is not listed" in done.out


STALE: dict[str, tuple[dict[str, str], str]] = {
    "pass": ({"case": '"pair/cut"'}, "reader:pair/cut@json passes"),
    "outcome": ({"outcome": '"timeout"'}, "is rejected, not timeout"),
    "nothing": ({"case": '"pair/none"'}, "matches nothing"),
    "expired": ({"expires": "2020-01-31"}, "expired on 2020-01-31"),
}


@pytest.mark.parametrize(("members", "words"), STALE.values(), ids=STALE)
def test_stale(members: dict[str, str], words: str, home: Path) -> None:
    """4: the list does not say what happens, whatever else failed."""
    done = conform(home, "--expect", listing(home, **members), steps=REFUSING)
    assert 4 == done.status
    assert words in done.out


def test_update(home: Path) -> None:
    """A list that was rewritten holds at once, and in the next run."""
    path = listing(home, case='"pair/cut"')
    assert 1 == conform(home, "--expect", path, "--update-expect", steps=REFUSING).status
    assert 'case = "pair/whole"' in path.read_text()
    assert 0 == conform(home, "--expect", path, "--allow-expected", steps=REFUSING).status


def test_update_makes_a_list(home: Path) -> None:
    """A list that is not there yet is made."""
    path = home / "new.toml"
    assert 1 == conform(home, "--expect", path, "--update-expect", steps=REFUSING).status
    assert 1 == path.read_text().count("[[expect]]")


def test_no_update_of_a_run_that_was_given_up(home: Path) -> None:
    """2: nothing is rewritten by a run that did not see all cases."""
    more = [case(f"more/n{n}", home) for n in range(9)]
    save(Manifest((*pair(home).cases, *more), {}, {}), home)
    path = listing(home)
    before = path.read_text()
    done = conform(home, "--expect", path, "--update-expect", steps={"*": [{"exit": 1}]})
    assert (2, before) == (done.status, path.read_text())
    assert "was not rewritten" in done.err


def test_changed_fixtures(home: Path) -> None:
    """5: a golden file that was changed is nobody's fault but the suite's."""
    (home / "cases/pair/cut/json/in.ndjson").write_bytes(b"changed")
    done = conform(home)
    assert 5 == done.status
    assert "a fault of the suite or its fixtures, not of the adapter" in done.err


@pytest.mark.parametrize("text", ["{", "{}", "[" * 100_000], ids=["cut", "empty", "deep"])
def test_bad_manifest(text: str, home: Path) -> None:
    """5: so is a manifest that is none."""
    (home / "manifest.json").write_text(text)
    assert 5 == conform(home).status


def test_fault_of_the_suite(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """5: so is whatever goes wrong in the suite; there is no traceback."""

    def score(_: object) -> None:
        raise ZeroDivisionError("told")

    monkeypatch.setattr(program, "score", score)
    done = conform(home)
    assert (5, "error: a fault of the suite, please report it: ZeroDivisionError: told\n") == (done.status, done.err)


def test_chosen_cases(home: Path) -> None:
    """6: a part of the cases that passes is no verdict; it says so."""
    done = conform(home, "--case", "pair/w*")
    assert 6 == done.status
    assert "incomplete" in done.out.splitlines()[-1]
    assert "--case pair/w*" in done.out.splitlines()[-1]


def test_chosen_cases_that_fail(home: Path) -> None:
    """1 outranks 6."""
    assert 1 == conform(home, "--case", "pair/w*", steps=REFUSING).status


def test_one_side_only(home: Path) -> None:
    """6: an adapter of which nothing was shown is not conformant, though nothing failed."""
    save(Manifest((replace(pair(home).cases[0], twin=None),), {}, {}), home)
    assert 6 == conform(home).status


def test_undeclared_containers_only(home: Path) -> None:
    """6: so is one that declares no container of any case."""
    done = conform(home, introduction={"containers": ["parquet"]})
    assert 6 == done.status
    assert "hello does not declare the container json" in done.out


def test_given_up(home: Path) -> None:
    """1 outranks 6, too, where a run was given up; the rest is listed as not run."""
    more = [case(f"more/n{n}", home) for n in range(9)]
    save(Manifest((*pair(home).cases, *more), {}, {}), home)
    done = conform(home, steps={"*": [{"exit": 1}]})
    assert 1 == done.status
    assert "no sound answer to 10 requests in a row" in done.out


def test_list(home: Path) -> None:
    """--list names the cases that would be run, without an adapter."""
    done = logitpack("conform", "--fixtures", home, "--list")
    assert (0, "reader:pair/whole@json\nreader:pair/cut@json\n") == (done.status, done.out)
    done = logitpack("conform", "--fixtures", home, "--list", "--case", "*/cut")
    assert (0, "reader:pair/cut@json\n") == (done.status, done.out)
    done = logitpack("conform", "--fixtures", home, "--list", "--roles", "writer")
    assert (0, "") == (done.status, done.out)


def test_reports(home: Path) -> None:
    """--report writes all forms into a folder, which is made."""
    done = conform(home, "--report", home / "out" / "reports")
    assert 0 == done.status
    names = ["badge.json", "junit.xml", "report.html", "results.json", "summary.md"]
    assert names == sorted(path.name for path in (home / "out" / "reports").iterdir())
    report = load_report(home / "out" / "reports" / "results.json")
    assert ["passed", "passed"] == [result["status"] for result in report["results"]]


def test_hostile_adapter(home: Path) -> None:
    """What an adapter says cannot reach the terminal as control characters."""
    steps: list[Step] = [{"answer": {"outcome": "error", "message": "\x1b[2J\u202e\r\n"}}]
    done = conform(home, introduction={"name": "\x1b[31mevil"}, steps={"*": steps})
    assert 1 == done.status
    assert not {"\x1b", "\u202e", "\r"} & set(done.out + done.err)


def test_one_shot(home: Path) -> None:
    """--one-shot asks the same of processes that see one request each."""
    script = home / "adapter.py"
    script.write_text(
        "import json, sys\n"
        "request = json.load(open(sys.argv[2]))\n"
        "good = open(request['input'], 'rb').read().endswith(b'\\n')\n"
        f"open(request['output'], 'w').write({RIGHT[0]['output']!r})\n"
        "json.dump({'outcome': 'accepted' if good else 'rejected'}, open(sys.argv[3], 'w'))\n"
    )
    options = ["--one-shot", "--roles", "reader", "--containers", "json"]
    done = logitpack("conform", "--fixtures", home, *options, "--", sys.executable, script)
    assert 0 == done.status
    done = logitpack("conform", "--fixtures", home, "--one-shot", "--", sys.executable, script)
    assert 3 == done.status


@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_options_of_the_adapter(dashes: list[str], home: Path) -> None:
    """What follows COMMAND is its own, with and without the dashes."""
    adapter = shlex.join(fake(home, SOUND))
    command = ["/bin/sh", "-c", f'test "$1 $2" = "--jobs x" && exec {adapter}', "sh", "--jobs", "x"]
    assert 0 == logitpack("conform", "--fixtures", home, "--jobs", 1, *dashes, *command).status


def test_jobs(home: Path) -> None:
    """Several adapter processes give the same results in the same order."""
    more = [case(f"more/n{n}", home, CUT, kind=Kind.REJECT, findings=("JSON-1",)) for n in range(6)]
    save(Manifest((*pair(home).cases, *more), {}, {}), home)
    done = conform(home, "--jobs", "3", "--report", home / "out", steps=REFUSING)
    assert 1 == done.status
    names = [result["case"] for result in load_report(home / "out" / "results.json")["results"]]
    assert ["pair/whole", "pair/cut", *(f"more/n{n}" for n in range(6))] == names


def test_fuzz(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1: a generated example that fails is a failure; it is saved, and its command told."""
    monkeypatch.chdir(home)
    done = conform(home, "--fuzz", "2", "--report", home / "out", steps={"1": RIGHT, "*": [REJECTED]})
    assert 1 == done.status
    assert "generated examples of seed 0" in done.out
    assert [] != list((home / "out" / "logitpack-failures").iterdir())


def interrupted(home: Path, number: int, steps: dict[str, list[Step]], *options: object) -> Result:
    """Run the command in a process of its own, and send it a signal once the adapter has left a note; twice, even."""
    path = home / "notes"
    steps = {name: [{"note": str(path)}, *found] if found[-1:] == HANG else found for name, found in steps.items()}
    words = ["conform", "--fixtures", home, "--timeout", 60, "--jobs", 1, *options, "--", *fake(home, steps)]
    started = subprocess.Popen(
        [sys.executable, "-m", "logitpack.cli", *map(str, words)],
        env={**os.environ, "TMPDIR": str(home.parent / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not path.exists() and started.poll() is None:
        time.sleep(0.02)
    started.send_signal(number)
    started.send_signal(number)
    out, err = started.communicate(timeout=60)
    return Result(started.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(number: int, home: Path) -> None:
    """130 at an interrupt and at a request to terminate: what was run is shown and reported, the rest is not run.

    The fixture sees that nothing is left, of the adapter's child neither.
    """
    done = interrupted(home, number, {"1": RIGHT, "2": [{"child": "session"}, *HANG]}, "--report", home / "out")
    assert (130, "") == (done.status, done.err)
    assert "note: the run was interrupted" in done.out.splitlines()
    assert "fake 1: incomplete: no verdict as reader (json)" in done.out.splitlines()[-1]
    report = load_report(home / "out" / "results.json")
    assert ["passed", "not-run"] == [result["status"] for result in report["results"]]
    assert not report["footer"]["complete"]


def test_interrupt_after_a_failure(home: Path) -> None:
    """130 outranks 1; the failure is shown all the same."""
    done = interrupted(home, signal.SIGINT, {"1": [REJECTED], "2": HANG})
    assert (130, True) == (done.status, "JSON-1" in done.out)


def test_interrupt_before_the_first_case(home: Path) -> None:
    """130, and nothing to show, while the adapter starts."""
    assert (130, "", "") == interrupted(home, signal.SIGTERM, {"hello": HANG})


def test_interrupt_rewrites_no_list(home: Path) -> None:
    """A list of expected failures stays as it is, and that is said."""
    path = listing(home)
    before = path.read_text()
    done = interrupted(home, signal.SIGINT, {"1": RIGHT, "2": HANG}, "--expect", path, "--update-expect")
    assert (130, before) == (done.status, path.read_text())
    assert f"note: {path} was not rewritten" in done.out.splitlines()


def test_interrupted_examples(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt of the generated examples keeps the results of the cases; they are no verdict then."""
    monkeypatch.setattr(fuzzing, "fuzz", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    done = conform(home, "--fuzz", "2")
    assert (130, True) == (done.status, "1 requirement passed" in done.out.splitlines()[-1])
    assert "note: the generated examples were interrupted" in done.out.splitlines()


@pytest.mark.parametrize(("module", "name"), [(program, "score"), (reports, "write_all"), (terminal, "show")])
def test_interrupt_after_the_last_case(
    module: ModuleType, name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """130; between the end of a run and that of its reports nothing is cut short: all is shown and reported."""
    original = getattr(module, name)

    def interrupted(*arguments: object, **members: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **members)

    monkeypatch.setattr(module, name, interrupted)
    done = conform(home, "--report", home / "out")
    assert (130, True) == (done.status, "conformant as reader" in done.out.splitlines()[-1])
    assert load_report(home / "out" / "results.json")["footer"]["complete"]


def test_interrupt_before_the_examples(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt that came between the cases and the generated examples leaves those out."""

    def held(*_: object) -> Held:
        os.kill(os.getpid(), signal.SIGINT)
        return Held()

    monkeypatch.setattr(program, "_held", held)
    done = conform(home, "--fuzz", "2")
    assert (130, True) == (done.status, "note: the generated examples were interrupted" in done.out.splitlines())


def test_help() -> None:
    """The command is listed, and explains itself."""
    assert "conform" in logitpack("--help").out
    done = logitpack("conform", "--help")
    assert 0 == done.status
    for words in ("--one-shot", "--update-expect", "Exit status", "logitpack conform -- ./my-adapter"):
        assert words in done.out


def test_missing_extra() -> None:
    """Without what the suite needs, one line says what to install."""
    code = (
        "import sys; sys.modules['psutil'] = None\n"
        "from logitpack.cli.app import run\n"
        "sys.exit(run(['conform', '--', 'true']))"
    )
    done = python("-c", code)
    assert (2, "error: conform needs psutil: pip install 'logitpack[conformance]'\n") == (done.status, done.err)


def test_nothing_is_imported_for_other_commands() -> None:
    """Other commands do not import the suite, and `conform --help` not what it needs."""
    code = (
        "import sys\nfrom logitpack.cli.app import run\n"
        "run(['rules', 'IDX-3'])\nassert 'logitpack_conformance' not in sys.modules\n"
        "run(['conform', '--help'])\nassert 'logitpack_conformance' in sys.modules\n"
        "assert not {'jsonschema', 'psutil', 'hypothesis', 'tomlkit'} & set(sys.modules)"
    )
    assert 0 == python("-c", code).status


@pytest.fixture
def broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a command that cannot be imported."""
    entry = importlib.metadata.EntryPoint("wreck", "no_such_module:nothing", plugins.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [entry])


@pytest.mark.usefixtures("broken_plugin")
def test_broken_plugin() -> None:
    """A command that cannot be imported says so, and costs no other command anything."""
    assert 0 == logitpack("rules", "IDX-3").status
    done = logitpack("--help")
    assert (0, True) == (done.status, "wreck" in done.out)
    done = logitpack("wreck", "--option", "argument")
    assert (2, "") == (done.status, done.out)
    assert "error: the command wreck cannot be loaded: ModuleNotFoundError" in done.err
    assert 1 == done.err.count("\n")


def test_entry_point() -> None:
    """The package says where the command is."""
    text = (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8")
    assert '[project.entry-points."logitpack.commands"]\nconform = "logitpack_conformance.cli:conform"\n' in text
    assert "conform" in [entry.name for entry in importlib.metadata.entry_points(group=plugins.GROUP)]


def test_twice_accepted(home: Path) -> None:
    """An adapter that accepts everything earns nothing."""
    done = conform(home, steps={"*": [RIGHT[0], ACCEPTED]})
    assert 1 == done.status
    assert "passed" not in done.out.replace("0 requirements passed", "")


def test_results_json_is_json(home: Path) -> None:
    """The report of an adapter that lies about itself is JSON."""
    conform(home, "--report", home / "out", introduction={"name": "</script>\x00", "homepage": "javascript:alert(1)"})
    document = json.loads((home / "out" / "results.json").read_text())
    assert "</script>\\x00" == document["implementation"]["name"]
