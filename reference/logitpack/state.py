"""The state of a check, in a file, so that a run that was broken off can be gone on with.

Strategy: a file that was judged to its end is a line of JSON. It counts as long as the file is the one it was, by size,
time of change and footer, and as the metadata beside it, the options and the checker itself are the same. The whole is
written under another name and renamed, from time to time, and begins with its own digest.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from logitpack.dispatch import side_by_side
from logitpack.errors import Place, UsageError
from logitpack.identity import checker, identity
from logitpack.records import from_record, to_record
from logitpack.replacing import replacing
from logitpack.shards import sidecars
from logitpack.tasks import Task
from logitpack.underway import UnderWay
from logitpack.urls import shown
from logitpack.verdicts import Checked

KIND = "logitpack check --state"
FORM = 1
LONGEST_HEAD = 1000
PAUSE = 3.0
"""Seconds between two times that it is written."""
SHARE = 20
"""Of the time of a run, writing takes this part at most."""


@dataclass(frozen=True)
class Known:
    """What a file is known by: `looks` at the file itself, `judged` by what else its verdict depends on."""

    looks: tuple[object, ...]
    judged: str


def look(task: Task) -> Known:
    """Look at the file of a task, before it is judged. Raises UsageError where it cannot be read."""
    beside = [[shown(path), hashlib.sha256(raw).hexdigest()] for path, raw in sidecars(task.path, task.root)]
    given = None if task.given is None else task.given.raw
    judged = json.dumps([checker(), given, task.places, task.large, beside])
    return Known(tuple(identity(task.path)), hashlib.sha256(judged.encode()).hexdigest())


class State:
    """The files that were judged to their end: those of this run, and of earlier ones those that are none of it."""

    def __init__(self, path: Path) -> None:
        """Take what stands in `path`, or begin there. Raises UsageError where it is no state, or cannot be written."""
        self.path = path
        self._lines: dict[str, str] = {}
        self._known: dict[UnderWay, Known] = {}
        self._new = True
        for line in _read(path):
            self._lines[_name(line, path)] = line
        self._due = 0.0
        self.save()  # before hours of work turn out not to be kept

    def recall(self, files: Sequence[UnderWay]) -> None:
        """Look at files, and restore what an earlier run has found in those that are the same."""
        looks = side_by_side(look, [file.task for file in files])
        for file, known in zip(files, looks, strict=True):
            self._known[file] = known
            found = self._found(file.checked.name, known, file.task.places)
            if found is not None:
                file.restore(found)

    def _found(self, name: str, known: Known, places: int) -> Checked | None:
        if name not in self._lines:
            return None
        try:
            record = json.loads(self._lines[name])
            if Known(tuple(record["looks"]), record["judged"]) != known:
                return None
            return from_record(name, record, places)
        except (KeyError, TypeError, ValueError) as error:
            raise _spoiled(self.path) from error

    def keep(self, file: UnderWay) -> None:
        """Keep what was found in a file that was judged to its end."""
        name, known = file.checked.name, self._known[file]
        record = {"path": name, "looks": known.looks, "judged": known.judged, **to_record(file.checked)}
        self._lines[name] = json.dumps(record, separators=(",", ":"))
        self._new = True

    def save_when_due(self) -> None:
        """Write it where some seconds have passed. What fails now, `save` tells in the end."""
        if self._new and time.monotonic() >= self._due:
            self._due = time.monotonic() + PAUSE
            with suppress(UsageError):
                self.save()

    def save(self) -> None:
        """Write it, where something was added. Raises UsageError where that cannot be done."""
        if not self._new:
            return
        begin = time.monotonic()
        body = "".join(f"{line}\n" for line in self._lines.values()).encode()
        head = {"kind": KIND, "form": FORM, "files": len(self._lines), "sha256": hashlib.sha256(body).hexdigest()}
        with replacing(self.path) as temporary:
            temporary.write_bytes(json.dumps(head).encode() + b"\n" + body)
        self._new = False
        end = time.monotonic()
        self._due = end + max(PAUSE, SHARE * (end - begin))


def _read(path: Path) -> list[str]:
    """Give the lines of a state, none where there is no file yet."""
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
            raise _irregular(path)
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEAD)
            if not line:
                return []
            head = json.loads(line)
            if head["kind"] != KIND or head["form"] != FORM:
                raise _foreign(path)
            body = file.read()
    except FileNotFoundError:
        return []
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(file=str(path))) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign(path) from error
    if head.get("sha256") != hashlib.sha256(body).hexdigest():
        raise _spoiled(path)
    return body.decode().split("\n")[:-1]


def _name(line: str, path: Path) -> str:
    try:
        return str(json.loads(line)["path"])
    except (KeyError, TypeError, ValueError) as error:
        raise _spoiled(path) from error


def _irregular(path: Path) -> UsageError:
    return UsageError("it is not a regular file", place=Place(file=str(path)))


def _foreign(path: Path) -> UsageError:
    return UsageError("this is no state of a check: name another file", place=Place(file=str(path)))


def _spoiled(path: Path) -> UsageError:
    message = "this state of a check is damaged: remove it to start anew"
    return UsageError(message, place=Place(file=str(path)))
