"""Metadata that are true of given rows.

Strategy: the rows come first. A threshold is one that their nuclei do satisfy, where there is one for the rule; else
the rule is unspecified, which is always true.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from logitpack_conformance.oracle.indices import LIMIT

from .logical import Row, logsumexp
from .values import MOST_ENTRIES, rarely

Metadata = dict[str, Any]
WORDS = st.sampled_from(("x", "example/teacher-7b", "ünïcode", "a" * 100))
VERSIONS = rarely(st.sampled_from(("1.1", "1.7", "1.999999999")), st.just("1.0"), 4)
RULES = ("covering", "below")
METHODS = st.sampled_from(("unspecified", "uniform", "proportional"))
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from((1, 1.0)),
    "mask": st.fixed_dictionaries({}, optional={"turns": WORDS, "end_of_turn": st.booleans()}),
    "chat_template_sha256": st.just("0" * 64),
    "source": st.fixed_dictionaries({}, optional={"id": WORDS, "split": st.just("train")}),
    "writer": st.fixed_dictionaries({}, optional={"name": WORDS, "version": st.just("0.1")}),
    "x-unknown": st.sampled_from((None, 0, {"spec_version": "9.0"}, [1.5, "x"])),
}
PLAIN: st.SearchStrategy[dict[str, Any]] = st.just({})
MEMBERS = rarely(st.fixed_dictionaries({}, optional=OPTIONAL), PLAIN, 4)
SIZES = st.integers(1, LIMIT)


@st.composite
def metadata(draw: st.DrawFn, rows: Sequence[Row] = (), vocab_size: int = LIMIT) -> Metadata:
    """Draw valid metadata (META-1) that are true of logical rows whose indices are below `vocab_size`.

    >>> found = smallest(metadata(), lambda metadata: metadata["nucleus"]["rule"] != "unspecified")
    >>> found["nucleus"], found["vocab_size"], found["tail"]
    ({'rule': 'covering', 'top_p': 0.5, 'max_entries': 100}, 262144, {'num_sampled': 1, 'method': 'unspecified'})
    """
    tokens = [token for row in rows for token in row["tokens"]]
    stride = len(tokens[0]["sampled"]["indices"]) if tokens else draw(st.integers(1, 24))
    found: Metadata = {
        "spec_version": draw(VERSIONS),
        "model": {"id": "example/teacher"},
        "tokenizer": {"id": "example/teacher"},
        "vocab_size": vocab_size,
        "nucleus": draw(_nucleus(tokens)),
        "tail": {"num_sampled": stride, "method": draw(METHODS)},
        "alignment": "predicts",
    }
    return found | draw(MEMBERS)


@st.composite
def _nucleus(draw: st.DrawFn, tokens: Sequence[Row]) -> dict[str, Any]:
    largest = max((len(token["top"]["logits"]) for token in tokens), default=1)
    cap = draw(st.sampled_from([cap for cap in (MOST_ENTRIES, largest, 255) if cap >= largest]))
    ends = {rule: threshold(tokens, rule, cap) for rule in RULES}
    rule = draw(st.sampled_from(("unspecified", *(rule for rule, (least, most) in ends.items() if least < most))))
    found: dict[str, Any] = {"rule": rule}
    if rule in ends:
        least, most = ends[rule]
        found["top_p"] = most if draw(st.booleans()) else least + (most - least) / 2
    if rule in ends or cap != MOST_ENTRIES:
        found["max_entries"] = cap
    if draw(st.booleans()) and all(_descends(token["top"]["logits"]) for token in tokens):
        found["order"] = "descending"
    return found


def _descends(logits: Sequence[float]) -> bool:
    return list(logits) == sorted(logits, reverse=True)


def threshold(tokens: Iterable[Row], rule: str, max_entries: int) -> tuple[float, float]:
    """Return the ends of the top_p, above the first and up to the second, with which the nuclei keep a rule.

    >>> token = {"logsumexp": 1.0, "top": {"indices": [0, 1], "logits": [0.0, -1.0]}}
    >>> [round(end, 3) for end in threshold([token], "covering", 100)]
    [0.368, 0.503]
    """
    least, most = 0.0, 1.0
    for token in tokens:
        logits, total = token["top"]["logits"], token["logsumexp"]
        mass = math.exp(min(0.0, logsumexp(logits) - total))
        if rule == "below":
            least = max(least, mass) if len(logits) > 1 else least
            continue
        if len(logits) < max_entries:
            most = min(most, mass)
        if len(logits) > 1:
            least = max(least, math.exp(min(0.0, logsumexp(sorted(logits)[1:]) - total)))
    return least, most
