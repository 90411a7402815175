"""Checkers that look at the files of a dataset, and at what stands beside them, in the wrong way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from logitpack import Finding, metadata
from logitpack_conformance.adapters.mutants.registry import ARROW_FILE, ARROW_STREAM, PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.adapters.reference import Reference
from logitpack_conformance.adapters.serve import Message
from logitpack_conformance.model import Role

CHECKER = Role.CHECKER
BESIDE = "logitpack.json"


class Rearranged(Reference):
    """A checker that sees another folder than there is: `change` rearranges it, the copy of one request."""

    def __init__(self, change: Callable[[Path], None]) -> None:
        self.change = change

    def check(self, path: str, metadata: Message | None) -> list[Finding]:
        """Return the findings on what there is then."""
        if Path(path).is_dir():
            self.change(Path(path))
        return super().check(path, metadata)


@mutant(CHECKER, "FILE-2")
def metadata_at_the_root_taken_for_the_nearest() -> Reference:
    """Where logitpack.json stands at the root of a dataset, those in its folders are not looked at."""

    def change(root: Path) -> None:
        for nearer in root.rglob(BESIDE) if (root / BESIDE).is_file() else ():
            nearer.write_bytes((root / BESIDE).read_bytes())

    return Rearranged(change)


@mutant(CHECKER, "TAIL-4", "META-2")
def metadata_at_the_root_not_looked_at() -> Reference:
    """Of the logitpack.json beside a dataset's files, only one in their own folder is looked at."""

    def change(root: Path) -> None:
        if any(found.parent != root for found in root.rglob("*.*") if found.name != BESIDE):
            (root / BESIDE).unlink(missing_ok=True)

    return Rearranged(change)


@mutant(CHECKER, "TAIL-4")
def given_metadata_before_those_beside() -> Reference:
    """Metadata that are given are in force where a logitpack.json stands beside the file."""

    class Overruled(Reference):
        def check(self, path: str, metadata: Message | None) -> list[Finding]:
            if metadata is not None:
                Path(path).with_name(BESIDE).unlink(missing_ok=True)
            return super().check(path, metadata)

    return Overruled()


@mutant(CHECKER, "FILE-2", containers=(PARQUET, ARROW_FILE, ARROW_STREAM))
def one_taken_for_true() -> None:
    """Metadata are compared as many languages compare: 1 equals true."""

    def differences(_: Any, one: Any, other: Any, name: str = "") -> Any:
        return iter([] if one == other else [(name, one, other)])

    wrap(metadata._differences, differences)


@mutant(CHECKER, "FILE-1")
def first_file_only() -> Reference:
    """Of the files of a dataset, the first is judged."""

    def change(root: Path) -> None:
        data = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.parquet"))
        for path in data[1:]:
            (root / path).unlink()

    return Rearranged(change)


@mutant(CHECKER, "NUC-2", containers=(PARQUET,))
def two_folders_deep_only() -> Reference:
    """Files that stand more than two folders below the root are not judged."""

    def change(root: Path) -> None:
        for path in root.rglob("*.parquet"):
            if len(path.relative_to(root).parts) > 3:
                path.unlink()

    return Rearranged(change)


@mutant(CHECKER, "FILE-2", containers=(PARQUET,))
def lists_compared_as_sets() -> None:
    """Of the metadata's lists, the order of the elements is not compared."""

    def differences(original: Any, one: Any, other: Any, name: str = "") -> Any:
        if isinstance(one, list) and isinstance(other, list):
            one, other = sorted(map(str, one)), sorted(map(str, other))
        return original(one, other, name)

    wrap(metadata._differences, differences)
