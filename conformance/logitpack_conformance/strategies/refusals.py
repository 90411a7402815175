"""Rows of logical JSON that a writer has to refuse: valid ones with one fault.

Strategy: a refusal is right where no valid file can be made of the rows. Of most faults this is plain; of those that
only the stored file would show, the oracle encodes the rows and says what they break.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from logitpack_conformance.oracle.finding import WARNINGS
from logitpack_conformance.oracle.indices import LIMIT

from .logical import Row
from .metadata import Metadata
from .stored import Dataset, broken, logical_datasets, stored
from .values import turns

Token = dict[str, Any]
Change = Callable[[Token, Metadata], None]


class Refusal(NamedTuple):
    """Logical rows that break a requirement however they are stored; `sound` is what they were before."""

    rows: list[Row]
    metadata: Metadata | None
    requirement: str
    fault: str
    sound: Dataset


def _put(kind: str, part: str, value: float) -> Change:
    """Put a value in the place of the last one."""
    return lambda token, _: token[kind][part].__setitem__(-1, value)


def _set(**members: Any) -> Change:
    return lambda token, _: token.update(members)


def _repeat(kind: str, source: str) -> Change:
    """Give the last entry of a kind the index of the first entry of a kind."""

    def change(token: Token, _: Metadata) -> None:
        token[kind]["indices"][-1] = token[source]["indices"][0]

    return change


def _drop(kind: str, *parts: str) -> Change:
    """Leave out the last value."""

    def change(token: Token, _: Metadata) -> None:
        for part in parts:
            token[kind][part].pop()

    return change


def _declare(group: str, member: str, by: int) -> Change:
    """Change a declared number."""

    def change(_: Token, metadata: Metadata) -> None:
        metadata[group][member] += by

    return change


def _at_vocab_size(kind: str) -> Change:
    return lambda token, metadata: token[kind]["indices"].__setitem__(-1, metadata["vocab_size"])


def _shift(kind: str, to: str, by: float) -> Change:
    """Move the last logit of a kind away from the smallest nucleus logit or the largest logit."""

    def change(token: Token, _: Metadata) -> None:
        logits = token["top"]["logits"]
        token[kind]["logits"][-1] = _away(min(logits) if to == "smallest" else max(logits), by)

    return change


def _away(x: float, by: float) -> float:
    return x + by * max(1.0, abs(x) / 1024)


def _too_small(token: Token, _: Metadata) -> None:
    token["logsumexp"] = _away(max(token["top"]["logits"]), -1)


REFUSED: Mapping[str, Change] = {
    **{f"IDX-6/{kind}-262144": _put(kind, "indices", LIMIT) for kind in ("top", "sampled")},
    **{f"IDX-6/{kind}-negative": _put(kind, "indices", -1) for kind in ("top", "sampled")},
    **{f"IDX-6/{kind}-vocab-size": _at_vocab_size(kind) for kind in ("top", "sampled")},
    **{f"QNT-6/{kind}-nan": _put(kind, "logits", math.nan) for kind in ("top", "sampled")},
    **{f"QNT-6/{kind}-infinite": _put(kind, "logits", math.inf) for kind in ("top", "sampled")},
    **{f"QNT-6/{kind}-minus-infinite": _put(kind, "logits", -math.inf) for kind in ("top", "sampled")},
    **{f"QNT-1/{kind}-beyond-float32": _put(kind, "logits", -1e39) for kind in ("top", "sampled")},
    "LSE-1/nan": _set(logsumexp=math.nan),
    "LSE-1/infinite": _set(logsumexp=math.inf),
    "NUC-2/twice": _repeat("top", "top"),
    "TAIL-1/twice": _repeat("sampled", "sampled"),
    "TAIL-2/both": _repeat("sampled", "top"),
    "NUC-3/above": _shift("sampled", "smallest", 1),
    "LSE-2/too-small": _too_small,
    "NUC-1/empty": _set(top={"indices": [], "logits": []}),
    "ROW-4/empty": _set(sampled={"indices": [], "logits": []}),
    "ROW-4/another-stride": _drop("sampled", "indices", "logits"),
    **{f"{name}/logit-short": _drop(kind, "logits") for name, kind in (("ROW-3", "top"), ("ROW-4", "sampled"))},
    **{f"{name}/index-short": _drop(kind, "indices") for name, kind in (("ROW-3", "top"), ("ROW-4", "sampled"))},
    "TAIL-4/declared": _declare("tail", "num_sampled", 1),
    "NUC-8/declared": _declare("nucleus", "max_entries", -1),
    "ALN-4/negative": _set(token_id=-1),
    "ALN-4/beyond-int32": _set(token_id=2**31),
}
"""By REQUIREMENT/operation: what is changed in the last token, or declared of all."""
BY_THE_FILE = frozenset({"NUC-2", "TAIL-1", "TAIL-2", "NUC-3", "LSE-2", "TAIL-4", "NUC-8"})
"""Semantic requirements: the oracle has to find them broken in the encoded rows."""


@st.composite
def refusals(draw: st.DrawFn, faults: tuple[str, ...] = tuple(REFUSED), *, described: bool | None = None) -> Refusal:
    """Draw logical rows, and metadata or None, that a writer has to refuse for one fault in the last token.

    >>> refusal = smallest(refusals(), lambda refusal: refusal.requirement == "QNT-6")
    >>> refusal.fault, refusal.rows[0]["tokens"][0]["top"]
    ('QNT-6/top-nan', {'indices': [0], 'logits': [nan]})
    """
    names = draw(turns(faults))
    sound = draw(logical_datasets(described=described))
    for name in (*names, "LSE-1/nan"):
        found = with_refusal(sound, name)
        if found is not None:
            return Refusal(*found, name.split("/")[0], name, sound)
    raise AssertionError("a logsumexp can always be NaN")


def with_refusal(sound: Dataset, name: str) -> Dataset | None:
    """Return logical rows with one of `REFUSED`, None where they have no room for it, or can be stored all the same."""
    rows, members = copy.deepcopy(sound.rows), copy.deepcopy(sound.metadata)
    is_broken = _apply(name, rows, members) and _is_broken(name.split("/", maxsplit=1)[0], rows, members)
    return Dataset(rows, members) if is_broken else None


def _apply(name: str, rows: list[Row], metadata: Metadata | None) -> bool:
    """Change the last token; return whether there was room for it."""
    tokens = rows[-1]["tokens"]
    if name.startswith("ALN-4") and "token_id" not in tokens[-1]:
        return False
    if name == "ROW-4/another-stride" and (len(tokens) < 2 or len(tokens[-1]["sampled"]["indices"]) < 2):
        return False
    try:
        REFUSED[name](tokens[-1], {} if metadata is None else metadata)
    except KeyError:
        return False
    return True


def _is_broken(requirement: str, rows: list[Row], metadata: Metadata | None) -> bool:
    if requirement not in BY_THE_FILE:
        return True
    try:
        return broken(stored(rows), metadata) - WARNINGS == {requirement}
    except ValueError:  # the change took the logits out of what can be encoded
        return False
