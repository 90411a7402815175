"""The files of a dataset: itself, those of a folder, those that a pattern matches; and what stands beside them.

Strategy: a path stays the text that it was given as, so that it can travel to another process, and a URL's files
are URLs again. Local folders are walked here; those behind URLs are listed by fsspec, and then the same rules say
which of their files belong to the dataset, and in which order.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from logitpack.containers import DATA_EXTENSIONS, EXTENSIONS
from logitpack.errors import Place, UsageError
from logitpack.metadata import MAX_BYTES, SIDECAR
from logitpack.native import open_native
from logitpack.urls import AbsentError, StrPath, extension, file_system, is_url, is_web, reaching, shown

_MAGIC = re.compile(r"[*?[]")


def data_files(path: StrPath) -> tuple[str, ...]:
    """Return the files of a dataset: `path` itself, the shards below it, or the files that it matches.

    Of a folder these are all ``*.parquet``, ``*.arrow`` and ``*.arrows`` anywhere below it, by
    relative path, but for names that begin with a dot or an underscore. Linked folders are
    followed, each folder once. A pattern has ``*``, ``?``, ``[`` or ``**``, for folders at any depth; folders that it
    matches are taken with what is below them. Raises UsageError where there are none, or no such path.
    """
    text = _plain(path)
    if is_web(text):
        return _web_files(text)
    try:
        found = _remote_files(text) if is_url(text) else _local_files(Path(text))
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        if isinstance(error, UsageError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot be read: {reason}", place=Place(file=shown(text))) from error
    if found is None:
        return (text,)
    root = folder_of(text)
    listed = {file for file in found if not _is_hidden(name_in(file, root))}
    if not listed:
        wanted = ", ".join(f"*{ending}" for ending in DATA_EXTENSIONS)
        message = "no data files match" if root != text else f"the folder holds no data files ({wanted})"
        raise UsageError(message, place=Place(file=shown(text)))
    return tuple(sorted(listed, key=lambda file: name_in(file, root)))


def folder_of(path: StrPath) -> str:
    """Return the root of a dataset: its path, of a pattern as far as it is none.

    >>> folder_of("runs/*/data-[0-9].parquet"), folder_of("s3://bucket/data")
    ('runs', 's3://bucket/data')
    """
    text = _plain(path)
    magic = None if is_web(text) else _MAGIC.search(text)
    if magic is None or (not is_url(text) and os.path.lexists(text)):
        return text
    folder, slash, _ = text[: magic.start()].rpartition("/")
    return folder + slash if folder.endswith(":/") else folder or slash or "."


def name_in(file: str, root: StrPath) -> str:
    """Return what messages call a file of a dataset: its path in the folder, or the path that was given."""
    folder = os.fspath(root)
    if is_url(file):
        start = _plain(folder).removesuffix("/") + "/"
        return file.removeprefix(start).lstrip("/") if file.startswith(start) else shown(file)
    path = Path(file)
    return path.relative_to(folder).as_posix() if Path(folder) in path.parents else file


def located(path: str, base: str | None) -> str:
    """Return where a path leads that starts from the folder `base`, None for the working folder."""
    return path if base is None or is_url(path) else os.path.join(base, path)  # noqa: PTH118  a path stays text


def sidecars(file: str, root: StrPath, base: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of each ``logitpack.json`` of a data file: beside it, then at the root of its dataset.

    `base` is as in `located`. Raises UsageError where one is there that cannot be read.
    """
    top = folder_of(root)
    folders = [_parent(file)] if top == file else [_parent(file), top]
    for path in dict.fromkeys(map(_beside, folders)):
        place = located(path, base)
        if not is_url(place) and not Path(place).is_file():
            continue
        try:
            yield path, read_sidecar(place)
        except AbsentError:
            continue


def read_sidecar(path: StrPath) -> bytes:
    """Return the bytes of a metadata file, or enough of them to see that they are too many (META-7).

    Raises UsageError where it cannot be read.
    """
    with open_native(path) as file:
        content: bytes = file.read(MAX_BYTES + 1)
        return content


def _plain(path: StrPath) -> str:
    """Return a path as text, that of a folder behind a URL without a slash at its end."""
    text = os.fspath(path)
    if not is_url(text) or is_web(text):
        return text
    scheme, separator, rest = text.partition("://")
    return scheme + separator + rest.rstrip("/")


def _parent(file: str) -> str:
    if not is_url(file):
        return str(Path(file).parent)
    place, mark, query = file.partition("?") if is_web(file) else (file, "", "")
    return place.rpartition("/")[0] + mark + query


def _beside(folder: str) -> str:
    if not is_url(folder):
        return str(Path(folder, SIDECAR))
    place, mark, query = folder.partition("?") if is_web(folder) else (folder, "", "")
    return f"{place.rstrip('/')}/{SIDECAR}{mark}{query}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _web_files(url: str) -> tuple[str, ...]:
    place = url.partition("?")[0]
    if place.endswith("/") or "*" in place:
        raise UsageError("a web server does not list its files: name each", place=Place(file=shown(url)))
    return (url,)


def _remote_files(url: str) -> Iterable[str] | None:
    """Return the data files below a URL, or that it matches; None where it is that of a file."""
    system, path = file_system(url)
    with reaching(url):
        try:
            if system.info(path)["type"] != "directory":
                return None
            folders, found = [path], {}
        except FileNotFoundError:
            if not _MAGIC.search(path):
                raise
            found = system.glob(path, detail=True)
            folders = [name for name, info in found.items() if info["type"] == "directory"]
        names = {name for name, info in found.items() if info["type"] != "directory" and extension(name) in EXTENSIONS}
        for folder in folders:
            names |= {name for name in system.find(folder) if extension(name) in DATA_EXTENSIONS}
    # A path in the file system may lack what the URL has besides: the host, the user.
    start = url.removesuffix(path) if url.endswith(path) else None
    return [system.unstrip_protocol(name) if start is None else start + name for name in names]


def _local_files(path: Path) -> Iterable[str] | None:
    """Return the data files below a folder, or that a pattern matches; None where the path is that of a file."""
    if path.is_dir():
        return map(str, _below(path))
    if os.path.lexists(path) or not _MAGIC.search(str(path)):
        path.stat()
        return None
    return map(str, _matches(path))


def _matches(pattern: Path) -> Iterator[Path]:
    root = Path(folder_of(pattern))
    for path in _expand(root, pattern.parts[len(root.parts) :] if root != Path() else pattern.parts):
        if path.is_dir():
            yield from _below(path)
        elif path.suffix in EXTENSIONS:
            yield path


def _expand(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """Yield what parts of a pattern match below a folder."""
    if not parts:
        yield folder
    elif folder.is_dir() and parts[0] == "**":
        for inner, _ in _walk(folder):
            yield from _expand(inner, parts[1:] or ("*",))
    elif folder.is_dir():
        for name in fnmatch.filter(sorted(os.listdir(folder)), parts[0]):  # noqa: PTH208  names, not paths
            yield from _expand(folder / name, parts[1:])


def _below(folder: Path) -> Iterator[Path]:
    return (inner / name for inner, names in _walk(folder) for name in names if Path(name).suffix in DATA_EXTENSIONS)


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folders below one, itself first, with the names of their files; hidden ones left out, none twice."""
    seen = set()

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(root, followlinks=True, onerror=fail):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield Path(folder), [name for name in files if not _is_hidden(name)]
