"""`logitpack check`: judge datasets by all structural and semantic requirements.

Strategy: the judgement is `logitpack.check`'s; here it is printed, for people or for one of several programs.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from logitpack.check import IncompleteError
from logitpack.check import check as judge
from logitpack.cli.annotations import commands
from logitpack.cli.findings import LISTED, lines
from logitpack.cli.output import print_error, print_json, print_text
from logitpack.cli.paths import dataset
from logitpack.cli.sarif import document
from logitpack.errors import UsageError
from logitpack.metadata import Metadata
from logitpack.report import PLACES
from logitpack.shards import read_sidecar
from logitpack.urls import StrPath, shown

EPILOG = """\b
Examples:
  logitpack check my-dataset/
  logitpack check shard.parquet --metadata logitpack.json
  logitpack check my-dataset/ --format json > report.json
  logitpack check my-dataset/ --format github

Exit status: 0 valid, 1 invalid, 2 cannot be read or wrong usage."""


class Format(StrEnum):
    """How the report is printed: for people, for programs, as annotations of a GitHub workflow, as SARIF 2.1.0."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def check(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, patterns and URLs, each a dataset.",
            parser=dataset,
            metavar="PATH",
            show_default=False,
        ),
    ],
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.text,
    metadata: Annotated[
        str | None,
        typer.Option(
            help="Metadata, as JSON, for files that have none.", parser=dataset, metavar="FILE", show_default=False
        ),
    ] = None,
    places: Annotated[int, typer.Option(min=1, help="Places kept of each finding.", metavar="N")] = PLACES,
    listed: Annotated[
        int, typer.Option("--files", min=1, help="Files listed, those with findings first.", metavar="N")
    ] = LISTED,
) -> int:
    """Check datasets by every requirement of the specification, over every row.

    Prints a line for each finding, with its requirement, its count and its first places, and a verdict for each file.
    """
    given = None if metadata is None else load_metadata(metadata)
    errors: list[UsageError] = []
    try:
        report = judge(paths, metadata=given, places=places)
    except IncompleteError as error:
        report, errors = error.report, error.errors
    if form is Format.json:
        print_json(report.to_json())
    elif form is Format.sarif:
        from logitpack.cli.app import version  # which imports this module

        print_json(document(report, version()))
    elif form is Format.github:
        sys.stdout.writelines(f"{command}\n" for command in commands(report, listed))
    else:
        for line in lines(report, listed):
            print_text(line)
    for reason in errors:
        print_error(reason)
    if errors:
        return 2
    return 0 if report.verdict == "valid" else 1


def load_metadata(path: StrPath) -> Metadata:
    """Read metadata that the user supplies. Raises UsageError (META-1, META-2, META-7)."""
    return Metadata.from_user(read_sidecar(path), file=shown(path))
