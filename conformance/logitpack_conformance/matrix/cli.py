"""`logitpack matrix`: its options and its help. What it needs is imported only when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from logitpack_conformance.cli import WRONG_USAGE, lacks
from logitpack_conformance.text import bounded

PASSED, FAILED, INCOMPLETE = 0, 1, 6
STATUSES = {"passed": PASSED, "failed": FAILED, "incomplete": INCOMPLETE}

EPILOG = """\b
What a reader made of files of others, `conform --exchange` puts into its report. Here nothing is started.

\b
Examples:
  logitpack conform --report a/ --keep-written -- ./writer
  logitpack conform --report b/ --exchange a/ -- ./reader
  logitpack matrix a/ b/ --output matrix/

\b
Exit status: 0 every file was written and taken as it should be, 1 one was not, 2 wrong usage, or a report that cannot
be used, 6 incomplete: files were not sent, or others than the writers' reports list."""

matrix = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@matrix.command(name="matrix", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def _matrix(
    reports: Annotated[
        list[Path], typer.Argument(help="Folders that `conform --report` has written.", metavar="REPORT_DIR...")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write matrix.html, .md and .json into DIR.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Show which reader reads what which writer wrote, from reports alone."""
    try:
        from logitpack_conformance.keeping import ReportFault
        from logitpack_conformance.matrix import files, show
        from logitpack_conformance.matrix.collect import collect
    except ModuleNotFoundError as error:
        return lacks(error, "matrix")
    try:
        found = collect(reports)
        if output is not None:
            files.write_all(output, found)
    except ReportFault as error:
        return _failed(error)
    except OSError as error:
        return _failed(f"{output}: {error.strerror}")
    show.show(found)
    return STATUSES[found.verdict]


def _failed(error: object) -> int:
    sys.stderr.write(f"error: {bounded(error, 2000)}\n")
    return WRONG_USAGE
