"""The reference and the oracle, two readings of SPEC.md: they find the same requirements broken in the same files."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logitpack
from agreement import agreed, read_as_agreed
from corruptions import CORRUPTIONS, damage, index, metadata, value
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.rows import Row, described, valid_rows, with_token_ids
from logitpack_conformance.stored import widened
from stored import CONTAINERS, Dataset, save

bounded = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
draws = st.randoms(use_true_random=False)


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
    for name, fault in FAULTS.items():
        yield from (
            (name, kind) for kind in CONTAINERS if kind != ".ndjson" or not fault.requirement.startswith("META")
        )


@pytest.mark.parametrize(("name", "container"), [*_pairs()])
def test_single_fault(tmp_path: Path, rows: list[Row], name: str, container: str) -> None:
    """Both find a single fault, and nothing else, whatever the container; stored JSON is given its metadata."""
    broken, members = copy.deepcopy(rows), copy.deepcopy(described())
    FAULTS[name].apply(broken, members)
    types = {field.name: widened(field.type) for field in logitpack.canonical_schema(token_ids=True)}
    path = save(Dataset(broken, json.dumps(members).encode(), types), tmp_path, "broken", container)
    found = agreed(path, members if container == ".ndjson" else None)
    assert found - {"COL-5"} == {FAULTS[name].requirement}
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
        ("x.parquet", b" " * 100_000 + b"{}\n"),
        ("x.parquet", b" " * 100_000),
        ("x.ndjson", b"\x05" + bytes(40)),
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


@pytest.mark.parametrize(
    ("twin", "expected"), [(b'"else": 1, "else": 1', {"META-2"}), (b'"spec_version": "2.0"', {"META-1"})]
)
def test_member_that_stands_twice(tmp_path: Path, rows: list[Row], twin: bytes, expected: set[str]) -> None:
    """Both take a version that stands once for the file's, whatever else stands twice."""
    raw = json.dumps(described(spec_version="2.0")).encode()[:-1] + b", " + twin + b"}"
    assert agreed(save(Dataset(rows, raw), tmp_path, "rows", ".arrow")) == expected


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


def test_checksum_of_another_column(tmp_path: Path, rows: list[Row]) -> None:
    """Both verify the checksums of columns that are nobody's (FILE-5)."""
    path = save(Dataset(rows, None, extra=True, settings={"use_dictionary": False}), tmp_path, "rows", ".parquet")
    content = bytearray(path.read_bytes())
    content[content.index(b"row 1")] ^= 1
    path.write_bytes(content)
    assert agreed(path) == {"FILE-1"}


def test_file_with_broken_columns_is_read_to_its_end(tmp_path: Path, rows: list[Row]) -> None:
    """Both go on where no row can be judged, and tell the types of the other columns."""
    types = {"num_tokens": pa.int64()}
    path = save(Dataset(rows, None, types, dropped={"top_min"}), tmp_path, "rows", ".arrows")
    path.write_bytes(path.read_bytes()[:-8])
    assert agreed(path) == {"COL-1", "COL-5", "FILE-3"}


@pytest.mark.parametrize(("one", "other", "expected"), [(1, 1.0, set()), (1, True, {"FILE-2"}), (0.5, 5e-1, set())])
def test_equal_json_values(tmp_path: Path, rows: list[Row], one: object, other: object, expected: set[str]) -> None:
    """Both compare metadata as JSON values."""
    for name, member in (("a", one), ("b", other)):
        save(Dataset(rows, json.dumps(described(extra=[member])).encode()), tmp_path, name, ".arrow")
    assert agreed(tmp_path) == expected


@pytest.mark.parametrize("embedded", [described(), {}, described(spec_version="2.0"), None], ids=str)
@pytest.mark.parametrize("near", [described(), {}, described(spec_version="2.0"), None], ids=str)
def test_metadata_in_force(tmp_path: Path, rows: list[Row], embedded: Any, near: Any) -> None:
    """Both take the embedded metadata, else those in the folder, else those at the root; invalid ones are absent."""
    (tmp_path / "data").mkdir()
    save(Dataset(rows, None if embedded is None else json.dumps(embedded).encode()), tmp_path / "data", "a", ".arrow")
    if near is not None:
        (tmp_path / "data" / "logitpack.json").write_text(json.dumps(near))
    (tmp_path / "logitpack.json").write_text(json.dumps(described(alignment="follows")))
    in_force, *rest = [m for m in (embedded, near, described(alignment="follows")) if m]
    if in_force["spec_version"] == "2.0":
        assert agreed(tmp_path) == {"META-2"}
    else:
        found = {"META-1"} if {} in (embedded, near) else set()
        found |= {"FILE-2"} if embedded and rest[0] != embedded else set()
        assert agreed(tmp_path) == found | ({"ALN-6"} if in_force["alignment"] == "follows" else set())
