"""`logitpack check`: what it prints, and how it exits."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from commandline import Result, logitpack
from logitpack import tasks
from logitpack.containers import DataFile
from logitpack.errors import UsageError
from logitpack_conformance.rows import described, unpacked, valid_rows
from support import table, write_parquet

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "fixtures" / "real" / "smollm2-135m-instruct"
ROWS = valid_rows((3, 2))


def broken(path: Path) -> Path:
    """Write rows with a logsumexp that is NaN in two places, in a Described file."""
    rows = copy.deepcopy(ROWS)
    rows[0]["logsumexp"][1] = rows[1]["logsumexp"][0] = float("nan")
    return write_parquet(path, table(rows, metadata=described()))


def test_valid_dataset() -> None:
    """A valid dataset is one line a file, with profile and counts, one of figures, and exit status 0."""
    result = logitpack("check", REAL)
    file = REAL / "data" / "train-00000-of-00001.parquet"
    expected = (
        f"{file}: valid (Described, 16 rows, 958 tokens)\n"
        f"{REAL}: nucleus 49.4 entries on average, at most 100 (36.5% of the tokens), mass 0.9554, tail mass 2.1e-05, "
        "tokens in their own nucleus 92.3%, in the one before 24.4%, after 8.7%\n"
    )
    assert (0, expected, "") == (result.status, result.out, result.err)


def test_findings_have_a_line_each(tmp_path: Path) -> None:
    """A finding is one line: file, severity, requirement, count, what is wrong, and the first places."""
    path = broken(tmp_path / "x.parquet")
    result = logitpack("check", path)
    expected = (
        f"{path}: error LSE-1, 2 places: logsumexp is nan, expected a finite number "
        "(row group 0, row 0, token 1, column logsumexp; row group 0, row 1, token 0, column logsumexp)\n"
        f"{path}: invalid (Described, 2 rows, 0 tokens, 1 error)\n"
    )
    assert (1, expected, "") == (result.status, result.out, result.err)


def test_places_are_cut(tmp_path: Path) -> None:
    """More places than were asked for are an ellipsis."""
    result = logitpack("check", broken(tmp_path / "x.parquet"), "--places", 1)
    assert "(row group 0, row 0, token 1, column logsumexp; …)" in result.out


def test_causes_have_a_line_each(tmp_path: Path) -> None:
    """What such data mostly come from stands below the finding it explains."""
    rows = copy.deepcopy(ROWS)
    rows[0]["top_min"], rows[0]["top_max"] = rows[0]["top_max"], rows[0]["top_min"]
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()))
    lines = logitpack("check", path).out.splitlines()
    assert f"{path}: probable cause of QNT-1: the two ends of the ranges are swapped" == lines[1]


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """Return a folder of five files, of which the fourth and the fifth are broken."""
    for number in range(3):
        write_parquet(tmp_path / f"{number}.parquet", table(ROWS, metadata=described()))
    broken(tmp_path / "3.parquet")
    broken(tmp_path / "4.parquet")
    return tmp_path


def verdicts(result: Result, folder: Path) -> list[str]:
    """Give the names of the files that have a verdict."""
    lines = (line.split(": ") for line in result.out.splitlines())
    return [line[0][len(str(folder)) + 1 :] for line in lines if line[1].startswith(("valid", "invalid"))]


def test_files_with_findings_are_listed_first(crowd: Path) -> None:
    """Where only some files are listed, those with findings are, in their order."""
    assert ["0.parquet", "3.parquet", "4.parquet"] == verdicts(logitpack("check", crowd, "--files", 3), crowd)


def test_files_that_are_not_listed_are_counted(crowd: Path) -> None:
    """The last line counts all files, and those with findings that are not listed."""
    last = logitpack("check", crowd, "--files", 1).out.splitlines()[-1]
    assert "5 files: 2 invalid; 1 more with findings are not listed" == last


def test_several_datasets(tmp_path: Path) -> None:
    """Each path is a dataset; the last line counts the files."""
    result = logitpack("check", REAL, broken(tmp_path / "x.parquet"))
    assert (1, "2 files: 1 invalid") == (result.status, result.out.splitlines()[-1])


def test_json_report(tmp_path: Path) -> None:
    """The JSON report is one document that fits its schema; the exit status is the same."""
    result = logitpack("check", broken(tmp_path / "x.parquet"), "--format", "json")
    document = json.loads(result.out)
    jsonschema.validate(document, json.loads((ROOT / "schema" / "check.schema.json").read_text("utf-8")))
    assert (1, "invalid", "1.0", 2) == (
        result.status,
        document["verdict"],
        document["spec"],
        document["files"][0]["findings"][0]["count"],
    )


def test_json_report_has_the_values(tmp_path: Path) -> None:
    """Each place has the value found there and what may stand there; the finding has those of the first."""
    rows = copy.deepcopy(ROWS)
    metadata = described(vocab_size=max(index for row in rows for index in unpacked(row, "top")))
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=metadata))
    findings = json.loads(logitpack("check", path, "--format", "json").out)["files"][0]["findings"]
    (one,) = [finding for finding in findings if finding["requirement"] == "IDX-5"]
    vocab = metadata["vocab_size"]
    assert [0, vocab - 1] == one["allowed"] == one["places"][0]["allowed"]
    assert one["got"] == one["places"][0]["got"] >= vocab


def test_metadata_option(tmp_path: Path) -> None:
    """Metadata given by option judge a Core file, which stays Core."""
    path = write_parquet(tmp_path / "x.parquet", table(ROWS))
    metadata = tmp_path / "mine.json"
    metadata.write_text(json.dumps(described(vocab_size=100)))
    result = logitpack("check", path, "--metadata", metadata)
    assert 1 == result.status
    assert "error IDX-5" in result.out
    assert "invalid (Core, " in result.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "error: cannot be read: No such file or directory ("),
        ("x", "error: META-1: metadata is not valid: it is not JSON: Expecting value: line 1 column 1 (char 0) ("),
        ('{"spec_version": "2.0"}', "error: META-2: spec_version is '2.0', allowed 1.x ("),
    ],
)
def test_metadata_that_cannot_be_used(tmp_path: Path, content: str | None, message: str) -> None:
    """Metadata by option that cannot be read or are not valid are wrong usage: status 2, one line."""
    metadata = tmp_path / "mine.json"
    if content is not None:
        metadata.write_text(content)
    result = logitpack("check", REAL, "--metadata", metadata)
    assert (2, "") == (result.status, result.out)
    assert result.err.startswith(message)
    assert 1 == result.err.count("\n")


@pytest.mark.parametrize("path", ["absent.parquet", "empty", "fifo"])
def test_what_cannot_be_read(tmp_path: Path, path: str) -> None:
    """A path that is not there, holds no data or is no file: status 2, one line."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "fifo")
    result = logitpack("check", REAL, tmp_path / path)
    assert (2, "", 1) == (result.status, result.out, result.err.count("\n"))


@pytest.mark.parametrize("name", ["x\x1b[31m.parquet", "x\n.parquet", "[red]x[/red].parquet"])
def test_hostile_names(tmp_path: Path, name: str) -> None:
    """Control characters in a file's name are escaped, markup is text; a line stays a line."""
    result = logitpack("check", broken(tmp_path / name))
    assert 2 == result.out.count("\n")
    assert "\x1b" not in result.out
    assert name.replace("\x1b", "\\x1b").replace("\n", "\\x0a") in result.out


def test_a_file_that_cannot_be_read_is_told_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found in the other files is printed, the error too, and the exit status is 2."""
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", table(valid_rows()))

    def opened(path: str, **options: Any) -> Any:
        if path.endswith("a.parquet"):
            raise UsageError("cannot be read: it is gone")
        return DataFile(path, **options)

    monkeypatch.setattr(tasks, "DataFile", opened)
    status, out, err = logitpack("check", tmp_path)
    assert (status, out.count("valid (Core"), err) == (
        2,
        1,
        f"error: cannot be read: it is gone ({tmp_path}/a.parquet)\n",
    )
