"""Errors carry their facts, say the place, and are safe to print."""

from __future__ import annotations

import pickle

import pytest

from logitpack.errors import DataError, LogitPackError, Place, UsageError, printable


def test_text_has_requirement_message_and_place() -> None:
    """An error reads as requirement, what is wrong, and where."""
    error = DataError(
        "top_indices_high has 1 byte, expected 2 for 5 indices",
        requirement="IDX-3",
        place=Place(file="part-0.parquet", row=17),
    )
    expected = "IDX-3: top_indices_high has 1 byte, expected 2 for 5 indices (part-0.parquet, row 17)"
    assert expected == str(error)


def test_text_without_requirement_and_place() -> None:
    """What is not known is left out, brackets and all."""
    assert "block is too small" == str(UsageError("block is too small"))


def test_place_names_every_part_widest_first() -> None:
    """A place goes from the file down to the entry, then says the column."""
    place = Place(column="top_min", entry=5, token=3, row=17, row_group=0, file="part-0.parquet")
    assert "part-0.parquet, row group 0, row 17, token 3, entry 5, column top_min" == str(place)


def test_place_of_nothing_is_empty() -> None:
    """A place of which nothing is known has no text."""
    assert str(Place()) == ""


def test_place_shows_zero() -> None:
    """Row 0 is a known row."""
    assert "row 0" == str(Place(row=0))


def test_facts_stand_as_attributes() -> None:
    """A program reads the facts without parsing the text."""
    error = DataError("x", requirement="ROW-1", place=Place(row=2), got=0, allowed=(1, 2**31 - 1))
    facts = (error.message, error.requirement, error.place, error.got, error.allowed)
    assert ("x", "ROW-1", Place(row=2), 0, (1, 2**31 - 1)) == facts


@pytest.mark.parametrize("kind", [UsageError, DataError])
def test_both_errors_are_value_errors(kind: type[LogitPackError]) -> None:
    """Code that knows nothing of LogitPack can still catch them."""
    assert issubclass(kind, ValueError)


def test_the_two_errors_are_told_apart() -> None:
    """Neither error is a kind of the other."""
    assert not issubclass(DataError, UsageError)
    assert not issubclass(UsageError, DataError)


def test_at_fills_in_what_is_missing() -> None:
    """An outer layer adds the parts of the place that it knows."""
    error = DataError("x", place=Place(row=3)).at(file="a.parquet", column="top_min")
    assert Place(file="a.parquet", row=3, column="top_min") == error.place


def test_at_keeps_what_is_known() -> None:
    """An outer layer does not overrule the inner one."""
    assert Place(row=0) == DataError("x", place=Place(row=0)).at(row=9).place


def test_at_leaves_the_original_alone() -> None:
    """The error that was raised stays as it was."""
    error = DataError("x")
    error.at(row=9)
    assert Place() == error.place


def test_at_keeps_class_and_facts() -> None:
    """The copy is the same error, elsewhere."""
    error = UsageError("x", requirement="IDX-6", got=7, allowed=3).at(row=1)
    assert (UsageError, "IDX-6: x (row 1)", 7, 3) == (type(error), str(error), error.got, error.allowed)


def test_errors_survive_pickling() -> None:
    """A worker process can hand an error to its parent with all its facts."""
    error = DataError("x", requirement="ROW-1", place=Place(row=2), got=0)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes
    assert (str(error), error.place, error.got) == (str(copy), copy.place, copy.got)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with spaces", "plain, with spaces"),
        ("naïve 東京 🙂", "naïve 東京 🙂"),
        ("a\nb", "a\\x0ab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x85", "\\x85"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    """Text from a file cannot move the cursor, reverse the line or break the encoding."""
    assert expected == printable(text)


def test_error_text_is_printable() -> None:
    """Names taken from data are escaped in message, file and column."""
    error = DataError("no \x07", place=Place(file="a\x1b", column="c\n"))
    assert "no \\x07 (a\\x1b, column c\\x0a)" == str(error)
