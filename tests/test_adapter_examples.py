"""The example adapters, and what docs/adapters.md says to those who write one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from judging import ROWS
from logitpack_conformance import cli
from logitpack_conformance.casebook import FLAGS
from logitpack_conformance.expectations import REQUIRED
from logitpack_conformance.interrupt import INTERRUPTED
from logitpack_conformance.manifest import fixtures_folder, load_manifest
from logitpack_conformance.model import FEATURES, Kind
from logitpack_conformance.oracle import judge_path, schema
from logitpack_conformance.plan import unmatched
from logitpack_conformance.run import Options, conduct
from logitpack_conformance.stored import to_json
from talking import Talk, errors

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "adapters.md").read_text("utf-8")
EXAMPLES = {
    "python": [sys.executable, str(ROOT / "examples" / "adapter_minimal.py")],
    "javascript": ["node", str(ROOT / "examples" / "adapter_minimal.mjs")],
}

NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: CI installs it")
LANGUAGES = ["python", pytest.param("javascript", marks=NODE)]

# The examples


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_pass_every_case_of_stored_json(language: str) -> None:
    """Each example passes every case that it can be sent."""
    run = conduct(EXAMPLES[language], load_manifest(fixtures_folder()), Options(fixtures=fixtures_folder()))
    sent = [result for result in run.results if result.status != "skipped"]
    assert [] == [f"{result.name}: {result.message}" for result in sent if result.status != "passed"]
    assert {Kind.ACCEPT, Kind.REJECT} <= {result.case.kind for result in sent}


NUMBERS = {
    "the largest": ("3.4028234663852885981170418348451692544e38", True),
    "below half a step beyond it": ("3.40282356779733661637539395458142568447e38", True),
    "half a step beyond it": ("3.40282356779733661637539395458142568448e38", False),
    "more": ("3.4028236e38", False),
    "as an integer": (str(2**128 - 2**103 - 1), True),
    "as an integer beyond": (str(2**128 - 2**103), False),
    "beyond binary64": ("1e400", False),
    "next to nothing": ("1e-99999999999999999999", True),
    "beyond everything": ("1e99999999999999999999", False),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_round_once(tmp_path: Path, language: str) -> None:
    """A decimal number is rounded to binary32 once, and infinite only where that is: as the oracle has it."""
    (line,) = to_json([{**ROWS[1], "top_min": [0.0], "top_max": [7.5]}]).splitlines()
    talk = Talk(EXAMPLES[language])
    talk.ask(cmd="hello", protocol=1, spec=["1.0"])
    path, found, expected = tmp_path / "in.ndjson", {}, {}
    for name, (number, _) in NUMBERS.items():
        path.write_bytes(line.replace(b"7.5", number.encode()))
        answer = talk.ask(cmd="read", container="json", input=str(path), output=str(tmp_path / "out.ndjson"))
        found[name] = answer["outcome"] == "accepted"
        expected[name] = "QNT-1" not in {finding.requirement for finding in judge_path(path)}
    assert 0 == talk.end()
    assert {name: is_finite for name, (_, is_finite) in NUMBERS.items()} == expected
    assert expected == found


def test_the_example_in_python_is_short() -> None:
    """Sixty lines, and nothing but the standard library."""
    lines = (ROOT / "examples" / "adapter_minimal.py").read_text("utf-8").splitlines()
    modules = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert len(lines) <= 60
    assert modules <= sys.stdlib_module_names


# The page


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language in docs/adapters.md."""
    return [part.partition("\n```")[0] for part in DOCS.split(f"\n```{language}\n")[1:]]


MESSAGES = [line for block in blocks("protocol") for line in block.splitlines()]


@pytest.mark.parametrize("line", MESSAGES)
def test_messages_of_the_page_are_valid(line: str) -> None:
    """Each message is what the schema says that it is."""
    arrow, message = line[:3], json.loads(line[3:])
    kind = "request" if arrow == "-> " else "response" if message["seq"] else "introduction"
    assert [] == errors(message, kind)


def test_the_page_shows_every_message() -> None:
    """Every command and every outcome that an adapter gives is shown."""
    messages = [json.loads(line[3:]) for line in MESSAGES]
    assert {"hello", "read", "write", "check", "extract"} == {m["cmd"] for m in messages if "cmd" in m}
    assert {"accepted", "rejected", "unsupported", "error"} == {m["outcome"] for m in messages if "outcome" in m}
    assert [m["seq"] for m in messages[::2]] == [m["seq"] for m in messages[1::2]] == list(range(11))


def test_logical_json_of_the_page_is_valid() -> None:
    """The row is one of logical JSON."""
    validator = Draft202012Validator(schema.load("logical.schema.json"))
    assert [[]] == [list(validator.iter_errors(json.loads(block))) for block in blocks("logical")]


def table(heading: str) -> dict[str, str]:
    """Return the first table below a heading, its first column without backquotes to its last."""
    section = DOCS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {row[0].strip("`"): row[-1] for row in rows[1:]}


def test_the_page_lists_every_feature() -> None:
    """Features are those of the suite, in its words."""
    assert FEATURES == table("Features")


def test_the_page_knows_the_flags() -> None:
    """A flag on the page is one that cases have."""
    assert table("Common mistakes").keys() <= FLAGS.keys()


def test_the_page_lists_every_exit_status() -> None:
    """Seven of them, and that of an interrupt."""
    assert [*map(str, range(7)), str(INTERRUPTED)] == [*table("Exit status")]


def test_the_expected_failure_of_the_page_can_be_read() -> None:
    """It has what an entry needs, and names a case that its role has to reject."""
    (block,) = blocks("toml")
    (entry,) = tomllib.loads(block)["expect"]
    assert set(REQUIRED) <= entry.keys()
    (named,) = [case for case in load_manifest(fixtures_folder()).cases if fnmatchcase(case.id, entry["case"])]
    assert (Kind.REJECT, True) == (named.kind, entry["role"] in named.roles)


PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", Path(cli.__file__)]
GLOBS = {glob for page in PAGES for glob in re.findall(r"--case '([^']+)'", page.read_text("utf-8"))}


@pytest.mark.parametrize("glob", sorted(GLOBS))
def test_examples_name_cases_that_there_are(glob: str) -> None:
    """What a page or the help shows after --case matches something."""
    assert [] == unmatched(load_manifest(fixtures_folder()).cases, [glob])


def test_the_shell_adapter_of_the_page_runs(tmp_path: Path) -> None:
    """With tools in the place of those that it names, it introduces itself, accepts and rejects."""
    (script,) = [block for block in blocks("sh") if block.startswith("#!")]
    (tmp_path / "adapter.sh").write_text(script)
    stand_ins = {
        "my-reader": 'import sys; data = open(sys.argv[1]).read(); print(data, end=""); sys.exit(data == "broken")',
        "jq": "import json, sys; print(json.load(open(sys.argv[3]))[sys.argv[2][1:]])",
    }
    for name, program in stand_ins.items():
        (tmp_path / name).write_text(f"#!{sys.executable}\n{program}\n")
        (tmp_path / name).chmod(0o755)
    request, response, output = (tmp_path / name for name in ("request.json", "response.json", "out"))
    outcomes = []
    for command, content in (("hello", ""), ("read", "row\n"), ("read", "broken")):
        (tmp_path / "in").write_text(content)
        request.write_text(json.dumps({"seq": 1, "input": str(tmp_path / "in"), "output": str(output)}))
        arguments = ["sh", str(tmp_path / "adapter.sh"), command, str(request), str(response)]
        subprocess.run(arguments, check=True, env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
        outcomes.append(json.loads(response.read_text()).get("outcome", "hello"))
    assert ["hello", "accepted", "rejected"] == outcomes
    assert [] == errors({"seq": 0, **json.loads(script.split("'")[1])}, "introduction")


LOOPS = {"python": [sys.executable, "loop.py"], "js": ["node", "loop.mjs"]}
PYTHON = """
class BadFile(Exception):
    pass

def my_reader(path):
    if "bad" in path:
        raise BadFile

def write_logical_json(rows, path):
    open(path, "w").close()

"""
JS = """
class BadFile extends Error {}
async function myReader(input) {
  if (input.includes("bad")) throw new BadFile();
}
"""
BEFORE = {"python": PYTHON, "js": JS}


@pytest.mark.parametrize("language", ["python", pytest.param("js", marks=NODE)])
def test_loops_of_the_page_run(tmp_path: Path, language: str) -> None:
    """With a reader in the place of yours, they accept and reject."""
    (block,) = blocks(language)
    path = tmp_path / LOOPS[language][1]
    path.write_text(BEFORE[language] + block)
    talk = Talk([LOOPS[language][0], str(path)])
    talk.ask(cmd="hello", protocol=1, spec=["1.0"])
    requests = [{"input": str(tmp_path / name), "output": str(tmp_path / "out")} for name in ("good", "bad")]
    outcomes = [talk.ask(cmd="read", container="parquet", **request)["outcome"] for request in requests]
    assert 0 == talk.end()
    assert ["accepted", "rejected"] == outcomes
