"""Verdicts on a dataset: what is judged over all of its files (FILE-2, ROW-5, TAIL-3, TAIL-4, ALN-5).

Strategy: the files stand in the order of the dataset, and a finding is put to the file that SPEC.md section 14.3 names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from logitpack import dataset
from logitpack.causes import explained
from logitpack.dataset import Totals
from logitpack.errors import Place
from logitpack.figures import Figures
from logitpack.metadata import Metadata
from logitpack.report import DatasetReport, FileReport, Findings
from logitpack.schemas import show_value
from logitpack.summaries import Summary
from logitpack.table import COLUMNS


@dataclass
class Checked:
    """One file: what was found in it, and what it adds to its dataset. See `headers.Header` for what is known of it."""

    name: str
    summary: Summary
    metadata: Metadata | None = None
    described: bool = False
    comparable: bool = True
    types: dict[str, str] | None = None
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        """Add to the findings on its rows."""
        self.findings = self.summary.findings

    def report(self) -> FileReport:
        """Give what was found."""
        profile = "Described" if self.described else "Core"
        return FileReport(self.name, profile, self.summary.rows, self.summary.tokens, tuple(self.findings.sorted()))


def explain(root: str, files: list[Checked]) -> tuple[list[FileReport], DatasetReport]:
    """Give what was found in the files of a dataset, with suggested causes, and what it looks like as a whole."""
    whole = sum((file.summary.figures for file in files), Figures())
    hits = dataset.hit_shares(sum((file.summary.totals for file in files), Totals()))
    declared = next((file.metadata for file in files if file.metadata is not None), None)
    return explained([file.report() for file in files], DatasetReport(root, whole, hits), declared)


def judge_dataset(files: list[Checked]) -> None:
    """FILE-2, ROW-5, TAIL-3, TAIL-4, ALN-5: what is judged over all files of a dataset."""
    _judge_agreement([file for file in files if file.types is not None])
    _judge_strides(files)
    if any("FILE-2" in file.findings for file in files):
        return
    totals = sum((file.summary.totals for file in files), Totals())
    chi_square = dataset.uniformity(totals)
    if chi_square is not None and chi_square > dataset.CHI_SQUARE_LIMIT:
        limit = dataset.CHI_SQUARE_LIMIT
        message = f"tail indices are not uniform: chi-square {chi_square:.6g} over 64 bins, allowed {limit}"
        first = next(file for file in files if file.summary.totals.expected.any())
        first.findings.add("TAIL-3", message, got=chi_square, allowed=limit)
    shares = dataset.hit_shares(totals)
    follows = any(file.metadata is not None and file.metadata.alignment == "follows" for file in files)
    if shares is not None and not follows and shares[0] < max(shares[1:]):
        own, before, after = (f"{share:.1%}" for share in shares)
        first = next(file for file in files if file.summary.totals.looked.any())
        first.findings.add(
            "ALN-5",
            f"{own} of the tokens are in their own entry's nucleus, {before} in that before, {after} in that after",
            got=list(shares),
        )


def _judge_agreement(files: list[Checked]) -> None:
    """FILE-2: the same columns, types and metadata in all files whose columns can be read."""
    first = next((file for file in files if file.comparable), None)
    if first is None or first.types is None:
        return
    for file in files:
        types = file.types or {}
        differs = sorted(name for name in COLUMNS if first.types.get(name) != types.get(name))
        if differs:
            name = differs[0]
            got, expected = types.get(name, "absent"), first.types.get(name, "absent")
            message = f"{name} is {got}, but {expected} in {first.name}"
            file.findings.add("FILE-2", message, Place(column=name), got=got, allowed=expected)
        elif file.comparable and file.metadata != first.metadata:
            message, one, other = _difference(file.metadata, first.metadata)
            file.findings.add("FILE-2", f"{message} in {first.name}", got=one, allowed=other)


def _difference(one: Metadata | None, first: Metadata | None) -> tuple[str, object, object]:
    """Say in what metadata are other than those of the first file, with both values."""
    if one is None or first is None:
        got, allowed = ("absent" if each is None else "present" for each in (one, first))
        return f"metadata are {got}, but {allowed}", got, allowed
    name, value, other = one.difference(first)
    return f"the metadata's {name} is {show_value(value)}, but {show_value(other)}", value, other


def _judge_strides(files: list[Checked]) -> None:
    """ROW-5, and TAIL-4 where it holds."""
    expected = next((width for file in files for width in file.summary.strides), None)
    if expected is None:
        return
    for file in files:
        for width, stride in file.summary.strides.items():
            if width != expected:
                text = f"the tail has {width} entries a token, expected {expected} as in the first row"
                spots = [spot._replace(allowed=expected) for spot in stride.spots]
                file.findings.add_places("ROW-5", text, spots, stride.rows)
    if any("ROW-5" in file.findings for file in files):
        return
    for file in files:
        if file.metadata is not None and file.summary.strides and file.metadata.num_sampled != expected:
            declared = file.metadata.num_sampled
            message = f"the tail has {expected} entries a token, declared are {declared}"
            file.findings.add("TAIL-4", message, got=expected, allowed=declared)
