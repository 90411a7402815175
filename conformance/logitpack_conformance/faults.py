"""Single faults: for each requirement on files, ways to break it, and it alone, in valid rows.

Strategy: a fault changes valid rows and valid metadata (`rows.valid_rows`, `rows.described`) in place, mostly in the
last row. It is named by the requirement and an operation. Some rows leave no room for some faults: NoRoomError says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .oracle.logical import LogicalEntries, LogicalToken, decode, encode
from .rows import Metadata, Row, set_index, starts, unpacked

Apply = Callable[[list[Row], Metadata], None]
T = TypeVar("T")


class NoRoomError(ValueError):
    """The rows are too small for the fault."""


@dataclass(frozen=True)
class Fault:
    """One way to break a requirement: `apply` changes rows and metadata in place. Raises NoRoomError."""

    requirement: str
    op: str
    apply: Apply


FAULTS: dict[str, Fault] = {}
"""By name, `REQUIREMENT/operation`."""


def _register(requirement: str, op: str, change: Apply) -> None:
    def apply(rows: list[Row], metadata: Metadata) -> None:
        try:
            change(rows, metadata)
        except (IndexError, KeyError) as error:
            raise NoRoomError(f"{requirement}/{op}: the rows leave no room") from error

    FAULTS[f"{requirement}/{op}"] = Fault(requirement, op, apply)


def _fault(requirement: str) -> Callable[[Apply], Apply]:
    def register(change: Apply) -> Apply:
        _register(requirement, change.__name__.replace("_", "-"), change)
        return change

    return register


def _in_last(requirement: str, op: str, change: Callable[[Row], Any]) -> None:
    _register(requirement, op, lambda rows, _: change(rows[-1]))


def _put(requirement: str, op: str, column: str, element: int, value: object) -> None:
    """Register a fault that is one value, in one element of the last row."""
    _in_last(requirement, op, lambda row: row[column].__setitem__(element, value))


def _set(requirement: str, op: str, column: str, value: object) -> None:
    """Register a fault that is a whole cell of the last row."""
    _in_last(requirement, op, lambda row: row.update({column: value}))


def _cut(requirement: str, column: str) -> None:
    """Register two faults: a column of the last row is an element short, or has one too many."""
    _in_last(requirement, f"{column}-short".replace("_", "-"), lambda row: row.update({column: row[column][:-1]}))
    _in_last(
        requirement, f"{column}-long".replace("_", "-"), lambda row: row.update({column: row[column] + row[column][:1]})
    )


def _first(found: Iterable[T]) -> T:
    for one in found:
        return one
    raise NoRoomError("the rows leave no room")


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
        _cut(_requirement, _column)
for _requirement, _part in (("IDX-1", "indices_low"), ("QNT-8", "logits_quantized")):
    for _kind in ("top", "sampled"):
        _put(_requirement, f"{_kind}-65536", f"{_kind}_{_part}", 3, 65_536)
        _put(_requirement, f"{_kind}-negative", f"{_kind}_{_part}", 3, -1)
for _column in ("top_min", "top_max", "sampled_min", "sampled_max"):
    _put("QNT-1", f"{_column}-nan".replace("_", "-"), _column, -1, math.nan)
    _put("QNT-1", f"{_column}-beyond-float32".replace("_", "-"), _column, -1, 1e300)
    _put("QNT-1", f"{_column}-infinite".replace("_", "-"), _column, -1, math.inf if "max" in _column else -math.inf)
_put("QNT-1", "min-above-max", "top_min", -1, 1e6)
for _name, _value in (("nan", math.nan), ("infinity", math.inf), ("minus-infinity", -math.inf)):
    _put("LSE-1", _name, "logsumexp", -1, _value)
_put("ALN-4", "negative", "token_ids", -1, -1)
for _name, _number in (("zero", 0), ("negative", -1), ("beyond-int32", 2**31)):
    _set("ROW-1", _name, "num_tokens", _number)
_put("NUC-1", "count-of-zero", "top_counts", 0, 0)
_put("NUC-1", "count-of-256", "top_counts", 0, 256)
for _column in ("num_tokens", "top_min", "top_indices_high", "sampled_logits_quantized"):
    _set("COL-3", f"null-{_column}".replace("_", "-"), _column, None)
_put("COL-3", "null-element", "top_indices_low", 1, None)
_put("COL-3", "null-float", "logsumexp", 0, None)
_put("COL-3", "null-token-id", "token_ids", 0, None)


# Structure


@_fault("QNT-1")
def difference_overflows(rows: list[Row], _: Metadata) -> None:
    """Make both ends finite in binary32, but not their difference."""
    rows[-1]["top_min"][0], rows[-1]["top_max"][0] = -3e38, 3e38


@_fault("ROW-3")
def count_off_by_one(rows: list[Row], _: Metadata) -> None:
    """Let the counts add up to one more than there are entries."""
    rows[-1]["top_counts"][0] += 1


@_fault("ROW-4")
def no_tail(rows: list[Row], _: Metadata) -> None:
    """Leave no tail: S is 0."""
    rows[-1].update(sampled_indices_low=[], sampled_indices_high=b"", sampled_logits_quantized=[])


@_fault("ROW-4")
def remainder(rows: list[Row], _: Metadata) -> None:
    """Take the last entry of the tail from all three lists."""
    row = _first(row for row in reversed(rows) if row["num_tokens"] > 1)
    indices = unpacked(row, "sampled")[:-1]
    row["sampled_logits_quantized"] = row["sampled_logits_quantized"][:-1]
    row["sampled_indices_low"] = row["sampled_indices_low"][:-1]
    row["sampled_indices_high"] = row["sampled_indices_high"][: -(-len(indices) // 4)]
    set_index(row, "sampled", len(indices) - 1, indices[-1])


@_fault("ROW-5")
def another_stride(rows: list[Row], _: Metadata) -> None:
    """Give each token of the last row one tail entry less."""
    if len(rows) < 2:
        raise NoRoomError("one row has one stride")
    rows[-1].update(encode([replace(token, sampled=_without(token.sampled)) for token in decode(rows[-1])]))


def _without(part: LogicalEntries) -> LogicalEntries:
    """Drop the last entry. Raises NoRoomError."""
    if len(part.indices) < 2:
        raise NoRoomError("a single entry")
    return LogicalEntries(part.indices[:-1], part.logits[:-1])


# Indices


@_fault("IDX-4")
def padding(rows: list[Row], _: Metadata) -> None:
    """Set a padding bit of the tail or the nucleus."""
    row, kind = _first((r, k) for r in rows for k in ("sampled", "top") if len(r[f"{k}_indices_low"]) % 4)
    high = row[f"{kind}_indices_high"]
    row[f"{kind}_indices_high"] = high[:-1] + bytes([high[-1] | 0x80])


@_fault("IDX-5")
def tail_beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a tail index vocab_size."""
    _beyond(rows[-1], "sampled", metadata["vocab_size"])


@_fault("IDX-5")
def nucleus_beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a nucleus index vocab_size."""
    _beyond(rows[-1], "top", metadata["vocab_size"])


def _beyond(row: Row, kind: str, index: int) -> None:
    if index >= 1 << 18:
        raise NoRoomError("every index is within the vocabulary")
    set_index(row, kind, len(row[f"{kind}_indices_low"]) - 1, index)


@_fault("ALN-4")
def beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a token id vocab_size."""
    rows[-1]["token_ids"][-1] = metadata["vocab_size"]


@_fault("NUC-2")
def nucleus_index_twice(rows: list[Row], _: Metadata) -> None:
    """Give the second entry of a nucleus the index of the first."""
    row, start = _first((row, at) for row in rows for at in _nuclei(row, 2))
    set_index(row, "top", start + 1, unpacked(row, "top")[start])


def _nuclei(row: Row, least: int) -> list[int]:
    """Return where the nuclei of so many entries begin."""
    return [start for start, count in zip(starts(row), row["top_counts"], strict=True) if count >= least]


@_fault("TAIL-1")
def tail_index_twice(rows: list[Row], _: Metadata) -> None:
    """Give the last entry of a tail the index of the first."""
    row = rows[-1]
    stride = _stride(row)
    if stride < 2:
        raise NoRoomError("a tail of one entry")
    set_index(row, "sampled", stride - 1, unpacked(row, "sampled")[0])


def _stride(row: Row) -> int:
    return int(len(row["sampled_indices_low"]) // row["num_tokens"])


@_fault("TAIL-2")
def tail_in_nucleus(rows: list[Row], _: Metadata) -> None:
    """Give the first tail entry of a token the index of its first nucleus entry."""
    set_index(rows[-1], "sampled", 0, unpacked(rows[-1], "top")[0])


# Logits, nucleus and logsumexp


@_fault("QNT-4")
def code_in_empty_range(rows: list[Row], _: Metadata) -> None:
    """Make min = max in a tail, but leave a code that is not 0."""
    row = rows[-1]
    row["sampled_min"][0] = row["sampled_max"][0]
    row["sampled_logits_quantized"][: _stride(row)] = [9] + [0] * (_stride(row) - 1)


@_fault("QNT-5")
def loose_range(rows: list[Row], _: Metadata) -> None:
    """Let the range of a tail reach below its smallest logit."""
    row = rows[-1]
    if row["sampled_min"][0] == row["sampled_max"][0]:
        raise NoRoomError("an empty range")
    codes = row["sampled_logits_quantized"]
    codes[: _stride(row)] = [max(code, 30_000) for code in codes[: _stride(row)]]


@_fault("NUC-3")
def tail_above_nucleus(rows: list[Row], _: Metadata) -> None:
    """Let a tail reach above the smallest nucleus logit."""
    row = rows[-1]
    if row["sampled_min"][0] == row["sampled_max"][0]:
        raise NoRoomError("an empty range")
    row["sampled_max"][0] = row["top_min"][0] + 0.5


@_fault("NUC-4")
def crossing_entry_dropped(rows: list[Row], _: Metadata) -> None:
    """Take from each nucleus of more than two entries the one that crosses top_p."""
    if max(max(row["top_counts"]) for row in rows) < 3:
        raise NoRoomError("no nucleus of three entries")
    for row in rows:
        row.update(encode([_cut_nucleus(token) for token in decode(row)]))


def _cut_nucleus(token: LogicalToken) -> LogicalToken:
    return token if len(token.top.indices) < 3 else replace(token, top=_without(token.top))


@_fault("NUC-5")
def lower_threshold_declared(_: list[Row], metadata: Metadata) -> None:
    """Declare a top_p that the nuclei cover without their smallest entries."""
    metadata["nucleus"]["top_p"] = metadata["nucleus"]["top_p"] / 2


@_fault("NUC-6")
def below_declared(_: list[Row], metadata: Metadata) -> None:
    """Declare rule below for nuclei cut by rule covering."""
    metadata["nucleus"]["rule"] = "below"


@_fault("NUC-7")
def not_descending(rows: list[Row], _: Metadata) -> None:
    """Put two entries of a nucleus in the wrong order."""
    row, start = _first((row, at) for row in rows for at in _nuclei(row, 2))
    indices, codes = unpacked(row, "top"), row["top_logits_quantized"]
    codes[start], codes[start + 1] = codes[start + 1], codes[start]
    set_index(row, "top", start, indices[start + 1])
    set_index(row, "top", start + 1, indices[start])


@_fault("NUC-8")
def more_than_max_entries(rows: list[Row], metadata: Metadata) -> None:
    """Declare a cap below the largest count."""
    metadata["nucleus"]["max_entries"] = max(max(row["top_counts"]) for row in rows) - 1


@_fault("LSE-2")
def logsumexp_too_small(rows: list[Row], _: Metadata) -> None:
    """Make a logsumexp less than that of the stored entries."""
    rows[-1]["logsumexp"][0] = rows[-1]["top_max"][0] - 0.5


@_fault("LSE-3")
def logsumexp_too_large(rows: list[Row], _: Metadata) -> None:
    """Make a logsumexp more than the vocabulary could add up to."""
    rows[-1]["logsumexp"][0] += 30


# Metadata


@_fault("TAIL-4")
def declared_stride(_: list[Row], metadata: Metadata) -> None:
    """Declare another S."""
    metadata["tail"]["num_sampled"] += 1


@_fault("ALN-6")
def follows(_: list[Row], metadata: Metadata) -> None:
    """Declare entries that follow their token."""
    metadata["alignment"] = "follows"


@_fault("META-1")
def member_missing(_: list[Row], metadata: Metadata) -> None:
    """Take a required member away."""
    del metadata["vocab_size"]


@_fault("META-1")
def wrong_member(_: list[Row], metadata: Metadata) -> None:
    """Give a member a value of the wrong type."""
    metadata["nucleus"]["top_p"] = "0.98"


@_fault("META-2")
def next_major_version(_: list[Row], metadata: Metadata) -> None:
    """Declare another major version."""
    metadata["spec_version"] = "2.0"
