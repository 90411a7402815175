"""Files and folders: what is written is read back, what is damaged is rejected, what is refused leaves nothing."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from examples import METADATA, ROW, frame, tokens

from logitpack_polars import BreachError, UnsupportedFeatureError, load, read, write
from logitpack_polars.columns import CANONICAL
from logitpack_polars.files import Container

CONTAINERS: dict[Container, str] = {"parquet": "x.parquet", "arrow-file": "x.arrow", "arrow-stream": "x.arrows"}
CASES = Path(__file__).parents[3] / "fixtures/cases"
each_container = pytest.mark.parametrize(("container", "name"), CONTAINERS.items())


def store(rows: pl.DataFrame, path: Path, **options: Any) -> Path:
    """Write stored rows as they are, by the suffix of the name."""
    writers = {".parquet": rows.write_parquet, ".arrow": rows.write_ipc, ".arrows": rows.write_ipc_stream}
    writers[path.suffix](path, **options)
    return path


@each_container
def test_round_trip(tmp_path: Path, container: Container, name: str) -> None:
    """With metadata, in force again on reading."""
    before = tokens({}, {"token_id": None, "logsumexp": 10.7}, {"row": 1})
    write(before, tmp_path / name, container, METADATA)
    after = read(tmp_path / name)
    assert METADATA == load(tmp_path / name, tmp_path).metadata
    exact = ["logsumexp", "top_indices", "sampled_indices"]
    assert before.select(exact).equals(after.select(exact).cast(dict(before.select(exact).schema)))
    assert [(0, 0), (0, 1), (1, 0)] == after.select("row", "token").rows()


@each_container
def test_no_rows(tmp_path: Path, container: Container, name: str) -> None:
    """A file without rows is valid."""
    write(tokens(), tmp_path / name, container)
    assert 0 == read(tmp_path / name).height


@each_container
def test_what_is_refused_leaves_nothing(tmp_path: Path, container: Container, name: str) -> None:
    """Neither the file, nor the metadata, nor what was made on the way; what was there stays."""
    (tmp_path / "other").touch()
    with pytest.raises(BreachError, match="IDX-6"):
        write(tokens({}, {"top_indices": [1, 262_144]}), tmp_path / name, container, METADATA)
    assert ["other"] == [path.name for path in tmp_path.iterdir()]


def test_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a file under a temporary name goes with it."""

    def fails(_: pl.DataFrame, file: Path, **_options: Any) -> None:
        file.write_bytes(b"PAR1")
        raise RuntimeError("disk full")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fails)
    with pytest.raises(RuntimeError, match="disk full"):
        write(tokens({}), tmp_path / "x.parquet")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("requirement", "change"),
    [("META-1", {"vocab_size": 0}), ("META-1", {"spec_version": "1.0\n"}), ("META-2", {"spec_version": "2.0"})],
)
def test_metadata_that_are_not_valid_are_refused(tmp_path: Path, requirement: str, change: dict[str, Any]) -> None:
    """By their schema, and by their version."""
    with pytest.raises(BreachError, match=requirement):
        write(tokens({}), tmp_path / "x.parquet", metadata=METADATA | change)


def test_metadata_beside_an_arrow_file_are_not_replaced(tmp_path: Path) -> None:
    """They speak for other files, too."""
    write(tokens({}), tmp_path / "a.arrow", "arrow-file", METADATA)
    write(tokens({}), tmp_path / "b.arrow", "arrow-file", METADATA)
    with pytest.raises(BreachError, match="FILE-2"):
        write(tokens({}), tmp_path / "c.arrow", "arrow-file", METADATA | {"vocab_size": 2000})
    assert {"a.arrow", "b.arrow", "logitpack.json"} == {path.name for path in tmp_path.iterdir()}


@each_container
def test_file_cut_short(tmp_path: Path, container: Container, name: str) -> None:
    """At every offset, and with a byte more."""
    write(tokens({}), tmp_path / "x", container)
    whole = (tmp_path / "x").read_bytes()
    for data in (*(whole[:size] for size in range(0, len(whole), 7)), whole[:-1], whole + b"\0"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BreachError, match="FILE-"):
            read(tmp_path / name)


@each_container
def test_stream_run_together_with_another(tmp_path: Path, container: Container, name: str) -> None:
    """The first of two is not all there is."""
    write(tokens({}), tmp_path / name, container)
    (tmp_path / name).write_bytes(2 * (tmp_path / name).read_bytes())
    if container == "arrow-stream":
        with pytest.raises(BreachError, match="FILE-1"):
            read(tmp_path / name)
    else:  # a second footer speaks for the second file, wherever that stands
        assert 1 == read(tmp_path / name).height


def test_stream_without_end_marker(tmp_path: Path) -> None:
    """Polars would read it as a shorter one."""
    path = store(frame(ROW), tmp_path / "x.arrows")
    path.write_bytes(path.read_bytes()[:-8])
    assert 1 == pl.read_ipc_stream(path).height
    with pytest.raises(BreachError, match="FILE-3"):
        read(path)


@each_container
def test_text_is_no_file(tmp_path: Path, container: Container, name: str) -> None:
    """Nor is nothing."""
    for data in (b"", b"PAR", b"ARROW1", b"\xff\xff\xff\xff", b"hello, world"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BreachError, match="FILE-1"):
            read(tmp_path / name)
    assert container in CONTAINERS


@pytest.mark.parametrize("name", CONTAINERS.values())
def test_other_columns_are_ignored(tmp_path: Path, name: str) -> None:
    """Whatever they are (COL-4)."""
    other = pl.DataFrame(
        {"a": [{"b": [[1]]}], "messages": ["x"], "top_count": [None], "c": pl.Series(["u"]).cast(pl.Categorical)}
    )
    path = store(pl.concat([other, frame(ROW)], how="horizontal"), tmp_path / name)
    assert 2 == read(path).height


@pytest.mark.parametrize("name", CONTAINERS.values())
@pytest.mark.parametrize("other", ["noted", "logsumexp"])
def test_columns_of_one_name(tmp_path: Path, name: str, other: str) -> None:
    """Two of the format are rejected (COL-1). Two others are valid, though Polars itself reads no such file."""
    rows = frame(ROW).rename({"logsumexp": "logsumexq"}) if other == "noted" else frame(ROW)
    rows = pl.concat([rows, pl.DataFrame({"noteb": [1], "notec": [2]})], how="horizontal")
    path = store(rows, tmp_path / name)
    data = path.read_bytes()
    if other == "noted":
        data = data.replace(b"noteb", b"noted").replace(b"notec", b"noted").replace(b"logsumexq", b"logsumexp")
        path.write_bytes(data)
        assert 2 == read(path).height
    else:
        path.write_bytes(data.replace(b"top_min", b"top_max"))
        with pytest.raises(BreachError, match="COL-1: top_max stands twice"):
            read(path)


def test_folder_in_the_order_of_its_paths(tmp_path: Path) -> None:
    """By code points, hidden files and folders apart; rows are numbered on, and token_ids may be in some files only."""
    (tmp_path / "_old").mkdir()
    (tmp_path / "data").mkdir()
    for place, (name, lse) in enumerate({"b.parquet": 12.0, "data/a.arrow": 13.0, "Z.arrows": 11.0}.items()):
        row = ROW | {"logsumexp": [lse, lse]}
        store(frame(row) if place else frame(row).drop("token_ids"), tmp_path / name)
    for name in (".x.parquet", "_x.arrow", "_old/x.parquet"):
        (tmp_path / name).touch()
    found = read(tmp_path)
    assert [11.0, 11.0, 12.0, 12.0, 13.0, 13.0] == found["logsumexp"].to_list()
    assert [0, 0, 1, 1, 2, 2] == found["row"].to_list()
    assert [5, 7, None, None, 5, 7] == found["token_id"].to_list()


def test_folder_without_data_files(tmp_path: Path) -> None:
    """Rather a mistake than a dataset."""
    with pytest.raises(FileNotFoundError, match="no data files"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("requirement", "case"),
    [
        ("COL-2", "types/refused/high-fixed-size-binary/parquet/in.parquet"),
        ("COL-2", "types/refused/high-fixed-size-binary/arrow-file/in.arrow"),
        ("COL-2", "types/refused/num-tokens-dictionary/arrow-stream/in.arrows"),
        ("COL-2", "types/refused/top-min-dictionary/arrow-file/in.arrow"),
        ("FILE-1", "container/parquet-damage/rows-in-footer/parquet/in.parquet"),
        ("FILE-1", "container/arrow-file-damage/batch-length/arrow-file/in.arrow"),
    ],
)
def test_what_polars_does_not_tell(requirement: str, case: str) -> None:
    """It reads these files as if they were sound."""
    with pytest.raises(BreachError, match=requirement):
        read(CASES / case)


@pytest.mark.parametrize(
    ("feature", "case"),
    [
        ("list_view", CASES / "types/lists/list-view/arrow-file/in.arrow"),
        ("run_end_encoded", CASES / "columns/other/run-ends/arrow-file/in.arrow"),
        ("binary_view", Path(__file__).parent / "data/compressed-view-without-bytes.arrow"),
    ],
)
def test_what_polars_cannot_read(feature: str, case: Path) -> None:
    """It is no fault of the file."""
    with pytest.raises(UnsupportedFeatureError, match=feature):
        read(case)


def test_hint_at_arrow_types_that_polars_cannot_follow(tmp_path: Path) -> None:
    """The schema of Parquet is enough."""
    path = store(frame(ROW), tmp_path / "x.parquet")
    path.write_bytes(path.read_bytes().replace(b"/////", b"*****"))
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(path)
    assert 2 == read(path).height


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_other_major_version(tmp_path: Path, version: str) -> None:
    """Embedded or beside, whatever the other members and columns (META-2)."""
    text = json.dumps({"spec_version": version})
    path = store(frame(ROW).drop("top_min"), tmp_path / "x.parquet", metadata={"logitpack": text})
    with pytest.raises(BreachError, match="META-2"):
        read(path)
    path = store(frame(ROW), tmp_path / "x.arrow")
    (tmp_path / "logitpack.json").write_text(text)
    with pytest.raises(BreachError, match="META-2"):
        read(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", "\ufeff{}", '{"spec_version": "2.0", "spec_version": "2.0"}', "NaN"]
)
def test_metadata_that_are_not_valid_count_as_absent(tmp_path: Path, text: str) -> None:
    """The file is read without them."""
    path = store(frame(ROW), tmp_path / "x.parquet", metadata={"logitpack": text})
    assert load(path, path).metadata is None


def test_pattern_in_a_name(tmp_path: Path) -> None:
    """A name is a name, not a pattern."""
    assert 2 == read(store(frame(ROW), tmp_path / "x[1]*.parquet")).height


def test_written_types_are_canonical(tmp_path: Path) -> None:
    """As far as Polars tells."""
    write(tokens({"token_id": 5}), tmp_path / "x.parquet")
    assert dict(pl.read_parquet_schema(tmp_path / "x.parquet")) == CANONICAL
