"""The oracle against the examples of SPEC.md, and against one fault at a time."""

from __future__ import annotations

import base64
import copy
import json
import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logitpack_conformance.oracle import indices, judge_path, judge_row, logical, logits, statistics
from logitpack_conformance.oracle.binary32 import LARGEST, SMALLEST, following, nearest, of_float
from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.oracle.enclosure import log, log_sum_exp
from logitpack_conformance.oracle.finding import WARNINGS, Finding, requirements
from logitpack_conformance.oracle.load import load
from logitpack_conformance.oracle.metadata import Metadata, read_metadata

ROOT = Path(__file__).resolve().parents[1]
SPEC = (ROOT / "SPEC.md").read_text(encoding="utf-8")
Row = dict[str, Any]

ARROW = {
    "num_tokens": pa.int32(),
    "top_counts": pa.list_(pa.uint8()),
    "top_indices_low": pa.list_(pa.uint16()),
    "top_indices_high": pa.binary(),
    "top_logits_quantized": pa.list_(pa.uint16()),
    "top_min": pa.list_(pa.float32()),
    "top_max": pa.list_(pa.float32()),
    "sampled_indices_low": pa.list_(pa.uint16()),
    "sampled_indices_high": pa.binary(),
    "sampled_logits_quantized": pa.list_(pa.uint16()),
    "sampled_min": pa.list_(pa.float32()),
    "sampled_max": pa.list_(pa.float32()),
    "logsumexp": pa.list_(pa.float64()),
    "token_ids": pa.list_(pa.int32()),
}


def example(name: str) -> str:
    """Return the text of one executed example of SPEC.md."""
    found = re.search(rf"<!-- example: {name} -->\n```\w*\n(.*?)\n```", SPEC, re.DOTALL)
    assert found is not None
    return found.group(1)


def stored(text: str) -> Row:
    """Return a row of stored JSON as plain values."""
    row: Row = json.loads(text)
    for kind in ("top", "sampled"):
        row[f"{kind}_indices_high"] = base64.b64decode(row[f"{kind}_indices_high"])
    return row


VOCAB = 40
DESCRIBED: dict[str, Any] = {
    "spec_version": "1.0",
    "model": {"id": "example/teacher"},
    "tokenizer": {"id": "example/teacher"},
    "vocab_size": VOCAB,
    "nucleus": {"top_p": 0.98, "max_entries": 20, "rule": "covering", "order": "descending"},
    "tail": {"num_sampled": 3, "method": "uniform"},
    "alignment": "predicts",
}


def facts(**changes: Any) -> Metadata:
    """Return the facts of DESCRIBED, with some members changed."""
    found = read_metadata(json.dumps({**copy.deepcopy(DESCRIBED), **changes}).encode()).facts
    assert found is not None
    return found


def seeded(seed: int) -> random.Random:
    """Return a source of reproducible numbers."""
    return random.Random(seed)  # noqa: S311


def sound_row(tokens: int = 3, seed: int = 1, stride: int = 3, vocab: int = VOCAB) -> Row:
    """Return a row that an honest extractor makes of random logits: rule `covering` at 0.98, a uniform tail."""
    draw = seeded(seed)
    meaning = []
    for _ in range(tokens):
        dense = [Fraction(of_float(draw.gauss(0, 4)) or 0) for _ in range(vocab)]
        lse = math.log(math.fsum(math.exp(x) for x in dense))
        ranked = sorted(range(vocab), key=lambda v: (-dense[v], v))
        size, mass = 0, 0.0
        while mass < 0.98 and size < 20:
            mass += math.exp(dense[ranked[size]] - lse)
            size += 1
        top, tail = ranked[:size], draw.sample(ranked[size:], stride)
        parts = [logical.LogicalEntries(part, [dense[v] for v in part]) for part in (top, tail)]
        meaning.append(logical.LogicalToken(lse, parts[0], parts[1], top[0]))
    return logical.encode(meaning)


def write(path: Path, rows: list[Row], meta: dict[str, Any] | None = None, **types: pa.DataType) -> Path:
    """Rows as Parquet, stream or Arrow file by the suffix of the path, with checksums."""
    fields = [(name, types.get(name, typed)) for name, typed in ARROW.items() if name in rows[0]]
    metadata = None if meta is None else {"logitpack": json.dumps(meta)}
    schema = pa.schema(fields, metadata=metadata)
    table = pa.Table.from_pylist(rows, schema)
    if path.suffix == ".parquet":
        pq.write_table(table, path, write_page_checksum=True)
    else:
        opened = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with opened(path, schema) as sink:
            sink.write_table(table)
    return path


def write_json(path: Path, rows: list[Row]) -> Path:
    """Rows as stored JSON."""
    lines = []
    for row in rows:
        plain = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in row.items()}
        lines.append(json.dumps(plain) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def ids(path: Path, metadata: dict[str, Any] | None = None) -> set[str]:
    """Return the requirements that a path breaks."""
    return requirements(judge_path(path, metadata))


# The examples of SPEC.md


def test_example_indices() -> None:
    """Section 7: five indices pack into the bytes of the text."""
    given = json.loads(example("indices"))
    assert (given["low"], bytes.fromhex(given["high"])) == indices.pack(given["indices"])


def test_example_indices_unpacked() -> None:
    """Section 7: the bytes of the text unpack into its indices."""
    given = json.loads(example("indices"))
    assert given["indices"] == indices.unpack(given["low"], bytes.fromhex(given["high"]))


def test_example_row_encodes() -> None:
    """Appendix A: the logical row becomes the stored row."""
    assert stored(example("row-stored")) == logical.encode(logical.of_json(json.loads(example("row-logical"))))


def test_example_row_decodes() -> None:
    """Appendix A: the stored row means the logical row, within the bound of QNT-3."""
    expected = logical.of_json(json.loads(example("row-logical")))
    row = stored(example("row-stored"))
    for i, (want, got) in enumerate(zip(expected, logical.decode(row), strict=True)):
        for kind in ("top", "sampled"):
            part, found = getattr(want, kind), getattr(got, kind)
            assert part.indices == found.indices
            bound = logits.tolerance(Fraction(row[f"{kind}_min"][i]), Fraction(row[f"{kind}_max"][i]))
            assert all(abs(x - y) <= bound for x, y in zip(part.logits, found.logits, strict=True))


def test_example_row_is_sound() -> None:
    """Appendix A: the stored row breaks nothing."""
    assert [] == judge_row(stored(example("row-stored")))


def test_example_bytes() -> None:
    """Appendix A: the byte listing is the stored row in canonical types, and its total is right."""
    row, total = stored(example("row-stored")), 0
    *lines, last = example("row-bytes").splitlines()
    for line in lines:
        name, size, *octets = line.split()
        typed, data = ARROW[name], bytes.fromhex("".join(octets))
        value = row[name]
        if not isinstance(value, bytes):
            plain = typed if name == "num_tokens" else typed.value_type
            value = pa.array([value] if name == "num_tokens" else value, plain).buffers()[1].to_pybytes()
        assert value[: int(size)] == data
        assert int(size) == len(data)
        total += len(data)
    assert ["total", str(total)] == last.split()


def test_example_stored_json(tmp_path: Path) -> None:
    """Appendix A: the stored row is a line of stored JSON."""
    path = tmp_path / "row.ndjson"
    path.write_text(" ".join(example("row-stored").split()) + "\n", encoding="utf-8")
    assert [] == judge_path(path)


def test_example_metadata() -> None:
    """Section 13: the example is valid metadata."""
    block = re.search(r"```json\n(\{\"spec_version\".*?)\n```", SPEC, re.DOTALL)
    assert block is not None
    assert [] == read_metadata(block.group(1).encode()).findings


def test_severities_are_those_of_the_text() -> None:
    """The warnings of the oracle are the SHOULDs of kinds S and M."""
    listed = re.findall(r"\| \[([A-Z]+-\d+)\]\(#[^)]*\) \| SHOULD \| [SM] \|", SPEC)
    assert set(listed) == WARNINGS


# Error bounds, exactly

HUGE = float(LARGEST)
RANGES = [
    *((7.0, 10.0), (-1.25, 2.0), (-1000.0, -999.9999), (0.0, 1e-42), (0.0, 2.0**-149), (-3.0e38, 1.0)),
    *((1.0e38, HUGE), (HUGE - 2.0**105, HUGE), (-HUGE, -HUGE + 2.0**104), (5.0, 5.0)),
]


@pytest.mark.parametrize("ends", RANGES)
def test_qnt_2_bound(ends: tuple[float, float]) -> None:
    """QNT-2 takes y at the bound and not beyond it, on both sides."""
    low, high = (of_float(x) or Fraction(0) for x in ends)
    for q in (0, 1, 27306, 65534, 65535):
        v, bound = logits.value(q, low, high), logits.decoding_bound(low, high)
        beyond = bound + Fraction(1, 2**300)
        got = [logits.decodes(v + sign * x, q, low, high) for sign in (1, -1) for x in (bound, beyond)]
        assert [True, False, True, False] == got


@pytest.mark.parametrize("ends", RANGES)
def test_qnt_2_takes_binary32(ends: tuple[float, float]) -> None:
    """The evaluation of appendix C stays within QNT-2 for codes over the whole range; beyond binary32 it gives max."""
    low, high = (of_float(x) or Fraction(0) for x in ends)
    for q in range(0, 65536, 257):
        product = (nearest(Fraction(q, 65535)) or Fraction(0)) * (nearest(high - low) or Fraction(0))
        y = nearest((nearest(product) or Fraction(0)) + low)
        assert logits.decodes(high if y is None else y, q, low, high)


@pytest.mark.parametrize("divisor", [65534, 65536])
def test_qnt_2_refuses_a_wrong_divisor(divisor: int) -> None:
    """Dividing by a neighbour of 65535 is seen at the top of a range from 0."""
    assert not logits.decodes(Fraction(65535 * 10, divisor), 65535, Fraction(0), Fraction(10))


@pytest.mark.parametrize("ends", RANGES[:-1])
def test_qnt_3_bound(ends: tuple[float, float]) -> None:
    """QNT-3 takes a logit 33/64 of a step from its code and none beyond."""
    low, high = (of_float(x) or Fraction(0) for x in ends)
    v, bound = logits.value(300, low, high), (high - low) * Fraction(33, 64) / 65535
    beyond = bound * (1 + Fraction(1, 10**40))
    got = [logits.encodes(300, v + sign * x, low, high) for sign in (1, -1) for x in (bound, beyond)]
    assert [True, False, True, False] == got


def test_qnt_3_truncation_is_seen() -> None:
    """A code that was truncated where the next was nearer is refused."""
    x = Fraction(7) + Fraction(3, 65535) * Fraction(6, 10)
    assert [False, True] == [logits.encodes(q, x, Fraction(7), Fraction(10)) for q in (0, 1)]


def test_qnt_3_encoder() -> None:
    """The encoder's codes are within half a step, and decode into the range."""
    draw = seeded(3)
    exact = [Fraction(draw.uniform(-30, 30)) for _ in range(200)]
    low, high = logits.tight_range(exact)
    half = (high - low) / 65535 / 2
    assert all(abs(logits.value(logits.encode(x, low, high), low, high) - x) <= half for x in exact)


def test_qnt_11_refused() -> None:
    """The encoder refuses a logit outside its range."""
    with pytest.raises(ValueError, match="QNT-11"):
        logits.encode(Fraction(11), Fraction(7), Fraction(10))


def test_idx_6_refused() -> None:
    """The encoder refuses the first index that does not fit."""
    with pytest.raises(ValueError, match="IDX-6"):
        indices.pack([262144])


def test_binary32_is_that_of_the_machine() -> None:
    """The oracle's own rounding agrees with the machine's, ties and subnormals among them."""
    draw = seeded(4)
    for _ in range(2000):
        x = math.ldexp(draw.randrange(2**25), draw.randrange(-160, 100))
        assert Fraction(pa.array([x]).cast(pa.float32(), safe=False)[0].as_py()) == nearest(Fraction(x))


def test_binary32_ends() -> None:
    """Half a unit above the largest number is infinite; the neighbours of 0 are the subnormals."""
    assert (None, LARGEST) == (nearest(LARGEST + 2**103), nearest(LARGEST + 2**103 - 1))
    assert (SMALLEST, None, Fraction(0)) == (following(Fraction(0)), following(LARGEST), following(-SMALLEST))


def test_enclosure() -> None:
    """The enclosures are narrow, hold known values, and do not overflow."""
    half = log(Fraction(1, 2))
    digits = Fraction("-0.69314718055994530941723212145817656807550013436025525412068")
    assert half.low < digits < half.high
    same = log_sum_exp([Fraction(10) ** 38] * 2)
    assert same.low < Fraction(10) ** 38 - digits < same.high


# One fault at a time


def _set(name: str, value: Any, at: int | None = None) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        if at is None:
            row[name] = value
        else:
            row[name][at] = value

    return change


def _drop(name: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row[name] = row[name][:-1]

    return change


def _copy_index(name: str, source: int, target: int, source_name: str | None = None) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        row[name][target] = row[source_name or name][source]

    return change


def _delete(name: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        del row[name]

    return change


def _padding(row: Row) -> None:
    row["sampled_indices_high"] = row["sampled_indices_high"][:-1] + b"\xfc"


def _wide(row: Row) -> None:
    """Make a range a third wider than the logits, by codes that do not reach its upper end."""
    count = row["top_counts"][0]
    row["top_max"][0] += 1.0
    low, high = Fraction(row["top_min"][0]), Fraction(row["top_max"][0])
    codes = row["top_logits_quantized"]
    for k in range(count):
        codes[k] = round(codes[k] * (high - 1 - low) / (high - low))


def _raise_tail(row: Row) -> None:
    row["sampled_max"][0] = row["top_min"][0] + 0.5


def _swap(row: Row) -> None:
    for name in ("top_logits_quantized", "top_indices_low"):
        row[name][0], row[name][1] = row[name][1], row[name][0]


FAULTS: list[tuple[str, Callable[[Row], None]]] = [
    ("COL-1", _delete("logsumexp")),
    ("COL-2", _set("top_counts", "three")),
    ("COL-2", _set("top_min", "7", 0)),
    ("COL-3", _set("top_max", None)),
    ("COL-3", _set("token_ids", None, 1)),
    ("ROW-1", _set("num_tokens", 0)),
    ("ROW-1", _set("num_tokens", 2**31)),
    ("ROW-2", _drop("sampled_min")),
    ("ROW-2", _drop("top_counts")),
    ("ROW-3", _drop("top_logits_quantized")),
    ("ROW-3", _drop("top_indices_low")),
    ("ROW-4", _drop("sampled_logits_quantized")),
    ("ROW-4", _drop("sampled_indices_low")),
    ("IDX-1", _set("top_indices_low", -1, 0)),
    ("IDX-1", _set("sampled_indices_low", 65536, 0)),
    ("IDX-3", _drop("top_indices_high")),
    ("IDX-3", _drop("sampled_indices_high")),
    ("IDX-4", _padding),
    ("IDX-5", _set("sampled_indices_low", VOCAB, 0)),
    ("QNT-1", _set("top_min", math.nan, 0)),
    ("QNT-1", _set("sampled_max", math.inf, 1)),
    ("QNT-1", _set("sampled_max", -1e6, 1)),
    ("QNT-1", _set("sampled_max", 1e300, 1)),
    ("QNT-5", _wide),
    ("QNT-8", _set("top_logits_quantized", 65536, 0)),
    ("NUC-1", _set("top_counts", 0, 0)),
    ("NUC-1", _set("top_counts", 256, 0)),
    ("NUC-2", _copy_index("top_indices_low", 0, 1)),
    ("NUC-3", _raise_tail),
    ("NUC-7", _swap),
    ("TAIL-1", _copy_index("sampled_indices_low", 0, 1)),
    ("TAIL-2", _copy_index("sampled_indices_low", 0, 0, "top_indices_low")),
    ("LSE-1", _set("logsumexp", math.nan, 0)),
    ("LSE-2", _set("logsumexp", 1.0, 0)),
    ("LSE-3", _set("logsumexp", 40.0, 0)),
    ("ALN-4", _set("token_ids", VOCAB, 0)),
    ("ALN-4", _set("token_ids", -1, 0)),
    ("ALN-4", _drop("token_ids")),
]


@pytest.mark.parametrize(("requirement", "change"), FAULTS)
def test_one_fault(requirement: str, change: Callable[[Row], None]) -> None:
    """One fault in a sound row gives findings of its requirement and of no other (CHK-1, CHK-3)."""
    row = sound_row()
    change(row)
    assert {requirement} == requirements(judge_row(row, facts()))


@pytest.mark.parametrize("seed", range(8))
def test_sound_rows(seed: int) -> None:
    """An honest row is not blamed, with and without metadata (CHK-2)."""
    row = sound_row(4, seed)
    assert ([], []) == (judge_row(row, facts()), judge_row(row))


def test_row_4_stands_on_the_counts() -> None:
    """Where `top_counts` tells another number of tokens, the tail cannot be divided among them (ROW-2, not ROW-4)."""
    row = sound_row()
    row["num_tokens"] = 5
    assert {"ROW-2"} == requirements(judge_row(row))


@pytest.mark.parametrize("change", [_copy_index("sampled_indices_low", 0, 1), _raise_tail])
def test_masses_stand_on_the_sets(change: Callable[[Row], None]) -> None:
    """NUC-4 is not judged for a token of which LSE-2 is not: what was not judged does not hold."""
    row = sound_row(1)
    change(row)
    assert "NUC-4" not in requirements(judge_row(row, _nucleus(top_p=0.99999)))


def _nucleus(**changes: Any) -> Metadata:
    return facts(nucleus={**DESCRIBED["nucleus"], **changes})


@pytest.mark.parametrize(
    ("requirement", "meta"),
    [
        ("NUC-4", _nucleus(top_p=0.9999)),
        ("NUC-5", _nucleus(top_p=0.2)),
        ("NUC-6", _nucleus(rule="below", top_p=0.5)),
        ("NUC-8", _nucleus(max_entries=1)),
    ],
)
def test_another_rule_is_declared(requirement: str, meta: Metadata) -> None:
    """A sound row under metadata that describe another nucleus."""
    assert {requirement} == requirements(judge_row(sound_row(), meta))


def test_nuc_6_holds_for_the_longest_run() -> None:
    """A `covering` nucleus at 0.98 is a `below` nucleus at 1."""
    assert [] == judge_row(sound_row(), _nucleus(rule="below", top_p=1))


def test_qnt_4() -> None:
    """A code in an empty range."""
    row = stored(example("row-stored"))
    row["sampled_logits_quantized"][2] = 1
    expected = Finding("QNT-4", "code 1 in an empty range", token=1, entry=0, column="sampled_logits_quantized")
    assert [expected] == judge_row(row)


def test_wide_types_mean_binary32() -> None:
    """A float64 in place of a float32 means its rounded value: an end that rounds to the other empties the range."""
    row = stored(example("row-stored"))
    row["sampled_min"][1] = math.nextafter(-2.0, 0)
    assert [] == judge_row(row)


# Files and datasets


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("rows.parquet", b" \n{}", {"JSON-1"}),
        ("rows.ndjson", b"", set()),
        ("rows.jsonl", b"", set()),
        ("rows.json", b"", {"FILE-1"}),
        ("rows.ndjson", b"PAR1", {"FILE-1"}),
        ("rows.parquet", b"rows", {"FILE-1"}),
    ],
)
def test_first_bytes_tell_the_container(tmp_path: Path, name: str, data: bytes, expected: set[str]) -> None:
    """The name of a file counts only where its bytes say nothing."""
    (tmp_path / name).write_bytes(data)
    assert expected == ids(tmp_path / name)


def test_what_was_read_is_judged(tmp_path: Path) -> None:
    """A stream that is cut inside its second batch: the rows of the first one are judged."""
    row = sound_row()
    row["logsumexp"][0] = math.inf
    table = pa.Table.from_pylist([row, sound_row()], pa.schema(list(ARROW.items())))
    with pa.ipc.new_stream(tmp_path / "rows.arrows", table.schema) as sink:
        sink.write_table(table, max_chunksize=1)
    data = (tmp_path / "rows.arrows").read_bytes()
    (tmp_path / "rows.arrows").write_bytes(data[:-30])
    assert {"FILE-1", "LSE-1"} == ids(tmp_path / "rows.arrows")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_sound_files(tmp_path: Path, suffix: str) -> None:
    """A sound file of each container, described."""
    assert [] == judge_path(write(tmp_path / f"rows{suffix}", [sound_row(), sound_row(2, 9)], DESCRIBED))


def test_sound_json(tmp_path: Path) -> None:
    """Sound stored JSON."""
    assert [] == judge_path(write_json(tmp_path / "rows.ndjson", [sound_row(), sound_row(2, 9)]))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
@pytest.mark.parametrize("change", ["short", "long", "empty"])
def test_file_1(tmp_path: Path, suffix: str, change: str) -> None:
    """A file cut short, a file with bytes left over, and no bytes at all."""
    path = write(tmp_path / f"rows{suffix}", [sound_row()])
    data = path.read_bytes()
    path.write_bytes({"short": data[:-20], "long": data + b"left over", "empty": b""}[change])
    assert {"FILE-1"} == ids(path)


def test_file_1_by_checksum(tmp_path: Path) -> None:
    """A flipped bit in a page that has a checksum (FILE-5)."""
    path = write(tmp_path / "rows.parquet", [sound_row()])
    data = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    data[chunk.dictionary_page_offset + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(data)
    assert {"FILE-1"} == ids(path)


def test_file_2_metadata(tmp_path: Path) -> None:
    """Two files of which one is described and the other is not."""
    write(tmp_path / "a.parquet", [sound_row()], DESCRIBED)
    write(tmp_path / "b.parquet", [sound_row()])
    assert ["FILE-2"] == [finding.requirement for finding in judge_path(tmp_path)]


def test_file_2_types(tmp_path: Path) -> None:
    """Two files with different, accepted types."""
    write(tmp_path / "a.parquet", [sound_row()])
    write(tmp_path / "b.parquet", [sound_row()], num_tokens=pa.int64())
    assert {"FILE-2", "COL-5"} == ids(tmp_path)


def test_file_2_token_ids(tmp_path: Path) -> None:
    """Two files of which one has token ids."""
    row = sound_row()
    write(tmp_path / "a.parquet", [row])
    del row["token_ids"]
    write(tmp_path / "b.parquet", [row])
    assert ["FILE-2"] == [finding.requirement for finding in judge_path(tmp_path)]


def test_file_2_and_statistics(tmp_path: Path) -> None:
    """Alignment is not judged over files that do not agree."""
    row = sound_row(102)
    row["token_ids"] = [0, *row["token_ids"][:-1]]
    write(tmp_path / "a.arrow", [row], DESCRIBED)
    alone = ids(tmp_path)
    write(tmp_path / "b.arrow", [row])
    assert ({"ALN-5"}, {"FILE-2"}) == (alone, ids(tmp_path))


def test_file_2_beside(tmp_path: Path) -> None:
    """Metadata in the file that differ from those beside it."""
    path = write(tmp_path / "a.parquet", [sound_row()], DESCRIBED)
    (tmp_path / "logitpack.json").write_text(json.dumps({**DESCRIBED, "temperature": 1}), encoding="utf-8")
    assert {"FILE-2"} == ids(path)


def test_json_values_are_equal(tmp_path: Path) -> None:
    """The order of members and the spelling of numbers make no difference between metadata."""
    path = write(tmp_path / "a.parquet", [sound_row()], {**DESCRIBED, "temperature": 1})
    other = dict(reversed({**DESCRIBED, "temperature": 1.0}.items()))
    (tmp_path / "logitpack.json").write_text(json.dumps(other), encoding="utf-8")
    assert [] == judge_path(path)


def test_hidden_files_are_no_part(tmp_path: Path) -> None:
    """Files and folders that begin with a dot or an underscore are left out."""
    write(tmp_path / "a.parquet", [sound_row()])
    for name in (".b.parquet", "_c/d.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no file")
    assert [] == judge_path(tmp_path)


@pytest.mark.parametrize("cut", [1, 5, 8])
def test_file_3(tmp_path: Path, cut: int) -> None:
    """A stream that ends between two messages, or inside its end marker; its rows are judged."""
    row = sound_row()
    row["num_tokens"] = 0
    path = write(tmp_path / "rows.arrows", [row])
    path.write_bytes(path.read_bytes()[:-cut])
    assert {"FILE-3", "ROW-1"} == ids(path)


def test_file_4(tmp_path: Path) -> None:
    """A Parquet file without checksums."""
    path = tmp_path / "rows.parquet"
    pq.write_table(pq.read_table(write(path, [sound_row()])), path)
    assert {"FILE-4"} == ids(path)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf{}\n", b"[]\n", b'{"num_tokens"\n', b'{"a": NaN}\n', b'{"a": "\xff"}\n', b"\n", b"null\n"]
)
def test_json_1(tmp_path: Path, data: bytes) -> None:
    """Lines that are no JSON object."""
    path = tmp_path / "rows.ndjson"
    path.write_bytes(data)
    assert {"JSON-1"} == ids(path)


@pytest.mark.parametrize("text", ["5AA", "5AB=", "5AA= ", "_AA=", "5A==AA=="])
def test_json_2(tmp_path: Path, text: str) -> None:
    """Binary that a lenient decoder would take."""
    path = write_json(tmp_path / "rows.ndjson", [stored(example("row-stored"))])
    path.write_text(path.read_text(encoding="utf-8").replace("5AA=", text), encoding="utf-8")
    assert {"JSON-2"} == ids(path)


def test_json_numbers_are_rounded_once() -> None:
    """A number just above a tie of binary32 rounds up, although its binary64 value is the tie."""
    text = example("row-stored").replace("[7.0, 3.0]", "[2.000000119209289550781250000001, 2.00000011920928955078125]")
    assert [[2.0 + 2.0**-22, 2.0]] == [row["top_min"] for row in load(" ".join(text.split()).encode(), "rows").rows]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"num_tokens": 2', '"num_tokens": 2.0', "COL-2"),
        ('"num_tokens": 2', '"num_tokens": 2e0', "COL-2"),
        ('"num_tokens": 2', '"num_tokens": null', "COL-3"),
        ('"num_tokens": 2', '"num_tokens": 1' + 5000 * "0", "ROW-1"),
        ('"num_tokens": 2', '"num_tokens": 2, "num_tokens": 2', "COL-1"),
        ('"num_tokens": 2', '"num_tokens": 2, "token_ids": [1, 2], "token_ids": [1, 2]', "COL-1"),
        ("10.25", "1e400", "LSE-1"),
        ("10.25", '"inf"', "COL-2"),
        ("10.0", "3.5e38", "QNT-1"),
    ],
)
def test_json_values(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Each way to be wrong has its requirement (section 4.3)."""
    text = " ".join(example("row-stored").split())
    (tmp_path / "rows.ndjson").write_text(text.replace(old, new) + "\n", encoding="utf-8")
    assert {expected} == ids(tmp_path / "rows.ndjson")


def test_json_ends_at_a_broken_line(tmp_path: Path) -> None:
    """The lines before one that cannot be understood are judged, those after it are not."""
    text = " ".join(example("row-stored").split())
    lines = [text.replace("10.25", '"NaN"'), text.replace("num_tokens", "tokens"), text.replace("2", "0"), ""]
    (tmp_path / "rows.ndjson").write_text("\n".join(lines), encoding="utf-8")
    assert {"LSE-1", "COL-1"} == ids(tmp_path / "rows.ndjson")


def test_json_token_ids(tmp_path: Path) -> None:
    """`token_ids` is a column of all lines or of none."""
    rows = [sound_row(), sound_row()]
    del rows[1]["token_ids"]
    assert {"COL-1"} == ids(write_json(tmp_path / "rows.ndjson", rows))


def test_json_is_core(tmp_path: Path) -> None:
    """Metadata beside stored JSON do not count, metadata that are given do."""
    path = write_json(tmp_path / "rows.ndjson", [sound_row()])
    (tmp_path / "logitpack.json").write_text(json.dumps({**DESCRIBED, "alignment": "follows"}), encoding="utf-8")
    given = {**DESCRIBED, "alignment": "unspecified"}
    assert (set(), {"ALN-6"}) == (ids(path), ids(path, given))


def test_json_non_finite(tmp_path: Path) -> None:
    """The three strings stand for numbers, and break QNT-1 there."""
    row = stored(example("row-stored"))
    row["top_max"][0] = "Infinity"
    assert {"QNT-1"} == ids(write_json(tmp_path / "rows.ndjson", [row]))


def test_col_1_twice(tmp_path: Path) -> None:
    """Two columns of one name."""
    table = pa.Table.from_pylist([sound_row()], pa.schema(list(ARROW.items())))
    table = table.append_column("top_min", table["top_max"])
    with pa.ipc.new_file(tmp_path / "rows.arrow", table.schema) as sink:
        sink.write_table(table)
    assert {"COL-1"} == ids(tmp_path / "rows.arrow")


@pytest.mark.parametrize(
    ("column", "typed", "expected"),
    [
        ("num_tokens", pa.float64(), {"COL-2"}),
        ("top_counts", pa.list_(pa.decimal128(10)), {"COL-2"}),
        ("token_ids", pa.list_(pa.float32()), {"COL-2"}),
        ("num_tokens", pa.uint64(), {"COL-5"}),
        ("top_min", pa.list_(pa.float64()), {"COL-5"}),
        ("top_indices_high", pa.binary_view(), {"COL-5"}),
        ("logsumexp", pa.large_list(pa.float64()), {"COL-5"}),
        ("top_counts", pa.list_view(pa.int16()), {"COL-5"}),
        ("sampled_min", pa.list_(pa.float32(), 3), {"COL-5"}),
        ("top_counts", pa.list_(pa.field("item", pa.uint8(), nullable=False)), set()),
    ],
)
def test_types(tmp_path: Path, column: str, typed: pa.DataType, expected: set[str]) -> None:
    """Types that are refused, accepted, and canonical."""
    assert expected == ids(write(tmp_path / "rows.arrow", [sound_row()], **{column: typed}))


def test_row_5(tmp_path: Path) -> None:
    """One finding for each row whose stride is not that of the first."""
    path = write(tmp_path / "rows.arrow", [sound_row(), sound_row(stride=2), sound_row()], DESCRIBED)
    assert [("ROW-5", 1)] == [(finding.requirement, finding.row) for finding in judge_path(path)]


def test_row_5_judges_sound_rows(tmp_path: Path) -> None:
    """A row that cannot be understood has no stride to compare."""
    other = sound_row(stride=2)
    other["logsumexp"][0] = math.nan
    assert {"LSE-1"} == ids(write(tmp_path / "rows.arrow", [other, sound_row(), sound_row()], DESCRIBED))


def test_tail_4(tmp_path: Path) -> None:
    """A stride other than the one declared."""
    assert {"TAIL-4"} == ids(write(tmp_path / "rows.arrow", [sound_row(stride=2)], DESCRIBED))


def test_aln_6(tmp_path: Path) -> None:
    """A declared alignment other than `predicts`."""
    assert {"ALN-6"} == ids(write(tmp_path / "rows.arrow", [sound_row()], {**DESCRIBED, "alignment": "follows"}))


def test_aln_5(tmp_path: Path) -> None:
    """Entries filled from the position of their own token are found one token late."""
    row = sound_row(102)
    sound = ids(write(tmp_path / "sound.arrow", [row]))
    row["token_ids"] = [0, *row["token_ids"][:-1]]
    assert (set(), {"ALN-5"}) == (sound, ids(write(tmp_path / "late.arrow", [row])))


def test_aln_5_takes_as_often() -> None:
    """Tokens that are found as often in a neighbour's nucleus do not fail the test."""
    assert not statistics.is_misaligned([([{1}] * 101, [1] * 101)])


@pytest.mark.parametrize("uniform", [True, False])
def test_tail_3(*, uniform: bool) -> None:
    """Tails that are drawn uniformly, and tails that favour small indices."""
    draw = seeded(5)
    pairs = []
    for _ in range(200):
        nucleus = draw.sample(range(1000), 40)
        rest = [v for v in range(1030) if v not in nucleus]
        pairs.append((nucleus, draw.sample(rest, 40) if uniform else sorted(draw.sample(rest, 60))[:40]))
    assert (not uniform) == statistics.is_uneven(pairs, 1000)


def test_tail_3_is_reported(tmp_path: Path) -> None:
    """A dataset whose tails are the smallest indices outside the nucleus."""
    row = sound_row(450, vocab=VOCAB * 2, stride=24)
    start = 0
    for i, count in enumerate(row["top_counts"]):
        nucleus = row["top_indices_low"][start : start + count]
        free = [v for v in range(VOCAB * 2) if v not in nucleus]
        row["sampled_indices_low"][24 * i : 24 * i + 24] = free[:24]
        start += count
    meta = {**DESCRIBED, "vocab_size": VOCAB * 2, "tail": {"num_sampled": 24, "method": "uniform"}}
    assert {"TAIL-3"} == ids(write(tmp_path / "rows.arrow", [row], meta))


def test_bins() -> None:
    """The sizes of the bins are those of counting."""
    for size in (1, 63, 64, 65, 1000, 151669 % 4096):
        counted = [0] * 64
        for v in range(size):
            counted[64 * v // size] += 1
        assert counted == statistics.bin_sizes(size)


# Metadata


def _text(**changes: Any) -> bytes:
    return json.dumps({**DESCRIBED, **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\xef\xbb\xbf" + _text(),
        b"[]",
        b"{}",
        _text()[:-1] + b', "vocab_size": 40}',
        _text(vocab_size=40.5),
        _text(vocab_size=True),
        _text(spec_version="1.0\n"),
        _text(spec_version=1.0),
        _text(spec_version="01.0"),
        _text(temperature=0.7),
        _text(nucleus={"rule": "covering"}),
        _text(nucleus={"rule": "below", "top_p": 1.5, "max_entries": 9}),
        _text(nucleus={"rule": "below", "top_p": 0.5, "max_entries": 256}),
        _text(seed=math.nan),
        _text(alignment="other"),
        _text(tokenizer={"id": "example/teacher", "size": VOCAB + 1}),
    ],
)
def test_meta_1(data: bytes) -> None:
    """Metadata that are not valid."""
    assert {"META-1"} == requirements(read_metadata(data).findings)


@pytest.mark.parametrize(
    "data", [_text(vocab_size=40.0), _text(extra={"a": 1}), _text(spec_version="1.9"), _text(temperature=1.0)]
)
def test_meta_1_holds(data: bytes) -> None:
    """Numbers without a fraction are integers; members and minor versions may be unknown (META-3, META-6)."""
    assert [] == read_metadata(data).findings


def test_meta_1_is_treated_as_absent(tmp_path: Path) -> None:
    """Rows under invalid metadata are judged as Core."""
    path = write(tmp_path / "rows.arrow", [sound_row()], {**DESCRIBED, "vocab_size": -3})
    assert {"META-1"} == ids(path)


@pytest.mark.parametrize("broken", [b"{}", b" " * 1_048_577])
def test_metadata_in_force(tmp_path: Path, broken: bytes) -> None:
    """What breaks META-1 or META-7 counts as absent: the next in order is in force."""
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "rows.arrow", [sound_row()], {**DESCRIBED, "tail": None})
    (folder / "logitpack.json").write_bytes(broken)
    (tmp_path / "logitpack.json").write_bytes(_text(alignment="follows"))
    name = "META-1" if broken == b"{}" else "META-7"
    assert {"META-1", name, "ALN-6"} == ids(tmp_path)


def test_invalid_metadata_are_not_compared(tmp_path: Path) -> None:
    """A file whose metadata count as absent does not differ from the others in them."""
    write(tmp_path / "a.arrow", [sound_row()], {**DESCRIBED, "tail": None})
    write(tmp_path / "b.arrow", [sound_row()], DESCRIBED)
    assert {"META-1"} == ids(tmp_path)


def test_meta_2(tmp_path: Path) -> None:
    """Of a file of another major version nothing else is judged."""
    row = sound_row()
    row["logsumexp"][0] = math.nan
    path = write(tmp_path / "rows.arrow", [row], {"spec_version": "2.0"})
    assert {"META-2"} == ids(path)


def test_meta_7() -> None:
    """One byte too many."""
    longest = _text() + b" " * (1_048_576 - len(_text()))
    assert ([], ["META-7"]) == (
        read_metadata(longest).findings,
        [finding.requirement for finding in read_metadata(longest + b" ").findings],
    )


def test_given_metadata(tmp_path: Path) -> None:
    """Metadata that come with the question describe a file that has none."""
    path = write(tmp_path / "rows.arrow", [sound_row()])
    assert {"ALN-6"} == ids(path, {**DESCRIBED, "alignment": "unspecified"})


def test_given_metadata_have_to_be_valid(tmp_path: Path) -> None:
    """They are the caller's fault, not the file's."""
    with pytest.raises(ValueError, match="META-2"):
        judge_path(write(tmp_path / "rows.arrow", [sound_row()]), {**DESCRIBED, "spec_version": "2.0"})


def test_columns_are_those_of_the_schema() -> None:
    """The oracle's columns, written from the text, are those of schema/columns.json."""
    listed = json.loads((ROOT / "schema" / "columns.json").read_text(encoding="utf-8"))["columns"]
    expected = [(c["name"], c["type"] if c["kind"] != "list" else c["type"][5:-1]) for c in listed]
    assert expected == [(c.name, c.canonical) for c in NAMED]
