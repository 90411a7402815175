"""The self-test's own reckoning: what counts as killed, what is kept, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logitpack_conformance import selftest
from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Container, Kind, Role
from logitpack_conformance.plan import Planned
from logitpack_conformance.selftest.degenerates import Idle
from logitpack_conformance.selftest.show import missing
from logitpack_conformance.selftest.tally import held_against, record, tally, to_json
from logitpack_conformance.selftest.trial import Fate, Mutant, Trial, name_of

CASE = Planned(Case("a/b", Kind.REJECT, (Role.READER,), "", {}, ("IDX-3",)), Role.READER, Container.PARQUET)


def _trial(name: str, fate: Fate, *requirements: str, by: tuple[str, ...] = ()) -> Trial:
    mutant = Mutant(name, Role.READER, requirements, (Container.PARQUET,), "A fault.")
    return Trial(mutant, fate, by, catching=(CASE,))


TRIALS = [
    _trial("b", Fate.KILLED, "IDX-3", "RD-2", by=("IDX-3",)),
    _trial("a", Fate.ELSEWHERE, "IDX-3"),
    _trial("c", Fate.SURVIVED, "RD-2"),
]


def test_record() -> None:
    """A mutant stands under each requirement that it breaks, by whether that one's own cases caught it."""
    assert {
        "IDX-3": {"reader": {"killed_by_own": ["b"], "killed_elsewhere": ["a"]}},
        "RD-2": {"reader": {"killed_elsewhere": ["b"], "survived": ["c"]}},
    } == record(tally(TRIALS))


def test_text_of_the_record() -> None:
    """The text reads back as the record, in the order of SPEC.md whatever the order of the trials."""
    assert record(tally(TRIALS)) == json.loads(to_json(tally(TRIALS)))
    assert to_json(tally(TRIALS)) == to_json(tally(TRIALS[::-1]))


def test_missing() -> None:
    """A MUST lacks a mutant unless one was killed by its own cases; a SHOULD lacks none."""
    lacking = {(line.requirement, line.role) for line in missing(tally(TRIALS))}
    assert ("IDX-3", Role.READER) not in lacking
    assert {("RD-2", Role.READER), ("IDX-3", Role.CHECKER)} <= lacking
    assert ("COL-5", Role.CHECKER) not in lacking


def test_held_against_the_reference() -> None:
    """A case that the reference fails has caught nobody."""
    assert [Fate.SURVIVED] * 3 == [trial.fate for trial in held_against(TRIALS, {name_of(CASE)})]
    assert TRIALS == held_against(TRIALS, {name_of(CASE._replace(container=Container.JSON))})


def test_a_mutant(capsys: pytest.CaptureFixture[str]) -> None:
    """A mutant that is killed by its own cases is a success, and is told."""
    assert 0 == selftest.main(1, "checker-silent-on-idx-3")
    assert "1 of 1 mutants killed by their own cases" in capsys.readouterr().out


def test_a_survivor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A mutant that survives fails the self-test, and is named."""
    monkeypatch.setattr(selftest.trial, "tried", lambda mutant, *_: Trial(mutant, Fate.SURVIVED))
    assert 1 == selftest.main(1, "checker-silent-on-idx-3")
    assert "survived: checker-silent-on-idx-3 (IDX-3)" in capsys.readouterr().out


def test_the_record_is_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is written over all mutants only."""
    monkeypatch.setattr(selftest.trial, "tried", lambda mutant, *_: Trial(mutant, Fate.KILLED, mutant.requirements))
    monkeypatch.setattr(selftest.degenerates, "tried", lambda name, *_: Idle(name, (), ""))
    assert 0 == selftest.main(1, "checker-*", tmp_path)
    assert [] == list(tmp_path.iterdir())
    assert 0 == selftest.main(1, None, tmp_path)
    assert [selftest.RESULTS] == [path.name for path in tmp_path.iterdir()]


def test_something_earned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A degenerate adapter that earns something fails the self-test."""
    monkeypatch.setattr(selftest.degenerates, "tried", lambda name, *_: Idle(name, ("IDX-3 (reader)",), ""))
    assert 1 == selftest.main(1, "rejects-everything")


def test_an_unknown_name() -> None:
    """To try nothing is no success."""
    with pytest.raises(SuiteFault):
        selftest.main(1, "nobody")
