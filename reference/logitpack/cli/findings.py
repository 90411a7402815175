"""What `logitpack check` prints for people: findings, verdicts and figures, a line each.

Strategy: each line begins with its file or dataset, as those of compilers do. A fault can be in every file of
thousands: only so many files are listed, those with findings first, and the last line counts all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from logitpack.errors import printable
from logitpack.report import DatasetReport, FileReport, Finding, Report

LISTED = 100
"""Files that are listed unless told otherwise."""

COLOURS = {"error": "red", "warning": "yellow", "valid": "bold green", "invalid": "bold red"}


def lines(report: Report, listed: int = LISTED) -> Iterator[Text]:
    """Yield what there is to say of a report, at most `listed` files by name."""
    for file in chosen(report.files, listed):
        yield from _file(file)
    for dataset in report.datasets:
        yield from _dataset(dataset)
    if len(report.files) > 1:
        yield Text(summary(report.files, listed))


def interim(report: Report, begun: Sequence[FileReport], listed: int = LISTED) -> Iterator[Text]:
    """Yield what there is to say where a check was interrupted: of the files that were done, and of those begun."""
    for file in chosen(report.files, listed):
        yield from _file(file)
    for file in chosen(begun, listed):
        yield from _file(file, verdict="checked in part")


def chosen(files: Sequence[FileReport], listed: int) -> list[FileReport]:
    """Choose the files to list, in their order: all, or else those that are invalid, have warnings, are valid."""
    if len(files) <= listed:
        return list(files)
    numbers = sorted(range(len(files)), key=lambda k: (files[k].verdict == "valid", not files[k].findings))
    return [files[k] for k in sorted(numbers[:listed])]


def summary(files: Sequence[FileReport], listed: int) -> str:
    """Count the files: how many there are, how many of them are invalid, and how many are not listed."""
    invalid = sum(file.verdict != "valid" for file in files)
    text = f"{count(len(files), 'file')}: {f'{invalid:,} invalid' if invalid else 'valid'}"
    hidden = sum(bool(file.findings) for file in files) - sum(bool(file.findings) for file in chosen(files, listed))
    return f"{text}; {hidden:,} more with findings are not listed" if hidden else text


def places(finding: Finding) -> str:
    """Give the first places of a finding, and an ellipsis where there are more; nothing where there are none."""
    if not finding.places:
        return ""
    told = "; ".join(str(place) for place in finding.places)
    return f" ({told}{'; …' if finding.count > len(finding.places) else ''})"


def count(number: int, noun: str) -> str:
    """Give a number and its noun: 1 row, 2,000 rows."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _file(file: FileReport, verdict: str | None = None) -> Iterator[Text]:
    path = printable(file.path)
    for finding in file.findings:
        line = Text.assemble(
            f"{path}: ",
            (finding.severity, COLOURS[finding.severity]),
            " ",
            (finding.requirement, "bold"),
            f", {count(finding.count, 'place')}: " if finding.places else ": ",
            printable(finding.message),
        )
        line.append(places(finding), "dim")
        yield line
        if finding.cause is not None:
            yield Text(f"{path}: probable cause of {finding.requirement}: {printable(finding.cause)}")
    amounts = [file.profile, count(file.rows, "row"), count(file.tokens, "token")]
    for severity in ("error", "warning"):
        total = sum(finding.severity == severity for finding in file.findings)
        if total:
            amounts.append(count(total, severity))
    told = verdict or file.verdict
    yield Text.assemble(f"{path}: ", (told, COLOURS.get(told, "")), f" ({', '.join(amounts)})")


def _dataset(dataset: DatasetReport) -> Iterator[Text]:
    figures = dataset.figures
    if figures.tokens:
        largest = figures.largest_size
        told = [
            f"nucleus {figures.mean_entries:.1f} entries on average",
            f"at most {largest} ({figures.share_at(largest):.1%} of the tokens)",
            f"mass {figures.mean_nucleus_mass:.4f}",
            f"tail mass {figures.mean_tail_mass:.2g}",
        ]
        if dataset.hits is not None:
            own, before, after = (f"{share:.1%}" for share in dataset.hits)
            told.append(f"tokens in their own nucleus {own}, in the one before {before}, after {after}")
        yield Text(f"{printable(dataset.path)}: {', '.join(told)}", "dim")
    for note in dataset.notes:
        yield Text(f"{printable(dataset.path)}: note: {printable(note)}", "yellow")
