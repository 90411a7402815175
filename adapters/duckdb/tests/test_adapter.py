"""The loop of the protocol."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
from support import WORKED

import adapter
import reader

ADAPTER = Path(__file__).resolve().parents[1] / "adapter.py"


def talk(folder: Path, *requests: dict[str, object]) -> list[dict[str, Any]]:
    """Send requests to an adapter started in another folder than its own, and return its answers."""
    lines = "".join(json.dumps({"seq": seq, **request}) + "\n" for seq, request in enumerate(requests))
    command = [sys.executable, str(ADAPTER)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=folder, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(range(len(requests))) == [answer.pop("seq") for answer in answers]
    return answers


def test_session(tmp_path: Path) -> None:
    """A session goes on after files that are broken or missing, and these leave nothing behind."""
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(WORKED.read_bytes()[:-1])
    read = {"cmd": "read", "container": "parquet"}
    outputs = [tmp_path / name for name in ("a", "b", "c", "d")]
    hello, *answers, other = talk(
        tmp_path,
        {"cmd": "hello", "protocol": 1, "spec": ["1.0"]},
        {**read, "input": str(WORKED), "output": str(outputs[0])},
        {**read, "input": str(broken), "output": str(outputs[1])},
        {**read, "input": str(tmp_path / "missing.parquet"), "output": str(outputs[2])},
        {**read, "input": str(WORKED), "output": str(outputs[3])},
        {"cmd": "check", "input": str(WORKED)},
    )
    assert (["reader"], ["parquet"]) == (hello["roles"], hello["containers"])
    assert ["accepted", "rejected", "error", "accepted"] == [answer["outcome"] for answer in answers]
    assert "FILE-1" == answers[1]["requirement"]
    assert "error" == other["outcome"]
    assert outputs[0].read_text() == outputs[3].read_text() != ""
    assert {"a", "d", "broken.parquet"} == {path.name for path in tmp_path.iterdir()}


def test_broken_row_is_named(tmp_path: Path) -> None:
    """The requirement that a row breaks stands in the response, on one line."""
    case = WORKED.parents[1] / "cases/idx/high-length/tail/short/parquet/in.parquet"
    (answer,) = talk(
        tmp_path, {"cmd": "read", "container": "parquet", "input": str(case), "output": str(tmp_path / "out")}
    )
    assert ("rejected", "IDX-3") == (answer["outcome"], answer["requirement"])
    assert "(row " in answer["message"]
    assert "\n" not in answer["message"]


def test_limit(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A file that needs more memory than there is counts as an error, not as invalid."""
    big = tmp_path / "big.parquet"
    lists = "* REPLACE (list_resize(top_indices_low, 20000000, 0) AS top_indices_low)"
    connection.execute(f"COPY (SELECT {lists} FROM '{WORKED}') TO '{big}' (COMPRESSION zstd)")
    assert big.stat().st_size < 100_000
    with reader.connect(memory_limit="30MB") as small:
        assert "error" == adapter.read(small, str(big), str(tmp_path / "out"))["outcome"]
    assert ["big.parquet"] == [path.name for path in tmp_path.iterdir()]
