"""What is told of a file as a whole, and how files and folders are read."""

import json
from pathlib import Path

import duckdb
import pytest
from support import ROOT, WORKED

import adapter
import reader

CASES = ROOT / "fixtures" / "cases"
SOUND = CASES / "types/declared/elements-required/parquet/in.parquet"
LINE = (
    '{"tokens":[{"logsumexp":10.25,"top":{"indices":[5,65541,131077],"logits":[10.0,8.249988555733577,7.0]},'
    '"sampled":{"indices":[12,262142],"logits":[-1.25,2.0]}},{"logsumexp":4.5,"top":{"indices":[262143,7],"logits":[4.0,3.0]},'
    '"sampled":{"indices":[65535,65536],"logits":[-2.0,-2.0]}}]}\n'
)
METADATA = {
    "spec_version": "1.0",
    "model": {"id": "m"},
    "tokenizer": {"id": "m", "size": 9},
    "vocab_size": 1e1,
    "nucleus": {"rule": "below", "top_p": 0.5, "max_entries": 100},
    "tail": {"num_sampled": 5, "method": "uniform"},
    "alignment": "predicts",
}


def test_worked_file(connection: duckdb.DuckDBPyConnection) -> None:
    """A file is read as logical JSON."""
    assert [LINE] == list(reader.rows(connection, str(WORKED)))


@pytest.mark.parametrize(
    ("requirement", "case"),
    [
        ("COL-1", "columns/once/another-before"),
        ("COL-1", "columns/presence/no-top-max"),
        ("COL-1", "columns/top-level/namesake-in-struct"),
        ("COL-1", "forms/empty/no-groups-no-column"),
        ("COL-2", "types/refused/high-fixed-size-binary"),
        ("COL-2", "types/refused/top-indices-low-nested"),
        ("COL-2", "types/refused/num-tokens-date"),
        ("FILE-1", "container/parquet-damage/rows-in-footer"),
    ],
)
def test_broken_file(connection: duckdb.DuckDBPyConnection, requirement: str, case: str) -> None:
    """What only the footer shows is a breach of the file."""
    path = str(CASES / case / "parquet" / "in.parquet")
    breaches = connection.execute("FROM logitpack_file_breaches($1)", [path]).fetchall()
    assert requirement in [name for name, _ in breaches]
    with pytest.raises(reader.BadFileError, match=requirement):
        list(reader.rows(connection, path))


@pytest.mark.parametrize(
    "case", ["forms/empty/groups-only-between", "columns/order/strange-names", "forms/parquet/page-index"]
)
def test_sound_file(connection: duckdb.DuckDBPyConnection, case: str) -> None:
    """Empty row groups, columns that differ in case only and a page index are no breaches."""
    path = str(CASES / case / "parquet" / "in.parquet")
    assert [] == connection.execute("FROM logitpack_file_breaches($1)", [path]).fetchall()


def with_footer(old: bytes, new: bytes) -> bytes:
    """Return a sound file in whose footer some bytes are replaced."""
    whole = SOUND.read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    footer = whole[start:-8].replace(old, new)
    assert footer != whole[start:-8]
    return whole[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def test_lists_by_logical_type(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Lists that are so by their logical type alone, without the older converted type, are lists."""
    path = tmp_path / "in.parquet"
    path.write_bytes(with_footer(b"\x15\x02\x15\x06\x4c\x3c", b"\x15\x02\x5c\x3c"))
    expected = list(reader.rows(connection, str(SOUND)))
    assert expected == list(reader.rows(connection, str(path)))


def test_old_lists_of_groups(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """COL-2: in old files, a repeated group called array is the element, not a level of the list."""
    path = tmp_path / "in.parquet"
    path.write_bytes(with_footer(b"\x04list", b"\x05array"))
    with pytest.raises(reader.BadFileError, match="COL-2"):
        list(reader.rows(connection, str(path)))


def test_truncated(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """FILE-1: a file that was cut anywhere is never read."""
    whole, path = WORKED.read_bytes(), tmp_path / "cut.parquet"
    for length in [*range(0, len(whole), 41), *range(len(whole) - 9, len(whole))]:
        path.write_bytes(whole[:length])
        with pytest.raises((reader.BadFileError, duckdb.Error)):
            list(reader.rows(connection, str(path)))


def test_flipped_bytes(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A changed byte anywhere ends in rows or in an answer about the file, and the connection lives on."""
    whole, path, outcomes = WORKED.read_bytes(), tmp_path / "flipped.parquet", set()
    for place in range(0, len(whole), 17):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        outcomes.add(adapter.read(connection, str(path), str(tmp_path / "out"))["outcome"])
    assert {"accepted", "rejected"} == outcomes
    assert [LINE] == list(reader.rows(connection, str(WORKED)))


def test_folder(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Section 4.2: the files of a folder by code points of their paths, without hidden ones."""
    root = tmp_path / "num_tokens=9" / "[a]*?"
    for number, name in enumerate(["B", "a/b", "a-b", "z", "é", "\uffff", "\U00010000"]):
        file = root / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        change = f"SELECT * REPLACE ([{number}, 0]::DOUBLE[] AS logsumexp) FROM '{WORKED}'"
        connection.execute(f"COPY ({change}) TO '{file}'")
    for name in ".hidden.parquet", "_folder/x.parquet", "x.parquet.part":
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")
    found = [json.loads(line)["tokens"][0]["logsumexp"] for line in reader.rows(connection, str(root))]
    assert [0, 2, 1, 3, 4, 5, 6] == found


@pytest.mark.parametrize(
    ("state", "document"),
    [
        ("known", METADATA),
        ("known", METADATA | {"spec_version": "1.99", "new": [1]}),
        ("known", METADATA | {"mask": {"excluded": ["think"]}, "temperature": 1.0, "nucleus": {"rule": "unspecified"}}),
        ("foreign", METADATA | {"spec_version": "2.0"}),
        ("foreign", {"spec_version": "10.0"}),
        ("absent", {}),
        ("absent", METADATA | {"spec_version": "01.0"}),
        ("absent", METADATA | {"spec_version": 2}),
        ("absent", METADATA | {"vocab_size": 2.5}),
        ("absent", METADATA | {"vocab_size": 1e300}),
        ("absent", METADATA | {"vocab_size": 8}),
        ("absent", METADATA | {"vocab_size": "10"}),
        ("absent", METADATA | {"nucleus": {"rule": "covering", "top_p": 0.5}}),
        ("absent", METADATA | {"nucleus": {"rule": "covering", "top_p": 50, "max_entries": 100}}),
        ("absent", METADATA | {"model": {"id": ""}}),
        ("absent", METADATA | {"mask": {"excluded": [1]}}),
        ("absent", METADATA | {"temperature": 0.7}),
        ("absent", [METADATA]),
        ("absent", METADATA | {"long": "x" * (1 << 20)}),
    ],
)
def test_metadata(connection: duckdb.DuckDBPyConnection, state: str, document: object) -> None:
    """Metadata are of a version that is read, of another major one (META-2), or count as absent (META-1, META-7)."""
    text = json.dumps(document).encode()
    assert state == connection.execute("SELECT state FROM logitpack_metadata($1::BLOB)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    "text", [b"\xff{}", b"\xef\xbb\xbf{}", b"{", b"", b'{"spec_version": "2.0", "spec_version": "2.0"}']
)
def test_no_metadata(connection: duckdb.DuckDBPyConnection, text: bytes) -> None:
    """What is no JSON, and a version that stands twice, count as absent."""
    assert "absent" == connection.execute("SELECT state FROM logitpack_metadata($1::BLOB)", [text]).fetchall()[0][0]


def test_metadata_in_force(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Section 13: the first valid ones of those in the folder of the file and at the root decide."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(WORKED.read_bytes())
    foreign, known = (json.dumps(METADATA | {"spec_version": version}) for version in ("2.0", "1.0"))
    (tmp_path / reader.SIDECAR).write_text(foreign)
    with pytest.raises(reader.BadFileError, match="META-2"):
        list(reader.rows(connection, str(tmp_path)))
    (folder / reader.SIDECAR).write_text(known)
    assert [LINE] == list(reader.rows(connection, str(tmp_path)))
    (folder / reader.SIDECAR).write_text("{}")
    with pytest.raises(reader.BadFileError, match="META-2"):
        list(reader.rows(connection, str(tmp_path)))
