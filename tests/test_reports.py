"""Reports: what they say, that they are whole, and that nothing in them escapes from an adapter's text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from logitpack_conformance.model import Container, Result, Role, Run
from logitpack_conformance.oracle.schema import load
from logitpack_conformance.reports import FORMS, atomic, results, terminal, write_all
from logitpack_conformance.reports.facts import Facts
from logitpack_conformance.score import score
from logitpack_conformance.text import bounded, bounded_json, printable
from runs import case, implementation, result, run

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
EXACT = case("idx/exact", "accept")
SHORT = case("idx/short", "reject", "IDX-3", "idx/exact", flags=("TRUNCATION",))
WIDE = case("col/wide", "accept", "RD-5", "idx/short")
HOSTILE = (
    "</pre></style><script>alert(1)</script><img src=x onerror=alert(1)> ]]> & \"'`| @someone #1 https://evil.example "
    "\x1b[2J\x07\r\n\x00\u202egnp\u2066\ud800\ufffe\x85\u2028 {{ 7 * 7 }} [red]"
)
REQUEST = {"seq": 3, "cmd": "read", "container": "parquet", "input": "/t/in.parquet", "output": "/t/rows.ndjson"}


def failing(**members: Any) -> Run:
    """Give a run with a pass, a failure of IDX-3, a case that was skipped and one that is unsupported."""
    found = (
        result(EXACT, Role.READER),
        result(SHORT, Role.READER, "failed", request=REQUEST, answer={"outcome": "accepted"}, message="accepted it"),
        result(EXACT, Role.READER, "skipped", container=Container.JSON, message="json is not declared"),
        result(WIDE, Role.READER, "unsupported", message="large_list"),
    )
    return run(*found, **members)


def hostile() -> Run:
    """Give a run in which every text that an adapter chooses is hostile."""
    texts = {"outcome": "accepted", "message": HOSTILE, "answer": {HOSTILE: HOSTILE, "deep": [[[[[HOSTILE]]]]]}}
    members = ("language", "homepage", "issues")
    who = implementation(**dict.fromkeys(members, "javascript:" + HOSTILE), features=(HOSTILE,), spec=(HOSTILE,))
    named = type(who)(**{**vars(who), "name": HOSTILE, "version": HOSTILE})
    found = (
        result(SHORT, Role.READER, "failed", **texts, request={"input": HOSTILE}),
        result(EXACT, Role.READER, "failed", **texts, broken=(HOSTILE,)),
        result(WIDE, Role.READER, "failed", **texts, broken=()),
        result(EXACT, Role.READER, "skipped", container=Container.JSON, message=HOSTILE),
        result(WIDE, Role.READER, "unsupported", container=Container.JSON, message=HOSTILE),
    )
    return run(*found, implementation=named, command=("sh", "-c", HOSTILE), selected=HOSTILE, notes=(HOSTILE,))


def written(of: Run, folder: Path, **more: Any) -> dict[str, str]:
    """Write all reports of a run and give their texts."""
    write_all(folder, of, score(of), now=NOW, **more)
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def shown(of: Run, **more: Any) -> str:
    """Give what a run prints where standard output is no terminal."""
    file = io.StringIO()
    terminal.show(of, score(of), file=file, **more)
    return file.getvalue()


@pytest.fixture
def reports(tmp_path: Path) -> dict[str, str]:
    """The reports of a run with a failure."""
    expected = {"reader:idx/short@parquet": "a known slip"}
    flags = {"TRUNCATION": "the last tokens lose entries"}
    return written(failing(), tmp_path / "a" / "b", expected=expected, flags=flags)


@pytest.fixture
def hostile_reports(tmp_path: Path) -> dict[str, str]:
    """The reports of a hostile run, the list of expected failures hostile too."""
    return written(
        hostile(), tmp_path, expected={"reader:idx/short@parquet": HOSTILE}, problems=[HOSTILE], generated=[HOSTILE]
    )


# All forms ----------------------------------------------------------------------------------------------


def test_all_forms_are_written_and_nothing_else(reports: dict[str, str]) -> None:
    """A missing folder is made; it holds the five reports and no temporary file."""
    assert set(reports) == set(FORMS)


def test_written_again_they_replace_what_was_there(tmp_path: Path) -> None:
    """A second run's reports take the place of the first's, each whole."""
    written(failing(), tmp_path)
    again = written(run(result(EXACT, Role.READER)), tmp_path)
    assert json.loads(again["results.json"])["footer"]["results"] == 1
    assert set(again) == set(FORMS)


def test_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Where the rename fails, no temporary file stays behind."""
    (tmp_path / "badge.json").mkdir()
    with pytest.raises(OSError, match="badge"):
        atomic.write(tmp_path / "badge.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["badge.json"]


@pytest.mark.parametrize("name", FORMS)
def test_nothing_unprintable_is_written(hostile_reports: dict[str, str], name: str) -> None:
    """No report of a hostile run holds a control, a bidirectional mark or a surrogate."""
    assert [] == [c for c in hostile_reports[name] if not c.isprintable() and c != "\n"]


def test_size_is_bounded(tmp_path: Path) -> None:
    """A megabyte in every message of 300 failures gives reports of a few kilobytes each."""
    huge = "x" * 1_000_000
    texts = {"message": huge, "answer": {huge: huge, "findings": [{"message": huge}] * 500}, "request": REQUEST}
    cases = [case(f"idx/short-{n}", "reject", "IDX-3", "idx/exact") for n in range(300)]
    reports = written(run(*(result(of, Role.READER, "failed", **texts) for of in cases)), tmp_path)
    assert max(map(len, reports.values())) < 300 * 8000
    assert len(reports["summary.md"]) < 60_000
    assert len(reports["report.html"]) < 200_000


# results.json -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [failing(), hostile(), run()], ids=["failing", "hostile", "empty"])
def test_results_are_valid_against_their_schema(of: Run) -> None:
    """results.json holds what schema/results.schema.json says."""
    found = json.loads(results.encode(Facts(of, score(of))))
    problems = [error.message for error in Draft202012Validator(load("results.schema.json")).iter_errors(found)]
    assert problems == []


def test_results_end_with_their_footer(reports: dict[str, str]) -> None:
    """The footer is the last member, and counts the results."""
    found = json.loads(reports["results.json"])
    assert list(found)[-1] == "footer"
    assert found["footer"] == {"complete": True, "results": 4, "verdict": "not conformant"}


def test_results_say_who_and_when(reports: dict[str, str]) -> None:
    """The header has the command, the date in UTC and the implementation."""
    found = json.loads(reports["results.json"])
    header = (found["spec"], found["date"], found["command"], found["implementation"]["name"])
    assert header == ("1.0", "2026-03-01T12:30:00Z", ["node", "adapter.js"], "my-reader")


def test_results_of_failures_have_what_was_said(reports: dict[str, str]) -> None:
    """A failure has its request, its answer, the requirement, the reason given for it, and how to repeat it."""
    failure = json.loads(reports["results.json"])["results"][1]
    kept = {name: failure[name] for name in ("broken", "request", "answer", "expected", "repeat")}
    assert kept == {
        "broken": ["IDX-3"],
        "request": REQUEST,
        "answer": {"outcome": "accepted"},
        "expected": "a known slip",
        "repeat": "logitpack conform --roles reader --case idx/short -- node adapter.js",
    }


def test_results_read_back(tmp_path: Path) -> None:
    """A whole report is read back."""
    written(failing(), tmp_path)
    assert len(results.load(tmp_path / "results.json")["results"]) == 4


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 0.99])
def test_results_that_were_cut_are_recognised(tmp_path: Path, share: float) -> None:
    """A report that was cut at any place is no report."""
    written(failing(), tmp_path)
    path = tmp_path / "results.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(results.Truncated, match="not whole"):
        results.load(path)


def test_results_that_lack_some_are_recognised(tmp_path: Path) -> None:
    """A report that lost a line, or its footer, is no report, though it is JSON."""
    written(failing(), tmp_path)
    path = tmp_path / "results.json"
    found = json.loads(path.read_bytes())
    path.write_text(json.dumps({**found, "results": found["results"][1:]}))
    with pytest.raises(results.Truncated, match="3 results of 4"):
        results.load(path)
    path.write_text(json.dumps({name: value for name, value in found.items() if name != "footer"}))
    with pytest.raises(results.Truncated, match="not whole"):
        results.load(path)


def test_notes_are_in_every_form_for_people(tmp_path: Path) -> None:
    """What was seen beside the responses stands in the page, the summary, results.json and on the terminal."""
    of = failing(notes=("it left a process behind",))
    reports = written(of, tmp_path)
    forms = [reports["report.html"], reports["summary.md"], reports["results.json"], shown(of)]
    assert [True] * 4 == ["it left a process behind" in text for text in forms]


def test_repeating_takes_the_options_of_the_run() -> None:
    """The command that repeats a case has the options under which it ran."""
    assert "--case idx/short --one-shot -- node adapter.js" in shown(failing(options=("--one-shot",)))


def test_repeating_takes_the_options_of_the_result() -> None:
    """The options of a result that stands outside of the fixtures take the place of the run's."""
    found = result(SHORT, Role.READER, "failed", options=("--fixtures", "saved"))
    of = run(found, options=("--one-shot", "--fixtures", "mine", "--timeout", "25"))
    command = "logitpack conform --roles reader --case idx/short --one-shot --timeout 25 --fixtures saved -- node"
    assert [True, True] == [command in text for text in (shown(of), results.encode(Facts(of, score(of))).decode())]


def test_recorded_requirements_are_those_of_no_role(tmp_path: Path) -> None:
    """A requirement that one role cannot break is counted as not judged only where no other role was judged by it."""
    drawn = case("idx/far", "either", "IDX-5", "idx/exact")
    line = "1 requirement more: not judged, for these roles cannot break them; answers recorded"
    found = (result(SHORT, Role.READER), result(drawn, Role.READER))
    alone, both = run(*found), run(*found, result(drawn, Role.CHECKER))
    assert [True, False] == [line in shown(of).splitlines() for of in (alone, both)]
    assert [True, False] == [line in written(of, tmp_path)["report.html"] for of in (alone, both)]


def test_generated_example_that_failed_is_enough(tmp_path: Path) -> None:
    """With all cases passed, one generated example that failed makes every form say not conformant."""
    of = run(result(EXACT, Role.READER), result(SHORT, Role.READER))
    reports = written(of, tmp_path, generated=["IDX-2: a row of 3 entries"])
    assert json.loads(reports["results.json"])["footer"]["verdict"] == "not conformant"
    assert "not conformant" in json.loads(reports["badge.json"])["message"]
    forms = [reports["report.html"], reports["summary.md"], shown(of, generated=["IDX-2: a row of 3 entries"])]
    assert [True] * 3 == ["a row of 3 entries" in text and "not conformant" in text for text in forms]


# junit.xml ----------------------------------------------------------------------------------------------


def test_junit_has_a_suite_for_each_role() -> None:
    """Each role is a suite with its own counts."""
    of = run(result(EXACT, Role.READER), result(EXACT, Role.CHECKER), result(SHORT, Role.CHECKER, "failed"))
    root = ET.fromstring(FORMS["junit.xml"](Facts(of, score(of))))  # noqa: S314  made here
    counts = [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root]
    assert counts == [("reader", "1", "0"), ("checker", "2", "1")]


def test_junit_counts_what_has_no_verdict_as_skipped(reports: dict[str, str]) -> None:
    """Skipped and unsupported cases are skipped tests, with the reason."""
    root = ET.fromstring(reports["junit.xml"])  # noqa: S314  made here
    messages = [skipped.get("message") for skipped in root.iter("skipped")]
    assert messages == ["skipped: json is not declared", "unsupported: large_list"]
    assert root.get("skipped") == "2"


def test_junit_is_well_formed_whatever_it_holds(hostile_reports: dict[str, str]) -> None:
    """Hostile messages come back as text, in as many tests as there are results."""
    root = ET.fromstring(hostile_reports["junit.xml"])  # noqa: S314  made here
    message = next(root.iter("failure")).get("message")
    assert message is not None
    assert printable(HOSTILE) in message
    assert len(list(root.iter("testcase"))) == 5


# badge.json ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "message", "color"),
    [
        (failing(), "reader: not conformant (parquet)", "red"),
        (run(result(EXACT, Role.READER), result(SHORT, Role.READER)), "reader: conformant (parquet)", "brightgreen"),
        (run(result(EXACT, Role.READER)), "reader: incomplete (parquet)", "lightgrey"),
        (hostile(), "reader: not conformant (parquet)", "red"),
    ],
)
def test_badge(of: Run, message: str, color: str) -> None:
    """The badge says role, verdict and containers, and no word of the adapter's."""
    expected = {"schemaVersion": 1, "label": "LogitPack 1.0", "message": message, "color": color}
    assert json.loads(FORMS["badge.json"](Facts(of, score(of)))) == expected


def test_an_extractor_has_no_containers() -> None:
    """Where no container plays a part, none is named."""
    dense = case("aln/dense", "extract")
    first = case("aln/first", "refuse", "ALN-3", "aln/dense", roles=(Role.EXTRACTOR,))
    found = [result(of, Role.EXTRACTOR, container=None) for of in (dense, first)]
    of = run(*found, implementation=implementation(roles=(Role.EXTRACTOR,), containers=()))
    assert json.loads(FORMS["badge.json"](Facts(of, score(of))))["message"] == "extractor: conformant"
    assert shown(of).splitlines()[-1] == "my-reader 0.1.0: conformant as extractor: 1 requirement passed"


# summary.md ---------------------------------------------------------------------------------------------


def test_summary_has_the_failing_clause(reports: dict[str, str]) -> None:
    """A failure stands under its requirement, with the clause and the command that repeats it."""
    text = reports["summary.md"]
    place = [
        text.index(part) for part in ("### IDX-3", "MUST hold exactly ceil", "accepted it", "logitpack conform --roles")
    ]
    assert place == sorted(place)


def test_summary_has_no_markup_of_the_adapter(hostile_reports: dict[str, str]) -> None:
    """No tag, link, mention, code span or end of a cell comes from a hostile text."""
    text = hostile_reports["summary.md"]
    tags = set(re.findall(r"</?[a-z]+", text))
    assert tags <= {"<code", "</code", "<details", "</details", "<summary", "</summary", "<br"}
    assert not set("`@[]") & set(text)
    assert "https:" not in text


def test_summary_table_keeps_its_columns(hostile_reports: dict[str, str]) -> None:
    """Every line of the table has the cells of its head."""
    lines = [line for line in hostile_reports["summary.md"].splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {5}


# report.html --------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes, and checks that they nest."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that is open."""
        assert self.open.pop() == tag

    def attributes(self, name: str) -> Iterator[str | None]:
        """Give the values of an attribute, wherever it stands."""
        return (attrs[name] for _, attrs in self.found if name in attrs)


@pytest.mark.parametrize("name", ["reports", "hostile_reports"])
def test_page_is_whole_and_needs_nothing(name: str, request: pytest.FixtureRequest) -> None:
    """The page nests, has no script, no handler and no resource from elsewhere, whatever the adapter said."""
    tags = Tags(request.getfixturevalue(name)["report.html"])
    assert tags.open == []
    assert {"script", "img", "link", "iframe", "object", "svg"}.isdisjoint(tag for tag, _ in tags.found)
    assert {name for _, attrs in tags.found for name in attrs if name.startswith("on") or name == "src"} == set()
    assert sum(tag == "style" for tag, _ in tags.found) == 1


def test_page_links_to_no_script(hostile_reports: dict[str, str]) -> None:
    """An address that is not plain http or https is not linked to."""
    links = list(Tags(hostile_reports["report.html"]).attributes("href"))
    assert [] == [link for link in links if not str(link).startswith("#")]


def test_page_links_to_homepage() -> None:
    """A plain address is a link."""
    of = run(result(EXACT, Role.READER), implementation=implementation(homepage="https://example.org/x"))
    page = FORMS["report.html"](Facts(of, score(of))).decode()
    assert "https://example.org/x" in list(Tags(page).attributes("href"))


def test_page_shows_a_hostile_text_as_text(hostile_reports: dict[str, str]) -> None:
    """What was sent stands there escaped: as a reader sees it, it is the text in printable form."""
    page = hostile_reports["report.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert "\\x1b[2J" in page


def test_page_has_all_of_a_failure(reports: dict[str, str]) -> None:
    """What was sent, what came back, the clause and why, the flag and its damage, the reason, and the command."""
    page = reports["report.html"]
    wanted = ["/t/in.parquet", "accepted it", "ceil(N/4)", "missing or surplus bytes", "TRUNCATION"]
    wanted += ["the last tokens lose entries", "a known slip", "logitpack conform --roles reader --case idx/short"]
    assert [] == [part for part in wanted if part not in page]


def test_page_lists_what_was_left_out(reports: dict[str, str]) -> None:
    """Skipped and unsupported cases stand there with their reasons, and so does what was not shown."""
    page = reports["report.html"]
    wanted = ["json is not declared", "large_list", "<b>RD-5</b>", "reader:col/wide@parquet"]
    assert [] == [part for part in wanted if part not in page]


def test_links_within_the_page_lead_somewhere(reports: dict[str, str]) -> None:
    """Each fragment that is linked to is the id of an element, and ids stand once."""
    tags = Tags(reports["report.html"])
    ids = list(tags.attributes("id"))
    assert {str(href)[1:] for href in tags.attributes("href") if str(href).startswith("#")} <= set(ids)
    assert len(ids) == len(set(ids))


# The terminal -------------------------------------------------------------------------------------------


def test_terminal_ends_with_the_verdict() -> None:
    """The last line is the verdict with its figures."""
    last = shown(failing()).splitlines()[-1]
    assert last == "my-reader 0.1.0: not conformant as reader (parquet): 1 requirement fails, 1 not shown"


def test_terminal_has_one_line_a_requirement() -> None:
    """A pipe gets a table of one line a requirement, without trailing blanks."""
    lines = shown(failing()).splitlines()
    assert lines[:2] == [
        "requirement  level  title                    reader",
        "IDX-3        MUST   Length of the high bits  failed 1",
    ]


def test_terminal_tells_a_failure() -> None:
    """A failure has the clause and its place, what was sent, what came, its flag, and the command that repeats it."""
    text = shown(failing(), flags={"TRUNCATION": "entries are lost"})
    wanted = ["IDX-3: `top_indices_high` MUST", '"cmd": "read"', '{"outcome": "accepted"}', "TRUNCATION: entries are"]
    wanted.append(" (SPEC.md#idx-3)\n  idx/short")
    wanted.append("repeat   logitpack conform --roles reader --case idx/short -- node adapter.js")
    assert [] == [part for part in wanted if part not in text]


def test_terminal_groups_what_was_left_out() -> None:
    """Skipped and unsupported cases are counted by reason."""
    lines = shown(failing()).splitlines()
    assert "skipped: 1 case (reader): json is not declared" in lines
    assert "unsupported: 1 case (reader): large_list" in lines


def test_terminal_gets_nothing_unprintable() -> None:
    """A hostile run prints no control, mark or surrogate, and its markup is text."""
    text = shown(hostile(), problems=[HOSTILE])
    assert [] == [c for c in text if not c.isprintable() and c != "\n"]
    assert "[red]" in text


def test_failures_in_many_containers_are_told_once() -> None:
    """A case that fails in the same way in three containers, and in another in one, is told twice."""
    same = [result(SHORT, Role.READER, "failed", container=container) for container in list(Container)[:3]]
    other = result(SHORT, Role.READER, "failed", container=Container.JSON, outcome="crash")
    lines = [line for line in shown(run(*same, other)).splitlines() if line.startswith("  idx/short")]
    assert lines == ["  idx/short (reader, parquet, arrow-file, arrow-stream)", "  idx/short (reader, json)"]


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_screen_gets_no_sequence_but_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there are styles, and no other control; a command stands on one line, to be copied."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    of = hostile()
    terminal.show(of, score(of), file=screen)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert plain != screen.getvalue()
    assert [] == [c for c in plain if not c.isprintable() and c != "\n"]
    assert any("--case idx/short" in line and "\\x1b[2J" in line for line in plain.splitlines())


# Texts --------------------------------------------------------------------------------------------------


def test_texts_are_cut_with_a_note() -> None:
    """A cut text says how much is missing; one that fits is as it was."""
    assert (bounded("abc", 3), bounded("abcd", 3)) == ("abc", "abc... (1 characters more)")
    assert bounded("\x00\x00", 5) == "\\x00\\... (cut)"


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "x"]}, {}, {"mask": [0, 1] * 20}])
def test_small_json_is_kept(value: dict[str, Any]) -> None:
    """An ordinary message is kept as it is."""
    assert bounded_json(value) == value


@pytest.mark.parametrize(
    "value",
    [
        {"n": 10**5000},
        {"x": float("nan"), "y": float("-inf")},
        {"a": list(range(100_000))},
        {"a": {str(n): n for n in range(100_000)}},
        {str(n): "y" * 400 for n in range(60)},
        [[[[[[[[1]]]]]]]],
    ],
)
def test_large_json_is_cut(value: Any) -> None:
    """What is too long, too deep or no JSON number becomes a bounded value that JSON can hold."""
    text = json.dumps(bounded_json(value), allow_nan=False)
    assert len(text) < 5000


def test_failures_are_named_once() -> None:
    """A requirement that fails in two roles is one requirement that fails."""
    both: tuple[Result, ...] = tuple(result(SHORT, role, "failed") for role in (Role.READER, Role.CHECKER))
    assert "1 requirement fails" in shown(run(*both)).splitlines()[-1]
