"""The folder of one call: made, filled with what the case needs, looked at, and removed.

Strategy: an adapter can put anything there. Nothing is followed out of the folder: neither when an output is looked
for, which has to be a regular file of bearable size, nor when the folder is emptied or removed. Some file systems take
longer to remove a folder than an adapter to answer, so that an emptied one serves again, under another name.
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
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .manifest import SuiteFault, digest_of
from .model import Case, Material

OUTPUT_LIMIT = 64 << 20
"""Bytes of an output; what the cases ask for is far smaller."""
DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
INPUT = "in"
"""The folder that the files of a case are copied to, in that of the call."""
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


class Workplaces:
    """Gives fresh folders below `folder`, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spare: Path | None = None

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """Give a folder that nobody has seen, with nothing in it but an empty folder `INPUT`; and clear it away."""
        place = self._taken()
        try:
            yield place
        finally:
            if _is_emptied(place):
                self._spare = place
            else:
                remove(place)

    def _taken(self) -> Path:
        if self._spare is not None:
            spare, self._spare = self._spare, None
            return spare.rename(spare.with_name(f"call-{uuid.uuid4().hex[:12]}"))
        place = Path(tempfile.mkdtemp(dir=self._folder, prefix="call-"))
        (place / INPUT).mkdir(mode=0o700)
        return place


def _is_emptied(place: Path) -> bool:
    """Remove the files of a call; tell whether that leaves its two folders as they were made.

    Both are held open meanwhile, so that no link is followed that an adapter puts in their place.
    """
    if not {os.unlink, os.open} <= os.supports_dir_fd or os.scandir not in os.supports_fd:
        return False
    with contextlib.ExitStack() as stack:
        outer = inner = -1
        try:
            for name in (place, INPUT):
                outer, inner = inner, os.open(name, DIRECTORY, dir_fd=None if inner < 0 else inner)
                stack.callback(os.close, inner)
                if stat.S_IMODE(os.fstat(inner).st_mode) != 0o700:
                    return False
            return _has_lost_files(inner, set()) and _has_lost_files(outer, {INPUT})
        except OSError:
            return False


def _has_lost_files(folder: int, kept: set[str]) -> bool:
    """Remove what stands in an open folder and is no folder itself; tell whether only `kept` is left."""
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=folder)
    return {entry.name for entry in found if entry.is_dir(follow_symlinks=False)} == kept


def fill(place: Path, case: Case, material: Material, fixtures: Path) -> Path:
    """Copy the files of a case into `place`, made where it is not there, and return its input. Raises SuiteFault."""
    place.mkdir(exist_ok=True)
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
