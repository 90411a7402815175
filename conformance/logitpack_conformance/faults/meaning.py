"""Faults of meaning: indices, logits, nuclei, tails and metadata that do not say what they claim."""

from __future__ import annotations

from dataclasses import replace

from logitpack_conformance.oracle.logical import LogicalToken, decode, encode
from logitpack_conformance.rows import Metadata, Row, set_index, unpacked

from .making import NoRoomError, fault, first, nuclei, stride_of, without

# Indices


@fault("IDX-4")
def padding(rows: list[Row], _: Metadata) -> None:
    """Set a padding bit of the tail or the nucleus."""
    row, kind = first((r, k) for r in rows for k in ("sampled", "top") if len(r[f"{k}_indices_low"]) % 4)
    high = row[f"{kind}_indices_high"]
    row[f"{kind}_indices_high"] = high[:-1] + bytes([high[-1] | 0x80])


@fault("IDX-5")
def tail_beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a tail index vocab_size."""
    _beyond(rows[-1], "sampled", metadata["vocab_size"])


@fault("IDX-5")
def nucleus_beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a nucleus index vocab_size."""
    _beyond(rows[-1], "top", metadata["vocab_size"])


def _beyond(row: Row, kind: str, index: int) -> None:
    if index >= 1 << 18:
        raise NoRoomError("every index is within the vocabulary")
    set_index(row, kind, len(row[f"{kind}_indices_low"]) - 1, index)


@fault("ALN-4")
def beyond_vocabulary(rows: list[Row], metadata: Metadata) -> None:
    """Make a token id vocab_size."""
    rows[-1]["token_ids"][-1] = metadata["vocab_size"]


@fault("NUC-2")
def nucleus_index_twice(rows: list[Row], _: Metadata) -> None:
    """Give the second entry of a nucleus the index of the first."""
    row, start = first((row, at) for row in rows for at in nuclei(row, 2))
    set_index(row, "top", start + 1, unpacked(row, "top")[start])


@fault("TAIL-1")
def tail_index_twice(rows: list[Row], _: Metadata) -> None:
    """Give the last entry of a tail the index of the first."""
    row = rows[-1]
    stride = stride_of(row)
    if stride < 2:
        raise NoRoomError("a tail of one entry")
    set_index(row, "sampled", stride - 1, unpacked(row, "sampled")[0])


@fault("TAIL-2")
def tail_in_nucleus(rows: list[Row], _: Metadata) -> None:
    """Give the first tail entry of a token the index of its first nucleus entry."""
    set_index(rows[-1], "sampled", 0, unpacked(rows[-1], "top")[0])


# Logits, nucleus and logsumexp


@fault("QNT-4")
def code_in_empty_range(rows: list[Row], _: Metadata) -> None:
    """Make min = max in a tail, but leave a code that is not 0."""
    row = rows[-1]
    row["sampled_min"][0] = row["sampled_max"][0]
    row["sampled_logits_quantized"][: stride_of(row)] = [9] + [0] * (stride_of(row) - 1)


@fault("QNT-5")
def loose_range(rows: list[Row], _: Metadata) -> None:
    """Let the range of a tail reach below its smallest logit."""
    row = rows[-1]
    if row["sampled_min"][0] == row["sampled_max"][0]:
        raise NoRoomError("an empty range")
    codes = row["sampled_logits_quantized"]
    codes[: stride_of(row)] = [max(code, 30_000) for code in codes[: stride_of(row)]]


@fault("NUC-3")
def tail_above_nucleus(rows: list[Row], _: Metadata) -> None:
    """Let a tail reach above the smallest nucleus logit."""
    row = rows[-1]
    if row["sampled_min"][0] == row["sampled_max"][0]:
        raise NoRoomError("an empty range")
    row["sampled_max"][0] = row["top_min"][0] + 0.5


@fault("NUC-4")
def crossing_entry_dropped(rows: list[Row], _: Metadata) -> None:
    """Take from each nucleus of more than two entries the one that crosses top_p."""
    if max(max(row["top_counts"]) for row in rows) < 3:
        raise NoRoomError("no nucleus of three entries")
    for row in rows:
        row.update(encode([_cut_nucleus(token) for token in decode(row)]))


def _cut_nucleus(token: LogicalToken) -> LogicalToken:
    return token if len(token.top.indices) < 3 else replace(token, top=without(token.top))


@fault("NUC-5")
def lower_threshold_declared(_: list[Row], metadata: Metadata) -> None:
    """Declare a top_p that the nuclei cover without their smallest entries."""
    metadata["nucleus"]["top_p"] = metadata["nucleus"]["top_p"] / 2


@fault("NUC-6")
def below_declared(_: list[Row], metadata: Metadata) -> None:
    """Declare rule below for nuclei cut by rule covering."""
    metadata["nucleus"]["rule"] = "below"


@fault("NUC-7")
def not_descending(rows: list[Row], _: Metadata) -> None:
    """Put two entries of a nucleus in the wrong order."""
    row, start = first((row, at) for row in rows for at in nuclei(row, 2))
    indices, codes = unpacked(row, "top"), row["top_logits_quantized"]
    codes[start], codes[start + 1] = codes[start + 1], codes[start]
    set_index(row, "top", start, indices[start + 1])
    set_index(row, "top", start + 1, indices[start])


@fault("NUC-8")
def more_than_max_entries(rows: list[Row], metadata: Metadata) -> None:
    """Declare a cap below the largest count."""
    metadata["nucleus"]["max_entries"] = max(max(row["top_counts"]) for row in rows) - 1


@fault("LSE-2")
def logsumexp_too_small(rows: list[Row], _: Metadata) -> None:
    """Make a logsumexp less than that of the stored entries."""
    rows[-1]["logsumexp"][0] = rows[-1]["top_max"][0] - 0.5


@fault("LSE-3")
def logsumexp_too_large(rows: list[Row], _: Metadata) -> None:
    """Make a logsumexp more than the vocabulary could add up to."""
    rows[-1]["logsumexp"][0] += 30


# Metadata


@fault("TAIL-4")
def declared_stride(_: list[Row], metadata: Metadata) -> None:
    """Declare another S."""
    metadata["tail"]["num_sampled"] += 1


@fault("ALN-6")
def follows(_: list[Row], metadata: Metadata) -> None:
    """Declare entries that follow their token."""
    metadata["alignment"] = "follows"


@fault("META-1")
def member_missing(_: list[Row], metadata: Metadata) -> None:
    """Take a required member away."""
    del metadata["vocab_size"]


@fault("META-1")
def wrong_member(_: list[Row], metadata: Metadata) -> None:
    """Give a member a value of the wrong type."""
    metadata["nucleus"]["top_p"] = "0.98"


@fault("META-2")
def next_major_version(_: list[Row], metadata: Metadata) -> None:
    """Declare another major version."""
    metadata["spec_version"] = "2.0"
