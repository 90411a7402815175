"""Degenerate adapters: none earns anything, none hangs or crashes the runner, and the self-test says so."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from logitpack_conformance.adapters.degenerate import ANSWERS, INTRODUCTIONS
from logitpack_conformance.manifest import Manifest, fixtures_folder, load_manifest
from logitpack_conformance.model import FAILURES, Container, Role
from logitpack_conformance.plan import Choice, Planned, plan
from logitpack_conformance.process import Limits
from logitpack_conformance.run import Options, conduct
from logitpack_conformance.score import Overall, Status, overall, score
from logitpack_conformance.selftest.degenerates import MODULE, least, listed, tried
from logitpack_conformance.session import StartError

LIMITS = Limits(memory=512 << 20, start=30.0, grace=1.0)


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", MODULE, name]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The cases of two requirements that a reader and a checker can earn, without its twin and with it."""
    whole = load_manifest(fixtures_folder())
    reject = next(case for case in whole.cases if case.requirements == ("IDX-3",) and Role.READER in case.roles)
    return Manifest((reject, whole[reject.twin or ""]), whole.flags, whole.others)


def _options(timeout: float = 30.0) -> Options:
    return Options(fixtures_folder(), replace(LIMITS, timeout=timeout), Choice(containers=[Container.JSON]))


ANSWERING = [
    "accepts-everything",
    "accepts-with-a-plausible-row",
    "copies-its-input",
    "rejects-everything",
    "blames-everything",
    "unsupported",
    "fails",
    "deletes-its-input",
    "writes-outside",
    "output-is-a-pipe",
    "output-is-endless",
    "output-is-deep",
    "surrogates",
]
BREAKING = {
    "half-a-line": "protocol_error",
    "wrong-seq": "protocol_error",
    "not-utf-8": "protocol_error",
    "endless-line": "protocol_error",
    "answers-before-asked": "protocol_error",
    "exits-after-hello": "crash",
    "killed": "crash",
    "hangs-and-ignores-signals": "timeout",
    "leaves-a-child": "crash",
    "eats-memory": "memory",
}
WAITING = ("half-a-line", "hangs-and-ignores-signals")
"""What ends by the time limit only."""


@pytest.mark.parametrize("name", ANSWERING)
def test_answers_earn_nothing(name: str, manifest: Manifest) -> None:
    """Whoever answers without looking fails one side of each requirement, and so passes none."""
    run = conduct(_command(name), manifest, _options())
    assert [] == [one for one in score(run) if one.status is Status.PASSED]
    assert Overall.NOT_CONFORMANT == overall(run, score(run))


@pytest.mark.parametrize(("name", "outcome"), BREAKING.items())
def test_breaking_the_protocol(name: str, outcome: str, manifest: Manifest) -> None:
    """What is no response is told for what it is, and the run goes on to its end."""
    run = conduct(_command(name), manifest, _options(1.0 if name in WAITING else 30.0))
    assert outcome in FAILURES
    assert {outcome} == {result.outcome for result in run.results}
    assert Overall.NOT_CONFORMANT == overall(run, score(run))


@pytest.mark.parametrize("name", ["exits-at-once", "hello-is-no-json", "hello-of-another-version"])
def test_no_start(name: str, manifest: Manifest) -> None:
    """Without a sound introduction there is no run."""
    with pytest.raises(StartError):
        conduct(_command(name), manifest, _options())


def test_list() -> None:
    """The self-test knows all of them."""
    assert [*ANSWERS, *INTRODUCTIONS] == listed()


def test_unknown_name() -> None:
    """A name that none has is wrong usage."""
    assert 2 == subprocess.run(_command("perfect"), capture_output=True, check=False).returncode


def test_trial(manifest: Manifest, tmp_path: Path) -> None:
    """The self-test runs one, and finds that it earned nothing."""
    idle = tried("rejects-everything", manifest.cases, fixtures_folder(), tmp_path)
    assert ((), True) == (idle.earned, idle.note.startswith("failed "))


def test_trial_without_start(manifest: Manifest, tmp_path: Path) -> None:
    """One that does not start has earned nothing."""
    idle = tried("exits-at-once", manifest.cases, fixtures_folder(), tmp_path)
    assert ((), True) == (idle.earned, idle.note.startswith("did not start"))


def test_few_cases_show_all(manifest: Manifest) -> None:
    """Of several cases of a requirement one for each side is left, with its twin."""
    reject, accept = manifest.cases
    planned = [Planned(case, Role.READER, Container.JSON) for case in (reject, accept)]
    assert planned == least(planned)
    assert planned == least([*planned, *(one._replace(container=Container.PARQUET) for one in planned)])


def test_plan_of_all(manifest: Manifest) -> None:
    """The fewest cases still are evidence for every requirement that all of them are evidence for."""
    from logitpack_conformance.model import Implementation

    everyone = Implementation("all", "1", tuple(Role), tuple(Container))
    everything = plan(load_manifest(fixtures_folder()).cases, everyone)
    few = least(everything)
    assert len(few) < len(everything)
    assert _evidence(everything) == _evidence(few)
    assert manifest.cases


def _evidence(planned: list[Planned]) -> set[tuple[str, str]]:
    return {(name, str(one.role)) for one in planned for name in one.case.requirements}
