"""The manifest: what is valid, what is refused, and that the checked-in files are those that it lists."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from logitpack_conformance import manifest
from logitpack_conformance.manifest import (
    SuiteFault,
    case_of_json,
    case_to_json,
    fixtures_folder,
    load_manifest,
    verify,
)
from logitpack_conformance.model import FEATURES, Case, Container, Kind, Role

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
LISTED = load_manifest(FIXTURES)
SMALL: dict[str, Any] = {
    "id": "a/case",
    "since": "1.0",
    "kind": "accept",
    "roles": ["reader"],
    "requirements": [],
    "findings": [],
    "why": "A case that says why.",
    "materials": {"json": {"input": "in.ndjson", "files": {"in.ndjson": manifest.digest_of(b"{}\n")}}},
    "content_digest": "0" * 64,
}
"""A case with nothing that may be left out."""


def written(folder: Path, *cases: dict[str, Any], **members: Any) -> Path:
    """Write a manifest."""
    document = {"spec": "1.0", "flags": {"SHIFT": "A sentence on damage."}, "cases": cases, "others": {}}
    (folder / "manifest.json").write_text(json.dumps(document | members), encoding="utf-8")
    return folder


def test_folder_of_the_fixtures_is_found() -> None:
    """Without a packaged folder it is the checkout's."""
    assert (fixtures_folder() / "manifest.json").read_bytes() == (FIXTURES / "manifest.json").read_bytes()


def test_no_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, both places are named."""
    monkeypatch.setattr(manifest, "NAME", "nowhere.json")
    with pytest.raises(FileNotFoundError, match=r"no nowhere\.json: neither in .* nor in "):
        fixtures_folder()


def test_case_survives_json() -> None:
    """Every member of a case is read back as it was written."""
    for case in LISTED.cases:
        assert case == case_of_json(json.loads(json.dumps(case_to_json(case))))


def test_every_member_is_used() -> None:
    """Each member of a case that may be left out stands in some case: none is lost on the way."""
    plain = case_of_json(SMALL)
    left_out = {
        one.name
        for one in fields(Case)
        if all(getattr(case, one.name) == getattr(plain, one.name) for case in LISTED.cases)
    }
    assert {"since"} == left_out


def test_cases_are_found_by_id() -> None:
    """A manifest gives its cases by id, and no other."""
    assert LISTED.cases[0] == LISTED[LISTED.cases[0].id]
    with pytest.raises(KeyError):
        LISTED["no/such/case"]


def test_small_manifest_is_valid(tmp_path: Path) -> None:
    """What the tests below break is sound before."""
    (case,) = load_manifest(written(tmp_path, SMALL)).cases
    assert (Kind.ACCEPT, (Role.READER,)) == (case.kind, case.roles)
    assert "cases/a/case/json" == case.materials[Container.JSON].folder


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "kind": (lambda case: case.update(kind="maybe"), "'maybe' is not one of"),
    "no roles": (lambda case: case.update(roles=[]), r"roles: \[\] should be non-empty"),
    "no why": (lambda case: case.pop("why"), "'why' is a required property"),
    "short why": (lambda case: case.update(why="short"), "'short' is too short"),
    "unknown member": (lambda case: case.update(whys=""), "whys"),
    "id with capitals": (lambda case: case.update(id="A/case"), "'A/case' does not match"),
    "id without group": (lambda case: case.update(id="case"), "'case' does not match"),
    "id that leads out": (lambda case: case.update(id="../case"), "does not match"),
    "no materials": (lambda case: case.update(materials={}), "materials"),
    "unknown container": (lambda case: case.update(materials={"csv": SMALL["materials"]["json"]}), "csv"),
    "digest": (lambda case: case["materials"]["json"]["files"].update({"in.ndjson": "0"}), "does not match"),
    "input": (lambda case: case["materials"]["json"].update(input="other"), "a/case: there is no file other"),
    "twin": (lambda case: case.update(twin="no/case"), "a/case: there is no twin no/case"),
    "flag": (lambda case: case.update(flags=["OTHER"]), "a/case: a flag without an explanation"),
    "fault without arguments": (lambda case: case.update(fault={"op": "x"}), "'args' is a required property"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_manifest(tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: str) -> None:
    """A manifest that breaks its schema, or points to nothing, is a fault of the suite."""
    case = json.loads(json.dumps(SMALL))
    change(case)
    with pytest.raises(SuiteFault, match=words):
        load_manifest(written(tmp_path, case))


def test_case_twice(tmp_path: Path) -> None:
    """No id stands twice."""
    with pytest.raises(SuiteFault, match="a case stands twice"):
        load_manifest(written(tmp_path, SMALL, SMALL))


def test_case_inside_another(tmp_path: Path) -> None:
    """No case stands in the folder of another."""
    with pytest.raises(SuiteFault, match="a/case/more stands inside another case"):
        load_manifest(written(tmp_path, SMALL, {**SMALL, "id": "a/case/more"}))


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_no_manifest(tmp_path: Path, text: str) -> None:
    """A manifest that is no JSON object is a fault of the suite."""
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SuiteFault, match=r"manifest[.]json"):
        load_manifest(tmp_path)


def test_missing_manifest(tmp_path: Path) -> None:
    """So is one that is not there."""
    with pytest.raises(SuiteFault, match="cannot be read"):
        load_manifest(tmp_path)


def small(folder: Path) -> Case:
    """Write the file of the small case."""
    (folder / "cases/a/case/json").mkdir(parents=True)
    (folder / "cases/a/case/json/in.ndjson").write_bytes(b"{}\n")
    return case_of_json(SMALL)


def test_verified_case(tmp_path: Path) -> None:
    """Files that have their digests pass."""
    verify(small(tmp_path), tmp_path)


def test_changed_file(tmp_path: Path) -> None:
    """A file that was changed does not."""
    case = small(tmp_path)
    (tmp_path / "cases/a/case/json/in.ndjson").write_bytes(b"{} \n")
    with pytest.raises(SuiteFault, match="is not the file that the manifest lists"):
        verify(case, tmp_path)


@pytest.mark.parametrize("change", ["missing", "more"])
def test_other_files(tmp_path: Path, change: str) -> None:
    """Nor does a folder that lacks a file or has one more."""
    case = small(tmp_path)
    place = tmp_path / "cases/a/case/json"
    if change == "missing":
        shutil.rmtree(place)
    else:
        (place / ".hidden").write_bytes(b"")
    with pytest.raises(SuiteFault, match="holds other files than the manifest lists"):
        verify(case, tmp_path)


def test_features_are_known() -> None:
    """Cases name features that an adapter can declare, and each of those is in some case."""
    assert set(FEATURES) == {feature for case in LISTED.cases for feature in case.features}
