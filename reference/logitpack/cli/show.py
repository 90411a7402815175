"""`logitpack show`: one row of a dataset, or the nucleus and the tail of one of its tokens.

Strategy: only the row asked for is read and decoded (`onerow`). Logits, probabilities and
masses are binary32, computed in the order in which readers of the format are written, so that
what is printed here agrees with them to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from logitpack.cli.onerow import OneRow, read_row
from logitpack.cli.output import Column, Format, print_facts, print_json, print_line, print_table
from logitpack.cli.overview import plural, print_overview, row_document
from logitpack.cli.paths import dataset
from logitpack.cli.tokenizer import TokenTexts, load_token_texts
from logitpack.errors import UsageError
from logitpack.report import json_number

EPILOG = """\b
Examples:
  logitpack show my-dataset/ --row 0
  logitpack show my-dataset/ --row 0 --token 3 --tokenizer Qwen/Qwen3-8B
  logitpack show shard.parquet --row 17 --tokenizer my-tokenizer/ --limit 0
  logitpack show shard.parquet --row 17 --token 0 --format json"""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Entries of one token, largest logit first.

    `indices` int32, `logits` float32 in nats, `percent` float32 (of the probability), all
    [entries]; `mass` is the sum of `percent` in stored order, in binary32.
    """

    indices: NDArray[np.int32]
    logits: NDArray[np.float32]
    percent: NDArray[np.float32]
    mass: float

    def __iter__(self) -> Iterator[tuple[int, int, float, float]]:
        """Yield rank, index, logit and percent of each entry."""
        columns = (self.indices.tolist(), self.logits.tolist(), self.percent.tolist())
        return ((rank, *entry) for rank, entry in enumerate(zip(*columns, strict=True)))


def show(
    path: Annotated[
        str,
        typer.Argument(
            help="A file, a folder, a pattern, or a URL of one.", parser=dataset, metavar="PATH", show_default=False
        ),
    ],
    row: Annotated[
        int,
        typer.Option("--row", "-r", help="The row, counted from 0 over all files.", metavar="R", show_default=False),
    ],
    token: Annotated[
        int | None,
        typer.Option(
            "--token", "-t", help="The token, counted from 0 in its row.", metavar="T", show_default="the whole row"
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="For the tokens' texts: a folder with tokenizer.json, such a file, or an id on the Hub.",
            metavar="ID_OR_FOLDER",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Tokens listed of a whole row, 0 for all.", metavar="N")] = 10,
    form: Annotated[
        Format, typer.Option("--format", help="For people, or for programs.", metavar="text|json")
    ] = Format.text,
) -> None:
    """Show a row, or the entries of one of its tokens.

    Entries are listed by falling logit. Probabilities are those under the full vocabulary, in %.
    """
    texts = None if tokenizer is None else load_token_texts(tokenizer)
    found = read_row(path, row)
    if token is None:
        if form is Format.json:
            print_json(row_document(found, texts))
        else:
            print_overview(found, texts, limit)
        return
    tokens = len(found.batch.top_counts)
    if not 0 <= token < tokens:
        raise UsageError(f"row {row} has no token {token}: it has tokens 0 to {tokens - 1}", got=token)
    nucleus, tail = entries_of(found, token)
    if form is Format.json:
        print_json(_token_document(found, token, nucleus, tail, texts))
        return
    _print_token(found, token, nucleus, tail, texts)


def entries_of(found: OneRow, token: int) -> tuple[Entries, Entries]:
    """Return the nucleus and the tail of a token of the row."""
    batch, lse = found.batch, float(found.batch.logsumexp[token])
    start, stop = batch.top_offsets[token : token + 2]
    return (
        _ranked(batch.top_indices[start:stop], batch.top_logits[start:stop], lse),
        _ranked(batch.sampled_indices[token], batch.sampled_logits[token], lse),
    )


def _ranked(indices: NDArray[np.int32], logits: NDArray[Any], lse: float) -> Entries:
    logits = logits.astype(np.float32, copy=False)
    # A logit far above its logsumexp, which only a checker minds, has an infinite probability.
    with np.errstate(over="ignore"):
        # A Python float takes part in binary32 arithmetic without widening it.
        percent = np.exp(logits - lse) * 100
        mass = float(percent.sum())
    # The order of equal logits is that of argsort backwards, as in the published readers.
    order = np.argsort(logits)[::-1]
    return Entries(indices[order], logits[order], percent[order], mass)


def _print_token(found: OneRow, token: int, nucleus: Entries, tail: Entries, texts: TokenTexts | None) -> None:
    batch = found.batch
    print_line(f"Row {found.row}, token {token} of {len(batch.top_counts)}", "bold")
    facts: list[tuple[str, object]] = [("place", found.place)]
    if batch.token_ids is not None:
        facts.append(("the token", _own(int(batch.token_ids[token]), nucleus, tail, texts)))
    facts.append(("logsumexp", f"{batch.logsumexp[token]:.4f}"))
    print_facts(facts)
    print_line()
    _print_entries(f"Nucleus, {_entries(nucleus)}", "rank", nucleus, texts, 4)
    print_line(f"Total nucleus mass: {nucleus.mass:.2f} %")
    print_line()
    _print_entries(f"Tail, {_entries(tail)}", "#", tail, texts, 6)
    print_line(f"Total tail mass: {tail.mass:.6f} %")


def _entries(entries: Entries) -> str:
    return plural(len(entries.indices), "entry", "entries")


def _print_entries(title: str, rank: str, entries: Entries, texts: TokenTexts | None, decimals: int) -> None:
    columns = [Column(rank, "dim", right=True), Column("index", right=True)]
    if texts is not None:
        columns.append(Column("token", "cyan"))
    columns += [Column("logit", right=True), Column("prob %", right=True)]
    rows = []
    for number, index, logit, percent in entries:
        text = [] if texts is None else [texts.short(index)]
        rows.append([number, index, *text, f"{logit:.4f}", f"{percent:.{decimals}f}"])
    print_line(title, "bold")
    print_table(columns, rows)


def _own(index: int, nucleus: Entries, tail: Entries, texts: TokenTexts | None) -> str:
    """Say where among the entries the token itself is, which the row has the id of."""
    name = str(index) if texts is None else f"{index} '{texts.short(index)}'"
    for kind, entries in (("nucleus", nucleus), ("tail", tail)):
        for rank, entry, _, percent in entries:
            if entry == index:
                return f"{name}, {percent:.4f} %, rank {rank} of its {kind}"
    return f"{name}, not among the stored entries"


def _token_document(
    found: OneRow, token: int, nucleus: Entries, tail: Entries, texts: TokenTexts | None
) -> dict[str, Any]:
    def listed(entries: Entries) -> dict[str, Any]:
        rows = []
        for rank, index, logit, percent in entries:
            text = {} if texts is None else {"text": texts.text([index])}
            rows.append({"rank": rank, "index": index, **text, "logit": logit, "percent": json_number(percent)})
        return {"mass_percent": json_number(entries.mass), "entries": rows}

    ids = found.batch.token_ids
    return {
        **found.document(),
        "token": token,
        "token_id": None if ids is None else int(ids[token]),
        "logsumexp": float(found.batch.logsumexp[token]),
        "nucleus": listed(nucleus),
        "tail": listed(tail),
    }
