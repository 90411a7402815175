"""Writers that store indices, logits or logsumexp wrongly (IDX-2, QNT-3, QNT-11, QNT-4, WR-4).

Strategy: what is stored is changed after the reference has judged it, so that its own refusals do not catch the fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack import codec, quantisation, refusals
from logitpack.columns import Columns, Ragged
from logitpack.ragged import to_offsets
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import swap, wrap
from logitpack_conformance.model import Role

WRITER = Role.WRITER
Reals = NDArray[np.float64]


def stored(change: Callable[[Columns], Columns]) -> None:
    """Change rows on their way into the file, after they have been judged."""
    wrap(codec.to_record_batch, lambda original, columns: original(change(columns)))


def _high(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    """Change the bytes of high bits."""

    def changed(columns: Columns) -> Columns:
        names = ("top_indices_high", "sampled_indices_high")
        parts: dict[str, Any] = {
            name: replace(columns.ragged(name), values=change(columns.ragged(name).values)) for name in names
        }
        return replace(columns, **parts)

    stored(changed)


def _bytes(values: Any) -> NDArray[np.uint8]:
    return np.asarray(values).astype(np.uint8)


@mutant(WRITER, "IDX-2", containers=(PARQUET, JSON))
def msb_first() -> None:
    """The four entries of a byte of high bits are put from its most significant end."""
    _high(lambda high: _bytes((high << 6) | (high << 2 & 0x30) | (high >> 2 & 0x0C) | (high >> 6)))


@mutant(WRITER, "IDX-2")
def bits_of_a_pair_swapped() -> None:
    """Bit 16 is put in the place of bit 17 and the other way round."""
    _high(lambda high: _bytes((high << 1 & 0xAA) | (high >> 1 & 0x55)))


@mutant(WRITER, "IDX-2")
def no_high_bits() -> None:
    """High bits are written as zeros."""
    _high(lambda high: high * np.uint8(0))


@mutant(WRITER, "IDX-2")
def high_bits_of_the_first_row() -> None:
    """High bits of rows after the first are written as zeros."""

    def changed(columns: Columns) -> Columns:
        parts: dict[str, Any] = {}
        for name in ("top_indices_high", "sampled_indices_high"):
            high = columns.ragged(name)
            keep = np.arange(len(high.values)) < high.offsets[min(1, len(columns))]
            parts[name] = replace(high, values=np.where(keep, high.values, 0).astype(np.uint8))
        return replace(columns, **parts)

    stored(changed)


@mutant(WRITER, "IDX-3", "IDX-2", "IDX-4", containers=(PARQUET, JSON))
def per_token_packing() -> None:
    """The high bits of each token begin at a new byte."""

    def changed(columns: Columns) -> Columns:
        low = columns.top_indices_low
        pairs = columns.top_indices_high
        runs: list[bytes] = []
        for row, tokens in enumerate(columns.num_tokens.tolist()):
            bits = pairs.values[pairs.offsets[row] : pairs.offsets[row + 1], None] >> np.array([0, 2, 4, 6]) & 3
            parts = bits.reshape(-1)[: int(low.lengths[row])].astype(np.uint8)
            first = columns.top_counts.offsets[row]
            counts = columns.top_counts.values[first : first + tokens].astype(np.int64)
            run = b""
            for token in np.split(parts, np.cumsum(counts)[:-1]):
                quads = np.pad(token, (0, -len(token) % 4)).reshape(-1, 4)
                run += (quads << np.array([0, 2, 4, 6], np.uint8)).sum(axis=1).astype(np.uint8).tobytes()
            runs.append(run)
        lengths = np.array([len(run) for run in runs], np.int64)
        return replace(columns, top_indices_high=Ragged(np.frombuffer(b"".join(runs), np.uint8), to_offsets(lengths)))

    stored(changed)


Codes = Callable[[Reals, Reals, Reals], Any]


def encoded(codes: Codes, ends: Callable[[Any, Any, Any, Any], tuple[Any, Any]] | None = None) -> None:
    """Let `codes` encode: of logits and the ends of their ranges [entries]; `ends` makes other ranges of
    (logits, counts, low, high).
    """

    def quantise(original: Any, x: Any, counts: Any) -> Any:
        _, low, high = original(x, counts)
        tokens = np.full(len(low), counts) if isinstance(counts, int | np.integer) else counts
        if ends is not None:
            low, high = ends(np.asarray(x), tokens, low, high)
        spread = [np.repeat(end.astype(np.float64), tokens) for end in (low, high)]
        with np.errstate(all="ignore"):
            found = codes(np.asarray(x, np.float64), *spread)
        return np.clip(np.nan_to_num(found), 0, 65535).astype(np.uint16), low, high

    wrap(quantisation.quantise, quantise)
    swap(refusals.check_claims, lambda columns, metadata: None)  # noqa: ARG005  it would refuse what comes of it


def _share(x: Reals, low: Reals, high: Reals) -> Reals:
    return np.where(high > low, (x - low) / np.where(high > low, high - low, 1), 0)


@mutant(WRITER, "QNT-3", containers=(PARQUET, JSON))
def codes_truncated() -> None:
    """Codes are truncated where they are to be rounded."""
    encoded(lambda x, low, high: np.floor(_share(x, low, high) * 65535))


@mutant(WRITER, "QNT-3")
def codes_rounded_up() -> None:
    """Codes are rounded up."""
    encoded(lambda x, low, high: np.ceil(_share(x, low, high) * 65535))


@mutant(WRITER, "QNT-3")
def times_65536() -> None:
    """Logits are scaled to 0 ... 65536 and cut off at 65535."""
    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 65536))


@mutant(WRITER, "QNT-3")
def times_65534() -> None:
    """Logits are scaled to 0 ... 65534."""
    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 65534))


@mutant(WRITER, "QNT-3")
def codes_of_8_bits() -> None:
    """Codes have the resolution of 8 bits."""
    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 255) * 257)


@mutant(WRITER, "QNT-3")
def codes_upside_down() -> None:
    """Codes count from the maximum down."""
    encoded(lambda x, low, high: 65535 - np.rint(_share(x, low, high) * 65535))


@mutant(WRITER, "QNT-3")
def float16_before_coding() -> None:
    """Logits are rounded to binary16 before they are encoded, within the range of what was given."""
    encoded(lambda x, low, high: np.rint(_share(x.astype(np.float16).astype(np.float64), low, high) * 65535))


@mutant(WRITER, "QNT-4")
def code_in_an_empty_range() -> None:
    """Where minimum and maximum are equal, the code is the greatest."""
    encoded(lambda x, low, high: np.where(low == high, 65535, np.rint(_share(x, low, high) * 65535)))


@mutant(WRITER, "QNT-11")
def ends_to_nearest() -> None:
    """The ends of ranges are rounded to the nearest binary32 number, and may leave a logit outside."""

    def ends(x: Any, counts: Any, low: Any, high: Any) -> tuple[Any, Any]:
        starts = to_offsets(counts)[:-1]
        least, most = np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts)
        del low, high
        return least.astype(np.float32), most.astype(np.float32)

    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 65535), ends)


@mutant(WRITER, "QNT-11")
def outliers_clamped() -> None:
    """Ranges end 30 below their maximum, and what is less is clamped."""

    def ends(x: Any, counts: Any, low: Any, high: Any) -> tuple[Any, Any]:
        del x, counts
        return np.maximum(low, high - np.float32(30)), high

    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 65535), ends)


@mutant(WRITER, "QNT-11")
def range_of_the_first_two() -> None:
    """Ranges are those of a token's first two logits."""

    def ends(x: Any, counts: Any, low: Any, high: Any) -> tuple[Any, Any]:
        starts = to_offsets(counts)[:-1]
        second = np.minimum(starts + (np.asarray(counts) > 1), len(x) - 1)
        both = np.stack([x[starts], x[second]]) if len(x) else np.zeros((2, 0))
        del low, high
        return both.min(axis=0).astype(np.float32), both.max(axis=0).astype(np.float32)

    encoded(lambda x, low, high: np.rint(_share(x, low, high) * 65535), ends)


@mutant(WRITER, "QNT-1")
def ends_swapped() -> None:
    """Minimum and maximum of the nucleus's ranges change places."""
    stored(lambda columns: replace(columns, top_min=columns.top_max, top_max=columns.top_min))


@mutant(WRITER, "WR-4", containers=(PARQUET, JSON))
def logsumexp_through_binary32() -> None:
    """logsumexp is taken through binary32."""

    def changed(columns: Columns) -> Columns:
        values = columns.logsumexp.values.astype(np.float32).astype(np.float64)
        return replace(columns, logsumexp=replace(columns.logsumexp, values=values))

    stored(changed)


@mutant(WRITER, "WR-4", containers=(PARQUET, ARROW_FILE))
def token_ids_left_out() -> None:
    """Token ids are not written."""
    stored(lambda columns: replace(columns, token_ids=None))


@mutant(WRITER, "WR-4")
def token_ids_of_16_bits() -> None:
    """Of token ids, 16 bits are written."""

    def changed(columns: Columns) -> Columns:
        ids = columns.token_ids
        return columns if ids is None else replace(columns, token_ids=replace(ids, values=ids.values & 0xFFFF))

    stored(changed)


@mutant(WRITER, "WR-4")
def logsumexp_of_six_digits() -> None:
    """logsumexp is rounded to six digits behind the point."""

    def changed(columns: Columns) -> Columns:
        return replace(columns, logsumexp=replace(columns.logsumexp, values=np.round(columns.logsumexp.values, 6)))

    stored(changed)
