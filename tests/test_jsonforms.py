"""Stored JSON and logical JSON: text to rows and back."""

from __future__ import annotations

import io
import json
import math
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack import jsonforms
from logitpack.codec import decode, encode
from logitpack.columns import normalise
from logitpack.errors import DataError, UsageError
from logitpack.logical_json import batch_from_logical, logical_line, logical_rows, read_logical
from logitpack.resources import load_schema
from logitpack.stored_json import read_stored, stored_lines
from logitpack_conformance.rows import STRIDE, described, valid_rows, with_token_ids
from support import table

ROWS = with_token_ids(valid_rows((3, 2, 4)))
LINES = list(stored_lines(table(ROWS).combine_chunks().to_batches()[0]))


def stored(*lines: str | bytes) -> list[pa.RecordBatch]:
    """Read lines of stored JSON."""
    text = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    return list(read_stored(io.BytesIO(text)))


def changed(line: int = 0, **members: Any) -> str:
    """Give a valid line with some members replaced."""
    return json.dumps(json.loads(LINES[line]) | members)


def refusal(*lines: str | bytes) -> DataError:
    """Read lines that are refused."""
    with pytest.raises(DataError) as caught:
        stored(*lines)
    return caught.value


def logits_of(row: dict[str, Any]) -> list[float | str]:
    """Give the nucleus logits of a logical row."""
    return [logit for token in row["tokens"] for logit in token["top"]["logits"]]


def test_stored_round_trip() -> None:
    """Rows come back from their lines as they were."""
    assert ROWS == [row for batch in stored(*LINES) for row in batch.to_pylist()]


def test_stored_types_are_canonical() -> None:
    """Lines give the canonical types, as far as these hold the values."""
    assert table(ROWS).schema == stored(*LINES)[0].schema


def test_stored_lines_are_valid_against_the_published_schema() -> None:
    """What is written is what row.schema.json describes."""
    jsonschema = pytest.importorskip("jsonschema")
    for line in LINES:
        jsonschema.validate(json.loads(line), load_schema("row.schema.json"))


def test_no_lines() -> None:
    """An empty file has no rows."""
    assert [] == stored()


def test_last_line_without_a_line_break() -> None:
    """The last line may end with the file."""
    assert 2 == sum(batch.num_rows for batch in read_stored(io.BytesIO("\n".join(LINES[:2]).encode())))


def test_carriage_returns() -> None:
    """JSON allows white space around a value, a carriage return too."""
    assert 1 == stored(LINES[0] + "\r")[0].num_rows


def test_rows_are_batched_by_tokens() -> None:
    """A batch ends with the row that brings it to its tokens."""
    text = io.BytesIO("\n".join(LINES).encode())
    assert [2, 1] == [batch.num_rows for batch in read_stored(text, batch_tokens=5)]


def test_members_that_are_no_columns_are_ignored() -> None:
    """COL-4: a row may hold anything else, twice and nested too."""
    line = LINES[0][:-1] + ',"messages":[{"a":null}],"id":1,"id":2}'
    assert ROWS[:1] == stored(line)[0].to_pylist()


NOT_JSON: dict[str, str | bytes] = {
    "array": "[1]",
    "number": "1",
    "null": "null",
    "empty": "",
    "white": "  ",
    "cut": LINES[0][:-1],
    "two": LINES[0] + LINES[0],
    "nan": LINES[0].replace('"num_tokens":3', '"num_tokens":NaN'),
    "infinity": LINES[0].replace('"num_tokens":3', '"num_tokens":-Infinity'),
    "quotes": "{'a': 1}",
    "bom": "\ufeff" + LINES[0],
    "control": '{"a\tb": 1}',
    "deep": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "utf-8": LINES[0].encode()[:-1] + b',"a":"\xff"}',
    "utf-16": LINES[0].encode("utf-16"),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_not_one_object_a_line(name: str) -> None:
    """JSON-1: each line is one JSON object in UTF-8, and the row is its number."""
    error = refusal(LINES[0], NOT_JSON[name])
    assert ("JSON-1", 1) == (error.requirement, error.place.row)


BEYOND = {
    "a line of more than": b" " * jsonforms.MAX_LINE,
    "numbers": b"0," * (jsonforms.MAX_COMMAS + 1),
    "strings": b'""' * jsonforms.MAX_NESTED,
    "objects": b"{}" * jsonforms.MAX_NESTED + b"[",
}


@pytest.mark.parametrize("name", BEYOND)
def test_line_beyond_the_limit(name: str) -> None:
    """A line that takes too much memory is refused before it is parsed, and not called invalid."""
    with pytest.raises(UsageError, match="more than is read") as caught:
        stored(LINES[0], b'{"a":[' + BEYOND[name])
    assert (1, None) == (caught.value.place.row, caught.value.requirement)


def test_long_line_in_bounded_memory() -> None:
    """Numbers beside one that needs its exact value stay numbers: four million of them take no gigabyte."""
    numbers = "1.00000005960464477540," + "0.1," * 1_000_000
    line = LINES[0][:-1] + f',"x":[{numbers}0.1]}}'
    line = line.replace(str(ROWS[0]["top_min"][0]), "1.00000005960464477540", 1)
    tracemalloc.start()
    (batch,) = stored(line)
    assert 1 + 2**-23 == batch.column("top_min")[0][0].as_py()
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["num_tokens", "top_indices_high", "logsumexp"])
def test_missing_member(name: str) -> None:
    """COL-1: each line has all the columns."""
    row = json.loads(LINES[0])
    del row[name]
    error = refusal(json.dumps(row))
    assert ("COL-1", name) == (error.requirement, error.place.column)


@pytest.mark.parametrize("name", ["num_tokens", "token_ids"])
def test_member_twice(name: str) -> None:
    """COL-1: of two members of one name, which one is meant?"""
    line = LINES[0][:-1] + f',"{name}":1}}'
    assert f"COL-1: {name} stands twice, expected once (row 0, column {name})" == str(refusal(line))


WRONG: dict[str, dict[str, Any]] = {
    "boolean for integer": {"num_tokens": True},
    "fraction for integer": {"num_tokens": 3.0},
    "string for integer": {"num_tokens": "3"},
    "array for integer": {"num_tokens": [3]},
    "number for array": {"top_counts": 3},
    "object for array": {"top_min": {}},
    "boolean in array": {"top_counts": [1, True, 1]},
    "fraction in array": {"top_indices_low": [1.5]},
    "array in array": {"top_min": [[1.0]]},
    "boolean for number": {"logsumexp": [1, True, 2]},
    "string for number": {"logsumexp": ["1"]},
    "name of no number": {"top_max": ["nan"]},
    "array for binary": {"top_indices_high": [0]},
    "number for binary": {"top_indices_high": 0},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_type(name: str) -> None:
    """COL-2: a value of another type is refused, even where Python would take it."""
    error = refusal(changed(**WRONG[name]))
    assert ("COL-2", next(iter(WRONG[name]))) == (error.requirement, error.place.column)


@pytest.mark.parametrize("members", [{"num_tokens": None}, {"top_counts": None}, {"top_min": [1.0, None]}], ids=str)
def test_null(members: dict[str, Any]) -> None:
    """COL-3: nulls are found as in any other container."""
    (batch,) = stored(changed(**members))
    assert ["COL-3"] == [null.requirement for null in normalise(batch).nulls]


def test_token_ids_in_some_rows_only() -> None:
    """COL-1: the optional column stands in all rows or in none."""
    row = json.loads(LINES[1])
    del row["token_ids"]
    assert "COL-1" == refusal(LINES[0], json.dumps(row)).requirement


@pytest.mark.parametrize("text", ["AA=", "AA", "A A=", "AA==\n", "AB==", "AA==AA==", "A-__", "====", "ÄÄ=="])
def test_not_base64(text: str) -> None:
    """JSON-2: padded, standard alphabet, no white space, unused bits zero."""
    assert "JSON-2" == refusal(changed(top_indices_high=text)).requirement


OUT_OF_RANGE = [
    ("num_tokens", 2**31, "ROW-1"),
    ("num_tokens", -(2**70), "ROW-1"),
    ("num_tokens", 10**5000, "ROW-1"),
    ("top_counts", 256, "NUC-1"),
    ("sampled_indices_low", 65_536, "IDX-1"),
    ("top_logits_quantized", -1, "QNT-8"),
    ("top_logits_quantized", 10**30, "QNT-8"),
    ("top_max", 10**400, "QNT-1"),
    ("top_max", 1e39, "QNT-1"),
    ("sampled_min", "-Infinity", "QNT-1"),
    ("logsumexp", "NaN", "LSE-1"),
    ("logsumexp", "Infinity", "LSE-1"),
    ("token_ids", 2**64, "ALN-4"),
]


@pytest.mark.parametrize(("name", "value", "requirement"), OUT_OF_RANGE, ids=map(str, range(len(OUT_OF_RANGE))))
def test_number_out_of_range(name: str, value: float | str, requirement: str) -> None:
    """A number that is out of range breaks its own requirement, however far out it is."""
    row = json.loads(LINES[0])
    row[name] = value if name == "num_tokens" else [value, *row[name][1:]]
    line = json.dumps(row).replace("1e+39", "1e39") if not isinstance(value, int) else _with_digits(row, name, value)
    with pytest.raises(DataError) as caught:
        decode(stored(line)[0])
    assert requirement == caught.value.requirement


def _with_digits(row: dict[str, Any], name: str, value: int) -> str:
    """Write an integer that Python may refuse to turn into text."""
    digits = str(Decimal(value))
    if name == "num_tokens":
        return json.dumps(row | {name: "HERE"}).replace('"HERE"', digits)
    return json.dumps(row | {name: ["HERE", *row[name][1:]]}).replace('"HERE"', digits)


def test_numbers_without_fraction_are_floats_too() -> None:
    """A float may be written as an integer."""
    (batch,) = stored(changed(logsumexp=[100, 101, 102]))
    assert [100.0, 101.0, 102.0] == batch.column("logsumexp")[0].as_py()


def test_binary32_is_the_nearest_to_the_text() -> None:
    """A number is rounded once: binary64 would take this one to a tie, and the tie to the wrong side."""
    text = "1.00000005960464477540"
    (batch,) = stored(LINES[0].replace(str(ROWS[0]["top_min"][0]), text, 1))
    got = batch.column("top_min")[0].as_py()[0]
    assert 1 + 2**-23 == got
    assert 1.0 == float(np.float32(float(text)))


NEAR_A_TIE = (
    "1.00000005960464477539",
    "1.000000059604644775390625",
    "1.0000000596046447753906250001",
    "7.006492321624086e-46",
)


@pytest.mark.parametrize(
    "text",
    ["0.1", "1e-45", "7e-46", "7.1e-46", "-3.4028235e38", "1e999", "-0.0", "16777217", "16777219.0", *NEAR_A_TIE],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_nearest_float32(text: str, sign: str) -> None:
    """The value nearest to the decimal is taken, a tie to even, checked against exact fractions."""
    text = (sign + text).removeprefix("--")
    (batch,) = stored(LINES[0].replace(str(ROWS[0]["top_min"][0]), text, 1))
    got = batch.column("top_min")[0][0].as_py()
    if math.isinf(got):
        assert abs(float(text)) > float(np.finfo(np.float32).max)
        return
    with np.errstate(over="ignore"):
        around = [float(np.nextafter(np.float32(got), np.float32(end))) for end in (-math.inf, math.inf)]
    gaps = [abs(Fraction(x) - Fraction(Decimal(text))) for x in (got, *around) if math.isfinite(x)]
    assert min(gaps) == gaps[0]
    assert gaps.count(gaps[0]) == 1 or np.float32(got).view(np.uint32) % 2 == 0


def test_binary32_is_written_so_that_it_reads_back() -> None:
    """A range that is no short decimal comes back bit by bit."""
    values = np.array([0.1, 1e-45, 3.4028235e38], np.float32)
    line = changed(top_min=[float(v) for v in values])
    assert values.tolist() == stored(line)[0].column("top_min")[0].as_py()


def test_stored_lines_of_broken_rows() -> None:
    """Rows that break a requirement on values can be written down, non-finite ones as strings."""
    broken = json.loads(LINES[0]) | {"logsumexp": ["NaN", "Infinity", "-Infinity"]}
    (line,) = stored_lines(stored(json.dumps(broken))[0])
    assert broken == json.loads(line)


def test_rows_whose_line_would_not_be_read_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `read` refuses, `write` does: with the row's place in the file, and without a file."""
    content = table(valid_rows((3, 3, 60)), metadata=described())
    monkeypatch.setattr(jsonforms, "MAX_COMMAS", 400)
    with pytest.raises(UsageError, match=r"more than is read \(.*row 2\)"):
        logitpack.write(tmp_path / "x.ndjson", content, row_group_tokens=3)
    assert not [*tmp_path.iterdir()]
    logitpack.write(tmp_path / "x.ndjson", content.slice(0, 2), row_group_tokens=3)


def test_stored_lines_need_values() -> None:
    """COL-3: a null cannot be written."""
    with pytest.raises(DataError, match="COL-3"):
        list(stored_lines(stored(changed(num_tokens=None))[0]))


BATCH = decode(table(ROWS).combine_chunks().to_batches()[0], dtype=np.float64)


def test_logical_round_trip() -> None:
    """A batch comes back from its logical rows bit by bit."""
    text = "".join(logical_line(row) + "\n" for row in logical_rows(BATCH))
    batch = batch_from_logical(read_logical(io.BytesIO(text.encode())))
    for name in ("num_tokens", "top_counts", "top_indices", "top_logits", "sampled_logits", "logsumexp", "token_ids"):
        assert getattr(BATCH, name).tolist() == getattr(batch, name).tolist()


def test_logical_rows_encode_as_they_were() -> None:
    """What a row means is enough to store it again."""
    assert ROWS == encode(batch_from_logical(logical_rows(BATCH))).to_pylist()


def test_logical_lines_are_valid_against_the_published_schema() -> None:
    """What is written is what logical.schema.json describes."""
    jsonschema = pytest.importorskip("jsonschema")
    for row in logical_rows(BATCH):
        jsonschema.validate(json.loads(logical_line(row)), load_schema("logical.schema.json"))


def test_logical_floats_are_shortest() -> None:
    """A float has as many digits as it takes to read it back."""
    row = next(logical_rows(BATCH))
    row["tokens"][0]["logsumexp"] = 0.1
    assert '"logsumexp":0.1,' in logical_line(row)


def test_logical_non_finite_numbers() -> None:
    """Non-finite values are strings in both directions, and a writer refuses them by their own ids."""
    row = next(logical_rows(BATCH))
    row["tokens"][0]["top"]["logits"][0] = "NaN"
    batch = batch_from_logical([row])
    assert "NaN" == logits_of(next(logical_rows(batch)))[0]
    with pytest.raises(UsageError, match="QNT-6"):
        encode(batch)


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    """Take a member of the second token away."""
    return lambda token: token.pop(name)


LOGICAL: dict[str, tuple[str | None, Callable[[dict[str, Any]], object]]] = {
    "unequal nucleus": ("ROW-3", lambda t: t["top"]["logits"].append(1.0)),
    "unequal tail": ("ROW-4", lambda t: t["sampled"]["indices"].pop()),
    "empty tail": ("ROW-4", lambda t: t.update(sampled={"indices": [], "logits": []})),
    "another tail": ("ROW-4", lambda t: [v.pop() for v in t["sampled"].values()]),
    "empty nucleus": ("NUC-1", lambda t: t.update(top={"indices": [], "logits": []})),
    "index beyond 32 bits": ("IDX-6", lambda t: t["top"]["indices"].__setitem__(0, 2**31)),
    "id beyond 32 bits": ("ALN-4", lambda t: t.update(token_id=-(2**40))),
    "id in some tokens": ("ALN-4", drop("token_id")),
    "no logsumexp": (None, drop("logsumexp")),
    "no top": (None, drop("top")),
    "top is an array": (None, lambda t: t.update(top=[])),
    "indices are an object": (None, lambda t: t["top"].update(indices={})),
    "index is a fraction": (None, lambda t: t["top"]["indices"].__setitem__(0, 1.0)),
    "index is a boolean": (None, lambda t: t["top"]["indices"].__setitem__(0, True)),
    "logit is a string": (None, lambda t: t["top"]["logits"].__setitem__(0, "1")),
    "logsumexp is null": (None, lambda t: t.update(logsumexp=None)),
}


@pytest.mark.parametrize("name", LOGICAL)
def test_logical_faults(name: str) -> None:
    """A logical row that means no row is refused, with its row and token."""
    requirement, change = LOGICAL[name]
    rows = json.loads(json.dumps(list(logical_rows(BATCH))))
    change(rows[1]["tokens"][1])
    with pytest.raises(UsageError) as caught:
        batch_from_logical(rows)
    assert (requirement, 1, 1) == (caught.value.requirement, caught.value.place.row, caught.value.place.token)


@pytest.mark.parametrize(
    ("row", "requirement"), [({"tokens": []}, "ROW-1"), ({}, None), ({"tokens": 1}, None)], ids=str
)
def test_logical_row_without_tokens(row: dict[str, Any], requirement: str | None) -> None:
    """A row has tokens, and at least one of them."""
    with pytest.raises(UsageError) as caught:
        batch_from_logical([row])
    assert requirement == caught.value.requirement


def test_logical_rows_of_two_strides() -> None:
    """ROW-5: one batch has one S."""
    rows = json.loads(json.dumps(list(logical_rows(BATCH))))
    for token in rows[1]["tokens"]:
        token["sampled"] = {key: values[: STRIDE - 1] for key, values in token["sampled"].items()}
    with pytest.raises(UsageError, match="ROW-5: the tail has 4 entries, expected 5"):
        batch_from_logical(rows)


def test_logical_text_that_is_no_json() -> None:
    """The caller's text is the caller's fault."""
    with pytest.raises(UsageError, match="JSON-1"):
        list(read_logical(io.BytesIO(b"{")))
