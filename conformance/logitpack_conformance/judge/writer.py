"""The judgement of a writer: whether it wrote what it has to write, refused the rest, and what its file says.

Strategy: the answer and what stands in the folder are looked at here; the file itself is opened in the sandbox, once it
is known not to be too large. Rows that are to be refused for what their metadata say may be written without these.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Container, Kind, Response, Role, Verdict

from .blame import PASSED, blamed, failed, quoted, said
from .output import MOST_BYTES
from .sandbox import Sandbox, SandboxError, shared

SUFFIXES = (".parquet", ".arrow", ".arrows", ".feather", ".ndjson", ".jsonl")
"""Names by which a file that was left behind is taken for data."""
EMPTY_IS_WHOLE = (".ndjson", ".jsonl")
"""Names of stored JSON: a file without a byte is one without rows, and valid (section 4.1)."""
LONGEST = 400
"""Characters of a message: what a file breaks may be told in its own words."""
MOST_LEFT = 100
"""Files of a folder that are looked at after a refusal."""
UNREADABLE = ("FILE-1", "WR-1")


def judge(
    case: Case,
    role: Role,
    container: Container | None,
    folder: Path,
    request: Mapping[str, Any],
    response: Response,
    *,
    sandbox: Sandbox | None = None,
) -> Verdict:
    """Judge the response to a request to write; `folder` holds the golden logical rows of the case.

    Raises SuiteFault where those cannot be read.
    """
    sandbox = sandbox or shared()
    broken = blamed(case, role)
    if response.outcome == "rejected":
        left = _left(request, sandbox)
        if left is not None:
            own = broken if case.kind is Kind.WRITE else ()
            return failed(f"{quoted(left)} was left after the refusal and looks complete", ("WR-2", *own))
        return PASSED if case.kind is Kind.REFUSE else failed(f"expected accepted, got {said(response)}", broken)
    if response.outcome != "accepted":
        wanted = "rejected" if case.kind is Kind.REFUSE else "accepted"
        return failed(f"expected {wanted}, got {said(response)}", broken)
    fault, output = _not_a_file(response.output), response.output
    if case.kind is Kind.REFUSE:
        if fault is None and output is not None and _without_claims(case, container, folder, request, output, sandbox):
            return Verdict(passed=True, advice=("META-5",))
        fault = f"expected rejected, got accepted: {case.why}"
    if fault is not None or output is None:
        return failed(str(fault), broken)
    return _judge_file(case, container, folder, request, output, sandbox)


def _without_claims(
    case: Case, container: Container | None, folder: Path, request: Mapping[str, Any], output: Path, sandbox: Sandbox
) -> bool:
    """Whether rows that their metadata do not fit were written without them, and so that nothing is wrong.

    That a writer writes metadata is a SHOULD (META-5). What it has to refuse even so is an index (IDX-6).
    """
    if request.get("metadata") is None or "IDX-6" in case.requirements:
        return False
    try:
        return _judge_file(case, container, folder, request, output, sandbox, is_bare=True).passed
    except SuiteFault:  # the rows of the case are such that nobody can write them
        return False


def _judge_file(
    case: Case,
    container: Container | None,
    folder: Path,
    request: Mapping[str, Any],
    output: Path,
    sandbox: Sandbox,
    *,
    is_bare: bool = False,
) -> Verdict:
    try:
        found = sandbox.call(
            "written",
            path=str(output),
            container=str(container),
            given=str(folder / case.materials["logical"].input),
            metadata=request.get("metadata"),
            bare=is_bare,
        )
    except SandboxError as error:
        return failed(f"the file could not be judged: {error}", UNREADABLE)
    if "suite" in found:
        raise SuiteFault(f"{case.id}: the logical rows cannot be read: {found['suite']}")
    if "fault" in found:
        return failed(f"the file could not be judged: {quoted(found['fault'])}", UNREADABLE)
    broken = tuple(dict.fromkeys(found["broken"]))
    message = "" if not broken else ascii(found["message"][:LONGEST])[1:-1]
    return Verdict(passed=not broken, message=message, broken=broken, advice=tuple(found["advice"]))


def _not_a_file(path: Path | None) -> str | None:
    """Say why there is nothing to judge, if so."""
    if path is None:
        return "accepted, but there is no output"
    try:
        status = path.lstat()
    except OSError:
        return "accepted, but there is no output"
    if not stat.S_ISREG(status.st_mode):
        return "the output is no regular file"
    if status.st_size > MOST_BYTES:
        return f"the output has {status.st_size} bytes, more than the {MOST_BYTES} that are looked at"
    return None


def _left(request: Mapping[str, Any], sandbox: Sandbox) -> str | None:
    """Return the name of a file that was left behind and looks complete (WR-2), if there is one."""
    output = Path(request["output"])
    for path in _candidates(output, Path(request["input"])):
        try:
            if sandbox.call("complete", path=str(path)).get("complete"):
                return path.relative_to(output.parent).as_posix()
        except SandboxError:
            continue  # whatever it is, it does not look whole
    return None


def _candidates(output: Path, given: Path) -> Iterator[Path]:
    """Yield the output and what else has a name of data anywhere below its folder, but for what was there before.

    A name that begins with a dot or an underscore is no name of data, nor is one below such a folder (section 4.2).
    """
    try:
        if not stat.S_ISDIR(output.parent.lstat().st_mode):
            return
    except OSError:  # a writer that takes its folder away leaves nothing
        return
    others = sorted(path for path in _below(output.parent) if path not in {output, given})[:MOST_LEFT]
    named = [path for path in others if path.name.endswith(SUFFIXES) and path.name[0] not in "._"]
    for path in (output, *named):
        with suppress(OSError):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                continue
            if status.st_size or path.suffix in EMPTY_IS_WHOLE:
                yield path


def _below(folder: Path) -> Iterator[Path]:
    """Yield what a folder and those below it hold, folders apart; what cannot be listed holds nothing."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "._"]
        yield from (Path(place, name) for name in names)
