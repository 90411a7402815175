"""What is judged over whole datasets: the same in whatever order parts are done, and by however many workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import logitpack
from logitpack import tasks
from logitpack_conformance.rows import STRIDE, valid_rows
from support import table, write_parquet

CASES = Path(__file__).resolve().parents[1] / "fixtures" / "cases"


def uneven() -> pa.Table:
    """Give rows whose tails are not uniform (TAIL-3), five-fold."""
    folder = CASES / "tail/uniform/two-files/uneven/parquet/data"
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.iterdir())] * 5)


def shifted() -> pa.Table:
    """Give rows whose tokens are in the nucleus of the entry before (ALN-5)."""
    path = CASES / "aln/holds/entry-before/parquet/in.parquet"
    return pa.concat_tables([pq.read_table(path)] * 20)


def widths() -> pa.Table:
    """Give rows of two lengths of tails (ROW-5)."""
    rows = [row for number in range(20) for row in valid_rows((2,), stride=STRIDE + (number % 7 == 3))]
    return table(rows)


class Shuffled(Executor):
    """Does what it is given in random order, with so many threads."""

    def __init__(self, threads: int, seed: int) -> None:
        """Begin without anything to do."""
        self.left: list[Callable[[], None]] = []
        self.rng, self.lock, self.pool = np.random.default_rng(seed), Lock(), ThreadPoolExecutor(threads)

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """Take a call, and do any."""
        future: Future[Any] = Future()
        with self.lock:
            self.left.append(lambda: future.set_result(function(*args, **options)))
        self.pool.submit(self.do_any)
        return future

    def do_any(self) -> None:
        """Do one of the calls."""
        with self.lock:
            call = self.left.pop(int(self.rng.integers(len(self.left))))
        call()


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize(("make", "requirement"), [(uneven, "TAIL-3"), (shifted, "ALN-5"), (widths, "ROW-5")])
def test_order_and_workers(
    make: Callable[[], pa.Table], requirement: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of row groups of several sizes: the report is, bit by bit, that of parts done one after another."""
    whole = make()
    third = -(-whole.num_rows // 3)
    for number in range(3):
        content = whole.slice(number * third, third)
        write_parquet(tmp_path / f"{number}.parquet", content, row_group_size=number + 1)
    expected = logitpack.check(tmp_path, jobs=1).to_json()
    found = [finding["requirement"] for file in expected["files"] for finding in file["findings"]]
    assert requirement in found
    sizes = [1, 5_000, 100_000]
    for seed, size in enumerate(sizes):
        monkeypatch.setattr(tasks, "PART_BYTES", size)
        run = partial(logitpack.check, tmp_path, jobs=workers)
        assert expected == run(executor=Shuffled(workers, seed)).to_json()
        assert expected == run().to_json()
