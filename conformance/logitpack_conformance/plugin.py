"""A pytest plugin: each case a test of its own, beside an implementer's own tests.

    pytest -p logitpack_conformance.plugin --adapter "node adapter.mjs"
    pytest -p logitpack_conformance.plugin --adapter ./adapter --pyargs logitpack_conformance -k "idx and parquet"

A test is called `logitpack_conformance::ROLE:CASE@CONTAINER`. Containers and features that the adapter does not declare
are skipped, with that reason; what `--expect FILE` lists is expected to fail, strictly.

Strategy: the package's own folder stands for a folder of cases, wherever it is installed. One adapter is started at the
beginning, in each worker of pytest-xdist one, and asked case after case by the same `Performer` as in
`logitpack conform`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .conversation import Conversation
from .expectations import ExpectError
from .manifest import SuiteFault
from .plan import Planned
from .process import Limits
from .run import GAVE_UP
from .session import StartError
from .text import bounded

PACKAGE = "logitpack_conformance"
HERE = Path(__file__).resolve().parent
NOT_STARTED, OWN_FAULT = 3, 5
SELECTED = "logitpack_selected"
KEY = pytest.StashKey[Conversation]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; without --adapter, none of this does anything."""
    usual = Limits()
    group = parser.getgroup("logitpack", "LogitPack conformance")
    group.addoption("--adapter", metavar="COMMAND", help="Test this adapter; a command line.")
    group.addoption(
        "--adapter-timeout", type=float, default=usual.timeout, metavar="S", help="Seconds a case may take."
    )
    group.addoption(
        "--adapter-memory", type=int, default=usual.memory >> 20, metavar="MIB", help="Memory of the adapter."
    )
    group.addoption("--adapter-fixtures", type=Path, metavar="DIR", help="Another folder with a manifest.")
    group.addoption("--expect", type=Path, metavar="FILE", help="Failures that are expected: a TOML file.")


def pytest_configure(config: pytest.Config) -> None:
    """Take node ids of cases from the arguments, and keep them in an option, which workers are told too.

    pytest itself takes no node ids of a package. Where nothing else was asked for, the package's folder is left.
    """
    if not config.option.adapter:
        return
    own = [argument for argument in config.args if _is_own(argument)]
    named = [argument.partition("::")[2] for argument in own if "::" in argument]
    if not getattr(config.option, SELECTED, None):
        setattr(config.option, SELECTED, named if len(named) == len(own) else [])
    if own:
        config.args[:] = [argument for argument in config.args if argument not in own] or [str(HERE)]


def _is_own(argument: str) -> bool:
    path = argument.split("::", 1)[0]
    return Path(path).name == PACKAGE or Path(path).resolve() == HERE


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the adapter; where workers do the work, only to see that it starts."""
    config, option = session.config, session.config.option
    if not option.adapter:
        return
    limits = Limits(timeout=option.adapter_timeout, memory=option.adapter_memory << 20)
    try:
        conversation = Conversation(
            shlex.split(option.adapter), limits, fixtures=option.adapter_fixtures, expected=option.expect
        )
    except ExpectError as error:
        raise pytest.UsageError(str(error)) from None
    except StartError as error:
        _exit(f"the adapter did not start: {error}", NOT_STARTED)
    except (SuiteFault, FileNotFoundError) as error:
        _exit(f"a fault of the suite or its fixtures, not of the adapter: {error}", OWN_FAULT)
    if getattr(option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        conversation.end()
    else:
        config.stash[KEY] = conversation


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is tested."""
    if KEY not in config.stash:
        return None
    found = config.stash[KEY].session.implementation
    scope = f"{', '.join(found.roles)}; {', '.join(found.containers)}"
    return f"adapter: {bounded(found.name, 100)} {bounded(found.version, 50)} ({scope})"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the adapter did not end as it should."""
    fault = config.stash[KEY].close() if KEY in config.stash else ""
    if fault:
        terminalreporter.write_line(f"adapter: {bounded(fault)}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the adapter."""
    conversation = config.stash.get(KEY, None)
    if conversation is not None:
        del config.stash[KEY]
        conversation.end()


def _exit(reason: str, status: int) -> NoReturn:
    pytest.exit(bounded(reason, 2000), status)


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the package's folder for a folder of cases."""
    if path.resolve() == HERE and KEY in parent.config.stash:
        return Suite.from_parent(parent, path=path, name=PACKAGE, nodeid=PACKAGE)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cases, unless the package's folder was collected, before anything is deselected."""
    if KEY not in config.stash or config.stash[KEY].is_collected:
        return
    suite = Suite.from_parent(session, path=HERE, name=PACKAGE, nodeid=PACKAGE)
    report = suite.ihook.pytest_make_collect_report(collector=suite)
    suite.ihook.pytest_collectreport(report=report)
    items.extend(report.result)


class Suite(pytest.Directory):
    """All cases for the roles of the adapter."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield a test for each case."""
        conversation = self.config.stash[KEY]
        conversation.is_collected = True
        selected = getattr(self.config.option, SELECTED)
        unknown = set(selected) - {planned.result("", "").name for planned in conversation.planned}
        if unknown:
            raise self.CollectError(f"this adapter has no test {min(unknown)}")
        for planned in conversation.planned:
            name = planned.result("", "").name
            if not selected or name in selected:
                yield CaseItem.from_parent(self, name=name, planned=planned)


class Failed(Exception):  # noqa: N818 - what it says of the adapter is no error of ours
    """A case failed; `text` tells of it."""


class FailedAsListed(Failed):
    """A case failed with the outcome that the list of expected failures has for it."""


class CaseItem(pytest.Item):
    """One case in one role and container."""

    def __init__(self, *, planned: Planned, **members: Any) -> None:
        super().__init__(**members)
        self.planned = planned
        self.conversation = self.config.stash[KEY]
        self.entry = next((entry for entry in self.conversation.expected if entry.matches(planned)), None)
        if self.entry is not None and not planned.skip:
            reason = bounded(self.entry.reason)
            self.add_marker(pytest.mark.xfail(raises=FailedAsListed, strict=True, reason=reason))

    def runtest(self) -> None:
        """Send the case and judge what came."""
        if self.planned.skip:
            pytest.skip(self.planned.skip)
        try:
            result = self.conversation.settle(self.planned)
            if result.status == "failed" and self.conversation.is_given_up:
                self.session.shouldfail = GAVE_UP
        except SuiteFault as error:
            _exit(f"a fault of the suite or its fixtures, not of the adapter: {error}", OWN_FAULT)
        if result.status == "unsupported":
            pytest.skip(bounded(result.message))
        if result.status == "failed":
            is_listed = self.entry is not None and self.entry.outcome == result.outcome
            text = self.conversation.told(result)
            if self.entry is not None and not is_listed:
                text += f"\n  expected {self.entry.outcome}, as {self.entry} says"
            raise FailedAsListed(text) if is_listed else Failed(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is told of a failure, without a traceback."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where it is: in no line of a file."""
        return self.path, None, self.name
