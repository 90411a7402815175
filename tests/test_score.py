"""Scores: a requirement is earned by both of its sides, in one run, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from logitpack_conformance.clauses import requirements
from logitpack_conformance.model import Case, Container, Result, Role, Run
from logitpack_conformance.score import Overall, Score, Status, overall, score
from runs import answering, case, implementation, result, run

EXACT = case("idx/exact", "accept")
SHORT = case("idx/short", "reject", "IDX-3", "idx/exact")
LONG = case("idx/long", "reject", "IDX-3", "idx/exact")
ORDER = case("idx/order", "accept", "IDX-2", "idx/short", roles=(Role.READER,))
PADDED = case("idx/padded", "either", "IDX-4", "idx/exact")
TWICE = case("nuc/twice", "either", "NUC-2", "idx/exact")
CASES = [EXACT, SHORT, LONG, ORDER, PADDED, TWICE]
SOUND = {"accept": "accepted", "reject": "rejected", "either": "accepted"}


def statuses(of: Run) -> dict[tuple[str, Role], Status]:
    """Give the scores of a run by requirement and role."""
    return {(one.requirement, one.role): one.status for one in score(of)}


def one(of: Run, requirement: str, role: Role = Role.READER) -> Score:
    """Give one score of a run."""
    return next(found for found in score(of) if (found.requirement, found.role) == (requirement, role))


def reader(**answers: Any) -> Run:
    """Give a sound reader's run on all cases, some results by the last part of a case's id replaced."""
    last = {of.id.split("/")[1]: of for of in CASES}
    results = {name: result(of, Role.READER, outcome=SOUND[of.kind]) for name, of in last.items()}
    return run(*{**results, **answers}.values())


def test_both_sides_earn_a_requirement() -> None:
    """A reader that accepts the twin and rejects the fault passes; a breach that it may accept is not judged."""
    expected = {"IDX-2": "passed", "IDX-3": "passed", "IDX-4": "passed", "NUC-2": "not judged"}
    assert {name: status for (name, _), status in statuses(reader()).items()} == expected


@pytest.mark.parametrize("role", [Role.READER, Role.CHECKER])
@pytest.mark.parametrize("answer", ["accepted", "rejected", "unsupported"])
def test_one_answer_to_everything_earns_nothing(role: Role, answer: str) -> None:
    """Whoever accepts, rejects or declines every file passes no requirement."""
    cases = [of for of in CASES if role in of.roles]
    found = answering(cases, role, lambda _: answer)
    # A checker's right answer follows from the findings.
    if role is Role.CHECKER:
        wrong = [(of, bool(of.findings) != (answer == "rejected")) for of in cases]
        found = run(*(result(of, role, "failed" if bad else "passed", outcome=answer) for of, bad in wrong))
        if answer == "unsupported":
            found = run(*(result(of, role, "unsupported") for of in cases))
    assert Status.PASSED not in statuses(found).values()
    assert overall(found, score(found)) is not Overall.CONFORMANT


def test_failing_twin_takes_the_requirement_away() -> None:
    """A reader that rejects the twin too has not shown that it tells them apart."""
    found = one(reader(exact=result(EXACT, Role.READER, "failed", broken=("RD-5",))), "IDX-3")
    assert (found.status, found.reason) == ("not shown", "failed, though not by it: reader:idx/exact@parquet")


def test_failure_names_its_requirement() -> None:
    """One failed case fails the requirement, and the score lists the result."""
    found = one(reader(long=result(LONG, Role.READER, "failed", broken=("IDX-3", "RD-1"))), "IDX-3")
    assert (found.status, found.failing) == ("failed", ("reader:idx/long@parquet",))


def test_requirement_without_a_case_is_listed_where_it_failed() -> None:
    """A requirement that a verdict names is listed though no case is evidence for it; others are not."""
    found = statuses(reader(exact=result(EXACT, Role.READER, "failed", broken=("RD-4",))))
    assert found["RD-4", Role.READER] == "failed"
    assert ("RD-2", Role.READER) not in found
    assert {role for _, role in found} == {Role.READER}


def test_unsupported_case_is_no_evidence() -> None:
    """Where all cases of a requirement are unsupported it is not shown, and the reason is theirs."""
    declined = {
        "short": result(SHORT, Role.READER, "unsupported", message="large_list"),
        "long": result(LONG, Role.READER, "unsupported", message="large_list"),
    }
    found = one(reader(**declined), "IDX-3")
    assert (found.status, found.out_of_scope, found.reason) == ("not shown", 2, "out of scope: large_list")


def test_unsupported_case_leaves_what_others_show() -> None:
    """An unsupported case narrows the scope of a requirement that another case shows."""
    found = one(reader(long=result(LONG, Role.READER, "unsupported")), "IDX-3")
    assert (found.status, found.cases, found.out_of_scope) == ("passed", 2, 1)


def test_unsupported_twin_shows_nothing() -> None:
    """Rejecting a fault in a file whose sound twin is not supported is no evidence."""
    found = one(reader(exact=result(EXACT, Role.READER, "unsupported", message="zstd")), "IDX-3")
    assert (found.status, found.reason) == ("not shown", "out of scope: zstd")


def test_case_that_was_not_run_holds_back() -> None:
    """A case in scope that the run did not reach keeps its requirement from being shown."""
    assert one(reader(long=result(LONG, Role.READER, "not-run")), "IDX-3").status == "not shown"


def test_twin_that_is_not_in_the_run_holds_back() -> None:
    """A rejected case alone shows nothing: its twin was not chosen."""
    found = one(run(result(SHORT, Role.READER)), "IDX-3")
    assert (found.status, found.reason) == ("not shown", "twin not in this run: idx/exact")


def test_twin_of_another_container_does_not_count_where_there_is_its_own() -> None:
    """In Parquet a case stands beside its twin in Parquet, not beside one that passed elsewhere."""
    found = run(
        result(SHORT, Role.READER),
        result(EXACT, Role.READER, "unsupported"),
        result(EXACT, Role.READER, container=Container.JSON),
    )
    assert one(found, "IDX-3").status == "not shown"


def test_one_role_earns_nothing_for_another() -> None:
    """A checker that rejects the fault does not complete a reader's score."""
    found = run(result(EXACT, Role.READER), result(EXACT, Role.CHECKER), result(SHORT, Role.CHECKER))
    assert statuses(found) == {("IDX-3", Role.CHECKER): "passed"}


def test_breach_that_a_reader_may_accept_shows_only_what_it_accepted() -> None:
    """A reader that rejects stray padding bits does nothing wrong, and has not shown that it ignores them."""
    found = one(reader(padded=result(PADDED, Role.READER, outcome="rejected")), "IDX-4")
    reason = "it rejected what a reader may reject, and so showed nothing"
    assert (found.status, found.reason) == ("not shown", reason)


def test_breach_that_a_reader_may_accept_needs_a_reader_that_rejects() -> None:
    """Ignoring padding is earned beside some case of the container that was rejected as it had to be."""
    found = run(result(EXACT, Role.READER), result(PADDED, Role.READER, outcome="accepted"))
    assert one(found, "IDX-4").status == "not shown"


def test_checker_shows_the_reject_side_by_a_warning() -> None:
    """A checker that accepts a file and reports a SHOULD, beside a twin without, shows both sides."""
    wide = case("col/wide", "accept", "COL-5", "idx/exact", findings=("COL-5",))
    found = run(result(EXACT, Role.CHECKER), result(wide, Role.CHECKER))
    assert statuses(found) == {("COL-5", Role.CHECKER): "passed"}


def test_checker_does_not_show_a_requirement_by_reporting_another() -> None:
    """Evidence for NUC-2 that the file breaks only NUC-3 shows that NUC-2 is not blamed, and nothing more."""
    other = case("nuc/other", "either", "NUC-2", "idx/exact", findings=("NUC-3",))
    found = one(run(result(EXACT, Role.CHECKER), result(other, Role.CHECKER)), "NUC-2", Role.CHECKER)
    reason = "no case that had to be rejected stood beside it"
    assert (found.status, found.reason) == ("not shown", reason)


def test_checker_shows_by_any_finding_that_it_reports() -> None:
    """CHK-1 is about what is reported: a finding, whatever its id, is its reject side."""
    several = case("chk/several", "reject", "CHK-1", "idx/exact", findings=("ROW-1", "IDX-3"))
    found = run(result(EXACT, Role.CHECKER), result(several, Role.CHECKER))
    assert statuses(found) == {("CHK-1", Role.CHECKER): "passed"}


def test_writer_and_extractor_have_both_sides_too() -> None:
    """Writing and refusing are the two sides of a writer, extracting and refusing those of an extractor."""
    rows, index = case("wr/rows", "write"), case("wr/index", "refuse", "IDX-6", "wr/rows")
    dense = case("aln/dense", "extract")
    first = case("aln/first", "refuse", "ALN-3", "aln/dense", roles=(Role.EXTRACTOR,))
    written = [result(of, Role.WRITER) for of in (rows, index)]
    extracted = [result(of, Role.EXTRACTOR, container=None) for of in (dense, first)]
    expected = {("IDX-6", Role.WRITER): "passed", ("ALN-3", Role.EXTRACTOR): "passed"}
    assert statuses(run(*written, *extracted)) == expected


def test_scores_stand_in_the_order_of_the_specification() -> None:
    """Scores are in the order of SPEC.md."""
    order = list(requirements())
    found = [order.index(found.requirement) for found in score(reader())]
    assert found == sorted(found)


def verdict(*results: Result, **members: Any) -> Overall:
    """Give the verdict over a run."""
    found = run(*results, **members)
    return overall(found, score(found))


def pair(role: Role = Role.READER) -> list[Result]:
    """Give the results that earn IDX-3."""
    return [result(EXACT, role), result(SHORT, role)]


def test_verdicts() -> None:
    """One failure is not conformant; a run that was cut short or narrowed gives no verdict."""
    failed: Case = case("rd/other", "accept")
    assert verdict(*pair()) == "conformant"
    assert verdict(*pair(), result(failed, Role.READER, "failed")) == "not conformant"
    assert verdict(*pair(), complete=False) == "incomplete"
    assert verdict(*pair(), selected="--case idx/*") == "incomplete"
    assert verdict(*pair(), result(failed, Role.READER, "not-run")) == "incomplete"


def test_an_empty_scope_conforms_to_nothing() -> None:
    """A role without a passed requirement, or no role at all, gives no verdict, however much was skipped."""
    roles = (Role.READER, Role.CHECKER)
    assert verdict(*pair(), implementation=implementation(roles=roles)) == "incomplete"
    assert verdict(implementation=implementation(roles=())) == "incomplete"
    assert verdict(result(EXACT, Role.READER, "skipped"), result(SHORT, Role.READER, "skipped")) == "incomplete"
