"""What only several rows or files together can show: FILE-2, ROW-5, TAIL-4, ALN-6, and the tests of section 14.4.

Strategy: each file is judged by the metadata that is in force for it, then its rows one by one; the facts of the rows
are then put together in the order of the files. Of a file with an unknown major version only META-2 is left (META-2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import schema
from .file import File
from .finding import Finding
from .metadata import Metadata, Reading, read_metadata
from .rows import Judged, study_row
from .statistics import Pair, is_misaligned, is_uneven

STANDS_ON = frozenset({"NUC-2", "TAIL-1", "TAIL-2"})
"""What TAIL-3 needs of a token."""


@dataclass
class Described:
    """The metadata of a file: those in force, and whether they can be held against those of other files (FILE-2)."""

    reading: Reading = field(default_factory=Reading)
    is_comparable: bool = True
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Studied:
    """A file, its metadata in force, whether those can be compared, and its judged rows."""

    file: File
    facts: Metadata | None
    metadata: Described
    rows: list[Judged]


def judge_files(files: list[File], given: bytes | None = None) -> list[Finding]:
    """All findings on the files of one dataset. Raises ValueError where `given` is not valid."""
    fallback = Reading() if given is None else read_metadata(given)
    if fallback.findings:
        raise ValueError(f"the metadata given are not valid: {fallback.findings[0]}")
    found: list[Finding] = []
    studied = []
    for file in files:
        metadata = _metadata(file, fallback) if file.is_open else Described()
        if metadata.reading.is_foreign:
            found += [finding.at(file=file.name) for finding in metadata.reading.findings]
            continue
        rows = [study_row(row, metadata.reading.facts, typed=not file.is_json) for row in file.rows]
        found += [finding.at(file=file.name) for finding in file.findings + metadata.findings]
        found += [f.at(file=file.name, row=i) for i, judged in enumerate(rows) for f in judged.findings]
        studied.append(Studied(file, metadata.reading.facts, metadata, rows))
    found += _agreement(studied)
    found += _strides(studied)
    found += _declared_alignment(studied)
    if all(finding.requirement != "FILE-2" for finding in found):
        found += _uniformity(studied)
        found += _alignment(studied)
    return found


def _metadata(file: File, fallback: Reading) -> Described:
    """Section 13: what is in force. META-1, META-2, META-7, and FILE-2 where there are some both in and beside it."""
    embedded = [] if file.embedded is None else [read_metadata(file.embedded)]
    beside = []
    for data in file.beside:
        beside.append(read_metadata(data))
        if beside[-1].counts:
            break
    counting = [reading for reading in embedded + beside if reading.counts]
    broken = [reading for reading in embedded + beside if not reading.counts]
    found = Described(counting[0] if counting else fallback, bool(counting) or not broken)
    found.findings = [finding for reading in broken for finding in reading.findings]
    if len(counting) == 2 and not schema.equal(counting[0].value, counting[1].value):
        found.findings.append(Finding("FILE-2", "the metadata in the file and those beside it differ"))
    return found


def _agreement(studied: list[Studied]) -> list[Finding]:
    """FILE-2, for each file that differs from the first that can be compared. Stored JSON has no types to compare."""
    files = [one for one in studied if one.file.is_open and not one.file.is_json and one.file.are_columns_sound]
    first = next((one for one in files if one.metadata.is_comparable), None)
    found: list[Finding] = []
    if first is None:
        return found
    for one in files:
        if one.metadata.is_comparable and not schema.equal(one.metadata.reading.value, first.metadata.reading.value):
            found.append(Finding("FILE-2", f"the metadata are not those of {first.file.name}", one.file.name))
        elif one.file.types != first.file.types:
            found.append(Finding("FILE-2", f"the columns are not those of {first.file.name}", one.file.name))
    return found


def _strides(studied: list[Studied]) -> list[Finding]:
    """ROW-5, once for each row that differs from the first with a stride; then TAIL-4, once for each file."""
    known = [
        (one, number, judged.stride)
        for one in studied
        for number, judged in enumerate(one.rows)
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
    return [
        Finding("TAIL-4", f"{first} tail entries a token, {one.facts.num_sampled} declared", one.file.name)
        for one in studied
        if one.facts is not None and one.facts.num_sampled != first and any(row.stride for row in one.rows)
    ]


def _declared_alignment(studied: list[Studied]) -> list[Finding]:
    """ALN-6, once for each file."""
    return [
        Finding("ALN-6", f"alignment is {one.facts.alignment}", one.file.name)
        for one in studied
        if one.facts is not None and one.facts.alignment != "predicts"
    ]


def _uniformity(studied: list[Studied]) -> list[Finding]:
    """TAIL-3, over the files that declare a uniform tail; told of the first of them that has a token to judge."""
    pairs: list[Pair] = []
    names, size = [], 0
    for one in studied:
        if one.facts is not None and one.facts.method == "uniform":
            size = one.facts.occurring
            before = len(pairs)
            pairs += [
                (token.top.indices, token.sampled.indices)
                for row in one.rows
                for token in row.tokens or []
                if not row.breaks(token.number, STANDS_ON)
            ]
            names += [one.file.name] if len(pairs) > before else []
    return [Finding("TAIL-3", "the tail is not uniform", names[0])] if is_uneven(pairs, size) else []


def _alignment(studied: list[Studied]) -> list[Finding]:
    """ALN-5, over the rows with token ids; told of the first file that has one."""
    if any(one.facts is not None and one.facts.alignment == "follows" for one in studied):
        return []
    rows = [
        (one.file.name, [set(token.top.indices) for token in row.tokens], row.token_ids)
        for one in studied
        for row in one.rows
        if row.tokens is not None and row.token_ids is not None
    ]
    if is_misaligned([(nuclei, ids) for _, nuclei, ids in rows]):
        return [Finding("ALN-5", "the tokens are found more often in a neighbour's nucleus", rows[0][0])]
    return []
