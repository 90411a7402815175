"""Drafts: cases before their files exist.

Strategy: a draft says what a case is about and holds plain content: stored rows with a form, a folder of such, logical
rows, or dense logits. `build` makes bytes of it. A faulty draft is made of its twin: the same content plus one fault.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from logitpack_conformance.clauses import requirements
from logitpack_conformance.dense import Dense
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.oracle.finding import WARNINGS
from logitpack_conformance.rows import Row, embedded
from logitpack_conformance.stored import PLAIN, Form

ALL = tuple(Container)
ARROW = (Container.PARQUET, Container.ARROW_FILE, Container.ARROW_STREAM)
"""The containers with a schema and metadata of their own."""
IPC = (Container.ARROW_FILE, Container.ARROW_STREAM)
FILE_ROLES = (Role.READER, Role.CHECKER)

Damage = Callable[[bytes, Container], bytes]


@dataclass(frozen=True)
class Stored:
    """A file of stored rows, in each of the containers.

    metadata: a mapping, or bytes as they are; embedded, and for stored JSON given with the request to check. damage:
    what becomes of the bytes. beside: other files in the folder, by name.
    """

    rows: Sequence[Row]
    metadata: Mapping[str, Any] | bytes | None = None
    form: Form = PLAIN
    containers: tuple[Container, ...] = ALL
    damage: Damage | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """A dataset: files by their paths, those of rows without the extension, which is the container's."""

    files: Mapping[str, Stored | bytes]
    containers: tuple[Container, ...] = ARROW


@dataclass(frozen=True)
class Logical:
    """Rows of logical JSON (section 4.4) for a writer, as plain values; non-finite numbers as floats or strings."""

    rows: Sequence[Mapping[str, Any]]


Content = Stored | Folder | Logical | Dense


@dataclass(frozen=True)
class Draft:
    """A case without its files. The members are those of `model.Case`; `twin` is the id of another draft.

    metadata: where None, that of stored rows goes with the request to check stored JSON.
    """

    id: str
    kind: Kind
    why: str
    content: Content
    roles: tuple[Role, ...] = FILE_ROLES
    requirements: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    twin: str | None = None
    fault: Mapping[str, Any] | None = None
    flags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    metadata: Mapping[str, Any] | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


def kind_of(requirement: str) -> Kind:
    """Return the kind of a case whose file breaks a requirement: reject where every reader has to."""
    return Kind.REJECT if requirements()[requirement].kind == "S" or requirement == "META-2" else Kind.EITHER


def accept(name: str, why: str, content: Content, **members: Any) -> Draft:
    """Return a draft of a valid file."""
    return Draft(name, Kind.ACCEPT, why, content, **members)


def broken(twin: Draft, name: str, why: str, fault: str, content: Content, **members: Any) -> Draft:
    """Return a draft that is its twin plus one fault, `REQUIREMENT/operation`, which the content has already.

    args: the arguments of the operation. Other members replace those of the draft: requirements, findings, kind ...
    An error that could stand in an Arrow file and in a stream, beside other containers, stands in one of the two.
    """
    requirement, op = fault.split("/", 1)
    if isinstance(content, Stored) and requirement not in WARNINGS:  # of warnings there are few cases
        content = replace(content, containers=_thinned(name, content.containers))
    args = members.pop("args", {})
    taken: dict[str, Any] = {
        "kind": kind_of(requirement),
        "requirements": (requirement,),
        "findings": (*twin.findings, requirement),
        "roles": twin.roles,
        "features": twin.features,
    }
    members = taken | members
    return Draft(name, members.pop("kind"), why, content, twin=twin.id, fault={"op": op, "args": args}, **members)


def _thinned(name: str, containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """Leave out one of the two forms of Arrow IPC, by the name of the case."""
    if len(containers) < 3 or not set(IPC) <= set(containers):
        return containers
    left_out = IPC[zlib.crc32(f"{name}arrow".encode()) & 1]
    return tuple(container for container in containers if container is not left_out)


def faulty(twin: Draft, name: str, why: str, fault: str, **members: Any) -> Draft:
    """Return the twin, of stored rows, plus one of `faults.FAULTS`. Raises NoRoomError.

    What fits no canonical type is written in the widest accepted one, which COL-5 has to name: `form` takes care of it.
    """
    content = twin.content
    if not isinstance(content, Stored):
        raise TypeError("only stored rows have single faults")
    rows, metadata = copy.deepcopy(list(content.rows)), copy.deepcopy(content.metadata)
    FAULTS[fault].apply(rows, metadata if isinstance(metadata, dict) else {})
    changed = replace(content, rows=rows, metadata=metadata, form=members.pop("form", content.form))
    if fault.startswith("META-"):
        changed = replace(changed, containers=tuple(c for c in content.containers if c is not Container.JSON))
    changed = replace(changed, containers=members.pop("only", changed.containers))
    return broken(twin, name, why, fault, changed, **members)


def metadata_bytes(metadata: Mapping[str, Any] | bytes | None) -> bytes | None:
    """Return metadata as they are embedded."""
    return metadata if isinstance(metadata, bytes | None) else embedded(metadata)
