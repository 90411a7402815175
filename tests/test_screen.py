"""The screen: it clears valid rows, never one that breaks a requirement, and its facts are those of numpy."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logitpack
from logitpack import passes, screen, semantics
from logitpack.columns import Columns, Ragged
from logitpack.entries import Sound
from logitpack.indices import pack
from logitpack.metadata import Metadata
from logitpack.ragged import to_offsets
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.rows import described, valid_rows, with_token_ids
from support import table, write_parquet

VOCAB = 1000


def metadata(vocab_size: int = VOCAB, **nucleus: Any) -> Metadata:
    """Declare a vocabulary and a uniform tail; `nucleus` are members of that name."""
    document = described()
    document["vocab_size"], document["tokenizer"] = vocab_size, {"id": "x"}
    document["tail"] = {**document["tail"], "method": "uniform"}
    document["nucleus"] = {"rule": "covering", "top_p": 0.9, "max_entries": 6, **nucleus}
    return Metadata.from_dict(document)


def kind(rng: np.random.Generator, counts: Any, rows: Any, top: Any, spread: float, loose: float) -> dict[str, Any]:
    """Make the columns of nucleus or tail: the largest logit of each token is `top`, the least up to `spread` below."""
    offsets, entries = to_offsets(counts), int(counts.sum())
    width = np.where(counts > 1, rng.uniform(0, spread, counts.size), 0.0)
    low, high = (top - width).astype(np.float32), top.astype(np.float32)
    code = rng.integers(0, 65536, entries)
    code[offsets[1:] - 1] = 0
    tight = rng.random(counts.size) >= loose
    code[offsets[:-1][tight]] = 65535
    code[np.repeat(low == high, counts)] = 0
    of_rows = to_offsets(np.add.reduceat(counts, to_offsets(rows)[:-1]))
    return {"code": code.astype(np.uint16), "low": low, "high": high, "offsets": of_rows}


def batch(
    seed: int,
    *,
    spread: float = 8.0,
    repeats: bool = True,
    loose: float = 0.02,
    aims: Any = (0.9, 0.999, 0.95),
    wide: int = 1,
) -> Sound:
    """Make rows that hold structurally, whose masses are near those that are aimed at, some of them beyond.

    The vocabulary is `wide` times as large.
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice([1, 1, 1, 1, 3], 40)
    tokens, drawn = int(rows.sum()), int(rng.integers(1, 40))
    counts = rng.integers(1, 7, tokens)
    level = rng.choice([0.0, 1.0, 20.0, -300.0])
    top = kind(rng, counts, rows, rng.normal(level, 1, tokens), spread, loose)
    gap = rng.uniform(-0.1, 6, tokens) + 6 * (rng.random(tokens) < 0.5)
    tail = kind(rng, np.full(tokens, drawn), rows, top["low"] - gap, spread, loose)
    parts: dict[str, Any] = {}
    for name, part, each in (("top", top, counts), ("sampled", tail, np.full(tokens, drawn))):
        start = np.repeat(np.arange(tokens) * 7 + (500 if name == "sampled" else 0), each)
        index = (start + np.arange(each.sum()) - np.repeat(to_offsets(each)[:-1], each)) % VOCAB
        if repeats:
            wrong = rng.random(index.size) < 0.005
            index[wrong] = rng.integers(0, VOCAB + 1, int(wrong.sum()))
        if wide > 1:
            index += VOCAB * rng.integers(0, wide, index.size)
        low, high = pack(index, np.diff(part["offsets"]))
        bytes_of_rows = to_offsets((np.diff(part["offsets"]) + 3) // 4)
        parts[f"{name}_indices_low"] = Ragged(low, part["offsets"])
        parts[f"{name}_indices_high"] = Ragged(high, bytes_of_rows)
        parts[f"{name}_logits_quantized"] = Ragged(part["code"], part["offsets"])
        parts[f"{name}_min"], parts[f"{name}_max"] = (Ragged(part[end], to_offsets(rows)) for end in ("low", "high"))
    ids = rng.integers(0, VOCAB, tokens).astype(np.int32)
    given_ = np.zeros(tokens)
    columns = Columns(
        rows.astype(np.int32),
        Ragged(counts.astype(np.uint8), to_offsets(rows)),
        **parts,
        logsumexp=Ragged(given_, to_offsets(rows)),
        token_ids=Ragged(ids, to_offsets(rows)),
    )
    sound = Sound(columns, np.arange(rows.size))
    # Each token holds one of three masses, and is off by about as much as the tolerances are.
    aim = np.log(rng.choice(aims, tokens))
    off = rng.normal(0, 1, tokens) * rng.choice([0.0, 1e-10, 2.0**-16, 1e-4, 1e-2], tokens)
    given_[:] = sound.top.log_sum_exp(0) - aim + off
    return Sound(columns, np.arange(rows.size))


RULES: list[dict[str, Any] | None] = [
    None,
    {},
    {"order": "descending"},
    {"max_entries": 4},
    {"rule": "below"},
    {"rule": "unspecified"},
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32), rule=st.sampled_from(RULES), spread=st.sampled_from([1e-6, 0.5, 8.0, 60.0, 1e6]))
def test_no_row_with_a_breach_is_cleared(seed: int, rule: dict[str, Any] | None, spread: float) -> None:
    """Whatever `semantics` finds in any row, the screen has left to it."""
    sound, declared = batch(seed, spread=spread), None if rule is None else metadata(**rule)
    broken = [breach.rows for breach in semantics.judge(sound, declared)]
    assert {*np.concatenate(broken or [np.zeros(0, int)]).tolist()} <= suspects(sound, declared)


@pytest.mark.parametrize("seed", range(5))
def test_rows_without_a_breach_are_cleared(seed: int) -> None:
    """What holds by the tolerances of SPEC.md is cleared, near a threshold too."""
    sound, declared = batch(seed, repeats=False, loose=0.0), metadata(rule="unspecified")
    broken = np.concatenate([breach.rows for breach in semantics.judge(sound, declared)])
    assert {*broken.tolist()} == suspects(sound, declared)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("spread", [1e-6, 8.0, 60.0, 1e6])
@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_numpy(seed: int, spread: float, rule: dict[str, Any] | None) -> None:
    """Counts are equal, masses within what the screen allows for, with indices of 10 bits and of 18."""
    wide = 262 if seed % 2 else 1
    # The masses are far from where `MASS_EDGES` are.
    sound = batch(seed, spread=spread, loose=0, aims=(0.93, 0.6, 0.97), wide=wide)
    declared = None if rule is None else metadata(wide * VOCAB, **rule)
    sound.logsumexp[:5] = 0.0, 20.125, 1e300, -2e-5, 7.015625
    one, other = screen.screened(sound, declared), screen.reckoned(sound, declared)
    assert one is not None
    for name, ours, theirs in parts(one.totals, other.totals) + parts(one.figures, other.figures):
        allowed = MARGIN.get(name, 0.0)
        assert np.allclose(ours, theirs, rtol=allowed, atol=0), name


MARGIN = dict.fromkeys(("nucleus_mass", "tail_mass", "least_mass", "most_mass"), passes.COARSE + 40 * 2.0**-24)
MARGIN["expected"] = 1e-9


def parts(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """Give what two sums are made of, side by side."""
    return [(each.name, getattr(one, each.name), getattr(other, each.name)) for each in fields(one)]


def suspects(sound: Sound, declared: Metadata | None) -> set[int]:
    """Give the rows that the screen leaves to others."""
    seen = screen.screened(sound, declared)
    assert seen is not None
    return {*seen.suspects.row_numbers.tolist()}


def test_without_kernels_nothing_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are none, all rows are left to `semantics`."""
    monkeypatch.setattr(screen, "kernels", lambda: None)
    assert screen.screened(batch(1), None) is None


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found_with_the_screen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """However large the data are taken to be, a fault is found by its own requirement and no other."""
    monkeypatch.setattr(screen, "LARGE", 0)
    rows, declared = with_token_ids(valid_rows()), described()
    FAULTS[name].apply(rows, declared)
    path = write_parquet(tmp_path / "broken.parquet", table(rows, wide=True, metadata=declared))
    found = {finding.requirement for finding in logitpack.check(path).files[0].findings}
    assert found - {"COL-5"} == {FAULTS[name].requirement}
