"""The implementer's list of failures: read strictly, held against a run, and rewritten without loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from logitpack_conformance import expectations
from logitpack_conformance.expect_update import update
from logitpack_conformance.expectations import ExpectError, Held, hold, load
from logitpack_conformance.model import Case, Container, Kind, Result, Role
from logitpack_conformance.plan import Planned

TODAY = dt.date(2026, 7, 1)
ENTRY = 'case = "idx/*"\nrole = "reader"\noutcome = "accepted"\nreason = "surplus bytes are ignored"\n'


def entry(**members: str) -> str:
    """Return an entry with these members in the place of, or beside, the usual ones; "" leaves one out."""
    usual = {"case": '"idx/*"', "role": '"reader"', "outcome": '"accepted"', "reason": '"known"'}
    lines = [f"{name} = {value}" for name, value in {**usual, **members}.items() if value]
    return "\n".join(["[[expect]]", *lines, ""])


def result(
    name: str, status: str = "failed", outcome: str = "accepted", container: Container | None = Container.JSON
) -> Result:
    """Return the result of a case for readers."""
    case = Case(name, Kind.REJECT, (Role.READER,), "why", {})
    return Result(case, Role.READER, container, status, outcome, message="expected rejected")


def held(text: str, results: Sequence[Result], tmp_path: Path, everything: Sequence[Result] | None = None) -> Held:
    """Hold a list against results; `everything` are those that there are beside a choice."""
    path = tmp_path / "expect.toml"
    path.write_text(text, encoding="utf-8")
    planned = [Planned(one.case, one.role, one.container) for one in (results if everything is None else everything)]
    return hold(load(path), results, planned, TODAY)


def test_as_expected(tmp_path: Path) -> None:
    """A failure that is listed with its outcome is as expected, and the reason goes with it."""
    found = held(entry(), [result("idx/a"), result("qnt/b", "passed", "rejected")], tmp_path)
    assert ({"reader:idx/a@json": "known"}, [], []) == (found.reasons, list(found.unexpected), list(found.stale))
    assert [] == found.problems


def test_unexpected_failure(tmp_path: Path) -> None:
    """A failure that is not listed is unexpected."""
    found = held(entry(), [result("idx/a"), result("qnt/b")], tmp_path)
    assert ["reader:qnt/b@json"] == [one.name for one in found.unexpected]
    assert ["reader:qnt/b@json failed (accepted) and is not listed"] == found.problems


def test_another_role(tmp_path: Path) -> None:
    """An entry is about one role."""
    found = held(entry(role='"checker"'), [result("idx/a")], tmp_path)
    assert ["reader:idx/a@json"] == [one.name for one in found.unexpected]
    assert ["entry 1 (checker, idx/*) matches nothing that is sent to this adapter"] == found.stale


def test_unexpected_pass(tmp_path: Path) -> None:
    """A case that passes against its entry makes the list stale."""
    found = held(entry(), [result("idx/a", "passed", "rejected")], tmp_path)
    assert ["reader:idx/a@json passes, against entry 1 (reader, idx/*)"] == found.stale


def test_pass_in_one_container(tmp_path: Path) -> None:
    """An entry without a container is about all of them; with one, about that one."""
    results = [result("idx/a"), result("idx/a", "passed", "rejected", Container.PARQUET)]
    assert 1 == len(held(entry(), results, tmp_path).stale)
    assert [] == held(entry(container='"json"'), results, tmp_path).problems


def test_another_outcome(tmp_path: Path) -> None:
    """A failure with another outcome than the one that is pinned makes the list stale."""
    found = held(entry(), [result("idx/a", "failed", "crash")], tmp_path)
    assert ["reader:idx/a@json is crash, not accepted as entry 1 (reader, idx/*) says"] == found.stale
    assert {} == found.reasons


def test_nothing_matches(tmp_path: Path) -> None:
    """An entry that matches nothing makes the list stale."""
    found = held(entry(case='"idx/b"'), [result("idx/a", "passed", "rejected")], tmp_path)
    assert ["entry 1 (reader, idx/b) matches nothing that is sent to this adapter"] == found.stale


def test_not_chosen(tmp_path: Path) -> None:
    """One that matches what was not chosen this time is no worse for that."""
    everything = [result("idx/a"), result("qnt/b")]
    assert [] == held(entry(), [result("qnt/b", "passed", "rejected")], tmp_path, everything).stale


@pytest.mark.parametrize("status", ["unsupported", "skipped", "not-run"])
def test_not_judged(status: str, tmp_path: Path) -> None:
    """What was not judged is neither a failure nor a pass."""
    assert [] == held(entry(), [result("idx/a", status, "")], tmp_path).problems


@pytest.mark.parametrize(("expires", "is_stale"), [("2026-06-30", True), ("2026-07-01", False), ("2027-01-31", False)])
def test_expiry(expires: str, is_stale: bool, tmp_path: Path) -> None:
    """An entry holds on its last day, and makes the list stale after it."""
    found = held(entry(expires=expires), [result("idx/a")], tmp_path)
    assert ([f"entry 1 (reader, idx/*) expired on {expires}"] if is_stale else []) == found.stale


def test_overlap(tmp_path: Path) -> None:
    """Two entries that match the same result make the list stale, told once."""
    found = held(entry() + entry(case='"*"'), [result("idx/a"), result("idx/b")], tmp_path)
    assert ["entry 1 (reader, idx/*) and entry 2 (reader, *) overlap: both match idx/a"] == found.stale


def test_no_overlap(tmp_path: Path) -> None:
    """Entries for different containers of a case do not overlap."""
    results = [result("idx/a"), result("idx/a", container=Container.PARQUET)]
    text = entry(container='"json"') + entry(container='"parquet"')
    assert [] == held(text, results, tmp_path).problems


@pytest.mark.parametrize(("count", "is_stale"), [(20, False), (21, True)])
def test_too_many(count: int, is_stale: bool, tmp_path: Path) -> None:
    """A glob matches at most 20 cases, in however many containers."""
    results = [result(f"idx/{n}", container=container) for n in range(count) for container in Container]
    stale = held(entry(), results, tmp_path).stale
    assert (["entry 1 (reader, idx/*) matches 21 cases, more than 20"] if is_stale else []) == stale


BAD = {
    "no-toml": ("[[expect]", "no TOML"),
    "no-utf8": ("\udcff", "no TOML"),
    "other-table": ("[other]\n", "nothing but"),
    "no-tables": ("expect = 3\n", "nothing but"),
    "no-table": ("expect = [3]\n", "entry 1 is no table"),
    "no-case": (entry(case=""), "entry 1: case is missing"),
    "no-reason": (entry(reason='""'), "entry 1: reason is missing"),
    "second": (entry() + entry(role=""), "entry 2: role is missing"),
    "role": (entry(role='"readers"'), "entry 1: role is 'readers', not one of reader, writer"),
    "outcome": (entry(outcome='"passed"'), "entry 1: outcome is 'passed', not one of accepted, rejected"),
    "container": (entry(container='"csv"'), "entry 1: container is 'csv', not one of parquet"),
    "typo": (entry(expire="2027-01-31"), "entry 1: expire is no member of an entry"),
    "number": (entry(case="3"), "entry 1: case is no string"),
    "list": (entry(role='["reader"]'), "entry 1: role is no string"),
    "string-date": (entry(expires='"2027-01-31"'), "entry 1: expires is no date"),
    "time": (entry(expires="2027-01-31T10:00:00"), "entry 1: expires is no date"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_bad_lists(text: str, words: str, tmp_path: Path) -> None:
    """A list that cannot be understood to the letter is not used at all."""
    path = tmp_path / "expect.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ExpectError) as raised:
        load(path)
    assert words in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    """A list that is not there cannot be used."""
    with pytest.raises(ExpectError, match="No such file"):
        load(tmp_path / "none.toml")


def test_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is of bounded size."""
    monkeypatch.setattr(expectations, "LARGEST", 10)
    path = tmp_path / "expect.toml"
    path.write_text(entry())
    with pytest.raises(ExpectError, match="longer than 10 bytes"):
        load(path)


OLD = """\
# What our reader gets wrong.

# Told upstream.
[[expect]]
case = "idx/a"            # one byte too many
role = "reader"
outcome = "accepted"      # what happens today
reason = "surplus bytes are ignored"
issue = "https://example.org/1"
expires = 2027-01-31

# Fixed by now.
[[expect]]
case = "idx/fixed"
role = "reader"
outcome = "accepted"
reason = "was hard"

[[expect]]
case = "qnt/*"
role = "reader"
outcome = "accepted"
reason = "ranges are not looked at"
"""


def updated(text: str | None, results: Sequence[Result], tmp_path: Path) -> str:
    """Rewrite a list by results; it holds against them afterwards."""
    path = tmp_path / "expect.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    update(path, results)
    rewritten = path.read_text("utf-8")
    assert [] == held(rewritten, results, tmp_path).problems
    update(path, results)
    assert rewritten == path.read_text("utf-8")
    return rewritten


USUAL = [result("idx/a"), result("idx/fixed", "passed", "rejected"), result("qnt/a"), result("qnt/b")]


def test_update_keeps(tmp_path: Path) -> None:
    """What holds stays to the letter, what does not match a failure any more goes with its comment."""
    gone = OLD[OLD.index("# Fixed") : OLD.index('[[expect]]\ncase = "qnt')]
    assert OLD.replace(gone, "") == updated(OLD, USUAL, tmp_path)


def test_update_outcome(tmp_path: Path) -> None:
    """Another outcome is put in the place of the old one; reason, comments and date stay."""
    text = updated(OLD, [result("idx/a", "failed", "crash"), *USUAL[1:]], tmp_path)
    assert 'outcome = "crash"      # what happens today\nreason = "surplus bytes are ignored"\n' in text
    assert "# What our reader gets wrong.\n\n# Told upstream.\n[[expect]]\n" in text
    assert "expires = 2027-01-31\n" in text


def test_update_splits(tmp_path: Path) -> None:
    """A glob of which a part passes becomes an entry for each failure, with the old reason."""
    results = [*USUAL, result("qnt/c", "passed", "rejected")]
    text = updated(OLD, results, tmp_path)
    assert "qnt/*" not in text
    assert 2 == text.count('reason = "ranges are not looked at"')
    assert 'case = "qnt/b"\nrole = "reader"\noutcome = "accepted"\n' in text


def test_update_adds(tmp_path: Path) -> None:
    """A failure that is not listed is added, with what was found as its reason."""
    text = updated(OLD, [*USUAL, result("new/case", "failed", "timeout")], tmp_path)
    added = text[text.index("new/case") - len('[[expect]]\ncase = "') :]
    lines = ["[[expect]]", 'case = "new/case"', 'role = "reader"', 'outcome = "timeout"']
    assert [*lines, 'reason = "expected rejected"'] == added.splitlines()


def test_update_makes(tmp_path: Path) -> None:
    """Where there is no list, one is made."""
    text = updated(None, [result("a/b"), result("a/c")], tmp_path)
    assert 2 == text.count("[[expect]]")


@pytest.mark.parametrize(
    ("status", "outcome", "containers"),
    [
        ("failed", "accepted", []),
        ("failed", "crash", ["json", "parquet"]),
        ("passed", "rejected", ["json"]),
        ("skipped", "", []),
    ],
)
def test_update_containers(status: str, outcome: str, containers: list[str], tmp_path: Path) -> None:
    """A case that fails alike in all its containers is one entry; else each is one."""
    results = [result("a/b"), result("a/b", status, outcome, Container.PARQUET)]
    updated(None, results, tmp_path)
    found = [one.container for one in load(tmp_path / "expect.toml")]
    expected: list[Container | None] = [Container(name) for name in containers]
    assert (expected or [None]) == found


def test_update_without_failures(tmp_path: Path) -> None:
    """Where nothing fails, nothing is listed; what stands above the entries stays."""
    text = updated(OLD, [result("idx/a", "passed", "rejected")], tmp_path)
    assert "# What our reader gets wrong.\n" == text


def test_update_overlaps(tmp_path: Path) -> None:
    """Of two entries for the same failure, the first keeps it."""
    text = updated(entry(case='"idx/a"', reason='"first"') + entry(reason='"second"'), [result("idx/a")], tmp_path)
    assert (1, 0) == (text.count("first"), text.count("second"))


def test_update_too_many(tmp_path: Path) -> None:
    """A glob with more than 20 failures is split."""
    text = updated(entry(), [result(f"idx/{n}") for n in range(21)], tmp_path)
    assert 21 == text.count("[[expect]]")


def test_update_other_forms(tmp_path: Path) -> None:
    """Entries in another form than tables are left alone."""
    path = tmp_path / "expect.toml"
    text = 'expect = [{case = "a/b", role = "reader", outcome = "error", reason = "r"}]\n'
    path.write_text(text)
    with pytest.raises(ExpectError, match="cannot be rewritten"):
        update(path, [])
    assert text == path.read_text()


def test_update_hostile_text(tmp_path: Path) -> None:
    """What an adapter said becomes a reason, and never more than that."""
    bad = result("a/b")
    hostile = Result(
        bad.case, bad.role, bad.container, "failed", "error", message='"\n[[expect]]\ncase = "*"\x1b[2J\u202e'
    )
    text = updated(None, [hostile], tmp_path)
    assert ["a/b"] == [one.case for one in load(tmp_path / "expect.toml")]
    assert all(line.isprintable() for line in text.splitlines())
