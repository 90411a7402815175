"""Failures that were found: told apart, saved as fixtures, and told of.

Strategy: two examples fail alike where role, outcome and the requirement that tells most are the same. Each way to fail
is saved once, as a folder of fixtures of its own that `--fixtures` takes, beside the same rows without the fault. The
name of the folder goes by what is in it, so that nothing else is overwritten.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from logitpack_conformance.casebook.build import Files, build
from logitpack_conformance.casebook.draft import Draft
from logitpack_conformance.manifest import NAME, case_to_json
from logitpack_conformance.model import FAILURES, SPEC, Case, Container, Kind, Result, Role
from logitpack_conformance.text import bounded

from .recipe import Recipe

VALID = frozenset({Kind.ACCEPT, Kind.WRITE, Kind.EXTRACT})


class Way(NamedTuple):
    """A way to fail: the requirement that tells most, "" where none was named, and an outcome of the runner's."""

    role: Role
    requirement: str
    outcome: str

    @property
    def slug(self) -> str:
        """A name for cases and folders."""
        parts = [self.requirement or "failed", *([self.outcome] if self.outcome else [])]
        return "-".join(parts).lower().replace("_", "-")


def way(result: Result) -> Way:
    """Return the way in which a result failed."""
    outcome = result.outcome if result.outcome in {*FAILURES, "error", "unsupported"} else ""
    return Way(result.role, result.broken[0] if result.broken else "", outcome)


@dataclass(frozen=True)
class Failure:
    """The smallest example found of one way to fail.

    `result` is its result under its saved case. It was first seen as the example `number` of `seed`, in `seen` examples
    altogether. `options` are those of a command line that finds the case, `repeat` is that command line.
    """

    result: Result
    folder: Path
    seed: int
    number: int
    seen: int
    repeat: str

    def __str__(self) -> str:
        """Several lines for a terminal."""
        result = self.result
        lines = [
            result.name,
            f"  seen      in example {self.number} of seed {self.seed}, in {self.seen} altogether",
            f"  case      {bounded(result.case.why)}",
            f"  judged    {bounded(result.message)}",
            f"  broken    {', '.join(bounded(name, 40) for name in result.broken[:6])}",
            f"  saved     {bounded(str(self.folder))}",
            f"  repeat    {self.repeat}",
        ]
        return "\n".join(lines)


Built = list[tuple[Case, dict[str, Files]]]


def built(recipe: Recipe, found: Result) -> Built:
    """Return the case of a failing recipe and its files, and those of its sound twin; `found` is its result."""
    name = f"fuzz/{found.role}/{way(found).slug}"
    draft = _of(recipe, name, found.role, found.container)
    drafts = [draft]
    if recipe.fault and draft.kind not in VALID and (twin := _twin(recipe, f"{name}-sound", found)) is not None:
        operation = {"op": recipe.fault.split("/", 1)[-1], "args": {}}
        drafts = [replace(draft, twin=twin.id, fault=operation), twin]
    return [build(one) for one in drafts]


def save(cases: Built, place: Path) -> Path:
    """Save cases below `place`, and return their folder. Raises OSError."""
    first = cases[0][0]
    folder = place / f"{first.id.removeprefix('fuzz/').replace('/', '-')}-{first.content_digest[:8]}"
    shutil.rmtree(folder, ignore_errors=True)
    for case, files in cases:
        for key, parts in files.items():
            for file, data in parts.items():
                path = folder / case.materials[key].folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    document = {"spec": SPEC, "flags": {}, "cases": [case_to_json(case) for case, _ in cases], "others": {}}
    (folder / NAME).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return folder


def _of(recipe: Recipe, name: str, role: Role, container: Container | None) -> Draft:
    draft = recipe.draft(name)
    return replace(draft, roles=(role,), containers=draft.containers if container else ())


def _twin(recipe: Recipe, name: str, found: Result) -> Draft | None:
    """Return the case without its fault, None where that is not a valid one."""
    try:
        draft = _of(recipe.sound(), name, found.role, found.container)
    except ValueError:
        return None
    return draft if draft.kind in VALID else None


def repeated(folder: Path, options: Sequence[str], command: Sequence[str]) -> str:
    """Return the command line that repeats what was saved."""
    words = ["logitpack", "conform", *options, "--fixtures", str(folder), "--", *command]
    return bounded(shlex.join(words), 2000)
