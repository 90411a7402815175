"""The judgement of a writer: by what its file says, and by what it leaves behind."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from judging import PLAIN_ROWS, ROWS, a_case, logical, text
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.judge import writer
from logitpack_conformance.judge.sandbox import Sandbox
from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import EXTENSIONS, FAILURES, Case, Container, Kind, Response, Role, Verdict
from logitpack_conformance.rows import Metadata, Row, copied, described, embedded, set_index, unpacked
from logitpack_conformance.stored import to_bytes

WRITE = a_case(Kind.WRITE, Role.WRITER)
REFUSE = a_case(Kind.REFUSE, Role.WRITER, requirements=("IDX-6",))
INCOMPLETE: Metadata = {"spec_version": "1.0"}
GIVEN = logical(ROWS)
"""What the writers of these tests are given: the decoded values of `ROWS`, which are then their own codes."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give the workers of this module."""
    found = Sandbox()
    yield found
    found.close()


class Desk:
    """A call to a writer: its golden rows in one folder, its input and output in others."""

    def __init__(self, place: Path, sandbox: Sandbox, given: Sequence[Mapping[str, Any]] = GIVEN) -> None:
        self.folder, self.sandbox = place, sandbox
        (place / "in").mkdir()
        (place / "out").mkdir()
        for folder in (place, place / "in"):
            (folder / "rows.ndjson").write_bytes(text(given))

    def output(self, container: Container) -> Path:
        """Return where the file is to stand."""
        return self.folder / "out" / f"out{EXTENSIONS[container]}"

    def judge(
        self,
        outcome: str = "accepted",
        case: Case = WRITE,
        container: Container = Container.JSON,
        metadata: Metadata | None = None,
    ) -> Verdict:
        """Judge what stands in the folder."""
        output = self.output(container)
        request = {"input": str(self.folder / "in" / "rows.ndjson"), "output": str(output), "metadata": metadata}
        response = Response(outcome, output=output if outcome == "accepted" else None)
        return writer.judge(case, Role.WRITER, container, self.folder, request, response, sandbox=self.sandbox)

    def judge_rows(self, rows: Sequence[Row], container: Container = Container.JSON) -> Verdict:
        """Judge a file of these stored rows."""
        self.output(container).write_bytes(to_bytes(rows, None, container))
        return self.judge(container=container)


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    """Give a call of a writer that is given `GIVEN`."""
    return Desk(tmp_path, sandbox)


@pytest.mark.parametrize("container", list(Container))
def test_right_files_pass(desk: Desk, container: Container) -> None:
    """A file that holds what was given passes in every container."""
    assert Verdict(passed=True) == desk.judge_rows(ROWS, container)


def test_codes_and_ranges_are_the_writers_own(desk: Desk) -> None:
    """Another range that contains the logits passes, with its own codes; that it is a loose one is advice."""
    rows = copied(ROWS)
    low, high = rows[0]["top_min"][0], rows[0]["top_max"][0]
    rows[0]["top_min"][0], rows[0]["top_max"][0] = low - 1, high + 1
    for k, x in enumerate(GIVEN[0]["tokens"][0]["top"]["logits"]):
        rows[0]["top_logits_quantized"][k] = round((x - low + 1) / (high - low + 2) * 65535)
    assert Verdict(passed=True, advice=("QNT-5",)) == desk.judge_rows(rows)


def bump(name: str, value: Any, at: int = 0) -> Callable[[list[Row]], Any]:
    """Give a change that adds to an element of a column in the first row."""
    return lambda rows: rows[0][name].__setitem__(at, rows[0][name][at] + value)


def swap_entries(rows: list[Row]) -> None:
    """Swap the first two entries of the first tail, with their codes."""
    first, second = unpacked(rows[0], "sampled")[:2]
    set_index(rows[0], "sampled", 0, second)
    set_index(rows[0], "sampled", 1, first)
    codes = rows[0]["sampled_logits_quantized"]
    codes[0], codes[1] = codes[1], codes[0]


def drop_last_token(rows: list[Row]) -> None:
    """Leave out the last token of the last row."""
    rows[-1] = {**copied(PLAIN_ROWS[1:2])[0], "token_ids": [1]}


def top_at(rows: list[Row]) -> int:
    """Return the place of a code in the middle of its range."""
    codes = rows[0]["top_logits_quantized"]
    return next(k for k, code in enumerate(codes) if 1000 < code < 64000)


WRONG: dict[str, tuple[Callable[[list[Row]], Any], tuple[str, ...], str]] = {
    "a row is missing": (lambda rows: rows.pop(), ("WR-3",), "expected 3 rows, got 2"),
    "rows are swapped": (lambda rows: rows.reverse(), ("WR-3",), "row 0: expected 3 tokens, got 2"),
    "a token is missing": (drop_last_token, ("WR-3",), "row 2: expected 2 tokens, got 1"),
    "entries are swapped": (swap_entries, ("WR-3",), "stand in another order"),
    "another index": (lambda rows: set_index(rows[0], "sampled", 0, 12), ("IDX-2",), "tail entry 0: expected index"),
    "truncated code": (lambda rows: bump("top_logits_quantized", -1, top_at(rows))(rows), ("QNT-3",), "1.0000 steps"),
    "narrow range": (bump("top_max", -1.0), ("QNT-11", "QNT-3"), "lies outside"),
    "another logsumexp": (bump("logsumexp", 2.0**-40), ("WR-4",), "row 0, token 0: expected logsumexp"),
    "another token id": (bump("token_ids", 1), ("WR-4",), "expected token id"),
    "no token ids": (lambda rows: [row.pop("token_ids") for row in rows], ("WR-4",), "got None"),
    "stray bits": (lambda rows: FAULTS["IDX-4/padding"].apply(rows, {}), ("IDX-4", "WR-1"), "IDX-4"),
    "NaN": (lambda rows: rows[0]["logsumexp"].__setitem__(0, math.nan), ("LSE-1", "WR-1"), "LSE-1"),
    "null": (lambda rows: rows[0].update(top_min=None), ("COL-3", "WR-1"), "COL-3"),
    "missing": (lambda rows: [row.pop("top_max") for row in rows], ("COL-1", "WR-1"), "COL-1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files_are_named(desk: Desk, name: str) -> None:
    """What a file says that was not given, and what it breaks by itself, each has its name."""
    change, broken, message = WRONG[name]
    rows = copied(ROWS)
    change(rows)
    verdict = desk.judge_rows(rows)
    assert (False, broken) == (verdict.passed, verdict.broken)
    assert message in verdict.message


def test_wrong_indices_stand_before_what_follows_from_them(desk: Desk) -> None:
    """An index that stands twice is a symptom of one that is wrong."""
    rows = copied(ROWS)
    set_index(rows[0], "sampled", 1, unpacked(rows[0], "sampled")[0])
    assert ("IDX-2", "TAIL-1", "WR-1") == desk.judge_rows(rows).broken


def test_token_ids_that_were_not_given(tmp_path: Path, sandbox: Sandbox) -> None:
    """Token ids that nobody gave are not to be stored."""
    assert ("WR-4",) == Desk(tmp_path, sandbox, logical(PLAIN_ROWS)).judge_rows(ROWS).broken


def test_no_rows(tmp_path: Path, sandbox: Sandbox) -> None:
    """A file without rows says that there were none."""
    assert Desk(tmp_path, sandbox, []).judge_rows([], Container.PARQUET).passed


def test_metadata_that_were_given_hold_for_the_file(desk: Desk) -> None:
    """What was declared is judged though the file does not say so; leaving it out is advice."""
    small = described(vocab_size=10)
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, None, Container.PARQUET))
    verdict = desk.judge(container=Container.PARQUET, metadata=small)
    assert "IDX-5" in verdict.broken
    assert ("META-5",) == verdict.advice


def test_metadata_are_kept(desk: Desk) -> None:
    """A file with the metadata that were given leaves nothing to say, whoever it names as its writer."""
    given = described(writer={"name": "somebody"})
    mine = embedded({**given, "writer": {"name": "me"}})
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, mine, Container.PARQUET))
    assert Verdict(passed=True) == desk.judge(container=Container.PARQUET, metadata=given)


OTHERS: dict[str, tuple[Metadata, bool]] = {
    "other order": (dict(reversed(described().items())), True),
    "1.0 for 1": ({**described(), "x-one": 1.0}, True),
    "its own name": ({**described(), "x-one": 1, "writer": {"name": "me"}}, True),
    "another value": ({**described(), "x-one": 2}, False),
    "true for 1": ({**described(), "x-one": True}, False),
    "one less": (described(), False),
    "one more": ({**described(), "x-one": 1, "x-two": None}, False),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_metadata(desk: Desk, name: str) -> None:
    """Metadata that are valid, and true of the rows, have to be those that were given all the same (WR-6)."""
    members, is_equal = OTHERS[name]
    raw = embedded(members if "x-one" in members or not is_equal else {**members, "x-one": 1})
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, raw, Container.PARQUET))
    verdict = desk.judge(container=Container.PARQUET, metadata={**described(), "x-one": 1})
    assert (() if is_equal else ("WR-6",)) == verdict.broken


def test_another_container(desk: Desk) -> None:
    """A good file of a container that nobody asked for is not what was asked for."""
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, None, Container.ARROW_FILE))
    assert ("WR-5",) == desk.judge(container=Container.PARQUET).broken


def test_bytes_that_are_no_file(desk: Desk) -> None:
    """A container that breaks off breaks FILE-1, and so WR-1."""
    desk.output(Container.PARQUET).write_bytes(b"PAR1 and nothing more")
    assert ("FILE-1", "WR-1") == desk.judge(container=Container.PARQUET).broken


def test_text_that_is_no_object(desk: Desk) -> None:
    """Stored JSON that begins with a byte order mark or a bracket is stored JSON by its name, and breaks JSON-1."""
    lines = to_bytes(ROWS, None, Container.JSON)
    verdicts = []
    for data in (b"\xef\xbb\xbf" + lines, b"[" + lines.strip().replace(b"\n", b",") + b"]"):
        desk.output(Container.JSON).write_bytes(data)
        verdicts.append(desk.judge(container=Container.JSON).broken)
    assert [("JSON-1", "WR-1")] * 2 == verdicts


def test_no_output(desk: Desk) -> None:
    """Accepted means that there is a file, a regular one of bearable size."""
    verdicts = [desk.judge()]
    desk.output(Container.JSON).symlink_to(desk.folder / "rows.ndjson")
    verdicts.append(desk.judge())
    with desk.output(Container.PARQUET).open("wb") as file:
        file.truncate(65 << 20)
    verdicts.append(desk.judge(container=Container.PARQUET))
    assert [(False, ("WR-5",))] * 3 == [(verdict.passed, verdict.broken) for verdict in verdicts]


def test_refusing(desk: Desk) -> None:
    """Refusing is right where there is something to refuse."""
    assert [((), True), (("WR-5",), False)] == [
        (verdict.broken, verdict.passed) for verdict in (desk.judge("rejected", case) for case in (REFUSE, WRITE))
    ]


def test_writing_what_is_to_be_refused(desk: Desk) -> None:
    """It breaks what the case is about, whatever the file says."""
    assert ("IDX-6",) == desk.judge("accepted", REFUSE).broken


CLAIMS = a_case(Kind.REFUSE, Role.WRITER, requirements=("META-1",))


@pytest.mark.parametrize(
    ("embeds", "case", "expected"),
    [
        (None, CLAIMS, (True, (), ("META-5",))),
        (INCOMPLETE, CLAIMS, (False, ("META-1",), ())),
        (described(), CLAIMS, (False, ("META-1",), ())),
        (None, REFUSE, (False, ("IDX-6",), ())),
    ],
    ids=["left-out", "written", "made-valid", "index"],
)
def test_writing_without_metadata_that_are_to_be_refused(
    embeds: Metadata | None, case: Case, expected: tuple[bool, tuple[str, ...], tuple[str, ...]], desk: Desk
) -> None:
    """Rows written without metadata that are not valid are rows of a Core file: that is advised against, no breach."""
    raw = None if embeds is None else embedded(embeds)
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, raw, Container.PARQUET))
    found = desk.judge("accepted", case, Container.PARQUET, INCOMPLETE)
    assert expected == (found.passed, found.broken, found.advice)


def test_rows_that_cannot_be_read_are_not_written(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the golden rows are no rows, whatever was written is not what was given."""
    desk = Desk(tmp_path, sandbox, [{"tokens": "none"}])
    desk.output(Container.PARQUET).write_bytes(to_bytes(ROWS, None, Container.PARQUET))
    assert ("META-1",) == desk.judge("accepted", CLAIMS, Container.PARQUET, INCOMPLETE).broken


@pytest.mark.parametrize("outcome", ["error", "unsupported", *FAILURES])
def test_no_answer(desk: Desk, outcome: str) -> None:
    """No answer is a failure on either side."""
    assert [("WR-5",), ("IDX-6",)] == [desk.judge(outcome, case).broken for case in (WRITE, REFUSE)]


LEFT: dict[str, tuple[str, Container, bytes, bool]] = {
    "the whole file": ("out.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), True),
    "a file without rows": ("out.parquet", Container.PARQUET, to_bytes([], None, Container.PARQUET), True),
    "some lines": ("out.ndjson", Container.JSON, to_bytes(ROWS[:1], None, Container.JSON), True),
    "under another name": ("part-0.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), True),
    "in a folder": ("parts/0.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), True),
    "in a hidden folder": ("_parts/0.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), False),
    "half a line": ("out.ndjson", Container.JSON, to_bytes(ROWS[:1], None, Container.JSON)[:90], False),
    "no footer": ("out.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET)[:-9], False),
    "no end marker": ("out.arrows", Container.ARROW_STREAM, to_bytes(ROWS, None, Container.ARROW_STREAM)[:-8], False),
    "stored JSON without rows": ("out.ndjson", Container.JSON, b"", True),
    "an empty file": ("out.parquet", Container.PARQUET, b"", False),
    "a temporary name": ("out.parquet.tmp", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), False),
    "a hidden name": (".out.parquet", Container.PARQUET, to_bytes(ROWS, None, Container.PARQUET), False),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_after_a_refusal(desk: Desk, name: str) -> None:
    """A file that can be taken for a whole one breaks WR-2; the rest of one, or a name that is no name of data, not."""
    file, container, data, is_taken = LEFT[name]
    place = desk.folder / "out" / file
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    verdict = desk.judge("rejected", REFUSE, container)
    assert (("WR-2",) if is_taken else ()) == verdict.broken
    assert is_taken == (file in verdict.message)


def test_a_folder_that_is_gone(desk: Desk) -> None:
    """A writer that takes its folder away, or puts a link in its place, has left nothing."""
    out = desk.folder / "out"
    out.rmdir()
    verdicts = [desk.judge("rejected", REFUSE)]
    desk.output(Container.JSON).parent.symlink_to(desk.folder)
    verdicts.append(desk.judge("rejected", REFUSE))
    assert [Verdict(passed=True)] * 2 == verdicts


def test_a_message_is_bounded(desk: Desk) -> None:
    """What a file says in its own words is cut."""
    desk.output(Container.JSON).write_bytes(b'{"num_tokens": "' + b"x" * 100_000 + b'"}')
    message = desk.judge().message
    assert message.isprintable()
    assert len(message) < 500


def test_golden_rows_that_cannot_be_read_are_the_suites_fault(desk: Desk) -> None:
    """A case without its rows says nothing about a writer."""
    (desk.folder / "rows.ndjson").write_text(json.dumps({"rows": []}))
    with pytest.raises(SuiteFault, match="a/case"):
        desk.judge_rows(ROWS)


def test_a_file_that_ends_the_worker(tmp_path: Path) -> None:
    """Bytes that end the process that reads them fail the case, and the next is judged as ever."""
    crashing = Sandbox(command=["python3", "-c", "import os; input(); os.abort()"])
    verdict = Desk(tmp_path, crashing).judge_rows(ROWS)
    assert (False, ("FILE-1", "WR-1")) == (verdict.passed, verdict.broken)
    assert "could not be judged" in verdict.message
