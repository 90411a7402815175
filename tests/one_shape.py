"""Adapters that are right but for one shape of input: `python one_shape.py NAME`. What `--fuzz` has to find."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import logitpack
from logitpack_conformance.adapters.reference import Reference, run

Row = dict[str, Any]
Token = dict[str, Any]


def entries(row: Row, kind: str) -> list[int]:
    """Return the indices of a row, one token after another."""
    return [index for token in row["tokens"] for index in token[kind]["indices"]]


# Readers


def high_bits_of_a_third_entry(rows: list[Row]) -> None:
    """Lose the high bits of a row's last nucleus entry where the entries are 3 mod 4."""
    for row in rows:
        if len(entries(row, "top")) % 4 == 3:
            row["tokens"][-1]["top"]["indices"][-1] &= 0xFFFF


def subnormal_range(rows: list[Row]) -> None:
    """Return 0 for code 65535 where a range is subnormal."""
    for row in rows:
        for token in row["tokens"]:
            logits = token["top"]["logits"]
            top = max(logits)
            if 0 < top - min(logits) < 2.0**-126:
                wrong = 0.0 if top else min(logits)
                token["top"]["logits"] = [wrong if x == top else x for x in logits]


def sum_of_256(rows: list[Row]) -> None:
    """Begin anew at the row's first entry where the counts so far add up to 256."""
    for row in rows:
        tokens = row["tokens"]
        for place, total in enumerate(accumulate(len(token["top"]["indices"]) for token in tokens[:-1])):
            if total == 256:
                tokens[place + 1]["top"]["indices"][0] = tokens[0]["top"]["indices"][0]


def second_row_of_one(rows: list[Row]) -> None:
    """Give the second row the first one's tail where S is 1."""
    if len(rows) > 1 and len(rows[0]["tokens"][0]["sampled"]["indices"]) == 1:
        rows[1]["tokens"][0]["sampled"]["indices"] = rows[0]["tokens"][0]["sampled"]["indices"]


def index_131071_in_a_tail(rows: list[Row]) -> None:
    """Take index 131071 for 65535 in a tail."""
    for row in rows:
        for token in row["tokens"]:
            token["sampled"]["indices"] = [65_535 if i == 131_071 else i for i in token["sampled"]["indices"]]


def negative_zero(rows: list[Row]) -> None:
    """Lose the sign of a logsumexp that is below 0."""
    for row in rows:
        for token in row["tokens"]:
            if -1 < token["logsumexp"] < 0:
                token["logsumexp"] = -token["logsumexp"]


def last_of_three_rows(rows: list[Row]) -> None:
    """Lose the last row of three that have one token each."""
    if [len(row["tokens"]) for row in rows] == [1, 1, 1]:
        rows.pop()


def token_id_of_17_bits(rows: list[Row]) -> None:
    """Cut the id of a second token to 16 bits."""
    for row in rows:
        if len(row["tokens"]) > 1 and "token_id" in row["tokens"][1]:
            row["tokens"][1]["token_id"] &= 0xFFFF


READERS: dict[str, Callable[[list[Row]], None]] = {
    one.__name__: one
    for one in (
        high_bits_of_a_third_entry,
        subnormal_range,
        sum_of_256,
        second_row_of_one,
        index_131071_in_a_tail,
        negative_zero,
        last_of_three_rows,
        token_id_of_17_bits,
    )
}


# Writers


def half_a_step(rows: list[Row]) -> None:
    """Move a logit between the ends of a nucleus of three by almost a step."""
    for row in rows:
        for token in row["tokens"]:
            logits = token["top"]["logits"]
            if len(logits) == 3 and all(isinstance(x, float) for x in logits):
                ends = min(logits), max(logits)
                step = (ends[1] - ends[0]) / 65535
                token["top"]["logits"] = [x if x in ends else min(x + 0.6 * step, ends[1]) for x in logits]


def tail_of_one_byte_and_one(rows: list[Row]) -> None:
    """Write 0 for the high bits of a row's last tail entry where the entries are 1 mod 4."""
    for row in rows:
        if len(entries(row, "sampled")) % 4 == 1:
            row["tokens"][-1]["sampled"]["indices"][-1] &= 0xFFFF


WRITERS: dict[str, Callable[[list[Row]], None]] = {one.__name__: one for one in (half_a_step, tail_of_one_byte_and_one)}

# Checkers: by what a finding is left out


def padding_of_one(rows: Sequence[Row], finding: logitpack.Finding) -> bool:
    """Overlook padding where the first row has but one tail entry."""
    return finding.requirement == "IDX-4" and len(rows[0]["sampled_indices_low"]) == 1


def minus_infinity(rows: Sequence[Row], finding: logitpack.Finding) -> bool:
    """Overlook a logsumexp of minus infinity in the first token."""
    return finding.requirement == "LSE-1" and rows[-1]["logsumexp"][0] == float("-inf")


CHECKERS: dict[str, Callable[[Sequence[Row], logitpack.Finding], bool]] = {
    one.__name__: one for one in (padding_of_one, minus_infinity)
}

# Extractors


def last_position(mask: Sequence[int], rows: list[Row]) -> None:
    """Lose the last token where the last position holds it and there are others."""
    if mask[-1] and sum(mask) > 1:
        rows[0]["tokens"].pop()


def tail_of_four(mask: Sequence[int], rows: list[Row]) -> None:  # noqa: ARG001
    """Repeat an entry in a tail of four."""
    for token in rows[0]["tokens"]:
        if len(token["sampled"]["indices"]) == 4:
            for part in token["sampled"].values():
                part[3] = part[0]


EXTRACTORS: dict[str, Callable[[Sequence[int], list[Row]], None]] = {
    one.__name__: one for one in (last_position, tail_of_four)
}
NAMES = [*READERS, *WRITERS, *CHECKERS, *EXTRACTORS]


class OneShape(Reference):
    """The reference, wrong for one shape."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, path: str) -> list[Row]:
        """Read, and spoil what was read."""
        rows = super().read(path)
        if self._name in READERS:
            READERS[self._name](rows)
        return rows

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Any) -> None:
        """Spoil what is to be written, and write it."""
        given: list[Row] = [dict(row) for row in rows]
        if self._name in WRITERS:
            WRITERS[self._name](given)
        super().write(given, path, container, metadata)

    def check(self, path: str, metadata: Any) -> list[logitpack.Finding]:
        """Check, and overlook something."""
        found = super().check(path, metadata)
        if not found or self._name not in CHECKERS:
            return found
        from logitpack_conformance.oracle.load import load_dataset

        rows = [row for file in load_dataset(Path(path)) for row in file.rows]
        return [one for one in found if not rows or not CHECKERS[self._name](rows, one)]

    def extract(self, logits: Any, mask: Sequence[int], nucleus: Any, tail: Any, seed: int) -> list[Row]:
        """Extract, and spoil the row."""
        rows = super().extract(logits, mask, nucleus, tail, seed)
        if self._name in EXTRACTORS:
            EXTRACTORS[self._name](mask, rows)
        return rows


if __name__ == "__main__":
    sys.exit(run(OneShape(sys.argv.pop(1))))
