"""Golden files, right answers and wrong ones, for the tests of judges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logitpack_conformance.judge import judge
from logitpack_conformance.model import EXTENSIONS, Case, Container, Kind, Material, Response, Role, Verdict
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, decode
from logitpack_conformance.rows import Row, valid_rows
from logitpack_conformance.stored import to_bytes

ROWS = valid_rows((3, 1, 2), seed=5, token_ids=True)
PLAIN_ROWS = valid_rows((3, 1, 2), seed=5)


def a_case(kind: Kind = Kind.ACCEPT, role: Role = Role.READER, **members: Any) -> Case:
    """Give a case whose materials are for every container, in.<extension>, without digests."""
    names = {str(container): f"in{suffix}" for container, suffix in EXTENSIONS.items()}
    materials = {key: Material("case", name, {}) for key, name in {**names, "logical": "rows.ndjson"}.items()}
    return Case("a/case", kind, (role,), "It is a case.", **{"materials": materials, **members})


def put(
    folder: Path, rows: Sequence[Row] = ROWS, container: Container = Container.JSON, metadata: bytes | None = None
) -> Path:
    """Write rows to the folder as the golden file of a container, and return the folder."""
    (folder / f"in{EXTENSIONS[container]}").write_bytes(to_bytes(rows, metadata, container))
    return folder


def logical(rows: Sequence[Row], *, ids: bool = True) -> list[dict[str, Any]]:
    """Return stored rows as logical JSON has them, logits rounded to binary64."""
    return [{"tokens": [token(one, ids=ids) for one in decode(row)]} for row in rows]


def token(one: LogicalToken, *, ids: bool = True) -> dict[str, Any]:
    """Return a token as logical JSON has it."""
    found = {"logsumexp": one.logsumexp, "top": entries(one.top), "sampled": entries(one.sampled)}
    return {**found, "token_id": one.token_id} if ids and one.token_id is not None else found


def entries(part: LogicalEntries) -> dict[str, Any]:
    """Return a nucleus or tail as logical JSON has it."""
    return {"indices": list(part.indices), "logits": list(map(float, part.logits))}


def text(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return objects as lines of JSON, NaN and infinities bare, as careless programs write them."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def judge_read(
    folder: Path,
    output: bytes,
    case: Case | None = None,
    container: Container = Container.JSON,
    *,
    name: str = "rows.ndjson",
    features: Sequence[str] = (),
) -> Verdict:
    """Judge a reader that accepted and wrote `output`."""
    path = folder / name
    path.write_bytes(output)
    response = Response("accepted", output=path)
    return judge(case or a_case(), Role.READER, container, folder, {}, response, features=features)
