"""`logitpack card`: a dataset card, printed or written beside the data.

Strategy: nothing is written before the whole dataset has been read and the text is complete;
then the file appears under its name in one step.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from logitpack.cli.cardtext import render
from logitpack.cli.check import load_metadata
from logitpack.cli.output import print_line
from logitpack.cli.paths import dataset
from logitpack.cli.paths import path as as_path
from logitpack.errors import Place, UsageError
from logitpack.files import read
from logitpack.replacing import replacing
from logitpack.urls import shown

EPILOG = """\b
Examples:
  logitpack card my-dataset/
  logitpack card my-dataset/ --dataset-id me/my-dataset -o my-dataset/README.md
  logitpack card old-dataset/ --metadata described.json"""

PLACEHOLDER = "YOUR-NAME/YOUR-DATASET"


def card(
    path: Annotated[
        str,
        typer.Argument(
            help="A file, a folder, a pattern, or a URL of one.", parser=dataset, metavar="PATH", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the card to this file.",
            parser=as_path,
            metavar="FILE",
            show_default="print it",
        ),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(
            help="Metadata for a dataset that has none: a JSON file.",
            parser=dataset,
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    dataset_id: Annotated[
        str, typer.Option(help="The dataset's id on the Hub, for the reading code.", metavar="ID")
    ] = PLACEHOLDER,
    license_id: Annotated[
        str | None,
        typer.Option("--license", help="Its licence, as the Hub names it.", metavar="ID", show_default="left open"),
    ] = None,
    force: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--force", help="Replace the file if it is there.")
    ] = False,
) -> None:
    """Write a dataset card (README.md) for the Hugging Face Hub.

    The dataset has to say what it is: in its own metadata, in a logitpack.json beside it, or by --metadata.
    """
    if output is not None and not force and os.path.lexists(output):
        raise UsageError(f"{output} is there already; --force replaces it")
    reader = read(path)
    given = None if metadata is None else load_metadata(metadata)
    # What the dataset says of itself comes first.
    described = given if reader.metadata is None else reader.metadata
    if described is None:
        raise UsageError(
            "there is no metadata to fill a card from: give --metadata FILE, or put logitpack.json beside the data",
            place=Place(file=shown(path)),
        )
    text = render(reader, described, dataset_id=dataset_id, license_id=license_id)
    if output is None:
        sys.stdout.write(text)
        return
    _write(output, text, force=force)
    print_line(f"{output}: {len(text.encode()):,} bytes")


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write all of the file or nothing, over no other file unless forced to."""
    try:
        with replacing(path, exclusive=not force) as file:
            file.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        raise UsageError(f"{path} is there already; --force replaces it") from None
