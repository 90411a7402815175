"""Print how many tokens a second are decoded by SQL, and written as logical JSON, from a file or a folder."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from reader import connect, rows

DECODE = """
    SELECT sum(list_sum(top_indices) + list_sum(top_logits)), sum(list_sum(sampled_indices) + list_sum(sampled_logits))
    FROM logitpack_tokens($1)
"""


def _time(what: str, tokens: int, read: Callable[[], object]) -> None:
    """Read as often as fits into some seconds, at least once."""
    clock, cpu, times = time.perf_counter(), time.process_time(), 0
    while times == 0 or time.perf_counter() - clock < 5:
        read()
        times += 1
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    rate = tokens * times
    print(f"{what:13} {rate / cpu:9,.0f} tokens/s of CPU time, {rate / clock:9,.0f} by the clock")


def main(path: str) -> None:
    """Measure both on `path`."""
    connection = connect()
    source = f"{path}/**/*.parquet" if Path(path).is_dir() else path
    tokens = connection.execute("SELECT sum(num_tokens) FROM read_parquet($1)", [source]).fetchall()[0][0]
    if not tokens:
        sys.exit(f"{path}: no tokens")
    print(f"{path}: {tokens:,} tokens")
    _time("SQL", tokens, lambda: connection.execute(DECODE, [source]).fetchall())
    _time("logical JSON", tokens, lambda: sum(map(len, rows(connection, path))))


if __name__ == "__main__":
    main(sys.argv[1])
