"""`logitpack check`: judge datasets by all structural and semantic requirements.

Strategy: the judgement is `logitpack.check`'s; here it is printed, for people or for one of several programs.
"""

from __future__ import annotations

import sys
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from logitpack.check import IncompleteError, InterruptedCheckError
from logitpack.check import check as judge
from logitpack.cli.annotations import commands
from logitpack.cli.findings import LISTED, count, interim, lines
from logitpack.cli.interrupt import interruptible
from logitpack.cli.output import print_error, print_json, print_note, print_text
from logitpack.cli.paths import dataset, path
from logitpack.cli.progress import bar
from logitpack.cli.sarif import document
from logitpack.errors import UsageError
from logitpack.metadata import Metadata
from logitpack.report import PLACES, Report
from logitpack.shards import read_sidecar
from logitpack.urls import StrPath, shown
from logitpack.version import version

EPILOG = """\b
Examples:
  logitpack check my-dataset/
  logitpack check shard.parquet --metadata logitpack.json
  logitpack check my-dataset/ --format json > report.json
  logitpack check my-dataset/ --format github
  logitpack check my-dataset/ --state check.state
  logitpack check /shared/my-dataset/ --dask tcp://scheduler:8786

Exit status: 0 valid, 1 invalid, 2 unreadable or misuse, 130 interrupted."""


class Format(StrEnum):
    """How the report is printed: for people, for programs, as annotations of a GitHub workflow, as SARIF 2.1.0."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def check(  # noqa: PLR0917 - options of the command line
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
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="Parts of files judged at a time, by default one a processor.",
            metavar="N",
            show_default=False,
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(help="Scheduler of a Dask cluster that judges.", metavar="ADDRESS", show_default=False),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Keep what was found in each file here, and do not check it again while it stays the same.",
            parser=path,
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Check datasets by every requirement of the specification, over every row.

    Prints a line for each finding, with its requirement, its count and its first places, and a verdict for each file.
    """
    given = None if metadata is None else load_metadata(metadata)
    errors: list[UsageError] = []
    with interruptible() as caught:
        try:
            with bar() as progress, _executor(dask) as (executor, threads):
                report = judge(
                    paths,
                    metadata=given,
                    places=places,
                    jobs=jobs or threads,
                    executor=executor,
                    progress=progress,
                    state=state,
                )
        except IncompleteError as error:
            report, errors = error.report, error.errors
        except KeyboardInterrupt as error:
            _tell_interrupted(error, form, listed, state)
            return caught.status
    _print(report, form, listed)
    for reason in errors:
        print_error(reason)
    if errors:
        return 2
    return 0 if report.verdict == "valid" else 1


def _executor(address: str | None) -> AbstractContextManager[tuple[Executor | None, int | None]]:
    """Give what judges, and how many tasks it takes at a time; None for what is the default."""
    if address is None:
        return nullcontext((None, None))
    from logitpack.cluster import dask

    return dask(address)


def _print(report: Report, form: Format, listed: int) -> None:
    if form is Format.json:
        print_json(report.to_json())
    elif form is Format.sarif:
        print_json(document(report, version()))
    elif form is Format.github:
        sys.stdout.writelines(f"{command}\n" for command in commands(report, listed))
    else:
        for line in lines(report, listed):
            print_text(line)


def _tell_interrupted(error: KeyboardInterrupt, form: Format, listed: int, state: Path | None) -> None:
    """Say what had been checked; programs, which read whole documents, are told by the exit status."""
    if not isinstance(error, InterruptedCheckError):
        print_note("interrupted before anything was checked")
        return
    files, begun = error.report.files, error.begun
    if form is Format.text:
        for line in interim(error.report, begun, listed):
            print_text(line)
    for reason in error.errors:
        print_error(reason)
    every = (*files, *begun)
    found = [finding.severity for file in every for finding in file.findings]
    done = f"{len(files):,} of {count(len(files) + error.left, 'file')} checked"
    tokens = count(sum(file.tokens for file in every), "token")
    note = f"interrupted: {done}, {len(begun):,} in part, {tokens}; "
    note += f"found so far: {count(found.count('error'), 'error')}, {count(found.count('warning'), 'warning')}"
    if state is not None and files and not error.errors:
        note += f"; {state} has what was found in the files that were checked"
    print_note(note)


def load_metadata(path: StrPath) -> Metadata:
    """Read metadata that the user supplies. Raises UsageError (META-1, META-2, META-7)."""
    return Metadata.from_user(read_sidecar(path), file=shown(path))
