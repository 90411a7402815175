"""What must hold before a row can be read, found for all rows at once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from logitpack import structure, values
from logitpack.breach import first
from logitpack.codec import decode
from logitpack.columns import normalise
from logitpack.errors import DataError, Place
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.rows import STRIDE, Row, described, valid_rows, with_token_ids
from support import table

STRUCTURAL = {"ROW-1", "ROW-2", "ROW-3", "ROW-4", "IDX-1", "IDX-3", "QNT-1", "QNT-8", "NUC-1", "LSE-1"}
FOUND = {name: fault for name, fault in FAULTS.items() if fault.requirement in STRUCTURAL}

VALID = with_token_ids(valid_rows((4, 3, 7)))


def rows() -> list[Row]:
    """Three valid rows that may be broken."""
    return copy.deepcopy(VALID)


def batch_of(broken: list[Row]) -> pa.RecordBatch:
    """Make a record batch of the widest types, which can hold any value."""
    return table(broken, wide=True).combine_chunks().to_batches()[0]


def judged(broken: list[Row]) -> structure.Judgement:
    """Judge rows."""
    return structure.judge(normalise(batch_of(broken)))


def message_of(broken: list[Row]) -> str:
    """Give the text of the first breach."""
    breach = first(judged(broken).breaches)
    assert breach is not None
    return str(breach.error())


def test_valid_rows_are_sound() -> None:
    """Nothing is found in rows that hold, and S is told."""
    judgement = judged(rows())
    assert ([], [True] * 3, [STRIDE] * 3) == (
        judgement.breaches,
        judgement.sound.tolist(),
        judgement.num_sampled.tolist(),
    )


@pytest.mark.parametrize("name", FOUND)
def test_one_fault_breaks_one_requirement(name: str) -> None:
    """Each single fault is found under its own id, and no other."""
    requirement, make = FOUND[name].requirement, FOUND[name].apply
    broken = rows()
    make(broken, described())
    assert {requirement} == {breach.requirement for breach in judged(broken).breaches}


@pytest.mark.parametrize("name", FOUND)
def test_the_broken_row_is_not_sound(name: str) -> None:
    """Only the row that is broken is put aside."""
    broken = rows()
    FOUND[name].apply(broken, described())
    assert [True, True, False] == judged(broken).sound.tolist()


@pytest.mark.parametrize("name", FOUND)
def test_decoding_raises_it(name: str) -> None:
    """A decoder refuses the batch with that id, and names the row."""
    requirement, make = FOUND[name].requirement, FOUND[name].apply
    broken = rows()
    make(broken, described())
    with pytest.raises(DataError) as caught:
        decode(batch_of(broken))
    assert (requirement, 2) == (caught.value.requirement, caught.value.place.row)


def test_all_breaches_of_a_row_are_found() -> None:
    """Faults that do not stand on one another are all reported."""
    broken = rows()
    broken[1]["top_indices_high"] += b"\0"
    broken[1]["logsumexp"][0] = float("nan")
    broken[1]["sampled_min"] = broken[1]["sampled_min"][:-1]
    assert ["ROW-2", "IDX-3", "LSE-1"] == [breach.requirement for breach in judged(broken).breaches]


def test_all_places_are_counted() -> None:
    """One breach holds every place of a requirement in a column, in order."""
    broken = rows()
    for row, token in ((0, 3), (2, 1), (2, 5)):
        broken[row]["logsumexp"][token] = float("inf")
    (breach,) = judged(broken).breaches
    assert [(0, 3), (2, 1), (2, 5)] == [(breach.place(k).row, breach.place(k).token) for k in range(len(breach))]


def test_the_first_row_comes_first() -> None:
    """A decoder names the first broken row, though a later one breaks an earlier requirement."""
    broken = rows()
    broken[2]["num_tokens"] = 0
    broken[1]["logsumexp"][0] = float("nan")
    assert message_of(broken).startswith("LSE-1")


def test_judging_order_within_a_row() -> None:
    """Of one row, what is judged first is named."""
    broken = rows()
    broken[1]["logsumexp"][0] = float("nan")
    broken[1]["top_min"] = broken[1]["top_min"][1:]
    assert message_of(broken).startswith("ROW-2")


@pytest.mark.parametrize("kind", ["top", "sampled"])
def test_place_of_an_entry(kind: str) -> None:
    """An entry is told by its token and its position there."""
    broken = rows()
    counts = VALID[2]["top_counts"] if kind == "top" else [STRIDE] * 7
    broken[2][f"{kind}_logits_quantized"][sum(counts[:4]) + 1] = 65_536
    (breach,) = judged(broken).breaches
    assert Place(row=2, token=4, entry=1, column=f"{kind}_logits_quantized") == breach.place()


def test_rows_count_from_the_start_of_the_file() -> None:
    """A batch that is not the first of its file says so in its places."""
    broken = rows()
    broken[1]["num_tokens"] = 0
    (breach,) = structure.judge(normalise(batch_of(broken), first_row=100)).breaches
    assert 101 == breach.place().row


def test_null_row_is_judged_for_nothing_else() -> None:
    """COL-3 stands before all requirements on rows, which go on for the other rows."""
    broken: list[dict[str, Any]] = rows()
    broken[0]["top_min"] = None
    broken[0]["num_tokens"] = 0
    broken[2]["num_tokens"] = 0
    assert [("COL-3", [0]), ("ROW-1", [2])] == [(b.requirement, b.rows.tolist()) for b in judged(broken).breaches]


def test_counts_of_a_broken_row_disturb_no_other() -> None:
    """Rows are judged by themselves: huge and negative counts in one leave the next alone."""
    broken = rows()
    broken[0]["top_counts"] = [2**40, -(2**40), 2**62, 2**62]
    broken[2]["top_indices_low"][0] = -1
    places = [(b.requirement, b.place().row, b.place().token) for b in judged(broken).breaches]
    assert [("NUC-1", 0, 0), ("IDX-1", 2, 0)] == places


def test_counts_are_added_in_wide_integers() -> None:
    """The sum of many uint8 counts is beyond uint8, and still right."""
    row = dict(rows()[2])
    tokens = 7
    row["top_counts"] = [100] * tokens
    row["top_indices_low"] = row["top_logits_quantized"] = list(range(100)) * tokens
    row["top_indices_high"] = bytes(100 * tokens // 4)
    batch = table([row]).combine_chunks().to_batches()[0]
    assert [] == structure.judge(normalise(batch)).breaches


def test_no_rows() -> None:
    """A batch without rows breaks nothing."""
    assert [] == structure.judge(normalise(batch_of(rows()).slice(0, 0))).breaches


MESSAGES: dict[str, tuple[Callable[[Row], object], str]] = {
    "ROW-1": (lambda r: r.update(num_tokens=0), "ROW-1: num_tokens is 0, expected 1 to 2147483647 (row 0, column"),
    "ROW-2": (lambda r: r["top_min"].pop(), "ROW-2: top_min has 3 elements, expected 4, one for each token (row 0,"),
    "NUC-1": (
        lambda r: r["top_counts"].__setitem__(3, 0),
        "NUC-1: top_counts holds 0, expected 1 to 255 (row 0, token 3",
    ),
    "ROW-4": (
        lambda r: r["sampled_indices_low"].pop(),
        "ROW-4: sampled_indices_low has 19 elements and sampled_logits_quantized 20, expected the same multiple of 4",
    ),
    "IDX-3": (
        lambda r: r.update(sampled_indices_high=b"0"),
        "IDX-3: sampled_indices_high has 1 byte, expected 5 for 20 indices (row 0, column sampled_indices_high)",
    ),
    "QNT-1": (
        lambda r: r["top_max"].__setitem__(1, float("inf")),
        "QNT-1: top_max is inf, expected a finite number (row 0, token 1, column top_max)",
    ),
    "LSE-1": (
        lambda r: r["logsumexp"].__setitem__(0, float("nan")),
        "LSE-1: logsumexp is nan, expected a finite number (row 0, token 0, column logsumexp)",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name: str) -> None:
    """A message says what is there and what should be, and ends with the place."""
    broken = rows()
    MESSAGES[name][0](broken[0])
    assert message_of(broken).startswith(MESSAGES[name][1])


def test_token_ids_of_another_length() -> None:
    """ALN-4: the ids are one for each token."""
    broken = rows()
    broken[1]["token_ids"].append(0)
    columns = normalise(batch_of(broken))
    (breach,) = structure.token_ids(columns, structure.judge(columns).sound)
    assert ("ALN-4", [1]) == (breach.requirement, breach.rows.tolist())


def test_token_ids_are_judged_on_sound_rows_only() -> None:
    """ALN-4 is semantic: a row that cannot be read is not judged for it."""
    broken = rows()
    broken[1]["token_ids"][0] = -1
    broken[1]["num_tokens"] = 0
    columns = normalise(batch_of(broken))
    assert [] == list(structure.token_ids(columns, structure.judge(columns).sound))


def test_types_that_cannot_break_a_range_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of canonical columns, only the numbers of tokens and of entries are looked at for their range."""
    seen: list[int] = []

    def in_range(numbers: NDArray[Any], low: int, high: int) -> NDArray[np.bool_]:
        seen.append(len(numbers))
        return np.asarray((numbers >= low) & (numbers <= high))

    monkeypatch.setattr(values, "in_range", in_range)
    structure.judge(normalise(table(rows()).combine_chunks().to_batches()[0]))
    assert [3, 14] == seen
