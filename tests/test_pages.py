"""Page checksums: the footer and the page headers are read as Arrow reads them, and broken ones do no harm."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import logitpack
from logitpack.pages import chunks, first_broken, first_without_checksum
from logitpack.thrift import MalformedError, read_struct
from logitpack_conformance.rows import described, valid_rows
from support import table, write_parquet

ROWS = valid_rows((3, 2))


def extended() -> pa.Table:
    """Valid rows with columns beside them that LogitPack does not name."""
    content = table(ROWS, metadata=described())
    content = content.append_column("id", pa.array(["first row", "second row"]))
    return content.append_column("nested", pa.array([{"a": [1, 2]}, {"a": [3]}]))


def opened(path: Path) -> BytesIO:
    """Give a file as the functions take it."""
    return BytesIO(path.read_bytes())


@pytest.mark.parametrize("settings", [{}, {"compression": "zstd", "use_dictionary": False}, {"row_group_size": 1}])
def test_chunks_are_those_of_arrow(tmp_path: Path, settings: dict[str, object]) -> None:
    """Every column chunk is found where Arrow's own metadata say it is."""
    path = write_parquet(tmp_path / "x.parquet", extended(), **settings)
    footer = pq.read_metadata(path)
    expected = []
    for group in range(footer.num_row_groups):
        for number in range(footer.num_columns):
            column = footer.row_group(group).column(number)
            start = min(filter(None, [column.dictionary_page_offset, column.data_page_offset]))
            expected.append((group, column.path_in_schema, start, start + column.total_compressed_size))
    with path.open("rb") as file:
        assert expected == [chunk[:4] for chunk in chunks(file)]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_checksums_are_seen(tmp_path: Path, version: str) -> None:
    """Whether pages have checksums is told for both versions of their headers."""
    with_them = write_parquet(tmp_path / "a.parquet", extended(), data_page_version=version)
    without = write_parquet(tmp_path / "b.parquet", extended(), data_page_version=version, write_page_checksum=False)
    assert (None, (0, "num_tokens")) == tuple(
        first_without_checksum(opened(path), chunks(opened(path))) for path in (with_them, without)
    )


def test_broken_page_of_another_column_is_found(tmp_path: Path) -> None:
    """FILE-5: a flipped bit in a column that is not read is FILE-1 all the same."""
    path = write_parquet(
        tmp_path / "x.parquet", extended(), compression="none", use_dictionary=False, write_statistics=False
    )
    content = bytearray(path.read_bytes())
    content[content.index(b"second row")] ^= 1
    path.write_bytes(content)
    assert (0, "id") == first_broken(opened(path), chunks(opened(path)))
    assert first_broken(opened(path), chunks(opened(path)), passed_over=("id",)) is None
    findings = logitpack.check(path).files[0].findings
    assert [("FILE-1", "id")] == [(finding.requirement, finding.places[0].column) for finding in findings]


@pytest.mark.parametrize(("group", "found"), [(0, None), (1, (1, "id"))])
def test_row_groups_can_be_named(tmp_path: Path, group: int, found: tuple[int, str] | None) -> None:
    """Of a file that is read in parts, each part's pages are looked at by themselves."""
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False, "row_group_size": 1}
    content = bytearray(write_parquet(tmp_path / "x.parquet", extended(), **options).read_bytes())
    content[content.index(b"second row")] ^= 1
    file = BytesIO(content)
    assert found == first_broken(file, [chunk for chunk in chunks(file) if chunk.row_group == group])


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x19\xfc\xff\xff\xff\xff\x0f")
@example(b"\x1c" * 100_000)
@example(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
def test_any_bytes_are_a_struct_or_are_none(data: bytes) -> None:
    """Whatever the bytes, a struct ends within them or is none: no depth, count or length is believed."""
    try:
        _, end = read_struct(data)
    except MalformedError:
        return
    assert end <= len(data)


def test_damaged_footers_do_no_harm(tmp_path: Path) -> None:
    """Flipping each byte of the footer in turn ends in an answer: a report of the checker, whatever it says."""
    path = write_parquet(tmp_path / "x.parquet", extended(), compression="none", use_dictionary=False)
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    for at in range(len(content) - 8 - size, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        with suppress(MalformedError):
            first_without_checksum(opened(path), chunks(opened(path)))
            first_broken(opened(path), chunks(opened(path)))
