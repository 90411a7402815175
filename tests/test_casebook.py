"""The cases that are checked in: twins, sides, flags, forms, limits; and the drafts that they are made of."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.casebook import FLAGS, all_drafts
from logitpack_conformance.casebook.bases import contents, sound, stored
from logitpack_conformance.casebook.build import build, content_digest
from logitpack_conformance.casebook.draft import faulty
from logitpack_conformance.clauses import requirements
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.manifest import digest_of, load_manifest
from logitpack_conformance.model import Case, Container, Kind, Role
from logitpack_conformance.rows import unpacked
from logitpack_conformance.stored import Form

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
LISTED = load_manifest(FIXTURES)
BY_ID = {case.id: case for case in LISTED.cases}
ON_FILES = [name for name, one in requirements().items() if one.kind in "SM" or name == "META-2"]


def of(name: str) -> Case:
    """Return the twin of a case."""
    return BY_ID[BY_ID[name].twin or ""]


def test_faults_have_sound_twins() -> None:
    """What a case has to be rejected or reported for, its twin lacks; the twin is evidence of the other side."""
    kinds = {Kind.REJECT: Kind.ACCEPT, Kind.EITHER: Kind.ACCEPT}
    wrong = [
        case.id
        for case in LISTED.cases
        if case.kind in kinds and case.requirements and (case.twin is None or of(case.id).kind is not kinds[case.kind])
    ]
    assert [] == wrong


def test_faults_add_their_requirement() -> None:
    """A fault adds findings to those of its twin; none goes away but where a condition is no longer met."""
    for case in LISTED.cases:
        if case.kind in {Kind.REJECT, Kind.EITHER} and case.requirements and "CHK-3" not in case.requirements:
            assert set(of(case.id).findings) < set(case.findings), case.id


def test_kinds_follow_the_requirements() -> None:
    """A structural breach, or a foreign major version, is rejected by every reader; a semantic one need not be."""
    structural = {name for name, one in requirements().items() if one.kind == "S"} | {"META-2"}
    for case in LISTED.cases:
        if case.kind in {Kind.ACCEPT, Kind.REJECT, Kind.EITHER} and Role.READER in case.roles:
            is_structural = bool(structural & set(case.findings))
            is_checksum = case.fault is not None and case.fault["op"].startswith("flip-")
            assert (case.kind is Kind.REJECT) == (is_structural and not is_checksum), case.id


@pytest.mark.parametrize("requirement", ON_FILES)
def test_each_requirement_is_broken_more_than_once(requirement: str) -> None:
    """Each requirement on files is broken by at least two cases; of META-7, whose files are large, there is one."""
    found = [case.id for case in LISTED.cases if requirement in case.findings]
    assert len(found) >= (1 if requirement == "META-7" else 2)


@pytest.mark.parametrize("requirement", [name for name, roles in BREAKABLE.items() if roles])
def test_each_role_has_evidence(requirement: str) -> None:
    """For each role that can break a requirement there are cases for it."""
    roles = {role for case in LISTED.cases if requirement in case.requirements for role in case.roles}
    missing = set(BREAKABLE[requirement]) - roles
    # What a writer can break is judged on everything that it writes; IDX-5 of an extractor on all that it extracts.
    assert missing <= {Role.WRITER, Role.EXTRACTOR}


def test_faults_stand_in_every_container() -> None:
    """Each requirement that stored rows can break is broken in all four containers."""
    held: dict[str, set[str]] = defaultdict(set)
    for case in LISTED.cases:
        for requirement in case.findings:
            held[requirement] |= set(case.materials)
    elsewhere = {"FILE-1", "FILE-2", "FILE-3", "FILE-4", "JSON-1", "JSON-2", "COL-5", "META-1", "META-2", "META-7"}
    assert {} == {
        name: found for name, found in held.items() if name not in elsewhere and found != {*map(str, Container)}
    }


def test_flags_are_used_and_explained() -> None:
    """Each flag stands at a case, and each says what it does to data."""
    used = Counter(flag for case in LISTED.cases for flag in case.flags)
    assert set(FLAGS) == set(used)
    assert FLAGS == LISTED.flags
    assert all(text.endswith(".") for text in FLAGS.values())


def test_sentences() -> None:
    """Each case says in a sentence why it is there."""
    assert [] == [case.id for case in LISTED.cases if not case.why.endswith((".", "?"))]


def test_cases_of_one_content() -> None:
    """The same rows stand in many forms, all with one content digest."""
    digests = {case.content_digest for case in LISTED.cases if case.id.startswith(("forms/parquet/", "forms/arrow/"))}
    assert {BY_ID["forms/baseline/plain"].content_digest} == digests


def test_rows_differ_from_case_to_case() -> None:
    """No two groups of cases share rows, but for those that are there to: an answer cannot be remembered."""
    found = Counter(case.content_digest for case in LISTED.cases if not case.id.startswith("forms/"))
    assert max(found.values()) <= 5


def test_neutral_names() -> None:
    """The files of a case say nothing of it."""
    names = {material.input for case in LISTED.cases for material in case.materials.values()}
    assert {".", "in.parquet", "in.arrow", "in.arrows", "in.ndjson", "rows.ndjson", "logits.npy"} == names


# Drafts


def test_a_name_decides_the_rows() -> None:
    """The rows of a case are drawn from its name."""
    assert contents("a/b").rows == contents("a/b").rows
    assert contents("a/b").rows != contents("a/c").rows


def test_content_digest_is_of_values() -> None:
    """The form of a file does not enter the digest; a value, a fault and metadata do."""
    draft = sound("a/b", "Some sound rows for a test.")
    form = replace(draft, content=replace(stored(draft), form=Form(group=1, parquet={"compression": "zstd"})))
    fault = faulty(draft, "a/c", "A fault for a test.", "ROW-1/zero")
    core = replace(draft, content=replace(stored(draft), metadata=None))
    named = replace(draft, id="a/d", why="Another sentence.")
    assert content_digest(draft) == content_digest(form) == content_digest(named)
    assert 3 == len({content_digest(one) for one in (draft, fault, core)})


def test_known_content_digest() -> None:
    """The digest of given values is the same everywhere: floats enter it in hexadecimal."""
    row = {"num_tokens": 1, "logsumexp": [0.1], "top_indices_high": b"\x01"}
    draft = sound("a/b", "Some sound rows for a test.")
    draft = replace(draft, content=replace(stored(draft), rows=[row], metadata={"x": 1}))
    values = [
        [{"num_tokens": 1, "logsumexp": [{"float": (0.1).hex()}], "top_indices_high": {"bytes": "01"}}],
        {"x": 1},
        {},
        None,
    ]
    assert digest_of(json.dumps(values, sort_keys=True).encode()) == content_digest(draft)


def test_building_twice_is_the_same() -> None:
    """A draft makes the same bytes each time."""
    draft = sound("a/b", "Some sound rows for a test.")
    assert build(draft) == build(draft)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_leave_their_twin_alone(name: str) -> None:
    """Making a fault changes a copy; the rows of the twin stay as they are."""
    twin = sound("a/b", "Some sound rows for a test.", sizes=(3, 3), token_ids=True, vocab=70_000)
    before = content_digest(twin)
    assert content_digest(faulty(twin, "a/c", "A fault for a test.", name)) != before
    assert before == content_digest(twin)


def test_boundary_indices_stand_in_every_lane() -> None:
    """Each limit of the low and high parts stands at each place of a byte, in the nucleus and in the tail."""
    limits = {0, 65_535, 65_536, 131_071, 131_072, 196_607, 196_608, 262_143}
    lanes = defaultdict(set)
    for draft in all_drafts():
        if draft.id.startswith("idx/bit-order/lane-"):
            for row in stored(draft).rows:
                for kind in ("top", "sampled"):
                    for j, index in enumerate(unpacked(row, kind)) if "broken" not in draft.id else ():
                        lanes[kind, j % 4].add(index)
    assert all(limits <= lanes[kind, lane] for kind in ("top", "sampled") for lane in range(4))
