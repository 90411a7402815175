"""`logitpack check`: judge datasets by all structural and semantic requirements.

Strategy: the judgement is `logitpack.check`'s; here it is printed, one line a finding and one a file, each
beginning with the file, as compilers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from logitpack.check import check as judge
from logitpack.cli.output import Format, print_json, print_text
from logitpack.cli.paths import dataset
from logitpack.errors import printable
from logitpack.metadata import Metadata
from logitpack.report import PLACES, FileReport, Finding
from logitpack.shards import read_sidecar
from logitpack.urls import StrPath, shown

EPILOG = """\b
Examples:
  logitpack check my-dataset/
  logitpack check shard.parquet --metadata logitpack.json
  logitpack check my-dataset/ --format json > report.json

Exit status: 0 valid, 1 invalid, 2 cannot be read or wrong usage."""

COLOURS = {"error": "red", "warning": "yellow", "valid": "bold green", "invalid": "bold red"}


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
) -> int:
    """Check datasets by every requirement of the specification, over every row.

    Prints a line for each finding, with its requirement, its count and its first places, and a verdict for each file.
    """
    given = None if metadata is None else load_metadata(metadata)
    report = judge(paths, metadata=given, places=places)
    if form is Format.json:
        print_json(report.to_json())
    else:
        for file in report.files:
            for line in _lines(file):
                print_text(line)
        if len(report.files) > 1:
            invalid = sum(file.verdict != "valid" for file in report.files)
            print_text(
                Text(
                    f"{len(report.files)} files: {invalid} invalid" if invalid else f"{len(report.files)} files: valid"
                )
            )
    return 0 if report.verdict == "valid" else 1


def load_metadata(path: StrPath) -> Metadata:
    """Read metadata that the user supplies. Raises UsageError (META-1, META-2, META-7)."""
    return Metadata.from_user(read_sidecar(path), file=shown(path))


def _lines(file: FileReport) -> Iterator[Text]:
    for finding in file.findings:
        line = Text.assemble(
            f"{printable(file.path)}: ",
            (finding.severity, COLOURS[finding.severity]),
            " ",
            (finding.requirement, "bold"),
            f", {_count(finding.count, 'place')}: " if finding.places else ": ",
            printable(finding.message),
        )
        line.append(_places(finding), "dim")
        yield line
    amounts = [file.profile, _count(file.rows, "row"), _count(file.tokens, "token")]
    for severity in ("error", "warning"):
        total = sum(finding.severity == severity for finding in file.findings)
        if total:
            amounts.append(_count(total, severity))
    yield Text.assemble(f"{printable(file.path)}: ", (file.verdict, COLOURS[file.verdict]), f" ({', '.join(amounts)})")


def _places(finding: Finding) -> str:
    if not finding.places:
        return ""
    places = "; ".join(str(place) for place in finding.places)
    return f" ({places}{'; …' if finding.count > len(finding.places) else ''})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
