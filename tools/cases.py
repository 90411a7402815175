"""One case of the casebook: its files as they are built, as they are checked in, and the proof of what is in them.

Strategy: the checked-in files are judged by two implementations that share no code, the oracle and the reference's
checker: both have to find exactly what the case declares. Rows of valid files are read back and compared.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import logitpack
from logitpack.logical_json import batch_from_logical, read_logical
from logitpack_conformance import manifest
from logitpack_conformance.casebook import Draft, all_drafts
from logitpack_conformance.casebook.build import build, logical_text
from logitpack_conformance.casebook.draft import Folder, Logical, Stored, metadata_bytes
from logitpack_conformance.model import Case, Kind
from logitpack_conformance.oracle import enclosure, judge_path, semantics
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.file import File
from logitpack_conformance.oracle.load import load_dataset
from logitpack_conformance.oracle.logical import encode, of_json
from spec import ROOT

FIXTURES = ROOT / "fixtures"
JsonCase = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """What became of a case: its object in the manifest, what was written, and what is wrong with it."""

    case: JsonCase
    written: tuple[str, ...]
    problems: tuple[str, ...]


@cache
def _drafts() -> Mapping[str, Draft]:
    return {draft.id: draft for draft in all_drafts()}


@cache
def checked_in() -> Mapping[str, JsonCase]:
    """Return the cases of the manifest that is checked in, by id."""
    path = FIXTURES / manifest.NAME
    return {case["id"]: case for case in json.loads(path.read_bytes())["cases"]} if path.exists() else {}


def do(name: str, *, write: bool) -> Done:
    """Build a case, compare it with what is checked in, or replace that, and prove it."""
    draft = _drafts()[name]
    case, built = build(draft)
    wanted, held = manifest.case_to_json(case), checked_in().get(name)
    if write:
        written = tuple(_write(case, built))
        return Done(wanted, written, tuple(prove(draft, case)))
    if held is None:
        return Done(wanted, (), (f"{name} is not checked in",))
    differing = sorted(key for key in wanted.keys() | held.keys() if _plain(wanted).get(key) != _plain(held).get(key))
    problems = [f"{name} differs from what is built: {', '.join(differing)}"] if differing else []
    kept = manifest.case_of_json(held)
    try:
        manifest.verify(kept, FIXTURES)
    except manifest.SuiteFault as error:
        return Done(held, (), (*problems, str(error)))
    return Done(held, (), (*problems, *prove(draft, kept)))


def _plain(case: JsonCase) -> JsonCase:
    """Return a case without the digests of bytes, which are those of one version of pyarrow."""
    materials = {key: [part["input"], sorted(part["files"])] for key, part in case["materials"].items()}
    return case | {"materials": materials}


def _write(case: Case, built: Mapping[str, Mapping[str, bytes]]) -> Iterator[str]:
    """Put the files of a case in the place of what is there; yield those that changed."""
    folder = FIXTURES / "cases" / case.id
    files = {folder / key / name: data for key, part in built.items() for name, data in part.items()}
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in files]:
        path.unlink()
    for path, data in files.items():
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            yield path.relative_to(FIXTURES).as_posix()


def prune() -> list[str]:
    """Remove the folders of cases that are no longer drafted; return the files."""
    known = {FIXTURES / "cases" / name for name in _drafts()}
    gone = [path for path in (FIXTURES / "cases").rglob("*") if path.is_file() and not known & set(path.parents)]
    for path in gone:
        path.unlink()
    folders = sorted((path for path in (FIXTURES / "cases").rglob("*") if path.is_dir()), reverse=True)
    for folder in folders:
        if not any(folder.iterdir()):
            shutil.rmtree(folder)
    return [path.relative_to(FIXTURES).as_posix() for path in gone]


def select(pattern: str) -> list[str]:
    """Return the ids of the drafts that match a glob."""
    return [name for name in _drafts() if fnmatchcase(name, pattern)]


# Proofs

# The containers of a case mostly hold the same rows: their exponentials and logarithms are taken once.
enclosure.exp_units = lru_cache(1 << 16)(enclosure.exp_units)
enclosure.log = semantics.log = lru_cache(1 << 12)(enclosure.log)  # type: ignore[attr-defined]


def prove(draft: Draft, case: Case) -> Iterator[str]:
    """Say where the checked-in files of a case are not what it declares."""
    content = draft.content
    if isinstance(content, Stored | Folder):
        for key, material in case.materials.items():
            path = FIXTURES / material.folder / material.input
            for who, ask in (("the oracle", _by_oracle), ("the checker", _by_checker)):
                found = ask(path, case.metadata)
                if found != set(case.findings):
                    yield f"{case.id}@{key}: {who} finds {sorted(found)}, declared are {sorted(case.findings)}"
            if isinstance(content, Stored) and case.kind is Kind.ACCEPT and not _same_rows(path, content):
                yield f"{case.id}@{key}: the rows read are not those that were written"
    elif isinstance(content, Logical):
        for who, fault in (("the oracle", _unwritten(case, content)), ("the reference", _refused(case, content))):
            if (fault == "") != (case.kind is Kind.WRITE):
                yield f"{case.id}: {who} says: {fault or 'it can be written'}"


def _by_oracle(path: Path, given: Mapping[str, Any] | None) -> set[str]:
    return {finding.requirement for finding in judge_path(path, given)}


def _by_checker(path: Path, given: Mapping[str, Any] | None) -> set[str]:
    metadata = None if given is None else logitpack.Metadata.from_dict(dict(given))
    files = logitpack.check(path, metadata=metadata).files
    return {finding.requirement for file in files for finding in file.findings}


def _same_rows(path: Path, content: Stored) -> bool:
    return [row for file in load_dataset(path) for row in file.rows] == list(content.rows)


def _unwritten(case: Case, content: Logical) -> str:
    """Say why the oracle cannot make a valid file of logical rows; nothing where it can."""
    given = None if case.metadata is None else metadata_bytes(case.metadata)
    tokens = [row["tokens"] for row in content.rows]
    if any(len({len(token["sampled"]["indices"]) for token in row}) > 1 for row in tokens):
        return "ROW-4: tails of different lengths in one row"
    if len({"token_id" in token for row in tokens for token in row}) > 1:
        return "ALN-4: token ids in some tokens only"
    try:
        file = File("rows", [encode(of_json(row)) for row in content.rows], is_open=True, is_json=True)
        findings = judge_files([file], given)
    except (ValueError, ArithmeticError, TypeError, KeyError) as error:
        return str(error) or type(error).__name__
    errors = [finding for finding in findings if finding.severity == "error"]
    return str(errors[0]) if errors else ""


def _refused(case: Case, content: Logical) -> str:
    """Say why the reference refuses logical rows; nothing where it writes them."""
    with TemporaryDirectory() as folder:
        try:
            rows = read_logical(BytesIO(logical_text(content.rows)))
            logitpack.write(Path(folder, "out.parquet"), batch_from_logical(rows), case.metadata)
        except logitpack.LogitPackError as error:
            return str(error)
    return ""
