"""The judgement of a checker: exactly the ids that a file breaks, and the outcome that follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from judging import a_case
from logitpack_conformance.judge import judge
from logitpack_conformance.model import FAILURES, Case, Container, Kind, Response, Role, Verdict


def judged(case: Case, outcome: str, *ids: Any) -> Verdict:
    """Judge a checker that reports these ids."""
    response = Response(outcome, findings=tuple({"requirement": one} for one in ids))
    return judge(case, Role.CHECKER, Container.JSON, Path(), {}, response)


def a_broken(*findings: str, about: tuple[str, ...] | None = None) -> Case:
    """Give a case of a file that breaks these requirements."""
    requirements = findings if about is None else about
    return a_case(Kind.REJECT, Role.CHECKER, requirements=requirements, findings=findings)


VALID = a_case(role=Role.CHECKER)
TOLERANT = a_case(role=Role.CHECKER, requirements=("CHK-2",))
WARNED = a_case(role=Role.CHECKER, requirements=("COL-5",), findings=("COL-5",))
BROKEN = a_broken("IDX-3")
TWICE = a_broken("FILE-1", "ROW-2")
DAMAGED = a_broken("FILE-1", about=("FILE-1", "FILE-5"))


@pytest.mark.parametrize(("case", "outcome", "ids"), [
    (VALID, "accepted", ()),
    (WARNED, "accepted", ("COL-5",)),
    (BROKEN, "rejected", ("IDX-3",)),
    (BROKEN, "rejected", ("IDX-3", "IDX-3")),
    (TWICE, "rejected", ("ROW-2", "FILE-1")),
    (DAMAGED, "rejected", ("FILE-1",)),
])  # fmt: skip
def test_the_right_ids_pass(case: Case, outcome: str, ids: tuple[str, ...]) -> None:
    """The set of ids and the outcome are all that counts."""
    assert Verdict(passed=True) == judged(case, outcome, *ids)


@pytest.mark.parametrize(("case", "outcome", "ids", "broken"), [
    (BROKEN, "accepted", (), ("IDX-3", "CHK-1")),
    (BROKEN, "rejected", (), ("IDX-3", "CHK-1")),
    (BROKEN, "rejected", ("ROW-3",), ("IDX-3", "CHK-1", "CHK-3", "ROW-3")),
    (BROKEN, "rejected", ("IDX-3", "IDX-4"), ("CHK-3", "IDX-4")),
    (BROKEN, "accepted", ("IDX-3",), ("IDX-3", "CHK-1")),
    (TWICE, "rejected", ("FILE-1",), ("ROW-2", "CHK-1")),
    (WARNED, "accepted", (), ("COL-5", "CHK-1")),
    (WARNED, "rejected", ("COL-5",), ("CHK-3",)),
    (VALID, "rejected", (), ("CHK-3",)),
    (VALID, "rejected", ("LSE-2",), ("CHK-3", "LSE-2")),
    (VALID, "accepted", ("LSE-2",), ("CHK-3", "LSE-2")),
    (TOLERANT, "rejected", ("LSE-2",), ("CHK-2", "LSE-2")),
    (TOLERANT, "rejected", (), ("CHK-2",)),
    (DAMAGED, "accepted", (), ("FILE-5", "FILE-1", "CHK-1")),
    (VALID, "accepted", ("NO-1",), ("CHK-3",)),
])  # fmt: skip
def test_wrong_reports_are_named(case: Case, outcome: str, ids: tuple[str, ...], broken: tuple[str, ...]) -> None:
    """What is missing stands before what is too much; an id that is none is not taken for one."""
    verdict = judged(case, outcome, *ids)
    assert (False, broken) == (verdict.passed, verdict.broken)


@pytest.mark.parametrize("outcome", ["error", "unsupported", *FAILURES])
def test_no_answer_breaks_what_the_case_is_about(outcome: str) -> None:
    """A checker that gives no answer reports nothing."""
    assert [("IDX-3",), ("CHK-1",), ("FILE-5", "FILE-1")] == [
        judged(case, outcome).broken for case in (BROKEN, VALID, DAMAGED)
    ]


def test_the_message_says_what_was_expected() -> None:
    """Expected and got stand side by side."""
    message = judged(TWICE, "accepted", "COL-5").message
    assert "expected rejected with FILE-1, ROW-2, got accepted with COL-5" == message


def test_ids_of_a_stranger_are_quoted() -> None:
    """What is no id may be anything, and any number of them."""
    message = judged(VALID, "rejected", *(f"\x1b[2J{number}" + "x" * 10_000 for number in range(1_000)), 7).message
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 1_000
