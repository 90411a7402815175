"""Start a mutant as an adapter, list all of them, or start as many as are asked for, each a fork of this process.

    python -m logitpack_conformance.adapters.mutants NAME
    python -m logitpack_conformance.adapters.mutants --list
    python -m logitpack_conformance.adapters.mutants --fork

The list is JSON, so that the self-test needs no import of an adapter.
"""

from __future__ import annotations

import json
import sys

from logitpack_conformance.adapters.mutants import MUTANTS, serve_mutant
from logitpack_conformance.adapters.mutants.forking import serve_forks


def main(arguments: list[str]) -> int:
    """Serve one mutant, or forks, until the input ends, or print the list; return the exit status."""
    if arguments == ["--list"]:
        told = [
            {
                "name": one.name,
                "role": one.role,
                "requirements": list(one.requirements),
                "containers": list(one.containers),
                "fault": one.fault,
            }
            for one in MUTANTS.values()
        ]
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
        return 0
    if arguments == ["--fork"]:
        return serve_forks(sys.stdin.fileno())
    if not arguments or arguments[0] not in MUTANTS:
        sys.stderr.write("usage: python -m logitpack_conformance.adapters.mutants NAME | --list | --fork\n")
        return 2
    return serve_mutant(MUTANTS[arguments[0]], arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
