"""docs/interoperability.md: its tables say what the tools do today, its programs and claims hold."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from commandline import ROOT

PAGE = ROOT / "docs" / "interoperability.md"
TEXT = PAGE.read_text("utf-8")

for package in ("datasets", "duckdb", "pandas", "polars"):
    pytest.importorskip(package)


@pytest.fixture(scope="module", name="tool")
def _tool() -> ModuleType:
    """Return the program that makes the tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        spec = spec_from_file_location("interoperability", ROOT / "tools" / "interoperability.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", name="tables")
def _tables() -> str:
    """Return the tables of today: every way is gone, and everything that comes out restored."""
    command = [sys.executable, str(ROOT / "tools" / "interoperability.py"), "--print"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_the_page_is_fresh(tool: ModuleType, tables: str) -> None:
    """The tables are those of today; `python tools/interoperability.py` renews them."""
    assert TEXT == tool.merged(TEXT, tables)


def test_another_outcome_makes_it_stale(tool: ModuleType, tables: str) -> None:
    """A page that says something else of one call is not left as it is."""
    other = TEXT.replace("identical | Described, valid | nothing", "identical | Core, valid | nothing", 1)
    assert TEXT == tool.merged(other, tables) != other


def test_other_versions_do_not(tool: ModuleType, tables: str) -> None:
    """What versions the tables were written with may be old."""
    older = tool.VERSIONS.sub("Last written with datasets 1.0.", TEXT)
    assert older == tool.merged(older, tables)


@pytest.mark.parametrize("tool_name", ["pandas", "Polars", "DuckDB", "pyarrow"])
def test_each_tool_has_a_way_that_keeps_the_metadata(tool_name: str, tables: str) -> None:
    """What the page promises of tools that can carry metadata stands in their tables."""
    section = tables.split(f"### {tool_name}\n")[1].split("### ", maxsplit=1)[0]
    assert "identical | Described, valid" in section


def test_no_way_changes_a_value_or_makes_a_dataset_invalid(tables: str) -> None:
    """The first promise of the page: but for the one call that fails, rows are identical and files valid."""
    rows = [line for line in tables.splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    assert [row for row in rows if not re.search(r"identical.* \| (Core|Described), valid \|", row)] == [
        '| `ds.to_json("out.ndjson")` | **fails**: UnicodeDecodeError | none | none |'
    ]


@pytest.mark.parametrize("arguments", ['"out"', '"parquet", data_files="out/*.parquet"'])
def test_datasets_passes_over_metadata_beside_the_data(arguments: str, tool: ModuleType, tmp_path: Path) -> None:
    """A dataset with logitpack.json at its root loads as before."""
    tool.make(tmp_path / "logits.parquet")
    (tmp_path / "out").mkdir()
    (beside,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[:1]
    program = (
        f"{beside}\nimport shutil; shutil.copy('logits.parquet', 'out/train-00000-of-00001.parquet')\n"
        f"from datasets import load_dataset\nprint(len(load_dataset({arguments}, split='train')))"
    )
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "8" == done.stdout.splitlines()[-1]
