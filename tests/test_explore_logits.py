"""explore_logits: rows through `datasets`, judged and decoded by LogitPack."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logitpack
from commandline import REAL
from explore_logits import (
    dequantize_sampled_logits,
    dequantize_top_logits,
    get_sample,
    load_logit_dataset,
    logits_to_probs,
    print_sample_info,
)
from logitpack.resources import load_schema
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.rows import Row, described, unpacked, valid_rows, with_token_ids

NAN = float("nan")
STRUCTURAL = {one["id"] for one in load_schema("requirements.json")["requirements"] if one["kind"] == "S"}


class Stream:
    """What a streamed dataset can do: be iterated over, skip rows and take rows."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def skip(self, number: int) -> Stream:
        """Return what follows the first `number` rows."""
        return Stream(self.rows[number:])

    def take(self, number: int) -> Stream:
        """Return the first `number` rows."""
        return Stream(self.rows[:number])


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Valid rows of 4, 1 and 7 tokens, as Python values; tests leave them as they are."""
    return with_token_ids(valid_rows())


@pytest.mark.parametrize("wrap", [list, Stream, lambda rows: (row for row in rows)], ids=["list", "stream", "iterator"])
def test_row_of_any_dataset(rows: list[Row], wrap: Any) -> None:
    """A row comes from a dataset that is indexed, streamed, or no more than iterated over."""
    sample = get_sample(wrap(rows), 2)
    assert 2 == sample["index"]
    assert rows[2]["top_counts"] == [len(indices) for indices in sample["top_indices"]]
    assert rows[2]["token_ids"] == sample["token_ids"]


def test_entries_are_unpacked(rows: list[Row]) -> None:
    """Indices are whole, codes as they are stored, both token by token."""
    sample = get_sample(rows, 0)
    for kind in ("top", "sampled"):
        indices, codes = sample[f"{kind}_indices"], sample[f"{kind}_logits"]
        assert (4, 4) == (len(indices), len(codes))
        assert unpacked(rows[0], kind) == np.concatenate(indices).tolist()
        assert rows[0][f"{kind}_logits_quantized"] == np.concatenate(codes).tolist()
        assert (np.int32, np.uint16) == (indices[0].dtype, codes[0].dtype)


def test_the_dataset_keeps_its_row(rows: list[Row]) -> None:
    """What is unpacked stands in a dict of its own."""
    before = set(rows[0])
    get_sample(rows, 0)
    assert before == set(rows[0])


@pytest.mark.parametrize("streaming", [True, False])
def test_through_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streaming: bool) -> None:
    """Of the real dataset every entry is what `logitpack.read` decodes."""
    datasets = pytest.importorskip("datasets", reason="needs datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    datasets.disable_progress_bars()
    dataset = load_logit_dataset(REAL.as_posix(), streaming=streaming)
    (batch,) = logitpack.read(REAL)
    for index in (0, 15):
        sample = get_sample(dataset, index)
        first = int(batch.row_offsets[index])
        assert batch.num_tokens[index] == sample["num_tokens"]
        for token in range(sample["num_tokens"]):
            start, stop = batch.top_offsets[first + token : first + token + 2]
            indices, logits = dequantize_top_logits(sample, token)
            assert batch.top_indices[start:stop].tolist() == indices.tolist()
            assert batch.top_logits[start:stop].tolist() == logits.tolist()
            indices, logits = dequantize_sampled_logits(sample, token)
            assert batch.sampled_indices[first + token].tolist() == indices.tolist()
            assert batch.sampled_logits[first + token].tolist() == logits.tolist()


def test_without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `datasets` is missing, it is said what to install."""
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(logitpack.UsageError, match=r"logitpack\[hub\]"):
        load_logit_dataset("example/dataset")


@pytest.mark.parametrize("wrap", [list, Stream])
@pytest.mark.parametrize("index", [-1, 3, 10**9])
def test_row_that_is_not_there(rows: list[Row], wrap: Any, index: int) -> None:
    """An index that the dataset does not have is the caller's fault."""
    with pytest.raises(logitpack.UsageError, match=f"row {index} is "):
        get_sample(wrap(rows), index)


@pytest.mark.parametrize("token", [-1, 4])
@pytest.mark.parametrize("decode", [dequantize_top_logits, dequantize_sampled_logits])
def test_token_that_is_not_there(rows: list[Row], decode: Any, token: int) -> None:
    """So is a token that the row does not have; a negative one does not count from the end."""
    with pytest.raises(logitpack.UsageError, match=f"token {token} is not there: row 0 has tokens 0 to 3"):
        decode(get_sample(rows), token)


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.requirement in STRUCTURAL])
def test_broken_row(name: str) -> None:
    """A row with a structural fault is refused by the requirement that it breaks."""
    broken = with_token_ids(valid_rows())
    FAULTS[name].apply(broken, described())
    found = []
    for index in range(len(broken)):
        try:
            get_sample(broken, index)
        except logitpack.DataError as error:
            found.append((error.requirement, error.place.row == index))
    assert {(FAULTS[name].requirement, True)} == set(found)


@pytest.mark.parametrize(
    ("column", "value", "requirement"),
    [
        ("top_counts", None, "COL-3"),
        ("num_tokens", None, "COL-3"),
        ("num_tokens", 0, "ROW-1"),
        ("num_tokens", "four", "COL-2"),
        ("top_indices_high", "text", "COL-2"),
        ("top_min", [1, "x"], "COL-2"),
        ("top_min", [], "ROW-2"),
        ("logsumexp", [NAN] * 4, "LSE-1"),
        ("sampled_indices_low", [], "ROW-4"),
        ("sampled_logits_quantized", [2**70], "COL-2"),
        ("top_indices_low", {"a": 1}, "COL-2"),
    ],
)
def test_values_of_any_kind(rows: list[Row], column: str, value: object, requirement: str) -> None:
    """Whatever stands where a column should be, it is told by requirement, and nothing is returned."""
    with pytest.raises(logitpack.DataError) as caught:
        get_sample([{**rows[0], column: value}])
    assert requirement == caught.value.requirement


def test_missing_column() -> None:
    """A dataset of something else is told by the column that is missing."""
    with pytest.raises(logitpack.DataError, match=r"COL-1: num_tokens"):
        get_sample([{"text": "hello"}])


def test_row_that_is_no_dict() -> None:
    """A list of something else is the caller's fault."""
    with pytest.raises(logitpack.UsageError, match="a row is a dict of columns, not int"):
        get_sample([1])


def test_probabilities_under_the_full_vocabulary() -> None:
    """With logsumexp they are exp of the difference, in the dtype of the logits."""
    logits = np.array([1.0, 2.0], np.float32)
    probabilities = logits_to_probs(logits, np.float64(2.5))
    assert np.float32 == probabilities.dtype
    assert np.exp(np.array([-1.5, -0.5], np.float32)).tolist() == probabilities.tolist()


def test_probabilities_renormalised() -> None:
    """Without it they add up to 1, also where exp of the logits would overflow."""
    probabilities = logits_to_probs(np.array([1000.0, 1000.0, -np.inf]))
    assert [0.5, 0.5, 0.0] == probabilities.tolist()


def test_no_probabilities() -> None:
    """No entries have no probabilities."""
    assert [] == logits_to_probs(np.zeros(0, np.float32)).tolist()


def test_sample_info(rows: list[Row], capsys: pytest.CaptureFixture[str]) -> None:
    """A row's sizes and masses, and the names of other columns, made printable."""
    print_sample_info(get_sample([{**rows[0], "id\x1b[31m": 1}]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Row 0: 4 tokens, ")
    assert "  token_ids     present" in lines
    assert "  other columns id\\x1b[31m" == lines[-1]
    assert 7 == len(lines)


def test_short_sample_info(rows: list[Row], capsys: pytest.CaptureFixture[str]) -> None:
    """Without `verbose` it is one line."""
    print_sample_info(get_sample(rows, 1), verbose=False)
    assert 1 == capsys.readouterr().out.count("\n")
