"""Types that are not accepted: COL-2, in Arrow and Parquet and in stored JSON."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.stored import Extra, Form

from .bases import sound, stored, variant
from .draft import ARROW, IPC, Draft

Make = Callable[[Any], Any]
PARQUET = (Container.PARQUET,)
FLAGS = ("COERCED_TYPE",)


def _each(make: Make) -> Make:
    return lambda values: [make(value) for value in values]


def _day(value: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=value)


def _text(value: bytes) -> str:
    return value.decode("latin-1")


DECIMAL = pa.decimal128(9)
ARROW_TYPES: tuple[tuple[str, str, pa.DataType, Make, str], ...] = (
    ("num_tokens", "float64", pa.float64(), float, "Num_tokens as a floating-point number, as after a null in pandas."),
    ("num_tokens", "decimal", DECIMAL, decimal.Decimal, "Num_tokens as a decimal, as some databases export integers."),
    ("num_tokens", "string", pa.string(), str, "Num_tokens as text."),
    ("num_tokens", "boolean", pa.bool_(), bool, "Num_tokens as a boolean."),
    ("num_tokens", "date", pa.date32(), _day, "Num_tokens as a date: an INT32 with another meaning."),
    ("num_tokens", "list", pa.list_(pa.int32()), lambda value: [value], "Num_tokens as a list of one."),
    ("top_counts", "float32", pa.list_(pa.float32()), _each(float), "Counts as floating-point numbers."),
    ("top_counts", "scalar", pa.int32(), lambda values: values[0], "Counts as one number a row instead of a list."),
    ("top_counts", "binary", pa.binary(), bytes, "Counts as bytes, which hold the same uint8 values."),
    ("top_indices_low", "decimal", pa.list_(DECIMAL), _each(decimal.Decimal), "Low parts as decimals."),
    ("top_indices_low", "string", pa.list_(pa.string()), _each(str), "Low parts as text."),
    (
        "top_indices_low",
        "nested",
        pa.list_(pa.list_(pa.uint16())),
        lambda v: [v],
        "Low parts token by token: lists of lists.",
    ),
    (
        "top_indices_low",
        "time",
        pa.list_(pa.time32("ms")),
        _each(lambda v: v),
        "Low parts as times of day in milliseconds.",
    ),
    ("top_logits_quantized", "float32", pa.list_(pa.float32()), _each(float), "Codes as floating-point numbers."),
    (
        "top_logits_quantized",
        "struct",
        pa.list_(pa.struct([("q", pa.int32())])),
        _each(lambda v: {"q": v}),
        "Codes inside structs.",
    ),
    ("top_min", "int32", pa.list_(pa.int32()), _each(round), "Ends of ranges as integers."),
    (
        "top_max",
        "decimal",
        pa.list_(pa.decimal128(20, 6)),
        _each(lambda v: decimal.Decimal(f"{v:.6f}")),
        "Ends of ranges as decimals.",
    ),
    ("sampled_min", "string", pa.list_(pa.string()), _each(str), "Ends of ranges as text."),
    ("logsumexp", "int64", pa.list_(pa.int64()), _each(round), "Logsumexps as integers: their fractions are gone."),
    ("logsumexp", "string", pa.list_(pa.string()), _each(repr), "Logsumexps as text."),
    ("logsumexp", "scalar", pa.float64(), lambda values: values[0], "One logsumexp a row instead of a list."),
    ("top_indices_high", "string", pa.string(), _text, "High parts as UTF-8 text."),
    ("top_indices_high", "list", pa.list_(pa.uint8()), list, "High parts as a list of uint8 instead of binary."),
    ("sampled_indices_high", "large-string", pa.large_string(), _text, "High parts as large UTF-8 text."),
    (
        "sampled_indices_high",
        "list-of-binary",
        pa.list_(pa.binary()),
        lambda value: [value],
        "High parts as a list of binary.",
    ),
    (
        "token_ids",
        "string",
        pa.list_(pa.string()),
        _each(str),
        "Token ids as text: the tokens instead of their numbers.",
    ),
    ("token_ids", "float64", pa.list_(pa.float64()), _each(float), "Token ids as floating-point numbers."),
)
"""By column: a name, a type, what makes its values of the canonical ones, and why."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    at = "types/refused"
    why = "Columns of canonical types, token_ids among them; all high parts are below 128."
    options: dict[str, Any] = {"token_ids": True, "features": ("token_ids",), "vocab": 32_000, "sizes": (2, 2)}
    twin = sound(f"{at}/none", why, containers=ARROW, **options)
    yield twin
    for column, name, kind, make, why in ARROW_TYPES:
        form = _replaced(twin, column, kind, make)
        key, op = f"{at}/{column}-{name}".replace("_", "-"), f"COL-2/{column}-as-{name}".replace("_", "-")
        yield variant(twin, key, why, op, form=form, flags=FLAGS, turn=2)
    why = "High parts as fixed-size binary: every row has the same number of bytes."
    same = sound(f"{at}/one-shape", "Rows of one shape.", counts=((2, 3), (3, 2)), stride=3, containers=ARROW)
    yield same
    form = _replaced(same, "top_indices_high", pa.binary(2), bytes)
    yield variant(same, f"{at}/high-fixed-size-binary", why, "COL-2/fixed-size-binary", form=form, flags=FLAGS)
    yield from _dictionaries(twin)
    yield from _json()
    yield from _true_for_one()


def _replaced(twin: Draft, column: str, kind: pa.DataType, make: Make) -> Form:
    """Return a form with a column of another type in the place of one."""
    rows = stored(twin).rows
    place = list(rows[0]).index(column)
    return Form(dropped=[column], extra=[Extra(column, kind, [make(row[column]) for row in rows], place)])


def _dictionaries(twin: Draft) -> Iterator[Draft]:
    """Dictionary-encoded columns: Arrow only, for in Parquet a dictionary is an encoding and no type."""
    for column, kind, why in (
        ("num_tokens", pa.dictionary(pa.int8(), pa.int32()), "Num_tokens dictionary-encoded."),
        (
            "top_min",
            pa.list_(pa.dictionary(pa.int8(), pa.float32())),
            "Ends of ranges dictionary-encoded in their lists.",
        ),
        ("top_indices_high", pa.dictionary(pa.int32(), pa.binary()), "High parts dictionary-encoded."),
    ):
        key = f"types/refused/{column}-dictionary".replace("_", "-")
        op = f"COL-2/{column}-as-dictionary".replace("_", "-")
        form = _replaced(twin, column, kind, lambda value: value)
        yield variant(twin, key, why, op, form=form, flags=FLAGS, containers=IPC)


JSON_TYPES: tuple[tuple[str, str, Make, str], ...] = (
    ("num_tokens", "string", str, "Num_tokens as a string of digits."),
    ("num_tokens", "fraction", float, "Num_tokens with a fraction of zero: 2.0 is no integer here."),
    ("num_tokens", "boolean", bool, "Num_tokens as true."),
    ("num_tokens", "list", lambda value: [value], "Num_tokens as a list of one."),
    ("top_counts", "object", lambda values: {str(i): v for i, v in enumerate(values)}, "Counts as an object."),
    ("top_counts", "number", lambda values: values[0], "Counts as one number instead of a list."),
    ("top_indices_low", "strings", _each(str), "Low parts as strings."),
    ("top_indices_low", "fractions", _each(float), "Low parts with fractions of zero."),
    ("top_indices_high", "list", list, "High parts as a list of numbers instead of base64."),
    ("sampled_indices_high", "number", lambda value: value[0], "High parts as a number instead of base64."),
    ("top_logits_quantized", "booleans", _each(bool), "Codes as booleans."),
    (
        "top_min",
        "words",
        _each(lambda _: "-inf"),
        "Ends of ranges as a string that is none of the three for numbers.",
    ),
    ("top_max", "digits", _each(str), "Ends of ranges as strings of digits."),
    ("logsumexp", "number", lambda values: values[0], "One logsumexp instead of a list."),
    ("logsumexp", "nested", lambda values: [values], "The logsumexps as a list in a list."),
    ("token_ids", "strings", _each(str), "Token ids as strings."),
)


def _json() -> Iterator[Draft]:
    at = "types/refused-json"
    why = "Stored JSON with each value of the type that its column has."
    twin = sound(f"{at}/none", why, token_ids=True, sizes=(2, 2), features=("token_ids",), containers=(Container.JSON,))
    yield twin
    for column, name, make, why in JSON_TYPES:
        rows = [*stored(twin).rows[:-1], {**stored(twin).rows[-1]}]
        rows[-1][column] = make(rows[-1][column])
        key, op = f"{at}/{column}-{name}".replace("_", "-"), f"COL-2/{column}-as-{name}".replace("_", "-")
        yield variant(twin, key, why, op, rows=rows, flags=FLAGS)
    why = "Num_tokens written as 20e-1, a number with an exponent."
    exponent = Form(json=lambda text: text.replace(b'"num_tokens": 2', b'"num_tokens": 20e-1', 1))
    yield variant(twin, f"{at}/num-tokens-exponent", why, "COL-2/num-tokens-exponent", form=exponent, flags=FLAGS)


def _true_for_one() -> Iterator[Draft]:
    """Booleans that fit if they are converted: every row has one token, every nucleus one entry."""
    at = "types/refused"
    why = "Rows of one token whose nucleus is one entry."
    twin = sound(f"{at}/ones", why, counts=((1,), (1,)))
    yield twin
    for column, kind, make, why in (
        ("num_tokens", pa.bool_(), bool, "Num_tokens is true in the place of 1."),
        ("top_counts", pa.list_(pa.bool_()), _each(bool), "Counts are true in the place of 1."),
    ):
        key, op = f"{at}/{column}-true".replace("_", "-"), f"COL-2/{column}-true-for-one".replace("_", "-")
        form = _replaced(twin, column, kind, make)
        yield variant(twin, key, why, op, form=form, flags=FLAGS, containers=ARROW)
        rows = [{**row, column: make(row[column])} for row in stored(twin).rows]
        yield variant(twin, f"{key}-json", why, op, rows=rows, flags=FLAGS, containers=(Container.JSON,))
