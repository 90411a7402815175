"""Look into a dataset of teacher logits row by row, through the `datasets` library.

Strategy: `datasets` brings a row, as a dict of Python values; LogitPack's own codec judges it
before anything is taken from it, so that a broken row is an error here too and never a wrong
slice. For whole datasets `logitpack.read` is the faster way. `datasets` comes with
``pip install "logitpack[hub]"``; the rest needs LogitPack alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logitpack.codec import sound
from logitpack.columns import normalise
from logitpack.errors import DataError, LogitPackError, Place, UsageError, printable
from logitpack.indices import unpack
from logitpack.quantisation import dequantise
from logitpack.ragged import segment_sum
from logitpack.table import COLUMNS

__all__ = [
    "dequantize_sampled_logits",
    "dequantize_top_logits",
    "get_sample",
    "load_logit_dataset",
    "logits_to_probs",
    "print_sample_info",
]

Sample = dict[str, Any]


def load_logit_dataset(dataset_id: str, split: str = "train", streaming: bool = True) -> Any:  # noqa: FBT001, FBT002
    """Return a dataset of the Hub, or of a local folder, as `datasets.load_dataset` gives it.

    With `streaming` it is read as it is iterated over, and nothing is downloaded beforehand.
    Raises UsageError where `datasets` is not installed.
    """
    try:
        import datasets
    except ImportError:
        message = 'loading a dataset needs datasets: pip install "logitpack[hub]"'
        raise UsageError(message) from None
    return datasets.load_dataset(dataset_id, split=split, streaming=streaming)


def get_sample(dataset: Any, index: int = 0) -> Sample:
    """Return row `index` of a dataset, streamed or not, with its entries unpacked.

    The dict holds the row's columns, `index`, and for each token, in lists of `num_tokens`:
    `top_indices` int32 [count] and `top_logits` uint16 [count] of the nucleus,
    `sampled_indices` int32 [S] and `sampled_logits` uint16 [S] of the tail. The logits are
    the stored codes; `dequantize_top_logits` and `dequantize_sampled_logits` decode them.

    Raises UsageError for an index that the dataset does not have, DataError with the
    requirement for a row that is no LogitPack row (RD-1).
    """
    if index < 0:
        raise UsageError(f"row {index} is negative: rows count from 0", got=index)
    row = _row(dataset, index)
    try:
        columns = normalise(_record_batch(row))
        (num_sampled,) = sound(columns).tolist()
    except LogitPackError as error:
        # The batch that was judged has one row, number 0, whatever it is in the dataset.
        error.place = replace(error.place, row=index)
        raise
    counts = columns.top_counts.values.astype(np.int64)
    unpacked: Sample = {"index": index}
    for kind, sizes in (("top", counts), ("sampled", np.full(counts.size, num_sampled))):
        low, high = columns.ragged(f"{kind}_indices_low"), columns.ragged(f"{kind}_indices_high")
        codes = columns.ragged(f"{kind}_logits_quantized").values.astype(np.uint16)
        cuts = np.cumsum(sizes)[:-1]
        unpacked[f"{kind}_indices"] = np.split(unpack(low.values, high.values, low.lengths), cuts)
        unpacked[f"{kind}_logits"] = np.split(codes, cuts)
    return {**row, **unpacked}


def dequantize_top_logits(sample: Sample, token_idx: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return a token's nucleus: vocabulary indices int32 [count], logits float32 [count] in nats.

    Both are in stored order (RD-2). Raises UsageError for a token that the row does not have.
    """
    return _decoded(sample, "top", token_idx)


def dequantize_sampled_logits(sample: Sample, token_idx: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return a token's tail: vocabulary indices int32 [S], logits float32 [S] in nats.

    Both are in stored order (RD-2). Raises UsageError for a token that the row does not have.
    """
    return _decoded(sample, "sampled", token_idx)


def logits_to_probs(logits: NDArray[Any], logsumexp: float | None = None) -> NDArray[Any]:
    """Return probabilities in 0..1, in the dtype of `logits`, floats [entries] in nats.

    With the token's `logsumexp` they are those under the full vocabulary, and add up to the
    mass of these entries; without it they are renormalised to add up to 1.
    """
    logits = np.asarray(logits)
    if logsumexp is None:
        top = logits.max(initial=-np.inf)
        exps = np.exp(logits - top)
        return np.asarray(exps / exps.sum())
    # A Python float leaves float32 logits float32.
    return np.asarray(np.exp(logits - float(logsumexp)))


def print_sample_info(sample: Sample, verbose: bool = True) -> None:  # noqa: FBT001, FBT002
    """Print what a row holds: one line, and with `verbose` the sizes, masses and other columns."""
    counts = np.array([len(indices) for indices in sample["top_indices"]])
    tokens, width = len(counts), len(sample["sampled_indices"][0])
    print(f"Row {sample['index']}: {tokens} tokens, {counts.sum()} nucleus entries, {width} tail entries a token")
    if not verbose:
        return
    lse = np.array(sample["logsumexp"], np.float64)
    nucleus, tail = (_masses(sample, kind, lse) for kind in ("top", "sampled"))
    print(f"  nucleus size  {counts.min()} to {counts.max()}, mean {counts.mean():.1f}")
    print(f"  nucleus mass  {nucleus.min():.2%} to {nucleus.max():.2%}, mean {nucleus.mean():.2%}")
    print(f"  tail mass     {tail.min():.4%} to {tail.max():.4%}, mean {tail.mean():.4%}")
    print(f"  logsumexp     {lse.min():.4f} to {lse.max():.4f}")
    others = [name for name in sample if name not in COLUMNS and name not in UNPACKED]
    if "token_ids" in sample:
        print("  token_ids     present")
    if others:
        print(f"  other columns {', '.join(printable(name) for name in others)}")


UNPACKED = frozenset({"index", "top_indices", "top_logits", "sampled_indices", "sampled_logits"})


def _row(dataset: Any, index: int) -> Mapping[str, Any]:
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        if index >= len(dataset):
            raise UsageError(f"row {index} is not there: the dataset has {len(dataset)} rows", got=index)
        row = dataset[index]
    else:
        streamed = hasattr(dataset, "skip") and hasattr(dataset, "take")
        # Read to its end: a stream that is left open keeps a thread, which can abort Python at its exit.
        found = [*(dataset.skip(index).take(1) if streamed else itertools.islice(dataset, index, index + 1))]
        if not found:
            raise UsageError(f"row {index} is not there: the dataset has fewer rows", got=index)
        (row,) = found
    if not isinstance(row, Mapping):
        raise UsageError(f"a row is a dict of columns, not {type(row).__name__}")
    return row


def _record_batch(row: Mapping[str, Any]) -> pa.RecordBatch:
    arrays = {}
    for name, column in COLUMNS.items():
        if name not in row:
            continue
        try:
            array = pa.array([row[name]])
            inner = array.type.value_type if pa.types.is_list(array.type) else array.type
            if pa.types.is_null(inner):  # no value to tell the type by
                array = pa.array([row[name]], column.arrow_type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            reason = printable(str(error).partition("\n")[0])
            raise DataError(
                f"{name} is no {column.type}: {reason}", requirement="COL-2", place=Place(column=name)
            ) from None
        arrays[name] = array
    return pa.RecordBatch.from_pydict(arrays)


def _decoded(sample: Sample, kind: str, token: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    indices = sample[f"{kind}_indices"]
    if not 0 <= token < len(indices):
        raise UsageError(
            f"token {token} is not there: row {sample['index']} has tokens 0 to {len(indices) - 1}",
            got=token,
        )
    codes = sample[f"{kind}_logits"][token]
    low, high = (np.array([sample[f"{kind}_{end}"][token]], np.float32) for end in ("min", "max"))
    logits = dequantise(codes, low, high, len(codes))
    return indices[token], logits.astype(np.float32, copy=False)


def _masses(sample: Sample, kind: str, lse: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each token's entries together: float64 [tokens]."""
    counts = np.array([len(codes) for codes in sample[f"{kind}_logits"]])
    codes = np.concatenate(sample[f"{kind}_logits"])
    low, high = (np.array(sample[f"{kind}_{end}"], np.float32) for end in ("min", "max"))
    logits = dequantise(codes, low, high, counts, dtype=np.float64)
    masses: NDArray[np.float64] = segment_sum(np.exp(logits - np.repeat(lse, counts)), counts)
    return masses
