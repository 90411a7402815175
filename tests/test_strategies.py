"""The public strategies: what they give is valid, or broken in one way; corners are met; the smallest are plain."""

from __future__ import annotations

import doctest
import json
import math
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import logitpack
from logitpack import logical_json
from logitpack_conformance import strategies as lp
from logitpack_conformance.oracle import logits
from logitpack_conformance.oracle.logical import LogicalEntries, decode, encode, of_json
from logitpack_conformance.oracle.metadata import read_metadata
from logitpack_conformance.strategies.dense import why_refused
from logitpack_conformance.strategies.refusals import REFUSED
from logitpack_conformance.strategies.stored import broken, stored

bounded = settings(
    deadline=None, derandomize=True, database=None, max_examples=40, suppress_health_check=list(HealthCheck)
)
MODULES = ("dense", "logical", "metadata", "refusals", "stored", "values")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    """Each example in a docstring gives what stands there."""
    module = import_module(f"logitpack_conformance.strategies.{name}")
    found = doctest.testmod(module, extraglobs={"smallest": lp.smallest})
    assert found.failed == 0
    assert found.attempted > 0


def test_everything_public_is_documented() -> None:
    """The package's docstring names each strategy."""
    named = [name for name in lp.__all__ if name[0].islower()]
    assert named == [name for name in named if f"`{name}`" in str(lp.__doc__)]


# Valid rows


@given(lp.stored_datasets())
@bounded
def test_stored_rows_are_valid(dataset: lp.Dataset) -> None:
    """The oracle finds nothing, neither error nor warning."""
    assert broken(dataset.rows, dataset.metadata) == set()


def _encoded(given: LogicalEntries, back: LogicalEntries, low: float, high: float) -> bool:
    bound = logits.tolerance(Fraction(low), Fraction(high))
    return given.indices == back.indices and all(
        abs(x - v) <= bound for x, v in zip(given.logits, back.logits, strict=True)
    )


@given(lp.logical_rows())
@bounded
def test_logical_rows_can_be_stored(rows: list[dict[str, Any]]) -> None:
    """Each logit is within QNT-3 of what is stored for it, and all else is the same."""
    for row in rows:
        meaning = of_json(row)
        file = encode(meaning)
        for number, (token, back) in enumerate(zip(meaning, decode(file), strict=True)):
            assert _encoded(token.top, back.top, file["top_min"][number], file["top_max"][number])
            assert _encoded(token.sampled, back.sampled, file["sampled_min"][number], file["sampled_max"][number])
            assert (token.logsumexp, token.token_id) == (back.logsumexp, back.token_id)


@given(lp.logical_datasets())
@bounded
def test_the_reference_writes_them(dataset: lp.Dataset) -> None:
    """A writer has to take them (WR-5), and the reference does."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.arrow")
        logitpack.write(path, logical_json.batch_from_logical(dataset.rows), dataset.metadata)
        assert logitpack.check(path).verdict == "valid"


@given(lp.metadata())
@bounded
def test_metadata_are_valid(members: dict[str, Any]) -> None:
    """META-1 and META-2 hold for metadata without rows."""
    assert read_metadata(json.dumps(members).encode()).findings == []


@pytest.mark.parametrize("rule", ["covering", "below", "unspecified"])
def test_each_rule_is_declared(rule: str) -> None:
    """There are rows by which each rule is kept."""
    found = lp.smallest(
        lp.logical_datasets(described=True, max_size=1),
        lambda one: one.metadata is not None and one.metadata["nucleus"]["rule"] == rule,
    )
    assert broken(stored(found.rows), found.metadata) == set()


@pytest.mark.parametrize("wanted", [True, False])
def test_token_ids_as_wanted(wanted: bool) -> None:
    """All tokens have ids, or none has."""
    found = lp.smallest(lp.logical_rows(token_ids=wanted), lambda rows: len(rows) > 1)
    assert [wanted] * 2 == ["token_id" in row["tokens"][0] for row in found]


# Broken rows


@given(lp.faulty())
@bounded
def test_faulty_rows_break_one_requirement(found: lp.Faulty) -> None:
    """The oracle finds exactly the requirement of the fault, and nothing before it."""
    assert broken(found.rows, found.metadata) == {found.requirement}
    assert broken(found.sound.rows, found.sound.metadata) == set()


@given(lp.refusals())
@bounded
def test_the_reference_refuses(refusal: lp.Refusal) -> None:
    """A writer has to refuse them, and the reference does."""
    text = "".join(json.dumps(_plain(row)) + "\n" for row in refusal.rows)
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.arrow")
        with pytest.raises(logitpack.LogitPackError):
            logitpack.write(path, logical_json.batch_from_logical(map(json.loads, text.splitlines())), refusal.metadata)
        assert not path.exists()


def _plain(value: Any) -> Any:
    """Give JSON as logical JSON has it, non-finite numbers as strings."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


@pytest.mark.parametrize("name", list(REFUSED))
def test_each_refusal_is_met(name: str) -> None:
    """There are rows with room for each way to be refused."""
    assert (
        lp.smallest(lp.refusals((name,)), lambda found: found.fault == name).requirement
        == name.split("/", maxsplit=1)[0]
    )


# Dense logits


@given(lp.extractions())
@bounded
def test_extractions_leave_room(found: lp.Extraction) -> None:
    """An extractor has no reason to refuse, and a token to extract."""
    assert why_refused(found.logits, found.request) == ""
    assert {len(row) for row in found.logits} == {found.request["vocab_size"]}
    assert len(found.logits) == len(found.request["mask"])


@given(lp.refused_extractions())
@bounded
def test_refused_extractions_have_one_reason(found: lp.Extraction) -> None:
    """An extractor has to refuse, for the requirement that is named."""
    assert why_refused(found.logits, found.request) == found.requirement


# Corners and smallest examples


Row = dict[str, Any]


def _entries(row: Row, kind: str) -> list[int]:
    return [index for token in row["tokens"] for index in token[kind]["indices"]]


def _counts(row: Row) -> list[int]:
    return [len(token["top"]["indices"]) for token in row["tokens"]]


def _widths(row: Row) -> list[float]:
    return [max(token["top"]["logits"]) - min(token["top"]["logits"]) for token in row["tokens"]]


CORNERS: dict[str, Callable[[Row], bool]] = {
    "131071 in a tail": lambda row: 131_071 in _entries(row, "sampled"),
    "262143 last": lambda row: _entries(row, "top")[-1] == 262_143,
    "3 mod 4": lambda row: len(_entries(row, "top")) % 4 == 3 and _entries(row, "top")[-1] > 65_535,
    "subnormal range": lambda row: any(0 < width < 2.0**-126 for width in _widths(row)),
    "huge range": lambda row: max(_widths(row)) > 3e38,
    "equal logits": lambda row: 0 in _widths(row) and max(_counts(row)) > 1,
    "negative zero": lambda row: "-0.0" in repr(row),
    "100 entries": lambda row: 100 in _counts(row),
    "a sum of 255": lambda row: 255 in accumulate(_counts(row)),
    "a sum of 256 within": lambda row: 256 in list(accumulate(_counts(row)))[:-1],
    "24 in a tail": lambda row: len(row["tokens"][0]["sampled"]["indices"]) == 24,
}


def test_corners_are_met() -> None:
    """Each shape at which implementations go wrong is among some hundred examples."""
    met: set[str] = set()

    @settings(bounded, max_examples=600, phases=(Phase.generate,))
    @given(lp.logical_rows())
    def look(rows: list[Row]) -> None:
        met.update(name for name, is_met in CORNERS.items() if any(is_met(row) for row in rows))

    look()
    assert set(CORNERS) == met


def test_small_tokens_are_plain() -> None:
    """What is needed stays when a token is made small, and nothing else."""
    found = lp.smallest(lp.tokens(3), lambda token: token["top"]["indices"][-1] >= 70_000)
    assert {"indices": [0, 1, 70_000], "logits": [0.0, 0.0, 0.0]} == found["top"]


def test_smallest_rows() -> None:
    """The smallest dataset is one token with one entry of index 0, and a tail of one."""
    expected = {
        "num_tokens": 1,
        "top_counts": [1],
        "top_indices_low": [0],
        "top_indices_high": b"\0",
        "top_logits_quantized": [0],
        "top_min": [0.0],
        "top_max": [0.0],
        "sampled_indices_low": [1],
        "sampled_indices_high": b"\0",
        "sampled_logits_quantized": [0],
        "sampled_min": [0.0],
        "sampled_max": [0.0],
        "logsumexp": [math.log(2)],
    }
    assert (([expected]), None) == lp.smallest(lp.stored_datasets())


@given(lp.ranges(), st.data())
@bounded
def test_ranges_are_ranges(ends: tuple[float, float], data: st.DataObject) -> None:
    """Both ends are finite in binary32, the first not above the second, and so is their difference (QNT-1)."""
    low, high = ends
    row = data.draw(lp.stored_rows(max_size=1))[0]
    row["top_min"][0], row["top_max"][0] = low, high
    assert "QNT-1" not in broken([row], None)
