"""URLs: which paths are some, what messages call them, and the file system behind them.

Strategy: fsspec and its packages do the talking, and are imported where there is a URL and not before. A URL may
hold a password or a signature, so no message has one as it was given. Whatever those packages raise says that
something cannot be reached, never that data is broken: it becomes one UsageError here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from logitpack.errors import LogitPackError, Place, UsageError

StrPath = str | os.PathLike[str]

EXTRA = "pip install 'logitpack[remote]'"
CONNECT_SECONDS, SILENT_SECONDS = 10, 30
LONGEST_REASON = 300
NOT_THERE = frozenset({401, 403, 404, 410})
"""What servers answer where there is no file; to those who may not list files, some refuse access instead."""

NO_RANGES = "the server gives no parts of a file (byte ranges), so it has to be downloaded first"
REASONS = {
    "range requests": NO_RANGES,
    "seek streaming": NO_RANGES,
    "payload is not completed": "the connection broke off in the middle of an answer",
}
"""What errors of fsspec and aiohttp mean, by what they say."""

_VERSIONS = [
    "ETag",
    "etag",
    "blob_id",
    "LastModified",
    "Last-Modified",
    "last_modified",
    "updated",
    "modified",
    "mtime",
    "created",
]
"""What file systems call that which changes with a file, the surest first."""

_URL = re.compile(r"[A-Za-z][\w+.-]*(::[A-Za-z][\w+.-]*)*://", re.ASCII)
_ARCHIVE = re.compile(r"[^:/]*://.*?::")
_USER = re.compile(r"(://)[^/?#\s]*@")
_QUERY = re.compile(r"(://[^?#\s]*)[?#][^\s'\")>]*")


class AbsentError(UsageError):
    """There is no such file, or none that may be read."""


def is_url(path: StrPath) -> bool:
    """Return whether a path is a URL: a string that begins with a scheme, as in ``s3://``.

    >>> is_url("s3://bucket/x.parquet"), is_url("data/x.parquet")
    (True, False)
    """
    return isinstance(path, str) and _URL.match(path) is not None


def is_web(path: StrPath) -> bool:
    """Return whether a URL is that of a web server, which has files but no listing of them."""
    return isinstance(path, str) and path.lower().startswith(("http://", "https://"))


def shown(path: StrPath) -> str:
    """Return what messages call a path: of a URL, neither user nor password nor query.

    >>> shown("https://me:secret@host/x.parquet?token=1")
    'https://host/x.parquet?…'
    """
    return without_secrets(path) if isinstance(path, str) and is_url(path) else os.fspath(path)


def without_secrets(text: str) -> str:
    """Return a text with the user, the password and the query of each URL in it left out."""
    return _QUERY.sub(r"\1?…", _USER.sub(r"\1", text))


def extension(path: StrPath) -> str:
    """Return the ending of a path's name, with its dot; the query of a web server's URL is no part of the name."""
    text = os.fspath(path)
    return os.path.splitext(urlsplit(text).path if is_web(text) else text)[1]  # noqa: PTH122  a URL is no Path


def file_system(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Raises UsageError where fsspec, or the package for the URL's scheme, is not installed, and for a member of an
    archive (``zip://x.parquet::https://host/x.zip``).
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"a URL needs fsspec: {EXTRA}", place=Place(file=shown(url))) from None
    if _ARCHIVE.match(url):  # whose members know no ranges, and whose URL ends with another file's name
        message = "what is inside another file is not read: unpack that first"
        raise UsageError(message, place=Place(file=shown(url)))
    try:
        system, path = fsspec.url_to_fs(url, **_options(url))
    except ImportError as error:
        hint = EXTRA if is_web(url) else without_secrets(str(error))
        scheme = url.partition("://")[0]
        message = f"{scheme}:// needs a package that is not installed: {hint}"
        raise UsageError(message, place=Place(file=shown(url))) from None
    except Exception as error:
        raise refusal(error, url) from error
    return system, path


def _options(url: str) -> dict[str, Any]:
    """Return what the file system is made with: a web server has none of the limits that others come with."""
    if not is_web(url):
        return {}
    try:
        import aiohttp
    except ImportError:
        return {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS)
    # A body that is compressed on its way would make nonsense of ranges.
    return {"client_kwargs": {"timeout": timeout}, "headers": {"Accept-Encoding": "identity"}}


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn whatever a file system raises into UsageError."""
    try:
        yield
    except LogitPackError:
        raise
    except Exception as error:
        raise refusal(error, url) from error


def refusal(error: Exception, url: str) -> UsageError:
    """Return the error that tells why a URL cannot be read; AbsentError where there is nothing."""
    cause = first_cause(error)
    status = status_of(cause)
    absent = status in NOT_THERE if status else isinstance(cause, FileNotFoundError | PermissionError)
    fault = AbsentError if absent else UsageError
    return fault(f"cannot be read: {_reason(cause, status)}", place=Place(file=shown(url)))


def version_of(told: Mapping[str, Any]) -> str | None:
    """Return what changes with a file, of what a file system tells of it; None where nothing does."""
    return next((str(told[key]) for key in _VERSIONS if told.get(key) is not None), None)


def first_cause(error: BaseException) -> BaseException:
    """Return what an error began with: fsspec makes FileNotFoundError of whatever a web server does."""
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def status_of(error: BaseException) -> int | None:
    """Return the status that a server answered with, where an error is about one."""
    response = getattr(error, "response", None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _reason(error: BaseException, status: int | None) -> str:
    if status is not None:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "an unknown status"
        return f"the server answers {status} ({phrase})"
    if isinstance(error, TimeoutError):
        return "the server does not answer in time"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if type(error).__name__ == "TooManyRedirects":  # aiohttp's, which has no text
        return "the server redirects without an end"
    known = (reason for said, reason in REASONS.items() if said in text)
    return next(known, without_secrets(text)[:LONGEST_REASON])
