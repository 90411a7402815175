"""SPEC.md: its form, its worked examples, and what is generated from it."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack.logical_json import batch_from_logical
from logitpack.stored_json import read_stored, stored_lines

ROOT = Path(__file__).resolve().parents[1]
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
