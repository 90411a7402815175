"""`logitpack card`: true in its numbers, safe in its words, and its programs run."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

import logitpack as package
from commandline import REAL, TOKENIZER, logitpack, python
from logitpack.cli.hub import size_category, splits
from logitpack.cli.markdown import code, literal
from logitpack.errors import printable
from logitpack_conformance.rows import STRIDE, described, valid_rows
from support import table, write_parquet

NASTY = [
    "plain",
    "a|b",
    "``` x",
    "`",
    "\\|",
    "\\",
    "</code><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](http://example.com/x.png)",
    "\n---\n# heading\n",
    "\n```\n# heading\n",
    "*bold* _it_ ~~s~~",
    "&lt;b&gt;",
    "{{ 7 * 7 }}{% raw %}",
    '"; import os  # ',
    "' + str(1) + '",
    "a: b, [c]: {d}",
    "\x1b[31mred\u202e",
    " ",
    "@everyone http://example.com",
    "ends with a backslash\\",
    "\U0001f600 \u00e4",
]


def front_matter(card: str) -> dict[str, Any]:
    """Return the card's YAML, between its two lines of dashes."""
    _, head, _ = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    members: dict[str, Any] = yaml.safe_load(head)
    return members


def programs(card: str) -> list[str]:
    """Return the card's Python programs."""
    return re.findall(r"^```python\n(.*?)^```$", card, flags=re.MULTILINE | re.DOTALL)


def cells(card: str) -> dict[str, str]:
    """Return first and second cell of each row of the card's tables, as plain text."""
    found = {}
    for line in card.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if line.startswith("| ") and len(parts) == 2:
            found[parts[0]] = parts[1]
    return found


@pytest.fixture(scope="module")
def real() -> str:
    """The card of the real dataset."""
    result = logitpack("card", REAL)
    assert (0, "") == (result.status, result.err)
    return result.out


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """A dataset without metadata: three rows of 4, 1 and 7 tokens."""
    return write_parquet(tmp_path / "dataset" / "rows.parquet", table(valid_rows()))


def described_file(path: Path, **members: Any) -> Path:
    """Write the same rows with metadata, some members of it replaced."""
    return write_parquet(path / "rows.parquet", table(valid_rows(), metadata=described(**members)))


def test_counts(real: str) -> None:
    """Rows, tokens, files, bytes, nucleus sizes and S are those of the data."""
    batches = [*package.read(REAL)]
    sizes = np.concatenate([batch.top_counts for batch in batches])
    (file,) = (REAL / "data").iterdir()
    size = file.stat().st_size
    expected = {
        "rows": f"{sum(len(batch.num_tokens) for batch in batches):,}",
        "tokens": f"{sizes.size:,}",
        "nucleus entries": f"{sizes.sum():,}: {sizes.mean():.2f} a token on average, {sizes.max()} at most",
        "tail entries a token": "24",
        "files": "1",
        "bytes": f"{size:,}: {size / sizes.size:.0f} a token",
    }
    assert expected == {name: text for name, text in cells(real).items() if name in expected}


def test_parameters(real: str) -> None:
    """Every member of the metadata that the specification names is in the card."""
    metadata = package.read(REAL).metadata
    assert metadata is not None
    raw, found = metadata.raw, cells(real)
    assert f"`{raw['model']['id']}`" == found["model id"]
    assert f"`{raw['tokenizer']['size']}`" == found["tokenizer size"]
    assert f"`{raw['vocab_size']:,}`" == found["vocabulary (width of the logits)"]
    assert f"`{raw['nucleus']['top_p']}`" == found["nucleus top p"]
    assert f"`{raw['tail']['seed']}`" == found["tail seed"]
    assert "`predicts`" == found["alignment"]
    assert f"`{raw['chat_template_sha256']}`" == found["chat template sha256"]
    assert f"`{raw['source']['id']}`" == found["source id"]


def test_front_matter(real: str) -> None:
    """The Hub learns the name, size and files; the licence is the user's to say."""
    members = front_matter(real)
    assert "Teacher logits of HuggingFaceTB/SmolLM2-135M-Instruct" == members["pretty_name"]
    assert ["n<1K"] == members["size_categories"]
    files = [{"split": "train", "path": "data/train-*.parquet"}]
    assert [{"config_name": "default", "data_files": files}] == members["configs"]
    assert "license" not in members
    assert "apache-2.0" == front_matter(logitpack("card", REAL, "--license", "apache-2.0").out)["license"]


def test_first_program_runs(real: str, tmp_path: Path) -> None:
    """The program with LogitPack runs unchanged, dataset and tokenizer being in the Hub's cache."""
    cached = tmp_path / "hub"
    for name, source in [
        ("datasets--YOUR-NAME--YOUR-DATASET", REAL),
        ("models--HuggingFaceTB--SmolLM2-135M-Instruct", TOKENIZER),
    ]:
        shutil.copytree(source, cached / name / "snapshots" / "0123abc")
        (cached / name / "refs").mkdir()
        (cached / name / "refs" / "main").write_text("0123abc")
    # transformers looks for a model's configuration first.
    model = cached / "models--HuggingFaceTB--SmolLM2-135M-Instruct" / "snapshots" / "0123abc"
    (model / "config.json").write_text('{"model_type": "llama"}')
    program = tmp_path / "program.py"
    program.write_text(programs(real)[0], encoding="utf-8")
    result = python(program, HF_HOME=tmp_path, HF_HUB_CACHE=cached, HF_HUB_OFFLINE="1")
    assert 0 == result.status, result.err
    shown = json.loads(logitpack("show", REAL, "-r", 0, "-t", 0, "--tokenizer", TOKENIZER, "--format", "json").out)
    expected = [
        f"{entry['index']:>7} {entry['text']!r:<20} {entry['logit']:>9.4f} "
        f"{np.exp(entry['logit'] - shown['logsumexp']):>9.4%}"
        for entry in shown["nucleus"]["entries"]
    ]
    assert expected == result.out.splitlines()


def test_second_program_runs(real: str, tmp_path: Path) -> None:
    """The program without LogitPack runs on the dataset in a local folder, streamed, and agrees."""
    dataset = REAL.as_posix()
    program = tmp_path / "program.py"
    program.write_text(programs(real)[1].replace("YOUR-NAME/YOUR-DATASET", dataset), encoding="utf-8")
    result = python(program, HF_HOME=tmp_path, HF_HUB_OFFLINE="1")
    assert 0 == result.status, result.err
    batch = next(iter(package.read(REAL, dtype=np.float64)))
    start, stop = batch.top_offsets[:2]
    nucleus = np.exp(batch.top_logits[start:stop] - batch.logsumexp[0])
    tail = np.exp(batch.sampled_logits[0] - batch.logsumexp[0])
    expected = [f"{i:>7} {p:>9.4%}" for i, p in zip(batch.top_indices[start:stop], nucleus, strict=True)]
    expected.append(f"nucleus {nucleus.sum():.4%}, tail {tail.sum():.4%}")
    assert expected == result.out.splitlines()


def test_second_program_reads_every_index(tmp_path: Path) -> None:
    """The program without LogitPack joins all 18 bits, and adds up counts beyond 8."""
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 0.1, (5, 262_144)).astype(np.float32)
    batch = package.select(logits, max_entries=100, num_sampled=STRIDE, rng=rng)
    package.write(
        tmp_path / "data" / "train-00000-of-00001.parquet",
        batch,
        described(vocab_size=262_144, nucleus={"rule": "covering", "top_p": 0.98, "max_entries": 100}),
    )
    text = programs(logitpack("card", tmp_path, "--dataset-id", tmp_path.as_posix()).out)[1]
    text += "\nprint([nucleus.tolist(), tail.tolist(), nucleus_logits.tolist(), tail_logits.tolist()])\n"
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    result = python(program, HF_HOME=tmp_path / "home", HF_HUB_OFFLINE="1")
    assert 0 == result.status, result.err
    (decoded,) = package.read(tmp_path, dtype=np.float64)
    nucleus, tail, nucleus_logits, tail_logits = json.loads(result.out.splitlines()[-1])
    assert 500 == len(nucleus)
    assert decoded.top_indices.tolist() == nucleus
    assert decoded.sampled_indices.ravel().tolist() == tail
    np.testing.assert_allclose(nucleus_logits, decoded.top_logits, rtol=1e-12)
    np.testing.assert_allclose(tail_logits, decoded.sampled_logits.ravel(), rtol=1e-12)


@pytest.mark.parametrize(
    ("alignment", "said", "outputs"),
    [("predicts", "is the distribution **of**", "3 4 8 9"), ("follows", "**Mind the shift.**", "4 5 9 10")],
)
def test_alignment(tmp_path: Path, alignment: str, said: str, outputs: str) -> None:
    """The words and the worked table are those of the declared alignment."""
    text = logitpack("card", described_file(tmp_path, alignment=alignment)).out
    assert said in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \| `\w", line)]
    assert ["0", "1", "2", "3"] == [row[2] for row in rows if len(row) == 4]
    assert outputs.split() == [row[3] for row in rows if len(row) == 4]


def test_undeclared_alignment(tmp_path: Path) -> None:
    """Where the alignment is not known, the card warns and the table does not pretend."""
    text = logitpack("card", described_file(tmp_path, alignment="unspecified")).out
    assert "> **Not declared.**" in text
    assert 4 == text.count("| not declared |")


def test_end_of_turn(tmp_path: Path) -> None:
    """The token that ends a turn is in the worked table where the mask selects it."""
    text = logitpack("card", described_file(tmp_path, mask={"turns": "assistant", "end_of_turn": True})).out
    assert "| 7 | `[end]` | 2 | 6 |" in text
    assert "| 3 | `[end]` |  |  |" in text


@pytest.mark.parametrize("members", [{}, {"mask": {"turns": "assistant"}}])
def test_end_of_turn_undeclared(tmp_path: Path, members: dict[str, Any]) -> None:
    """Where it is not known whether that token is selected, the card says nothing of it."""
    text = logitpack("card", described_file(tmp_path, **members)).out
    assert "[end]" not in text
    assert "that ends a turn" not in text
    assert "| 4 | `Turn` | 0 | 3 |" in text


def test_end_of_turn_left_out(tmp_path: Path) -> None:
    """Where it is known not to be selected, it stands in the table and has no entry."""
    text = logitpack("card", described_file(tmp_path, mask={"end_of_turn": False})).out
    assert "| 7 | `[end]` |  |  |" in text
    assert "; the token that ends a turn is not." in text


@pytest.mark.parametrize("rule", ["below", "unspecified"])
@pytest.mark.parametrize("method", ["proportional", "unspecified"])
def test_other_rules_and_methods(tmp_path: Path, rule: str, method: str) -> None:
    """Every rule and method has words of its own."""
    nucleus: dict[str, Any] = {"rule": rule} | ({"top_p": 0.98, "max_entries": 100} if rule == "below" else {})
    path = described_file(tmp_path, nucleus=nucleus, tail={"num_sampled": STRIDE, "method": method})
    result = logitpack("card", path)
    assert 0 == result.status
    assert "None" not in re.sub(r"```.*?```", "", result.out, flags=re.DOTALL)
    assert "As the tail is a uniform sample" not in result.out


def test_core_dataset(core: Path) -> None:
    """A dataset that does not say what it is gets no card, and the user is told how to supply it."""
    result = logitpack("card", core)
    expected = (
        "error: there is no metadata to fill a card from: give --metadata FILE, "
        f"or put logitpack.json beside the data ({core})\n"
    )
    assert (2, "", expected) == result


def test_metadata_by_option(core: Path, tmp_path: Path) -> None:
    """`--metadata` supplies what the files do not hold."""
    given = tmp_path / "given.json"
    given.write_text(json.dumps(described(model={"id": "given/model"})))
    result = logitpack("card", core, "--metadata", given)
    assert 0 == result.status
    assert "# Teacher logits of `given/model`" in result.out


def test_metadata_of_the_data_come_first(core: Path, tmp_path: Path) -> None:
    """`--metadata` is for datasets that have none: what stands in the files or beside them is in force."""
    given = tmp_path / "given.json"
    given.write_text(json.dumps(described(model={"id": "given/model"})))
    (core.parent / "logitpack.json").write_text(json.dumps(described(model={"id": "beside/model"})))
    embedded = described_file(tmp_path / "embedded", model={"id": "embedded/model"})
    assert "of `beside/model`" in logitpack("card", core, "--metadata", given).out
    assert "of `embedded/model`" in logitpack("card", embedded, "--metadata", given).out


def test_metadata_beside_the_data(core: Path) -> None:
    """So does a logitpack.json beside the data."""
    (core.parent / "logitpack.json").write_text(json.dumps(described(model={"id": "beside/model"})))
    assert "# Teacher logits of `beside/model`" in logitpack("card", core).out


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"spec_version": "2.0"}'])
def test_bad_metadata_by_option(core: Path, tmp_path: Path, content: bytes) -> None:
    """Metadata that is not valid is the user's fault, and told in one line."""
    given = tmp_path / "given.json"
    given.write_bytes(content)
    result = logitpack("card", core, "--metadata", given)
    assert (2, "", 1) == (result.status, result.out, result.err.count("\n"))
    assert "META-" in result.err


def test_rows_that_contradict_the_metadata(tmp_path: Path) -> None:
    """A card that would state another S than the rows have is refused."""
    path = described_file(tmp_path, tail={"num_sampled": 24, "method": "uniform"})
    result = logitpack("card", path)
    assert (1, "") == (result.status, result.out)
    assert result.err.startswith(f"error: TAIL-4: the tails have {STRIDE} entries a token, tail.num_sampled says 24")


def test_dataset_without_rows(tmp_path: Path) -> None:
    """A dataset with no rows has nothing to fill in."""
    package.write(tmp_path / "none.parquet", [], described())
    result = logitpack("card", tmp_path / "none.parquet")
    assert (2, "") == (result.status, result.out)
    assert "no rows to describe" in result.err


def test_output(tmp_path: Path, real: str) -> None:
    """`--output` writes what would have been printed, and leaves nothing else behind."""
    target = tmp_path / "README.md"
    result = logitpack("card", REAL, "--output", target)
    assert (0, "") == (result.status, result.err)
    assert real == target.read_text("utf-8")
    assert [target] == [*tmp_path.iterdir()]


def test_output_is_not_replaced(tmp_path: Path, real: str) -> None:
    """A file that is there stays, unless --force is given."""
    target = tmp_path / "README.md"
    target.write_text("mine")
    refused = logitpack("card", REAL, "--output", target)
    assert (2, "", f"error: {target} is there already; --force replaces it\n") == refused
    assert "mine" == target.read_text()
    assert 0 == logitpack("card", REAL, "--output", target, "--force").status
    assert real == target.read_text("utf-8")


def test_output_that_appears_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that appears while the dataset is read is not replaced either."""
    from logitpack.cli import card

    target = tmp_path / "README.md"

    def slow(*_: object, **__: object) -> str:
        target.write_text("mine")
        return "text"

    monkeypatch.setattr(card, "render", slow)
    assert 2 == logitpack("card", REAL, "--output", target).status
    assert "mine" == target.read_text()
    assert [target] == [*tmp_path.iterdir()]


def test_output_into_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is told in one line."""
    target = tmp_path / "nowhere" / "README.md"
    result = logitpack("card", REAL, "--output", target)
    assert (2, "", f"error: cannot be written: No such file or directory ({target})\n") == result


def text_of(tokens: list[Token]) -> str:
    """Return the text that a browser would show of inline tokens, their tags left out."""
    html = MarkdownIt("commonmark").renderer.render(tokens, {"breaks": False}, {})  # type: ignore[arg-type]
    import html as entities

    return entities.unescape(re.sub(r"</?code>", "", html))


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_in_a_table(text: str) -> None:
    """In a table's cell any text stays one cell, and shows as itself, made printable."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(f"| a | b |\n|---|---|\n| {code(text)} | end |\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert ["a", "b", "end"] == [inline[0].content, inline[1].content, inline[3].content]
    assert 4 == len(inline)
    children = inline[2].children or []
    kinds = {child.type for child in children}
    assert kinds <= {"code_inline", "text", "html_inline", "text_special"}
    assert {child.content for child in children if child.type == "html_inline"} <= {"<code>", "</code>"}
    assert printable(text) == text_of(inline[2:3])


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_in_source(text: str) -> None:
    """In a program any text is one literal on one line, and means itself."""
    import ast

    source = literal(text)
    assert text == ast.literal_eval(source)
    assert "\n" not in source
    assert source.isascii()


@pytest.mark.parametrize("text", NASTY)
def test_nasty_metadata(tmp_path: Path, text: str) -> None:
    """Whatever the metadata says, the card keeps its headings, its front matter and its programs."""
    members: dict[str, Any] = {
        "model": {"id": text, "revision": text, "dtype": text},
        "tokenizer": {"id": text, "revision": text},
        "mask": {"turns": text, "excluded": [text, text]},
        "source": {"id": text, "revision": text, "split": text},
        "writer": {"name": text, "version": text},
    }
    card = logitpack("card", described_file(tmp_path, **members), "--license", text, "--dataset-id", text).out
    tame = logitpack("card", described_file(tmp_path / "tame", mask={"turns": "a", "excluded": ["b"]})).out
    parser = MarkdownIt("commonmark").enable("table")

    def outline(document: str) -> list[tuple[str, str]]:
        body = re.split(r"^---$", document, maxsplit=2, flags=re.MULTILINE)[2]
        return [
            (token.type, token.tag)
            for token in parser.parse(body)
            if token.type in {"heading_open", "fence", "table_open"}
        ]

    assert outline(tame) == outline(card)
    assert f"Teacher logits of {printable(text)}" == front_matter(card)["pretty_name"]
    assert printable(text) == front_matter(card)["license"]
    for program in programs(card):
        compile(program, "card", "exec")
    assert {"html_block"}.isdisjoint(token.type for token in parser.parse(card))
    body = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)[2]
    assert "<script" not in re.sub(r"```.*?```|`[^`\n]*`", "", body, flags=re.DOTALL)


def test_long_text_is_cut(tmp_path: Path) -> None:
    """A string of any length takes a line of bounded length."""
    card = logitpack("card", described_file(tmp_path, writer={"name": "x" * 100_000})).out
    assert max(map(len, card.splitlines())) < 1000


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["data/train-00000-of-00001.parquet"], {"train": "data/train-*.parquet"}),
        (
            ["data/test-00000-of-00001.parquet", "data/train-00000-of-00002.parquet"],
            {"test": "data/test-*.parquet", "train": "data/train-*.parquet"},
        ),
        (["train-00000-of-00001.parquet"], {"train": "train-*.parquet"}),
        (["rows.parquet"], {}),
        (["data/train-00000-of-00001.arrow"], {}),
    ],
)
def test_splits(files: list[str], expected: dict[str, str]) -> None:
    """Splits are named where all files have the names that the Hub gives shards."""
    assert expected == splits(files)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12, "n>1T"), (10**15, "n>1T")],
)
def test_size_category(rows: int, expected: str) -> None:
    """The Hub's size categories go by powers of ten."""
    assert expected == size_category(rows)


def test_files_that_datasets_cannot_read(tmp_path: Path) -> None:
    """For a container that `datasets` does not read there is no program that would."""
    path = tmp_path / "rows.arrows"
    package.write(path, table(valid_rows()), described())
    assert 1 == len(programs(logitpack("card", path).out))
