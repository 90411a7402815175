"""Imports go one way: numerics know nothing of Arrow, the codec nothing of files, the suite no reference."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "reference" / "logitpack"
SUITE = ROOT / "conformance" / "logitpack_conformance"
ORACLE = SUITE / "oracle"
ADAPTERS = SUITE / "adapters"

LAYERS = [
    {"errors", "resources", "schemas", "thrift", "flatbuffers", "version", "weighing", "wanted"},
    {"blocks", "ipc_claims", "urls", "cluster"},
    {"remote"},
    {"native"},
    {"ragged", "requirements", "metadata", "table", "breach", "pages", "jsonforms", "replacing", "kernels"},
    {"indices", "quantisation", "batch", "nucleus", "tail", "arrays", "parquet"},
    {"selection", "columns", "logical_json"},
    {"recycling"},
    {"arrow_ipc"},
    {"values", "entries", "stored_json"},
    {"structure"},
    {"located", "containers", "machine"},
    {"masses"},
    {"semantics", "shards", "identity"},
    {"dataset"},
    {"figures"},
    {"passes"},
    {"screen"},
    {"refusals"},
    {"report", "patterns"},
    {"causes", "summaries", "headers"},
    {"tasks", "verdicts"},
    {"codec"},
    {"outgoing"},
    {"writer"},
    {"files"},
    {"underway", "records"},
    {"dispatch"},
    {"state"},
    {"check"},
]
"""Each module imports from layers above its own only."""

EXTRAS = {
    "urls": {"fsspec", "aiohttp"},
    "cluster": {"distributed"},
    "kernels": {"numba", "llvmlite"},
    "weighing": {"numba", "llvmlite"},
    "machine": {"llvmlite"},
}
"""What is imported where it is asked for, and not before."""

NUMERIC = {"errors", "ragged", "indices", "quantisation", "batch", "nucleus", "tail", "selection"}


def imported(path: Path) -> Iterator[str]:
    """Give the full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tops(path: Path) -> set[str]:
    """Give the top-level packages that a file imports."""
    return {name.split(".")[0] for name in imported(path)}


MODULES = {path.stem: path for path in REFERENCE.glob("*.py") if path.stem != "__init__"}


def test_every_module_has_its_layer() -> None:
    """The layers list the modules there are, each once."""
    assert sorted(MODULES) == sorted(name for layer in LAYERS for name in layer)


@pytest.mark.parametrize("name", MODULES)
def test_modules_import_from_above_only(name: str) -> None:
    """A module imports only what stands in a layer above its own."""
    number = next(number for number, layer in enumerate(LAYERS) if name in layer)
    above = set().union(*LAYERS[:number])
    names = {full.split(".")[1] for full in imported(MODULES[name]) if full.startswith("logitpack.")}
    assert names & set(MODULES) <= above


@pytest.mark.parametrize("name", MODULES)
def test_reading_and_writing_need_numpy_and_pyarrow_only(name: str) -> None:
    """Outside the command line, nothing but numpy, pyarrow and the standard library is imported."""
    allowed = {"numpy", "logitpack"} if name in NUMERIC else {"numpy", "pyarrow", "logitpack"} | EXTRAS.get(name, set())
    assert tops(MODULES[name]) - set(sys.stdlib_module_names) <= allowed


@pytest.mark.parametrize("path", [*ORACLE.rglob("*.py")], ids=lambda path: path.stem)
def test_oracle_stands_alone(path: Path) -> None:
    """The oracle never imports the reference or numpy, and pyarrow only where it opens containers."""
    allowed = {"logitpack_conformance"} | ({"pyarrow"} if path.stem in {"load", "arrow_types"} else set())
    assert tops(path) - set(sys.stdlib_module_names) <= allowed


@pytest.mark.parametrize("path", [*SUITE.rglob("*.py")], ids=lambda path: str(path.relative_to(SUITE)))
def test_suite_never_imports_the_reference(path: Path) -> None:
    """Only adapters, programs of their own, know the reference; nothing else of the suite knows them or numpy."""
    if ADAPTERS in path.parents:
        return
    names = set(imported(path))
    assert not {name for name in names if name.split(".")[0] in {"logitpack", "numpy"}}
    assert not {name for name in names if name.startswith("logitpack_conformance.adapters.")}


@pytest.mark.parametrize("path", [*REFERENCE.rglob("*.py")], ids=lambda path: path.stem)
def test_reference_never_imports_the_suite(path: Path) -> None:
    """The product does not depend on what judges it."""
    assert "logitpack_conformance" not in tops(path)
