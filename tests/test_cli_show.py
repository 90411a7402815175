"""`logitpack show`: a row, or a token's entries, from wherever in a dataset it stands."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logitpack as package
from commandline import REAL, TOKENIZER, logitpack, python
from logitpack.cli import tokenizer
from logitpack.cli.tokenizer import load_token_texts, shortened
from logitpack_conformance.rows import Row, described, valid_rows, with_token_ids
from support import table, write_parquet

NAN = float("nan")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Six valid rows of 4, 1, 7, 3, 2 and 5 tokens; tests leave them as they are."""
    return with_token_ids(valid_rows((4, 1, 7, 3, 2, 5)))


@pytest.fixture
def shards(tmp_path: Path, rows: list[Row]) -> Path:
    """The rows in two files, the first of three row groups."""
    data = tmp_path / "dataset" / "data"
    metadata = described()
    write_parquet(data / "train-00000-of-00002.parquet", table(rows[:3], metadata=metadata), row_group_size=1)
    write_parquet(data / "train-00001-of-00002.parquet", table(rows[3:], metadata=metadata))
    return tmp_path / "dataset"


def small_batch(**changes: Any) -> package.Batch:
    """One row of one token: equal logits in nucleus and tail, an index of 18 bits."""
    batch = package.Batch(
        num_tokens=np.array([1]),
        top_counts=np.array([4]),
        top_indices=np.array([5, 262_143, 7, 9], np.int32),
        top_logits=np.array([1.0, 3.0, 1.0, 2.0], np.float32),
        sampled_indices=np.array([[11, 12]], np.int32),
        sampled_logits=np.array([[-2.0, 0.5]], np.float32),
        logsumexp=np.array([4.0]),
    )
    return replace(batch, **changes)


def write_small(path: Path, *, alignment: str = "predicts", **changes: Any) -> None:
    """Write `small_batch` with metadata that fits it."""
    tail = {"num_sampled": 2, "method": "uniform"}
    nucleus = {"rule": "unspecified"}
    metadata = described(vocab_size=262_144, tail=tail, nucleus=nucleus, alignment=alignment)
    package.write(path, small_batch(**changes), metadata)


def test_token_as_text(tmp_path: Path) -> None:
    """Nucleus, then tail: rank, index, logit, probability under the full vocabulary, total mass."""
    path = tmp_path / "small.parquet"
    write_small(path)
    result = logitpack("show", path, "--row", 0, "--token", 0)
    expected = f"""\
Row 0, token 0 of 1
place      {path}, row group 0, row 0
logsumexp  4.0000

Nucleus, 4 entries
rank   index   logit   prob %
   0  262143  3.0000  36.7879
   1       9  2.0000  13.5337
   2       7  1.0000   4.9787
   3       5  1.0000   4.9787
Total nucleus mass: 60.28 %

Tail, 2 entries
#  index    logit    prob %
0     12   0.5000  3.019738
1     11  -2.0000  0.247875
Total tail mass: 3.267614 %
"""
    assert (0, expected, "") == result


def test_one_entry(tmp_path: Path) -> None:
    """One entry is an entry."""
    path = tmp_path / "small.parquet"
    batch = small_batch(
        top_counts=np.array([1]), top_indices=np.array([5], np.int32), top_logits=np.ones(1, np.float32)
    )
    package.write(path, batch)
    out = logitpack("show", path, "--row", 0, "--token", 0).out
    assert "\nNucleus, 1 entry\n" in out
    assert "\nTail, 2 entries\n" in out


def test_token_as_json(tmp_path: Path) -> None:
    """The same as JSON, numbers in full and texts as they are."""
    path = tmp_path / "small.parquet"
    write_small(path, token_ids=np.array([9], np.int32))
    result = logitpack("show", path, "--row", 0, "--token", 0, "--format", "json", "--tokenizer", TOKENIZER)
    document = json.loads(result.out)
    assert (0, "") == (result.status, result.err)
    assert {"file": str(path), "row_group": 0, "row": 0} == document["place"]
    assert (0, 0, 9, 4.0) == tuple(document[name] for name in ("row", "token", "token_id", "logsumexp"))
    first, *_ = document["nucleus"]["entries"]
    assert {"rank", "index", "text", "logit", "percent"} == set(first)
    assert (0, 262_143, "", 3.0) == (first["rank"], first["index"], first["text"], first["logit"])
    middle = np.float32(32768) / np.float32(65535) * 2 + 1  # 2.0 is half-way between two codes
    percent = np.exp(np.array([1, 3, 1, middle], np.float32) - 4.0) * 100
    assert [float(percent[i]) for i in (1, 3, 2, 0)] == [entry["percent"] for entry in document["nucleus"]["entries"]]
    assert float(percent.sum()) == document["nucleus"]["mass_percent"]


def test_own_token_is_named(tmp_path: Path) -> None:
    """With `token_ids` it is said where the token itself is among the entries."""
    path = tmp_path / "small.parquet"
    for index, said in [
        (9, "9, 13.5337 %, rank 1 of its nucleus"),
        (12, "12, 3.0197 %, rank 0 of its tail"),
        (40, "40, not among the stored entries"),
    ]:
        write_small(path, token_ids=np.array([index], np.int32))
        assert f"the token  {said}\n" in logitpack("show", path, "--row", 0, "--token", 0).out


@pytest.mark.parametrize("name", ["one.parquet", "one.arrow", "one.arrows", "one.ndjson"])
def test_every_container(tmp_path: Path, rows: list[Row], shards: Path, name: str) -> None:
    """A row is the same in each container and in shards."""
    path = tmp_path / name
    metadata = None if path.suffix == ".ndjson" else described()
    package.write(path, table(rows), metadata, row_group_tokens=6)
    for row in range(len(rows)):
        one = json.loads(logitpack("show", path, "--row", row, "--format", "json").out)
        other = json.loads(logitpack("show", shards, "--row", row, "--format", "json").out)
        assert other["tokens"] == one["tokens"]
        assert (row, row) == (one["row"], other["row"])
        assert row == one["place"]["row"]


def test_rows_are_counted_over_all_files(shards: Path) -> None:
    """The place names the file, the row group and the row in the file."""
    places = [json.loads(logitpack("show", shards, "-r", row, "--format", "json").out)["place"] for row in (0, 2, 3, 5)]
    first, second = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"
    expected = [(first, 0, 0), (first, 2, 2), (second, 0, 0), (second, 0, 2)]
    assert expected == [(place["file"], place["row_group"], place["row"]) for place in places]


def test_what_stands_before_is_not_read(shards: Path) -> None:
    """A row is found by the footers: broken pages before it do not matter."""
    shard = shards / "data" / "train-00000-of-00002.parquet"
    data = bytearray(shard.read_bytes())
    data[4:200] = bytes(196)
    shard.write_bytes(data)
    assert 0 == logitpack("show", shards, "--row", 2).status
    assert 0 == logitpack("show", shards, "--row", 5).status
    broken = logitpack("show", shards, "--row", 0)
    assert (1, "") == (broken.status, broken.out)
    assert broken.err.startswith("error: FILE-1: ")


def test_broken_row(tmp_path: Path, rows: list[Row]) -> None:
    """A row that breaks a requirement is told by its place; its neighbours can be shown."""
    broken = [dict(row) for row in rows]
    broken[2] = {**broken[2], "logsumexp": [NAN, *broken[2]["logsumexp"][1:]]}
    path = write_parquet(tmp_path / "broken.parquet", table(broken, metadata=described()))
    assert [0, 0, 1, 0] == [logitpack("show", path, "--row", row).status for row in range(4)]
    message = logitpack("show", path, "--row", 2).err
    assert message.startswith("error: LSE-1: ")
    assert message.endswith(f"({path}, row group 0, row 2, token 0, column logsumexp)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", "6"], "{path} has no row 6: it has rows 0 to 5"),
        (["--row", "-1"], "row -1 is negative: rows count from 0"),
        (["--row", "0", "--token", "4"], "row 0 has no token 4: it has tokens 0 to 3"),
        (["--row", "0", "--token", "-1"], "row 0 has no token -1: it has tokens 0 to 3"),
        (
            ["--row", "0", "--tokenizer", "/no/such/folder"],
            "tokenizer /no/such/folder is no file, no folder and no id on the Hub",
        ),
        (["--row", "0", "--tokenizer", ""], "the tokenizer's name is empty"),
        (["--row", "0", "--tokenizer", "{path}"], "{path} has no tokenizer.json in it"),
    ],
)
def test_wrong_usage(shards: Path, arguments: list[str], message: str) -> None:
    """What is not there is wrong usage, and what is there is named."""
    result = logitpack("show", shards, *(argument.format(path=shards) for argument in arguments))
    assert (2, "", f"error: {message.format(path=shards)}\n") == result


@pytest.mark.parametrize("name", ["one.parquet", "one.arrow", "one.arrows"])
def test_dataset_without_rows(tmp_path: Path, name: str) -> None:
    """A dataset with no rows has no row 0."""
    path = tmp_path / name
    package.write(path, [], described())
    assert (2, "", f"error: {path} has no row 0: it has no rows\n") == logitpack("show", path, "--row", 0)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    """No such path, no data in a folder, and a file that is none of the containers."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("hello")
    for name, status in [("nowhere", 2), ("empty", 2), ("text", 1)]:
        result = logitpack("show", tmp_path / name, "--row", 0)
        assert (status, "", 1) == (result.status, result.out, result.err.count("\n"))
        assert str(tmp_path / name) in result.err


def test_overview(shards: Path) -> None:
    """Without a token: sizes, masses and the first tokens with their likeliest entry."""
    result = logitpack("show", shards, "--row", 2, "--limit", 3)
    lines = result.out.splitlines()
    assert (0, "Row 2, 7 tokens") == (result.status, lines[0])
    facts = {line[:13].strip(): line[15:] for line in lines[1:9]}
    assert "Described, Parquet; teacher, 70,000 logits" == facts["profile"]
    assert "5 entries a token" == facts["tail"]
    assert "100.0% in their nucleus, 100.0% in nucleus or tail" == facts["tokens stored"]
    assert ["token", "id", "prob", "%", "top", "1", "prob", "%", "nucleus", "mass", "%"] == lines[-5].split()
    assert ["0", "1", "2"] == [line.split()[0] for line in lines[-4:-1]]
    assert "4 more tokens: --limit 0 lists all, --token N shows one" == lines[-1]


def test_overview_of_all_tokens(shards: Path) -> None:
    """A limit of 0 lists every token and says nothing of more."""
    lines = logitpack("show", shards, "--row", 2, "--limit", 0).out.splitlines()
    assert [str(token) for token in range(7)] == [line.split()[0] for line in lines[-7:]]


def test_overview_agrees_with_the_decoded_rows(rows: list[Row], shards: Path) -> None:
    """Masses and likeliest entries are those of what `read` decodes."""
    (batch,) = [*package.read(shards / "data" / "train-00001-of-00002.parquet", dtype=np.float64)]
    document = json.loads(logitpack("show", shards, "--row", 3, "--format", "json").out)
    assert rows[3]["num_tokens"] == document["num_tokens"]
    for i, token in enumerate(document["tokens"]):
        entries = slice(*batch.top_offsets[i : i + 2])
        percent = 100 * np.exp(batch.top_logits[entries] - batch.logsumexp[i])
        assert pytest.approx(float(percent.sum()), rel=1e-5) == token["nucleus_mass_percent"]
        assert pytest.approx(float(percent.max()), rel=1e-5) == token["first"]["percent"]
        assert int(batch.top_indices[entries][percent.argmax()]) == token["first"]["index"]


def test_row_without_metadata_and_ids(tmp_path: Path) -> None:
    """A Core row is shown too, without what it does not say."""
    path = tmp_path / "core.ndjson"
    package.write(path, small_batch())
    out = logitpack("show", path, "--row", 0).out
    assert "profile       Core (no metadata), stored JSON\n" in out
    assert "tokens stored" not in out
    assert ["0", "262143", "36.79", "4", "60.28"] == out.splitlines()[-1].split()


@pytest.mark.parametrize("alignment", ["follows", "unspecified"])
def test_another_alignment_is_said(tmp_path: Path, alignment: str) -> None:
    """Whoever looks at a row is told where its entries are not aligned as they should be."""
    path = tmp_path / "small.parquet"
    write_small(path, alignment=alignment)
    assert f"alignment     {alignment}: " in logitpack("show", path, "--row", 0).out


def test_logits_far_above_their_logsumexp(tmp_path: Path) -> None:
    """A reader may accept it (LSE-2): the probability is infinite, and that is no fault of the program."""
    path = tmp_path / "far.parquet"
    (row,) = package.encode(small_batch()).to_pylist()
    write_parquet(path, table([{**row, "logsumexp": [-1e300]}]))
    result = logitpack("show", path, "--row", 0, "--token", 0, "--format", "json")
    assert (0, "") == (result.status, result.err)
    assert "Infinity" == json.loads(result.out)["nucleus"]["mass_percent"]
    assert 0 == logitpack("show", path, "--row", 0, "--format", "json").status


def test_real_dataset_with_texts() -> None:
    """On the real dataset the texts are those of the tokenizer, leading blanks included."""
    out = logitpack("show", REAL, "--row", 0, "--tokenizer", TOKENIZER / "tokenizer.json").out
    assert "text           The answer is 4.<|im_end|>8.<|im_end|>\n" in out
    assert "    1  2988   answer      67.92   2988   answer" in out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" a", " a"),
        ("x" * 18, "x" * 18),
        ("x" * 19, "x" * 15 + "..."),
        ("\n\t", "\\n\\t"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("it's", "it's"),
        ("\u200b" * 4, "\\u200b\\u200b\\u2..."),
    ],
)
def test_shortened(text: str, shown: str) -> None:
    """A text is escaped first, and cut to 15 characters and dots where it then has more than 18."""
    assert shown == shortened(text)


def test_token_texts_are_those_of_transformers() -> None:
    """Each index of the vocabulary decodes as with transformers, which many readers use."""
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(str(TOKENIZER))
    ours = load_token_texts(str(TOKENIZER))
    differing = [i for i in range(len(theirs) + 8) if ours.text([i]) != theirs.decode([i])]
    assert [] == differing


def test_tokenizers_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package `tokenizers` only texts are wanting, and it is said what to install."""
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    result = logitpack("show", REAL, "--row", 0, "--tokenizer", TOKENIZER)
    assert (2, "", "error: --tokenizer needs tokenizers: pip install tokenizers\n") == result
    assert 0 == logitpack("show", REAL, "--row", 0).status


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"version": "1.0"}'])
def test_broken_tokenizer(tmp_path: Path, content: str) -> None:
    """A file that is no tokenizer is told in one line."""
    (tmp_path / "tokenizer.json").write_text(content)
    result = logitpack("show", REAL, "--row", 0, "--tokenizer", tmp_path)
    assert (2, "", 1) == (result.status, result.out, result.err.count("\n"))
    assert result.err.startswith(f"error: tokenizer {tmp_path} cannot be loaded: ")


@pytest.mark.parametrize(
    "name", ["./x", "../x", "/x", "~/x", "~nobody-of-this-name/x", ".\\x", "a\\b", "a/b/c", "x/", os.devnull]
)
def test_paths_are_not_looked_for_on_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """What is meant as a path, or is there, and is no tokenizer fails without a question to the Hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tokenizer, "_from_hub", lambda _: pytest.fail("the Hub was asked"))
    expected = f"error: tokenizer {name} is no file, no folder and no id on the Hub\n"
    assert (2, "", expected) == logitpack("show", REAL, "--row", 0, "--tokenizer", name)


def test_tokenizer_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde that the shell has left stands for the home folder."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(TOKENIZER.parent))
    assert 0 == logitpack("show", REAL, "--row", 0, "--tokenizer", f"~/{TOKENIZER.name}").status


def test_hub_retries_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's library logs nothing of its attempts, and its reason is told to the end."""
    reason = "no connection " * 30 + "at all"
    code = f"""
import sys
import tokenizers
from logitpack.cli import main

class Tokenizer:
    def from_pretrained(name):
        import logging
        import huggingface_hub.file_download
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying")
        raise OSError({reason!r} + ".\\n")

tokenizers.Tokenizer = Tokenizer
sys.argv = ["logitpack", "show", {str(REAL)!r}, "--row", "0", "--tokenizer", "example/none"]
main()
"""
    monkeypatch.delenv("HF_HUB_VERBOSITY", raising=False)
    expected = (2, "", f"error: tokenizer example/none cannot be loaded: {reason}\n")
    assert expected == python("-c", code, HF_HUB_OFFLINE=1)


def test_tokenizer_of_the_hub_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An id that the Hub cannot be asked for is told in one line."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    result = logitpack("show", REAL, "--row", 0, "--tokenizer", "example/no-such-tokenizer")
    assert (2, "", 1) == (result.status, result.out, result.err.count("\n"))
    assert result.err.startswith("error: tokenizer example/no-such-tokenizer cannot be loaded: ")


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A Hub that takes calls and never answers, an empty cache, and little patience."""
    from huggingface_hub import constants

    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(tokenizer, "PATIENCE_SECONDS", 0.2)
        yield endpoint


def test_hub_that_does_not_answer(silent_hub: str) -> None:
    """The Hub is not waited for for long, and it is said that it does not answer."""
    reason = f"{silent_hub} does not answer, and the Hub's cache does not have it"
    expected = (2, "", f"error: tokenizer example/none cannot be loaded: {reason}\n")
    assert expected == logitpack("show", REAL, "--row", 0, "--tokenizer", "example/none")


def test_cached_tokenizer_without_the_hub(silent_hub: str, tmp_path: Path) -> None:
    """What the Hub's library has fetched before is used where the Hub does not answer."""
    folder = tmp_path / "models--example--known"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0")
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "0").symlink_to(TOKENIZER)
    done = logitpack("show", REAL, "--row", 0, "--tokenizer", "example/known")
    assert (logitpack("show", REAL, "--row", 0, "--tokenizer", TOKENIZER), True) == (done, bool(silent_hub))
