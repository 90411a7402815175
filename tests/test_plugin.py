"""The pytest plugin: each case a test, told shortly where it fails; without an adapter it does nothing."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from logitpack_conformance import plugin
from logitpack_conformance.casebook.build import build
from logitpack_conformance.casebook.draft import Draft, Stored, accept, faulty
from logitpack_conformance.manifest import case_to_json
from logitpack_conformance.model import Container
from logitpack_conformance.rows import valid_rows
from logitpack_conformance.stored import Form

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
MINIMAL = ROOT / "examples" / "adapter_minimal.py"
PLUGIN = plugin.__name__
SOUND = "logitpack_conformance::reader:row/tokens/sound@json"
ZERO = "logitpack_conformance::reader:row/tokens/zero@json"


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make fixtures of three cases: a sound one, one with a fault, and one with an encoding that needs a feature."""
    containers = (Container.PARQUET, Container.JSON)
    sound = accept("row/tokens/sound", "Rows that are valid.", Stored(valid_rows(), None, containers=containers))
    zero = faulty(sound, "row/tokens/zero", "A row of no tokens.", "ROW-1/zero", flags=("NO_STRIDE",))
    text = Form(json=lambda data: data.replace(b": ", b":"))
    narrow = Stored(valid_rows(), None, text, (Container.JSON,))
    odd = accept("row/tokens/narrow", "Rows without blanks.", narrow, features=("token_ids",))
    return _saved(tmp_path_factory.mktemp("fixtures"), [sound, zero, odd])


def _saved(folder: Path, drafts: Sequence[Draft]) -> Path:
    cases = []
    for case, files in map(build, drafts):
        cases.append(case_to_json(case))
        for key, parts in files.items():
            for name, data in parts.items():
                path = folder / case.materials[key].folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    flags = {"NO_STRIDE": "A division by zero, or a number that was made up."}
    document = {"spec": "1.0", "flags": flags, "cases": cases, "others": {}}
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a reader that gives a file with a row of no tokens back as no rows, and lacks a feature."""
    text = MINIMAL.read_text("utf-8")
    told = 'answer |= {"outcome": "rejected", "message": str(error)}'
    assert told in text
    script = tmp_path_factory.mktemp("adapter") / "lenient.py"
    wrong = 'answer |= {"message": "never mind"}'
    lacks = """
    if b'": ' not in open(request.get("input", __file__), "rb").read():
        answer = {"seq": request["seq"], "outcome": "unsupported", "feature": "token_ids"}
    print("""
    script.write_text(text.replace(told, wrong).replace("\n    print(", lacks), "utf-8")
    return script


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Make a project with a test of its own."""
    pytester.makepyfile("def test_mine(): pass")
    return pytester


def _run(project: pytest.Pytester, script: Path, fixtures: Path, *more: str) -> pytest.RunResult:
    command = shlex.join([sys.executable, str(script)])
    options: tuple[str, ...] = ("--adapter", command, "--adapter-fixtures", str(fixtures), "--adapter-timeout", "60")
    options += ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of the plugin, which this module has imported
    return project.runpytest_inprocess("-p", PLUGIN, *options, *more)


def test_each_case_is_a_test(project: pytest.Pytester, fixtures: Path) -> None:
    """Beside the project's own test stand those of the cases, by the names of their results; others are skipped."""
    found = _run(project, MINIMAL, fixtures, "-v", "-rs")
    found.assert_outcomes(passed=4, skipped=2)
    found.stdout.fnmatch_lines(
        [
            "adapter: minimal 1 (reader; json)",
            "*::test_mine PASSED*",
            "*logitpack_conformance::reader:row/tokens/sound@parquet SKIPPED*",
            f"*{SOUND} PASSED*",
            f"*{ZERO} PASSED*",
            "SKIPPED*hello does not declare the container parquet",
        ]
    )


def test_a_package_below_the_project(project: pytest.Pytester, fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases are added where the package is installed in a virtual environment inside the project."""
    place = project.path / ".venv" / "logitpack_conformance"
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    monkeypatch.setattr(plugin, "HERE", place)
    for more in ((), (".",), ("--pyargs", str(place))):
        outcomes = _run(project, MINIMAL, fixtures, *more).parseoutcomes()
        assert {"passed": 4 - bool(more[1:]), "skipped": 2} == outcomes


def test_no_adapter_no_effect(project: pytest.Pytester) -> None:
    """Without --adapter there are the project's own tests, and no adapter is started."""
    found = project.runpytest_inprocess("-p", PLUGIN)
    found.assert_outcomes(passed=1)


def test_a_failure_is_told_shortly(project: pytest.Pytester, fixtures: Path, lenient: Path) -> None:
    """A failure tells what was sent and came, the clause, the flags and how to repeat it, and has no traceback."""
    found = _run(project, lenient, fixtures)
    found.assert_outcomes(passed=2, failed=1, skipped=3)
    found.stdout.fnmatch_lines(
        [
            "ROW-1: expected rejected, got accepted: A row of no tokens.",
            "  test     reader:row/tokens/zero@json",
            "  case     A row of no tokens.",
            '  sent     {"cmd": "read", "container": "json", "input": "*in.ndjson"*',
            "  came     accepted*",
            "  ROW-1    MUST At least one token: *num_tokens*(SPEC.md, 6 Rows)",
            "  flags    NO_STRIDE: A division by zero, or a number that was made up.",
            "  repeat   logitpack conform --roles reader --case row/tokens/zero * -- *lenient.py",
            "FAILED *zero@json - ROW-1: *",
        ]
    )
    assert "Traceback" not in found.stdout.str()
    assert ".py:" not in "".join(line for line in found.outlines if "lenient.py" not in line)


def test_a_feature_is_a_reason_to_skip(project: pytest.Pytester, fixtures: Path, lenient: Path) -> None:
    """A case for which the adapter lacks a feature that it did not declare is skipped."""
    found = _run(project, lenient, fixtures, "-rs", "-k", "narrow")
    found.assert_outcomes(skipped=1, deselected=5)
    found.stdout.fnmatch_lines(["SKIPPED*it lacks token_ids"])


@pytest.mark.parametrize(
    ("more", "passed", "deselected"),
    [
        (("-k", "sound and json"), 1, 5),
        (("--deselect", SOUND), 3, 1),
        (("--pyargs", "logitpack_conformance"), 3, 0),
        ((ZERO,), 1, 0),
        (("test_each_case.py", ZERO), 2, 0),
        ((f"../{ZERO}", SOUND), 2, 0),
    ],
    ids=["-k", "--deselect", "--pyargs", "node id", "node id beside a file", "two node ids"],
)
def test_choosing(
    pytester: pytest.Pytester, fixtures: Path, more: tuple[str, ...], passed: int, deselected: int
) -> None:
    """Tests are chosen as others are."""
    pytester.makepyfile(test_each_case="def test_mine(): pass")
    found = _run(pytester, MINIMAL, fixtures, *more)
    outcomes = found.parseoutcomes()
    assert (passed, deselected) == (outcomes["passed"], outcomes.get("deselected", 0))


def test_a_test_that_is_not_there(project: pytest.Pytester, fixtures: Path) -> None:
    """A node id that the adapter has no test for is an error."""
    found = _run(project, MINIMAL, fixtures, "logitpack_conformance::reader:no/such@json")
    found.stdout.fnmatch_lines(["*this adapter has no test reader:no/such@json*"])
    assert found.ret != pytest.ExitCode.OK


EXPECTED = """
[[expect]]
case = "row/tokens/zero"
role = "reader"
outcome = "{}"
reason = "rows of no tokens are left out"
"""


def _expecting(project: pytest.Pytester, text: str) -> tuple[str, str]:
    return "--expect", str(project.makefile(".toml", known=text))


def test_expected_failures(project: pytest.Pytester, fixtures: Path, lenient: Path) -> None:
    """What is listed is expected to fail, with the reason that is given."""
    found = _run(project, lenient, fixtures, "-rx", *_expecting(project, EXPECTED.format("accepted")))
    found.assert_outcomes(passed=2, xfailed=1, skipped=3)
    found.stdout.fnmatch_lines(["XFAIL*zero@json - rows of no tokens are left out"])


def test_another_outcome_than_listed(project: pytest.Pytester, fixtures: Path, lenient: Path) -> None:
    """A failure with another outcome than the one listed is a failure."""
    found = _run(project, lenient, fixtures, *_expecting(project, EXPECTED.format("crash")))
    found.assert_outcomes(passed=2, failed=1, skipped=3)
    found.stdout.fnmatch_lines(["  expected crash, as entry 1 (reader, row/tokens/zero) says"])


def test_unexpected_pass(project: pytest.Pytester, fixtures: Path) -> None:
    """What is listed and passes is a failure."""
    found = _run(project, MINIMAL, fixtures, *_expecting(project, EXPECTED.format("accepted")))
    found.assert_outcomes(passed=3, failed=1, skipped=2)
    found.stdout.fnmatch_lines(["*XPASS(strict)*rows of no tokens are left out*"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (EXPECTED.format("accepted").replace("zero", "none"), "*matches nothing that is sent to this adapter*"),
        (EXPECTED.format("accepted") + "expires = 2020-01-31\n", "*expired on 2020-01-31*"),
        ("[[expect]]\n", "*case is missing*"),
    ],
    ids=["matches nothing", "expired", "no entry"],
)
def test_stale_list(project: pytest.Pytester, fixtures: Path, text: str, told: str) -> None:
    """A list that does not hold whatever the results are is wrong usage."""
    found = _run(project, MINIMAL, fixtures, *_expecting(project, text))
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([told])


def test_an_adapter_that_does_not_start(project: pytest.Pytester, fixtures: Path) -> None:
    """One line says that it did not start, and the status is 3."""
    found = _run(project, ROOT / "no-such-adapter.py", fixtures)
    assert found.ret == 3
    found.stdout.fnmatch_lines(["*Exit: the adapter did not start: hello: *"])
    assert "passed" not in found.stdout.str()


def test_fixtures_at_fault(project: pytest.Pytester, tmp_path: Path) -> None:
    """A fault of the fixtures is not blamed on the adapter, and the status is 5."""
    (tmp_path / "manifest.json").write_text("{}")
    found = _run(project, MINIMAL, tmp_path)
    assert found.ret == 5
    found.stdout.fnmatch_lines(["*not of the adapter*"])


def test_an_adapter_that_is_gone_is_given_up(project: pytest.Pytester, tmp_path: Path) -> None:
    """The run ends where ten calls in a row had no sound answer, and nothing was answered before."""
    cases = [accept(f"many/{n}", "Rows that are valid.", Stored(valid_rows(), None)) for n in range(30)]
    script = tmp_path / "gone.py"
    hello = {"seq": 0, "protocol": 1, "spec": ["1.0"], "name": "gone", "version": "1"}
    hello |= {"roles": ["reader"], "containers": ["json"]}
    script.write_text(f"input(); print('''{json.dumps(hello)}''', flush=True); input()")
    found = _run(project, script, _saved(tmp_path / "many", cases))
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines(["*no sound answer to 10 requests in a row*"])
    assert found.parseoutcomes()["failed"] < 30
