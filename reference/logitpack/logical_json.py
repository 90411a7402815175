"""Logical JSON: what rows mean, one row a line, for tests and examples.

Strategy: a row is a Python object of lists and numbers, as the JSON parser makes it; it is
checked member by member and becomes flat arrays. It is always a caller's, never a dataset's:
all its faults are UsageErrors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, BinaryIO, NoReturn

import numpy as np

from logitpack.batch import Batch
from logitpack.errors import DataError, Place, UsageError
from logitpack.jsonforms import NON_FINITE, dumps, from_floats, kind_of, parse_line, read_lines, to_float

_INT32 = range(-(2**31), 2**31)


def logical_rows(batch: Batch) -> Iterator[dict[str, Any]]:
    """Yield each row of `batch` as the object that logical JSON holds.

    Decode to float64 first where the shortest form of the value itself is wanted.
    """
    offsets = batch.top_offsets
    for start, stop in pairwise(batch.row_offsets.tolist()):
        yield {"tokens": [_token(batch, token, offsets) for token in range(start, stop)]}


def logical_line(row: Mapping[str, Any]) -> str:
    """Return a row of `logical_rows` as a line of text, without a line break."""
    return dumps(row)


def read_logical(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of logical JSON. Raises UsageError for a line that is no object."""
    try:
        for number, text in read_lines(file):
            yield parse_line(number, text)
    except DataError as error:
        raise UsageError(error.message, requirement="JSON-1", place=error.place) from None


def batch_from_logical(rows: Iterable[Mapping[str, Any]]) -> Batch:
    """Return rows of logical JSON as a batch, logits and logsumexp in binary64.

    Members that are not known are ignored. Raises UsageError, with row and token: ROW-1 (no
    tokens), ROW-3 and ROW-4 (indices and logits of different numbers, no tail, or tails of
    different numbers in a row), ROW-5 (in two rows), NUC-1 (an empty nucleus), IDX-6 (an index
    beyond 32 bits), ALN-4 (a token id in some tokens only, or beyond 32 bits), and without an
    id what is missing or of another type. Values are not judged otherwise.
    """
    made = _Maker()
    for number, row in enumerate(rows):
        made.add(number, row)
    return made.batch()


class _Maker:
    """Collects tokens; `place` is where it is, for messages."""

    def __init__(self) -> None:
        self.place = Place()
        self.num_tokens: list[int] = []
        self.counts: list[int] = []
        self.indices: dict[str, list[int]] = {"top": [], "sampled": []}
        self.logits: dict[str, list[float]] = {"top": [], "sampled": []}
        self.logsumexp: list[float] = []
        self.ids: list[int] = []
        self.width: int | None = None

    def add(self, number: int, row: Mapping[str, Any]) -> None:
        self.place = Place(row=number)
        tokens = self._member(row, "tokens", list)
        if not tokens:
            self._refuse("ROW-1", "the row has no tokens")
        self.num_tokens.append(len(tokens))
        for position, token in enumerate(tokens):
            self.place = Place(row=number, token=position)
            self._add_token(token, first=position == 0)

    def batch(self) -> Batch:
        width = self.width or 0
        shape = (len(self.counts), width)
        return Batch(
            num_tokens=np.array(self.num_tokens, np.int64),
            top_counts=np.array(self.counts, np.int64),
            top_indices=np.array(self.indices["top"], np.int32),
            top_logits=np.array(self.logits["top"], np.float64),
            sampled_indices=np.array(self.indices["sampled"], np.int32).reshape(shape),
            sampled_logits=np.array(self.logits["sampled"], np.float64).reshape(shape),
            logsumexp=np.array(self.logsumexp, np.float64),
            token_ids=np.array(self.ids, np.int32) if self.ids else None,
        )

    def _add_token(self, token: object, *, first: bool) -> None:
        if not isinstance(token, Mapping):
            self._refuse(None, f"the token is {kind_of(token)}, expected an object")
        self.logsumexp.append(self._float(self._member(token, "logsumexp"), "logsumexp"))
        count = self._add_entries(token, "top", "ROW-3")
        if count == 0:
            self._refuse("NUC-1", "the nucleus is empty")
        self.counts.append(count)
        width = self._add_entries(token, "sampled", "ROW-4")
        if width == 0:
            self._refuse("ROW-4", "the tail is empty")
        if self.width is None:
            self.width = width
        if width != self.width:
            rule = "ROW-5" if first else "ROW-4"
            self._refuse(rule, f"the tail has {width} entries, expected {self.width} as before")
        if ("token_id" in token) != (len(self.ids) > 0) and len(self.counts) > 1:
            self._refuse("ALN-4", "token_id is in some tokens only")
        if "token_id" in token:
            self.ids.append(self._int(token["token_id"], "token_id", "ALN-4"))

    def _add_entries(self, token: Mapping[str, Any], kind: str, requirement: str) -> int:
        entries = self._member(token, kind, Mapping)
        indices = self._member(entries, "indices", list)
        logits = self._member(entries, "logits", list)
        if len(indices) != len(logits):
            text = f"{kind} has {len(indices)} indices and {len(logits)} logits"
            self._refuse(requirement, text)
        self.indices[kind].extend(self._int(value, "an index", "IDX-6") for value in indices)
        self.logits[kind].extend(self._float(value, "a logit") for value in logits)
        return len(indices)

    def _member(self, holder: object, name: str, kind: type | None = None) -> Any:
        if not isinstance(holder, Mapping) or name not in holder:
            self._refuse(None, f"{name} is not there")
        value = holder[name]
        if kind is not None and not isinstance(value, kind):
            wanted = "an array" if kind is list else "an object"
            self._refuse(None, f"{name} is {kind_of(value)}, expected {wanted}")
        return value

    def _int(self, value: object, what: str, requirement: str) -> int:
        if type(value) is not int:
            self._refuse(None, f"{what} is {kind_of(value)}, expected an integer")
        if value not in _INT32:
            self._refuse(requirement, f"{what} is beyond 32 bits")
        return value

    def _float(self, value: Any, what: str) -> float:
        if type(value) is float:
            return value
        if type(value) is not int and not (isinstance(value, str) and value in NON_FINITE):
            self._refuse(None, f"{what} is {kind_of(value)}, expected a number")
        return to_float(value)

    def _refuse(self, requirement: str | None, message: str) -> NoReturn:
        raise UsageError(message, requirement=requirement, place=self.place)


def _token(batch: Batch, token: int, offsets: np.ndarray[Any, Any]) -> dict[str, Any]:
    entries = slice(int(offsets[token]), int(offsets[token + 1]))
    made: dict[str, Any] = {
        "logsumexp": from_floats([float(batch.logsumexp[token])])[0],
        "top": _entries(batch.top_indices[entries], batch.top_logits[entries]),
        "sampled": _entries(batch.sampled_indices[token], batch.sampled_logits[token]),
    }
    if batch.token_ids is not None:
        made["token_id"] = int(batch.token_ids[token])
    return made


def _entries(indices: np.ndarray[Any, Any], logits: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"indices": indices.tolist(), "logits": from_floats(logits.tolist())}
