"""`logitpack check` against other ways to go over a dataset: time and memory of whole processes, start-up counted.

    python benchmarks/compare.py [--tokens 4000000] [--rounds 5] [--card FILE] [--sizes 500000 1000000 2000000 4000000]

Strategy: the datasets are generated where they are not there yet. Every way is a child process; all run in turns,
after a round that fills the file system's cache, and the median counts. This process imports nothing large: the
peak memory that the system tells of a child is never less than what its parent had.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = Path(tempfile.gettempdir()) / "logitpack-benchmarks"
PACKAGES = ("logitpack", "numpy", "pyarrow", "numba", "duckdb", "polars")
CONTAINERS = ("parquet", "arrow-file", "arrow-plain", "arrow-stream")
INTERPRETER, BARE = "interpreter alone", "pyarrow, bare read"


@dataclass(frozen=True)
class Way:
    """One way to go over a dataset: the command, to which the folder is added, and what its time is held against."""

    name: str
    command: tuple[str, ...]
    against: str
    tokens: int = 0
    cold: bool = False


@dataclass
class Measured:
    """What a way took: seconds of wall time, median and all, and peak memory in MB."""

    name: str
    tokens: int
    seconds: float
    rounds: list[float]
    peak_mb: float
    above_interpreter_mb: float = 0.0
    ratio: float = 0.0
    against: str = ""

    @property
    def microseconds(self) -> float:
        """Microseconds a token."""
        return 1e6 * self.seconds / self.tokens


def dataset(options: argparse.Namespace, tokens: int) -> Path:
    """Return a generated dataset, made where it is not there yet."""
    name = f"{options.container}-{tokens}-{options.files}-{options.group_tokens}-{options.seed}"
    folder: Path = options.cache / name
    if not folder.is_dir():
        unfinished = folder.with_name(f"{name}.{os.getpid()}")
        arguments = {"--tokens": tokens, "--files": options.files, "--container": options.container}
        arguments |= {"--group-tokens": options.group_tokens, "--seed": options.seed}
        flags = [str(part) for pair in arguments.items() for part in pair]
        subprocess.run([sys.executable, str(HERE / "dataset.py"), str(unfinished), *flags], check=True)
        unfinished.rename(folder)
    return folder


def run(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a child process to its end: seconds, and its peak memory in MB. Raises SystemExit where it fails."""
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=os.environ | environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: {errors.read().decode()}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit / 1e6


def ways(options: argparse.Namespace) -> list[Way]:
    """List what is compared, and say what is left out."""
    reader = (sys.executable, str(HERE / "reads.py"))
    check = (str(Path(sys.executable).with_name("logitpack")), "check")
    parallel = "--jobs" in subprocess.run([*check, "--help"], capture_output=True, text=True, check=True).stdout
    listed = [Way(INTERPRETER, (*reader, "nothing"), INTERPRETER)]
    for threads in dict.fromkeys((1, options.jobs)):
        base = f"{BARE}, {_threads(threads)}"
        limit = ("--threads", str(threads))
        listed.append(Way(base, (*reader, "bare", *limit), base))
        if options.container == "parquet":
            listed.append(Way(f"{BARE}, checksums verified, {_threads(threads)}", (*reader, "verified", *limit), base))
        if parallel or threads == 1:
            jobs = ("--jobs", str(threads)) if parallel else ()
            listed.append(Way(" ".join(["logitpack check", *jobs]), (*check, *jobs), base))
    base, limit = f"{BARE}, {_threads(options.jobs)}", ("--threads", str(options.jobs))
    last = next(way for way in reversed(listed) if way.name.startswith("logitpack"))
    listed.append(Way(f"{last.name}, its first run", last.command, last.against, cold=True))
    listed.append(Way("logitpack.read", (*reader, "decode"), base))
    for name, title in (("duckdb", "DuckDB"), ("polars", "Polars")):
        if name == "duckdb" and options.container != "parquet":
            print(f"{title} does not read {options.container}: left out")
        elif not _has(name):
            print(f"{title} is not installed: left out")
        else:
            listed.append(Way(f"{title}, {_threads(options.jobs)}", (*reader, name, *limit), base))
    if options.card is None or options.container != "parquet":
        print("no --card, or no Parquet: the functions of the dataset card are left out")
    else:
        command = (*reader, "card", "--card", str(options.card))
        listed.append(Way(f"the card's functions, {options.card_tokens:,} tokens", command, base, options.card_tokens))
    return listed


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def measure(listed: Sequence[Way], options: argparse.Namespace, tokens: int) -> list[Measured]:
    """Run all ways in turns over the dataset of so many tokens, and put them against each other."""
    folders = {each: dataset(options, each) for each in {way.tokens or tokens for way in listed}}
    taken: dict[str, list[tuple[float, float]]] = {way.name: [] for way in listed}
    for number in range(options.rounds + 1):
        for way in listed:
            with tempfile.TemporaryDirectory() as empty:
                environment = {"NUMBA_CACHE_DIR": empty} if way.cold else {}
                result = run([*way.command, str(folders[way.tokens or tokens])], environment)
            if number:  # the first round fills caches
                taken[way.name].append(result)
    rows = []
    for way in listed:
        rounds = [seconds for seconds, _ in taken[way.name]]
        peak = statistics.median(memory for _, memory in taken[way.name])
        size = way.tokens or tokens
        rows.append(Measured(way.name, size, statistics.median(rounds), rounds, peak, against=way.against))
    by_name = {row.name: row for row in rows}
    for row in rows:
        row.above_interpreter_mb = row.peak_mb - by_name[INTERPRETER].peak_mb
        row.ratio = row.microseconds / by_name[row.against].microseconds
    return rows


def table(rows: Sequence[Measured]) -> str:
    """Give the rows as a table in Markdown."""
    lines = ["| | s | M tokens/s | against a bare read | peak MB above the interpreter |", "|---|---|---|---|---|"]
    for row in rows:
        alone = row.name == INTERPRETER
        speed, ratio = ("", "") if alone else (f"{1 / row.microseconds:.2f}", f"{row.ratio:.2f}")
        lines.append(f"| {row.name} | {row.seconds:.2f} | {speed} | {ratio} | {row.above_interpreter_mb:.0f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print the table, and save it with the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=4_000_000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--container", choices=CONTAINERS, default="parquet")
    parser.add_argument("--group-tokens", type=int, default=200_000, help="most tokens of a row group")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="threads of each way, besides one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--card", type=Path, help="a dataset card, whose decoding functions are run")
    parser.add_argument("--card-tokens", type=int, default=100_000, help="tokens that they get")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="tokens of further datasets, for the plot")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where generated datasets are kept")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"))
    options = parser.parse_args()
    listed = ways(options)
    rows = measure(listed, options, options.tokens)
    told = {name: version(name) for name in PACKAGES if _has(name)} | {"python": platform.python_version()}
    about = (
        f"{options.tokens:,} tokens in {options.files} {options.container} files of row groups of at most "
        f"{options.group_tokens:,}; median of {options.rounds} rounds, whole processes, {os.cpu_count()} CPUs; "
        + ", ".join(f"{name} {number}" for name, number in told.items())
    )
    text = f"{about}\n\n{table(rows)}"
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "compare.md").write_text(text, "utf-8")
    document: dict[str, Any] = {"about": about, "ways": [asdict(row) for row in rows]}
    if options.sizes:
        plotted = [way for way in listed if not (way.cold or way.tokens)]
        sizes = {size: measure(plotted, options, size) for size in sorted(options.sizes)}
        document["sizes"] = {size: [asdict(row) for row in each] for size, each in sizes.items()}
    (options.output / "compare.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    if options.sizes:
        plot = (sys.executable, str(HERE / "plot.py"), str(options.output / "compare.json"))
        subprocess.run(plot, check=True)
    print("saved:", *sorted(str(path) for path in options.output.glob("compare.*")))


if __name__ == "__main__":
    main()
