"""Checkers that judge wrongly: in some places only, or by another rule than SPEC.md has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from logitpack import dataset, entries, indices, metadata, pages, semantics, structure, values
from logitpack.columns import Columns
from logitpack.verdicts import _judge_agreement
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, JSON, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import put, swap, wrap, wrap_method
from logitpack_conformance.model import Role

CHECKER = Role.CHECKER


@mutant(CHECKER, "FILE-5", "FILE-1")
def checksums_not_verified() -> None:
    """Page checksums are not compared with the pages."""

    def opened(original: Any, self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{**options, "page_checksum_verification": False})

    wrap_method(pq.ParquetFile, "__init__", opened)
    swap(pages.first_broken, lambda *_, **__: None)


@mutant(CHECKER, "FILE-5", "FILE-1")
def checksums_of_named_columns_only() -> None:
    """Page checksums of columns that SPEC.md does not name are not verified."""
    swap(pages.first_broken, lambda *_, **__: None)


@mutant(CHECKER, "ROW-3", "IDX-3", "QNT-8", "IDX-1")
def first_row_only() -> None:
    """Structure is judged in the first row of a file."""

    def judge(original: Any, columns: Columns) -> Any:
        judgement = original(columns)
        if not judgement.breaches:
            return judgement
        kept = [breach for breach in judgement.breaches if (breach.rows == 0).any()]
        return replace(judgement, breaches=kept)

    wrap(structure.judge, judge)


@mutant(CHECKER, "IDX-4", "NUC-2", "TAIL-1", "TAIL-2", "LSE-2")
def first_row_group_only() -> None:
    """Meaning is judged in the first row group of a file."""

    def judge(original: Any, sound: Any, declared: Any) -> Any:
        return original(sound, declared) if len(sound) and sound.row_numbers[0] == 0 else []

    wrap(semantics.judge, judge)


@mutant(CHECKER, "IDX-3", containers=(PARQUET, JSON))
def surplus_high_bytes_ignored() -> None:
    """Too many bytes of high bits are not noticed."""

    def judge(original: Any, columns: Columns) -> Any:
        judgement = original(columns)
        return replace(judgement, breaches=[b for b in judgement.breaches if not _is_surplus(b)])

    wrap(structure.judge, judge)


def _is_surplus(breach: Any) -> bool:
    detail = breach.describe(0)
    return bool(breach.requirement == "IDX-3" and detail.got > detail.allowed)


@mutant(CHECKER, "IDX-4")
def padding_of_the_tail_only() -> None:
    """Padding bits of the nucleus are not looked at."""
    wrap(
        semantics._padding, lambda original, sound, part: original(sound, part) if part.kind == "sampled" else iter(())
    )


@mutant(CHECKER, "IDX-4")
def one_padding_bit() -> None:
    """Of the padding, the highest bit is looked at."""

    def padding(original: Any, sound: Any, part: Any) -> Any:
        for breach in original(sound, part):
            high = sound.columns.ragged(breach.column)
            if (high.values[high.offsets[1:] - 1] & 0x80).any():
                yield breach

    wrap(semantics._padding, padding)


@mutant(CHECKER, "NUC-2")
def neighbours_only() -> None:
    """An index is found to stand twice in a nucleus where the two entries are neighbours."""

    def made(original: Any, self: Any, top: Any, sampled: Any) -> None:
        original(self, top, sampled)
        at = self.in_top
        self.in_top = at[top.index[at] == top.index[at - 1]]

    wrap_method(entries.Repeats, "__init__", made)


@mutant(CHECKER, "QNT-1")
def ranges_finite_only() -> None:
    """Of ranges, only that their ends are finite is judged."""

    def ranges(original: Any, columns: Any, shape: Any, low_name: str, high_name: str) -> Any:
        low, high = columns.ragged(low_name).values, columns.ragged(high_name).values
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            yield from original(columns, shape, low_name, high_name)

    wrap(values._ranges, ranges)


@mutant(CHECKER, "IDX-5")
def vocabulary_held_against_the_nucleus_only() -> None:
    """Indices of the tail are not held against vocab_size."""

    def within(original: Any, sound: Any, declared: Any) -> Any:
        return (breach for breach in original(sound, declared) if not (breach.column or "").startswith("sampled"))

    wrap(semantics._within_vocabulary, within)


# By another rule


@mutant(CHECKER, "CHK-3", "IDX-5")
def vocabulary_of_the_tokenizer() -> None:
    """Indices are held against tokenizer.size in place of vocab_size."""

    def within(original: Any, sound: Any, declared: Any) -> Any:
        if declared is None:
            return iter(())
        raw = {**declared.raw, "vocab_size": declared.tokenizer_size}
        return original(sound, metadata.Metadata(raw))

    wrap(semantics._within_vocabulary, within)


@mutant(CHECKER, "NUC-8", "CHK-3")
def cap_of_100_always() -> None:
    """The cap is 100, whatever max_entries is declared to be."""
    wrap_property(metadata.Metadata, "max_entries", 100)


def wrap_property(owner: type, name: str, value: object) -> None:
    """Give a property one value."""
    if not isinstance(vars(owner)[name], property):
        raise TypeError(f"{name} is no property")
    setattr(owner, name, property(lambda self: value))  # noqa: ARG005


@mutant(CHECKER, "CHK-3", "NUC-7")
def order_always_descending() -> None:
    """Nuclei are held to descending order, whatever is declared."""
    wrap_property(metadata.Metadata, "descending", value=True)


@mutant(CHECKER, "TAIL-3")
def uniformity_by_mean_only() -> None:
    """Tails are found uniform where the mean of their indices is that of the vocabulary."""

    def uniformity(original: Any, totals: Any) -> Any:
        found = original(totals)
        if found is None:
            return None
        bins = np.arange(len(totals.observed))
        mean, due = (np.average(bins, weights=weights) for weights in (totals.observed, totals.expected))
        return found if abs(mean - due) > 5 else 0.0

    wrap(dataset.uniformity, uniformity)


@mutant(CHECKER, "CHK-2")
def uniformity_beyond_18_bits() -> None:
    """Tails are expected to hold entries that no index reaches, where the vocabulary is that wide."""
    put(dataset, "MAX_VOCAB", 2**31)


@mutant(CHECKER, "CHK-2")
def uniformity_with_entries_left_out() -> None:
    """Entries at tokenizer.size and above are counted among those that are expected below it."""
    wrap(dataset._below, lambda original, entries, size: original(entries, size) * 0 + entries.counts)


@mutant(CHECKER, "ALN-5")
def alignment_held_against_one_side() -> None:
    """Tokens are looked for in the entry after their own, and not in the one before."""
    wrap(dataset.hit_shares, lambda original, totals: _one_side(original(totals)))


def _one_side(shares: Any) -> Any:
    return None if shares is None else (shares[0], 0.0, shares[2])


@mutant(CHECKER, "FILE-2")
def metadata_of_files_not_compared() -> None:
    """Of the files of a dataset, columns and types are compared, but not the metadata."""

    def agreement(original: Any, files: Any) -> None:
        for file in files:
            file.comparable = file is files[0]
        original(files)

    wrap(_judge_agreement, agreement)


@mutant(CHECKER, "IDX-2", "CHK-3", containers=(PARQUET, ARROW_FILE, JSON))
def high_bits_msb_first() -> None:
    """High bits are taken most significant first, and what follows from that is reported."""
    shifts = np.array([6, 4, 2, 0])
    put(indices, "_HIGH_BITS", ((np.arange(256)[:, None] >> shifts & 0b11) << 16).astype(np.int32))
