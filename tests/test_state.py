"""A check that goes on from where another was broken off: the same report, and nothing judged twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logitpack
from logitpack import tasks
from logitpack.check import IncompleteError, InterruptedCheckError, Progress
from logitpack.errors import UsageError
from logitpack.records import from_record, to_record
from logitpack.state import State
from logitpack.tasks import Live, Outcome, Task
from logitpack.underway import UnderWay
from logitpack_conformance.rows import STRIDE, Row, described, valid_rows, with_token_ids
from support import table, write_parquet
from webserver import serving

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "fixtures" / "cases"


def rows_of(number: int) -> list[Row]:
    """Make the rows of one of six files: the third breaks LSE-1 and NUC-2, the fourth has another S (ROW-5)."""
    rows = with_token_ids(valid_rows((3, 2, 1), stride=STRIDE + (number == 3)))
    if number == 2:
        rows[0]["logsumexp"][1] = float("nan")
        rows[2]["logsumexp"][0] = float("inf")
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write six files, the fifth of another vocabulary (FILE-2), the sixth cut off (FILE-1)."""
    for number in range(6):
        metadata = described(**({"vocab_size": 150_000} if number == 4 else {}))
        write_parquet(tmp_path / "data" / f"{number}.parquet", table(rows_of(number), metadata=metadata))
    path = tmp_path / "data" / "5.parquet"
    path.write_bytes(path.read_bytes()[:-5])
    return tmp_path / "data"


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the names of the files that are judged."""
    names: list[str] = []
    original = tasks.perform

    def perform(task: Task, *live: Live) -> Outcome:
        names.append(Path(task.path).name)
        return original(task, *live)

    monkeypatch.setattr("logitpack.dispatch.perform", perform)
    return names


def document(folder: Path, **options: Any) -> dict[str, Any]:
    """Check, and give the report."""
    return logitpack.check(folder, jobs=1, **options).to_json()


def stopping(files: int) -> Callable[[Progress], None]:
    """Give what interrupts a check once so many files are done."""

    def show(told: Progress) -> None:
        if told.files >= files:
            raise KeyboardInterrupt

    return show


def test_what_was_done_is_not_judged_again(folder: Path, tmp_path: Path, judged: list[str]) -> None:
    """A second run reads no rows, and gives the same report."""
    first = document(folder, state=tmp_path / "state")
    judged.clear()
    assert (first, []) == (document(folder, state=tmp_path / "state"), judged)


@pytest.mark.parametrize("seed", range(8))
def test_random_interruptions(folder: Path, tmp_path: Path, seed: int, judged: list[str]) -> None:
    """However often a check is broken off, what comes in the end is the report of a run in one go."""
    whole = document(folder)
    judged.clear()
    rng = np.random.default_rng(seed)
    done = 0
    while done < 5:
        done = int(rng.integers(done, 6))
        with pytest.raises(InterruptedCheckError):
            document(folder, state=tmp_path / "state", progress=stopping(done))
    assert (whole, 6) == (document(folder, state=tmp_path / "state"), len(set(judged)))


def test_an_interrupt_keeps_what_was_done(folder: Path, tmp_path: Path, judged: list[str]) -> None:
    """The files that were done when it came are not judged again."""
    with pytest.raises(InterruptedCheckError):
        document(folder, state=tmp_path / "state", progress=stopping(2))
    done = judged[:2]
    judged.clear()
    document(folder, state=tmp_path / "state")
    assert sorted(done + judged) == [f"{number}.parquet" for number in range(6)]


def touch(folder: Path) -> None:
    """Change the time of a file."""
    os.utime(folder / "1.parquet", ns=(1, 1))


def rewrite(folder: Path) -> None:
    """Write a file anew, of the same size and time."""
    path = folder / "1.parquet"
    status, rows = path.stat(), rows_of(1)
    rows[0]["logsumexp"][0] = float("nan")
    write_parquet(path, table(rows, metadata=described()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [touch, rewrite])
def test_a_file_that_changed_is_judged_anew(
    folder: Path, tmp_path: Path, judged: list[str], change: Callable[[Path], None]
) -> None:
    """It, and no other; the report is that of a fresh run."""
    document(folder, state=tmp_path / "state")
    change(folder)
    judged.clear()
    again = document(folder, state=tmp_path / "state")
    assert ["1.parquet"] == judged
    assert document(folder) == again


@pytest.mark.parametrize("options", [{"places": 1}, {"metadata": logitpack.Metadata.from_dict(described())}])
def test_other_options_judge_anew(folder: Path, tmp_path: Path, judged: list[str], options: dict[str, Any]) -> None:
    """What was found with other options does not count."""
    document(folder, state=tmp_path / "state")
    judged.clear()
    again = document(folder, state=tmp_path / "state", **options)
    assert (6, document(folder, **options)) == (len(set(judged[:6])), again)


def test_metadata_beside_the_files_count(tmp_path: Path, judged: list[str]) -> None:
    """A logitpack.json that comes, or changes, is a reason to judge a file anew."""
    write_parquet(tmp_path / "data" / "x.parquet", table(valid_rows()))
    found = []
    for vocab_size in (None, 150_000, 10):
        if vocab_size:
            (tmp_path / "data" / "logitpack.json").write_text(json.dumps(described(vocab_size=vocab_size)))
        found.append(document(tmp_path / "data", state=tmp_path / "state")["files"][0]["verdict"])
    assert (["valid", "valid", "invalid"], 3) == (found, len(judged))


def test_behind_urls(folder: Path, tmp_path: Path, judged: list[str]) -> None:
    """What a web server has is known by its ETag."""
    with serving(folder) as web:
        urls = [f"{web.url}/{number}.parquet" for number in range(6)]
        first = logitpack.check(urls, state=tmp_path / "state")
        judged.clear()
        again = logitpack.check(urls, state=tmp_path / "state")
    assert (first.to_json(), []) == (again.to_json(), judged)


def test_metadata_with_numbers_beyond_binary64(tmp_path: Path, judged: list[str]) -> None:
    """They are read as infinite, and are no reason to take the state for damaged."""
    raw = json.dumps(described(more=0)).replace('"more": 0', '"more": 1e999').encode()
    path = write_parquet(tmp_path / "x.parquet", table(valid_rows(), metadata=raw))
    first = document(path, state=tmp_path / "state")
    assert (first, 1) == (document(path, state=tmp_path / "state"), len(judged))


def test_another_version_judges_anew(
    folder: Path, tmp_path: Path, judged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of the checker may find other things."""
    document(folder, state=tmp_path / "state")
    judged.clear()
    monkeypatch.setattr("logitpack.state.checker", lambda: "another")
    document(folder, state=tmp_path / "state")
    assert 6 == len(judged)


def test_files_of_other_runs_are_kept(folder: Path, tmp_path: Path, judged: list[str]) -> None:
    """A run on some of the files does not forget the others."""
    document(folder, state=tmp_path / "state")
    document(folder / "0.parquet", state=tmp_path / "state")
    judged.clear()
    document(folder, state=tmp_path / "state")
    assert [] == judged


def test_records_lose_nothing(tmp_path: Path) -> None:
    """What is read back of the cases of the suite is what was found, places and sums, through JSON."""
    files = sorted(CASES.rglob("*.parquet"))[::40]
    assert len(files) > 10
    for path in files:
        whole = document(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(State, "keep", keep_and_compare)
            assert whole == document(path, state=tmp_path / "state"), path
        assert whole == document(path, state=tmp_path / "state"), path


keep = State.keep


def keep_and_compare(self: State, file: UnderWay) -> None:
    """Keep a file; what is read back gives the same record."""
    record = to_record(file.checked)
    back = from_record(file.checked.name, json.loads(json.dumps(record)), 5)
    assert json.dumps(record) == json.dumps(to_record(back))
    keep(self, file)


def test_killed(folder: Path, tmp_path: Path) -> None:
    """A run that is killed leaves a whole state, and the next goes on from it."""
    code = f"""
import os, logitpack
from logitpack import state
state.PAUSE = state.SHARE = 0

def show(told):
    if told.files == 4:
        os.kill(os.getpid(), {int(signal.SIGKILL)})

logitpack.check({str(folder)!r}, jobs=1, state={str(tmp_path / "state")!r}, progress=show)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    told: list[Progress] = []
    assert (-signal.SIGKILL, document(folder)) == (
        done.returncode,
        document(folder, state=tmp_path / "state", progress=told.append),
    )
    assert 3 <= told[0].files <= 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not ours\n", "this is no state of a check"),
        ("[1]\n", "this is no state of a check"),
        ('{"kind": "logitpack check --state", "form": 2}\n', "this is no state of a check"),
        ('{"kind": "logitpack check --state", "form": 1, "sha256": ""}\n{}\n', "this state of a check is damaged"),
    ],
)
def test_other_files_are_left_alone(folder: Path, tmp_path: Path, content: str, message: str) -> None:
    """A file that is no state is an error, and stays as it is."""
    path = tmp_path / "state"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        document(folder, state=path)
    assert content == path.read_text()


def test_any_bit_of_damage_is_told(folder: Path, tmp_path: Path) -> None:
    """A state in which a byte is another, or that is cut off, is an error."""
    path = tmp_path / "state"
    document(folder / "0.parquet", state=path)
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for at in rng.integers(content.index(b"\n"), len(content), 20).tolist():
        for damaged in (content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], content[:at]):
            path.write_bytes(damaged)
            with pytest.raises(UsageError, match="damaged"):
                State(path)


def test_a_pipe_is_no_state(folder: Path, tmp_path: Path) -> None:
    """It is refused, rather than waited for."""
    os.mkfifo(tmp_path / "state")
    with pytest.raises(UsageError, match="not a regular file"):
        document(folder, state=tmp_path / "state")


def test_an_empty_file_is_a_new_state(folder: Path, tmp_path: Path) -> None:
    """Such as mktemp makes."""
    (tmp_path / "state").touch()
    assert document(folder) == document(folder, state=tmp_path / "state")


def test_where_nothing_can_be_written(folder: Path, tmp_path: Path, judged: list[str]) -> None:
    """That is said before anything is judged."""
    with pytest.raises(UsageError, match="cannot be written"):
        document(folder, state=tmp_path / "nowhere" / "state")
    assert [] == judged


def test_a_disk_that_fills_up(folder: Path, tmp_path: Path) -> None:
    """A state that cannot be kept any more does not cost the report; the error comes with it."""

    def show(_: Progress) -> None:
        if (tmp_path / "state").is_file():
            (tmp_path / "state").unlink()
            (tmp_path / "state").mkdir()

    with pytest.raises(IncompleteError, match="not a regular file") as caught:
        document(folder, state=tmp_path / "state", progress=show)
    assert document(folder) == caught.value.report.to_json()
