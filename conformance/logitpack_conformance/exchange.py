"""Files that other implementations wrote, sent to a reader or checker (`--exchange`).

Strategy: what a report has kept is copied to a folder of this run before an adapter is started. Each file is judged by
the oracle, in the process for files from strangers; a valid one becomes a case of its own, which expects the oracle's
reading of just this file, and which is sent and judged like any other. Nothing of it enters a score.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from .interrupt import hold_back, let_through
from .judge.blame import quoted
from .judge.sandbox import SandboxError, shared
from .keeping import ReportFault
from .manifest import Manifest
from .model import EXTENSIONS, Case, Container, Exchanged, Kind, Material, Result, Role, Run, Written
from .plan import Choice, Planned
from .progress import Reporter
from .reports.reading import Report, read_report
from .run import InterruptedRun, Options, conduct
from .session import StartError
from .workplace import remove

ROLES = (Role.READER, Role.CHECKER)
MOST_ENTRIES = 1 << 20
"""Entries of a file that is sent; its expected values are held in memory."""


@dataclass(frozen=True)
class Offer:
    """What one implementation wrote: its report, and a folder with copies of the files that were kept."""

    report: Report
    place: Path

    def case(self, name: str, container: Container, written: Written) -> Case:
        """Return a file as a case: one that every reader accepts, and that a checker finds nothing in."""
        file = f"in{EXTENSIONS[container]}"
        material = Material(f"cases/{name}/{container}", file, {file: written.sha256})
        why = f"What {self.report.label} wrote for {name}."
        return Case(name, Kind.ACCEPT, ROLES, why, {str(container): material})


@contextmanager
def offered(folders: Sequence[Path]) -> Iterator[list[Offer]]:
    """Give what the reports in these folders have kept. Raises ReportFault, before anything is given."""
    place = Path(mkdtemp(prefix="logitpack-exchange-")).resolve()
    try:
        yield [_offer(folder, place / str(number)) for number, folder in enumerate(folders)]
    finally:
        remove(place)


def _offer(folder: Path, place: Path) -> Offer:
    offer = Offer(read_report(folder), place)
    if not offer.report.written:
        raise ReportFault(f"{folder}: it holds nothing written: run the writer with --keep-written")
    for key, written in offer.report.written.items():
        (material,) = offer.case(*key, written).materials.values()
        target = place / material.folder / material.input
        target.parent.mkdir(parents=True)
        target.write_bytes(offer.report.file(*key))
    return offer


def exchange(command: Sequence[str], offers: Sequence[Offer], run: Run, options: Options) -> Run:
    """Send what was offered to the adapter of a run, in its roles and containers, as far as they were chosen.

    Return the run with what came of it; an adapter that no longer starts costs only that. Raises SuiteFault, and
    InterruptedRun, whose run has what there is.
    """
    for offer in offers:
        found: list[Exchanged] = []
        note = ""
        try:
            let_through()
            _send(command, offer, run, options, found)
        except StartError as error:
            note = f"nothing of {offer.report.label} was sent: {error}"
        except KeyboardInterrupt:
            notes = ("the exchange of files was interrupted", *run.notes)
            raise InterruptedRun(replace(run, exchanged=(*run.exchanged, *found), notes=notes)) from None
        finally:
            hold_back()
        if not found and not note:
            note = f"nothing of {offer.report.label} was sent: none of it is for these roles and containers"
        run = replace(run, exchanged=(*run.exchanged, *found), notes=(*run.notes, *([note] if note else [])))
    return run


def _send(command: Sequence[str], offer: Offer, run: Run, options: Options, found: list[Exchanged]) -> None:
    """Add what became of each file to `found`, also where an exception is raised."""
    sent: list[Case] = []
    for planned in _planned(offer, run, options.choice):
        judged = _judged(offer, planned[0].case, planned[0].container)
        if isinstance(judged, Case):
            sent.append(judged)
        else:
            results = [replace(one.result("not-run", judged.why), broken=judged.broken) for one in planned]
            found += _exchanged(offer, results)
    if not sent:
        return
    more = replace(options, fixtures=offer.place, keeper=None, may_be_empty=False)
    try:
        with Reporter(sys.stderr, f"files of {offer.report.label}", start=options.limits.hello) as reporter:
            found += _exchanged(offer, conduct(command, Manifest(tuple(sent), {}, {}), more, reporter.tell).results)
    except InterruptedRun as interrupted:
        found += _exchanged(offer, interrupted.run.results)
        raise


def _planned(offer: Offer, run: Run, choice: Choice) -> Iterator[list[Planned]]:
    """Yield each file in all roles that it is sent in, those in none left out."""
    roles = [role for role in ROLES if role in run.implementation.roles]
    for (name, container), written in offer.report.written.items():
        if container in run.implementation.containers:
            case = offer.case(name, container, written)
            found = [Planned(case, role, container) for role in roles]
            if chosen := [one for one in found if choice.takes(one)]:
                yield chosen


@dataclass(frozen=True)
class _Held:
    """Why a file is not sent, and which requirements it breaks."""

    why: str
    broken: tuple[str, ...] = ()


def _judged(offer: Offer, case: Case, container: Container | None) -> Case | _Held:
    """Return a case with what the oracle makes of its file, which a stranger has made."""
    (material,) = case.materials.values()
    try:
        found = shared().call("alone", path=str(offer.place / material.folder / material.input), container=container)
    except SandboxError as error:
        return _Held(f"not sent: the file could not be judged: {error}")
    if "fault" in found:
        return _Held(f"not sent: the file could not be judged: {quoted(found['fault'])}")
    if found["broken"]:
        return _Held(f"not sent: {found['message']}", tuple(found["broken"]))
    if found["entries"] > MOST_ENTRIES:
        return _Held(f"not sent: it has {found['entries']} entries, more than {MOST_ENTRIES}")
    return replace(case, findings=tuple(found["findings"]), features=tuple(found["features"]))


def _exchanged(offer: Offer, results: Sequence[Result]) -> list[Exchanged]:
    report = offer.report
    return [
        Exchanged(
            report.name,
            report.version,
            report.written[one.case.id, one.container].sha256,
            replace(one, options=("--exchange", str(report.folder))),
        )
        for one in results
        if one.container is not None
    ]
