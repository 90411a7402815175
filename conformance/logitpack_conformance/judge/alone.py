"""What a file is of which nothing is known but its container: valid or not, what it needs, how large it is.

Strategy: as for a writer's file (`written`), but without the rows that it was made from. It is opened in a process of
its own (`worker`) before anything else looks at it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logitpack_conformance.features import features_of
from logitpack_conformance.model import Container
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.load import load_dataset

from .written import begins_as

INDICES = ("top_indices_low", "sampled_indices_low")


def judge_alone(path: Path, container: Container) -> dict[str, Any]:
    """Judge a file: `broken` requirements with a `message`; where there are none, `findings`, `features`, `entries`.

    `findings` are what a checker reports of a valid file, `features` are as in `model.FEATURES`, `entries` are counted.
    """
    data = path.read_bytes()
    if not begins_as(container, data[:16], path):
        return {"broken": ["WR-5"], "message": f"the file is no {container}"}
    files = load_dataset(path)
    findings = judge_files(files, None)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        return {"broken": _ids(errors), "message": f"the file breaks {errors[0]}"}
    entries = sum(len(row[name]) for file in files for row in file.rows for name in INDICES)
    return {"broken": [], "findings": _ids(findings), "features": features_of(data, container), "entries": entries}


def _ids(findings: list[Any]) -> list[str]:
    return list(dict.fromkeys(finding.requirement for finding in findings))
