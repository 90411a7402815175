"""Extractors that give other logits than the raw ones (QNT-7, QNT-9, QNT-12), or another logsumexp (LSE-4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from logitpack import selection
from logitpack_conformance.adapters.mutants.extractor_base import Answered, Asked, Floats, entries, lse
from logitpack_conformance.adapters.mutants.registry import mutant
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.adapters.reference import Reference, Row
from logitpack_conformance.model import Role

EXTRACTOR = Role.EXTRACTOR


@mutant(EXTRACTOR, "QNT-12", "LSE-4")
def temperature() -> Reference:
    """Logits are divided by a temperature of 0.7."""
    return Asked(lambda x: x / np.float32(0.7))


@mutant(EXTRACTOR, "QNT-12")
def log_probabilities() -> Reference:
    """Log-probabilities are given in place of logits."""

    def change(token: Row, x: Floats) -> Row:
        level = lse(x)
        return {**token, **{kind: entries(x - level, token[kind]["indices"]) for kind in ("top", "sampled")}}

    return Answered(change)


@mutant(EXTRACTOR, "QNT-12", "LSE-4")
def float16_logits() -> Reference:
    """Logits are taken through binary16."""
    return Asked(lambda x: x.astype(np.float16).astype(np.float32))


@mutant(EXTRACTOR, "QNT-12", "LSE-4")
def bfloat16_logits() -> Reference:
    """Logits are taken through bfloat16."""
    return Asked(lambda x: (x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32))


@mutant(EXTRACTOR, "QNT-12", "LSE-4")
def centred_logits() -> Reference:
    """The largest logit of each position is subtracted from all."""
    return Asked(lambda x: x - x.max(axis=1, keepdims=True))


@mutant(EXTRACTOR, "QNT-12")
def tail_logits_of_the_nucleus() -> Reference:
    """Tail entries have the smallest logit of the nucleus."""

    def change(token: Row, x: Floats) -> Row:
        del x
        floor = min(token["top"]["logits"])
        return {**token, "sampled": {**token["sampled"], "logits": [floor] * len(token["sampled"]["indices"])}}

    return Answered(change)


@mutant(EXTRACTOR, "QNT-7")
def minus_infinity_as_a_number() -> Reference:
    """A logit of minus infinity is taken for -10,000 and may be drawn."""
    return Asked(lambda x: np.where(np.isneginf(x), np.float32(-1e4), x))


@mutant(EXTRACTOR, "QNT-9")
def nan_as_minus_infinity() -> Reference:
    """A NaN is taken for a probability of zero."""
    return Asked(lambda x: np.where(np.isnan(x), np.float32(-np.inf), x))


@mutant(EXTRACTOR, "QNT-9")
def infinity_clamped() -> Reference:
    """A logit of plus infinity is taken for a large number."""
    return Asked(lambda x: np.where(np.isposinf(x), np.float32(1e4), x))


@mutant(EXTRACTOR, "QNT-9")
def nothing_possible_is_uniform() -> Reference:
    """A position at which every logit is minus infinity is taken for a uniform distribution."""
    return Asked(lambda x: np.where(np.isneginf(x).all(axis=1, keepdims=True), np.float32(0), x))


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_over_the_stored() -> Reference:
    """logsumexp is taken over the entries that are stored."""
    return Answered(
        lambda token, x: {**token, "logsumexp": lse(x[token["top"]["indices"] + token["sampled"]["indices"]])}
    )


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_in_binary16() -> Reference:
    """logsumexp is rounded to binary16."""
    return Answered(lambda token, x: {**token, "logsumexp": float(np.float16(lse(x)))})


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_in_bfloat16() -> Reference:
    """logsumexp is cut to bfloat16."""

    def cut(value: float) -> float:
        return float((np.float32(value).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32))

    return Answered(lambda token, x: {**token, "logsumexp": cut(lse(x))})


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_overflows() -> Reference:
    """logsumexp is taken in binary32 without subtracting the maximum."""

    def naive(x: Floats) -> Any:
        with np.errstate(all="ignore"):
            found = float(np.log(np.exp(x.astype(np.float32)).sum()))
        return found if np.isfinite(found) else "Infinity" if found > 0 else "-Infinity"

    return Answered(lambda token, x: {**token, "logsumexp": naive(x)})


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_without_the_end_of_the_vocabulary() -> Reference:
    """logsumexp leaves out the last entry of the vocabulary."""
    return Answered(lambda token, x: {**token, "logsumexp": lse(x[:-1])})


@mutant(EXTRACTOR, "LSE-4")
def logsumexp_of_blocks() -> None:
    """logsumexp is taken over whole blocks of 8,192 entries, and over all of a smaller vocabulary."""

    def summed(original: Any, x: Any, peak: Any) -> Any:
        width = x.shape[1] // 8192 * 8192 or x.shape[1]
        return original(np.ascontiguousarray(x[:, :width]), peak)

    wrap(selection._logsumexp, summed)
