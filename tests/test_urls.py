"""Datasets behind URLs: what is fetched over HTTP, what is told when it fails, and files in fsspec's memory."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

import logitpack as package
from commandline import logitpack, python
from logitpack import DataError, UsageError, remote, urls
from logitpack.containers import DataFile
from logitpack.metadata import Metadata
from logitpack.pages import chunks
from logitpack.shards import data_files, name_in, sidecars
from logitpack.urls import is_url, shown
from logitpack_conformance.rows import described, valid_rows
from support import table, write_parquet
from webserver import Web, serving

SMALL_ROWS = table(valid_rows((3, 2)), metadata=described())
GROUPS = 8


def large() -> pa.Table:
    """Rows in some megabytes, with a column beside them that a reader does not need."""
    rows = table(valid_rows((300, 200, 250)), metadata=described()).take(np.tile(np.arange(3), 40))
    return rows.append_column("id", pa.array([f"row {number} " * 200 for number in range(len(rows))]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in all containers, the files larger than what is fetched whole."""
    folder, rows = tmp_path_factory.mktemp("web"), large()
    write_parquet(folder / "x.parquet", rows, compression="none", use_dictionary=False, row_group_size=120 // GROUPS)
    with pa.ipc.new_file(str(folder / "x.arrow"), rows.schema) as writer:
        writer.write_table(rows, 120 // GROUPS)
    with pa.ipc.new_stream(str(folder / "x.arrows"), rows.schema) as writer:
        writer.write_table(rows, 120 // GROUPS)
    write_parquet(folder / "small.parquet", SMALL_ROWS)
    write_parquet(folder / "core" / "x.parquet", SMALL_ROWS.replace_schema_metadata(None))
    (folder / "core" / "logitpack.json").write_text(json.dumps(described()))
    return folder


@pytest.fixture
def web(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The folder on a web server, and no patience with it."""
    monkeypatch.setattr(remote, "PAUSES", (0, 0))
    monkeypatch.setattr(urls, "SILENT_SECONDS", 0.3)
    with serving(folder) as web:
        yield web


@pytest.fixture
def memory() -> Iterator[str]:
    """The URL of an empty folder in fsspec's memory."""
    system = fsspec.filesystem("memory")
    system.mkdir("/logits")
    yield "memory://logits"
    system.rm("/logits", recursive=True)


def put(url: str, content: bytes) -> None:
    """Write a file behind a URL."""
    with fsspec.open(url, "wb") as file:
        file.write(content)


def parquet_bytes(rows: pa.Table = SMALL_ROWS) -> bytes:
    """Give rows as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, write_page_checksum=True)
    return bytes(sink.getvalue())


def findings(path: object) -> list[tuple[str, int]]:
    """Give what a check finds, and how often."""
    (file,) = package.check(str(path)).files
    return [(finding.requirement, finding.count) for finding in file.findings]


def tokens(path: object) -> int:
    """Count the tokens of a dataset."""
    return sum(len(batch.top_counts) for batch in package.read(str(path)))


# What is fetched


def share(web: Web, name: str, use: Callable[[str], Any]) -> float:
    """Give the bytes that were sent for one use of a file, as a share of its size."""
    use(f"{web.url}/{name}")
    return web.bytes / (web.folder / name).stat().st_size


def opened(url: str) -> None:
    """Open a file, and read none of its rows."""
    with DataFile(url) as file:
        assert file.info.schema is not None


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows"])
def test_opening_fetches_the_ends_of_a_file(web: Web, name: str) -> None:
    """What a file says of itself stands at its ends: no row is fetched for it."""
    assert share(web, name, opened) < 0.04


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows"])
def test_one_row_fetches_its_row_group(web: Web, name: str) -> None:
    """`show` fetches one of eight row groups, and little beside it."""
    assert share(web, name, lambda url: logitpack("show", url, "--row", 0)) < 1.5 / GROUPS + 0.04


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows"])
def test_reading_fetches_each_byte_once(web: Web, name: str) -> None:
    """All rows are fetched, and nothing a second time."""
    assert share(web, name, tokens) <= 1.0


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows"])
def test_checking_fetches_each_byte_about_once(web: Web, name: str) -> None:
    """Values and page checksums are judged by the same bytes; only the ends are looked at before."""
    assert share(web, name, findings) <= 1.04


def test_columns_beside_are_not_fetched_to_be_read(web: Web) -> None:
    """COL-4: a reader has no need of other columns."""
    assert share(web, "x.parquet", tokens) < 0.96


def test_row_groups_come_in_few_requests(web: Web) -> None:
    """Of thirteen column chunks that stand side by side, one request is made."""
    tokens(f"{web.url}/x.parquet")
    assert 2 + GROUPS == len(web.sent)


def test_small_files_come_in_one_request(web: Web) -> None:
    """A file of some kilobytes is fetched whole, once."""
    tokens(f"{web.url}/small.parquet")
    assert [("/small.parquet", 0, (web.folder / "small.parquet").stat().st_size)] == web.sent


@pytest.mark.parametrize("name", ["x.parquet", "small.parquet"])
def test_opening_again_fetches_nothing(web: Web, name: str) -> None:
    """The parts of a file are judged one by one, each of which opens it: its ends are fetched once."""
    opened(f"{web.url}/{name}")
    before = web.bytes
    opened(f"{web.url}/{name}")
    assert before == web.bytes


def test_changed_file_is_fetched_anew(web: Web, tmp_path: Path) -> None:
    """Another file under the same name has another ETag."""
    url = f"{web.url}/small.parquet"
    before, web.folder = tokens(url), tmp_path
    write_parquet(tmp_path / "small.parquet", table(valid_rows((1,)), metadata=described()))
    assert (5, 1) == (before, tokens(url))


def test_ends_are_not_kept_for_ever(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has an end: what was wanted longest ago is let go of."""
    monkeypatch.setattr(remote, "MOST_ENDS", 100_000)
    for name in ("x.parquet", "x.arrow", "x.parquet"):
        opened(f"{web.url}/{name}")
    assert 3 * (remote.HEAD + remote.TAIL) == web.bytes


def test_long_footer_comes_once(web: Web, tmp_path: Path) -> None:
    """A footer of any length is fetched in one more request, and kept with the end that it is part of."""
    fields = {f"column-{number}": np.arange(200.0) for number in range(1000)}
    write_parquet(tmp_path / "wide.parquet", pa.table(fields), compression="none", use_dictionary=False)
    web.folder = tmp_path
    for _ in range(2):
        with DataFile(f"{web.url}/wide.parquet") as file:
            assert 1000 == len(list(chunks(file.native)))
    assert 3 == len(web.sent)


def test_long_ranges_come_in_pieces(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that fails is made again, so none is too long for that."""
    monkeypatch.setattr(remote, "PIECE", 100_000)
    assert (tokens(web.folder / "x.parquet"), True) == (
        tokens(f"{web.url}/x.parquet"),
        all(stop - start <= 100_000 for _, start, stop in web.sent),
    )


def test_row_groups_too_large_to_be_fetched_ahead(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has an end: such a row group is fetched as it is read."""
    monkeypatch.setattr(remote, "MOST_EXPECTED", 100_000)
    assert tokens(web.folder / "x.parquet") == tokens(f"{web.url}/x.parquet")


# What comes of it


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows", "small.parquet", "core/x.parquet"])
def test_findings_are_those_of_the_local_file(web: Web, name: str) -> None:
    """A file is judged alike wherever it is."""
    assert findings(web.folder / name) == findings(f"{web.url}/{name}")


def test_broken_page_behind_a_url(web: Web, tmp_path: Path) -> None:
    """FILE-5: checksums are verified over the network too, those of columns that are not read among them."""
    content = bytearray((web.folder / "x.parquet").read_bytes())
    content[content.index(b"row 17 row 17")] ^= 1
    (tmp_path / "x.parquet").write_bytes(content)
    web.folder = tmp_path
    assert "FILE-1" in dict(findings(f"{web.url}/x.parquet"))


def test_sidecar_behind_a_url(web: Web) -> None:
    """Metadata may stand beside a file on the web."""
    assert Metadata.from_dict(described()) == package.read(f"{web.url}/core/x.parquet").metadata


def test_sidecar_is_asked_for_with_the_query(web: Web) -> None:
    """A signature in a URL may hold for what stands beside the file as well."""
    package.read(f"{web.url}/core/x.parquet?sig=1")
    assert {"sig=1"} == web.queries


def test_metadata_given_by_url(web: Web) -> None:
    """`--metadata` takes a URL."""
    path = web.folder / "core" / "x.parquet"
    done = logitpack("card", path, "--metadata", f"{web.url}/core/logitpack.json")
    assert (0, "") == (done.status, done.err)


def test_readers_travel(web: Web) -> None:
    """A reader can be sent to another process, which opens the files by itself."""
    reader = package.read(f"{web.url}/small.parquet")
    assert 5 == sum(len(batch.top_counts) for batch in pickle.loads(pickle.dumps(reader)))  # noqa: S301  our own


def test_threads_read_side_by_side(web: Web) -> None:
    """Files behind URLs can be read from several threads."""
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(tokens, [f"{web.url}/x.parquet"] * 4))
    assert [tokens(web.folder / "x.parquet")] * 4 == counts


def test_nothing_is_printed_beside(web: Web) -> None:
    """A process that has read from the web ends without a word on what it left open."""
    done = python("-m", "logitpack.cli", "show", f"{web.url}/small.parquet", "--row", "0")
    assert (0, "") == (done.status, done.err)


# What fails


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (404, "the server answers 404 (Not Found)"),
        (403, "the server answers 403 (Forbidden)"),
        (500, "the server answers 500 (Internal Server Error)"),
        (302, "the server redirects without an end"),
        (799, "the server answers 799 (an unknown status)"),
        ("hang", "the server does not answer in time"),
        ("reset", "the connection broke off in the middle of an answer"),
    ],
)
def test_faults_of_a_server(web: Web, fault: str | int, after: int, reason: str) -> None:
    """A network that fails, at once or in the middle of a file, is no breach of the data: exit status 2, and why."""
    web.fault, web.after = fault, after
    done = logitpack("check", f"{web.url}/x.parquet")
    assert (2, "", f"error: cannot be read: {reason} ({web.url}/x.parquet)\n") == done


def test_reading_raises_usage_error(web: Web) -> None:
    """The same for programs: UsageError, from within pyarrow too."""
    batches = iter(package.read(f"{web.url}/x.parquet"))
    next(batches)
    web.fault = 500
    with pytest.raises(UsageError, match="the server answers 500"):
        list(batches)


@pytest.mark.parametrize("after", [1, 4, 9])
def test_one_reset_is_got_over(web: Web, after: int) -> None:
    """A request that failed is made again."""
    web.fault, web.after, web.once = "reset", after, True
    assert tokens(web.folder / "x.parquet") == tokens(f"{web.url}/x.parquet")


@pytest.mark.parametrize("inner", ["zip://x.parquet", "zip://data/*.parquet", "zip://"])
def test_members_of_archives(web: Web, inner: str) -> None:
    """They are refused before anything is fetched."""
    done = logitpack("check", f"{inner}::{web.url}/x.zip")
    message = "what is inside another file is not read: unpack that first"
    assert (2, "", f"error: {message} ({inner}::{web.url}/x.zip)\n", []) == (*done, web.sent)


def test_server_without_ranges(web: Web) -> None:
    """One that sends whole files only is told of, rather than asked for each part anew."""
    web.fault = "no ranges"
    done = logitpack("check", f"{web.url}/x.parquet")
    reason = "the server gives no parts of a file (byte ranges), so it has to be downloaded first"
    assert (2, f"error: cannot be read: {reason} ({web.url}/x.parquet)\n") == (done.status, done.err)


def test_server_without_ranges_gives_small_files(web: Web) -> None:
    """What is fetched whole needs no ranges."""
    web.fault = "no ranges"
    assert 5 == tokens(f"{web.url}/small.parquet")


def test_no_server() -> None:
    """A port where nobody listens."""
    done = logitpack("check", "http://127.0.0.1:1/x.parquet")
    assert (2, True) == (done.status, "(http://127.0.0.1:1/x.parquet)" in done.err)


@pytest.mark.parametrize("end", ["/", "/*.parquet", "/data/**"])
def test_web_servers_list_nothing(web: Web, end: str) -> None:
    """There are no folders and no patterns over HTTP."""
    with pytest.raises(UsageError, match="a web server does not list its files"):
        package.read(web.url + end)


@pytest.mark.parametrize(("scheme", "name"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str, name: str) -> None:
    """A scheme that fsspec knows but has no package for."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=f"{scheme}:// needs a package that is not installed: .*{name}"):
        package.read(f"{scheme}://bucket/x.parquet")


@pytest.mark.parametrize("path", ["https://host/x.parquet", "s3://bucket/x.parquet"])
def test_missing_fsspec_names_the_extra(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Without fsspec there are no URLs, and the extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"a URL needs fsspec: pip install 'logitpack\[remote\]'"):
        package.read(path)


def test_unknown_scheme() -> None:
    """A scheme that fsspec does not know."""
    with pytest.raises(UsageError, match="Protocol not known: nosuch"):
        package.read("nosuch://x")


# Secrets


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@host/a.parquet?sig=secret#secret", "https://host/a.parquet?…"),
        ("https://secret@host/a@b.parquet", "https://host/a@b.parquet"),
        ("ftp://me:secret@host/x", "ftp://host/x"),
        ("hf://datasets/me/data@main/x.parquet", "hf://datasets/me/data@main/x.parquet"),
        ("simplecache::https://me:secret@host/x?secret", "simplecache::https://host/x?…"),
        ("folder/a@b?c.parquet", "folder/a@b?c.parquet"),
    ],
)
def test_secrets_are_not_shown(url: str, expected: str) -> None:
    """Neither user nor password nor query of a URL stands in a message; local names stay as they are."""
    assert expected == shown(url)


@pytest.mark.parametrize("fault", [None, 404, 500, "reset", "no ranges"])
@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        *(["check", "--format", form] for form in ("json", "github", "sarif")),
        ["show", "--row", "0"],
        ["card"],
    ],
)
def test_secrets_are_not_printed(web: Web, fault: str | int | None, command: list[str]) -> None:
    """Nothing that is printed has the password or the query of a URL."""
    web.fault = fault
    url = web.url.replace("://", "://me:secret@") + "/x.parquet?sig=secret"
    done = logitpack(*command, url)
    assert "secret" not in done.out + done.err


def test_controls_in_a_url_are_escaped(web: Web) -> None:
    """The name of a URL reaches the terminal escaped."""
    done = logitpack("check", f"{web.url}/a\x1b[31m\nb.parquet")
    assert (2, True) == (done.status, r"a\x1b[31m\x0ab.parquet" in done.err)


# Folders and patterns


def test_folder_behind_a_url(memory: str) -> None:
    """A folder is listed as a local one: by relative path, hidden names left out."""
    for name in ("b/train-1.parquet", "b/train-0.parquet", "a.parquet", "_c.parquet", "b/.d.parquet", "README.md"):
        put(f"{memory}/{name}", parquet_bytes())
    expected = ["a.parquet", "b/train-0.parquet", "b/train-1.parquet"]
    assert [f"{memory}/{name}" for name in expected] == list(data_files(memory))


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_slashes_at_the_end(memory: str, end: str) -> None:
    """A folder is the same with a slash at its end: its files, their names, and what stands beside them."""
    put(f"{memory}/a.parquet", parquet_bytes())
    put(f"{memory}/logitpack.json", b"{}")
    (file,) = data_files(memory + end)
    found = [path for path, _ in sidecars(file, memory + end)]
    assert ("a.parquet", [f"{memory}/logitpack.json"]) == (name_in(file, memory + end), found)


def test_names_of_shards_behind_a_url(memory: str) -> None:
    """Messages call a shard by its path in the folder."""
    put(f"{memory}/data/x.parquet", b"PAR1")
    with pytest.raises(DataError) as caught:
        package.read(memory)
    assert "data/x.parquet" == caught.value.place.file


def test_sidecar_at_the_root_of_a_url(memory: str) -> None:
    """Metadata at the root hold for all files below it."""
    put(f"{memory}/data/x.parquet", parquet_bytes(SMALL_ROWS.replace_schema_metadata(None)))
    put(f"{memory}/logitpack.json", json.dumps(described()).encode())
    (file,) = package.check(memory).files
    assert ("Described", f"{memory}/data/x.parquet") == (file.profile, file.path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("data/*.parquet", ["data/a.parquet", "data/b.parquet"]),
        ("data/[b-z].parquet", ["data/b.parquet"]),
        ("**/*.parquet", ["data/a.parquet", "data/b.parquet", "data/deep/c.parquet", "top.parquet"]),
        ("data/**", ["data/a.parquet", "data/b.parquet", "data/deep/c.parquet"]),
        ("d*", ["data/a.parquet", "data/b.parquet", "data/deep/c.parquet"]),
    ],
)
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_patterns(memory: str, tmp_path: Path, kind: str, pattern: str, expected: list[str]) -> None:
    """A pattern is one dataset: files that it matches, what is below folders that it does, hidden ones never."""
    root = memory if kind == "memory" else str(tmp_path)
    for name in ("top.parquet", "data/a.parquet", "data/b.parquet", "data/deep/c.parquet", "data/_d.parquet", "data/e"):
        if kind == "local":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(parquet_bytes())
        else:
            put(f"{root}/{name}", parquet_bytes())
    assert [f"{root}/{name}" for name in expected] == list(data_files(f"{root}/{pattern}"))


def test_pattern_in_a_command(tmp_path: Path) -> None:
    """A quoted pattern is one dataset, whose metadata may stand at its root."""
    write_parquet(tmp_path / "a" / "x.parquet", SMALL_ROWS.replace_schema_metadata(None))
    (tmp_path / "logitpack.json").write_text(json.dumps(described()))
    done = logitpack("check", f"{tmp_path}/*/*.parquet")
    assert (0, True) == (done.status, "Described" in done.out)


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern may begin where the command is called."""
    write_parquet(tmp_path / "x.parquet", SMALL_ROWS)
    monkeypatch.chdir(tmp_path)
    assert ("x.parquet",) == data_files("*.parquet")


def test_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    """A file of that very name is meant, if there is one."""
    path = write_parquet(tmp_path / "a[1]*.parquet", SMALL_ROWS)
    assert (str(path),) == data_files(path)


@pytest.mark.parametrize("pattern", ["*.parquet", "nothing/**/*.parquet"])
def test_pattern_without_a_match(tmp_path: Path, memory: str, pattern: str) -> None:
    """A pattern that matches nothing is the caller's fault."""
    for root in (tmp_path, memory):
        with pytest.raises(UsageError, match="no data files match"):
            data_files(f"{root}/{pattern}")


def test_links_in_patterns_end(tmp_path: Path) -> None:
    """A folder that is linked into itself is walked once."""
    write_parquet(tmp_path / "data" / "x.parquet", SMALL_ROWS)
    (tmp_path / "data" / "loop").symlink_to(tmp_path)
    assert 1 == len(data_files(f"{tmp_path}/**/*.parquet"))


def test_writing_to_a_url_is_refused(tmp_path: Path) -> None:
    """A card is written to this machine only."""
    path = write_parquet(tmp_path / "x.parquet", SMALL_ROWS)
    done = logitpack("card", path, "--output", "memory://card.md")
    assert (2, True) == (done.status, "not to a URL" in done.err)


def test_what_is_a_url() -> None:
    """A scheme makes a URL; a local name with a colon is none."""
    names = ["s3://b/x", "simplecache::https://h/x", "a:b/x", "data/x.parquet", "dir/a://b"]
    assert [True, True, False, False, False] == list(map(is_url, names))
