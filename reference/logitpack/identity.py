"""Whether a file is still the one that was looked at, and the checker the one that looked.

A file is known by size, time of change and footer, without reading its rows; the checker by its own sources.

Strategy: what a file system says of a file is cheap and mostly right; the footer of a Parquet file names the place and
size of every column chunk, and so tells files apart that were written anew within one tick of a clock.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from logitpack.errors import Place, UsageError
from logitpack.native import open_native
from logitpack.pages import MAGIC, MAX_FOOTER
from logitpack.resources import schema_folder
from logitpack.urls import StrPath, file_system, is_url, reaching, shown, version_of
from logitpack.version import version

TAIL = 1 << 16


class Identity(NamedTuple):
    """What tells one state of a file from another.

    `size` is in bytes; `changed` the time of the last change in ns since 1970, or what stands for it behind a URL
    (an ETag, a date), None where there is none; `footer` the SHA-256, in hexadecimal, of the footer of a Parquet file,
    of the last 65,536 bytes of any other.
    """

    size: int
    changed: str | None
    footer: str


def identity(path: StrPath) -> Identity:
    """Return the identity of a file, local or behind a URL. Raises UsageError where it cannot be read."""
    with open_native(path) as file:
        size = int(file.size())
        start = max(size - TAIL, 0)
        file.seek(start)
        end = file.read()
        footer = int.from_bytes(end[-8:-4], "little") + 8
        if end.endswith(MAGIC) and footer <= min(size, MAX_FOOTER):
            end = end[-footer:] if footer <= len(end) else _from(file, size - footer)
    return Identity(size, _changed(path), hashlib.sha256(end).hexdigest())


@cache
def checker() -> str:
    """Return what tells one checker from another: a SHA-256, in hexadecimal, of its sources, tables and libraries."""
    told = hashlib.sha256(f"{version()} numpy {np.__version__} pyarrow {pa.__version__}".encode())
    folder = Path(__file__).parent
    for path in sorted((*folder.glob("*.py"), *schema_folder().glob("*.json"))):
        told.update(f"\n{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return told.hexdigest()


def _from(file: pa.NativeFile, start: int) -> bytes:
    file.seek(start)
    content: bytes = file.read()
    return content


def _changed(path: StrPath) -> str | None:
    if not is_url(path):
        try:
            return str(Path(path).stat().st_mtime_ns)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", place=Place(file=shown(path))) from error
    url = os.fspath(path)
    system, name = file_system(url)
    with reaching(url):
        return version_of(system.info(name))
