"""Suggested causes: each known mistake is recognised by what it leaves, and honest data give rise to none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logitpack
from logitpack import patterns
from spoiled import METADATA, NUM_SAMPLED, VOCAB, checked, logits, selected, stored

Row = dict[str, Any]


def told(report: logitpack.Report) -> dict[str, str | None]:
    """Give the cause of each finding of the one file, and notes under the empty name."""
    causes = {finding.requirement: finding.cause for finding in report.files[0].findings}
    notes = report.datasets[0].notes
    return causes | ({"": "; ".join(notes)} if notes else {})


def test_honest_data_have_no_cause(tmp_path: Path) -> None:
    """Data as an extractor makes them give no finding and no note."""
    assert {} == told(checked(tmp_path / "x.parquet", stored(selected())))


def test_findings_without_a_known_cause_have_none(tmp_path: Path) -> None:
    """A token id beyond the vocabulary is no pattern."""

    def exceed(row: Row) -> None:
        row["token_ids"][0] = VOCAB

    assert {"ALN-4": None} == told(checked(tmp_path / "x.parquet", stored(selected(), exceed)))


def test_vocabulary_without_padding(tmp_path: Path) -> None:
    """Some indices are beyond a vocabulary that is a little too small."""
    batch = selected()
    largest = max(batch.top_indices.max(), batch.sampled_indices.max())
    text = f"the largest index is {largest:,}: vocab_size has to be the width of the logits, padded rows included"
    assert text == told(checked(tmp_path / "x.parquet", stored(batch), vocab_size=79_000))["IDX-5"]


def test_other_bit_order(tmp_path: Path) -> None:
    """High bits that stand most significant first fall to other entries."""

    def reverse(row: Row) -> None:
        for kind in ("top", "sampled"):
            each = np.frombuffer(row[f"{kind}_indices_high"], np.uint8)
            turned = (each & 3) << 6 | (each & 12) << 2 | (each & 48) >> 2 | each >> 6
            row[f"{kind}_indices_high"] = turned.astype(np.uint8).tobytes()

    cause = told(checked(tmp_path / "x.parquet", stored(selected(), reverse)))["IDX-5"]
    assert "high bits stand with other entries than their own: entry j has bits 2(j mod 4) and up of its byte" == cause


def test_lost_high_bits(tmp_path: Path) -> None:
    """No index of 65,536 or more beside a larger vocabulary."""

    def lose(row: Row) -> None:
        for kind in ("top", "sampled"):
            row[f"{kind}_indices_high"] = bytes(len(row[f"{kind}_indices_high"]))

    text = "all indices are below 65,536 beside a vocabulary of 80,000: the high bits were lost"
    assert text in told(checked(tmp_path / "x.parquet", stored(selected(), lose))).values()


@pytest.mark.parametrize(
    ("shift", "start"),
    [(1, "entries were taken from the model's output at the token itself"), (-1, "entries were taken from the")],
)
def test_shifted_entries(tmp_path: Path, shift: int, start: str) -> None:
    """Tokens that are found in the nucleus of a neighbour."""
    batch = selected()
    assert batch.token_ids is not None
    spoiled = replace(batch, token_ids=np.roll(batch.token_ids, shift))
    cause = told(checked(tmp_path / "x.parquet", stored(spoiled)))["ALN-5"]
    assert cause is not None
    assert cause.startswith(start)


@pytest.mark.parametrize(
    ("shift", "text"),
    [
        (0, "most tokens are in the nucleus of their own entry: 'predicts' describes it"),
        (1, "most tokens are in the nucleus of the entry before theirs: 'follows' describes it"),
    ],
)
def test_alignment_that_is_not_specified(tmp_path: Path, shift: int, text: str) -> None:
    """The shares say what to declare."""
    batch = selected()
    assert batch.token_ids is not None
    spoiled = replace(batch, token_ids=np.roll(batch.token_ids, shift))
    report = checked(tmp_path / "x.parquet", stored(spoiled), alignment="unspecified")
    assert text == told(report)["ALN-6"]


def test_top_k(tmp_path: Path) -> None:
    """Every nucleus has as many entries."""
    table = stored(selected(top_p=1.0, max_entries=10))
    cause = told(checked(tmp_path / "x.parquet", table))["NUC-5"]
    text = "every nucleus has 10 entries: they were cut at a number (top-k), and top_p has no part in it"
    assert text == cause


def test_top_k_that_is_declared(tmp_path: Path) -> None:
    """Where no rule is declared, any sizes are as good as others."""
    table = stored(selected(top_p=1.0, max_entries=10))
    nucleus = {"rule": "unspecified"}
    assert {} == told(checked(tmp_path / "x.parquet", table, nucleus=nucleus))


def test_smaller_cap(tmp_path: Path) -> None:
    """Many nuclei end at a number that is not the one declared."""
    cause = told(checked(tmp_path / "x.parquet", stored(selected(max_entries=6))))["NUC-4"]
    assert cause is not None
    assert cause.startswith("no nucleus has more than 6 entries, and ")


def test_larger_cap(tmp_path: Path) -> None:
    """Nuclei are larger than declared."""
    cause = told(checked(tmp_path / "x.parquet", stored(selected(max_entries=30))))["NUC-8"]
    assert "the largest nucleus has 30 entries: max_entries is wrong" == cause


def test_rule_below(tmp_path: Path) -> None:
    """The entry that crosses top_p was dropped."""
    cause = told(checked(tmp_path / "x.parquet", stored(selected(rule="below"))))["NUC-4"]
    text = "no nucleus of several entries reaches top_p: the entry that crosses it was dropped; the rule is 'below'"
    assert text == cause


def test_rule_covering(tmp_path: Path) -> None:
    """The entry that crosses top_p was kept, and should not have been."""
    nucleus = METADATA["nucleus"] | {"rule": "below"}
    cause = told(checked(tmp_path / "x.parquet", stored(selected()), nucleus=nucleus))["NUC-6"]
    assert "nuclei reach top_p with their smallest entry, and not before it: the rule is 'covering'" == cause


@pytest.mark.parametrize(("top_p", "requirement"), [(0.8, "NUC-4"), (0.95, "NUC-5")])
def test_other_top_p(tmp_path: Path, top_p: float, requirement: str) -> None:
    """The smallest mass tells what top_p was."""
    cause = told(checked(tmp_path / "x.parquet", stored(selected(top_p=top_p))))[requirement]
    assert cause is not None
    assert cause.startswith(f"nuclei below the cap hold a mass of {top_p:.2f}")
    assert cause.endswith(" at least: top_p is wrong")


def test_logsumexp_of_the_stored_entries(tmp_path: Path) -> None:
    """The stored entries have all the mass."""
    batch = selected()
    owner = np.repeat(np.arange(batch.top_counts.size), batch.top_counts)
    sums = np.bincount(owner, np.exp(batch.top_logits)) + np.exp(batch.sampled_logits).sum(axis=1)
    spoiled = stored(replace(batch, logsumexp=np.log(sums)))
    cause = told(checked(tmp_path / "x.parquet", spoiled))["NUC-5"]
    text = "the logsumexp is that of the stored entries, nearly everywhere: it has to be over the full vocabulary"
    assert text == cause


def test_log_probabilities(tmp_path: Path) -> None:
    """Log-probabilities are consistent, so a note says it."""
    batch = selected()
    spoiled = replace(
        batch,
        top_logits=(batch.top_logits - np.repeat(batch.logsumexp, batch.top_counts)).astype(np.float32),
        sampled_logits=(batch.sampled_logits - batch.logsumexp[:, None]).astype(np.float32),
        logsumexp=np.zeros_like(batch.logsumexp),
    )
    text = "the logsumexp is 0 nearly everywhere: log-probabilities were stored, not raw logits"
    assert {"": text} == told(checked(tmp_path / "x.parquet", stored(spoiled)))


@pytest.mark.parametrize(("name", "step"), [("bfloat16", 1 / 8), ("binary16", 1 / 64)])
def test_narrow_logsumexp(tmp_path: Path, name: str, step: float) -> None:
    """A logsumexp in coarse steps was computed in a narrow type."""

    def coarsen(row: Row) -> None:
        row["logsumexp"] = np.rint(row["logsumexp"] / step) * step

    report = checked(tmp_path / "x.parquet", stored(selected(), coarsen))
    causes = {cause for cause in told(report).values() if cause is not None}
    text = f"every logsumexp is in the steps of {name}, 1/{round(1 / step)} near 20: it was computed in {name}"
    assert {text} == causes


def test_ranges_over_dropped_entries(tmp_path: Path) -> None:
    """The range was taken before the nucleus was cut."""
    least = np.sort(logits(), axis=1)[:, -40]

    def widen(row: Row) -> None:
        token = np.repeat(np.arange(row["top_min"].size), row["top_counts"])
        low, high = row["top_min"][token], row["top_max"][token]
        logit = row["top_logits_quantized"] / 65535 * (high - low) + low
        row["top_min"] = np.minimum(row["top_min"], least.min())
        spread = high - row["top_min"][token]
        row["top_logits_quantized"] = np.rint((logit - row["top_min"][token]) / spread * 65535).astype(int)

    cause = told(checked(tmp_path / "x.parquet", stored(selected(), widen)))["QNT-5"]
    assert "top_min was taken over more entries than were stored, such as the max_entries largest" == cause


@pytest.mark.parametrize("largest", [255, 32_767, 65_534])
def test_codes_of_another_scale(tmp_path: Path, largest: int) -> None:
    """Codes that end elsewhere were scaled by another number."""

    def rescale(row: Row) -> None:
        row["top_logits_quantized"] = np.rint(row["top_logits_quantized"] / 65535 * largest).astype(int)

    cause = told(checked(tmp_path / "x.parquet", stored(selected(), rescale)))["QNT-5"]
    assert f"no top code is above {largest}: codes were scaled by {largest}, not by 65535" == cause


def test_wrapped_codes(tmp_path: Path) -> None:
    """Scaled by 65536, the largest code wraps to 0."""

    def wrap(row: Row) -> None:
        row["top_logits_quantized"] %= 65535

    text = "the largest logit has code 0: codes were scaled by 65536, and the last one wrapped"
    assert text in told(checked(tmp_path / "x.parquet", stored(selected(), wrap))).values()


def test_ascending_nuclei(tmp_path: Path) -> None:
    """A nucleus stands smallest first, as sorting gives it."""
    batch = selected()
    order = np.concatenate([np.arange(start, stop)[::-1] for start, stop in
                            zip(batch.top_offsets[:-1], batch.top_offsets[1:], strict=True)])  # fmt: skip
    spoiled = replace(batch, top_indices=batch.top_indices[order], top_logits=batch.top_logits[order])
    report = checked(tmp_path / "x.parquet", stored(spoiled), nucleus={**METADATA["nucleus"], "order": "descending"})
    assert "nuclei stand smallest logit first" == told(report)["NUC-7"]


def test_tail_in_proportion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tail that was drawn by probability holds too much of the mass; a note says it where there are many tokens."""
    monkeypatch.setattr(patterns, "ENOUGH", 20)
    batch = selected()
    rng = np.random.default_rng(5)
    gumbel = logits() + rng.gumbel(size=logits().shape)
    owner = np.repeat(np.arange(batch.top_counts.size), batch.top_counts)
    gumbel[owner, batch.top_indices] = -np.inf
    drawn = np.argpartition(gumbel, -NUM_SAMPLED, axis=1)[:, -NUM_SAMPLED:]
    spoiled = replace(
        batch,
        sampled_indices=drawn.astype(np.int32),
        sampled_logits=np.take_along_axis(logits(), drawn, axis=1),
    )
    note = told(checked(tmp_path / "x.parquet", stored(spoiled)))[""]
    assert note is not None
    assert note.endswith(": entries were drawn by their probability")


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        ("TAIL-1", "tails were drawn with replacement: "),
        ("TAIL-2", "tails were drawn without leaving out the nucleus: "),
    ],
)
def test_tail_drawn_from_too_many(tmp_path: Path, requirement: str, text: str) -> None:
    """There are as many repeats as drawing with replacement gives, or from all of the vocabulary: here a small one."""
    rng, size = np.random.default_rng(6), 500

    def draw(row: Row) -> None:
        tokens = row["num_tokens"]
        choices = rng.integers(0, size, (tokens, NUM_SAMPLED))
        if requirement == "TAIL-2":
            choices = rng.permuted(np.tile(np.arange(size), (tokens, 1)), axis=1)[:, :NUM_SAMPLED]
        row["sampled_indices_low"] = choices.ravel()
        row["sampled_indices_high"] = bytes(len(row["sampled_indices_high"]))
        # Nuclei of neighbours from 0 on.
        row["top_indices_low"] = np.concatenate([np.arange(count) for count in row["top_counts"]])
        row["top_indices_high"] = bytes(len(row["top_indices_high"]))

    metadata = {"tokenizer": {"id": "teacher", "size": size}}
    cause = told(checked(tmp_path / "x.parquet", stored(selected(), draw), **metadata))[requirement]
    assert cause is not None
    assert cause.startswith(text)


@pytest.mark.parametrize(
    ("column", "requirement", "text"),
    [
        ("counts", "ROW-3", "the counts were added up in uint8, where 256 is 0"),
        ("bytes", "IDX-3", "the high bits have a byte an entry, where four entries share one"),
        ("ranges", "QNT-1", "the two ends of the ranges are swapped"),
        ("empty", "QNT-4", "0/0 was converted to an integer: a range without width has to be looked out for"),
        ("overflow", "LSE-1", "exp overflowed: the largest logit is to be taken off before it"),
    ],
)
def test_causes_that_values_show(tmp_path: Path, column: str, requirement: str, text: str) -> None:
    """What is found and what is allowed tell by themselves."""

    def spoil(row: Row) -> None:
        if column == "counts":
            entries = int(row["top_counts"].sum()) % 256
            for name in ("top_indices_low", "top_logits_quantized"):
                row[name] = row[name][:entries]
        elif column == "bytes":
            row["top_indices_high"] = bytes(len(row["top_indices_low"]))
        elif column == "ranges":
            row["top_min"], row["top_max"] = row["top_max"] + 1, row["top_min"]
        elif column == "empty":
            row["sampled_max"] = row["sampled_min"]
        else:
            row["logsumexp"][:] = np.inf

    assert text == told(checked(tmp_path / "x.parquet", stored(selected(), spoil)))[requirement]
