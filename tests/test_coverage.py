"""The coverage page: counted from the suite's own data, complete, and honest about gaps."""

from __future__ import annotations

from typing import Any

import pytest

from logitpack_conformance.breakable import BREAKABLE, NOBODY, NOT_BY_WRITERS
from logitpack_conformance.clauses import requirements
from logitpack_conformance.coverage import WHY_NOT, Covered, Mutants, covered, load_trials, not_single
from logitpack_conformance.covertext import page
from logitpack_conformance.manifest import Manifest
from logitpack_conformance.model import Case, Container, Material, Role
from runs import case

FILES = {key: Material(f"cases/x/{key}", "in", {}) for key in ("parquet", "json")}
FAULT = {"op": "drop-a-byte", "args": {}}
EXACT = case("idx/exact", "accept", materials=FILES)
SHORT = case("idx/short", "reject", "IDX-3", "idx/exact", materials=FILES, fault=FAULT)
PADDED = case("idx/padded", "either", "IDX-4", "idx/exact", fault=FAULT, flags=("PADDING",))
WRITTEN = case("wr/index", "refuse", "IDX-6", containers=(Container.JSON,))
TRIALS = {
    "IDX-3": {"reader": {"killed_by_own": ["short-high"], "killed_elsewhere": ["long-high"], "survived": []}},
    "IDX-6": {"writer": {"killed_by_own": [], "killed_elsewhere": [], "survived": ["aliased"]}},
}


def manifest(*cases: Case, **flags: str) -> Manifest:
    """Give a manifest of some cases."""
    return Manifest(cases, flags, {})


FOUR = manifest(EXACT, SHORT, PADDED, WRITTEN, PADDING="what was never stored is read", UNUSED="nothing shows it")


def one(name: str, role: Role, trials: dict[str, Any] | None = None) -> Covered:
    """Give what is covered of a requirement in a role."""
    found = covered(FOUR, trials)
    return next(each for each in found if (each.requirement.id, each.role) == (name, role))


# Who can break what -------------------------------------------------------------------------------------


def test_breakable_has_every_requirement_in_order() -> None:
    """Each requirement of SPEC.md stands in the table once, and no other."""
    assert list(BREAKABLE) == list(requirements())


def test_each_requirement_has_a_role_or_an_excuse() -> None:
    """What nobody can break is excused, and nothing else is; no MUST is."""
    assert set(NOBODY) == {name for name, roles in BREAKABLE.items() if not roles}
    assert {requirements()[name].level for name in NOBODY} == {"SHOULD"}


def test_checkers_can_break_every_requirement_on_files() -> None:
    """A checker has to report whatever a file can break (CHK-1), META-2 and by FILE-5."""
    on_files = {name for name, about in requirements().items() if about.kind in "SM"}
    checkers = {name for name, roles in BREAKABLE.items() if Role.CHECKER in roles}
    assert checkers == on_files | {"META-2", "FILE-5", "CHK-1", "CHK-2", "CHK-3"}


def test_readers_can_break_every_structural_requirement() -> None:
    """A reader has to reject what breaks a structural requirement (RD-1)."""
    structural = {name for name, about in requirements().items() if about.kind == "S"}
    assert structural <= {name for name, roles in BREAKABLE.items() if Role.READER in roles}


def test_writers_can_break_requirements_on_files_or_are_excused() -> None:
    """A writer's file can break every requirement on files (WR-1), but those with a reason; of MUSTs only FILE-2."""
    on_files = {name for name, about in requirements().items() if about.kind in "SM"}
    by_writers = {name for name in on_files if Role.WRITER in BREAKABLE[name]}
    assert set(NOT_BY_WRITERS) == on_files - by_writers
    assert [name for name in NOT_BY_WRITERS if requirements()[name].level == "MUST"] == ["FILE-2"]


def test_groups_of_roles_are_broken_by_their_roles() -> None:
    """RD is for readers, WR for writers, CHK for checkers: each by itself."""
    groups = {"RD": Role.READER, "WR": Role.WRITER, "CHK": Role.CHECKER}
    found = {name: roles for name, roles in BREAKABLE.items() if name.split("-")[0] in groups}
    assert found == {name: (groups[name.split("-")[0]],) for name in found}


def test_reasons_are_for_musts_that_can_be_broken() -> None:
    """Each reason for a gap is about a MUST in a role that can break it."""
    wrong = [
        (name, role) for name, role in WHY_NOT if role not in BREAKABLE[name] or requirements()[name].level != "MUST"
    ]
    assert wrong == []


# Counting -----------------------------------------------------------------------------------------------


def test_each_pair_of_requirement_and_role_is_counted() -> None:
    """There is one line for each role that can break a requirement."""
    pairs = [(each.requirement.id, each.role) for each in covered(FOUR, None)]
    assert pairs == [(name, role) for name, roles in BREAKABLE.items() for role in roles]


def test_twins_count_for_their_side() -> None:
    """A reject case and its twin are one of each side, in the containers of the reject case."""
    found = one("IDX-3", Role.READER)
    assert (len(found.own), found.accept, found.reject) == (1, 1, 1)
    assert found.containers == {Container.PARQUET, Container.JSON}


def test_breach_that_a_reader_may_accept_is_no_reject_side() -> None:
    """Stray padding is a reject side for a checker, and none for a reader."""
    sides = [(found.accept, found.reject) for found in (one("IDX-4", Role.READER), one("IDX-4", Role.CHECKER))]
    assert sides == [(2, 0), (1, 1)]


def test_writers_have_the_containers_that_they_are_asked_for() -> None:
    """A writer's case has the containers that the case names, not those of its files."""
    assert one("IDX-6", Role.WRITER).containers == {Container.JSON}


def test_mutants_are_taken_from_the_self_test() -> None:
    """The results of the self-test are told apart; without them nothing is known."""
    assert one("IDX-3", Role.READER, TRIALS).mutants == Mutants(("short-high",), ("long-high",), ())
    assert one("IDX-3", Role.CHECKER, TRIALS).mutants == Mutants()
    assert one("IDX-3", Role.READER).mutants is None


def test_faults_that_are_not_single_are_found() -> None:
    """A breach without a twin, without a named fault, or with two findings more than its twin is no single fault."""
    alone = case("a/alone", "reject", "IDX-3", fault=FAULT)
    unnamed = case("a/unnamed", "reject", "IDX-3", "idx/exact")
    double = case("a/double", "reject", "IDX-3", "idx/exact", fault=FAULT, findings=("IDX-3", "IDX-1"))
    cases = manifest(EXACT, SHORT, PADDED, WRITTEN, alone, unnamed, double)
    assert not_single(cases) == [alone, unnamed, double]


def test_self_test_that_was_not_run_is_known(tmp_path: Any) -> None:
    """Without a file of results there is nothing to load."""
    assert load_trials(tmp_path / "results.json") is None


# The page -----------------------------------------------------------------------------------------------


def section(title: str, trials: dict[str, Any] | None = None) -> list[str]:
    """Give the items below a heading of the page."""
    text = page(FOUR, covered(FOUR, trials), ["What is not tested."])
    assert f"### {title}\n" in text
    return text.split(f"### {title}\n\n")[1].split("\n\n")[0].splitlines()


def test_page_has_a_line_for_each_pair() -> None:
    """Each requirement stands in the table for each role, with its counts and containers."""
    lines = page(FOUR, covered(FOUR, TRIALS), []).splitlines()
    assert "| [IDX-3](../SPEC.md#idx-3) | MUST | S | reader | 1 | 1 | parquet, json | 1 | 1 | - |" in lines
    assert sum(line.startswith("| [") for line in lines) == sum(map(len, BREAKABLE.values()))


def test_page_says_what_it_does_not_know() -> None:
    """Without a self-test the page says so, and claims nothing of mutants."""
    text = page(FOUR, covered(FOUR, None), [])
    assert "The self-test has not been run" in text
    assert "MUSTs without a mutant" not in text
    assert "| reader | 1 | 1 | parquet, json | ? | ? | ? |" in text


def test_page_lists_musts_without_a_case() -> None:
    """A MUST without a case is a gap, for the roles that lack it."""
    gaps = section("MUSTs without a case of their own")
    assert "- IDX-3 Length of the high bits (writer)." in gaps
    assert "- ROW-1 At least one token (reader, writer, checker)." in gaps


def test_page_lists_one_sided_musts() -> None:
    """A MUST with cases of one side only is a gap."""
    expected = ["- IDX-4 Padding (reader).", "- IDX-6 No aliasing (writer)."]
    assert section("MUSTs with cases for one side only") == expected


def test_page_lists_musts_without_a_killed_mutant() -> None:
    """A MUST whose mutants survived, or that has none, is a gap; one with a killed mutant is not."""
    gaps = section("MUSTs without a mutant killed by their own cases", TRIALS)
    assert "- IDX-6 No aliasing (writer)." in gaps
    assert "- IDX-3 Length of the high bits (writer, checker)." in gaps


def test_page_lists_survivors() -> None:
    """A mutant that nothing caught is named."""
    assert section("Mutants that survived", TRIALS) == ["- `aliased` (IDX-6)."]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("In some containers only", "- IDX-3 Length of the high bits: parquet, json (reader, checker)."),
        ("Bug classes without a case", "- `UNUSED`."),
        ("By nature ([SPEC.md, appendix H](../SPEC.md))", "- What is not tested."),
        ("With a single case of their own", "- IDX-6 No aliasing (writer)."),
        ("Cases that are not their twin plus a single fault with a single finding", "None."),
    ],
)
def test_page_lists_other_weaknesses(title: str, expected: str) -> None:
    """Each kind of weakness stands under its heading."""
    assert expected in section(title)
