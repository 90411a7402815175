"""Files as Arrow takes them, and its errors as ours.

Strategy: a file is opened once, and whoever reads of it takes that one. A small file is read whole, which is
cheaper than asking for its parts. pyarrow encodes paths as UTF-8 and has a dozen kinds of errors, those of its
parsers among them: both end here.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyarrow as pa

from logitpack.errors import DataError, Place

LONGEST_REASON = 300
SMALL = 1 << 20


def open_native(path: str | os.PathLike[str]) -> pa.NativeFile:
    """Open a regular file for reading, whatever the bytes of its name are. Raises OSError, ValueError."""
    path = os.fspath(path)
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
