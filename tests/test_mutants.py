"""The mutants: complete, able to start, each with a fault that is really there."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from logitpack_conformance.adapters.mutants import MUTANTS
from logitpack_conformance.adapters.mutants.registry import add
from logitpack_conformance.adapters.mutants.swap import put, swap, wrap, wrap_method
from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.clauses import requirements
from logitpack_conformance.manifest import fixtures_folder, load_manifest
from logitpack_conformance.model import Role
from logitpack_conformance.selftest.trial import MODULE, Fate, listed, tried

NAMED = (
    "reader-msb-first",
    "reader-per-token-packing",
    "reader-signed-low",
    "reader-surplus-high-bytes-ignored",
    "reader-missing-high-bytes-ignored",
    "reader-padding-as-data",
    "reader-divided-by-65536",
    "reader-divided-by-65534",
    "reader-ends-swapped",
    "reader-empty-range-to-nan",
    "reader-uint8-offsets",
    "reader-remainder-dropped",
    "reader-last-row-group-lost",
    "reader-offsets-ignored",
    "reader-nucleus-sorted",
    "reader-float16-logits",
    "reader-logsumexp-through-binary32",
    "reader-major-version-ignored",
    "writer-index-cut-to-18-bits",
    "writer-nan-written-as-zero",
    "writer-codes-truncated",
    "writer-partial-file-left",
    "extractor-crossing-entry-dropped",
    "extractor-tail-with-replacement",
    "extractor-tail-over-the-nucleus",
    "extractor-tail-in-proportion",
    "extractor-logsumexp-over-the-stored",
    "extractor-shifted-later",
    "extractor-shifted-earlier",
    "extractor-first-position-wrapped",
)
"""Slips that known programs have made, or would."""

BUILD_ALL = """
import os, sys
from logitpack_conformance.adapters.mutants import MUTANTS
for name, mutant in MUTANTS.items():
    child = os.fork()
    if child == 0:
        try:
            mutant.build()
        except BaseException as error:
            print(f"{name}: {error!r}", flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_one_for_every_must() -> None:
    """Each MUST has a mutant in each role that can break it."""
    due = {(name, role) for name, roles in BREAKABLE.items() for role in roles if requirements()[name].level == "MUST"}
    there = {(name, mutant.role) for mutant in MUTANTS.values() for name in mutant.requirements}
    assert set() == due - there


def test_enough_of_them() -> None:
    """There are at least 60, the well-known slips among them."""
    assert len(MUTANTS) >= 60
    assert set() == set(NAMED) - set(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_declarations(mutant: types.SimpleNamespace) -> None:
    """A mutant breaks what its role can break, is shown in containers where there are some, and says its fault."""
    assert mutant.name.startswith(f"{mutant.role}-")
    assert any(mutant.role in BREAKABLE[name] for name in mutant.requirements)
    assert (mutant.role == Role.EXTRACTOR) == (not mutant.containers)
    assert mutant.fault.endswith(".")


def test_names_are_taken_once() -> None:
    """Two mutants of one name would hide each other."""
    with pytest.raises(ValueError, match="two mutants are called"):
        add(next(iter(MUTANTS.values())))


def test_list() -> None:
    """The list that the self-test asks for has them all."""
    assert [(one.name, one.role, one.requirements) for one in MUTANTS.values()] == [
        (one.name, one.role, one.requirements) for one in listed()
    ]


def test_all_can_be_made() -> None:
    """What each mutant changes is there in the reference, under the name that it looks for."""
    done = subprocess.run([sys.executable, "-c", BUILD_ALL], capture_output=True, text=True, check=True)
    assert "" == done.stdout


@pytest.mark.parametrize("role", Role)
def test_start(role: Role) -> None:
    """A mutant is an adapter of one role under its own name."""
    mutant = next(one for one in MUTANTS.values() if one.role == role)
    command = [sys.executable, "-m", MODULE, mutant.name]
    done = subprocess.run(command, input=b'{"seq": 0, "cmd": "hello"}\n', capture_output=True, check=True)
    said = json.loads(done.stdout)
    assert (mutant.name, [role]) == (said["name"], said["roles"])


def test_unknown_name() -> None:
    """A name that no mutant has is wrong usage, never the plain reference."""
    done = subprocess.run([sys.executable, "-m", MODULE, "reader-perfect"], capture_output=True, check=False)
    assert 2 == done.returncode


@pytest.mark.parametrize(
    "name",
    ["reader-divided-by-65536", "writer-codes-truncated", "checker-silent-on-row-3", "extractor-shifted-later"],
)
def test_killed(name: str, tmp_path: Path) -> None:
    """A mutant of each role is caught by a case of the requirement that it breaks, which is named."""
    fixtures = fixtures_folder()
    mutant = next(one for one in listed() if one.name == name)
    trial = tried(mutant, load_manifest(fixtures).cases, fixtures, tmp_path)
    assert (Fate.KILLED, mutant.requirements) == (trial.fate, trial.by)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module that counts as one of the reference."""
    made = types.ModuleType("logitpack._made_for_a_test")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_swap(module: types.ModuleType) -> None:
    """All references to a function are replaced."""

    def one() -> int:
        return 1

    module.first, module.second = one, one  # type: ignore[attr-defined]
    swap(one, "other")
    assert ("other", "other") == (module.first, module.second)


def test_swap_of_nothing() -> None:
    """A function that the reference has no more makes no mutant."""
    with pytest.raises(LookupError):
        swap(object(), object())


def test_wrap(module: types.ModuleType) -> None:
    """The replacement is given the original."""

    def one(number: int) -> int:
        return number

    module.one = one  # type: ignore[attr-defined]
    wrap(one, lambda original, number: original(number) + 1)
    assert 3 == module.one(2)


def test_wrap_method() -> None:
    """A method is replaced in its class; one that is not there makes no mutant."""

    class Owner:
        def one(self) -> int:
            return 1

    wrap_method(Owner, "one", lambda original, self: original(self) + 1)
    assert 2 == Owner().one()
    with pytest.raises(KeyError):
        wrap_method(Owner, "two", lambda original: original)


def test_put(module: types.ModuleType) -> None:
    """A constant gets another value; the same one makes no mutant, nor does a name that is not there."""
    module.LIMIT = 1  # type: ignore[attr-defined]
    put(module, "LIMIT", 2)
    assert 2 == module.LIMIT
    with pytest.raises(ValueError, match="already"):
        put(module, "LIMIT", 2)
    with pytest.raises(AttributeError):
        put(module, "OTHER", 2)
