"""Decoding and encoding, each on its own and one after the other."""

import math
import random
import struct
from typing import Any

import polars as pl
import pytest
from examples import FLOAT_MAX, METADATA, ROW, TOKEN, frame, tokens

from logitpack_polars import BreachError, decode, encode


def refused(requirement: str, *changes: dict[str, Any], **metadata: Any) -> None:
    with pytest.raises(BreachError, match=f"^{requirement}:"):
        encode(tokens(*changes), (METADATA | metadata) if metadata else None)


def test_worked_row() -> None:
    """The row of appendix A."""
    decoded = decode(frame(ROW).lazy()).collect()
    assert [[5, 65541, 131077], [262143, 7]] == decoded["top_indices"].to_list()
    assert [[12, 262142], [65535, 65536]] == decoded["sampled_indices"].to_list()
    assert [[10.0, 8.249988555908203, 7.0], [4.0, 3.0]] == decoded["top_logits"].to_list()
    assert [[-1.25, 2.0], [-2.0, -2.0]] == decoded["sampled_logits"].to_list()
    assert [(0, 0, 10.25, 5), (0, 1, 4.5, 7)] == decoded.select("row", "token", "logsumexp", "token_id").rows()


def test_worked_row_is_encoded_to_its_bytes() -> None:
    """And back."""
    decoded = decode(frame(ROW).lazy()).collect()
    assert [ROW] == encode(decoded).to_dicts()


def test_counts_that_wrap_in_8_bits() -> None:
    """A sum of uint8 would begin anew at 256."""
    counts = [100, 100, 100, 255, 1]
    n, entries = len(counts), sum(counts)
    wide = {"top_counts": counts, "top_indices_low": list(range(entries)), "top_logits_quantized": [0] * entries}
    wide |= {"top_indices_high": bytes(entries // 4), "sampled_indices_low": list(range(n))}
    wide |= {"sampled_logits_quantized": [0] * n, "sampled_indices_high": bytes(2), "token_ids": [0] * n}
    wide |= dict.fromkeys(("top_min", "top_max", "sampled_min", "sampled_max", "logsumexp"), [1.0] * n)
    decoded = decode(frame(ROW, wide | {"num_tokens": n}, ROW).lazy()).collect().filter(row=1)
    assert counts == decoded["top_indices"].list.len().to_list()
    assert list(range(entries)) == decoded["top_indices"].explode().to_list()


@pytest.mark.parametrize("ids", [[5], [5, -1], [5, 2**31], [5, 1000]])
def test_token_ids_that_break_aln_4_are_absent(ids: list[int]) -> None:
    """In their row; those of other rows stay."""
    rows = pl.DataFrame([ROW, ROW | {"token_ids": ids}], schema=frame().schema | {"token_ids": pl.List(pl.Int64)})
    assert [5, 7, None, None] == decode(rows.lazy(), vocab_size=1000).collect()["token_id"].to_list()


def test_any_tokens_come_back() -> None:
    """Indices and order exactly, logits within half a step and the rounding of QNT-2, the ends of a range exactly."""
    rng = random.Random(7)
    given = []
    for row in range(40):
        for _ in range(rng.randint(1, 9)):
            indices = rng.sample(range(262_144), rng.randint(1, 100) + 5)
            centre, width = rng.choice([0, -20, 1e4]), rng.choice([0.0, 1e-3, 10.0])
            nucleus = [centre + width * rng.random() for _ in indices[5:]]
            tail = [centre - 1 - width * rng.random() for _ in range(5)]
            lse = max(nucleus) + math.log(len(indices))
            given.append({"row": row, "logsumexp": lse, "top_indices": indices[5:], "top_logits": nucleus})
            given[-1] |= {"sampled_indices": indices[:5], "sampled_logits": tail}
    before = tokens(*given)
    after = decode(encode(before).lazy()).collect()
    exact = ["row", "logsumexp", "top_indices", "sampled_indices"]
    assert before.select(exact).equals(after.select(exact).cast(dict(before.select(exact).schema)))
    for kind in ("top", "sampled"):
        for x, y in zip(before[f"{kind}_logits"].to_list(), after[f"{kind}_logits"].to_list(), strict=True):
            low, high = min(x), max(x)
            bound = (high - low) * (33 / 64) / 65535 + 2**-21 * max(abs(low), abs(high))
            assert all(abs(a - b) <= bound for a, b in zip(x, y, strict=True))
    assert encode(after).equals(encode(decode(encode(after).lazy()).collect()))


@pytest.mark.parametrize(
    "logits",
    [
        [0.1, 0.2],
        [-0.1, -0.3],
        [0.1],
        [1e-310, -1e-310],
        [5e-324],
        [0.0, 2**-149],
        [-0.0],
        [16777217.0, 16777219.0],
        [-FLOAT_MAX, 83.0],
        [2**-126 * (1 - 2**-30), -(2**-126) * (1 - 2**-30)],
        [1.0 - 2**-30, 2.0 - 2**-30],
    ],
)
def test_range_is_the_tightest_that_contains(logits: list[float]) -> None:
    """QNT-5 and QNT-11: the neighbours inwards do not contain the logits any more."""
    token = {"top_indices": list(range(5, 5 + len(logits))), "top_logits": logits, "sampled_logits": [-FLOAT_MAX] * 2}
    (row,) = encode(tokens(token | {"logsumexp": max(logits) + 1})).to_dicts()
    (low,), (high,) = row["top_min"], row["top_max"]
    assert low <= min(logits) <= max(logits) <= high
    assert math.inf > neighbour(low, math.inf) > min(logits)
    assert -math.inf < neighbour(high, -math.inf) < max(logits)


def neighbour(value: float, towards: float) -> float:
    """Give the next binary32 number: the binary64 steps to it, each rounded, are many, so its bits are counted."""
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    if value == 0:
        return math.copysign(2.0**-149, towards)
    up = (value > 0) == (towards > 0)
    return float(struct.unpack("<f", struct.pack("<i", bits + (1 if up else -1)))[0])


def test_codes_of_an_empty_range_are_0() -> None:
    """QNT-4, and no 0/0."""
    (row,) = encode(tokens({"top_logits": [9.5, 9.5]})).to_dicts()
    assert [0, 0] == row["top_logits_quantized"]


@pytest.mark.parametrize(
    ("requirement", "change"),
    [
        ("IDX-6", {"top_indices": [1, 262_144]}),
        ("IDX-6", {"sampled_indices": [-1, 4]}),
        ("QNT-6", {"top_logits": [10.0, math.nan]}),
        ("QNT-6", {"sampled_logits": [-math.inf, 2.0]}),
        ("QNT-1", {"top_logits": [10.0, 3.41e38]}),
        ("QNT-1", {"top_logits": [FLOAT_MAX, -FLOAT_MAX]}),
        ("LSE-1", {"logsumexp": math.inf}),
        ("NUC-1", {"top_indices": [], "top_logits": []}),
        ("NUC-1", {"top_indices": list(range(5, 261)), "top_logits": [10.0] * 256}),
        ("NUC-8", {"top_indices": list(range(5, 106)), "top_logits": [10.0] * 101, "logsumexp": 15.0}),
        ("ROW-3", {"top_logits": [10.0]}),
        ("ROW-4", {"sampled_logits": [2.0]}),
        ("ROW-4", {"sampled_indices": [], "sampled_logits": []}),
        ("NUC-2", {"top_indices": [1, 1]}),
        ("TAIL-1", {"sampled_indices": [3, 3]}),
        ("TAIL-2", {"sampled_indices": [3, 1]}),
        ("NUC-3", {"sampled_logits": [-1.0, 9.75]}),
        ("LSE-2", {"logsumexp": 10.0}),
        ("ALN-4", {"token_id": 2**31}),
        ("COL-3", {"logsumexp": None}),
        ("COL-3", {"sampled_indices": [3, None]}),
    ],
)
def test_what_no_file_can_hold_is_refused(requirement: str, change: dict[str, Any]) -> None:
    """With the requirement that a file would break."""
    refused(requirement, change)


def test_tokens_that_do_not_go_together_are_refused() -> None:
    """Tails of two lengths, a token id for one token only, a row without tokens."""
    refused("ROW-5", {}, {"row": 1, "sampled_indices": [3], "sampled_logits": [2.0]})
    refused("COL-3", {"token_id": 5}, {"row": 1})
    refused("ROW-1", {}, dict.fromkeys(TOKEN, None) | {"row": 1})


@pytest.mark.parametrize(
    ("requirement", "change", "metadata"),
    [
        ("IDX-6", {"top_indices": [1, 1000]}, {}),
        ("ALN-4", {"token_id": 1000}, {}),
        ("TAIL-4", {}, {"tail": {"num_sampled": 3, "method": "uniform"}}),
        ("NUC-7", {"top_logits": [9.5, 10.0]}, {"nucleus": {"rule": "unspecified", "order": "descending"}}),
        ("NUC-8", {}, {"nucleus": {"rule": "unspecified", "max_entries": 1}}),
        ("NUC-4", {}, {"nucleus": {"rule": "covering", "top_p": 0.98, "max_entries": 9}}),
        ("NUC-5", {}, {"nucleus": {"rule": "covering", "top_p": 0.5, "max_entries": 9}}),
        ("NUC-6", {}, {"nucleus": {"rule": "below", "top_p": 0.5, "max_entries": 9}}),
        ("LSE-3", {"logsumexp": 20.0}, {}),
    ],
)
def test_metadata_that_the_tokens_do_not_bear_out(requirement: str, change: dict[str, Any], metadata: Any) -> None:
    """The same tokens may be written without them."""
    with pytest.raises(BreachError, match=f"^{requirement}:"):
        encode(tokens(change), METADATA | metadata)
    assert 1 == encode(tokens(change)).height


def test_metadata_that_the_tokens_bear_out() -> None:
    """Mass 0.549 and 0.333 of 0.882: the rules are met."""
    for rule, top_p in (("covering", 0.88), ("below", 0.89)):
        nucleus = {"rule": rule, "top_p": top_p, "max_entries": 9, "order": "descending"}
        assert 1 == encode(tokens({}), METADATA | {"nucleus": nucleus}).height


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("top_indices", pl.List(pl.Float64)), ("token_id", pl.Float32), ("sampled_logits", pl.List(pl.Int32))],
)
def test_type_that_is_not_accepted(name: str, dtype: Any) -> None:
    """Nothing is converted that could lose something."""
    with pytest.raises(BreachError, match=f"COL-2: {name}"):
        encode(tokens({"token_id": 5}).cast({name: dtype}))


def test_missing_column() -> None:
    """It is named."""
    with pytest.raises(BreachError, match="no column logsumexp"):
        encode(tokens({}).drop("logsumexp"))


def test_types_that_are_accepted() -> None:
    """Arrays for lists, narrow types for wide ones, token ids that are null throughout."""
    narrow = {"top_indices": pl.Array(pl.UInt8, 2), "top_logits": pl.Array(pl.Float32, 2), "token_id": pl.Null}
    assert encode(tokens({})).equals(encode(tokens({}).cast(narrow)))
