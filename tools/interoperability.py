"""Send a Described dataset through other people's tools, and put into docs/interoperability.md what `check` says then.

python tools/interoperability.py            write the page
python tools/interoperability.py --check    exit 1 where the page is stale
python tools/interoperability.py --print    print its generated part only

Each way is run as it stands in the page. Whatever comes out of it has to be made a Described dataset again by either of
the two means that the page names, or the program fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import logitpack
from logitpack.report import FileReport, Finding
from logitpack.table import COLUMNS
from round_trips import TOOLS, Tool

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "interoperability.md"
MARKED = re.compile(r"(<!-- generated: round trips -->\n).*?(<!-- end generated -->)", re.DOTALL)
VERSIONS = re.compile(r"^Last written with .*$", re.MULTILINE)
OUTPUTS = ("out.parquet", "out.arrow", "out.arrows", "out.ndjson", "out")
PROGRAMS = re.compile(r"```python\n(.*?)```", re.DOTALL)
TOKENS = (7, 3, 12, 5, 9, 4, 20, 6)
"""Tokens of each row of the dataset."""


Rows = list[tuple[str, str]]
"""All that each row means, as text, and its id."""


class Outcome(NamedTuple):
    """What came out of a call: how the rows fared, the profile, and what `check` finds; no profile where it failed."""

    rows: str
    profile: str = ""
    finds: str = ""


def make(path: Path) -> None:
    """Write the dataset: valid by every requirement, with indices above 65,535 and a column of the user's own."""
    sys.path.append(str(ROOT / "benchmarks"))
    import dataset

    batch = logitpack.encode(dataset.batch(np.array(TOKENS), np.random.default_rng(7)))
    names = pa.array([f"conversation-{row}" for row in range(batch.num_rows)])
    logitpack.write(path, pa.Table.from_batches([batch]).append_column("id", names), dataset.METADATA)


def rows_of(path: str | Path) -> Rows:
    """Return all that each row means: its values as they are decoded, and its id."""
    rows: Rows = []
    for stored in logitpack.read(path).record_batches():
        for i in range(stored.num_rows):
            row = logitpack.decode(stored.slice(i, 1))
            arrays = (row.top_counts, row.top_indices, row.top_logits, row.sampled_indices, row.sampled_logits)
            values = [array.tolist() for array in (*arrays, row.logsumexp, row.token_ids) if array is not None]
            rows.append((str(values), stored.column("id")[i].as_py()))
    return rows


def compared(rows: Rows, before: Rows) -> str:
    """Say in a word how rows differ from what they were."""
    if rows == before:
        return "identical"
    if sorted(map(str, rows)) == sorted(map(str, before)):
        return "identical, in another order"
    if rows == [row for row in before if row in rows]:
        return f"{len(rows)} of {len(before)}, identical"
    return "**other values**"


def travel(tool: Tool, call: str, before: Rows, source: Path) -> Outcome:
    """Run a call in a folder of its own, and judge what comes out of it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copy(source, "logits.parquet")
        names: dict[str, Any] = {}
        try:
            if not tool.stand_ins:
                exec(tool.setup, names)  # noqa: S102 - what the page says is what is run
            exec(call, names)  # noqa: S102
            (out,) = (name for name in OUTPUTS if Path(name).exists())
        except Exception as error:  # noqa: BLE001 - tools raise what they like
            return Outcome(f"**fails**: {type(error).__name__}")
        files = logitpack.check(out, places=len(COLUMNS)).files
        rows = rows_of(out)
        _restored(out, rows)
    profiles = {f"{file.profile}, {file.verdict}" for file in files}
    return Outcome(compared(rows, before), " and ".join(sorted(profiles)), _found(files))


def _restored(out: str, rows: Rows) -> None:
    """Have both means of the page make what came out a Described dataset again. Raises RuntimeError."""
    beside, anew = PROGRAMS.findall(PAGE.read_text("utf-8"))[:2]
    exec(anew.replace('"out"', f'"{out}"'), {})  # noqa: S102
    exec(beside.replace("out/", "out/" if Path(out).is_dir() else ""), {})  # noqa: S102
    (restored,), described = logitpack.check("restored.parquet").files, logitpack.check(out).files
    if {file.profile for file in (restored, *described)} != {"Described"} or restored.findings:
        raise RuntimeError(f"{out} is not restored")
    if rows_of("restored.parquet") != rows:
        raise RuntimeError(f"{out}: restoring changes rows")


def _found(files: Iterable[FileReport]) -> str:
    """List the findings of all files, each once."""
    texts = {_told(finding) for file in files for finding in file.findings}
    return "; ".join(sorted(texts)) or "nothing"


def _told(finding: Finding) -> str:
    link = f"[{finding.requirement}](../SPEC.md#{finding.requirement.lower()})"
    if finding.requirement != "COL-5":
        return link
    pairs = dict.fromkeys(f"`{spot.got}` for `{spot.allowed}`" for spot in finding.spots)
    return f"{link}: {', '.join(pairs)}"


def table(tool: Tool, before: Rows, source: Path) -> str:
    """Return the section of a tool."""
    lines = [f"### {tool.name}", "", "```python", tool.setup, "```", ""]
    lines += ["| call | rows | is then | `check` finds |", "|---|---|---|---|"]
    for shown, run in zip(tool.calls, tool.stand_ins or tool.calls, strict=True):
        rows, profile, finds = travel(tool, run, before, source)
        print(f"{tool.name}: {shown}: {rows}, {profile}", file=sys.stderr)
        lines.append(f"| `{shown}` | {rows} | {profile or 'none'} | {finds or 'none'} |")
    return "\n".join(lines) + "\n"


def generated() -> str:
    """Return the generated part of the page."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HF_HOME": folder, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
        source = Path(folder) / "source.parquet"
        make(source)
        before = rows_of(source)
        sections = [table(tool, before, source) for tool in TOOLS]
    packages = sorted({package for tool in TOOLS for package in tool.packages})
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return "\n".join([f"Last written with {versions}.\n", *sections])


def merged(page: str, part: str) -> str:
    """Return a page with its generated part replaced; where nothing but versions would change, the page as it is."""
    new = MARKED.sub(lambda match: match[1] + part + match[2], page)
    return page if VERSIONS.sub("", new) == VERSIONS.sub("", page) else new


def main(arguments: list[str]) -> int:
    """Write, compare or print."""
    part = generated()
    if "--print" in arguments:
        sys.stdout.write(part)
        return 0
    page = PAGE.read_text("utf-8")
    new = merged(page, part)
    if new != page and "--check" in arguments:
        print(f"stale: {PAGE.name}; run python tools/interoperability.py", file=sys.stderr)
        return 1
    if new != page:
        PAGE.write_text(new, encoding="utf-8", newline="\n")
        print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
