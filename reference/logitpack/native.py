"""Files as Arrow takes them, and its errors as ours.

Strategy: a file is opened once, and whoever reads of it takes that one. A small file is read whole, which is
cheaper than asking for its parts. pyarrow encodes paths as UTF-8 and has a dozen kinds of errors, those of its
parsers among them: both end here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from logitpack.errors import DataError, Place, UsageError
from logitpack.remote import Range, RemoteFile
from logitpack.urls import StrPath, is_url, shown

LONGEST_REASON = 300
SMALL = 1 << 20


class _Remote(pa.PythonFile):  # type: ignore[misc]  # pyarrow has no types
    """A file behind a URL."""

    handle: RemoteFile


def open_native(path: StrPath) -> pa.NativeFile:
    """Open a file for reading: a regular one, whatever the bytes of its name are, or what is behind a URL.

    Raises UsageError where it cannot be read.
    """
    if is_url(path):
        handle = RemoteFile(os.fspath(path))
        file = _Remote(handle, mode="r")
        file.handle = handle
        return file
    try:
        return _open_local(os.fspath(path))
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot be read: {reason}", place=Place(file=shown(path))) from error


def expect(file: pa.NativeFile | BinaryIO, ranges: Iterable[Range]) -> None:
    """Say what is going to be read of a file, (start, stop) each, so that it comes in few requests over a network."""
    if isinstance(file, _Remote):
        file.handle.expect(ranges)


def size_of(path: StrPath) -> int:
    """Return the size of a file in bytes. Raises UsageError where it cannot be read."""
    with open_native(path) as file:
        return int(file.size())


def _open_local(path: str) -> pa.NativeFile:
    # Opening a pipe would wait for a writer, so the kind is looked at first.
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if status.st_size <= SMALL:
        return pa.BufferReader(Path(path).read_bytes())
    try:
        as_arrow_has_it = path.encode() == os.fsencode(path)
    except UnicodeEncodeError:
        as_arrow_has_it = False
    return pa.OSFile(path) if as_arrow_has_it else pa.PythonFile(Path(path).open("rb"), mode="r")


def broken(error: Exception, place: Place) -> DataError:
    """Return FILE-1 for what a library has to say of the bytes of a file."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:LONGEST_REASON]
    return DataError(f"the file is broken: {text}", requirement="FILE-1", place=place)
