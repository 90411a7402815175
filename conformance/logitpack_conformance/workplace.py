"""The folder of one call: made, filled with what the case needs, looked at, and removed.

Strategy: an adapter can put anything there. Nothing is followed out of the folder: neither when an output is looked
for, which has to be a regular file of bearable size, nor when the folder is removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .manifest import SuiteFault, digest_of
from .model import Case, Material

OUTPUT_LIMIT = 64 << 20
"""Bytes of an output; what the cases ask for is far smaller."""
ROUNDS = 8
"""How often a folder is gone through whose inner folders have to be opened first, one level a round."""


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Give a fresh folder below `folder`, and remove it."""
    place = Path(tempfile.mkdtemp(dir=folder, prefix="call-"))
    try:
        yield place
    finally:
        remove(place)


def fill(place: Path, case: Case, material: Material, fixtures: Path) -> Path:
    """Copy the files of a case into `place`, which is made, and return its input there. Raises SuiteFault."""
    place.mkdir()
    source = fixtures / material.folder
    for name, digest in material.digests.items():
        parts = name.split("/")
        if {"", ".."} & set(parts):
            raise SuiteFault(f"{case.id}: {name} is no path below the case")
        try:
            data = (source / name).read_bytes()
        except OSError as error:
            raise SuiteFault(f"{material.folder}/{name} cannot be read: {error.strerror}") from error
        if digest_of(data) != digest:
            raise SuiteFault(f"{material.folder}/{name} is not the file that the manifest lists")
        target = place / name
        if len(parts) > 1:
            target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return place if material.input == "." else place / material.input


def missing(output: Path) -> str:
    """Say why there is no output to judge, "" where there is."""
    try:
        state = output.parent.lstat()
        if not stat.S_ISDIR(state.st_mode):
            return "the folder of the output was replaced"
        state = output.lstat()
    except OSError:
        return "there is no output"
    if not stat.S_ISREG(state.st_mode):
        return "the output is no regular file"
    if state.st_size > OUTPUT_LIMIT:
        return f"the output has {state.st_size} bytes, more than {OUTPUT_LIMIT}"
    return ""


def content(path: Path, most: int) -> bytes:
    """Return what a file holds that an adapter wrote. Raises OSError, also where it is none, or longer than `most`."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes")
    return data


def remove(place: Path) -> None:
    """Remove a folder with all that is in it, links themselves and not what they lead to."""
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(place.lstat().st_mode):
            place.unlink()
            return
    for _ in range(ROUNDS):
        if not os.path.lexists(place):
            return
        try:
            if sys.version_info >= (3, 12):
                shutil.rmtree(place, onexc=_retry)
            else:
                shutil.rmtree(place, onerror=_retry)
        except RecursionError:  # folders in folders, deeper than rmtree goes
            subprocess.run(["rm", "-rf", "--", place], check=False, stderr=subprocess.DEVNULL)  # noqa: S603, S607


def _retry(function: Callable[..., Any], path: str, _: object) -> None:
    """Open the folder that is in the way, and what stands in it, and try once more."""
    with contextlib.suppress(OSError):
        for folder in (Path(path).parent, Path(path)):
            if stat.S_ISDIR(folder.lstat().st_mode):
                os.chmod(folder, 0o700)  # noqa: PTH101 - a folder, seen so without following a link
        if function in {os.unlink, os.rmdir, os.remove}:
            function(path)
