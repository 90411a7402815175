"""The command line, `logitpack`: check, show, rules and card.

Strategy: the base install has numpy and pyarrow only. What the command line needs besides is
imported in here and nowhere else in the package, and its absence is said in one line.
"""

from __future__ import annotations

import sys
from typing import NoReturn

NEEDED = frozenset({"typer", "click", "rich", "jinja2", "yaml"})


def main() -> NoReturn:
    """Run the command line on `sys.argv`, and exit with its status."""
    try:
        from logitpack.cli.app import run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDED:
            raise
        sys.stderr.write(f"error: the command line needs {missing}: pip install 'logitpack[cli]'\n")
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
