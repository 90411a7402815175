"""The reference and the oracle, two readings of SPEC.md: they find the same requirements broken in the same files."""

from __future__ import annotations

import copy
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logitpack
from corruptions import CONTAINERS, CORRUPTIONS, Dataset, damage, index, metadata, save, value
from faults import FAULTS
from logitpack_conformance.oracle import judge_path
from logitpack_conformance.oracle.load import load_dataset
from logitpack_conformance.oracle.logits import decoding_bound
from logitpack_conformance.oracle.tokens import tokens
from support import NUM_SAMPLED, VOCAB, Row, described, valid_rows, widened, with_token_ids

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = json.loads((ROOT / "schema" / "requirements.json").read_text("utf-8"))["requirements"]
REFUSED = {entry["id"] for entry in REQUIREMENTS if entry["kind"] == "S"} | {"META-2"}
MAY_BE_REFUSED = {"META-1", "META-7", "ALN-4"}
"""Semantic requirements that the reference's reader insists on."""

Found = dict[str, set[str]]
bounded = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
draws = st.randoms(use_true_random=False)


def by_reference(path: Path, given: dict[str, Any] | None = None) -> Found:
    """Return what the reference finds broken, by file."""
    found: Found = defaultdict(set)
    read = None if given is None else logitpack.Metadata.from_dict(given)
    for file in logitpack.check(path, metadata=read).files:
        name = path.name if path.is_file() else Path(file.path).relative_to(path).as_posix()
        found[name] |= {finding.requirement for finding in file.findings}
    return {name: ids for name, ids in found.items() if ids}


def by_oracle(path: Path, given: dict[str, Any] | None = None) -> Found:
    """Return what the oracle finds broken, by file."""
    found: Found = defaultdict(set)
    for finding in judge_path(path, given):
        found[str(finding.file)].add(finding.requirement)
    return dict(found)


def agreed(path: Path, given: dict[str, Any] | None = None) -> set[str]:
    """Return what both find broken."""
    found = by_reference(path, given)
    assert by_oracle(path, given) == found
    return set().union(*found.values())


def read_as_agreed(path: Path, found: set[str]) -> None:
    """Read a dataset: a structural breach is refused, all else is accepted and means what the oracle says (RD-1)."""
    if found & REFUSED:
        with pytest.raises(logitpack.DataError):
            list(logitpack.read(path))
    elif not found & MAY_BE_REFUSED:
        rows = [row for file in load_dataset(path) for row in file.rows]
        assert sum(len(batch.num_tokens) for batch in logitpack.read(path)) == len(rows)
        for row, got in zip(rows, _decoded(path), strict=True):
            _same(row, got)


def _decoded(path: Path) -> Iterator[tuple[logitpack.Batch, int]]:
    """Yield each row as a batch and where it stands in there."""
    for batch in logitpack.read(path):
        yield from ((batch, row) for row in range(len(batch.num_tokens)))


def _same(row: Row, got: tuple[logitpack.Batch, int]) -> None:
    """Compare a decoded row with the oracle's exact one: logits within QNT-2, all else equal."""
    batch, number = got
    start = int(batch.row_offsets[number])
    assert batch.num_tokens[number] == row["num_tokens"]
    if batch.token_ids is not None:
        assert batch.token_ids[start : start + row["num_tokens"]].tolist() == row["token_ids"]
    for token in tokens(row, len(row["sampled_indices_low"]) // row["num_tokens"]):
        at = start + token.number
        here = slice(*batch.top_offsets[at : at + 2])
        assert batch.logsumexp[at] == float(token.logsumexp)
        for part, indices, logits in (
            (token.top, batch.top_indices[here], batch.top_logits[here]),
            (token.sampled, batch.sampled_indices[at], batch.sampled_logits[at]),
        ):
            assert indices.tolist() == part.indices
            bound = decoding_bound(*part.range)
            assert all(abs(Fraction(y) - v) <= bound for y, v in zip(logits.tolist(), part.logits, strict=True))


@cache
def _bases() -> tuple[Dataset, ...]:
    """Make small valid datasets, described."""
    found = []
    for seed, (sizes, top_p) in enumerate([((2, 1, 3), 0.9), ((1,), 0.99), ((4, 2), 0.97), ((3, 3, 1, 2), 0.9)]):
        nucleus = described()["nucleus"] | {"top_p": top_p}
        rows = with_token_ids(valid_rows(sizes, seed, top_p=top_p))
        found.append(Dataset(rows, json.dumps(described(nucleus=nucleus)).encode()))
    return tuple(found)


def _dataset(draw: Random, *corruptions: Any) -> Dataset:
    """Make a small dataset that is valid but for the corruptions."""
    dataset = draw.choice(_bases()).copy()
    for corrupt in corruptions:
        corrupt(dataset, draw)
    return dataset


# Single faults


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Make valid rows that leave room for each fault."""
    return with_token_ids(valid_rows())


def _pairs() -> Iterator[tuple[str, str]]:
    """Yield each fault with each container that can hold it: stored JSON has no metadata of its own."""
    for name, (requirement, _) in FAULTS.items():
        yield from ((name, kind) for kind in CONTAINERS if kind != ".ndjson" or not requirement.startswith("META"))


@pytest.mark.parametrize(("name", "container"), [*_pairs()])
def test_single_fault(tmp_path: Path, rows: list[Row], name: str, container: str) -> None:
    """Both find a single fault, and nothing else, whatever the container; stored JSON is given its metadata."""
    requirement, make = FAULTS[name]
    broken, members = copy.deepcopy(rows), copy.deepcopy(described())
    make(broken, members)
    types = {field.name: widened(field.type) for field in logitpack.canonical_schema(token_ids=True)}
    path = save(Dataset(broken, json.dumps(members).encode(), types), tmp_path, "broken", container)
    found = agreed(path, members if container == ".ndjson" else None)
    assert found - {"COL-5"} == {requirement}
    read_as_agreed(path, found)


# Random faults


@given(draws, st.lists(st.sampled_from(CORRUPTIONS), max_size=2), st.sampled_from(CONTAINERS))
@settings(bounded, max_examples=200)
def test_random_faults(draw: Random, corruptions: list[Any], container: str) -> None:
    """Both agree on a file with up to two corruptions of any kind, and the reader on which files can be read."""
    with TemporaryDirectory() as folder:
        path = save(_dataset(draw, *corruptions), Path(folder), "rows", container, draw)
        read_as_agreed(path, agreed(path))


@given(draws, st.lists(st.sampled_from((value, index)), min_size=1, max_size=2))
@settings(bounded, max_examples=100)
def test_random_values(draw: Random, corruptions: list[Any]) -> None:
    """Both agree on a file with one or two other values or indices."""
    with TemporaryDirectory() as folder:
        path = save(_dataset(draw, *corruptions), Path(folder), "rows", ".arrow")
        read_as_agreed(path, agreed(path))


@given(
    draws,
    st.lists(st.lists(st.sampled_from(CORRUPTIONS), max_size=1), min_size=2, max_size=3),
    st.booleans(),
)
@settings(bounded, max_examples=50)
def test_random_folders(draw: Random, corruptions: list[list[Any]], beside: bool) -> None:
    """Both agree on each file of a folder, with and without metadata beside the data."""
    with TemporaryDirectory() as folder:
        for number, corrupt in enumerate(corruptions):
            where = Path(folder, draw.choice(("", "data")))
            save(_dataset(draw, *corrupt), where, f"part-{number}", draw.choice(CONTAINERS[:3]), draw)
        if beside:
            described_as = _dataset(draw, *draw.choice(((), (metadata,)))).metadata
            Path(folder, draw.choice(("", "data"))).mkdir(exist_ok=True)
            Path(folder, "logitpack.json").write_bytes(described_as or b"")
        found = agreed(Path(folder))
        if not beside:
            read_as_agreed(Path(folder), found)


@given(draws, st.sampled_from(CONTAINERS))
@settings(bounded, max_examples=200)
def test_damaged_bytes(draw: Random, container: str) -> None:
    """Both agree on a file that was cut short, lengthened, or has flipped bits."""
    with TemporaryDirectory() as folder:
        path = save(_dataset(draw), Path(folder), "rows", container, draw)
        damage(path, draw)
        read_as_agreed(path, agreed(path))


# The tolerances of section 14.3, on one token

TAU = 2.0**-16
DELTA = (1 / 2 + 1 / 64) / 65535
TOP, TAIL = (5.0, 9.0), (-3.0, 1.0)
TOP_CODES, TAIL_CODES = (65535, 40000, 0), (65535, 20000, 7, 1, 0)


def _bound(code: int, ends: tuple[float, float], side: int) -> float:
    """Return the end of the interval of a true logit."""
    width = ends[1] - ends[0]
    return min(max(ends[0] + width * (code / 65535 + side * DELTA), ends[0]), ends[1])


def _log_sum_exp(side: int, codes: tuple[int, ...] = TOP_CODES, *, tail: bool = False, rest: int = 0) -> float:
    parts = [math.exp(_bound(code, TOP, side)) for code in codes]
    parts += [math.exp(_bound(code, TAIL, side)) for code in TAIL_CODES if tail]
    return math.log(math.fsum([*parts, rest * math.exp(_bound(0, TOP, side))]))


LSE = math.log(math.exp(_log_sum_exp(0)) / 0.95)
"""A logsumexp of which the nucleus is 95 %."""


def _token(**changes: Any) -> Row:
    """Return a valid row of one token."""
    row: Row = {
        "num_tokens": 1,
        "top_counts": [len(TOP_CODES)],
        "top_indices_low": [3, 1, 2],
        "top_indices_high": bytes(1),
        "top_logits_quantized": list(TOP_CODES),
        "top_min": [TOP[0]],
        "top_max": [TOP[1]],
        "sampled_indices_low": [10, 11, 12, 13, 14],
        "sampled_indices_high": bytes(2),
        "sampled_logits_quantized": list(TAIL_CODES),
        "sampled_min": [TAIL[0]],
        "sampled_max": [TAIL[1]],
        "logsumexp": [LSE],
    }
    return row | changes


def _judged(folder: Path, row: Row, **members: Any) -> set[str]:
    nucleus = {"rule": "unspecified"}
    raw = json.dumps(described(nucleus=nucleus) | members).encode()
    return agreed(save(Dataset([row], raw), folder, "token", ".arrow"))


def test_token_is_valid(tmp_path: Path) -> None:
    """The token that the others are made of breaks nothing."""
    nucleus = {"rule": "covering", "top_p": 0.95, "max_entries": 100, "order": "descending"}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == set()


NEAR = pytest.mark.parametrize("beyond", [False, True], ids=["inside", "outside"])
LITTLE = 1e-6


@NEAR
def test_limit_of_lse_2(tmp_path: Path, beyond: bool) -> None:
    """LSE-2: l + tau just above and just below what the stored entries have at least."""
    limit = _log_sum_exp(-1, tail=True) / (1 + TAU)
    row = _token(logsumexp=[limit * (1 - LITTLE if beyond else 1 + LITTLE)])
    assert _judged(tmp_path, row) == ({"LSE-2"} if beyond else set())


@NEAR
def test_limit_of_lse_3(tmp_path: Path, beyond: bool) -> None:
    """LSE-3: l - tau just below and just above what the whole vocabulary has at most."""
    rest = VOCAB - len(TOP_CODES) - NUM_SAMPLED
    limit = _log_sum_exp(1, tail=True, rest=rest) / (1 - TAU)
    row = _token(logsumexp=[limit * (1 + LITTLE if beyond else 1 - LITTLE)])
    assert _judged(tmp_path, row) == ({"LSE-3"} if beyond else set())


@NEAR
def test_limit_of_lse_3_in_a_small_vocabulary(tmp_path: Path, beyond: bool) -> None:
    """LSE-3: with no entry left in the vocabulary, the stored ones are all there is."""
    limit = _log_sum_exp(1, tail=True) / (1 - TAU)
    row = _token(logsumexp=[limit * (1 + LITTLE if beyond else 1 - LITTLE)])
    # Indices up to 14 need a vocabulary of 15; the rest of them is too little to matter.
    row["top_indices_low"], row["sampled_indices_low"] = [0, 1, 2], [3, 4, 5, 6, 7]
    assert _judged(tmp_path, row, vocab_size=8) == ({"LSE-3"} if beyond else set())


@NEAR
@pytest.mark.parametrize("requirement", ["NUC-4", "NUC-5", "NUC-6"])
@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-8])
def test_limit_of_a_mass(tmp_path: Path, requirement: str, beyond: bool, distance: float) -> None:
    """NUC-4, NUC-5, NUC-6: top_p just on either side of the mass at the end of its interval."""
    side = 1 if requirement == "NUC-4" else -1
    codes = TOP_CODES[:-1] if requirement == "NUC-5" else TOP_CODES
    mass = math.exp(_log_sum_exp(side, codes) - LSE + side * TAU * LSE)
    top_p = mass * (1 + distance * (1 if beyond else -1) * side)
    rule = "below" if requirement == "NUC-6" else "covering"
    nucleus = {"rule": rule, "top_p": top_p, "max_entries": 100}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == ({requirement} if beyond else set())


@NEAR
def test_limit_of_nuc_4_at_max_entries(tmp_path: Path, beyond: bool) -> None:
    """NUC-4: a nucleus of max_entries entries may fall short, one with fewer may not."""
    nucleus = {"rule": "covering", "top_p": 0.99, "max_entries": 4 if beyond else 3}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == ({"NUC-4"} if beyond else set())


@NEAR
def test_limit_of_nuc_3(tmp_path: Path, beyond: bool) -> None:
    """NUC-3: the largest tail logit just below and just above the smallest nucleus logit, each at its kindest."""
    limit = (_bound(0, TOP, 1) - TAIL[0] * DELTA) / (1 - DELTA)
    highest = float(np.float32(limit * (1 + LITTLE if beyond else 1 - LITTLE)))
    row = _token(sampled_max=[highest], logsumexp=[LSE + 0.05])
    assert _judged(tmp_path, row) == ({"NUC-3"} if beyond else set())


@NEAR
@pytest.mark.parametrize("end", ["low", "high"])
def test_limit_of_qnt_5(tmp_path: Path, beyond: bool, end: str) -> None:
    """QNT-5: the outermost code just less and just more than one binary32 number from its end, in a narrow range."""
    # (code - 33/64) * width / 65535 is 1 at a product of 64 * 65535: these miss it by 2e-5 of it.
    code, width = _near_one(1 + 2e-5 if beyond else 1 - 2e-5)
    unit = 2.0**-21  # between two binary32 numbers in 4 ... 8
    codes = sorted((code, 30000, 65535), reverse=True) if end == "low" else [65535 - code, 30000, 0]
    row = _token(top_logits_quantized=codes, top_min=[5.0], top_max=[5.0 + width * unit], logsumexp=[6.2])
    assert _judged(tmp_path, row) == ({"QNT-5"} if beyond else set())


def _near_one(target: float) -> tuple[int, int]:
    """Return the code and width (in units) of which the smallest logit is the nearest to `target` units above min."""
    pairs = ((code, round(target * 65535 / (code - 33 / 64))) for code in range(2, 3000))
    return min(pairs, key=lambda pair: abs((pair[0] - 33 / 64) * pair[1] / 65535 - target))


def test_allowance_for_logits(tmp_path: Path) -> None:
    """QNT-5: what exceeds the limit by less than 2**-40 of the logit is left to the checker's own rounding."""
    code, width = _near_one(1 + 2.0**-18)
    excess = Fraction(64 * code - 33, 64) * width / 65535 - 1  # in units of 2**-21
    assert 0 < excess / 2**21 < Fraction(5, 2**40)
    codes, top = [65535, 30000, code], 5.0 + width * 2.0**-21
    row = _token(top_logits_quantized=codes, top_min=[5.0], top_max=[top], logsumexp=[6.2])
    assert _judged(tmp_path, row) == set()


@pytest.mark.parametrize("low", [3.4028234e38, -3.4028234e38, 1e-45, 0.0, 1e30])
@pytest.mark.parametrize("width", [0, 1, 7, 70_000])
def test_extreme_ranges(tmp_path: Path, low: float, width: int) -> None:
    """Both agree on ranges at the ends of binary32, and the reader decodes them within QNT-2."""
    start = np.float32(low)
    end = start
    toward = np.float32(-np.inf if low > 1e38 else np.inf)
    for _ in range(min(width, 7)):
        end = np.nextafter(end, toward)
    if width > 7:
        end = np.float32(float(start) * (1 - 1e-3) if start else 1e-40)
    ends = sorted((float(start), float(end)))
    codes = [65535, 40000, 0] if ends[0] < ends[1] else [0, 0, 0]
    row = _token(top_logits_quantized=codes, top_min=[ends[0]], top_max=[ends[1]])
    path = save(Dataset([row], json.dumps(described()).encode()), tmp_path, "token", ".parquet")
    read_as_agreed(path, agreed(path))


# Containers


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.arrows", b""),
        ("x.parquet", b""),
        ("x.ndjson", b""),
        ("x.jsonl", b""),
        ("x.json", b""),
        ("x.ndjson", b"\n"),
        ("x.parquet", b" \n{}\n"),
        ("x.ndjson", b"[]\n"),
        ("x.parquet", b"[]\n"),
        ("x.ndjson", b"\xef\xbb\xbf{}\n"),
        ("x.parquet", b"{}\n"),
        ("x.arrows", b"\xff\xff\xff\xff"),
        ("x.arrows", b"\xff\xff\xff\xff" + bytes(4)),
        ("x.arrows", bytes(4)),
        ("x.arrow", b"ARROW1"),
        ("x.parquet", b"PAR1PAR1"),
    ],
)
def test_first_bytes_tell_the_container(tmp_path: Path, name: str, content: bytes) -> None:
    """Both take files of few bytes for the same container, whatever they are called."""
    path = tmp_path / name
    path.write_bytes(content)
    read_as_agreed(path, agreed(path))


@pytest.mark.parametrize("cut", range(10))
@pytest.mark.parametrize("legacy", [False, True])
def test_cut_streams(tmp_path: Path, rows: list[Row], cut: int, legacy: bool) -> None:
    """Both tell a stream that was cut at or in its end marker (FILE-3) from one that was cut elsewhere (FILE-1)."""
    table = pa.Table.from_pylist(rows, logitpack.canonical_schema(token_ids=True))
    path = tmp_path / "x.arrows"
    with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(use_legacy_format=legacy)) as writer:
        writer.write_table(table)
    marker = 4 if legacy else 8
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - cut])
    assert agreed(path) == (set() if cut == 0 else {"FILE-3"} if cut <= marker else {"FILE-1"})
