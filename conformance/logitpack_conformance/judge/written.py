"""What a writer's file says, held against the logical rows that the writer was given.

Strategy: the oracle reads the file as it reads any other and reports what it breaks (WR-1). Where its rows can be read,
they are compared with the rows that were given: counts, indices, then each logit by the range and the code that are
stored, exactly. All this is done in a process of its own (`worker`), for the bytes come from a stranger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

from logitpack_conformance.model import Container
from logitpack_conformance.oracle import logits, schema, strict_json
from logitpack_conformance.oracle.arrow_stream import CONTINUATION, is_old_stream
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.file import File
from logitpack_conformance.oracle.finding import WARNINGS
from logitpack_conformance.oracle.load import load, load_dataset
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, of_json
from logitpack_conformance.oracle.structure import judge_structure
from logitpack_conformance.oracle.tokens import Entries, Token, tokens

SYMPTOMS = ("WR-3", "IDX-2", "QNT-11", "QNT-3", "WR-4", "WR-6")
"""What wrong values show, the most telling first."""
CUT = frozenset({"FILE-1", "FILE-3", "JSON-1"})
"""What a file that breaks off breaks."""
ENDS_READING = CUT | {"JSON-2", "COL-1", "COL-2"}
"""What leaves rows unread."""
NOT_UNDERSTOOD = frozenset({"META-1", "META-2", "META-7"})
"""What metadata break that cannot be held against those given."""
KINDS = (("top", "nucleus"), ("sampled", "tail"))
WRITERS_OWN = "writer"
"""The member of the metadata that a writer may make its own."""

Report = dict[str, Any]
Row = list[LogicalToken]


def read_logical(path: Path) -> list[Row]:
    """Return the rows of a golden file of logical JSON."""
    return [of_json(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def judge_written(
    path: Path, container: Container, given: list[Row], metadata: Mapping[str, Any] | None, *, is_bare: bool = False
) -> Report:
    """Judge a file: `broken` requirements, `advice` (level SHOULD) and a `message`.

    `given` are the rows, `metadata` those of the request; where `is_bare`, the rows have to stand without them.
    """
    with path.open("rb") as file:
        if not begins_as(container, file.read(16), path):
            return {"broken": ["WR-5"], "advice": [], "message": f"the file is no {container}"}
    (file_read,) = files = load_dataset(path)
    findings = judge_files(files, None if metadata is None or is_bare else json.dumps(metadata).encode())
    broken = list(dict.fromkeys(f.requirement for f in findings if f.severity == "error"))
    advice = list(dict.fromkeys(f.requirement for f in findings if f.severity != "error"))
    stored = _rows(file_read)
    found = {} if stored is None else compare(given, stored)
    if metadata is not None and file_read.is_open:
        if file_read.embedded is None:
            advice += [] if is_bare else ["META-5"]
        elif not NOT_UNDERSTOOD & set(broken) and (other := _other_members(file_read.embedded, metadata)):
            found["WR-6"] = f"metadata other than those given, in {', '.join(other)}"
    symptoms = [name for name in SYMPTOMS if name in found]
    first = next((f for f in findings if f.requirement not in WARNINGS), None)
    message = found[symptoms[0]] if symptoms else "" if first is None else f"the file breaks {first}"
    return {"broken": [*symptoms, *broken, *(["WR-1"] if broken else [])], "advice": advice, "message": message}


def looks_complete(path: Path) -> bool:
    """Whether a file left behind can be taken for a whole one (WR-2): empty stored JSON is one without rows."""
    file = load(path.read_bytes(), path.name)
    if not file.is_open:
        return False
    return not any(finding.requirement in CUT for finding in file.findings)


def begins_as(container: Container, head: bytes, path: Path) -> bool:
    """Whether a file begins as its container does (section 4.1)."""
    if container is Container.PARQUET:
        return head.startswith(b"PAR1")
    if container is Container.ARROW_FILE:
        return head.startswith(b"ARROW1")
    if container is Container.ARROW_STREAM:
        return head.startswith(CONTINUATION) or is_old_stream(path.read_bytes())
    # Text that begins in another way is stored JSON by its name, and breaks JSON-1.
    return not head.startswith((b"PAR1", b"ARROW1", CONTINUATION))


def _other_members(embedded: bytes, metadata: Mapping[str, Any]) -> list[str]:
    """Return the names of those members that are not as the writer was given them, its own name apart (WR-6)."""
    value, mine = strict_json.parse_binary64(embedded)[0], dict(metadata)
    names = sorted({*value, *mine} - {WRITERS_OWN})
    return [name for name in names if not (name in value and name in mine and schema.equal(value[name], mine[name]))]


def _rows(file: File) -> list[tuple[list[Token], list[int] | None]] | None:
    """Return the tokens and token ids of each row, None where one of them cannot be read."""
    if not file.is_open or any(finding.requirement in ENDS_READING for finding in file.findings):
        return None
    rows = []
    for row in file.rows:
        if any(value is None or (isinstance(value, list) and None in value) for value in row.values()):
            return None
        structure = judge_structure(row)
        if structure.findings or structure.stride is None:
            return None
        rows.append((list(tokens(row, structure.stride)), row.get("token_ids")))
    return rows


def compare(given: Sequence[Row], stored: Sequence[tuple[list[Token], list[int] | None]]) -> dict[str, str]:
    """Return what differs, by the requirement that it shows, the first place of each."""
    found: dict[str, str] = {}
    if len(given) != len(stored):
        return {"WR-3": f"expected {len(given)} rows, got {len(stored)}"}
    seen: list[int] = []
    for number, (row, (got, identifiers)) in enumerate(zip(given, stored, strict=True)):
        if len(row) != len(got):
            return {"WR-3": f"row {number}: expected {len(row)} tokens, got {len(got)}"}
        for token, one, identifier in zip_longest(row, got, (identifiers or [])[: len(row)]):
            seen += one.top.indices + one.sampled.indices
            for requirement, message in _token(token, one, identifier):
                found.setdefault(requirement, f"row {number}, token {one.number}{message}")
    if "WR-3" in found:
        return {"WR-3": found["WR-3"]}
    if "IDX-2" in found and sorted(seen) == sorted(_indices(given)):
        return {"WR-3": f"the entries stand in another order: {found['IDX-2']}"}
    return found


def _indices(rows: Sequence[Row]) -> Iterator[int]:
    for row in rows:
        for token in row:
            yield from token.top.indices
            yield from token.sampled.indices


def _token(given: LogicalToken, got: Token, identifier: int | None) -> Iterator[tuple[str, str]]:
    for kind, name in KINDS:
        yield from _entries(getattr(given, kind), getattr(got, kind), name)
    if Fraction(given.logsumexp) != got.logsumexp:
        yield "WR-4", f": expected logsumexp {given.logsumexp!r}, got {float(got.logsumexp)!r}"
    if given.token_id != identifier:
        yield "WR-4", f": expected token id {given.token_id}, got {identifier}"


def _entries(given: LogicalEntries, got: Entries, name: str) -> Iterator[tuple[str, str]]:
    if len(given.indices) != len(got.indices):
        yield "WR-3", f": expected {len(given.indices)} {name} entries, got {len(got.indices)}"
        return
    low, high = got.range
    pairs = enumerate(zip(given.indices, given.logits, got.indices, got.codes, strict=True))
    for k, (index, x, stored, code) in pairs:
        if index != stored:
            yield "IDX-2", f", {name} entry {k}: expected index {index}, got {stored}"
        elif not logits.contains(x, low, high):
            yield "QNT-11", f", {name} entry {k}: logit {float(x)!r} lies outside {float(low)!r} ... {float(high)!r}"
        elif not logits.encodes(code, x, low, high):
            text = f"logit {float(x)!r} has code {code} in {float(low)!r} ... {float(high)!r}"
            yield "QNT-3", f", {name} entry {k}: {text}, {_steps(code, x, low, high)} steps off"


def _steps(code: int, x: Fraction, low: Fraction, high: Fraction) -> str:
    """Return how far a code is off, in steps, for a message."""
    if low == high:
        return "infinitely many"
    return f"{float(abs(logits.value(code, low, high) - x) * logits.STEPS / (high - low)):.4f}"
