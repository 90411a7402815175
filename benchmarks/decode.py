"""Decoding: `logitpack.decode` of a record batch in memory against the functions of the seed dataset card.

    python benchmarks/decode.py [--tokens 500000] [--card ../shared/seed/dataset_card.md]

The card's functions are taken from its first Python program at run time; where the card is not there, the
table says so. They get rows of Python lists, which is what `datasets` gives them, made before the clock starts;
both sides are timed on the same rows and their values compared.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dataset
import numpy as np
import pyarrow as pa

import logitpack

sys.path.append(str(Path(__file__).resolve().parents[1] / "adapters" / "seed-card"))
import seed_card

ROW_TOKENS = 500


def generate(tokens: int, seed: int = 7) -> pa.RecordBatch:
    """Make a record batch of rows of 500 tokens, with 36 nucleus entries on average and S = 24."""
    return logitpack.encode(dataset.batch(np.full(tokens // ROW_TOKENS, ROW_TOKENS), np.random.default_rng(seed)))


def card_functions(card: Path) -> seed_card.Functions:
    """Return the functions of a dataset card."""
    return seed_card.load(card)


def decode_as_card(functions: seed_card.Functions, rows: list[dict[str, Any]]) -> list[Any]:
    """Hydrate each row and dequantise each of its tokens."""
    decoded = []
    for row in rows:
        sample = functions.hydrate_sample(row)
        for kind in ("top", "sampled"):
            low, high = sample[f"{kind}_min"], sample[f"{kind}_max"]
            codes = sample[f"{kind}_logits"]
            decoded.append([functions.dequantize(codes[t], low[t], high[t]) for t in range(sample["num_tokens"])])
    return decoded


def timed(work: Callable[[], object], repeats: int) -> float:
    """Give the seconds of the fastest of some runs."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=500_000)
    parser.add_argument("--card", type=Path, default=seed_card.CARD)
    parser.add_argument("--card-tokens", type=int, default=50_000, help="tokens the card's functions get")
    options = parser.parse_args()
    batch = generate(options.tokens)
    decoded = logitpack.decode(batch)
    print(f"{options.tokens} tokens, mean nucleus {decoded.top_counts.mean():.1f}, S {decoded.num_sampled}")
    ours = timed(lambda: logitpack.decode(batch), 7) / options.tokens
    print(f"{'logitpack.decode':<28}{1e6 * ours:8.3f} us/token {1e-6 / ours:8.2f} M tokens/s")
    if not options.card.is_file():
        print(f"the seed card is not at {options.card}: nothing to compare with")
        return
    functions = card_functions(options.card)
    part = batch.slice(0, options.card_tokens // ROW_TOKENS)
    copies = iter([part.to_pylist() for _ in range(3)])
    theirs = timed(lambda: decode_as_card(functions, next(copies)), 3) / (part.num_rows * ROW_TOKENS)
    print(f"{'card: hydrate + dequantize':<28}{1e6 * theirs:8.3f} us/token {1e-6 / theirs:8.2f} M tokens/s")
    print(f"{'ratio':<28}{theirs / ours:8.1f}")
    values = np.concatenate(decode_as_card(functions, part.slice(0, 1).to_pylist())[0])
    if not np.array_equal(values, decoded.top_logits[: values.size]):
        raise SystemExit("the values differ")


if __name__ == "__main__":
    main()
