"""Print how many tokens a second are read, checked and decoded, from a file or a folder."""

import sys
import time

import logitpack_polars


def main(path: str) -> None:
    """Read `path` as often as fits into some seconds, at least once."""
    clock, cpu, tokens = time.perf_counter(), time.process_time(), 0
    while tokens == 0 or time.perf_counter() - clock < 5:
        height = logitpack_polars.read(path).height
        if height == 0:
            sys.exit(f"{path}: no tokens")
        tokens += height
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    print(f"{tokens / cpu:,.0f} tokens/s of CPU time, {tokens / clock:,.0f} by the clock ({height:,} tokens)")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
