"""README.md: its Python runs as it stands, its commands and links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import logitpack

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(program: str, folder: Path) -> str:
    """Run a program as a user would, warnings being errors, and give what it prints."""
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_reading_code_runs() -> None:
    """The reading code prints the real dataset's metadata and its first nucleus."""
    assert run(PROGRAMS[0], ROOT).startswith("49152 predicts\n[  504 10345   788")


def test_writing_code_runs(tmp_path: Path) -> None:
    """The writing code writes a valid Described file."""
    run(PROGRAMS[1], tmp_path)
    file = logitpack.check(tmp_path / "out.parquet").files[0]
    assert ("valid", "Described", 4) == (file.verdict, file.profile, file.tokens)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "SPEC.md",
        "docs/interoperability.md",
        "fixtures/real/README.md",
        "benchmarks/README.md",
    ],
)
def test_relative_links_lead_somewhere(name: str) -> None:
    """Every relative link of a document is a file of the repository."""
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text("utf-8"))
    assert [link for link in links if not (folder / link).exists()] == []
