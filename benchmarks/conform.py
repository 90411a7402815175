"""The conformance suite: calls a second on a small case, and the time of a whole run.

    python benchmarks/conform.py [--calls 600] [--jobs 2] [--whole]

One call is what a run does for one result: the files copied to a fresh folder, the request answered, the answer judged,
the folder removed. Calls are counted after the adapter has started; `--whole` counts the start too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from logitpack_conformance.manifest import load_manifest
from logitpack_conformance.model import Case, Container, Kind, Role
from logitpack_conformance.perform import Performer
from logitpack_conformance.plan import Planned
from logitpack_conformance.run import Options, open_caller

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
REFERENCE = [sys.executable, "-m", "logitpack_conformance.adapters.reference"]
MINIMAL = [sys.executable, str(ROOT / "examples" / "adapter_minimal.py")]
WARM = 20


def small_case() -> Case:
    """Choose the smallest valid case that stands in all containers."""

    def size(case: Case) -> int:
        return sum(
            (FIXTURES / one.folder / name).stat().st_size for one in case.materials.values() for name in one.digests
        )

    cases = load_manifest(FIXTURES).cases
    fit = [case for case in cases if case.kind is Kind.ACCEPT and Role.READER in case.roles and not case.features]
    return min((case for case in fit if set(Container) <= set(case.materials)), key=size)


def calls_a_second(command: Sequence[str], container: Container, calls: int, jobs: int) -> float:
    """Return how many reads of the small case are answered and judged in a second, by `jobs` adapters together."""
    case, options = small_case(), Options(fixtures=FIXTURES)

    def work(folder: Path) -> float:
        with open_caller(command, options, folder) as caller:
            performer = Performer(caller, FIXTURES, folder)
            for number in range(-WARM, calls):
                if number == 0:
                    start = time.perf_counter()
                found = performer.perform(Planned(case, Role.READER, container))
                if found.status != "passed":
                    raise SystemExit(f"{found.name}: {found.status}: {found.message}")
            return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        places = [Path(tempfile.mkdtemp(dir=folder)) for _ in range(jobs)]
        return sum(calls / seconds for seconds in pool.map(work, places))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=600, help="calls for each figure")
    parser.add_argument("--jobs", type=int, default=2, help="adapter processes at a time")
    parser.add_argument("--whole", action="store_true", help="run the whole suite against the reference, too")
    options = parser.parse_args()
    print(f"reads a second of {small_case().id}, judged; {options.jobs} jobs")
    for name, command, containers in (
        ("reference", REFERENCE, list(Container)),
        ("minimal", MINIMAL, [Container.JSON]),
    ):
        for container in containers:
            rates = [calls_a_second(command, container, options.calls, jobs) for jobs in (1, options.jobs)]
            print(
                f"  {name:<10} {container:<13} {rates[0]:6.0f} with 1 job {rates[1]:6.0f} with {options.jobs}",
                flush=True,
            )
    if options.whole:
        start = time.perf_counter()
        program = [sys.executable, "-m", "logitpack.cli", "conform", "--jobs", str(options.jobs), "--", *REFERENCE]
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(f"the whole suite against the reference: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
