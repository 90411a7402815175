"""The adapter as the suite meets it, and the README as its readers do."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from examples import ROW, frame

HERE = Path(__file__).parents[1]
REAL = HERE.parents[1] / "fixtures/real/smollm2-135m-instruct"


def session(folder: Path, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps({"seq": seq, **request}) + "\n" for seq, request in enumerate(requests))
    command = [sys.executable, HERE / "adapter.py"]
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, cwd=folder)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_session(tmp_path: Path) -> None:
    """A file is read to logical JSON and written from it again, broken ones are rejected, and the session goes on."""
    frame(ROW).write_parquet(tmp_path / "in.parquet")
    frame(ROW | {"num_tokens": 3}).write_parquet(tmp_path / "broken.parquet")
    read = {"cmd": "read", "container": "parquet", "output": str(tmp_path / "rows.ndjson")}
    write = {"cmd": "write", "container": "parquet", "input": str(tmp_path / "rows.ndjson"), "metadata": None}
    answers = session(
        tmp_path,
        {"cmd": "hello", "protocol": 1, "spec": ["1.0"]},
        {**read, "input": str(tmp_path / "broken.parquet")},
        {**read, "input": str(tmp_path / "absent.parquet")},
        {**read, "input": str(tmp_path / "in.parquet")},
        {**write, "output": str(tmp_path / "out.parquet")},
    )
    assert ["polars", None, None, None, None] == [answer.get("name") for answer in answers]
    assert [None, "rejected", "error", "accepted", "accepted"] == [answer.get("outcome") for answer in answers]
    assert "ROW-2" == answers[1]["requirement"]
    (line,) = (tmp_path / "rows.ndjson").read_text().splitlines()
    top = {"indices": [5, 65541, 131077], "logits": [10.0, 8.249988555908203, 7.0]}
    sampled = {"indices": [12, 262142], "logits": [-1.25, 2.0]}
    assert {"logsumexp": 10.25, "top": top, "sampled": sampled, "token_id": 5} == json.loads(line)["tokens"][0]


@pytest.mark.parametrize("logit", ['"NaN"', '"Infinity"', "null", "true", "1e400"])
def test_rows_that_are_no_numbers_are_refused(tmp_path: Path, logit: str) -> None:
    """Whether it is Polars' parser that notices or an expression."""
    entries = '{"indices": [5], "logits": [%s]}'
    line = f'{{"tokens": [{{"logsumexp": 10, "top": {entries % logit}, "sampled": {entries % 1}}}]}}\n'
    (tmp_path / "rows.ndjson").write_text(line)
    request = {"cmd": "write", "container": "arrow-file", "input": str(tmp_path / "rows.ndjson"), "metadata": None}
    (answer,) = session(tmp_path, {**request, "output": str(tmp_path / "out.arrow")})
    assert "rejected" == answer["outcome"]
    assert ["rows.ndjson"] == [path.name for path in tmp_path.iterdir()]


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Python runs as it stands, on the real dataset."""
    (tmp_path / "my-dataset").symlink_to(REAL)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102
    assert (tmp_path / "first.parquet").exists()
    assert 0.5 < names["covered"] < 1


def test_bench() -> None:
    """It prints a rate."""
    command = [sys.executable, HERE / "bench.py", REAL]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"[\d,]+ tokens/s of CPU time, [\d,]+ by the clock \(958 tokens\)\n", ended.stdout)
