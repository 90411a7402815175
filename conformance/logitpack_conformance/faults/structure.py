"""Faults of structure: lengths, nulls, and values outside what they can mean."""

from __future__ import annotations

import math
from dataclasses import replace

from logitpack_conformance.oracle.logical import decode, encode
from logitpack_conformance.rows import Metadata, Row, set_index, unpacked

from .making import NoRoomError, cut, fault, first, put, set_cell, without

PER_TOKEN = ("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
CUT = {
    "ROW-2": PER_TOKEN,
    "ROW-3": ("top_indices_low", "top_logits_quantized"),
    "ROW-4": ("sampled_indices_low", "sampled_logits_quantized"),
    "IDX-3": ("top_indices_high", "sampled_indices_high"),
    "ALN-4": ("token_ids",),
}
for _requirement, _columns in CUT.items():
    for _column in _columns:
        cut(_requirement, _column)
for _requirement, _part in (("IDX-1", "indices_low"), ("QNT-8", "logits_quantized")):
    for _kind in ("top", "sampled"):
        put(_requirement, f"{_kind}-65536", f"{_kind}_{_part}", 3, 65_536)
        put(_requirement, f"{_kind}-negative", f"{_kind}_{_part}", 3, -1)
for _column in ("top_min", "top_max", "sampled_min", "sampled_max"):
    put("QNT-1", f"{_column}-nan".replace("_", "-"), _column, -1, math.nan)
    put("QNT-1", f"{_column}-beyond-float32".replace("_", "-"), _column, -1, 1e300)
    put("QNT-1", f"{_column}-infinite".replace("_", "-"), _column, -1, math.inf if "max" in _column else -math.inf)
put("QNT-1", "min-above-max", "top_min", -1, 1e6)
for _name, _value in (("nan", math.nan), ("infinity", math.inf), ("minus-infinity", -math.inf)):
    put("LSE-1", _name, "logsumexp", -1, _value)
put("ALN-4", "negative", "token_ids", -1, -1)
for _name, _number in (("zero", 0), ("negative", -1), ("beyond-int32", 2**31)):
    set_cell("ROW-1", _name, "num_tokens", _number)
put("NUC-1", "count-of-zero", "top_counts", 0, 0)
put("NUC-1", "count-of-256", "top_counts", 0, 256)
for _column in ("num_tokens", "top_min", "top_indices_high", "sampled_logits_quantized"):
    set_cell("COL-3", f"null-{_column}".replace("_", "-"), _column, None)
put("COL-3", "null-element", "top_indices_low", 1, None)
put("COL-3", "null-float", "logsumexp", 0, None)
put("COL-3", "null-token-id", "token_ids", 0, None)


@fault("QNT-1")
def difference_overflows(rows: list[Row], _: Metadata) -> None:
    """Make both ends finite in binary32, but not their difference."""
    rows[-1]["top_min"][0], rows[-1]["top_max"][0] = -3e38, 3e38


@fault("ROW-3")
def count_off_by_one(rows: list[Row], _: Metadata) -> None:
    """Let the counts add up to one more than there are entries."""
    rows[-1]["top_counts"][0] += 1


@fault("ROW-4")
def no_tail(rows: list[Row], _: Metadata) -> None:
    """Leave no tail: S is 0."""
    rows[-1].update(sampled_indices_low=[], sampled_indices_high=b"", sampled_logits_quantized=[])


@fault("ROW-4")
def remainder(rows: list[Row], _: Metadata) -> None:
    """Take the last entry of the tail from all three lists."""
    row = first(row for row in reversed(rows) if row["num_tokens"] > 1)
    indices = unpacked(row, "sampled")[:-1]
    row["sampled_logits_quantized"] = row["sampled_logits_quantized"][:-1]
    row["sampled_indices_low"] = row["sampled_indices_low"][:-1]
    row["sampled_indices_high"] = row["sampled_indices_high"][: -(-len(indices) // 4)]
    set_index(row, "sampled", len(indices) - 1, indices[-1])


@fault("ROW-5")
def another_stride(rows: list[Row], _: Metadata) -> None:
    """Give each token of the last row one tail entry less."""
    if len(rows) < 2:
        raise NoRoomError("one row has one stride")
    rows[-1].update(encode([replace(token, sampled=without(token.sampled)) for token in decode(rows[-1])]))
