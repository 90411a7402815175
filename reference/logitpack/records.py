"""Records: what a check has found in a file, as JSON, so that another run can go on from there.

Strategy: what is read back gives the same report, bit by bit. Numbers are written in the shortest form that reads back,
those that are not finite as Python's JSON has them; an array is stored as its values, and the type of a field comes
from an empty one.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import Any, TypeVar

import numpy as np

from logitpack.dataset import Totals
from logitpack.errors import Place
from logitpack.figures import Figures
from logitpack.metadata import Metadata
from logitpack.report import Findings, Spot
from logitpack.summaries import Stride, Summary
from logitpack.verdicts import Checked

Sums = TypeVar("Sums", Totals, Figures)


def to_record(file: Checked) -> dict[str, Any]:
    """Give what was found in a file that was judged to its end, before its dataset is."""
    summary = file.summary
    return {
        "metadata": None if file.metadata is None else file.metadata.raw,
        "described": file.described,
        "comparable": file.comparable,
        "types": file.types,
        "rows": summary.rows,
        "tokens": summary.tokens,
        "findings": [
            {
                "requirement": finding.requirement,
                "message": finding.message,
                "count": finding.count,
                "spots": [_spot(spot) for spot in finding.spots],
            }
            for finding in file.findings.sorted()
        ],
        "strides": [[width, stride.rows, [_spot(spot) for spot in stride.spots]] for width, stride in _items(summary)],
        "totals": _sums(summary.totals),
        "figures": _sums(summary.figures),
    }


def from_record(name: str, record: dict[str, Any], places: int) -> Checked:
    """Give back what was found in the file `name`, `places` of each finding kept.

    Raises KeyError, TypeError or ValueError where `record` is none.
    """
    findings = Findings(places)
    for each in record["findings"]:
        spots = [_read_spot(spot) for spot in each["spots"]]
        findings.add_places(str(each["requirement"]), str(each["message"]), spots, int(each["count"]))
    summary = Summary(
        findings,
        _read_sums(Totals(), record["totals"]),
        _read_sums(Figures(), record["figures"]),
        {
            int(width): Stride(int(rows), [_read_spot(spot) for spot in spots])
            for width, rows, spots in record["strides"]
        },
        int(record["rows"]),
        int(record["tokens"]),
    )
    metadata = None if record["metadata"] is None else Metadata(dict(record["metadata"]))
    types = None if record["types"] is None else {str(column): str(kind) for column, kind in record["types"].items()}
    return Checked(name, summary, metadata, bool(record["described"]), bool(record["comparable"]), types)


def _items(summary: Summary) -> list[tuple[int, Stride]]:
    return list(summary.strides.items())


def _spot(spot: Spot) -> list[Any]:
    place = None if spot.place is None else list(astuple(spot.place))
    return [place, _value(spot.got), _value(spot.allowed)]


def _read_spot(spot: list[Any]) -> Spot:
    place, got, allowed = spot
    return Spot(None if place is None else Place(*place), _read_value(got), _read_value(allowed))


def _value(value: Any) -> Any:
    """Give a value found in data: a tuple as what it is, for JSON has none; what is unknown as reports tell it."""
    if isinstance(value, tuple):
        return {"tuple": [_value(each) for each in value]}
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, float):
        return float(value)
    return value if value is None or isinstance(value, bool | int) else str(value)


def _read_value(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(_read_value(each) for each in value["tuple"])
    return [_read_value(each) for each in value] if isinstance(value, list) else value


def _sums(sums: Totals | Figures) -> dict[str, Any]:
    values = {each.name: getattr(sums, each.name) for each in fields(sums)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def _read_sums(empty: Sums, record: dict[str, Any]) -> Sums:
    """Give sums whose fields have the types and lengths of the empty ones."""
    values: dict[str, Any] = {}
    for each in fields(empty):
        like, value = getattr(empty, each.name), record[each.name]
        if isinstance(like, np.ndarray):
            values[each.name] = np.array(value, like.dtype).reshape(like.shape)
        else:
            values[each.name] = type(like)(value)
    return type(empty)(**values)
