"""Suggested causes: what data that look like these mostly come from.

Strategy: what a finding tells of its values, or else the patterns in the figures of the dataset, give a cause beside
the findings that it explains; where it explains none, it may stand as a note on the dataset. A cause is a guess and
no judgement: no verdict depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from logitpack.metadata import Metadata
from logitpack.patterns import ENOUGH, PATTERNS, Cause, Evidence
from logitpack.report import DatasetReport, FileReport, Finding


def explained(
    files: Sequence[FileReport], seen: DatasetReport, metadata: Metadata | None
) -> tuple[list[FileReport], DatasetReport]:
    """Put causes to the findings of a dataset, and notes to its figures. `metadata` is what it declares."""
    counts: dict[str, int] = {}
    for finding in (finding for file in files for finding in file.findings):
        counts[finding.requirement] = counts.get(finding.requirement, 0) + finding.count
    causes: list[Cause] = []
    if seen.figures.tokens >= ENOUGH:
        evidence = Evidence(seen.figures, seen.hits, metadata, counts)
        causes = [cause for pattern in PATTERNS for cause in pattern(evidence)]
    told = [
        replace(file, findings=tuple(replace(finding, cause=_cause(finding, causes)) for finding in file.findings))
        for file in files
    ]
    notes = tuple(cause.text for cause in causes if cause.note and not cause.explains & counts.keys())
    return told, replace(seen, notes=notes)


def _cause(finding: Finding, causes: list[Cause]) -> str | None:
    """Give the first cause that explains a finding: the values it tells say more than figures do."""
    by_value = _by_value(finding)
    return by_value or next((cause.text for cause in causes if finding.requirement in cause.explains), None)


def _by_value(finding: Finding) -> str | None:
    """Give a cause that the values of the first places of a finding show, in all of them."""
    shows = VALUES.get(finding.requirement)
    if shows is None:
        return None
    test, text = shows
    return text if all(test(spot.got, spot.allowed) for spot in finding.spots) else None


def _wrapped_sum(got: object, allowed: object) -> bool:
    lengths = got if isinstance(got, list) else [got]
    return isinstance(allowed, int) and all(length != allowed and length == allowed % 256 for length in lengths)


def _byte_each(got: object, allowed: object) -> bool:
    return isinstance(got, int) and isinstance(allowed, int) and 4 * allowed - 3 <= got <= 4 * allowed and got > allowed


def _swapped(got: object, allowed: object) -> bool:  # noqa: ARG001
    return isinstance(got, list) and len(got) == 2 and -float("inf") < got[1] < got[0] < float("inf")


def _always(got: object, allowed: object) -> bool:  # noqa: ARG001
    return True


def _infinite(got: object, allowed: object) -> bool:  # noqa: ARG001
    return got == float("inf")


VALUES: dict[str, tuple[Callable[[object, object], bool], str]] = {
    "ROW-3": (_wrapped_sum, "the counts were added up in uint8, where 256 is 0"),
    "IDX-3": (_byte_each, "the high bits have a byte an entry, where four entries share one"),
    "FILE-4": (_always, "most libraries write checksums only where asked to: pyarrow by write_page_checksum=True"),
    "QNT-1": (_swapped, "the two ends of the ranges are swapped"),
    "QNT-4": (_always, "0/0 was converted to an integer: a range without width has to be looked out for"),
    "LSE-1": (_infinite, "exp overflowed: the largest logit is to be taken off before it"),
}
"""What the values found and allowed show by themselves, by requirement."""
