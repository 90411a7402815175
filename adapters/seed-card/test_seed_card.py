"""What the adapter takes out of a card and answers, and the report that is checked in."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import adapter
import seed_card

pytestmark = pytest.mark.skipif(not seed_card.CARD.is_file(), reason=f"there is no dataset card at {seed_card.CARD}")

HERE = Path(__file__).resolve().parent
ROW = {
    "num_tokens": 2,
    "top_counts": [2, 3],
    "top_indices_low": [5, 5, 5, 65535, 7],
    "top_indices_high": b"\xe4\x00",
    "top_logits_quantized": [65535, 0, 65535, 13107, 0],
    "top_min": [0.0, 1.0],
    "top_max": [1.0, 6.0],
    "sampled_indices_low": [9, 8],
    "sampled_indices_high": b"\x01",
    "sampled_logits_quantized": [0, 0],
    "sampled_min": [-1.0, -2.0],
    "sampled_max": [-1.0, -2.0],
    "logsumexp": [2.5, 7.5],
}
MEANS = [
    {
        "logsumexp": 2.5,
        "top": {"indices": [5, 65541], "logits": [1.0, 0.0]},
        "sampled": {"indices": [65545], "logits": [-1.0]},
    },
    {
        "logsumexp": 7.5,
        "top": {"indices": [131077, 262143, 7], "logits": [6.0, 2.0, 1.0]},
        "sampled": {"indices": [8], "logits": [-2.0]},
    },
]
"""What the row means, by SPEC.md."""


def write(folder: Path, container: str, **values: object) -> Path:
    """Write the row, with some values in place of its own, and return the file."""
    table = pa.Table.from_pylist([{**ROW, **values}])
    path = folder / f"in{seed_card.BUILDERS[container][1]}"
    if container == "parquet":
        pq.write_table(table, path)
    else:
        make = pa.ipc.new_file if container == "arrow-file" else pa.ipc.new_stream
        with make(path, table.schema) as sink:
            sink.write_table(table)
    return path


def ask(folder: Path, *requests: Mapping[str, object]) -> list[dict[str, object]]:
    """Send requests to an adapter of its own, and return its answers."""
    lines = "".join(json.dumps({"seq": seq, **request}) + "\n" for seq, request in enumerate(requests))
    command = [sys.executable, str(HERE / "adapter.py")]
    done = subprocess.run(command, cwd=folder, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("container", seed_card.BUILDERS)
def test_the_card_reads_a_row(container: str, tmp_path: Path) -> None:
    """Of a file that follows the card, indices and logits are what SPEC.md says."""
    request = {"cmd": "read", "container": container, "input": str(write(tmp_path, container))}
    (answer,) = ask(tmp_path, {**request, "output": str(tmp_path / "out.ndjson")})
    rows = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert ({"seq": 0, "outcome": "accepted"}, [{"tokens": MEANS}]) == (answer, rows)


def test_the_containers_are_those_that_can_be_streamed() -> None:
    """What the adapter declares is what `datasets` has a builder for."""
    assert adapter.CONTAINERS == [*seed_card.BUILDERS]


def test_a_warm_start_answers_as_a_cold_one(tmp_path: Path) -> None:
    """Forked from a server, the adapter says the same, in its caller's folder, and the server ends with the command."""
    request = {"cmd": "read", "container": "parquet", "input": write(tmp_path, "parquet").name, "output": "out.ndjson"}
    lines = json.dumps({"seq": 0, **request}) + "\n"
    command = [sys.executable, *map(str, (HERE / "warm.py", sys.executable, HERE / "adapter.py"))]
    done = subprocess.run(command, cwd=tmp_path, input=lines, capture_output=True, text=True, check=True)
    assert {"seq": 0, "outcome": "accepted"} == json.loads(done.stdout)
    assert {"tokens": MEANS} == json.loads((tmp_path / "out.ndjson").read_text())


def test_what_stops_the_card_rejects_the_file(tmp_path: Path) -> None:
    """A row without tokens is divided by; the next request is answered all the same."""
    path = write(tmp_path, "parquet", num_tokens=0)
    request = {"cmd": "read", "container": "parquet", "input": str(path), "output": str(tmp_path / "out.ndjson")}
    answer, hello = ask(tmp_path, request, {"cmd": "hello"})
    assert ("rejected", "ZeroDivisionError", "seed-card") == (
        answer["outcome"],
        str(answer["message"]).split(":")[0],
        hello["name"],
    )


def test_numbers_that_are_not_finite_are_passed_on(tmp_path: Path) -> None:
    """The card does not look at a logsumexp: NaN comes out of it as it went in."""
    path = write(tmp_path, "parquet", logsumexp=[float("nan"), float("-inf")])
    request = {"cmd": "read", "container": "parquet", "input": str(path), "output": str(tmp_path / "out.ndjson")}
    ask(tmp_path, request)
    (row,) = map(json.loads, (tmp_path / "out.ndjson").read_text().splitlines())
    assert ["NaN", "-Infinity"] == [token["logsumexp"] for token in row["tokens"]]


def test_counts_wrap_where_rows_are_numpy() -> None:
    """`datasets` gives Python integers unless asked otherwise; with uint8 counts the card's offsets wrap at 256."""
    functions = seed_card.load()
    arguments = (np.arange(300), bytes(75), np.array([100, 100, 100], np.uint8))
    with np.errstate(over="ignore"):
        slices = functions.unpack_indices(*arguments)
    assert [100, 100, 0] == [len(one) for one in slices]


def test_functions_are_those_of_the_first_program(tmp_path: Path) -> None:
    """Nothing else of the program is run, and no other program looked at."""
    card = tmp_path / "card.md"
    functions = "".join(f"def {name}():\n    return {name!r}\n" for name in seed_card.Functions._fields)
    card.write_text(f"# Card\n```python\nraise SystemExit\n{functions}```\n```python\ndef dequantize(): pass\n```\n")
    assert seed_card.Functions._fields == tuple(function.__name__ for function in seed_card.load(card))


def test_a_card_without_them_is_an_error(tmp_path: Path) -> None:
    """The message names what is missing."""
    card = tmp_path / "card.md"
    card.write_text("```python\ndef dequantize(): pass\n```\n")
    with pytest.raises(ValueError, match="has no function unpack_indices, hydrate_sample"):
        seed_card.load(card)


@pytest.fixture(name="runs")
def _runs() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report that is checked in, and that of the run which `make test` has just made."""
    if "REPORT" not in os.environ:
        pytest.skip("`make test` runs the suite, and tells the folder of its report as REPORT")
    folders = HERE / "report", Path(os.environ["REPORT"])
    old, new = (json.loads((folder / "results.json").read_text("utf-8")) for folder in folders)
    return old, new


def test_the_report_that_is_checked_in_is_that_of_today(runs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Each case has the outcome that it says, by the versions that it names; `make report` renews it."""
    old, new = ({one["name"]: (one["status"], one["outcome"]) for one in run["results"]} for run in runs)
    assert old == new
    assert runs[0]["implementation"] == runs[1]["implementation"]


@pytest.mark.parametrize("path", sorted((HERE / "report").iterdir()), ids=lambda path: path.name)
def test_the_report_names_no_place_of_a_machine(path: Path) -> None:
    """It holds no path that begins at the root."""
    text = path.read_text("utf-8")
    places = (str(HERE), str(seed_card.CARD.parent), tempfile.gettempdir() + "/", str(Path.home()) + "/")
    assert [place for place in places if place in text] == []
