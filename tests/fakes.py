"""Scripts for the fake adapter, cases for it, and a look at what it left behind."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from logitpack_conformance.manifest import Manifest, case_to_json
from logitpack_conformance.model import Case, Container, Kind, Material, Role
from logitpack_conformance.process import Limits

LIMITS = Limits(timeout=30.0, start=60.0, grace=30.0)
"""For what is expected to answer: long enough for a busy machine."""
SHORT = Limits(timeout=1.0, start=60.0, grace=1.0)
"""For what hangs."""
LOGICAL = {
    "tokens": [{"logsumexp": 1.0, "top": {"indices": [1], "logits": [0.5]}, "sampled": {"indices": [2], "logits": [0]}}]
}
STORED = {
    "num_tokens": 1,
    "top_counts": [1],
    "top_indices_low": [1],
    "top_indices_high": "AA==",
    "top_logits_quantized": [0],
    "top_min": [0.5],
    "top_max": [0.5],
    "sampled_indices_low": [2],
    "sampled_indices_high": "AA==",
    "sampled_logits_quantized": [0],
    "sampled_min": [0.0],
    "sampled_max": [0.0],
    "logsumexp": [1.0],
}
"""A row in stored JSON; LOGICAL is what it means."""
GOOD = json.dumps(STORED).encode() + b"\n"
CUT = GOOD[:-20]

Step = dict[str, Any]
ACCEPTED: Step = {"answer": {"outcome": "accepted"}}
REJECTED: Step = {"answer": {"outcome": "rejected"}}
RIGHT: list[Step] = [{"output": json.dumps(LOGICAL) + "\n"}, ACCEPTED]
"""The steps that answer a request to read GOOD."""
HANG: list[Step] = [{"sleep": 3600}]


def fake(folder: Path, steps: Mapping[str, Sequence[Step]] | None = None, **members: object) -> list[str]:
    """Write a script, and return the command that follows it."""
    script = folder / "script.json"
    script.write_text(json.dumps({"steps": steps or {}, **members}), encoding="utf-8")
    return [sys.executable, "-m", "logitpack_conformance.adapters.fake", str(script)]


def case(name: str, fixtures: Path, data: bytes = GOOD, **members: Any) -> Case:
    """Make a case in container json for readers, with its file below a folder of fixtures."""
    folder = f"cases/{name}/json"
    (fixtures / folder).mkdir(parents=True, exist_ok=True)
    (fixtures / folder / "in.ndjson").write_bytes(data)
    material = Material(folder, "in.ndjson", {"in.ndjson": hashlib.sha256(data).hexdigest()})
    usual = {"kind": Kind.ACCEPT, "roles": (Role.READER,), "why": "a case for tests", "content_digest": "0" * 64}
    return Case(id=name, materials={"json": material}, **{**usual, **members})


def pair(fixtures: Path) -> Manifest:
    """Make a manifest of two cases that show JSON-1 for a reader: a whole file, and one that was cut."""
    good = case("pair/whole", fixtures, requirements=("JSON-1",), twin="pair/cut")
    members = {"kind": Kind.REJECT, "requirements": ("JSON-1",), "findings": ("JSON-1",), "twin": "pair/whole"}
    return Manifest((good, case("pair/cut", fixtures, CUT, **members)), {}, {})


def rows_to_write(name: str, fixtures: Path, **members: Any) -> Case:
    """Make a case in container json for writers: the rows that LOGICAL are, and GOOD stores."""
    data = json.dumps(LOGICAL).encode() + b"\n"
    folder = f"cases/{name}/logical"
    (fixtures / folder).mkdir(parents=True, exist_ok=True)
    (fixtures / folder / "rows.ndjson").write_bytes(data)
    material = Material(folder, "rows.ndjson", {"rows.ndjson": hashlib.sha256(data).hexdigest()})
    usual = {"kind": Kind.WRITE, "roles": (Role.WRITER,), "why": "rows for tests", "content_digest": "0" * 64}
    return Case(id=name, materials={"logical": material}, **{**usual, "containers": (Container.JSON,), **members})


def save(known: Manifest, fixtures: Path) -> Path:
    """Write a manifest into its folder of fixtures, and return the folder."""
    document = {"spec": "1.0", "flags": {}, "cases": [case_to_json(one) for one in known.cases], "others": {}}
    (fixtures / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
    return fixtures


def notes(path: Path) -> list[dict[str, Any]]:
    """Return what the step `note` has written."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def running(folder: Path) -> list[list[str]]:
    """Return the command lines of running processes whose folder for temporary files is below `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            place = process.environ().get("TMPDIR", "")
            if place.startswith(str(folder)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    return found
