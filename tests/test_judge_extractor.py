"""The judgement of an extractor: an honest one passes, and each fault has its own name."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from extracting import MASK, Token, entries, extract, extract_token, judge, model, request, respond
from logitpack_conformance import dense
from logitpack_conformance.model import Kind, Response
from logitpack_conformance.oracle.indices import LIMIT

LOGITS = model()
ASKED = request()
WIDE_MASK = [0] + [1] * 500


def all_logits(tokens: list[Token], change: Callable[[float], float]) -> list[Token]:
    """Change every logit."""
    for token in tokens:
        for kind in ("top", "sampled"):
            token[kind]["logits"] = [change(x) for x in token[kind]["logits"]]
    return tokens


def bfloat16(x: float) -> float:
    """Round to bfloat16, ties aside."""
    (bits,) = struct.unpack("<I", struct.pack("<f", x))
    rounded: float = struct.unpack("<f", struct.pack("<I", (bits + 0x8000) & 0xFFFF0000))[0]
    return rounded


def quantised(part: dict[str, Any]) -> None:
    """Take logits through codes in the range of the entries, in place."""
    low, high = min(part["logits"]), max(part["logits"])
    step = (high - low) / 65535 or 1.0
    part["logits"] = [low + round((x - low) / step) * step for x in part["logits"]]


def test_honest_extractor_passes(tmp_path: Path) -> None:
    """Nothing is found in what SPEC.md asks for."""
    found = judge(LOGITS, ASKED, extract(LOGITS, ASKED), tmp_path)
    assert (True, ()) == (found.passed, found.broken)


@pytest.mark.parametrize("rule", ["covering", "below"])
@pytest.mark.parametrize("top_p", [0.5, 0.98, 1.0])
def test_honest_extractor_passes_by_either_rule(rule: str, top_p: float, tmp_path: Path) -> None:
    """So does it with other parameters, up to the cap."""
    asked = request(rule=rule, top_p=top_p)
    assert judge(LOGITS, asked, extract(LOGITS, asked), tmp_path).passed


def test_quantised_logits_pass(tmp_path: Path) -> None:
    """Logits that went through the codec are raw ones still (QNT-12)."""
    tokens = extract(LOGITS, ASKED)
    for token in tokens:
        quantised(token["top"])
        quantised(token["sampled"])
    assert judge(LOGITS, ASKED, tokens, tmp_path).passed


def test_ties_are_broken_in_any_way(tmp_path: Path) -> None:
    """Of equal logits at the end of the nucleus any will do (NUC-3)."""
    logits = dense.of_rows([[2.0] * 10 + [-9.0] * 10] * 2)
    asked = request([0, 1], top_p=0.35)
    token = extract_token(logits.row(0), asked, Random(1))  # noqa: S311
    assert [0, 1, 2, 3] == token["top"]["indices"]
    token["top"]["indices"], token["sampled"] = [9, 4, 7, 5], entries(logits.row(0), [10, 11, 0, 12])
    assert judge(logits, asked, [token], tmp_path).passed


def test_logits_near_overflow_pass(tmp_path: Path) -> None:
    """The judge's own sums do not overflow."""
    logits = dense.of_rows([[3.4e38, 3.3e38, 1.0, -3e38, 0.0, -1.0, 2.0]] * 2)
    asked = request([0, 1], num_sampled=3)
    assert judge(logits, asked, extract(logits, asked), tmp_path).passed


def edit(token: int, kind: str, member: str, entry: int, value: object) -> Callable[[list[Token]], object]:
    """Return a fault that is one value."""
    return lambda tokens: tokens[token][kind][member].__setitem__(entry, value)


def shorten(kind: str, *members: str) -> Callable[[list[Token]], object]:
    """Return a fault: the last entry is gone, of some members."""
    return lambda tokens: [tokens[-1][kind][member].pop() for member in members]


def swap_nucleus(tokens: list[Token]) -> None:
    """The first two entries change places."""
    for member in ("indices", "logits"):
        values = tokens[1]["top"][member]
        values[0], values[1] = values[1], values[0]


def double(tokens: list[Token]) -> None:
    """The first tail entry stands at the end too."""
    for member in ("indices", "logits"):
        tokens[2]["sampled"][member][-1] = tokens[2]["sampled"][member][0]


def overlap(tokens: list[Token]) -> None:
    """A tail entry is the first of the nucleus."""
    for member in ("indices", "logits"):
        tokens[2]["sampled"][member][1] = tokens[2]["top"][member][0]


def double_in_nucleus(tokens: list[Token]) -> None:
    """The second nucleus entry is the first."""
    for member in ("indices", "logits"):
        tokens[3]["top"][member][1] = tokens[3]["top"][member][0]


def skip_in_nucleus(tokens: list[Token]) -> None:
    """The largest entry is missing."""
    for member in ("indices", "logits"):
        del tokens[1]["top"][member][0]


def by_stored_entries(tokens: list[Token]) -> None:
    """Logsumexp over what is stored."""
    for token in tokens:
        token["logsumexp"] = math.log(sum(map(math.exp, token["top"]["logits"] + token["sampled"]["logits"])))


def of_bfloat16(tokens: list[Token]) -> None:
    """Logsumexp in bfloat16."""
    for token in tokens:
        token["logsumexp"] = bfloat16(token["logsumexp"])


FAULTS: dict[str, tuple[Callable[[list[Token]], object], tuple[str, ...]]] = {
    "logsumexp-stored-only": (by_stored_entries, ("LSE-4",)),
    "logsumexp-bfloat16": (of_bfloat16, ("LSE-4",)),
    "logsumexp-nan": (lambda tokens: tokens[1].update(logsumexp="NaN"), ("LSE-4",)),
    "temperature": (lambda tokens: all_logits(tokens, lambda x: x / 0.7), ("QNT-12",)),
    "bias": (lambda tokens: all_logits(tokens, lambda x: x + 0.01), ("QNT-12",)),
    "bfloat16": (lambda tokens: all_logits(tokens, bfloat16), ("QNT-12",)),
    "nan": (edit(1, "sampled", "logits", 2, "NaN"), ("QNT-12",)),
    "beyond-width": (edit(2, "sampled", "indices", 0, 160), ("IDX-5",)),
    "negative-index": (edit(2, "sampled", "indices", 0, -1), ("IDX-6",)),
    "beyond-18-bits": (edit(2, "top", "indices", 0, 262144), ("IDX-6",)),
    "endless-index": (edit(2, "top", "indices", 0, 10**4000), ("IDX-6",)),
    "order": (swap_nucleus, ("NUC-7",)),
    "tail-twice": (double, ("TAIL-1",)),
    "tail-in-nucleus": (overlap, ("TAIL-2",)),
    "nucleus-twice": (double_in_nucleus, ("NUC-2",)),
    "top-missing": (skip_in_nucleus, ("NUC-3",)),
    "crossing-dropped": (shorten("top", "indices", "logits"), ("NUC-4",)),
    "short-tail": (shorten("sampled", "indices", "logits"), ("TAIL-4",)),
    "nucleus-lengths": (shorten("top", "logits"), ("ROW-3",)),
    "tail-lengths": (shorten("sampled", "indices"), ("ROW-4", "TAIL-4")),
    "nucleus-of-256": (
        lambda tokens: tokens[0].update(top=entries(LOGITS.row(1), [0] * 256)),
        ("NUC-1", "NUC-8", "NUC-2"),
    ),
    "no-nucleus": (lambda tokens: tokens[0].update(top={"indices": [], "logits": []}), ("NUC-1",)),
    "token-lost": (lambda tokens: tokens.pop(), ("ALN-2",)),
    "token-twice": (lambda tokens: tokens.append(tokens[-1]), ("ALN-2",)),
    "turns-reordered": (lambda tokens: tokens.extend([tokens.pop(0), tokens.pop(0), tokens.pop(0)]), ("ALN-2",)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_has_its_name(name: str, tmp_path: Path) -> None:
    """Each single fault is found, under its own requirement and no other."""
    change, broken = FAULTS[name]
    tokens = extract(LOGITS, ASKED)
    change(tokens)
    found = judge(LOGITS, ASKED, tokens, tmp_path)
    assert (False, broken) == (found.passed, found.broken)
    assert found.message.startswith(broken[0])


@pytest.mark.parametrize("offset", [-2, -1, 1])
def test_shift_is_named(offset: int, tmp_path: Path) -> None:
    """Entries from another position than t - 1 are ALN-1, whichever way."""
    mask = [0, 0, 0, 1, 1, 0, 1, 0, 0]
    moved = [mask[(position - offset) % len(mask)] for position in range(len(mask))]
    found = judge(LOGITS, request(mask), extract(LOGITS, request(moved)), tmp_path)
    assert ("ALN-1",) == found.broken


def test_logarithms_of_probabilities_are_not_raw(tmp_path: Path) -> None:
    """Logits less logsumexp, with a logsumexp of 0, break QNT-12 and LSE-4."""
    tokens = extract(LOGITS, ASKED)
    for token in tokens:
        all_logits([token], lambda x, whole=token["logsumexp"]: x - whole)  # type: ignore[misc]
        token["logsumexp"] = 0.0
    assert ("QNT-12", "LSE-4") == judge(LOGITS, ASKED, tokens, tmp_path).broken


@pytest.mark.parametrize(
    ("asked", "done", "broken"),
    [
        ({"rule": "covering"}, {"rule": "below"}, "NUC-4"),
        ({"rule": "below"}, {"rule": "covering"}, "NUC-6"),
        ({"rule": "below"}, {"rule": "below", "top_p": 0.3}, "NUC-6"),
        ({"top_p": 0.5}, {"top_p": 0.9}, "NUC-5"),
        ({"top_p": 0.99}, {"top_p": 0.9}, "NUC-4"),
        ({"max_entries": 3, "top_p": 0.99}, {"max_entries": 4, "top_p": 0.99}, "NUC-8"),
        ({"max_entries": 3, "top_p": 0.99}, {"max_entries": 2, "top_p": 0.99}, "NUC-4"),
    ],
)
def test_wrong_cut_is_named(asked: dict[str, Any], done: dict[str, Any], broken: str, tmp_path: Path) -> None:
    """A nucleus that was cut in another way than the one asked for."""
    found = judge(LOGITS, request(**asked), extract(LOGITS, request(**done)), tmp_path)
    assert (broken,) == found.broken


def test_count_within_tolerance_of_top_p_is_free(tmp_path: Path) -> None:
    """Where the cumulative mass is top_p itself, the entry that follows may be in the nucleus or out of it."""
    logits = dense.of_rows([[math.log(p) for p in (0.5, 0.25, 0.125, 0.0625, 0.0625)]] * 2)
    row = logits.row(0)
    for rule, count in (("covering", 2), ("covering", 3), ("below", 1), ("below", 2)):
        asked = request([0, 1], top_p=0.75, num_sampled=2, rule=rule)
        token = extract(logits, asked)[0] | {"top": entries(row, [0, 1, 2][:count]), "sampled": entries(row, [3, 4])}
        assert judge(logits, asked, [token], tmp_path).passed


@pytest.mark.parametrize("kind", ["top", "sampled"])
def test_probability_zero_is_not_stored(kind: str, tmp_path: Path) -> None:
    """An entry of logit -inf breaks QNT-7 in the nucleus and in the tail."""
    rows = [[*LOGITS.row(position), -math.inf] for position in range(LOGITS.positions)]
    logits = dense.of_rows(rows)
    tokens = extract(logits, ASKED)
    tokens[0][kind]["indices"][-1], tokens[0][kind]["logits"][-1] = 160, "-Infinity"
    assert "QNT-7" == judge(logits, ASKED, tokens, tmp_path).broken[0]


def in_proportion(row: list[float], token: Token, draw: Random) -> None:
    """Draw the tail by probability."""
    nucleus = set(token["top"]["indices"])
    keys = {i: x - math.log(-math.log(draw.random())) for i, x in enumerate(row) if i not in nucleus}
    token["sampled"] = entries(row, sorted(keys, key=lambda i: -keys[i])[:20])


def by_rank(row: list[float], token: Token, draw: Random) -> None:
    """Take the same places among the entries outside the nucleus, for each token."""
    del draw
    rest = [i for i in range(len(row)) if i not in token["top"]["indices"]]
    token["sampled"] = entries(row, rest[3:150:7][:20])


def likely(row: list[float], token: Token, draw: Random) -> None:
    """Draw from the likelier half."""
    rest = sorted((i for i in range(len(row)) if i not in token["top"]["indices"]), key=lambda i: -row[i])
    token["sampled"] = entries(row, draw.sample(rest[:75], 20))


def all_but_last(row: list[float], token: Token, draw: Random) -> None:
    """Never draw the last index."""
    rest = [i for i in range(len(row) - 1) if i not in token["top"]["indices"]]
    token["sampled"] = entries(row, draw.sample(rest, 20))


def in_steps(row: list[float], token: Token, draw: Random) -> None:
    """Take every fifth entry from a random place."""
    rest = [i for i in range(len(row)) if i not in token["top"]["indices"]]
    start = int(draw.random() * len(rest))
    token["sampled"] = entries(row, [rest[(start + 5 * k) % len(rest)] for k in range(20)])


@pytest.mark.parametrize("way", [in_proportion, by_rank, likely, all_but_last, in_steps])
@pytest.mark.parametrize("is_mixed", [False, True], ids=["by-index", "mixed"])
def test_uneven_tail_is_named(
    way: Callable[[list[float], Token, Random], None], is_mixed: bool, tmp_path: Path
) -> None:
    """A tail that was not drawn uniformly is TAIL-3, wherever the likely entries stand."""
    logits, asked = model(len(WIDE_MASK)), request(WIDE_MASK, num_sampled=20)
    draw = Random(11)  # noqa: S311
    if is_mixed:
        rows = [logits.row(position) for position in range(logits.positions)]
        for row in rows:
            draw.shuffle(row)
        logits = dense.of_rows(rows)
    tokens = extract(logits, asked)
    assert judge(logits, asked, tokens, tmp_path).passed
    for position, token in enumerate(tokens):
        way(logits.row(position), token, draw)
    assert ("TAIL-3",) == judge(logits, asked, tokens, tmp_path).broken


def test_uniform_tail_may_leave_out_what_is_masked(tmp_path: Path) -> None:
    """Entries of -inf are not expected in the tail."""
    full = model(len(WIDE_MASK))
    rows = [[x if index < 96 else -math.inf for index, x in enumerate(full.row(p))] for p in range(full.positions)]
    logits, asked = dense.of_rows(rows), request(WIDE_MASK, num_sampled=20)
    assert judge(logits, asked, extract(logits, asked), tmp_path).passed


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b'{"tokens": []}\n',
        b'{"tokens": []}\n{"tokens": []}\n',
    ],
    ids=["no-row", "no-token", "two-rows"],
)
def test_other_rows_are_another_conversation(written: bytes, tmp_path: Path) -> None:
    """There is one row, with as many tokens as are masked (ALN-2)."""
    assert ("ALN-2",) == judge(LOGITS, ASKED, written, tmp_path).broken


@pytest.mark.parametrize(
    "written",
    [
        b"\xff\xfe",
        b"null\n",
        b"[" * 100_000,
        b'{"tokens": 3}\n',
        b'{"tokens": [{"logsumexp": 1}]}\n',
        b'{"tokens": [{"logsumexp": true, "top": {"indices": [], "logits": []}}]}\n',
        b'{"tokens": [{"logsumexp": 1, "top": {"indices": [1.5], "logits": [1]}}]}\n',
        b'{"tokens": [{"logsumexp": 1, "top": {"indices": [1], "logits": ["x"]}}]}\n',
        b'{"tokens": [{"logsumexp": 1' + b"0" * 400 + b"}]}\n",
        b'{"tokens": [{"logsumexp": 1' + b"0" * 40_000 + b"}]}\n",
        b"\n",
        b" " * 2**22,
    ],
    ids=range(12),
)
def test_what_is_no_logical_json_breaks_what_the_case_is_about(written: bytes, tmp_path: Path) -> None:
    """An output that cannot be understood fails the case, in one bounded line."""
    found = judge(LOGITS, ASKED, written, tmp_path)
    assert (False, ("QNT-9",)) == (found.passed, found.broken)
    assert len(found.message) < 200
    assert "\n" not in found.message


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe does not hang the judge, nor does a device."""
    make(tmp_path / "out")
    found = respond(LOGITS, ASKED, Response("accepted", output=tmp_path / "out"), tmp_path)
    assert (False, ("QNT-9",)) == (found.passed, found.broken)


def test_missing_output_fails(tmp_path: Path) -> None:
    """Accepted without an output is no pass."""
    assert not respond(LOGITS, ASKED, Response("accepted", output=tmp_path / "out"), tmp_path).passed
    assert not respond(LOGITS, ASKED, Response("accepted"), tmp_path).passed


@pytest.mark.parametrize("outcome", ["rejected", "unsupported", "error", "crash", "timeout"])
def test_good_logits_are_not_refused(outcome: str, tmp_path: Path) -> None:
    """Anything but a row fails; what the adapter says is repeated, bounded and printable."""
    found = respond(LOGITS, ASKED, Response(outcome, "no\x1b[2J" + "x" * 10_000), tmp_path)
    assert (False, ("QNT-9",)) == (found.passed, found.broken)
    assert len(found.message) < 300
    assert found.message.isprintable()


def test_bad_logits_are_to_be_refused(tmp_path: Path) -> None:
    """A refusal passes; a row for logits that are to be refused breaks what the case is about."""
    refused = respond(LOGITS, ASKED, Response("rejected"), tmp_path, Kind.REFUSE)
    accepted = respond(LOGITS, ASKED, Response("accepted", output=tmp_path / "out"), tmp_path, Kind.REFUSE)
    crashed = respond(LOGITS, ASKED, Response("crash"), tmp_path, Kind.REFUSE)
    assert (True, ()) == (refused.passed, refused.broken)
    assert [(False, ("QNT-9",))] * 2 == [(one.passed, one.broken) for one in (accepted, crashed)]


def test_refusing_is_free_where_the_case_leaves_it_open(tmp_path: Path) -> None:
    """Of an either case a refusal passes, and a row is judged as any other."""
    refused = respond(LOGITS, ASKED, Response("rejected"), tmp_path, Kind.EITHER)
    missing = respond(LOGITS, ASKED, Response("accepted", output=tmp_path / "out"), tmp_path, Kind.EITHER)
    assert (True, False) == (refused.passed, missing.passed)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda tokens: None, ()),  # noqa: ARG005
        (lambda tokens: tokens[0]["top"]["indices"].__setitem__(0, LIMIT), ("IDX-6",)),
        (lambda tokens: tokens[0]["sampled"]["indices"].__setitem__(0, 0), ("QNT-7",)),
        (lambda tokens: tokens[0].__setitem__("logsumexp", 9.25), ("LSE-4",)),
    ],
    ids=["masked", "stored", "aliased", "counted"],
)
def test_entries_beyond_18_bits_have_probability_zero(
    change: Callable[[list[Token]], object], broken: tuple[str, ...], tmp_path: Path
) -> None:
    """A row made as if their logits were -inf passes; to store one, to alias it or to count its mass does not."""
    masked = [[-math.inf, *[1.0 + k / 8 for k in range(12)], *[-math.inf] * (LIMIT - 12)] for _ in range(2)]
    asked = request([0, 1], num_sampled=2)
    tokens = extract(dense.of_rows(masked), asked)
    change(tokens)
    masked[0][LIMIT] = 9.0
    assert broken == judge(dense.of_rows(masked), asked, tokens, tmp_path).broken[:1]


def test_mask_is_the_usual_one() -> None:
    """The mask of these tests has two turns, and its last position is masked."""
    assert (5, 1) == (sum(MASK), MASK[-1])


def test_masses_of_huge_logits_are_not_judged(tmp_path: Path) -> None:
    """Next to a logsumexp of 3e38 no mass is known: exp(logit - logsumexp) is 1 for each of many equal logits."""
    logits = dense.of_rows([[3.3e38] * 40] * 2)
    asked = request([0, 1], num_sampled=2)
    token = extract(logits, asked)[0]
    assert 1 == len(token["top"]["indices"])
    assert judge(logits, asked, [token], tmp_path).passed


def test_positions_without_a_distribution_are_not_tried(tmp_path: Path) -> None:
    """Where a token fits nowhere, positions of which every logit is -inf, or one NaN, do no harm."""
    rows = [[0.5, 3.0, 2.0, -1.0, 0.25, 1.5], [-math.inf] * 6, [math.nan] * 6]
    asked = request([0, 1, 0], num_sampled=2)
    tokens = all_logits(extract(dense.of_rows(rows), asked), lambda x: x + 0.5)
    assert ("QNT-12",) == judge(dense.of_rows(rows), asked, tokens, tmp_path).broken
