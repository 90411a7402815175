"""What `logitpack check` prints for a workflow of GitHub Actions: commands that become annotations.

Strategy: a finding is one command. Everything in it is escaped twice: as for a terminal, and then as commands want
it, so that no name or value from data can end a command or begin one.
"""

from __future__ import annotations

from collections.abc import Iterator

from logitpack.cli.findings import chosen, count, places, summary
from logitpack.cli.uris import relative
from logitpack.errors import printable
from logitpack.report import FileReport, Finding, Report
from logitpack.requirements import requirements


def commands(report: Report, listed: int) -> Iterator[str]:
    """Yield a command for each finding and note, and a line that counts the files."""
    for file in chosen(report.files, listed):
        for finding in file.findings:
            yield _command(file, finding)
    for dataset in report.datasets:
        for note in dataset.notes:
            yield f"::notice title={_property(dataset.path)}::{_data(note)}"
    yield summary(report.files, listed)


def _command(file: FileReport, finding: Finding) -> str:
    title = f"{finding.requirement}: {requirements()[finding.requirement]['title']}"
    many = f" [{count(finding.count, 'place')}]" if finding.count > 1 else ""
    text = f"{printable(finding.message)}{places(finding)}{many}"
    if finding.cause is not None:
        text += f"\nProbable cause: {printable(finding.cause)}"
    return f"::{finding.severity} file={_property(relative(file.path))},title={_property(title)}::{_escaped(text)}"


def _data(text: str) -> str:
    return _escaped(printable(text))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
