"""Each structural requirement is found, and at its place."""

from typing import Any

import polars as pl
import pytest
from examples import FLOAT_MAX, ROW, SCHEMA, frame

from logitpack_polars import BreachError, structure
from logitpack_polars.columns import CANONICAL
from logitpack_polars.faults import reject

BROKEN = [
    ("COL-3", {"num_tokens": None}, None),
    ("COL-3", {"top_indices_high": None}, None),
    ("COL-3", {"top_min": None}, None),
    ("COL-3", {"top_logits_quantized": [65535, 27306, 0, None, 0]}, 3),
    ("COL-3", {"token_ids": [5, None]}, 1),
    ("ROW-1", {"num_tokens": 0}, None),
    ("ROW-1", {"num_tokens": -2}, None),
    ("ROW-1", {"num_tokens": 2**32 + 2}, None),
    ("ROW-2", {"num_tokens": 3}, None),
    ("ROW-2", {"sampled_max": [2.0]}, None),
    ("ROW-2", {"logsumexp": []}, None),
    ("NUC-1", {"top_counts": [5, 0]}, 1),
    ("NUC-1", {"top_counts": [256, 2]}, 0),
    ("NUC-1", {"top_counts": [2**63 - 1, 2**63 - 1]}, 0),
    ("ROW-3", {"top_counts": [3, 3]}, None),
    ("ROW-3", {"top_logits_quantized": [65535, 27306, 0, 65535]}, None),
    ("ROW-4", {"sampled_indices_low": [12, 65534, 65535]}, None),
    ("ROW-4", {"sampled_indices_low": [], "sampled_logits_quantized": [], "sampled_indices_high": b""}, None),
    ("ROW-4", {"sampled_logits_quantized": [0, 65535]}, None),
    ("IDX-3", {"top_indices_high": b"\xe4"}, None),
    ("IDX-3", {"sampled_indices_high": b"\x4c\x00"}, None),
    ("IDX-1", {"top_indices_low": [5, 5, 5, 65536, 7]}, 3),
    ("IDX-1", {"sampled_indices_low": [12, 65534, 65535, -1]}, 3),
    ("QNT-8", {"top_logits_quantized": [-1, 27306, 0, 65535, 0]}, 0),
    ("QNT-8", {"sampled_logits_quantized": [0, 65535, 0, 65536]}, 3),
    ("QNT-1", {"top_min": [7.0, 4.5]}, 1),
    ("QNT-1", {"top_max": [float("nan"), 4.0]}, 0),
    ("QNT-1", {"sampled_min": [float("-inf"), -2.0]}, 0),
    ("QNT-1", {"sampled_min": [-1.25, -FLOAT_MAX], "sampled_max": [2.0, FLOAT_MAX]}, 1),
    ("LSE-1", {"logsumexp": [10.25, float("inf")]}, 1),
]


def faults(stored: pl.DataFrame) -> list[dict[str, Any]]:
    plain = structure.plain(stored.lazy(), stored.schema).collect()
    return structure.faults(plain.lazy(), plain.schema).collect().to_dicts()


@pytest.mark.parametrize(("requirement", "change", "element"), BROKEN)
def test_fault_is_found(requirement: str, change: dict[str, Any], element: int | None) -> None:
    """The second of three rows is broken, and no other."""
    (found,) = faults(frame(ROW, ROW | change, ROW))
    assert (requirement, 1, element) == (found["requirement"], found["row"], found["element"])


def test_no_fault_in_sound_rows() -> None:
    """Neither in canonical nor in wider types."""
    assert faults(frame(ROW, ROW)) == faults(frame(ROW).cast(CANONICAL)) == []


def test_range_that_rounds_to_infinity() -> None:
    """Where binary64 stands for binary32, the value meant is the rounded one."""
    rows = frame(ROW).cast({"top_max": pl.List(pl.Float64)}).with_columns(top_max=pl.lit([10.0, 3.5e38]))
    (found,) = faults(rows)
    assert "QNT-1" == found["requirement"]


def test_message_names_place_and_values() -> None:
    """What a person needs to find the fault."""
    found = structure.faults(frame(ROW, ROW | {"num_tokens": 3}).lazy(), pl.Schema(SCHEMA))
    with pytest.raises(BreachError, match=r"^ROW-2: top_counts has 2 elements, expected 3 \(row 1\)$"):
        reject(found)


@pytest.mark.parametrize("name", [name for name in CANONICAL if name != "token_ids"])
def test_missing_column(name: str) -> None:
    """Every column but token_ids is required."""
    with pytest.raises(BreachError, match=f"COL-1.*{name}"):
        structure.check_schema(frame(ROW).drop(name).schema)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("num_tokens", pl.Float64),
        ("num_tokens", pl.Boolean),
        ("num_tokens", pl.Int128),
        ("top_counts", pl.UInt8),
        ("top_indices_low", pl.List(pl.String)),
        ("top_indices_low", pl.List(pl.Decimal(5, 0))),
        ("top_indices_high", pl.String),
        ("top_indices_high", pl.List(pl.UInt8)),
        ("top_min", pl.List(pl.Int32)),
        ("logsumexp", pl.List(pl.List(pl.Float64))),
        ("token_ids", pl.List(pl.Date)),
    ],
)
def test_type_that_is_not_accepted(name: str, dtype: Any) -> None:
    """COL-2."""
    with pytest.raises(BreachError, match=f"COL-2: {name} is"):
        structure.check_schema(pl.Schema(CANONICAL | {name: dtype}))


def test_fixed_size_lists_are_lists() -> None:
    """Polars calls them arrays."""
    rows = frame(ROW).cast({"top_min": pl.Array(pl.Float32, 2), "top_counts": pl.Array(pl.Int8, 2)})
    structure.check_schema(rows.schema)
    assert faults(rows) == []
