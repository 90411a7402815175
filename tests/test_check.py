"""The checker: each fault gives its own requirement and nothing else, valid data gives nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.rows import STRIDE, Row, described, valid_rows, with_token_ids
from support import table, write_parquet

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "fixtures" / "real" / "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Make valid rows with token ids; tests change copies."""
    return with_token_ids(valid_rows())


def ids(path: Path, **options: Any) -> list[str]:
    """Give the requirements that a check finds broken, of all files, in order."""
    report = logitpack.check(path, **options)
    return [finding.requirement for file in report.files for finding in file.findings]


def test_valid_rows_have_no_finding(tmp_path: Path, rows: list[Row]) -> None:
    """Valid rows in canonical types are valid, without so much as a warning."""
    path = write_parquet(tmp_path / "valid.parquet", table(rows, metadata=described()))
    report = logitpack.check(path)
    assert (report.verdict, report.files[0].findings) == ("valid", ())
    assert (report.files[0].profile, report.files[0].rows, report.files[0].tokens) == ("Described", 3, 12)


def test_real_dataset_has_no_finding() -> None:
    """The dataset of a real model is valid, and large enough for the tests over a dataset to be made."""
    report = logitpack.check(REAL)
    assert [(file.verdict, file.profile, file.findings) for file in report.files] == [("valid", "Described", ())]


@pytest.mark.parametrize("name", FAULTS)
def test_single_fault(tmp_path: Path, rows: list[Row], name: str) -> None:
    """A single fault is found by its own requirement and no other, in wide types, which leave room for any value."""
    broken, metadata = copy.deepcopy(rows), copy.deepcopy(described())
    FAULTS[name].apply(broken, metadata)
    path = write_parquet(tmp_path / "broken.parquet", table(broken, wide=True, metadata=metadata))
    assert [name for name in ids(path) if name != "COL-5"] == [FAULTS[name].requirement]


def test_types_that_are_not_canonical_are_a_warning(tmp_path: Path, rows: list[Row]) -> None:
    """Wide types are valid; each column is told (COL-5)."""
    path = write_parquet(tmp_path / "wide.parquet", table(rows, wide=True, metadata=described()))
    report = logitpack.check(path)
    assert report.verdict == "valid"
    (finding,) = report.files[0].findings
    assert (finding.requirement, finding.count) == ("COL-5", len(rows[0]))


def test_absent_column(tmp_path: Path, rows: list[Row]) -> None:
    """A column that is not there is COL-1, and the rows are not judged."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()).drop_columns(["top_min"]))
    assert ids(path) == ["COL-1"]


def test_wrong_type(tmp_path: Path, rows: list[Row]) -> None:
    """A column of strings is COL-2."""
    content = table(rows, metadata=described())
    content = content.set_column(0, "num_tokens", content["num_tokens"].cast(pa.string()))
    assert ids(write_parquet(tmp_path / "x.parquet", content)) == ["COL-2"]


def test_pages_without_checksum(tmp_path: Path, rows: list[Row]) -> None:
    """A Parquet file without page checksums is valid, with a warning."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()), write_page_checksum=False)
    assert (ids(path), logitpack.check(path).verdict) == (["FILE-4"], "valid")


def test_flipped_byte_in_a_page(tmp_path: Path, rows: list[Row]) -> None:
    """A page that does not match its checksum is FILE-1 (FILE-5)."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()), compression="none")
    content = bytearray(path.read_bytes())
    at = content.index(np.array(rows[-1]["logsumexp"]).tobytes()[:8])
    content[at] ^= 1
    path.write_bytes(content)
    assert ids(path) == ["FILE-1"]


def test_truncated_file(tmp_path: Path, rows: list[Row]) -> None:
    """A file that was cut short is FILE-1."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()))
    path.write_bytes(path.read_bytes()[:-20])
    assert ids(path) == ["FILE-1"]


def test_stream_without_end(tmp_path: Path, rows: list[Row]) -> None:
    """An Arrow stream without its end marker is FILE-3; its rows are still counted."""
    path = tmp_path / "x.arrows"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table(rows).schema) as writer:
        writer.write_table(table(rows))
    path.write_bytes(path.read_bytes()[:-8])
    report = logitpack.check(path)
    assert ([finding.requirement for finding in report.files[0].findings], report.files[0].rows) == (["FILE-3"], 3)


def test_core_file(tmp_path: Path, rows: list[Row]) -> None:
    """A file without metadata is Core; nothing that only metadata declares is judged."""
    report = logitpack.check(write_parquet(tmp_path / "x.parquet", table(rows)))
    assert (report.verdict, report.files[0].profile, report.files[0].findings) == ("valid", "Core", ())


def test_given_metadata_judges_a_core_file(tmp_path: Path, rows: list[Row]) -> None:
    """Metadata given to the checker is what a Core file is judged by."""
    path = write_parquet(tmp_path / "x.parquet", table(rows))
    metadata = logitpack.Metadata.from_dict(described(vocab_size=1000))
    assert set(ids(path, metadata=metadata)) == {"IDX-5", "ALN-4"}


def test_sidecar_judges_a_core_file(tmp_path: Path, rows: list[Row]) -> None:
    """logitpack.json beside a file makes it Described."""
    path = write_parquet(tmp_path / "x.parquet", table(rows))
    (tmp_path / "logitpack.json").write_text(json.dumps(described()))
    assert (logitpack.check(path).files[0].profile, ids(path)) == ("Described", [])


def test_sidecar_that_differs(tmp_path: Path, rows: list[Row]) -> None:
    """Metadata in a file and beside it have to be equal (FILE-2)."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()))
    (tmp_path / "logitpack.json").write_text(json.dumps(described(temperature=1.0)))
    assert ids(path) == ["FILE-2"]
    found = logitpack.check(path).files[0].findings[0]
    assert "temperature is absent in the file's metadata, but 1.0 in logitpack.json" == found.message


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"temperature": 1.0}, "temperature is 1.0, but absent"),
        ({"z": "absent"}, "z is 'absent', but absent"),
        ({"vocab_size": 80_000}, "vocab_size is 80000, but 70000"),
        ({"tokenizer": {"id": "me/other"}}, "tokenizer.id is 'me/other', but '"),
        ({"x" * 70: [True, {"y": 1}]}, "x" * 60 + "… is [True, {'y': 1}], but absent"),
    ],
)
def test_shards_whose_metadata_differ(tmp_path: Path, rows: list[Row], change: dict[str, Any], text: str) -> None:
    """Shards of a dataset have equal metadata (FILE-2); of one that differs from the first, it is told in what."""
    write_parquet(tmp_path / "data" / "a.parquet", table(rows, metadata=described()))
    write_parquet(tmp_path / "data" / "b.parquet", table(rows, metadata=described(**change)))
    report = logitpack.check(tmp_path)
    assert [[finding.requirement for finding in file.findings] for file in report.files] == [[], ["FILE-2"]]
    assert f"the metadata's {text}" in report.files[1].findings[0].message


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_jobs(tmp_path: Path, rows: list[Row], jobs: int) -> None:
    """Nobody to judge is the caller's error."""
    with pytest.raises(logitpack.UsageError, match=f"jobs is {jobs}, allowed 1 or more"):
        logitpack.check(write_parquet(tmp_path / "x.parquet", table(rows)), jobs=jobs)


def test_no_paths() -> None:
    """Nothing is not valid: a list of files that came out empty is to be noticed."""
    with pytest.raises(logitpack.UsageError, match="no path is given"):
        logitpack.check([])


def test_a_shard_without_metadata(tmp_path: Path, rows: list[Row]) -> None:
    """Metadata in one shard are none in another (FILE-2)."""
    write_parquet(tmp_path / "a.parquet", table(rows, metadata=described()))
    write_parquet(tmp_path / "b.parquet", table(rows))
    found = logitpack.check(tmp_path).files[1].findings[0]
    assert ("FILE-2", "absent", "present") == (found.requirement, found.spots[0].got, found.spots[0].allowed)


def test_broken_sidecar_is_named(tmp_path: Path, rows: list[Row]) -> None:
    """What is wrong with logitpack.json is not blamed on the data file (META-1)."""
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=described()))
    (tmp_path / "logitpack.json").write_text("{")
    (finding,) = logitpack.check(path).files[0].findings
    assert finding.requirement == "META-1"
    assert finding.message.startswith(f"{tmp_path / 'logitpack.json'}: metadata is not valid: ")


def test_broken_page_has_its_place(tmp_path: Path, rows: list[Row]) -> None:
    """A page that does not match its checksum is told by row group and column (FILE-1)."""
    content = table(rows, metadata=described())
    path = write_parquet(tmp_path / "x.parquet", content, compression="none", use_dictionary=False, row_group_size=1)
    data = bytearray(path.read_bytes())
    data[data.index(np.array(rows[2]["logsumexp"]).tobytes()[:16])] ^= 1
    path.write_bytes(data)
    (finding,) = logitpack.check(path).files[0].findings
    (place,) = finding.places
    assert (finding.requirement, place.row_group, place.column) == ("FILE-1", 2, "logsumexp.list.element")


@pytest.mark.parametrize(
    ("column", "value", "requirement"),
    [
        ("top_indices_low", np.zeros(20_000_000, np.uint16), "ROW-3"),
        ("sampled_indices_low", np.zeros(20_000_000, np.uint16), "ROW-4"),
    ],
)
def test_claims_are_bounded(
    tmp_path: Path, rows: list[Row], column: str, value: np.ndarray[Any, Any], requirement: str
) -> None:
    """A few kilobytes that claim many millions of entries for a token are refused before they are decoded."""
    content = table(rows[1:2])
    lists = pa.ListArray.from_arrays(pa.array([0, value.size], pa.int32()), pa.array(value))
    content = content.set_column(content.schema.get_field_index(column), column, lists)
    path = write_parquet(tmp_path / "x.parquet", content, compression="zstd")
    (finding,) = logitpack.check(path).files[0].findings
    assert (finding.requirement, finding.message.split(" ")[1]) == (requirement, "claims")


def test_short_column_beside_many_entries_is_what_is_found(tmp_path: Path) -> None:
    """Where every logsumexp is absent from a large row group, that is found (ROW-2), not its many entries."""
    rng = np.random.default_rng(3)
    flat = rng.normal(0, 0.01, (40, 2000)).astype(np.float32)  # each nucleus has 100 entries
    row = pa.Table.from_batches([logitpack.encode(logitpack.select(flat, rng=rng))])
    content = pa.concat_tables([row] * 300).combine_chunks()
    empty = pa.array([[]] * 300, content.schema.field("logsumexp").type)
    content = content.set_column(content.schema.get_field_index("logsumexp"), "logsumexp", empty)
    assert ids(write_parquet(tmp_path / "x.parquet", content)) == ["ROW-2"]


def test_row_beyond_any_reader_is_refused(tmp_path: Path, rows: list[Row]) -> None:
    """A row that claims more tokens than can be read is said to be so; the file is not called invalid."""
    content = table(rows[1:2])
    zeros = pa.array(np.zeros(17_000_000, np.float64))
    lists = pa.ListArray.from_arrays(pa.array([0, len(zeros)], pa.int32()), zeros)
    content = content.set_column(content.schema.get_field_index("logsumexp"), "logsumexp", lists)
    path = write_parquet(tmp_path / "x.parquet", content, compression="zstd")
    with pytest.raises(logitpack.UsageError, match=r"17,000,000 tokens in 1 rows are more than can be read"):
        logitpack.check(path)


def test_name_that_is_no_utf8(tmp_path: Path, rows: list[Row]) -> None:
    """A file is read whatever the bytes of its name are."""
    path = write_parquet(tmp_path / "x.parquet", table(rows)).rename(tmp_path / "b\udcff.parquet")
    assert logitpack.check(path).verdict == "valid"


def test_shards_whose_types_differ(tmp_path: Path, rows: list[Row]) -> None:
    """Shards of a dataset have the same types (FILE-2)."""
    write_parquet(tmp_path / "a.parquet", table(rows, metadata=described()))
    write_parquet(tmp_path / "b.parquet", table(rows, wide=True, metadata=described()))
    assert "FILE-2" in ids(tmp_path)


def test_shards_whose_strides_differ(tmp_path: Path) -> None:
    """S is the same over all shards (ROW-5); the places are rows of the file that differs."""
    write_parquet(tmp_path / "a.parquet", table(valid_rows((2, 2))))
    write_parquet(tmp_path / "b.parquet", table(valid_rows((3,), stride=STRIDE + 1)))
    first, second = logitpack.check(tmp_path).files
    assert first.findings == ()
    assert [(f.requirement, f.count, f.places[0].row) for f in second.findings] == [("ROW-5", 1, 0)]


def test_places_are_exact(tmp_path: Path, rows: list[Row]) -> None:
    """A place has the row group, the row of the file, the token and the entry."""
    broken = copy.deepcopy(rows)
    broken[2]["sampled_indices_low"][2 * STRIDE + 3] = broken[2]["sampled_indices_low"][2 * STRIDE]
    high = bytearray(broken[2]["sampled_indices_high"])
    source, target = 2 * STRIDE, 2 * STRIDE + 3
    bits = high[source // 4] >> 2 * (source % 4) & 3
    high[target // 4] = high[target // 4] & ~(3 << 2 * (target % 4)) | bits << 2 * (target % 4)
    broken[2]["sampled_indices_high"] = bytes(high)
    path = write_parquet(tmp_path / "x.parquet", table(broken, metadata=described()), row_group_size=1)
    place = logitpack.check(path).files[0].findings[0].places[0]
    assert (place.row_group, place.row, place.token, place.entry) == (2, 2, 2, 3)
    assert place.column == "sampled_indices_low"


def test_places_are_bounded(tmp_path: Path, rows: list[Row]) -> None:
    """All places are counted, a few are kept."""
    broken = copy.deepcopy(rows)
    for row in broken:
        row["logsumexp"] = [float("nan")] * row["num_tokens"]
    path = write_parquet(tmp_path / "x.parquet", table(broken), row_group_size=1)
    finding = logitpack.check(path, places=2).files[0].findings[0]
    assert (finding.requirement, finding.count, len(finding.places)) == ("LSE-1", 12, 2)


def test_report_is_valid_against_its_schema(tmp_path: Path, rows: list[Row]) -> None:
    """The JSON report of a file with findings of every kind fits schema/check.schema.json."""
    broken = copy.deepcopy(rows)
    broken[0]["logsumexp"][0] = float("nan")
    broken[1]["num_tokens"] = 9
    path = write_parquet(tmp_path / "x.parquet", table(broken, wide=True, metadata=described(alignment="follows")))
    document = logitpack.check(path).to_json()
    jsonschema.validate(document, json.loads((ROOT / "schema" / "check.schema.json").read_text("utf-8")))
    found = {finding["requirement"] for finding in document["files"][0]["findings"]}
    assert found == {"LSE-1", "ROW-2", "COL-5", "ALN-6"}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_real_logsumexp_in_narrow_types(tmp_path: Path, dtype: type[np.floating[Any]]) -> None:
    """A logsumexp that went through binary32 is within the tolerance; one through binary16 is not (LSE-4)."""
    rows = [row for batch in logitpack.read(REAL).record_batches() for row in batch.to_pylist()]
    for row in rows:
        row["logsumexp"] = np.array(row["logsumexp"]).astype(dtype).astype(float).tolist()
    metadata = logitpack.read(REAL).metadata
    assert metadata is not None
    path = write_parquet(tmp_path / "x.parquet", table(rows, metadata=metadata.raw))
    assert (ids(path) == []) == (dtype == np.float32)
