"""Files as Arrow takes them, and its errors as ours.

Strategy: pyarrow encodes paths as UTF-8 and has a dozen kinds of errors, those of its parsers among them. Both
end here.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from logitpack.errors import DataError, Place

LONGEST_REASON = 300


def open_native(path: str) -> pa.NativeFile:
    """Open a file for reading, whatever the bytes of its name are. Raises OSError."""
    try:
        as_arrow_has_it = path.encode() == os.fsencode(path)
    except UnicodeEncodeError:
        as_arrow_has_it = False
    return pa.OSFile(path) if as_arrow_has_it else pa.PythonFile(Path(path).open("rb"), mode="r")


def broken(error: Exception, place: Place) -> DataError:
    """Return FILE-1 for what a library has to say of the bytes of a file."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:LONGEST_REASON]
    return DataError(f"the file is broken: {text}", requirement="FILE-1", place=place)
