"""A file that appears under its name in one step, whole, or not at all (WR-2).

Strategy: it is made under a temporary name in the target's own folder, and renamed once it is
complete and on disk. Only a regular file is ever replaced: a pipe or a device that stands under
the name is the user's, and would be lost.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from logitpack.errors import LogitPackError, Place, UsageError


@contextmanager
def replacing(path: Path, *, exclusive: bool = False) -> Iterator[Path]:
    """Yield the path of a new file, which takes the place of `path` if all goes well.

    Symbolic links are followed: what they point to is replaced. A new file has the permission
    bits of the one it replaces. Raises UsageError where something other than a regular file
    stands at `path`, and for any error of the file system or of Arrow. With `exclusive`,
    nothing is replaced: FileExistsError where something stands there by the end.
    """
    with _caller(path, exclusive=exclusive):
        target, mode = _standing(path)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        # What the old file kept from others is not shown to them meanwhile either.
        new = 0o666 if mode is None else mode & 0o777 | stat.S_IRUSR | stat.S_IWUSR
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, new))
        try:
            yield temporary
            _sync(temporary)
            if exclusive:
                _link(temporary, target)
            else:
                if mode is not None:
                    temporary.chmod(mode)
                temporary.replace(target)
        finally:
            with suppress(OSError):  # gone, if it was renamed
                temporary.unlink()
        with suppress(OSError):  # not every file system can
            _sync(target.parent)


def _standing(path: Path) -> tuple[Path, int | None]:
    """Return where a file is to stand, links followed, and the permission bits of what stands there."""
    try:
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target, None
    except ValueError as error:  # a null character in the path
        raise UsageError(f"cannot be written: {error}", place=Place(file=str(path))) from error
    if not stat.S_ISREG(mode):
        raise UsageError("it is not a regular file", place=Place(file=str(path)))
    return target, stat.S_IMODE(mode)


def _link(temporary: Path, target: Path) -> None:
    """Give the file its own name, unless that has been taken: a rename would replace what is there."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        temporary.replace(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _caller(path: Path, *, exclusive: bool) -> Iterator[None]:
    """Turn an error of the file system or of Arrow into UsageError."""
    try:
        yield
    except LogitPackError:
        raise
    except (OSError, pa.ArrowException) as error:
        if exclusive and isinstance(error, FileExistsError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot be written: {reason}", place=Place(file=str(path))) from error
