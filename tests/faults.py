"""Single faults: for each requirement on files, ways to break it, and it alone, in valid rows.

A fault takes valid rows (see `support.valid_rows`, `support.with_token_ids`) and valid metadata, and breaks
them in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from support import NUM_SAMPLED, VOCAB, Row, set_index, unpacked

Metadata = dict[str, Any]
Fault = Callable[[list[Row], Metadata], None]
FAULTS: dict[str, tuple[str, Fault]] = {}
"""By name: the requirement that is broken, and how."""


def fault(requirement: str) -> Callable[[Fault], Fault]:
    """Register a fault of a requirement."""

    def register(make: Fault) -> Fault:
        FAULTS[f"{requirement}/{make.__name__}"] = (requirement, make)
        return make

    return register


def put(requirement: str, name: str, column: str, element: int, value: object) -> None:
    """Register a fault that is one value, in one element of the last row."""

    def make(rows: list[Row], _: Metadata) -> None:
        rows[-1][column][element] = value

    FAULTS[f"{requirement}/{name}"] = (requirement, make)


def cut(requirement: str, column: str, *, by: int) -> None:
    """Register a fault that is a column of the last row some elements too long (by > 0) or too short."""

    def make(rows: list[Row], _: Metadata) -> None:
        value = rows[-1][column]
        rows[-1][column] = value[:by] if by < 0 else value + value[:by]

    FAULTS[f"{requirement}/{column}-{by:+d}"] = (requirement, make)


for _column in ("top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp"):
    cut("ROW-2", _column, by=-1)
    cut("ROW-2", _column, by=1)
for _column in ("top_indices_low", "top_logits_quantized"):
    cut("ROW-3", _column, by=-1)
    cut("ROW-3", _column, by=1)
for _column in ("sampled_indices_low", "sampled_logits_quantized"):
    cut("ROW-4", _column, by=-1)
    cut("ROW-4", _column, by=1)
for _column in ("top_indices_high", "sampled_indices_high"):
    cut("IDX-3", _column, by=-1)
    cut("IDX-3", _column, by=1)
for _column in ("top_indices_low", "sampled_indices_low"):
    put("IDX-1", f"{_column}-high", _column, 3, 65_536)
    put("IDX-1", f"{_column}-negative", _column, 3, -1)
for _column in ("top_logits_quantized", "sampled_logits_quantized"):
    put("QNT-8", f"{_column}-high", _column, 3, 65_536)
    put("QNT-8", f"{_column}-negative", _column, 3, -1)
for _column in ("top_min", "top_max", "sampled_min", "sampled_max"):
    put("QNT-1", f"{_column}-nan", _column, 2, math.nan)
    put("QNT-1", f"{_column}-wide", _column, 2, 1e300)
put("QNT-1", "min-above-max", "top_min", 2, 1e6)
put("QNT-1", "minus-infinity", "sampled_min", 2, -math.inf)
for _value in (math.nan, math.inf, -math.inf):
    put("LSE-1", str(_value), "logsumexp", 2, _value)
put("ALN-4", "negative", "token_ids", 2, -1)
put("ALN-4", "beyond-vocabulary", "token_ids", 2, VOCAB)
cut("ALN-4", "token_ids", by=-1)
cut("ALN-4", "token_ids", by=1)


@fault("QNT-1")
def difference_overflows(rows: list[Row], _: Metadata) -> None:
    """Both ends are finite in binary32, their difference is not."""
    rows[-1]["top_min"][1], rows[-1]["top_max"][1] = -3e38, 3e38


@fault("ROW-1")
def zero(rows: list[Row], _: Metadata) -> None:
    """num_tokens is 0."""
    rows[-1]["num_tokens"] = 0


@fault("ROW-1")
def negative(rows: list[Row], _: Metadata) -> None:
    """num_tokens is negative."""
    rows[-1]["num_tokens"] = -1


@fault("ROW-1")
def huge(rows: list[Row], _: Metadata) -> None:
    """num_tokens is beyond int32."""
    rows[-1]["num_tokens"] = 2**31


@fault("NUC-1")
def count_of_zero(rows: list[Row], _: Metadata) -> None:
    """A token without a nucleus."""
    rows[-1]["top_counts"][0] = 0


@fault("NUC-1")
def count_of_256(rows: list[Row], _: Metadata) -> None:
    """A count that uint8 could not hold."""
    rows[-1]["top_counts"][0] = 256


@fault("ROW-3")
def count_off_by_one(rows: list[Row], _: Metadata) -> None:
    """The counts add up to one more than there are entries."""
    rows[-1]["top_counts"][0] += 1


@fault("ROW-4")
def no_tail(rows: list[Row], _: Metadata) -> None:
    """S is 0."""
    rows[-1].update(sampled_indices_low=[], sampled_indices_high=b"", sampled_logits_quantized=[])


@fault("ROW-5")
def another_stride(rows: list[Row], _: Metadata) -> None:
    """The last row has one tail entry less for each token."""
    row = rows[-1]
    tokens = row["num_tokens"]
    codes = row["sampled_logits_quantized"]
    groups = [range(token * NUM_SAMPLED, (token + 1) * NUM_SAMPLED) for token in range(tokens)]
    # The range stays tight: what goes has neither the smallest nor the largest code.
    gone = {next(i for i in group if 0 < codes[i] < 65535) for group in groups}
    keep = [i for group in groups for i in group if i not in gone]
    indices = [unpacked(row, "sampled")[i] for i in keep]
    row["sampled_logits_quantized"] = [row["sampled_logits_quantized"][i] for i in keep]
    row["sampled_indices_low"] = [0] * len(keep)
    row["sampled_indices_high"] = bytes(-(-len(keep) // 4))
    for entry, index in enumerate(indices):
        set_index(row, "sampled", entry, index)


@fault("TAIL-4")
def declared_stride(_: list[Row], metadata: Metadata) -> None:
    """The metadata declares another S."""
    metadata["tail"]["num_sampled"] = NUM_SAMPLED + 1


@fault("IDX-4")
def padding(rows: list[Row], _: Metadata) -> None:
    """A padding bit of the tail is set."""
    row = next(row for row in rows if len(row["sampled_indices_low"]) % 4)
    row["sampled_indices_high"] = row["sampled_indices_high"][:-1] + bytes([row["sampled_indices_high"][-1] | 0x80])


@fault("IDX-5")
def beyond_vocabulary(rows: list[Row], _: Metadata) -> None:
    """A tail index is vocab_size."""
    set_index(rows[-1], "sampled", 7, VOCAB)


@fault("IDX-5")
def last_index(rows: list[Row], _: Metadata) -> None:
    """A nucleus index is the largest that 18 bits hold."""
    set_index(rows[-1], "top", 1, 262_143)


@fault("QNT-4")
def code_in_empty_range(rows: list[Row], _: Metadata) -> None:
    """Min = max, but a code is not 0."""
    row = rows[1]
    row["sampled_min"][0] = row["sampled_max"][0]
    row["sampled_logits_quantized"][:NUM_SAMPLED] = [0, 0, 9, 0, 0]


@fault("QNT-5")
def loose_range(rows: list[Row], _: Metadata) -> None:
    """The range of a tail reaches below its smallest logit."""
    row = rows[-1]
    codes = row["sampled_logits_quantized"]
    codes[:NUM_SAMPLED] = [max(code, 30_000) for code in codes[:NUM_SAMPLED]]


@fault("NUC-2")
def nucleus_index_twice(rows: list[Row], _: Metadata) -> None:
    """The second entry of a nucleus has the index of the first."""
    row = next(row for row in rows if row["top_counts"][0] > 1)
    set_index(row, "top", 1, unpacked(row, "top")[0])


@fault("TAIL-1")
def tail_index_twice(rows: list[Row], _: Metadata) -> None:
    """The last entry of a tail has the index of the first."""
    set_index(rows[-1], "sampled", NUM_SAMPLED - 1, unpacked(rows[-1], "sampled")[0])


@fault("TAIL-2")
def tail_in_nucleus(rows: list[Row], _: Metadata) -> None:
    """A tail entry has the index of the nucleus's first entry."""
    set_index(rows[-1], "sampled", 2, unpacked(rows[-1], "top")[0])


@fault("NUC-3")
def tail_above_nucleus(rows: list[Row], _: Metadata) -> None:
    """A tail reaches above the smallest nucleus logit."""
    rows[-1]["sampled_max"][0] = rows[-1]["top_min"][0] + 0.5


def _probabilities(row: Row, token: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    start = sum(row["top_counts"][:token])
    codes = np.array(row["top_logits_quantized"][start : start + row["top_counts"][token]])
    low, high = row["top_min"][token], row["top_max"][token]
    return np.asarray(np.exp(low + codes * (high - low) / 65535 - row["logsumexp"][token]))


def _drop_last_entries(row: Row, token: int, keep: int) -> None:
    """Cut a nucleus in descending order to its first entries, its range staying tight."""
    start, count = sum(row["top_counts"][:token]), row["top_counts"][token]
    logits = np.log(_probabilities(row, token)) + row["logsumexp"][token]
    indices = unpacked(row, "top")
    del indices[start + keep : start + count]
    codes = row["top_logits_quantized"]
    low, high = float(np.float32(logits[keep - 1])), row["top_max"][token]
    new = (
        [0] if keep == 1 else np.rint((logits[:keep] - low) / (high - low) * 65535).clip(0, 65535).astype(int).tolist()
    )
    if keep == 1:
        low = high
    codes[start : start + count] = new
    row["top_min"][token], row["top_counts"][token] = low, keep
    row["top_indices_low"] = [0] * len(indices)
    row["top_indices_high"] = bytes(-(-len(indices) // 4))
    for entry, index in enumerate(indices):
        set_index(row, "top", entry, index)


@fault("NUC-4")
def crossing_token_dropped(rows: list[Row], _: Metadata) -> None:
    """Each nucleus of more than two entries lacks the entry that crosses top_p."""
    for row in rows:
        for token in range(row["num_tokens"]):
            if row["top_counts"][token] > 2:
                _drop_last_entries(row, token, row["top_counts"][token] - 1)


@fault("NUC-5")
def lower_threshold_declared(_: list[Row], metadata: Metadata) -> None:
    """The nuclei cover more than the declared top_p needs."""
    metadata["nucleus"]["top_p"] = 0.5


@fault("NUC-6")
def below_declared(_: list[Row], metadata: Metadata) -> None:
    """The nuclei were cut by rule covering."""
    metadata["nucleus"]["rule"] = "below"


@fault("NUC-7")
def not_descending(rows: list[Row], _: Metadata) -> None:
    """Two entries of a nucleus stand in the wrong order."""
    row = next(row for row in rows if row["top_counts"][0] > 1)
    indices, codes = unpacked(row, "top"), row["top_logits_quantized"]
    codes[0], codes[1] = codes[1], codes[0]
    set_index(row, "top", 0, indices[1])
    set_index(row, "top", 1, indices[0])


@fault("NUC-8")
def more_than_max_entries(rows: list[Row], metadata: Metadata) -> None:
    """The metadata declares a cap below the largest count."""
    metadata["nucleus"]["max_entries"] = max(max(row["top_counts"]) for row in rows) - 1


@fault("LSE-2")
def logsumexp_too_small(rows: list[Row], _: Metadata) -> None:
    """Logsumexp is below that of the stored entries."""
    rows[-1]["logsumexp"][0] = rows[-1]["top_max"][0] - 0.5


@fault("LSE-3")
def logsumexp_too_large(rows: list[Row], _: Metadata) -> None:
    """Logsumexp is above what the vocabulary could add up to."""
    rows[-1]["logsumexp"][0] += 30


@fault("ALN-6")
def follows(_: list[Row], metadata: Metadata) -> None:
    """The metadata declares entries that follow their token."""
    metadata["alignment"] = "follows"


@fault("META-1")
def member_missing(_: list[Row], metadata: Metadata) -> None:
    """A required member is absent."""
    del metadata["vocab_size"]


@fault("META-1")
def wrong_member(_: list[Row], metadata: Metadata) -> None:
    """A member has a value of the wrong type."""
    metadata["nucleus"]["top_p"] = "0.98"


@fault("META-2")
def next_major_version(rows: list[Row], metadata: Metadata) -> None:
    """The file is of another major version; what else is broken is not looked at."""
    metadata["spec_version"] = "2.0"
    rows[-1]["num_tokens"] = 0


def _null(requirement: str, name: str, change: Callable[[Row], None]) -> None:
    def make(rows: list[Row], _: Metadata) -> None:
        change(rows[-1])

    FAULTS[f"{requirement}/{name}"] = (requirement, make)


_null("COL-3", "null-row", lambda row: row.update(num_tokens=None))
_null("COL-3", "null-list", lambda row: row.update(top_min=None))
_null("COL-3", "null-binary", lambda row: row.update(top_indices_high=None))
_null("COL-3", "null-element", lambda row: row["top_indices_low"].__setitem__(3, None))
_null("COL-3", "null-token-id", lambda row: row["token_ids"].__setitem__(0, None))
