"""The manifest of the fixtures: which cases there are, and that their files are the ones that were checked in.

Strategy: fixtures/manifest.json is checked against its schema and then turned into the terms of `model`. Whatever is
wrong with it is a fault of the suite, never of an implementation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator

from .model import Case, Container, Kind, Material, Role
from .oracle import schema

NAME = "manifest.json"


class SuiteFault(Exception):  # noqa: N818 - a fault is what it is
    """The suite or its fixtures are at fault: nothing can be said of an implementation."""


@dataclass(frozen=True)
class Manifest:
    """The cases in their order, what the flags mean, and the digests of the files that belong to no case."""

    cases: tuple[Case, ...]
    flags: Mapping[str, str]
    others: Mapping[str, str]

    def __getitem__(self, name: str) -> Case:
        """Return a case by its id. Raises KeyError."""
        for case in self.cases:
            if case.id == name:
                return case
        raise KeyError(name)


def fixtures_folder() -> Path:
    """Return the folder of the packaged fixtures, else that of the checkout. Raises FileNotFoundError."""
    here = Path(__file__).resolve().parent
    for folder in (here / "fixtures", here.parents[1] / "fixtures"):
        if (folder / NAME).is_file():
            return folder
    raise FileNotFoundError(f"no {NAME}: neither in {here / 'fixtures'} nor in {here.parents[1] / 'fixtures'}")


def load_manifest(folder: Path) -> Manifest:
    """Read and check the manifest in a folder of fixtures. Raises SuiteFault."""
    try:
        document = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SuiteFault(f"{folder / NAME} cannot be read: {error}") from error
    validator = Draft202012Validator(schema.load("manifest.schema.json"))
    fault = next(validator.iter_errors(document), None)
    if fault is not None:
        raise SuiteFault(f"{NAME}: {fault.json_path}: {fault.message[:200]}")
    manifest = Manifest(tuple(map(case_of_json, document["cases"])), document["flags"], document["others"])
    for problem in _problems(manifest):
        raise SuiteFault(f"{NAME}: {problem}")
    return manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    """Say what a schema cannot: each id once, twins and flags that are there."""
    known = {case.id for case in manifest.cases}
    if len(known) < len(manifest.cases):
        yield "a case stands twice"
    inside = next((name for name in known if any(str(parent) in known for parent in PurePosixPath(name).parents)), None)
    if inside is not None:
        yield f"{inside} stands inside another case"
    for case in manifest.cases:
        if case.twin is not None and case.twin not in known:
            yield f"{case.id}: there is no twin {case.twin}"
        if not set(case.flags) <= set(manifest.flags):
            yield f"{case.id}: a flag without an explanation"
        for material in case.materials.values():
            if material.input != "." and material.input not in material.digests:
                yield f"{case.id}: there is no file {material.input}"


def verify(case: Case, folder: Path) -> None:
    """Compare the files of a case with their digests. Raises SuiteFault."""
    for material in case.materials.values():
        place = folder / material.folder
        found = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
        if found != set(material.digests):
            raise SuiteFault(f"{material.folder} holds other files than the manifest lists")
        for name, digest in material.digests.items():
            if digest_of((place / name).read_bytes()) != digest:
                raise SuiteFault(f"{material.folder}/{name} is not the file that the manifest lists")


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def case_of_json(value: Mapping[str, Any]) -> Case:
    """Return the case of an object of the manifest that is valid against its schema."""
    name = value["id"]
    materials = {
        key: Material(f"cases/{name}/{key}", part["input"], part["files"]) for key, part in value["materials"].items()
    }
    return Case(
        id=name,
        kind=Kind(value["kind"]),
        roles=tuple(map(Role, value["roles"])),
        why=value["why"],
        materials=materials,
        requirements=tuple(value["requirements"]),
        findings=tuple(value["findings"]),
        twin=value.get("twin"),
        fault=value.get("fault"),
        flags=tuple(value.get("flags", ())),
        features=tuple(value.get("features", ())),
        containers=tuple(map(Container, value.get("containers", ()))),
        metadata=value.get("metadata"),
        request=value.get("request", {}),
        content_digest=value["content_digest"],
        since=value["since"],
    )


def case_to_json(case: Case) -> dict[str, Any]:
    """Return the object of the manifest for a case; members that say nothing are left out."""
    optional: dict[str, Any] = {
        "twin": case.twin,
        "fault": case.fault,
        "flags": list(case.flags),
        "features": list(case.features),
        "containers": [str(container) for container in case.containers],
        "request": dict(case.request),
    }
    if case.metadata is not None:
        optional["metadata"] = case.metadata
    return {
        "id": case.id,
        "since": case.since,
        "kind": str(case.kind),
        "roles": [str(role) for role in case.roles],
        "requirements": list(case.requirements),
        "findings": list(case.findings),
        "why": case.why,
        **{name: value for name, value in optional.items() if value or name == "metadata"},
        "materials": {
            key: {"input": material.input, "files": dict(material.digests)} for key, material in case.materials.items()
        },
        "content_digest": case.content_digest,
    }
