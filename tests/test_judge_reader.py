"""The judgement of a reader: right values pass, and each wrong one is named for what it is."""

from __future__ import annotations

import copy
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judging import PLAIN_ROWS, ROWS, a_case, judge_read, logical, put, text
from logitpack_conformance.judge import judge
from logitpack_conformance.judge.values import at_least, expected
from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import ANSWERS, FAILURES, Container, Kind, Material, Response, Role
from logitpack_conformance.rows import copied, set_indices
from logitpack_conformance.stored import to_bytes

Rows = list[dict[str, Any]]


@pytest.mark.parametrize("container", list(Container))
def test_right_values_pass(tmp_path: Path, container: Container) -> None:
    """What the oracle decodes, rounded to binary64, is right in every container."""
    verdict = judge_read(put(tmp_path, container=container), text(logical(ROWS)), container=container)
    assert (True, "", ()) == (verdict.passed, verdict.message, verdict.broken)


def test_no_rows_pass(tmp_path: Path) -> None:
    """Of a file without rows the output is empty."""
    assert judge_read(put(tmp_path, []), b"").passed


def test_numbers_may_be_whole(tmp_path: Path) -> None:
    """A logit 7 is 7.0, an index 7.0 is 7, and zero has no sign: languages differ in how they write them."""
    row = copied(PLAIN_ROWS[:1])[0]
    row["top_min"][0] = row["top_max"][0] = 7.0
    row["top_logits_quantized"][: row["top_counts"][0]] = [0] * row["top_counts"][0]
    row["logsumexp"][0] = 0.0
    output = logical([row])
    token = output[0]["tokens"][0]
    token["top"]["logits"] = [7] * row["top_counts"][0]
    token["top"]["indices"] = list(map(float, token["top"]["indices"]))
    token["logsumexp"] = -0.0
    assert judge_read(put(tmp_path, [row]), text(output)).passed


def test_other_members_are_ignored(tmp_path: Path) -> None:
    """An adapter may say more of a token than it is asked for."""
    output = logical(ROWS)
    output[0]["tokens"][0]["probability"] = [{"of": "everything"}]
    assert judge_read(put(tmp_path), text(output)).passed


def test_token_ids_may_be_left_out(tmp_path: Path) -> None:
    """Whoever does not declare token_ids need not return any."""
    assert judge_read(put(tmp_path), text(logical(ROWS, ids=False))).passed


def nucleus(rows: Rows) -> dict[str, list[Any]]:
    """Give the nucleus of the first token of the first row, which has two entries or more."""
    found: dict[str, list[Any]] = rows[0]["tokens"][0]["top"]
    return found


def more(rows: Rows) -> None:
    """Add an entry."""
    nucleus(rows)["indices"].append(1)
    nucleus(rows)["logits"].append(1.0)


def sort(rows: Rows) -> None:
    """Sort the entries of all tokens by index."""
    for row in rows:
        for token in row["tokens"]:
            for kind in ("top", "sampled"):
                pairs = sorted(zip(token[kind]["indices"], token[kind]["logits"], strict=True))
                token[kind] = {"indices": [pair[0] for pair in pairs], "logits": [pair[1] for pair in pairs]}


def rescale(rows: Rows) -> None:
    """Take the codes of the first tail for 65,536ths."""
    part = rows[0]["tokens"][0]["sampled"]
    low = min(part["logits"])
    part["logits"] = [low + (x - low) * 65535 / 65536 for x in part["logits"]]


def single(rows: Rows) -> None:
    """Take a logsumexp through binary32."""
    token = rows[0]["tokens"][0]
    (token["logsumexp"],) = struct.unpack("<f", struct.pack("<f", token["logsumexp"]))


def both(rows: Rows) -> None:
    """Change an index and, of another token, a logit."""
    nucleus(rows)["indices"][0] += 1
    rows[1]["tokens"][0]["top"]["logits"][0] += 1


def put_logit(value: Any) -> Callable[[Rows], None]:
    """Give a change of one logit to a value."""
    return lambda rows: nucleus(rows)["logits"].__setitem__(1, value)


def put_id(value: Any) -> Callable[[Rows], None]:
    """Give a change of one token id to a value."""
    return lambda rows: rows[0]["tokens"][1].__setitem__("token_id", value)


WRONG: dict[str, tuple[Callable[[Rows], Any], tuple[str, ...], str]] = {
    "a row is missing": (lambda rows: rows.pop(), ("RD-2",), "expected 3 rows, got 2"),
    "a row too many": (lambda rows: rows.append(rows[0]), ("RD-2",), "expected 3 rows, got more"),
    "rows are swapped": (lambda rows: rows.reverse(), ("RD-2",), "row 0: expected 3 tokens, got 2"),
    "a token is missing": (lambda rows: rows[2]["tokens"].pop(), ("RD-2",), "row 2: expected 2 tokens, got 1"),
    "tokens are reversed": (lambda rows: rows[2]["tokens"].reverse(), ("RD-2",), "row 2, token 0"),
    "an entry too many": (more, ("RD-2",), "row 0, token 0: expected "),
    "a logit is missing": (lambda rows: nucleus(rows)["logits"].pop(), ("RD-2",), " nucleus entries, got "),
    "no entries": (lambda rows: nucleus(rows).update(indices=[], logits=[]), ("RD-2",), "got 0 indices and 0 logits"),
    "entries are sorted": (sort, ("RD-2",), "the entries stand in another order"),
    "another index": (lambda rows: nucleus(rows)["indices"].__setitem__(1, 262_143), ("IDX-2",), "got 262143"),
    "a negative index": (lambda rows: nucleus(rows)["indices"].__setitem__(1, -1), ("IDX-2",), "entry 1: expected"),
    "a huge index": (lambda rows: nucleus(rows)["indices"].__setitem__(0, 10**900), ("IDX-2",), "more than 64 bits"),
    "another scale": (rescale, ("QNT-2",), "row 0, token 0, tail entry "),
    "a logit is NaN": (put_logit("NaN"), ("QNT-2",), "got nan"),
    "a logit is bare NaN": (put_logit(math.nan), ("QNT-2",), "got nan"),
    "a logit is infinite": (put_logit("-Infinity"), ("QNT-2",), "got -inf"),
    "a logit beyond binary64": (put_logit(10**400), ("QNT-2",), "got inf"),
    "binary32 logsumexp": (single, ("RD-4",), "row 0, token 0: expected logsumexp"),
    "another token id": (put_id(7), ("RD-4",), "row 0, token 1: expected token_id"),
    "ids in some tokens": (lambda rows: rows[0]["tokens"][1].pop("token_id"), ("RD-4",), "got no token_id"),
    "index and logit": (both, ("IDX-2", "QNT-2"), "row 0, token 0, nucleus entry 0: expected index"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_named(tmp_path: Path, name: str) -> None:
    """Each wrong value breaks what it breaks, and nothing else; the message says where, and what came."""
    change, broken, message = WRONG[name]
    output = logical(ROWS)
    change(output)
    verdict = judge_read(put(tmp_path), text(output))
    assert (False, broken) == (verdict.passed, verdict.broken)
    assert message in verdict.message


def test_ids_that_nobody_stored(tmp_path: Path) -> None:
    """A token id of a file without token ids is not one."""
    output = logical(PLAIN_ROWS)
    for row in output:
        for token in row["tokens"]:
            token["token_id"] = 1
    verdict = judge_read(put(tmp_path, PLAIN_ROWS), text(output))
    assert ("RD-4",) == verdict.broken


def test_declared_token_ids_are_returned(tmp_path: Path) -> None:
    """Whoever declares token_ids returns them where they are stored, and only there."""
    put(tmp_path)
    verdict = judge_read(tmp_path, text(logical(ROWS, ids=False)), features=["token_ids"])
    assert ("RD-4",) == verdict.broken
    put(tmp_path, PLAIN_ROWS)
    assert judge_read(tmp_path, text(logical(PLAIN_ROWS)), features=["token_ids"]).passed


def test_broken_token_ids_are_absent(tmp_path: Path) -> None:
    """ALN-4: of a row whose token ids are wrong none is returned, of the other rows they may be."""
    rows = copied(ROWS)
    rows[1]["token_ids"] = [-1]
    case = a_case(Kind.EITHER, requirements=("ALN-4",), findings=("ALN-4",))
    output = logical(rows)
    put(tmp_path, rows)
    assert ("ALN-4",) == judge_read(tmp_path, text(output), case).broken
    del output[1]["tokens"][0]["token_id"]
    assert judge_read(tmp_path, text(output), case).passed


def test_bounds_are_exact(tmp_path: Path) -> None:
    """The ends of QNT-2 pass, and the next binary64 number beyond either does not."""
    wanted = expected(a_case(), Material("case", "in.ndjson", {}), put(tmp_path))
    assert wanted is not None
    part = wanted.rows[0][0].top
    verdicts = []
    for ends, outwards in ((part.least, -math.inf), (part.greatest, math.inf)):
        output = logical(ROWS)
        nucleus(output)["logits"] = list(ends)
        inside = judge_read(tmp_path, text(output))
        nucleus(output)["logits"][1] = math.nextafter(ends[1], outwards)
        verdicts += [inside.broken, judge_read(tmp_path, text(output)).broken]
    assert [(), ("QNT-2",), (), ("QNT-2",)] == verdicts


@given(st.fractions(-(10**40), 10**40, max_denominator=2**200))
def test_ends_are_rounded_inward(x: Fraction) -> None:
    """`at_least` is the smallest binary64 number that is not below x."""
    found = at_least(x.numerator, x.denominator)
    assert Fraction(math.nextafter(found, -math.inf)) < x <= Fraction(found)


def test_what_a_case_is_about_stands_first(tmp_path: Path) -> None:
    """Wrong values on a case about other columns tell of COL-4, then of what they show."""
    output = logical(ROWS)
    nucleus(output)["indices"][0] += 1
    case = a_case(requirements=("COL-4",))
    assert ("COL-4", "IDX-2") == judge_read(put(tmp_path), text(output), case).broken


def test_a_bound_is_named_only_where_it_is_broken(tmp_path: Path) -> None:
    """A case about QNT-2 on which an index is wrong tells nothing of QNT-2."""
    output = logical(ROWS)
    nucleus(output)["indices"][0] += 1
    case = a_case(requirements=("QNT-2",))
    assert ("IDX-2",) == judge_read(put(tmp_path), text(output), case).broken


FORMS = {
    "no JSON": (b'{"tokens": [\n', "line 1 of the output: no JSON"),
    "no UTF-8": (b'{"tokens": "\xff"}\n', "byte 12 is not UTF-8"),
    "a byte order mark": (b'\xef\xbb\xbf{"tokens": []}\n', "no JSON"),
    "a blank line": (b"\n", "no JSON"),
    "no object": (b"[1]\n", "an array stands where an object"),
    "no tokens": (b"{}\n", "the member tokens is missing"),
    "tokens are none": (b'{"tokens": {}}\n', "tokens is an object, expected an array"),
    "a member twice": (b'{"tokens": [], "tokens": []}\n', "a member stands twice"),
    "nested deeply": (b'{"tokens": ' + b"[" * 100_000 + b"\n", "no JSON that can be read"),
    "thousands of digits": (b'{"tokens": ' + b"9" * 5_000 + b"}\n", "no JSON that can be read"),
}


@pytest.mark.parametrize("name", FORMS)
def test_outputs_of_another_form(tmp_path: Path, name: str) -> None:
    """Output that is no logical JSON fails the case, and says why in one line."""
    data, message = FORMS[name]
    verdict = judge_read(put(tmp_path), data)
    assert (False, ("RD-5",)) == (verdict.passed, verdict.broken)
    assert message in verdict.message
    assert len(verdict.message.splitlines()) == 1


MEMBERS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a boolean index": (lambda token: token["top"]["indices"].__setitem__(0, True), "an index of top is a boolean"),
    "a fraction": (lambda token: token["top"]["indices"].__setitem__(0, 1.5), "a number with a fraction"),
    "a text": (lambda token: token["sampled"]["logits"].__setitem__(0, "1.0"), "a logit of sampled is a string"),
    "null": (lambda token: token.update(logsumexp=None), "logsumexp is null, expected a number"),
    "no id": (lambda token: token.update(token_id=None), "token_id is null, expected an integer"),
    "no tail": (lambda token: token.pop("sampled"), "the member sampled is missing"),
    "a token is text": (lambda token: token.update(top="\x1b[31m"), "top is a string, expected an object"),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_members_of_another_type(tmp_path: Path, name: str) -> None:
    """A value of a type that logical JSON does not have is a fault of form, and nothing of it is repeated."""
    change, message = MEMBERS[name]
    output = logical(ROWS)
    change(output[0]["tokens"][0])
    verdict = judge_read(put(tmp_path), text(output))
    assert ("RD-5",) == verdict.broken
    assert message in verdict.message
    assert verdict.message.isprintable()


def test_a_bare_constant_elsewhere_is_no_json(tmp_path: Path) -> None:
    """NaN without quotes fails the case even where its value is not looked at."""
    output = logical(ROWS)
    output[2]["mean"] = math.nan
    verdict = judge_read(put(tmp_path), text(output))
    assert (False, "the output holds NaN without quotes, which is no JSON") == (verdict.passed, verdict.message)


def test_a_wrong_value_tells_more_than_a_broken_line(tmp_path: Path) -> None:
    """Where a line breaks off, what was wrong before it is named."""
    output = logical(ROWS)
    nucleus(output)["indices"][0] += 1
    assert ("IDX-2",) == judge_read(put(tmp_path), text(output[:1]) + b"{").broken


def test_an_output_is_not_read_beyond_a_bound(tmp_path: Path) -> None:
    """An output of another order of magnitude is not parsed at all."""
    verdict = judge_read(put(tmp_path), b"[" * (2 << 20))
    assert (False, ("RD-5",)) == (verdict.passed, verdict.broken)
    assert "far more than was asked for" in verdict.message


def test_links_and_folders_are_no_output(tmp_path: Path) -> None:
    """What is no regular file is not opened, wherever it leads."""
    put(tmp_path)
    (tmp_path / "right").write_bytes(text(logical(ROWS)))
    (tmp_path / "link").symlink_to(tmp_path / "right")
    (tmp_path / "folder").mkdir()
    for name in ("link", "folder", "nowhere"):
        response = Response("accepted", output=tmp_path / name)
        verdict = judge(a_case(), Role.READER, Container.JSON, tmp_path, {}, response)
        assert (False, ("RD-5",)) == (verdict.passed, verdict.broken)


ALLOWED = {Kind.ACCEPT: {"accepted"}, Kind.REJECT: {"rejected"}, Kind.EITHER: {"accepted", "rejected"}}


@pytest.mark.parametrize("outcome", [*ANSWERS, *FAILURES])
@pytest.mark.parametrize("kind", list(ALLOWED))
def test_outcomes(tmp_path: Path, kind: Kind, outcome: str) -> None:
    """Each kind of case has its outcomes; any other breaks what the case is about."""
    put(tmp_path)
    (tmp_path / "out").write_bytes(text(logical(ROWS)))
    response = Response(outcome, "so it is", output=tmp_path / "out")
    verdict = judge(a_case(kind, requirements=("IDX-3",)), Role.READER, Container.JSON, tmp_path, {}, response)
    assert (outcome in ALLOWED[kind]) == verdict.passed
    assert (() if verdict.passed else ("IDX-3",)) == verdict.broken


@pytest.mark.parametrize(("kind", "outcome", "broken"), [
    (Kind.ACCEPT, "rejected", "RD-5"), (Kind.ACCEPT, "crash", "RD-5"), (Kind.REJECT, "accepted", "RD-1"),
])  # fmt: skip
def test_outcomes_where_a_case_names_nothing_for_a_reader(
    tmp_path: Path, kind: Kind, outcome: str, broken: str
) -> None:
    """A reader cannot break CHK-2: what it owes in general is named."""
    case = a_case(kind, requirements=("CHK-2",))
    verdict = judge(case, Role.READER, Container.JSON, put(tmp_path), {}, Response(outcome))
    assert (broken,) == verdict.broken


def test_a_message_of_an_adapter_is_quoted(tmp_path: Path) -> None:
    """What an adapter says is cut and escaped before it is repeated."""
    response = Response("rejected", "\x1b[2J\u202e\n" + "x" * 10_000)
    verdict = judge(a_case(), Role.READER, Container.JSON, put(tmp_path), {}, response)
    assert verdict.message.isascii()
    assert verdict.message.isprintable()
    assert len(verdict.message) < 400


def test_a_dataset_is_its_files_in_order(tmp_path: Path) -> None:
    """The rows of a folder are those of its files, by their relative paths."""
    folder = tmp_path / "case"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "b.parquet").write_bytes(to_bytes(ROWS[1:], None, Container.PARQUET))
    (folder / "data" / "a.parquet").write_bytes(to_bytes(ROWS[:1], None, Container.PARQUET))
    case = a_case(materials={"parquet": Material("case", ".", {})})
    output = tmp_path / "out"
    verdicts = []
    for rows in (ROWS, ROWS[1:] + ROWS[:1]):
        output.write_bytes(text(logical(rows)))
        response = Response("accepted", output=output)
        verdicts.append(judge(case, Role.READER, Container.PARQUET, folder, {}, response).broken)
    assert [(), ("RD-2",)] == verdicts


def test_values_are_judged_of_a_row_that_breaks_a_semantic_requirement(tmp_path: Path) -> None:
    """Whoever accepts an `either` case still returns what is stored."""
    rows = copied(PLAIN_ROWS)
    set_indices(rows[1], "sampled", [9] * len(rows[1]["sampled_indices_low"]))
    case = a_case(Kind.EITHER, requirements=("TAIL-1",), findings=("TAIL-1",))
    output = logical(rows)
    put(tmp_path, rows)
    assert judge_read(tmp_path, text(output), case).passed
    output[1]["tokens"][0]["sampled"]["indices"][0] = 8
    assert ("IDX-2",) == judge_read(tmp_path, text(output), case).broken


def test_only_the_form_is_judged_where_nobody_knows_the_values(tmp_path: Path) -> None:
    """A page that does not match its checksum may be read by a reader: nobody can say what it should have been."""
    data = bytearray(to_bytes(ROWS, None, Container.PARQUET))
    at = data.index(struct.pack("<d", ROWS[0]["logsumexp"][0]))
    data[at] ^= 1
    (tmp_path / "in.parquet").write_bytes(data)
    case = a_case(Kind.EITHER, requirements=("FILE-5",), findings=("FILE-1",))
    output = text(logical(copy.deepcopy(ROWS)))
    assert judge_read(tmp_path, output, case, Container.PARQUET).passed
    assert not judge_read(tmp_path, b"{}", case, Container.PARQUET).passed


def test_a_golden_file_that_cannot_be_read_is_the_suites_fault(tmp_path: Path) -> None:
    """A valid case whose file is broken says nothing about the adapter."""
    (tmp_path / "in.ndjson").write_bytes(b"{")
    with pytest.raises(SuiteFault, match="a/case"):
        judge_read(tmp_path, b"")


def test_expected_values_follow_the_files_digests(tmp_path: Path) -> None:
    """A file that took the place of another is looked at anew."""
    verdicts = []
    for digest, rows in (("one", ROWS), ("two", ROWS[:2]), ("two", ROWS[:2])):
        case = a_case(materials={"json": Material("case", "in.ndjson", {"in.ndjson": digest})})
        verdicts.append(judge_read(put(tmp_path, rows), text(logical(rows)), case).passed)
    assert [True, True, True] == verdicts
