"""What `logitpack conform` does: a run, its reports, and the exit status.

Strategy: who is at fault decides the status. What the user got wrong is told before an adapter is started, as far as it
can be known then; what the suite got wrong is never blamed on the adapter.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import expectations, manifest, reports
from .cli import Arguments
from .exchange import Offer, exchange, offered
from .expect_update import update
from .expectations import Expectation, ExpectError, Held
from .interrupt import INTERRUPTED, hold_back, interrupted_once, let_through, was_interrupted
from .keeping import Keeper, ReportFault
from .manifest import Manifest, SuiteFault
from .model import Container, Implementation, Role, Run
from .plan import Choice, plan, unmatched
from .process import Limits
from .progress import Reporter
from .reports import terminal
from .run import InterruptedRun, NothingToRunError, Options, conduct
from .score import Overall, Score, overall, score
from .session import StartError
from .text import bounded

if TYPE_CHECKING:
    from .fuzz import Failure

CONFORMANT, NOT_CONFORMANT, WRONG_USAGE, NOT_STARTED, STALE, OWN_FAULT, INCOMPLETE = range(7)
LOG_LINES = 12
EVERYTHING = Implementation("", "", tuple(Role), tuple(Container))


class UsageFault(Exception):  # noqa: N818 - a fault is what it is
    """What the user asked for cannot be done."""


@dataclass(frozen=True)
class Outcome:
    """A run, and what was made of it; where the user ended it, it is what there was by then."""

    run: Run
    scores: Sequence[Score]
    held: Held
    failures: Sequence[Failure] = ()


def main(arguments: Arguments) -> int:
    """Do what the arguments say, and return the exit status. Errors are told on standard error."""
    try:
        with interrupted_once():
            return _main(arguments)
    except (UsageFault, ExpectError, NothingToRunError, ReportFault) as error:
        return _failed(error, WRONG_USAGE)
    except StartError as error:
        status = _failed(error, NOT_STARTED)
        for line in error.log.splitlines()[-LOG_LINES:]:
            sys.stderr.write(f"  | {bounded(line)}\n")
        return status
    except SuiteFault as error:
        return _failed(f"a fault of the suite or its fixtures, not of the adapter: {error}", OWN_FAULT)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the suite's
        return _failed(f"a fault of the suite, please report it: {type(error).__name__}: {error}", OWN_FAULT)


def _main(arguments: Arguments) -> int:
    if arguments.self_test:
        from . import selftest

        only = arguments.cases[0] if arguments.cases else None
        return selftest.main(arguments.jobs, only, arguments.report)
    fixtures, known = _fixtures(arguments.fixtures)
    for glob in unmatched(known.cases, arguments.cases):
        raise UsageFault(f"no case matches {glob}")
    if arguments.list_cases:
        return _list(arguments, known)
    listed = _expected(arguments)
    if arguments.report is not None:
        _make(arguments.report)
    with ExitStack() as stack:
        options = _options(arguments, fixtures)
        offers = stack.enter_context(offered(arguments.exchange))
        if arguments.report is not None and arguments.keep_written:
            options = replace(options, keeper=stack.enter_context(Keeper(arguments.report)))
        outcome = _outcome(arguments, options, known, listed, offers)
        if options.keeper is not None:
            outcome = replace(outcome, run=options.keeper.put(outcome.run))
        _show(arguments, outcome, known.flags)
    return _status(arguments, outcome)


def _outcome(
    arguments: Arguments, options: Options, known: Manifest, listed: list[Expectation], offers: list[Offer]
) -> Outcome:
    """Run the cases, the files of others and the generated examples; where interrupted, return what there is."""
    try:
        with Reporter(sys.stderr, start=options.limits.hello) as reporter:
            run = conduct(arguments.command, known, options, reporter.tell)
    except InterruptedRun as interrupted:
        run = interrupted.run
        if arguments.update_expect:
            run = replace(run, notes=(*run.notes, f"{arguments.expect} was not rewritten"))
        held = Held() if arguments.update_expect else _held(arguments, listed, run, known)
        return Outcome(run, score(run), held)
    held = _held(arguments, listed, run, known)
    try:
        run = exchange(arguments.command, offers, run, options)
        failures, run = _fuzzed(arguments, options, run)
    except InterruptedRun as interrupted:
        return Outcome(interrupted.run, score(interrupted.run), held)
    except KeyboardInterrupt:
        run = replace(run, complete=False, notes=("the generated examples were interrupted", *run.notes))
        return Outcome(run, score(run), held)
    return Outcome(run, score(run), held, failures)


def _fixtures(given: Path | None) -> tuple[Path, Manifest]:
    if given is not None and not (given / manifest.NAME).is_file():
        raise UsageFault(f"{given}: there is no {manifest.NAME}")
    try:
        folder = manifest.fixtures_folder() if given is None else given
    except FileNotFoundError as error:
        raise SuiteFault(str(error)) from error
    return folder, manifest.load_manifest(folder)


def _choice(arguments: Arguments) -> Choice:
    return Choice(arguments.cases, arguments.roles, arguments.containers)


def _list(arguments: Arguments, known: Manifest) -> int:
    """Print the names of the results that a run over all roles and containers would have, as far as they are chosen."""
    for one in plan(known.cases, EVERYTHING, _choice(arguments)):
        sys.stdout.write(f"{one.result('', '').name}\n")
    return CONFORMANT


def _expected(arguments: Arguments) -> list[Expectation]:
    if arguments.expect is None or (arguments.update_expect and not arguments.expect.exists()):
        return []
    return expectations.load(arguments.expect)


def _options(arguments: Arguments, fixtures: Path) -> Options:
    described = None
    if arguments.one_shot and arguments.roles:
        name = Path(arguments.command[0]).name
        described = Implementation(name, "", arguments.roles, arguments.containers or tuple(Container))
    return Options(
        fixtures=fixtures,
        limits=Limits(timeout=arguments.timeout, memory=arguments.memory),
        choice=_choice(arguments),
        jobs=arguments.jobs,
        one_shot=arguments.one_shot,
        described=described,
        repeats=tuple(_repeats(arguments)),
        may_be_empty=bool(arguments.exchange),
    )


def _repeats(arguments: Arguments) -> Iterator[str]:
    """Yield the options without which a case would not be run as it was."""
    usual = Limits()
    if arguments.one_shot:
        yield "--one-shot"
    if arguments.one_shot and arguments.containers:
        yield from ("--containers", ",".join(arguments.containers))
    if arguments.fixtures is not None:
        yield from ("--fixtures", str(arguments.fixtures))
    if arguments.timeout != usual.timeout:
        yield from ("--timeout", f"{arguments.timeout:g}")
    if arguments.memory != usual.memory:
        yield from ("--memory", str(arguments.memory >> 20))


def _held(arguments: Arguments, listed: list[Expectation], run: Run, known: Manifest) -> Held:
    if arguments.expect is None:
        return Held()
    if arguments.update_expect:
        if not run.complete or run.selected:
            raise NothingToRunError(f"{arguments.expect} was not rewritten: not all cases were run")
        update(arguments.expect, run.results)
        listed = expectations.load(arguments.expect)
    everything = plan(known.cases, run.implementation)
    return expectations.hold(listed, run.results, everything, dt.datetime.now(dt.UTC).date())


def _fuzzed(arguments: Arguments, options: Options, run: Run) -> tuple[list[Failure], Run]:
    """Try generated examples; return the failures, and the run with what came of them."""
    if not arguments.fuzz:
        return [], run
    from .fuzz import FOLDER, fuzz

    folder = FOLDER if arguments.report is None else arguments.report / FOLDER.name
    let_through()
    with Reporter(sys.stderr, "examples", start=options.limits.hello) as reporter:
        found = fuzz(arguments.command, arguments.fuzz, arguments.seed, options, folder=folder, progress=reporter.tell)
    hold_back()
    results = [replace(one.result, options=("--fixtures", str(one.folder))) for one in found.failures]
    complete = run.complete and not found.gave_up
    return list(found.failures), replace(
        run, results=(*run.results, *results), complete=complete, notes=(*run.notes, str(found))
    )


def _show(arguments: Arguments, outcome: Outcome, flags: Mapping[str, str]) -> None:
    run, held = outcome.run, outcome.held
    reasons, problems = held.reasons, held.problems
    if arguments.report is not None:
        try:
            reports.write_all(arguments.report, run, outcome.scores, expected=reasons, problems=problems, flags=flags)
        except OSError as error:
            raise UsageFault(f"{arguments.report}: {error.strerror}") from error
    for failure in outcome.failures:
        sys.stdout.write(f"generated: {failure}\n\n")
    terminal.show(run, outcome.scores, expected=reasons, problems=problems, flags=flags)


def _status(arguments: Arguments, outcome: Outcome) -> int:
    if was_interrupted():
        return INTERRUPTED
    if outcome.held.stale:
        return STALE
    verdict = overall(outcome.run, outcome.scores)
    is_expected = arguments.allow_expected and not outcome.held.unexpected
    if outcome.failures or (verdict is Overall.NOT_CONFORMANT and not is_expected):
        return NOT_CONFORMANT
    whole = outcome.run.complete and not outcome.run.selected
    if verdict is Overall.INCOMPLETE or not whole:
        return INCOMPLETE
    return CONFORMANT


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageFault(f"{folder}: {error.strerror}") from error


def _failed(error: object, status: int) -> int:
    sys.stderr.write(f"error: {bounded(error, 2000)}\n")
    return status
