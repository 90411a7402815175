"""Readers that decode logits wrongly (QNT-2), or return other numbers than are stored (RD-4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import codec, quantisation
from logitpack.batch import Batch
from logitpack.columns import Columns
from logitpack_conformance.adapters.mutants.registry import JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import put, swap, wrap
from logitpack_conformance.model import Role

READER = Role.READER
Reals = NDArray[np.float64]
Values = Callable[[Reals, Reals, Reals], Any]


def _decode(values: Values) -> None:
    """Let `values` decode: of the codes and the ends of their ranges, all [entries]."""

    def dequantise(q: Any, low: Any, high: Any, counts: Any, *, dtype: Any = np.float32) -> Any:
        tokens = np.full(len(low), counts) if isinstance(counts, int | np.integer) else counts
        least, most = (np.repeat(np.asarray(end, np.float64), tokens) for end in (low, high))
        with np.errstate(all="ignore"):
            found = values(np.asarray(q, np.float64), least, most)
        return np.asarray(found).astype(dtype)

    swap(quantisation.dequantise, dequantise)


def _exact(q: Reals, low: Reals, high: Reals) -> Reals:
    return q / 65535 * (high - low) + low


@mutant(READER, "QNT-2", containers=(PARQUET, JSON))
def divided_by_65536() -> None:
    """Codes are divided by 65536."""
    put(quantisation, "MAX_CODE", 65536)


@mutant(READER, "QNT-2", containers=(PARQUET, JSON))
def divided_by_65534() -> None:
    """Codes are divided by 65534."""
    put(quantisation, "MAX_CODE", 65534)


@mutant(READER, "QNT-2")
def ends_swapped() -> None:
    """Minimum and maximum of a range are mistaken for each other."""
    _decode(lambda q, low, high: _exact(q, high, low))


@mutant(READER, "QNT-2")
def empty_range_to_nan() -> None:
    """Where minimum and maximum are equal, the step is divided by itself, and NaN comes out."""
    _decode(lambda q, low, high: low + q * ((high - low) / (high - low)) * (high - low) / 65535)


@mutant(READER, "QNT-2")
def empty_range_to_zero() -> None:
    """Where minimum and maximum are equal, the logit is 0."""
    _decode(lambda q, low, high: np.where(low == high, 0, _exact(q, low, high)))


@mutant(READER, "QNT-2")
def float16_logits() -> None:
    """Logits are returned in binary16."""
    _decode(lambda q, low, high: _exact(q, low, high).astype(np.float16))


@mutant(READER, "QNT-2")
def bfloat16_logits() -> None:
    """Logits are returned in bfloat16."""
    _decode(
        lambda q, low, high: (_exact(q, low, high).astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    )


@mutant(READER, "QNT-2")
def step_in_binary32() -> None:
    """The step is computed once, in binary32, where that of a subnormal range is inexact."""
    _decode(lambda q, low, high: q * ((high - low).astype(np.float32) / np.float32(65535)) + low)


@mutant(READER, "QNT-2")
def subnormal_to_zero() -> None:
    """Subnormal numbers are taken for zero."""

    def flushed(x: Reals) -> Reals:
        return np.where(np.abs(x) < 2.0**-126, 0, x)

    _decode(lambda q, low, high: flushed(_exact(q, flushed(low), flushed(high))))


@mutant(READER, "QNT-2")
def sum_overflows() -> None:
    """Evaluated in binary32, a logit next to the largest number becomes infinite."""
    put(quantisation, "NEAR_OVERFLOW", np.inf)
    wrap(codec.decode_columns, lambda original, columns, **_: original(columns, dtype=np.float32))


@mutant(READER, "QNT-2")
def signed_codes() -> None:
    """Codes are read as signed 16-bit integers."""
    _decode(lambda q, low, high: _exact(np.where(q > 32767, q - 65536, q), low, high))


@mutant(READER, "QNT-2")
def greatest_code_missing() -> None:
    """The code 65535 is taken for a missing value, and gives the minimum."""
    _decode(lambda q, low, high: _exact(np.where(q == 65535, 0, q), low, high))


@mutant(READER, "QNT-2")
def range_of_the_first_token() -> None:
    """All tokens of a row group are decoded with the range of the first."""
    _decode(lambda q, low, high: _exact(q, low[:1], high[:1]) if low.size else q)


@mutant(READER, "QNT-2")
def tail_in_the_range_of_the_nucleus() -> None:
    """The tail is decoded with the range of the nucleus."""

    def decode(original: Any, columns: Columns, **options: Any) -> Batch:
        mixed = replace(columns, sampled_min=columns.top_min, sampled_max=columns.top_max)
        batch: Batch = original(mixed, **options)
        return batch

    wrap(codec.decode_columns, decode)


@mutant(READER, "QNT-2")
def magnitudes_of_negative_ranges() -> None:
    """A range that lies below zero is taken for its mirror image."""
    _decode(lambda q, low, high: _exact(q, np.where(high < 0, -high, low), np.where(high < 0, -low, high)))


def _batch(change: Callable[[Batch], Batch]) -> None:
    """Change decoded batches."""
    wrap(codec.decode_columns, lambda original, columns, **options: change(original(columns, **options)))


@mutant(READER, "RD-4", containers=(PARQUET, JSON))
def logsumexp_through_binary32() -> None:
    """logsumexp is taken through binary32 where binary64 is stored."""
    _batch(lambda batch: replace(batch, logsumexp=batch.logsumexp.astype(np.float32).astype(np.float64)))


@mutant(READER, "RD-4")
def logsumexp_of_six_digits() -> None:
    """logsumexp is printed with six digits behind the point."""
    _batch(lambda batch: replace(batch, logsumexp=np.round(batch.logsumexp, 6)))


@mutant(READER, "RD-4")
def logsumexp_of_the_next_token() -> None:
    """Each token but the last of a row group has the logsumexp of its successor."""
    _batch(lambda batch: replace(batch, logsumexp=np.append(batch.logsumexp[1:], batch.logsumexp[-1:])))


@mutant(READER, "RD-4")
def token_ids_of_16_bits() -> None:
    """Of token ids, 16 bits are kept."""
    _batch(lambda b: b if b.token_ids is None else replace(b, token_ids=b.token_ids & 0xFFFF))


@mutant(READER, "RD-4")
def token_ids_shifted() -> None:
    """Each token has the id of the one before it."""
    _batch(lambda b: b if b.token_ids is None else replace(b, token_ids=np.roll(b.token_ids, 1)))
