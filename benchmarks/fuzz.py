"""Fuzzing: how many generated examples it takes until an adapter that is wrong for one shape of input fails.

    python benchmarks/fuzz.py [--seeds 5] [--examples 2000] [--containers json,parquet] [NAME ...]

The adapters are those of tests/one_shape.py, which are the reference but for one shape; each is tried in the role in
which it is wrong. Nothing is made small or saved here, which `logitpack conform --fuzz` does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from logitpack_conformance.fuzz import fuzz
from logitpack_conformance.model import Container, Result, Role
from logitpack_conformance.plan import Choice
from logitpack_conformance.run import Options

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))


class _FoundError(Exception):
    """An example failed: the number is the argument."""


def first_failure(command: Sequence[str], examples: int, seed: int, choice: Choice) -> str:
    """Return how many examples it took until one failed, "none" where none did."""

    def stop(done: int, _: int, result: Result | None) -> None:
        if result is not None and result.status == "failed":
            raise _FoundError(done)

    with tempfile.TemporaryDirectory() as folder:
        options = Options(fixtures=Path(folder), choice=choice)
        try:
            fuzz(command, examples, seed, options, folder=Path(folder) / "failures", progress=stop)
        except _FoundError as found:
            return str(found)
    return "none"


def main() -> None:
    """Print a table: a line for each adapter, a column for each seed."""
    import one_shape

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="adapters of tests/one_shape.py; all of them")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 1 on")
    parser.add_argument("--examples", type=int, default=2000, help="examples after which to give up")
    parser.add_argument("--containers", default=",".join(Container), help="containers to try, in turn")
    arguments = parser.parse_args()
    roles = {
        **dict.fromkeys(one_shape.READERS, Role.READER),
        **dict.fromkeys(one_shape.WRITERS, Role.WRITER),
        **dict.fromkeys(one_shape.CHECKERS, Role.CHECKER),
        **dict.fromkeys(one_shape.EXTRACTORS, Role.EXTRACTOR),
    }
    containers = tuple(Container(name) for name in arguments.containers.split(","))
    print(
        f"{'examples until one fails, by seed':<40}" + "".join(f"{seed:>7}" for seed in range(1, arguments.seeds + 1))
    )
    for name in arguments.names or one_shape.NAMES:
        print(f"{roles[name]:<10}{name:<30}", end="", flush=True)
        choice = Choice(roles=(roles[name],), containers=containers)
        command = [sys.executable, str(TESTS / "one_shape.py"), name]
        for seed in range(1, arguments.seeds + 1):
            print(f"{first_failure(command, arguments.examples, seed, choice):>7}", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
