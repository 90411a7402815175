"""From a draft to its case: the bytes of every file, their digests, and the digest of what they mean.

Strategy: a content digest is taken over plain values in canonical JSON, floats in hexadecimal, together with the fault
where there is one. It depends neither on the platform nor on the version of pyarrow; digests of bytes do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from logitpack_conformance import dense
from logitpack_conformance.dense import Dense
from logitpack_conformance.manifest import digest_of
from logitpack_conformance.model import EXTENSIONS, Case, Container, Material
from logitpack_conformance.stored import json_value, to_bytes

from .draft import Draft, Folder, Logical, Stored, metadata_bytes

Files = dict[str, bytes]


def build(draft: Draft) -> tuple[Case, dict[str, Files]]:
    """Return the case of a draft, and by key its files: what stands under fixtures/cases/ID/KEY/."""
    built = _files(draft)
    materials = {
        key: Material(f"cases/{draft.id}/{key}", name, {path: digest_of(files[path]) for path in sorted(files)})
        for key, (name, files) in built.items()
    }
    case = Case(
        id=draft.id,
        kind=draft.kind,
        roles=draft.roles,
        why=draft.why,
        materials=materials,
        requirements=draft.requirements,
        findings=draft.findings,
        twin=draft.twin,
        fault=draft.fault,
        flags=draft.flags,
        features=draft.features,
        containers=draft.containers,
        metadata=_metadata(draft),
        request=draft.request,
        content_digest=content_digest(draft),
    )
    return case, {key: files for key, (_, files) in built.items()}


def _files(draft: Draft) -> dict[str, tuple[str, Files]]:
    """Return by key what a request names, and the files."""
    content = draft.content
    if isinstance(content, Logical):
        return {"logical": ("rows.ndjson", {"rows.ndjson": logical_text(content.rows)})}
    if isinstance(content, Dense):
        return {"dense": ("logits.npy", {"logits.npy": dense.encode(content)})}
    found = {}
    for container in content.containers:
        if isinstance(content, Folder):
            found[str(container)] = (".", _folder(content, container))
        else:
            name = "in" + EXTENSIONS[container]
            found[str(container)] = (name, {name: file_bytes(content, container), **content.beside})
    return found


def _folder(content: Folder, container: Container) -> Files:
    return {
        name if isinstance(part, bytes) else name + EXTENSIONS[container]: part
        if isinstance(part, bytes)
        else file_bytes(part, container)
        for name, part in content.files.items()
    }


def file_bytes(content: Stored, container: Container) -> bytes:
    """Return the bytes of stored rows in a container."""
    data = to_bytes(content.rows, metadata_bytes(content.metadata), container, content.form)
    return content.damage(data, container) if content.damage else data


def logical_text(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return logical JSON, a line for each row."""
    return b"".join(json.dumps(json_value(dict(row))).encode() + b"\n" for row in rows)


def _metadata(draft: Draft) -> Mapping[str, Any] | None:
    """Return what goes with a request to write or check."""
    content = draft.content
    if draft.metadata is not None or not isinstance(content, Stored) or Container.JSON not in content.containers:
        return draft.metadata
    return content.metadata if isinstance(content.metadata, Mapping) else None


# Content digests


def content_digest(draft: Draft) -> str:
    """Return the digest of what a draft means: of its values, and of its fault."""
    values = _digest(_values(draft))
    return values if draft.fault is None else _digest([values, draft.fault])


def _values(draft: Draft) -> Any:
    content = draft.content
    if isinstance(content, Stored):
        return [content.rows, content.metadata, content.beside, draft.metadata]
    if isinstance(content, Folder):
        return {n: p if isinstance(p, bytes) else [p.rows, p.metadata] for n, p in content.files.items()}
    if isinstance(content, Logical):
        return [content.rows, draft.metadata]
    return [content.width, digest_of(dense.encode(content)), draft.request]


def _digest(value: Any) -> str:
    return digest_of(json.dumps(_exact(value), sort_keys=True).encode())


def _exact(value: Any) -> Any:
    """Return plain values as JSON that tells apart whatever differs."""
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, bytes):
        return {"bytes": value.hex() if len(value) < 100 else digest_of(value)}
    if isinstance(value, Mapping):
        return {name: _exact(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_exact(part) for part in value]
    return value
