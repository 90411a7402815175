"""A row at a glance: how large, how much of the probability is stored, what it says.

Strategy: masses are summed in binary64 over the whole row; nothing here is digit for digit
what another program prints, unlike the entries of one token (`show`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logitpack.cli.onerow import OneRow
from logitpack.cli.output import Column, print_facts, print_line, print_table
from logitpack.cli.tokenizer import TokenTexts, shortened
from logitpack.ragged import segment_sum
from logitpack.report import json_number

TEXT_LONGEST = 300

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """What is known of each token of a row; probabilities in %.

    `nucleus_mass` and `tail_mass` float64 [tokens]; `first` and `first_percent` the largest
    entry's index and probability; `own_percent` that of the token itself, NaN where its entry is not
    stored; `own_in_nucleus` whether it is in the nucleus. The `own` ones are None without `token_ids`.
    """

    nucleus_mass: Reals
    tail_mass: Reals
    first: NDArray[np.int64]
    first_percent: Reals
    own_percent: Reals | None
    own_in_nucleus: NDArray[np.bool_] | None


def overview_of(found: OneRow) -> Overview:
    """Sum the row up."""
    batch, lse = found.batch, found.batch.logsumexp
    token = np.repeat(np.arange(lse.size), batch.top_counts)
    with np.errstate(over="ignore"):
        top = np.exp(batch.top_logits.astype(np.float64) - lse[token]) * 100
        tail = np.exp(batch.sampled_logits.astype(np.float64) - lse[:, None]) * 100
    # Sorted by token, then by logit: the last entry of each token is its largest.
    largest = np.lexsort((batch.top_logits, token))[batch.top_offsets[1:] - 1]
    own_percent = own_in_nucleus = None
    if batch.token_ids is not None:
        own_percent = np.full(lse.size, np.nan)
        rows, columns = np.nonzero(batch.sampled_indices == batch.token_ids[:, None])
        own_percent[rows] = tail[rows, columns]
        hits = np.flatnonzero(batch.top_indices == batch.token_ids[token])
        own_percent[token[hits]] = top[hits]
        own_in_nucleus = np.isin(np.arange(lse.size), token[hits])
    return Overview(
        nucleus_mass=segment_sum(top, batch.top_counts),
        tail_mass=tail.sum(axis=1),
        first=batch.top_indices[largest].astype(np.int64),
        first_percent=top[largest],
        own_percent=own_percent,
        own_in_nucleus=own_in_nucleus,
    )


def print_overview(found: OneRow, texts: TokenTexts | None, limit: int) -> None:
    """Print the row's facts, then its first `limit` tokens, all of them where it is 0."""
    batch, seen = found.batch, overview_of(found)
    tokens = len(batch.top_counts)
    shown = min(limit or tokens, tokens)
    print_line(f"Row {found.row}, {plural(tokens, 'token')}", "bold")
    print_facts(_facts(found, seen, texts))
    print_line()
    print_line(f"Tokens 0 to {shown - 1}", "bold")
    print_table(_columns(texts, own=seen.own_percent is not None), _rows(found, seen, texts, shown))
    if shown < tokens:
        print_line(f"{plural(tokens - shown, 'more token')}: --limit 0 lists all, --token N shows one", "dim")


def row_document(found: OneRow, texts: TokenTexts | None) -> dict[str, Any]:
    """Return the row's overview for `--format json`, every token included."""
    batch, seen = found.batch, overview_of(found)
    ids = batch.token_ids
    tokens = [
        {
            "token": i,
            **({} if ids is None else {"token_id": int(ids[i])}),
            **({} if ids is None or texts is None else {"text": texts.text([int(ids[i])])}),
            "logsumexp": float(batch.logsumexp[i]),
            "nucleus_entries": int(batch.top_counts[i]),
            "nucleus_mass_percent": json_number(float(seen.nucleus_mass[i])),
            "tail_mass_percent": json_number(float(seen.tail_mass[i])),
            "first": {"index": int(seen.first[i]), "percent": json_number(float(seen.first_percent[i]))},
        }
        for i in range(len(batch.top_counts))
    ]
    return {**found.document(), "num_tokens": len(tokens), "num_sampled": batch.num_sampled, "tokens": tokens}


def _facts(found: OneRow, seen: Overview, texts: TokenTexts | None) -> list[tuple[str, object]]:
    batch = found.batch
    counts, lse = batch.top_counts, batch.logsumexp
    facts: list[tuple[str, object]] = [
        ("place", found.place),
        ("profile", found.profile),
        ("nucleus", f"{counts.min()} to {counts.max()} entries a token, {counts.mean():.1f} on average"),
        ("nucleus mass", _range(seen.nucleus_mass, 4)),
        ("tail", f"{plural(batch.num_sampled, 'entry', 'entries')} a token"),
        ("tail mass", _range(seen.tail_mass, 6)),
        ("logsumexp", f"{lse.min():.4f} to {lse.max():.4f}"),
    ]
    alignment = "predicts" if found.metadata is None else found.metadata.alignment
    if alignment != "predicts":
        facts.append(("alignment", ALIGNMENTS[alignment]))
    if seen.own_in_nucleus is not None and seen.own_percent is not None:
        stored = ~np.isnan(seen.own_percent)
        facts.append(
            (
                "tokens stored",
                f"{seen.own_in_nucleus.mean():.1%} in their nucleus, {stored.mean():.1%} in nucleus or tail",
            )
        )
    if batch.token_ids is not None and texts is not None:
        facts.append(("text", shortened(texts.text(batch.token_ids.tolist()), TEXT_LONGEST)))
    return facts


ALIGNMENTS = {
    "follows": "follows: an entry is the distribution of the token after its own",
    "unspecified": "unspecified: which token an entry is the distribution of is not known",
}


def _columns(texts: TokenTexts | None, *, own: bool) -> list[Column]:
    text = [] if texts is None else [Column("text", "cyan", fold=True)]
    own_columns = [Column("id", right=True), *text, Column("prob %", right=True)] if own else []
    return [
        Column("token", "dim", right=True),
        *own_columns,
        Column("top 1", right=True),
        *text,
        Column("prob %", right=True),
        Column("nucleus", right=True),
        Column("mass %", right=True),
    ]


def _rows(found: OneRow, seen: Overview, texts: TokenTexts | None, shown: int) -> list[list[object]]:
    batch = found.batch

    def named(index: int) -> list[object]:
        return [index] if texts is None else [index, texts.short(index)]

    rows: list[list[object]] = []
    for i in range(shown):
        row: list[object] = [i]
        if batch.token_ids is not None and seen.own_percent is not None:
            percent = seen.own_percent[i]
            row += [*named(int(batch.token_ids[i])), "-" if np.isnan(percent) else f"{percent:.2f}"]
        row += [*named(int(seen.first[i])), f"{seen.first_percent[i]:.2f}"]
        row += [int(batch.top_counts[i]), f"{seen.nucleus_mass[i]:.2f}"]
        rows.append(row)
    return rows


def _range(percent: Reals, decimals: int) -> str:
    low, high, mean = (f"{value:.{decimals}f}" for value in (percent.min(), percent.max(), percent.mean()))
    return f"{low} to {high} %, {mean} % on average"


def plural(count: int, word: str, words: str | None = None) -> str:
    """Return a number and what it counts."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"
