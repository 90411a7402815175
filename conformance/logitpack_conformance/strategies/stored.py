"""Stored rows: logical rows through the oracle's encoder, Core or described, valid or with one named fault.

Strategy: what is valid is so by construction; of a fault the oracle says whether it is the only one in these rows. The
first fault that is, in the order of `faults.FAULTS` from a drawn one on, is taken, so that no draw is thrown away.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from logitpack_conformance.faults import FAULTS, NoRoomError
from logitpack_conformance.oracle import logical
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.file import File
from logitpack_conformance.oracle.finding import requirements
from logitpack_conformance.oracle.indices import LIMIT

from .logical import Row, logical_rows
from .metadata import Metadata, metadata
from .values import MOST_ENTRIES, rarely, turns

VOCABULARIES = st.sampled_from((LIMIT, 512, 65_536, 65_537, 70_000, 131_072, 151_936, 300_000))
CAPS = rarely(st.just(255), st.just(MOST_ENTRIES), 12)
BOOLEANS = st.booleans()
SIGNS = rarely(st.just(value=True), st.just(value=False), 4)
LAST_RESORT = "ROW-1/zero"


class Dataset(NamedTuple):
    """Rows, logical or stored, and metadata that are true of them; None for the Core profile."""

    rows: list[Row]
    metadata: Metadata | None


class Faulty(NamedTuple):
    """Stored rows that break one requirement by one of `faults.FAULTS`; `sound` is what they were before."""

    rows: list[Row]
    metadata: Metadata | None
    requirement: str
    fault: str
    sound: Dataset


@st.composite
def logical_datasets(
    draw: st.DrawFn, *, max_size: int = 3, described: bool | None = None, token_ids: bool | None = None
) -> Dataset:
    """Draw logical rows, Core or described, or as `described` says."""
    if not (draw(BOOLEANS) if described is None else described):
        return Dataset(draw(logical_rows(max_size=max_size, token_ids=token_ids)), None)
    vocab_size = draw(VOCABULARIES)
    limit, cap = min(vocab_size, LIMIT), draw(CAPS)
    rows = draw(logical_rows(max_size=max_size, vocab_size=limit, max_entries=cap, token_ids=token_ids))
    return Dataset(rows, draw(metadata(rows, vocab_size)))


def stored(rows: Sequence[Row]) -> list[Row]:
    """Return logical rows as stored ones: dicts of the columns of section 5, plain values.

    >>> top, sampled = {"indices": [65536], "logits": [1.0]}, {"indices": [0], "logits": [0.0]}
    >>> stored([{"tokens": [{"logsumexp": 2.0, "top": top, "sampled": sampled}]}])[0]["top_indices_high"].hex()
    '01'
    """
    return [logical.encode(logical.of_json(row)) for row in rows]


@st.composite
def stored_datasets(draw: st.DrawFn, /, **options: Any) -> Dataset:
    """Draw valid stored rows, Core or described: no requirement is broken, neither at level MUST nor at level SHOULD.

    Options are those of `logical_datasets`.

    >>> found = smallest(stored_datasets())
    >>> found.rows[0]["num_tokens"], found.rows[0]["top_indices_low"], found.metadata
    (1, [0], None)
    """
    dataset = draw(logical_datasets(**options))
    rows = stored(dataset.rows)
    if draw(SIGNS):
        flip_zeros(rows)
    return Dataset(rows, dataset.metadata)


def flip_zeros(rows: list[Row]) -> None:
    """Put the other zero where a range ends at 0."""
    for row in rows:
        for name in ("top_min", "top_max", "sampled_min", "sampled_max"):
            row[name] = [-0.0 if end == 0 else end for end in row[name]]


def stored_rows(*, max_size: int = 3) -> st.SearchStrategy[list[Row]]:
    r"""Draw valid stored rows of the Core profile.

    >>> (row,) = smallest(stored_rows(max_size=1))
    >>> row["top_counts"], row["top_indices_low"], row["logsumexp"]
    ([1], [0], [0.6931471805599453])
    """
    return logical_rows(max_size=max_size).map(stored)


@st.composite
def faulty(draw: st.DrawFn, faults: tuple[str, ...] = tuple(FAULTS), /, **options: Any) -> Faulty:
    r"""Draw stored rows that break exactly one requirement, by one of `logitpack_conformance.faults`.

    Options are those of `logical_datasets`.

    >>> found = smallest(faulty(("IDX-3/top-indices-high-short",)))
    >>> found.requirement, found.rows[0]["top_indices_high"], found.sound.rows[0]["top_indices_high"]
    ('IDX-3', b'', b'\x00')
    """
    names = draw(turns(faults))
    sound = draw(stored_datasets(**options))
    for name in (*names, LAST_RESORT):
        found = with_fault(sound, name)
        if found is not None:
            return Faulty(*found, FAULTS[name].requirement, name, sound)
    raise AssertionError("a row without tokens breaks ROW-1")


def with_fault(sound: Dataset, name: str) -> Dataset | None:
    """Return stored rows with a named fault, None where they have no room for it, or break something else by it."""
    try:
        found = damaged(sound, name)
    except NoRoomError:
        return None
    return found if broken(*found) == {FAULTS[name].requirement} else None


def damaged(sound: Dataset, name: str) -> Dataset:
    """Return stored rows to which a named fault was done, whatever they break by it. Raises NoRoomError."""
    rows, members = copy.deepcopy(sound.rows), copy.deepcopy(sound.metadata)
    FAULTS[name].apply(rows, {} if members is None else members)
    return Dataset(rows, members)


def broken(rows: Sequence[Row], members: dict[str, Any] | None) -> set[str]:
    """Return what the oracle finds broken in stored rows, whatever file they will stand in.

    >>> broken([{"num_tokens": 0}], None) >= {"COL-1"}
    True
    """
    embedded = None if members is None else json.dumps(members).encode()
    file = File("rows", list(rows), embedded=embedded, is_open=True, is_json=True)
    return requirements(judge_files([file]))
