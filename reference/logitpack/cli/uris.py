"""Where a file stands, for programs that read reports: below the working folder, which is the checkout in CI."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

ROOT = "%SRCROOT%"
"""What SARIF calls the folder that relative addresses begin at."""


def relative(path: str) -> str:
    """Return the path below the working folder, `/` between its parts; as it is where it stands elsewhere."""
    if "://" in path:
        return path
    full = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept
    return full.relative_to(Path.cwd()).as_posix() if full.is_relative_to(Path.cwd()) else path


def artifact(path: str) -> dict[str, str]:
    """Return the address of a file as SARIF has it (an artifactLocation), whatever bytes its name has."""
    if "://" in path:
        return {"uri": quote(path, safe="/:?#[]@!$&'()*+,;=%~")}
    below = relative(path)
    if os.path.isabs(below) or below.startswith(".."):  # noqa: PTH117
        return {"uri": "file://" + quote(os.fsencode(os.path.abspath(below)))}  # noqa: PTH100
    return {"uri": quote(os.fsencode(below)), "uriBaseId": ROOT}
