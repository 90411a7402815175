"""A conversation with one adapter over a whole session of pytest: what there is to send, and what is told of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from .expectations import Expectation, ExpectError, hold, load
from .manifest import Manifest, fixtures_folder, load_manifest
from .model import Result, Run
from .perform import Performer, Streak
from .plan import Planned, plan
from .process import Limits
from .reports.facts import clause, repeat
from .run import PATIENCE
from .session import Session
from .text import bounded, bounded_json
from .workplace import remove


class Conversation:
    """One adapter, started, what there is to send to it, and what it is `expected` to fail by a file.

    `fixtures` is another folder than that of the suite. Raises StartError, ExpectError, SuiteFault, FileNotFoundError.
    """

    def __init__(
        self, command: Sequence[str], limits: Limits, *, fixtures: Path | None = None, expected: Path | None = None
    ) -> None:
        self.command = tuple(command)
        self.limits = limits
        self.given = fixtures
        self.fixtures = fixtures_folder() if fixtures is None else fixtures.resolve()
        self.manifest: Manifest = load_manifest(self.fixtures)
        self.place = Path(mkdtemp(prefix="logitpack-pytest-")).resolve()
        self.streak = Streak()
        self.good: Planned | None = None
        self.is_collected = False
        self.session = Session(self.command, self.limits, folder=self.place)
        try:
            self.session.__enter__()
            self.planned = plan(self.manifest.cases, self.session.implementation)
            self.expected = _expected(expected, self.planned)
        except BaseException:
            self.end()
            raise
        self.performer = Performer(self.session, self.fixtures, self.place, self.streak)

    def settle(self, planned: Planned) -> Result:
        """Send a case and judge what came. Raises SuiteFault."""
        result = self.performer.settle(planned)
        if result.status == "passed":
            self.good = planned
        return result

    @property
    def is_given_up(self) -> bool:
        """Whether the adapter gives no sound answer any more, not even to what it has answered before."""
        if self.streak.length < PATIENCE:
            return False
        return self.good is None or self.performer.perform(self.good).status != "passed"

    def told(self, result: Result) -> str:
        """Return what a failure is told by: what was sent and came, the clause, and how to repeat it."""
        run = Run(self.session.implementation, self.command, (), options=tuple(self._options()))
        lines = {
            "test": result.name,
            "case": bounded(result.case.why),
            "sent": _compact(result.request),
            "came": f"{bounded(result.outcome, 40)} {_compact(result.answer)}".rstrip(),
            **{name: _clause(name) for name in result.broken[:1]},
            "also": ", ".join(bounded(name, 40) for name in result.broken[1:6]),
            "flags": "; ".join(f"{flag}: {self.manifest.flags.get(flag, '')}" for flag in result.case.flags),
            "repeat": repeat(run, result),
        }
        judged = ": ".join([*result.broken[:1], bounded(result.message)])
        return "\n".join([judged, *(f"  {name:<8} {text}" for name, text in lines.items() if text)])

    def _options(self) -> Iterator[str]:
        if self.given is not None:
            yield from ("--fixtures", str(self.given))
        if self.limits.timeout != Limits().timeout:
            yield from ("--timeout", f"{self.limits.timeout:g}")
        if self.limits.memory != Limits().memory:
            yield from ("--memory", str(self.limits.memory >> 20))

    def close(self) -> str:
        """Let the adapter end by itself; return what was wrong with that, "" where nothing was."""
        fault = self.session.close(self.limits.grace)
        return "" if fault is None else fault.message

    def end(self) -> None:
        """End the adapter and remove what it left."""
        self.session.__exit__(None, None, None)
        remove(self.place)


def _expected(path: Path | None, planned: Sequence[Planned]) -> list[Expectation]:
    """Read the expected failures. Raises ExpectError, also where they do not hold whatever the results are."""
    if path is None:
        return []
    found = load(path)
    stale = hold(found, (), planned, dt.datetime.now(dt.UTC).date()).stale
    if stale:
        raise ExpectError("\n".join([f"{path} is stale:", *stale]))
    return found


def _clause(name: str) -> str:
    about = clause(name)
    return f"{about.level} {about.title}: {about.text} (SPEC.md, {about.section})" if about.title else "failed"


def _compact(message: Mapping[str, Any]) -> str:
    return bounded(json.dumps(bounded_json(message), ensure_ascii=False), 1000) if message else ""
