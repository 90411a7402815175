"""SPEC.md: its form, its worked examples, and what is generated from it."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer

import logitpack
from logitpack.logical_json import batch_from_logical
from logitpack.stored_json import read_stored, stored_lines

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "fixtures" / "real" / "smollm2-135m-instruct"
SPEC = (ROOT / "SPEC.md").read_text("utf-8")


@pytest.fixture(scope="module")
def spec() -> ModuleType:
    """The parser of SPEC.md."""
    found = importlib.util.spec_from_file_location("spec", ROOT / "tools" / "spec.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["spec"] = module
    found.loader.exec_module(module)
    return module


ITEM = '- **ABC-1** (S) *Title.* It <a id="abc-1"></a>**MUST** hold.\n  *Why:* because.\n'


def test_requirement_is_parsed(spec: ModuleType) -> None:
    """A list item in the form of a requirement gives its parts as plain text."""
    found = spec.requirements("## 1 One\n\n" + ITEM)[0]
    assert (found.id, found.level, found.kind, found.title) == ("ABC-1", "MUST", "S", "Title")
    assert (found.text, found.reason, found.section) == ("It MUST hold.", "because.", "1 One")


@pytest.mark.parametrize(
    "text",
    [
        ITEM + ITEM,
        ITEM.replace("abc-1", "abc-2"),
        ITEM.replace("*Why:* because.", ""),
        ITEM.replace("(S)", "(X)"),
        ITEM.replace("hold", '<a id="abc-1"></a>**SHOULD** hold'),
        'A paragraph <a id="abc-1"></a>**MUST** not carry an id.\n',
    ],
    ids=["twice", "anchor", "no-reason", "kind", "two-words", "no-item"],
)
def test_broken_form_is_refused(spec: ModuleType, text: str) -> None:
    """A requirement that breaks the form is an error, never left out."""
    with pytest.raises(spec.SpecError):
        spec.requirements("## 1 One\n\n" + text)


@pytest.mark.parametrize("text", ["A file must be whole.\n", "A file MUST be whole.\n"])
def test_loose_normative_words_are_found(spec: ModuleType, text: str) -> None:
    """A normative word without an id, in either case, is a fault of wording."""
    assert len(spec.wording("## 1 One\n\n" + text)) == 1


def test_generated_files_are_fresh() -> None:
    """requirements.json, columns.arrows and the table in SPEC.md are what SPEC.md and columns.json give."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ids_in_code_are_requirements(spec: ModuleType) -> None:
    """Every id that the code, the schemas or the prose name exists."""
    known = {requirement.id for requirement in spec.requirements(SPEC)}
    groups = {name.split("-")[0] for name in known}
    named = re.compile(rf"\b(?:{'|'.join(sorted(groups))})-[0-9]+\b")
    files = [*ROOT.glob("reference/**/*.py"), *ROOT.glob("conformance/**/*.py"), *ROOT.glob("schema/*.json")]
    files += [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    unknown = {
        (path.name, name) for path in files for name in named.findall(path.read_text("utf-8")) if name not in known
    }
    assert unknown == set()


def test_internal_links_lead_somewhere(spec: ModuleType) -> None:
    """Every #link in SPEC.md has its heading or anchor."""
    headings = {spec.slug(match[1]) for match in re.finditer(r"^#+ (.+)$", SPEC, re.MULTILINE)}
    anchors = set(re.findall(r'<a id="([^"]+)">', SPEC))
    links = set(re.findall(r"\]\(#([^)]+)\)", SPEC))
    assert links - headings - anchors == set()


@pytest.fixture(scope="module")
def examples(spec: ModuleType) -> dict[str, Any]:
    """The named examples of SPEC.md."""
    found: dict[str, Any] = spec.examples(SPEC)
    return {name: json.loads(text) if text.lstrip()[0] in "{[" else text for name, text in found.items()}


def test_example_indices(examples: dict[str, Any]) -> None:
    """The five indices of section 7 pack to the bytes shown, and back."""
    example = examples["indices"]
    entries = np.array([len(example["indices"])])
    low, high = logitpack.pack(np.array(example["indices"]), entries)
    assert (low.tolist(), high.tobytes().hex().upper()) == (example["low"], example["high"])
    assert logitpack.unpack(low, high, entries).tolist() == example["indices"]


def test_example_row_encodes(examples: dict[str, Any]) -> None:
    """The logical row of appendix A is written as the stored row shown."""
    batch = batch_from_logical([examples["row-logical"]])
    lines = list(stored_lines(logitpack.encode(batch)))
    assert [json.loads(line) for line in lines] == [examples["row-stored"]]


def test_example_row_decodes(examples: dict[str, Any]) -> None:
    """The stored row of appendix A decodes to the logical one: 8.25 within half a step, the rest exactly."""
    line = json.dumps(examples["row-stored"]).encode()
    (stored,) = read_stored(io.BytesIO(line))
    decoded = logitpack.decode(stored, dtype=np.float64)
    tokens = examples["row-logical"]["tokens"]
    assert decoded.top_indices.tolist() == [i for token in tokens for i in token["top"]["indices"]]
    logits = [x for token in tokens for x in token["top"]["logits"]]
    assert decoded.top_logits[[0, 2, 3, 4]].tolist() == [logits[k] for k in (0, 2, 3, 4)]
    assert abs(decoded.top_logits[1] - logits[1]) <= 0.5 * 3 / 65535
    assert decoded.sampled_logits.tolist() == [token["sampled"]["logits"] for token in tokens]


def test_example_bytes(examples: dict[str, Any]) -> None:
    """The byte table of appendix A is what the canonical types hold, down to the total."""
    batch = logitpack.encode(batch_from_logical([examples["row-logical"]]))
    lines = [line.split(None, 2) for line in examples["row-bytes"].splitlines()]
    total = 0
    for name, size, octets in lines[:-1]:
        value = batch.column(name)[0]
        if pa.types.is_binary(value.type):
            raw = value.as_py()
        else:
            raw = np.asarray(value.values if pa.types.is_list(value.type) else [value.as_py()])
            raw = raw.astype("<i4").tobytes() if name == "num_tokens" else raw.tobytes()
        assert (name, len(raw), raw.hex(" ").upper()) == (name, int(size), octets)
        total += len(raw)
    assert lines[-1] == ["total", str(total)]


def test_example_alignment(examples: dict[str, Any]) -> None:
    """The mask of appendix B gives the positions shown, and the tokens there are those of the real row."""
    example = examples["alignment"]
    assert logitpack.assistant_positions(example["mask"]).tolist() == example["positions"]
    masked = [token for token, mask in zip(example["token_ids"], example["mask"], strict=True) if mask]
    assert masked == example["row_token_ids"]
    batch = next(iter(logitpack.read(REAL)))
    assert batch.token_ids is not None
    assert batch.token_ids[: batch.num_tokens[0]].tolist() == example["row_token_ids"]


def test_example_alignment_is_what_the_tokenizer_gives(examples: dict[str, Any]) -> None:
    """The tokens of appendix B are those of the rendered conversation, and the table shows them in order."""
    tokenizer = Tokenizer.from_file(str(ROOT / "fixtures" / "real" / "tokenizer" / "tokenizer.json"))
    appendix = SPEC[SPEC.index("## Appendix B") : SPEC.index("## Appendix C")]
    text = appendix.split("```\n")[1]
    assert tokenizer.encode(text, add_special_tokens=False).ids == examples["alignment"]["token_ids"]
    shown = {
        int(position): int(token) for position, token in re.findall(r"^\| (\d+) \| (\d+) \|", appendix, re.MULTILINE)
    }
    assert len(shown) > 20
    assert shown == {position: examples["alignment"]["token_ids"][position] for position in shown}


def test_example_alignment_shows_the_real_predictions() -> None:
    """The most likely tokens in the table of appendix B are those stored in the real row."""
    appendix = SPEC[SPEC.index("## Appendix B") : SPEC.index("## Appendix C")]
    shown = re.findall(r"\| yes \| \d+ \| \d+ \| `(.+)` (0\.\d\d) \|", appendix)
    tokenizer = Tokenizer.from_file(str(ROOT / "fixtures" / "real" / "tokenizer" / "tokenizer.json"))
    batch = next(iter(logitpack.read(REAL)))
    stored = []
    for token in range(batch.num_tokens[0]):
        start, stop = batch.top_offsets[token], batch.top_offsets[token + 1]
        best = start + int(np.argmax(batch.top_logits[start:stop]))
        text = tokenizer.decode([int(batch.top_indices[best])], skip_special_tokens=False)
        stored.append((text.replace("|", "\\|"), f"{np.exp(batch.top_logits[best] - batch.logsumexp[token]):.2f}"))
    assert stored == shown


# Prose, schemas and code say the same -------------------------------------------------------------------


def table_after(heading: str) -> list[list[str]]:
    """Give the cells of the first table after a heading of SPEC.md, without its head."""
    lines = SPEC[SPEC.index(f"\n{heading}\n") :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


COLUMNS = json.loads((ROOT / "schema" / "columns.json").read_text("utf-8"))
LENGTHS = {
    "1": "1",
    "num_tokens": "*n*",
    "sum(top_counts)": "*N*",
    "ceil(sum(top_counts) / 4)": "ceil(*N*/4) bytes",
    "num_tokens * S": "*n*·*S*",
    "ceil(num_tokens * S / 4)": "ceil(*n*·*S*/4) bytes",
}


def test_column_table_is_that_of_the_schema() -> None:
    """SPEC.md and columns.json name the same columns, in order, with the same types, lengths and presence."""
    prose = []
    for name, kind, length, _ in table_after("## 5 Columns"):
        found = re.fullmatch(r"`(\w+)`( \(may be absent\))?", name)
        assert found is not None
        prose.append((found[1], kind.replace("\\", ""), length, found[2] is None))
    schema = [(c["name"], c["type"], LENGTHS[c["length"]], c["required"]) for c in COLUMNS["columns"]]
    assert schema == prose


def test_columns_of_the_schema_are_those_of_the_code() -> None:
    """The canonical Arrow schema has the columns and types of columns.json, and so has columns.arrows."""
    code = logitpack.canonical_schema(token_ids=True)
    arrows = pa.ipc.open_stream(ROOT / "schema" / "columns.arrows").schema
    assert arrows.equals(code)
    assert arrows.names == [column["name"] for column in COLUMNS["columns"]]


def test_accepted_types_are_those_of_the_schema() -> None:
    """SPEC.md and columns.json accept the same types."""
    accepted = COLUMNS["accepted"]
    prose = {
        cells[0]: cells[1].split(", ")
        for cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in SPEC[SPEC.index("Accepted in place of") : SPEC.index("The values have to lie")].splitlines()
            if line.startswith("|")
        )
    }
    assert set(accepted["list"]) == set(prose["list"])
    assert set(accepted["bytes"]) == set(prose["binary"])
    assert set(accepted["float"]) == set(prose["float32 or float64"])
    assert set(accepted["integer"]) == {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


def test_json_schemas_have_the_columns() -> None:
    """A line of stored JSON has the columns of columns.json, the same ones required."""
    row = json.loads((ROOT / "schema" / "row.schema.json").read_text("utf-8"))
    assert list(row["properties"]) == [column["name"] for column in COLUMNS["columns"]]
    assert row["required"] == [column["name"] for column in COLUMNS["columns"] if column["required"]]


def test_metadata_table_is_that_of_the_schema() -> None:
    """SPEC.md's table of members and metadata.schema.json name the same members."""
    prose = set()
    for cells in table_after("## 13 Metadata"):
        names = re.findall(r"`([\w.]+)`", cells[0])
        parent = names[0].split(".")[0]
        prose |= {parent + name if name.startswith(".") else name for name in names}
    schema = json.loads((ROOT / "schema" / "metadata.schema.json").read_text("utf-8"))
    members = set()
    for name, member in schema["properties"].items():
        members |= {f"{name}.{inner}" for inner in member["properties"]} if "properties" in member else {name}
    assert members == prose


def test_metadata_example_is_valid() -> None:
    """The example of section 13 is valid metadata."""
    section = SPEC[SPEC.index("## 13 Metadata") : SPEC.index("## 14 Implementations")]
    assert logitpack.Metadata.from_bytes(section.split("```json\n")[1].split("```")[0].encode()).vocab_size == 151_936


def test_schemas_are_schemas() -> None:
    """Every JSON schema is valid against its own meta-schema."""
    for path in (ROOT / "schema").glob("*.schema.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


def test_every_requirement_on_files_is_judged(spec: ModuleType) -> None:
    """Each structural and semantic requirement is named by the reference, and has a test of the checker."""
    wanted = {requirement.id for requirement in spec.requirements(SPEC) if requirement.kind in "SM"}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "reference" / "logitpack").glob("*.py"))
    schema = (ROOT / "schema" / "columns.json").read_text("utf-8")
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("*.py"))
    for name, text in (("code", code + schema), ("tests", tests)):
        missing = {requirement for requirement in wanted if not re.search(rf'"{requirement}"', text)}
        assert (name, missing) == (name, set())


def test_card_reader_stays_within_its_bound() -> None:
    """The numbers quoted in appendix C follow from the unit roundoff."""
    u = Fraction(1, 2**24)
    decoding = (2 * ((1 + u) ** 3 - 1)) * (1 + u) + u
    assert decoding < 7 * u + 13 * u**2 < 8 * u
    encoding = 65535 * ((1 + u) ** 3 / (1 - u) - 1)
    assert encoding < Fraction(1, 64)


def test_critical_value_is_that_of_chi_square() -> None:
    """155.0743 leaves a chi-square variable with 63 degrees of freedom a tail of 1e-9."""
    x, half = 155.0743 / 2, 63 / 2
    # Upper incomplete gamma function by its continued fraction (modified Lentz).
    b = x + 1 - half
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 200):
        a = -i * (i - half)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        h *= d * c
    tail = math.exp(-x + half * math.log(x) - math.lgamma(half)) * h
    assert abs(tail / 1e-9 - 1) < 1e-4
