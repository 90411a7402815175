"""A dataset to measure with: Described, valid by every requirement, seeded, and made without a download.

    python benchmarks/dataset.py OUT [--tokens 4000000] [--files 4] [--container parquet] [--seed 7]

Strategy: a block of whole rows is made at once and written before the next, so memory does not grow with the dataset;
each file has a seed of its own, so files are made side by side. A nucleus is a run of falling logits; the logsumexp
is then put where the run covers `top_p` and no more than it needs to, and the tail gets what mass is left.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import logitpack
from logitpack.ragged import segment_sum, to_offsets

VOCAB_SIZE, TOKENIZER_SIZE = 151_936, 151_669
TOP_P, MAX_ENTRIES, NUM_SAMPLED = 0.98, 100, 24
METADATA = {
    "spec_version": "1.0",
    "model": {"id": "example/generated"},
    "tokenizer": {"id": "example/generated", "size": TOKENIZER_SIZE},
    "vocab_size": VOCAB_SIZE,
    "nucleus": {"top_p": TOP_P, "max_entries": MAX_ENTRIES, "rule": "covering", "order": "descending"},
    "tail": {"num_sampled": NUM_SAMPLED, "method": "uniform", "seed": 7},
    "alignment": "predicts",
}
PLAIN = "arrow-plain"
"""An Arrow IPC file without compression."""
EXTENSIONS = {"parquet": ".parquet", "arrow-file": ".arrow", PLAIN: ".arrow", "arrow-stream": ".arrows"}
BLOCK = 50_000
DEEPEST = 9.0
"""How far below its largest entry the smallest of a nucleus may be, in nats."""

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """One file: how many tokens it gets, in rows of `row_tokens` on average and groups of at most `group_tokens`."""

    path: Path
    tokens: int
    row_tokens: int
    group_tokens: int
    seed: tuple[int, int]
    plain: bool


def make(
    folder: Path,
    *,
    tokens: int,
    files: int,
    container: str = "parquet",
    row_tokens: int = 350,
    group_tokens: int = 200_000,
    seed: int = 7,
    jobs: int = 1,
) -> None:
    """Write a dataset of exactly `tokens` tokens into `folder`; the same arguments give the same values."""
    folder.mkdir(parents=True, exist_ok=True)
    shares = np.diff(np.arange(files + 1) * tokens // files).tolist()
    names = [f"train-{number:05}-of-{files:05}{EXTENSIONS[container]}" for number in range(files)]
    plans = [
        Plan(folder / name, share, row_tokens, group_tokens, (seed, number), container == PLAIN)
        for number, (name, share) in enumerate(zip(names, shares, strict=True))
    ]
    if jobs == 1:
        for plan in plans:
            write(plan)
        return
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(write, plans))


def write(plan: Plan) -> None:
    """Write one file."""
    logitpack.write(plan.path, _batches(plan), METADATA, row_group_tokens=plan.group_tokens)
    if plan.plain:
        _decompress(plan.path)


def _decompress(path: Path) -> None:
    """Write an Arrow IPC file as pyarrow does by itself."""
    plain = path.with_suffix(".plain")
    with pa.OSFile(str(path)) as file, pa.OSFile(str(plain), "wb") as sink:
        batches = pa.ipc.open_file(file)
        with pa.ipc.new_file(sink, batches.schema) as writer:
            for number in range(batches.num_record_batches):
                writer.write_batch(batches.get_batch(number))
    plain.replace(path)


def _batches(plan: Plan) -> Iterator[logitpack.Batch]:
    rng = np.random.default_rng(plan.seed)
    lengths = _lengths(plan.tokens, plan.row_tokens, rng)
    ends = np.cumsum(lengths)
    start = 0
    while start < lengths.size:
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK, side="right")))
        yield batch(lengths[start:stop], rng)
        start = stop


def _lengths(tokens: int, mean: int, rng: np.random.Generator) -> Ints:
    """Draw the tokens of rows that add up to `tokens`: a gamma distribution, at most eight times the mean."""
    drawn = rng.gamma(2.0, mean / 2, 16 + 2 * tokens // mean).astype(np.int64).clip(1, 8 * mean)
    ends = np.cumsum(drawn)
    rows = int(np.searchsorted(ends, tokens))
    lengths = drawn[: rows + 1]
    lengths[-1] -= ends[rows] - tokens
    return lengths


def batch(lengths: Ints, rng: np.random.Generator) -> logitpack.Batch:
    """Make rows of `lengths` tokens, int64 [rows]."""
    tokens = int(lengths.sum())
    counts = np.minimum(1 + rng.gamma(0.6, 72, tokens).astype(np.int64), MAX_ENTRIES)
    logits, logsumexp, residual = _nucleus(counts, rng)
    smallest = logits[np.cumsum(counts) - 1]
    tail = np.log(residual / VOCAB_SIZE)[:, None] + logsumexp[:, None] + rng.normal(-1, 1.5, (tokens, NUM_SAMPLED))
    tail = np.minimum(tail, smallest[:, None] - rng.exponential(0.5, tail.shape))
    top, sampled = _indices(counts, rng)
    return logitpack.Batch(
        num_tokens=lengths,
        top_counts=counts,
        top_indices=top,
        top_logits=logits.astype(np.float32),
        sampled_indices=sampled,
        sampled_logits=tail.astype(np.float32),
        logsumexp=logsumexp,
        token_ids=_tokens(counts, top, logits, logsumexp, rng),
    )


def _nucleus(counts: Ints, rng: np.random.Generator) -> tuple[Reals, Reals, Reals]:
    """Draw falling logits [entries], and find logsumexp and the mass outside [tokens] that cut them here."""
    starts = to_offsets(counts)[:-1]
    within = np.arange(counts.sum()) - np.repeat(starts, counts)
    falls = rng.standard_exponential(within.size) * np.repeat(rng.uniform(0.8, 2.0, counts.size), counts) / (within + 1)
    below = np.cumsum(falls) - falls
    logits = np.repeat(below[starts], counts) - below
    # The entries outside are smaller than the last one, and have to be enough for the mass that is left.
    deepest = -logits[starts + counts - 1]
    logits *= np.repeat(DEEPEST / np.maximum(deepest, DEEPEST), counts)
    weights = np.exp(logits)
    total, last = segment_sum(weights, counts), weights[starts + counts - 1]
    # The mass reaches top_p with the last entry and not before it, and never 1.
    part = rng.uniform(0.05, 0.95, counts.size) * np.minimum(1, (1 - TOP_P) * total / last)
    mass = TOP_P * total / (total - part * last)
    capped = (counts == MAX_ENTRIES) & (rng.random(counts.size) < 0.9)
    mass[capped] = rng.uniform(0.6, TOP_P, int(capped.sum()))
    peak = rng.normal(20, 4, counts.size)
    return logits + np.repeat(peak, counts), peak + np.log(total / mass), 1 - mass


def _indices(counts: Ints, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Draw distinct indices: the nucleus [entries] leans to the low ones, the tail [tokens, S] is uniform."""
    top = np.zeros(counts.sum(), np.int32)
    sampled = np.zeros((counts.size, NUM_SAMPLED), np.int32)
    token = np.repeat(np.arange(counts.size), counts)
    again = np.ones(counts.size, np.bool_)
    while again.any():
        # All of a token is drawn anew, for then its tail is uniform on what its nucleus leaves.
        at = again[token]
        top[at] = (np.square(rng.random(int(at.sum()))) * TOKENIZER_SIZE).astype(np.int32)
        sampled[again] = rng.integers(0, TOKENIZER_SIZE, (int(again.sum()), NUM_SAMPLED))
        tail_token = np.repeat(np.flatnonzero(again), NUM_SAMPLED)
        keys = np.concatenate([token[at] << 18 | top[at], tail_token << 18 | sampled[again].ravel()])
        keys.sort()
        again = np.zeros_like(again)
        again[keys[1:][keys[1:] == keys[:-1]] >> 18] = True
    return top, sampled


def _tokens(
    counts: Ints, top: NDArray[np.int32], logits: Reals, logsumexp: Reals, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Draw the tokens themselves from the distributions, those outside the nucleus anywhere: int32 [tokens]."""
    reached = np.cumsum(np.exp(logits - np.repeat(logsumexp, counts)))
    offsets = to_offsets(counts)
    before = np.concatenate([[0.0], reached])[offsets[:-1]]
    chosen = np.searchsorted(reached, before + rng.random(counts.size))
    outside = rng.integers(0, TOKENIZER_SIZE, counts.size).astype(np.int32)
    inside = top[np.minimum(chosen, top.size - 1)]
    return np.where(chosen < offsets[1:], inside, outside).astype(np.int32)


def main() -> None:
    """Make the dataset, and say what it has become."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=4_000_000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--container", choices=EXTENSIONS, default="parquet")
    parser.add_argument("--row-tokens", type=int, default=350, help="tokens a row, on average")
    parser.add_argument("--group-tokens", type=int, default=200_000, help="most tokens of a row group")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files made side by side")
    options = vars(parser.parse_args())
    folder = options.pop("folder")
    begin = time.perf_counter()
    make(folder, **options)
    size = sum(path.stat().st_size for path in folder.glob(f"*{EXTENSIONS[options['container']]}"))
    seconds, tokens = time.perf_counter() - begin, options["tokens"]
    print(
        f"{folder}: {tokens:,} tokens in {options['files']} files, {size / tokens:.1f} bytes a token, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
