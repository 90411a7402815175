"""The folder `written` of a report: what a writer wrote, a file for each case and container.

Strategy: where a file stands follows from its case and container, so that no report can name one elsewhere; which file
it is, its digest in results.json says. New files gather in a folder of another name, which then takes the place of the
old one in one step. Files and their sum are bounded, on both sides.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from .manifest import digest_of
from .model import EXTENSIONS, Container, Kind, Response, Result, Role, Run, Written
from .workplace import content, remove

FOLDER = "written"
MOST_FILE = 16 << 20
"""Bytes of a file that is kept or taken; what the cases ask for is far smaller."""
MOST_BYTES = 256 << 20
"""Bytes of all files of a report."""


class ReportFault(Exception):  # noqa: N818 - a fault is what it is
    """The folder of a report cannot be written, or is not what it should be; the text is one line."""


def place(case: str, container: Container) -> str:
    """Return where a file stands in the folder of a report.

    >>> place("write/container/rows", Container.ARROW_FILE)
    'written/arrow-file/write/container/rows/out.arrow'
    """
    return f"{FOLDER}/{container}/{case}/out{EXTENSIONS[container]}"


def kept(report: Path, case: str, container: Container, written: Written) -> bytes:
    """Return a file that was kept. Raises ReportFault where it is not there as results.json lists it."""
    name = place(case, container)
    path = report.resolve() / name
    try:
        if path.resolve(strict=True) != path:
            raise ReportFault(f"{report}: {name} is not taken: a symbolic link leads elsewhere")
        data = content(path, MOST_FILE)
    except OSError as error:
        raise ReportFault(f"{report}: {name} cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # what Python 3.11 and 3.12 raise for links in a circle
        raise ReportFault(f"{report}: {name} is not taken: symbolic links in a circle") from error
    if digest_of(data) != written.sha256:
        raise ReportFault(f"{report}: {name} is not the file that results.json lists")
    return data


class Keeper:
    """Takes what is written during a run, within `with`; `put` then makes it the folder `written` of a report.

    `left_out` are the names of results whose files would have been too much.
    """

    def __init__(self, report: Path) -> None:
        self._report = report
        self._place = report / f".{FOLDER}.{secrets.token_hex(8)}.tmp"
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self.left_out: set[str] = set()

    def __enter__(self) -> Self:
        """Begin; nothing is made before there is something to keep."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not put in place."""
        remove(self._place)

    def keep(self, result: Result, response: Response) -> Written | None:
        """Take a file that a writer says it wrote for rows that can be written; None for anything else.

        Raises ReportFault.
        """
        container, output = result.container, response.output
        if result.role is not Role.WRITER or result.case.kind is not Kind.WRITE or container is None or output is None:
            return None
        try:
            data = content(output, MOST_FILE)
        except OSError:  # judged by its own limit, or gone
            data = None
        with self._lock:
            self._sizes[result.name] = len(data or b"")  # what fails is sent twice
            if data is None or sum(self._sizes.values()) > MOST_BYTES:
                self._sizes[result.name] = 0
                self.left_out.add(result.name)
                return None
        path = self._place / place(result.case.id, container)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise ReportFault(f"{self._report}: what was written cannot be kept: {error.strerror}") from error
        return Written(digest_of(data), len(data))

    def put(self, run: Run) -> Run:
        """Make what was kept of a run the folder `written`, in the place of what was there.

        Return the run, with a note on what was too much. Raises ReportFault.
        """
        wanted = {place(one.case.id, one.container) for one in run.results if one.written and one.container}
        old = self._report / f".{FOLDER}.{secrets.token_hex(8)}.old"
        try:
            for path in self._place.rglob("*"):
                if path.is_file() and path.relative_to(self._place).as_posix() not in wanted:
                    path.unlink()  # the result was later found to be another
            target = self._report / FOLDER
            if target.exists() or target.is_symlink():
                target.rename(old)
            if wanted:
                (self._place / FOLDER).rename(target)
        except OSError as error:
            raise ReportFault(f"{self._report}: what was written cannot be kept: {error.strerror}") from error
        finally:
            remove(old)
        if not self.left_out:
            return run
        note = f"files that were written and too large to be kept: {len(self.left_out)}"
        return replace(run, notes=(*run.notes, note))
