"""Files and folders, read and written: whole, broken, and refused."""

from __future__ import annotations

import json
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from commandline import logitpack
from logitpack.batch import Batch
from logitpack.codec import decode, encode
from logitpack.containers import DataFile, detect
from logitpack.errors import DataError, LogitPackError, UsageError
from logitpack.files import read, write
from logitpack.logical_json import logical_rows
from logitpack.metadata import Metadata
from logitpack.shards import data_files
from logitpack_conformance.rows import STRIDE, described, valid_rows, with_token_ids
from support import table

EXTENSIONS = ["parquet", "arrow", "feather", "arrows", "ndjson", "jsonl"]
ROWS = with_token_ids(valid_rows((3, 2, 4, 1)))
TABLE = table(ROWS).combine_chunks()
STORED = TABLE.to_batches()[0]
BATCH = decode(STORED)
NAMES = ("num_tokens", "top_counts", "top_indices", "top_logits", "sampled_indices", "logsumexp", "token_ids")


def values(batches: list[Batch]) -> list[list[Any]]:
    """Give all that batches hold, as lists that compare."""
    return [[value for batch in batches for value in getattr(batch, name).tolist()] for name in NAMES]


def refusal(path: Path) -> LogitPackError:
    """Read what is refused."""
    with pytest.raises(LogitPackError) as caught:
        list(read(path))
    return caught.value


def write_ipc(path: Path, *, stream: bool = False, batch: pa.RecordBatch = STORED, **options: Any) -> Path:
    """Write record batches with pyarrow alone."""
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with (
        pa.OSFile(str(path), "wb") as file,
        new(file, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer,
    ):
        for row in range(batch.num_rows):
            writer.write_batch(batch.slice(row, 1))
    return path


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_round_trip(tmp_path: Path, extension: str) -> None:
    """Rows come back from each container as they were stored."""
    path = tmp_path / f"rows.{extension}"
    write(path, STORED)
    assert values([BATCH]) == values(list(read(path)))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_no_rows(tmp_path: Path, extension: str) -> None:
    """A file without rows is valid."""
    path = tmp_path / f"rows.{extension}"
    write(path, [])
    assert [] == list(read(path))


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
def test_metadata_comes_back(tmp_path: Path, extension: str) -> None:
    """Metadata is embedded in each container that can carry it."""
    path = tmp_path / f"rows.{extension}"
    write(path, STORED, described())
    assert Metadata.from_dict(described()) == read(path).metadata


def test_json_carries_no_metadata(tmp_path: Path) -> None:
    """Stored JSON is always Core: metadata for it is a mistake."""
    with pytest.raises(UsageError, match="carries no metadata"):
        write(tmp_path / "rows.ndjson", STORED, described())


@pytest.mark.parametrize("kind", ["batch", "batches", "logical", "table", "record batch", "reader"])
def test_kinds_of_rows(tmp_path: Path, kind: str) -> None:
    """Rows are written from whatever the caller has them in."""
    path = tmp_path / "rows.parquet"
    rows: dict[str, Any] = {
        "batch": BATCH,
        "batches": iter([BATCH]),
        "logical": logical_rows(BATCH),
        "table": TABLE,
        "record batch": STORED,
        "reader": TABLE.to_reader(max_chunksize=1),
    }
    write(path, rows[kind])
    assert values([BATCH])[:3] == values(list(read(path)))[:3]


def test_other_columns_are_kept(tmp_path: Path) -> None:
    """COL-6: what the user has beside the logits is written too."""
    path, messages = tmp_path / "rows.parquet", [[{"role": "user"}], [], None, [{"role": "assistant"}]]
    write(path, TABLE.append_column("messages", pa.array(messages)))
    (batch,) = read(path).record_batches()
    assert messages == batch.column("messages").to_pylist()


def test_other_columns_are_not_read(tmp_path: Path) -> None:
    """COL-4: nor looked at, unless they are asked for."""
    path = write_ipc(tmp_path / "rows.arrow", batch=STORED.append_column("id", pa.array("abcd").take([0] * 4)))
    with DataFile(path) as file:
        assert STORED.schema.names == next(file.slices()).record_batch.schema.names


def test_stored_types_become_canonical(tmp_path: Path) -> None:
    """COL-5: a writer gives the canonical types, whatever it was given."""
    path = tmp_path / "rows.parquet"
    write(path, table(ROWS, wide=True))
    assert TABLE.schema == pq.read_schema(path)


def test_any_accepted_type_in_a_file(tmp_path: Path) -> None:
    """A file of wide types and views means the same rows."""
    arrays = {
        "top_counts": pa.array(STORED.column("top_counts").to_pylist(), pa.list_view(pa.int64())),
        "top_indices_high": STORED.column("top_indices_high").cast(pa.binary_view()),
        "logsumexp": STORED.column("logsumexp").cast(pa.large_list(pa.float64())),
    }
    names = STORED.schema.names
    batch = pa.RecordBatch.from_pydict({name: arrays.get(name, STORED.column(name)) for name in names})
    assert values([BATCH]) == values(list(read(write_ipc(tmp_path / "rows.arrow", batch=batch))))


def test_row_groups_hold_their_tokens(tmp_path: Path) -> None:
    """Row groups are cut at rows, before they have too many tokens; a large row has its own."""
    path = tmp_path / "rows.parquet"
    write(path, [STORED.slice(0, 1), STORED.slice(1)], row_group_tokens=3)
    footer = pq.read_metadata(path)
    assert [1, 1, 1, 1] == [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]


def test_small_batches_share_a_row_group(tmp_path: Path) -> None:
    """Rows that come one by one do not make a row group each."""
    path = tmp_path / "rows.parquet"
    write(path, [STORED.slice(row, 1) for row in range(4)])
    assert 1 == pq.read_metadata(path).num_row_groups


def test_batches_are_slices_of_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large row group is read in slices, whose rows count on."""
    path = tmp_path / "rows.parquet"
    write(path, STORED)
    monkeypatch.setattr("logitpack.parquet.SLICE_ELEMENTS", 1)
    with DataFile(path) as file:
        assert [(0, 0), (0, 1), (0, 2), (0, 3)] == [part[:2] for part in file.slices()]


def test_recommended_parquet_settings(tmp_path: Path) -> None:
    """FILE-4 and appendix E: checksums, zstd, bytes split, no dictionaries."""
    path = tmp_path / "rows.parquet"
    write(path, STORED)
    chunk = pq.read_metadata(path).row_group(0).column(2)
    assert ("ZSTD", ("RLE", "BYTE_STREAM_SPLIT")) == (chunk.compression, chunk.encodings)


# What cannot be written


@pytest.mark.parametrize("name", ["rows", "rows.txt", "rows.parquet.gz"])
def test_unknown_extension(tmp_path: Path, name: str) -> None:
    """A name has to say which container is meant."""
    with pytest.raises(UsageError, match="unknown extension"):
        write(tmp_path / name, STORED)


def test_container_by_argument(tmp_path: Path) -> None:
    """A container that is given is taken, whatever the name says."""
    path = tmp_path / "rows.bin"
    write(path, STORED, container="arrow-stream")
    with DataFile(path) as file:
        assert "arrow-stream" == file.info.container


def broken_rows() -> Iterator[pa.RecordBatch]:
    """Give rows, the last of which is broken."""
    yield STORED
    yield STORED.set_column(0, "num_tokens", pa.array([3, 2, 0, 1], pa.int32()))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_nothing_is_left_of_a_refused_file(tmp_path: Path, extension: str) -> None:
    """WR-2: neither a file nor a temporary one is left, and rows count over all that were given."""
    with pytest.raises(DataError) as caught:
        write(tmp_path / f"rows.{extension}", broken_rows(), row_group_tokens=1)
    assert ("ROW-1", 6, []) == (caught.value.requirement, caught.value.place.row, list(tmp_path.iterdir()))


def test_a_failing_source_leaves_nothing(tmp_path: Path) -> None:
    """WR-2: an error of the caller's own rows passes through, and the old file stays."""
    path = tmp_path / "rows.parquet"
    path.write_text("old")

    def rows() -> Iterator[Batch]:
        yield BATCH
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write(path, rows())
    assert ["old"] == [file.read_text() for file in tmp_path.iterdir()]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    """On success the new file stands in the old one's place."""
    path = tmp_path / "rows.parquet"
    path.write_text("old")
    write(path, STORED)
    assert values([BATCH]) == values(list(read(path)))


def test_what_is_no_regular_file_stays(tmp_path: Path) -> None:
    """A pipe is not replaced, neither itself nor through a link."""
    pipe, link = tmp_path / "pipe.parquet", tmp_path / "link.parquet"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(UsageError) as caught:
            write(path, STORED)
        assert f"it is not a regular file ({path})" == str(caught.value)
    assert (True, {pipe, link}) == (pipe.is_fifo(), {*tmp_path.iterdir()})


@pytest.mark.parametrize("force", [False, True])
def test_a_card_never_replaces_a_pipe(tmp_path: Path, *, force: bool) -> None:
    """Not even where it is to replace what is there."""
    pipe = tmp_path / "README.md"
    os.mkfifo(pipe)
    write(tmp_path / "rows.parquet", STORED, described())
    result = logitpack("card", tmp_path / "rows.parquet", "-o", pipe, *["--force"] * force)
    said = f"it is not a regular file ({pipe})" if force else f"{pipe} is there already; --force replaces it"
    assert (2, "", f"error: {said}\n") == result
    assert (True, 2) == (pipe.is_fifo(), len([*tmp_path.iterdir()]))


@pytest.mark.parametrize("standing", [True, False])
def test_links_are_followed(tmp_path: Path, *, standing: bool) -> None:
    """The file that a link points to is written, in its own folder; the link stays."""
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "blob", tmp_path / "rows.parquet"
    link.symlink_to(Path("there", "blob"))
    if standing:
        target.write_text("old")
    write(link, STORED)
    assert (True, [target]) == (link.is_symlink(), [*target.parent.iterdir()])
    assert values([BATCH]) == values(list(read(target)))


def test_a_card_follows_a_link(tmp_path: Path) -> None:
    """A forced card is written to the file that a link points to."""
    target, link = tmp_path / "there.md", tmp_path / "README.md"
    target.write_text("old")
    link.symlink_to(target)
    write(tmp_path / "rows.parquet", STORED, described())
    assert 0 == logitpack("card", tmp_path / "rows.parquet", "-o", link, "--force").status
    assert (True, "---") == (link.is_symlink(), target.read_text("utf-8")[:3])


def test_a_link_to_itself(tmp_path: Path) -> None:
    """A link that leads nowhere but to itself is refused, and stays."""
    path = tmp_path / "rows.parquet"
    path.symlink_to(path)
    with pytest.raises(UsageError, match="cannot be written: Too many levels of symbolic links"):
        write(path, STORED)
    assert [path] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_permissions_are_kept(tmp_path: Path, mode: int) -> None:
    """A file that is replaced is open to the same people as before."""
    path = tmp_path / "rows.parquet"
    path.write_text("old")
    path.chmod(mode)
    write(path, STORED)
    assert (mode, 4) == (stat.S_IMODE(path.stat().st_mode), pq.read_metadata(path).num_rows)


@pytest.mark.parametrize("container", [None, "parquet"])
def test_null_character_in_a_path(tmp_path: Path, container: str | None) -> None:
    """No file has such a name: the caller's fault."""
    with pytest.raises(UsageError, match="null"):
        write(tmp_path / "a\0b.parquet", STORED, container=container)
    assert [] == [*tmp_path.iterdir()]


def test_json_has_no_other_columns(tmp_path: Path) -> None:
    """COL-6: other columns are refused by name where the container would lose them."""
    rows = TABLE.append_column("id", pa.array([1, 2, 3, 4])).append_column("messages", pa.nulls(4))
    with pytest.raises(UsageError, match="would lose id, messages"):
        write(tmp_path / "rows.ndjson", rows)
    assert [] == [*tmp_path.iterdir()]


def test_rows_of_the_file_itself(tmp_path: Path) -> None:
    """A file can be rewritten from its own rows."""
    path = tmp_path / "rows.parquet"
    write(path, STORED)
    write(path, read(path).record_batches())
    assert values([BATCH]) == values(list(read(path)))


@pytest.mark.parametrize("name", ["missing/rows.parquet", "folder.parquet"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    """A folder that is not there, or stands in the way, is the caller's fault."""
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(UsageError):
        write(tmp_path / name, STORED)


def other_stride() -> pa.RecordBatch:
    """Give rows with S one less."""
    return table(valid_rows((2,), stride=STRIDE - 1)).combine_chunks().to_batches()[0]


def test_one_stride_in_a_file(tmp_path: Path) -> None:
    """ROW-5: rows with another S are refused, with the row they begin at."""
    with pytest.raises(UsageError) as caught:
        write(tmp_path / "rows.parquet", [STORED.drop_columns(["token_ids"]), other_stride()])
    assert ("ROW-5", 4) == (caught.value.requirement, caught.value.place.row)


def test_declared_stride(tmp_path: Path) -> None:
    """TAIL-4: S is what the metadata says."""
    with pytest.raises(UsageError, match="TAIL-4: the tail has 4 entries a token, expected 5 as declared"):
        write(tmp_path / "rows.parquet", other_stride(), described())


def test_declared_vocabulary(tmp_path: Path) -> None:
    """IDX-5, IDX-6: stored rows are held against vocab_size as decoded ones are."""
    for rows, requirement in ((STORED, "IDX-5"), (BATCH, "IDX-6")):
        with pytest.raises(UsageError, match=requirement):
            write(tmp_path / "rows.parquet", rows, described(vocab_size=1000))


def test_declared_limit_of_entries(tmp_path: Path) -> None:
    """NUC-8: so they are against max_entries."""
    nucleus = {"top_p": 0.9, "max_entries": 2, "rule": "covering"}
    with pytest.raises(UsageError, match="NUC-8"):
        write(tmp_path / "rows.parquet", STORED, described(nucleus=nucleus))


def test_token_ids_in_some_rows(tmp_path: Path) -> None:
    """All rows of a file have token ids, or none has."""
    with pytest.raises(UsageError, match="token_ids in some rows only"):
        write(tmp_path / "rows.parquet", [STORED, STORED.drop_columns(["token_ids"])])


def test_rows_of_no_kind(tmp_path: Path) -> None:
    """What is neither decoded nor logical nor stored is refused by its type."""
    with pytest.raises(UsageError, match="rows hold int"):
        write(tmp_path / "rows.parquet", [1])


# Metadata that stored rows bring


def bringing(metadata: bytes) -> pa.Table:
    """Give the rows with metadata in their schema."""
    return TABLE.replace_schema_metadata({b"logitpack": metadata, b"other": b"x"})


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
def test_rewriting_keeps_the_description(tmp_path: Path, extension: str) -> None:
    """The batches of a reader bring the metadata of its file."""
    old, new = tmp_path / f"old.{extension}", tmp_path / "new.parquet"
    write(old, STORED, described())
    write(new, read(old).record_batches())
    assert Metadata.from_dict(described()) == read(new).metadata


@pytest.mark.parametrize("kind", ["table", "record batch", "list", "iterator", "reader", "no rows"])
def test_kinds_of_rows_that_bring_metadata(tmp_path: Path, kind: str) -> None:
    """A table or batch does, and the first one of several for all of them; no row is lost over it."""
    table = bringing(json.dumps(described()).encode())
    rows: dict[str, Any] = {
        "table": table,
        "record batch": table.to_batches()[0],
        "list": [table.slice(0, 1), TABLE.slice(1)],
        "iterator": iter([table.slice(0, 1), TABLE.slice(1)]),
        "reader": table.to_reader(max_chunksize=1),
        "no rows": table.slice(0, 0),
    }
    write(tmp_path / "rows.parquet", rows[kind])
    reader = read(tmp_path / "rows.parquet")
    assert Metadata.from_dict(described()) == reader.metadata
    assert (0 if kind == "no rows" else 4) == sum(len(batch.num_tokens) for batch in reader)


def test_given_metadata_comes_first(tmp_path: Path) -> None:
    """What the caller says is taken; what the rows bring is then not even looked at."""
    write(tmp_path / "rows.parquet", bringing(b"broken"), described())
    assert Metadata.from_dict(described()) == read(tmp_path / "rows.parquet").metadata


def test_rows_are_held_against_what_they_bring(tmp_path: Path) -> None:
    """IDX-5: the metadata that is written is true of the rows."""
    with pytest.raises(UsageError, match="IDX-5"):
        write(tmp_path / "rows.parquet", bringing(json.dumps(described(vocab_size=1000)).encode()))


@pytest.mark.parametrize(
    ("metadata", "requirement"), [(b"broken", "META-1"), (json.dumps(described(spec_version="2.0")).encode(), "META-2")]
)
def test_broken_metadata_of_rows(tmp_path: Path, metadata: bytes, requirement: str) -> None:
    """META-1, META-2: metadata that rows bring is theirs, and so is its fault."""
    with pytest.raises(DataError) as caught:
        write(tmp_path / "rows.parquet", bringing(metadata))
    assert (requirement, []) == (caught.value.requirement, [*tmp_path.iterdir()])


def test_json_leaves_out_what_rows_bring(tmp_path: Path) -> None:
    """Stored JSON is always Core, whatever the rows come from."""
    write(tmp_path / "rows.ndjson", bringing(json.dumps(described()).encode()))
    reader = read(tmp_path / "rows.ndjson")
    assert (None, values([BATCH])) == (reader.metadata, values(list(reader)))


# Folders


def dataset(folder: Path) -> Path:
    """Write two shards as the Hub has them, and files that are no part of the dataset."""
    (folder / "data").mkdir(parents=True)
    write(folder / "data" / "train-00001-of-00002.parquet", STORED.slice(2))
    write(folder / "data" / "train-00000-of-00002.arrow", STORED.slice(0, 2))
    for name in (".hidden.parquet", "_temporary.parquet", "README.md", "rows.ndjson"):
        (folder / name).write_text("no data")
    (folder / "_metadata").mkdir()
    (folder / "_metadata" / "x.parquet").write_text("no data")
    return folder


def test_shards_in_order(tmp_path: Path) -> None:
    """A folder is read shard by shard, by relative path, hidden names left out."""
    reader = read(dataset(tmp_path))
    assert values([BATCH]) == values(list(reader))


def test_names_of_shards(tmp_path: Path) -> None:
    """Messages call a shard by its path in the folder."""
    folder = dataset(tmp_path)
    (folder / "data" / "train-00001-of-00002.parquet").write_bytes(b"PAR1")
    assert "data/train-00001-of-00002.parquet" == refusal(folder).place.file


def test_links_to_folders_end(tmp_path: Path) -> None:
    """A folder that is linked into itself is walked once."""
    (dataset(tmp_path) / "data" / "loop").symlink_to(tmp_path)
    assert 2 == len(data_files(tmp_path))


def test_links_to_files(tmp_path: Path) -> None:
    """Shards may be links, as a Hub cache has them."""
    write(tmp_path / "blob.parquet", STORED)
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "a.parquet").symlink_to(tmp_path / "blob.parquet")
    assert values([BATCH]) == values(list(read(tmp_path / "snapshot")))


def test_sidecar(tmp_path: Path) -> None:
    """Metadata may stand at the root of a dataset, or nearer to the file."""
    folder = dataset(tmp_path)
    (folder / "logitpack.json").write_text(json.dumps(described()))
    assert Metadata.from_dict(described()) == read(folder).metadata


def test_embedded_metadata_comes_first(tmp_path: Path) -> None:
    """What the file says of itself is taken before what stands beside it."""
    write(tmp_path / "rows.parquet", STORED, described())
    (tmp_path / "logitpack.json").write_text(json.dumps(described(vocab_size=99)))
    assert Metadata.from_dict(described()) == read(tmp_path).metadata


def test_unknown_major_version(tmp_path: Path) -> None:
    """META-2: such a file is refused as it is opened."""
    path = tmp_path / "rows.parquet"
    pq.write_table(table(ROWS, metadata=described(spec_version="2.0")), path)
    assert "META-2" == refusal(path).requirement


@pytest.mark.parametrize("name", ["nothing", "empty", "null\0"])
def test_nothing_to_read(tmp_path: Path, name: str) -> None:
    """No such path, or a folder without data files: the caller's fault."""
    (tmp_path / "empty").mkdir()
    assert isinstance(refusal(tmp_path / name), UsageError)


def test_no_regular_file(tmp_path: Path) -> None:
    """A pipe is not waited for."""
    os.mkfifo(tmp_path / "rows.parquet")
    assert "not a regular file" in str(refusal(tmp_path / "rows.parquet"))


# Containers by content


@pytest.mark.parametrize(
    ("extension", "container"), [("parquet", "parquet"), ("arrow", "arrow-file"), ("arrows", "arrow-stream")]
)
def test_content_decides(tmp_path: Path, extension: str, container: str) -> None:
    """A file under another container's name is read for what it is."""
    write(tmp_path / f"rows.{extension}", STORED)
    other = (tmp_path / f"rows.{extension}").rename(tmp_path / "rows.jsonl")
    with DataFile(other) as file:
        assert container == file.info.container


@pytest.mark.parametrize("head", [b"hello", b"\0" * 16, b"PK\3\4", b"\x1f\x8b\x08", b"[1]", b"PARE"])
def test_no_container(tmp_path: Path, head: bytes) -> None:
    """FILE-1: a file of another kind is the data's fault."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(head)
    assert "FILE-1: the file is neither Parquet nor Arrow IPC nor stored JSON" in str(refusal(path))


def test_empty_file(tmp_path: Path) -> None:
    """FILE-1: an empty file is no Parquet file, but it is stored JSON without rows."""
    for name, expected in (("a.parquet", None), ("a.jsonl", "json")):
        (tmp_path / name).touch()
        try:
            found = detect(b"", 0, Path(name).suffix)
        except DataError:
            found = None
        assert expected == found


def test_json_by_name(tmp_path: Path) -> None:
    """JSON-1: text under a name of stored JSON is judged as such."""
    path = tmp_path / "rows.ndjson"
    path.write_text("[1]")
    assert "JSON-1" == refusal(path).requirement


# Broken files


def small(tmp_path: Path, extension: str) -> Path:
    """Write a small file."""
    path = tmp_path / f"rows.{extension}"
    write(path, STORED.slice(0, 2), row_group_tokens=3)
    return path


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows"])
def test_truncated_anywhere(tmp_path: Path, extension: str) -> None:
    """FILE-1, FILE-3: a file that was cut is never read as a shorter one."""
    path = small(tmp_path, extension)
    whole = path.read_bytes()
    sizes = {*range(1, len(whole), 97), *range(len(whole) - 20, len(whole))}
    for size in sorted(sizes):
        path.write_bytes(whole[:size])
        assert refusal(path).requirement in {"FILE-1", "FILE-3"}, size


@pytest.mark.parametrize("extension", ["parquet", "arrow", "arrows", "ndjson"])
def test_changed_bytes_never_surprise(tmp_path: Path, extension: str) -> None:
    """Whatever bytes change, the outcome is rows or one of our errors."""
    path = small(tmp_path, extension)
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(0, 256)
        path.write_bytes(data)
        with suppress(LogitPackError):
            list(read(path))


def test_page_checksums_are_verified(tmp_path: Path) -> None:
    """FILE-5: one flipped bit in a page is found."""
    path = small(tmp_path, "parquet")
    data = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(4)
    data[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(data)
    assert "FILE-1" == refusal(path).requirement


@pytest.mark.parametrize("cut", range(9))
def test_stream_without_its_end(tmp_path: Path, cut: int) -> None:
    """FILE-3: a stream cut at a message boundary, or within the marker, has no end."""
    path = write_ipc(tmp_path / "rows.arrows", stream=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    if cut == 0:
        assert values([BATCH]) == values(list(read(path)))
    else:
        assert "FILE-3" == refusal(path).requirement


def test_data_that_looks_like_an_end(tmp_path: Path) -> None:
    """FILE-3: the marker is looked for where the messages end, not in their data."""
    fake = pa.array([[0xFFFFFFFF, 0]], pa.list_(pa.uint32()))
    batch = STORED.slice(0, 1).append_column("other", fake)
    path = write_ipc(tmp_path / "rows.arrows", stream=True, batch=batch)
    whole = path.read_bytes()
    assert whole[-16:-8] == b"\xff\xff\xff\xff\0\0\0\0"
    path.write_bytes(whole[:-8])
    assert "FILE-3" == refusal(path).requirement


def test_bytes_after_the_end(tmp_path: Path) -> None:
    """FILE-1: a second stream after the first would be lost in silence."""
    path = write_ipc(tmp_path / "rows.arrows", stream=True)
    path.write_bytes(path.read_bytes() * 2)
    assert "follow the end of the stream" in str(refusal(path))


def test_stream_of_old(tmp_path: Path) -> None:
    """FILE-3: messages without a continuation indicator end with four zero bytes."""
    path = write_ipc(tmp_path / "rows.arrows", stream=True, use_legacy_format=True)
    assert values([BATCH]) == values(list(read(path)))
    path.write_bytes(path.read_bytes()[:-4])
    assert "FILE-3" == refusal(path).requirement


def test_short_end_after_new_messages(tmp_path: Path) -> None:
    """FILE-3: four zero bytes are no end where the messages have a continuation indicator."""
    path = write_ipc(tmp_path / "rows.arrows", stream=True)
    path.write_bytes(path.read_bytes()[:-8] + bytes(4))
    assert "FILE-3" == refusal(path).requirement


def test_offsets_in_a_file(tmp_path: Path) -> None:
    """FILE-1: an IPC file does not check its offsets; the reader does."""
    path = write_ipc(tmp_path / "rows.arrow", batch=STORED.slice(0, 1))
    data = path.read_bytes()
    offsets = struct.pack("<ii", 0, 3)
    assert data.count(offsets) >= 1
    path.write_bytes(data.replace(offsets, struct.pack("<ii", 0, 300_000)))
    assert "is corrupt" in str(refusal(path))


def test_columns_are_checked_as_a_file_is_opened(tmp_path: Path) -> None:
    """COL-1: before a row is read, also where there are none."""
    path = tmp_path / "rows.parquet"
    pq.write_table(TABLE.slice(0, 0).drop_columns(["top_min"]), path)
    error = refusal(path)
    assert ("COL-1", str(path)) == (error.requirement, error.place.file)


def test_column_names_that_are_no_text(tmp_path: Path) -> None:
    """FILE-1: a name that is not UTF-8 is found, and not only as it is printed."""
    path = write_ipc(tmp_path / "rows.arrow", batch=STORED.append_column("xyzzy", STORED.column(0)))
    path.write_bytes(path.read_bytes().replace(b"xyzzy", b"xyz\xff\xff"))
    assert "FILE-1" == refusal(path).requirement


def test_place_of_a_breach(tmp_path: Path) -> None:
    """An error names file, row group and the row in the file."""
    path = tmp_path / "rows.parquet"
    broken = STORED.set_column(0, "num_tokens", pa.array([3, 2, 0, 1], pa.int32()))
    pq.write_table(pa.Table.from_batches([STORED, broken]), path, row_group_size=3)
    assert f"({path}, row group 2, row 6, column num_tokens)" in str(refusal(path))


def test_batches_before_a_breach_are_given(tmp_path: Path) -> None:
    """RD-1: reading ends at the slice with the breach, and gives no part of it."""
    path = write_ipc(
        tmp_path / "rows.arrow", batch=STORED.set_column(0, "num_tokens", pa.array([3, 2, 0, 1], pa.int32()))
    )
    reader = iter(read(path))
    assert [3, 2] == [next(reader).num_tokens[0], next(reader).num_tokens[0]]
    with pytest.raises(DataError, match="ROW-1"):
        next(reader)


def test_binary64_on_request(tmp_path: Path) -> None:
    """Logits are decoded in the dtype that is asked for, and in no third one."""
    write(tmp_path / "rows.parquet", encode(BATCH))
    assert np.float64 == next(iter(read(tmp_path, dtype=np.float64))).top_logits.dtype
    with pytest.raises(UsageError, match="float32 or float64"):
        read(tmp_path, dtype=np.float16)


@pytest.mark.parametrize("extension", [".parquet", ".arrow", ".arrows", ".ndjson"])
def test_names_that_are_no_utf8(tmp_path: Path, extension: str) -> None:
    """A file is written and read whatever the bytes of its name are."""
    path = tmp_path / f"a\udcff{extension}"
    write(path, BATCH)
    assert BATCH.top_indices.tolist() == next(iter(read(path))).top_indices.tolist()
