"""Selecting: `logitpack.select` against one numpy log-sum-exp pass over the same logits.

    python benchmarks/selection.py [--positions 64] [--vocab 151936] [--repeats 7]

The pass is the least that any extractor does: row maxima, exponentials in binary32, their sum in binary64. A bare
`argpartition` for the 100 largest entries of each row stands beside it, as the usual way to find a nucleus. All are
timed in turns, on one core, and the best of the repeats counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from logitpack.selection import select

MAX_ENTRIES = 100


def generate(positions: int, vocab: int, seed: int = 7) -> np.ndarray:
    """Make binary32 logits: a wide normal body, and 200 entries above it that fall off exponentially."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((positions, vocab), np.float32)
    for row in logits:
        row[rng.choice(vocab, 200, replace=False)] = 8 + rng.exponential(1.9, 200)
    return logits


def logsumexp(logits: np.ndarray) -> np.ndarray:
    """Return the log-sum-exp of each row, in one plain pass."""
    peak = logits.max(axis=-1, keepdims=True)
    sums: np.ndarray = np.exp(logits - peak).sum(axis=-1, dtype=np.float64)
    result: np.ndarray = peak[:, 0] + np.log(sums)
    return result


def best_times(tasks: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Run the tasks in turns; return the least seconds of each."""
    times = dict.fromkeys(tasks, float("inf"))
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=64)
    parser.add_argument("--vocab", type=int, default=151_936)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    logits = generate(options.positions, options.vocab)
    batch = select(logits, rng=np.random.default_rng(7))
    tasks: dict[str, Callable[[], object]] = {
        "log-sum-exp pass": lambda: logsumexp(logits),
        "select, covering": lambda: select(logits, rng=np.random.default_rng(7)),
        "select, below": lambda: select(logits, rule="below", rng=np.random.default_rng(7)),
        "argpartition alone": lambda: np.argpartition(logits, -MAX_ENTRIES, axis=-1),
    }
    times = best_times(tasks, options.repeats)
    print(
        f"{options.positions} positions, vocabulary {options.vocab:,}, "
        f"mean nucleus {batch.top_counts.mean():.1f}, S = {batch.num_sampled}, best of {options.repeats}"
    )
    print(f"{'':20}{'ms a token':>12}{'ratio':>8}")
    for name, seconds in times.items():
        ratio = seconds / times["log-sum-exp pass"]
        print(f"{name:20}{1e3 * seconds / options.positions:>12.3f}{ratio:>8.2f}")


if __name__ == "__main__":
    main()
