"""What only several rows or files together can show: ROW-5, TAIL-4, ALN-6 and FILE-2, and the tests of section 14.4.

Strategy: each file is judged by the metadata that is in force for it (its own, else that beside it, else what was given
with the question), then its rows one by one; the facts of the rows are then put together in the order of the files.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import schema
from .file import File
from .finding import Finding
from .metadata import Metadata, Reading, read_metadata
from .rows import Judged, study_row
from .statistics import is_misaligned, is_uneven

STANDS_ON = frozenset({"NUC-2", "TAIL-1", "TAIL-2"})
"""What TAIL-3 needs of a token."""


@dataclass
class Studied:
    """A file, the metadata in force for it, and its judged rows by their numbers."""

    file: File
    reading: Reading
    rows: dict[int, Judged]


def judge_files(files: list[File], given: bytes | None = None) -> list[Finding]:
    """All findings on the files of one dataset, in the order of the files."""
    found: list[Finding] = []
    studied = []
    for file in files:
        one, findings = _study(file, given)
        found += [finding.at(file=file.name) for finding in findings]
        studied.append(one)
    differing = list(_agreement(studied))
    found += differing
    judged = [one for one in studied if not one.reading.is_foreign]
    found += _strides(judged)
    found += _declared_alignment(judged)
    if not differing:
        found += _statistics(judged)
    return found


def _study(file: File, given: bytes | None) -> tuple[Studied, list[Finding]]:
    """One file by itself: the container, the metadata and the rows."""
    reading, findings = _metadata(file, given)
    if reading.is_foreign:
        return Studied(file, reading, {}), findings
    findings = file.findings + findings
    rows: dict[int, Judged] = {}
    if file.whole:
        for number, row in enumerate(file.rows):
            if number not in file.unreadable:
                judged = study_row(row, reading.facts, typed=file.types is not None)
                findings += [finding.at(row=number) for finding in judged.findings]
                rows[number] = judged
    return Studied(file, reading, rows), findings


def _metadata(file: File, given: bytes | None) -> tuple[Reading, list[Finding]]:
    """Return the metadata in force; judge META-1, META-7, META-2 and FILE-2 on what the file itself carries."""
    own = [read_metadata(data) for data in (file.embedded, file.beside) if data is not None]
    findings = [finding for reading in own for finding in reading.findings]
    if len(own) == 2 and not findings and not schema.equal(own[0].value, own[1].value):
        findings.append(Finding("FILE-2", "the metadata in the file and that beside it differ"))
    if not own and given is not None:
        own = [read_metadata(given)]
        findings = own[0].findings
    return (own[0] if own else Reading(None, None, [])), findings


def _agreement(studied: list[Studied]) -> list[Finding]:
    """FILE-2: once for each file that differs from the first."""
    readable = [one for one in studied if one.file.whole and not one.reading.findings]
    found = []
    for one in readable[1:]:
        first = readable[0]
        if not schema.equal(one.reading.value, first.reading.value):
            found.append(Finding("FILE-2", f"the metadata is not that of {first.file.name}", one.file.name))
        elif _required_types(one.file) != _required_types(first.file):
            found.append(Finding("FILE-2", f"the columns are not those of {first.file.name}", one.file.name))
    return found


def _required_types(file: File) -> dict[str, str] | None:
    if file.types is None:
        return None
    return {name: typed for name, typed in file.types.items() if name != "token_ids"}


def _strides(studied: list[Studied]) -> list[Finding]:
    """ROW-5, once for each row that differs from the first with a stride; then TAIL-4, once for each file."""
    known = [
        (one, number, judged.stride)
        for one in studied
        for number, judged in one.rows.items()
        if judged.stride is not None
    ]
    if not known:
        return []
    first = known[0][2]
    differing = [
        Finding("ROW-5", f"{stride} tail entries a token, {first} before", one.file.name, number)
        for one, number, stride in known
        if stride != first
    ]
    if differing:
        return differing
    found = []
    for one in studied:
        facts = one.reading.facts
        if facts is not None and facts.num_sampled != first and any(known_one is one for known_one, _, _ in known):
            message = f"{first} tail entries a token, {facts.num_sampled} declared"
            found.append(Finding("TAIL-4", message, one.file.name))
    return found


def _declared_alignment(studied: list[Studied]) -> list[Finding]:
    """ALN-6, once for each file."""
    return [
        Finding("ALN-6", f"alignment is {one.reading.facts.alignment}", one.file.name)
        for one in studied
        if one.reading.facts is not None and one.reading.facts.alignment != "predicts"
    ]


def _statistics(studied: list[Studied]) -> list[Finding]:
    """TAIL-3 and ALN-5, over the tokens of sound rows."""
    facts: Metadata | None = studied[0].reading.facts if studied else None
    rows = [judged for one in studied for judged in one.rows.values() if judged.tokens is not None]
    found = []
    if facts is not None and facts.method == "uniform":
        pairs = [
            (token.top.indices, token.sampled.indices)
            for judged in rows
            for token in judged.tokens or []
            if not judged.breaks(token.number, STANDS_ON)
        ]
        if is_uneven(pairs, facts.tokenizer_size):
            found.append(Finding("TAIL-3", "the tail is not uniform"))
    if facts is None or facts.alignment != "follows":
        sequences = [
            ([set(token.top.indices) for token in judged.tokens], judged.token_ids)
            for judged in rows
            if judged.tokens is not None and judged.token_ids is not None
        ]
        if is_misaligned(sequences):
            found.append(Finding("ALN-5", "the tokens are found as often in a neighbour's nucleus"))
    return found
