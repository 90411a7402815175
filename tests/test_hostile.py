"""Files that lie are answered: a finding or a clean error, in bounded memory and time, and nothing that escapes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import compact
import fuzz_files
import lies
import logitpack
from commandline import ROOT
from compact import I32, Field
from logitpack.errors import DataError, LogitPackError
from logitpack.thrift import MalformedError, read_struct

MEMORY, RESIDENT, SECONDS = 6 << 30, 900 << 20, 300
"""Bytes that a child can allocate and those it may come to use, and seconds after which it hangs."""

CHILD = f"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import logitpack as package
from commandline import logitpack
from fuzz_files import peak
for line in sys.stdin:
    arguments = json.loads(line)
    if arguments[0] == "read":
        try:
            said = str(sum(len(batch.num_tokens) for batch in package.read(arguments[1])))
        except package.LogitPackError as error:
            said = str(error)
        answer = 0, said, ""
    else:
        answer = logitpack(*arguments)
    print(json.dumps([*answer, peak()]), flush=True)
"""


class Answer(NamedTuple):
    """Exit status, what was printed, and the most memory in bytes that was used so far."""

    status: int
    out: str
    err: str
    used: int


def answers(commands: Sequence[Sequence[str]], folder: Path) -> list[Answer]:
    """Run commands, one after another, in a child process with limits; fewer answers mean that it died."""
    path = os.pathsep.join([str(ROOT / "tests"), str(Path(logitpack.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input="".join(f"{json.dumps(command)}\n" for command in commands),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([path, os.environ.get("PYTHONPATH", "")])},
    )
    found = [Answer(*json.loads(line)) for line in done.stdout.splitlines()]
    if len(found) < len(commands):
        pytest.fail(f"{commands[len(found)]}: the process ended with {done.returncode}: {done.stderr[-500:]}")
    return found


NAMES = sorted(lies.LIES)
GROUPS = [NAMES[first : first + 12] for first in range(0, len(NAMES), 12)]


@pytest.mark.parametrize("names", GROUPS, ids=[names[0] for names in GROUPS])
def test_lies_are_answered(tmp_path: Path, names: list[str]) -> None:
    """Whatever a file claims, `check` and `show` end as over any file, and `read` in rows or an error of ours."""
    commands = []
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = str(lies.LIES[name](folder))
        commands += [["check", path], ["read", path], ["show", path, "--row", "0"]]
    for command, answer in zip(commands, answers(commands, tmp_path), strict=True):
        told = names[int(Path(command[1]).parent.name)], command[0], answer
        assert answer.status in {0, 1, 2}, told
        assert "Traceback" not in answer.out + answer.err, told
        assert answer.used < RESIDENT, told


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
def test_nothing_escapes(tmp_path: Path, extension: str, form: str) -> None:
    """Names and values that a terminal obeys are escaped in each form, and no line of a workflow is begun by them."""
    path = lies.LIES[f"{extension} names that a terminal obeys"](tmp_path)
    commands = [["check", str(path), "--format", form], ["show", str(path), "--row", "0"], ["card", str(path)]]
    for answer in answers(commands, tmp_path):
        assert answer.status in {0, 1, 2}
        lines = (answer.out + answer.err).splitlines()
        assert all(line.isprintable() for line in lines)
        assert not [line for line in lines if line.startswith("::error::x")]


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
def test_truncated_at_every_byte(tmp_path: Path, extension: str) -> None:
    """FILE-1, FILE-3: a file that ends anywhere but at its end is refused."""
    whole = (ROOT / "fixtures" / "worked" / f"row.{extension}").read_bytes()
    path = tmp_path / f"x.{extension}"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(LogitPackError) as caught:
            list(logitpack.read(path))
        assert caught.value.requirement in {"FILE-1", "FILE-3"}, size


def test_footer_that_tells_of_fewer_rows(tmp_path: Path) -> None:
    """FILE-1: where row groups and footer agree on fewer rows than the columns have, none is passed over."""
    with pytest.raises(DataError, match="FILE-1: row group 0 has 3 rows, its footer says 1"):
        list(logitpack.read(lies.LIES["parquet with 1 rows"](tmp_path)))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """FILE-1: a name that is not UTF-8 is told as such."""
    path = tmp_path / "x.parquet"
    path.write_bytes(lies.base().replace(b"top_max", b"top_\xff\xfe\x9b"))
    with pytest.raises(DataError, match=r"FILE-1.*a name in it is not UTF-8: b'top_.xff.xfe.x9b'"):
        logitpack.read(path)


def test_encrypted_files_are_told(tmp_path: Path) -> None:
    """FILE-1: a Parquet file whose footer is encrypted is none of the containers, and not garbage either."""
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PARE" + lies.base()[4:-4] + b"PARE")
    with pytest.raises(DataError, match=r"FILE-1.*it begins as an encrypted Parquet file"):
        logitpack.read(path)


CONTRADICTIONS = {
    "parquet column under another name": "column chunk other.list.element of row group 0 is not that of the schema",
    "parquet pages that stand twice": "the pages of num_tokens have more values than its footer says",
    "parquet pages of fewer values than the footer says": "the pages of top_indices_high have 1 values fewer than",
    "parquet column in another file": "column chunk top_indices_low.list.element of row group 0 is in another file",
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_footer_and_pages_that_contradict_each_other(tmp_path: Path, name: str) -> None:
    """FILE-1: what one reader passes over, another may read."""
    with pytest.raises(DataError, match=f"FILE-1.*{CONTRADICTIONS[name]}"):
        list(logitpack.read(lies.LIES[name](tmp_path)))


def test_long_types_are_cut(tmp_path: Path) -> None:
    """The type of a column that has a wrong one is told in a line that people can read."""
    report = logitpack.check(lies.LIES["type of twenty thousand members"](tmp_path))
    assert max(len(finding.message) for finding in report.files[0].findings) < 300


@pytest.mark.parametrize(
    "fields",
    [
        [Field(2, I32, 1), Field(2, I32, 5)],
        [Field(0x10002, I32, 5)],
        [Field(-0xFFFE, I32, 5)],
        [Field(0x7FFF, I32, 1), Field(0x8000, I32, 5)],
    ],
    ids=["twice", "beyond 16 bits", "below 16 bits", "a step beyond 16 bits"],
)
def test_structs_that_others_read_otherwise(fields: list[Field]) -> None:
    """A struct in which another parser may see another value than ours is not understood."""
    with pytest.raises(MalformedError, match="twice"):
        read_struct(compact.written(compact.struct(0, *fields)))


def test_values_of_a_struct_are_counted() -> None:
    """A struct of more values than any footer has is not read to its end."""
    small = compact.struct(0)
    many = Field(1, compact.LIST, [small] * 2_000_000, compact.STRUCT)
    with pytest.raises(MalformedError, match="more than 8,000,000 values"):
        read_struct(compact.written(compact.struct(0, many)))


def test_inputs_are_their_seed_and_number() -> None:
    """An input of the fuzz target can be made again."""
    assert fuzz_files.made(3, 7) == fuzz_files.made(3, 7)
    assert fuzz_files.made(3, 7) != fuzz_files.made(4, 7)


def test_files_that_inputs_are_made_of_are_valid(tmp_path: Path) -> None:
    """What the fuzz target begins with is read to its end."""
    for base in fuzz_files.bases():
        path = tmp_path / f"x{base.extension}"
        path.write_bytes(base.content)
        assert fuzz_files.outcome(path) == "valid", base.name


def test_few_inputs(tmp_path: Path) -> None:
    """The fuzz target finds nothing among its first inputs, and counts them all."""
    tally, failures = fuzz_files.fuzz(1, seconds=300, count=40, jobs=1, saved=tmp_path / "saved")
    assert [] == failures
    assert 40 == sum(tally.values())


def test_what_dies_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot go on is replaced; its input is saved and told."""
    monkeypatch.setattr(fuzz_files, "RESIDENT", resource.RLIM_INFINITY)
    monkeypatch.setattr(fuzz_files, "PATIENCE", 0.0)
    tally, failures = fuzz_files.fuzz(1, seconds=60, count=2, jobs=1, saved=tmp_path / "saved")
    assert 2 == sum(number for kind, number in tally.items() if kind.endswith("hung"))
    assert 2 == len(failures) == len(list((tmp_path / "saved").iterdir()))
