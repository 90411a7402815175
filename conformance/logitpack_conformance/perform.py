"""One case: its files copied to a fresh folder, sent, judged, and the folder removed.

Strategy: what fails is sent once more to a fresh process, and of the reads that pass a fixed tenth is sent twice: an
adapter that does another thing the second time is told so, for nothing else that it did can be relied on.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from .judge import judge
from .judge.blame import quoted
from .keeping import Keeper
from .manifest import SuiteFault
from .model import COMMANDS, EXTENSIONS, FAILURES, Case, Container, Response, Result, Role
from .plan import Planned
from .session import Caller
from .text import bounded_json
from .workplace import INPUT, OUTPUT_LIMIT, Workplaces, content, fill, missing

SHARE = 10
"""Of the reads that pass, one in so many is sent twice."""
PATHS = ("input", "logits", "output")


class Sent(NamedTuple):
    """A result, and the output of a read that was accepted, where it was kept."""

    result: Result
    output: bytes | None = None


class Streak:
    """How many calls in a row had no sound answer, over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._length = 0

    def note(self, outcome: str) -> None:
        """Count a call by its outcome."""
        with self._lock:
            self._length = self._length + 1 if outcome in FAILURES else 0

    @property
    def length(self) -> int:
        """The calls since the last sound answer."""
        return self._length


class Performer:
    """Sends cases to one adapter. `fixtures` holds the files of the cases, folders of calls are made in `folder`.

    What a writer writes goes to `keeper`, where there is one.
    """

    def __init__(
        self,
        caller: Caller,
        fixtures: Path,
        folder: Path,
        streak: Streak | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._caller = caller
        self._fixtures = fixtures
        self._workplaces = Workplaces(folder)
        self._streak = streak or Streak()
        self._keeper = keeper

    def perform(self, planned: Planned) -> Result:
        """Send a case once and judge what came. Raises SuiteFault."""
        return self._send(planned).result

    def settle(self, planned: Planned) -> Result:
        """Send a case, twice where it fails or is one of those sent twice, and judge what came. Raises SuiteFault."""
        keep = planned.role is Role.READER and is_sent_twice(planned.result("", "").name)
        first = self._send(planned, keep=keep)
        if first.result.status == "failed":
            self._caller.restart()
        elif not keep or first.result.status != "passed":
            return first.result
        difference = _difference(first, self._send(planned, keep=keep))
        if not difference:
            return first.result
        message = f"the same request, sent twice: {difference}"
        return self._judged(first.result, first.result.request, Response("nondeterministic", message))

    def blame(self, result: Result, message: str) -> Result:
        """Return a result as that of an adapter which broke the protocol, as was seen only later. Raises SuiteFault."""
        return self._judged(result, result.request, Response("protocol_error", message))

    def _send(self, planned: Planned, *, keep: bool = False) -> Sent:
        case, role, container = planned.case, planned.role, planned.container
        with self._workplaces.fresh() as place:
            given = fill(place / INPUT, case, case.materials[material_key(role, container)], self._fixtures)
            request = make_request(case, role, container, given, place)
            start = time.perf_counter()
            response = self._caller.call(request)
            seconds = time.perf_counter() - start
            response = self._with_output(response, request)
            self._streak.note(response.outcome)
            shown = {name: _shown(value, place) if name in PATHS else value for name, value in request.items()}
            result = Result(case, role, container, "", seconds=seconds, request=shown)
            result = self._judged(result, request, response)
            if self._keeper is not None:
                result = replace(result, written=self._keeper.keep(result, response))
            if not keep or result.status != "passed" or response.output is None:
                return Sent(result)
            try:
                return Sent(result, content(response.output, OUTPUT_LIMIT))
            except OSError:  # judged and then gone: a second answer will not equal it
                return Sent(result)

    def _with_output(self, response: Response, request: Mapping[str, Any]) -> Response:
        """Add the output to what was accepted; without one, that breaks the protocol."""
        if "output" not in request or response.outcome != "accepted":
            return response
        output = Path(request["output"])
        fault = missing(output)
        if not fault:
            return replace(response, output=output)
        self._caller.restart()
        return Response("protocol_error", f"accepted, but {fault}")

    def _judged(self, result: Result, request: Mapping[str, Any], response: Response) -> Result:
        """Return a result with the verdict over a response to `request`, which names the true paths."""
        case, role, container = result.case, result.role, result.container
        features = self._caller.implementation.features
        answered = replace(result, outcome=response.outcome, answer=_answer(response), written=None)
        if _is_unsupported(response, case, features):
            return replace(answered, status="unsupported", message=f"it lacks {response.feature}")
        why = ""
        if response.outcome == "unsupported":
            # Its own words stand in the answer; here is why it was none to give.
            why, response = _why_not(response, case), replace(response, message="")
        folder = self._fixtures / case.materials[material_key(role, container)].folder
        try:
            verdict = judge(case, role, container, folder, request, response, features=features)
        except SuiteFault:
            raise
        except Exception as error:
            raise SuiteFault(f"{result.name}: the judge failed: {type(error).__name__}: {error}") from error
        status = "passed" if verdict.passed else "failed"
        message = verdict.message + why
        return replace(answered, status=status, message=message, broken=verdict.broken, advice=verdict.advice)


def material_key(role: Role, container: Container | None) -> str:
    """Return the key of the files that a role is given."""
    return {Role.WRITER: "logical", Role.EXTRACTOR: "dense"}.get(role, str(container))


def is_sent_twice(name: str) -> bool:
    """Choose a fixed tenth of the results by their names, the same in every run."""
    return hashlib.sha256(name.encode()).digest()[0] * SHARE < 256


def make_request(case: Case, role: Role, container: Container | None, given: Path, out: Path) -> dict[str, Any]:
    """Return the request of a case, but for its number. Paths are absolute."""
    if role is Role.EXTRACTOR:
        return {"cmd": COMMANDS[role], "logits": str(given), **case.request, "output": str(out / "rows.ndjson")}
    request = {"cmd": COMMANDS[role], "container": str(container), "input": str(given)}
    if role is Role.READER:
        return {**request, "output": str(out / "rows.ndjson")}
    if role is Role.CHECKER or container is None:
        return {**request, "metadata": case.metadata}
    metadata = None if container is Container.JSON else case.metadata
    return {**request, "output": str(out / f"out{EXTENSIONS[container]}"), "metadata": metadata}


def _is_unsupported(response: Response, case: Case, features: Collection[str]) -> bool:
    """Tell whether an adapter may leave a case out: it needs a feature, which was named and not declared."""
    return response.outcome == "unsupported" and response.feature in case.features and response.feature not in features


def _why_not(response: Response, case: Case) -> str:
    """Say why `unsupported` is no answer to a case: what it needs, or that hello declared the feature."""
    named = f" for {quoted(response.feature)}"
    if response.feature in case.features:
        return f"{named}, which hello declared"
    return f"{named}: the case needs {', '.join(case.features) or 'no feature'}"


def _shown(path: str, place: Path) -> str:
    """Return a path without the folder, which is another at every call."""
    return f"...{path.removeprefix(str(place))}"


def _answer(response: Response) -> Mapping[str, Any]:
    members = {
        "message": response.message,
        "requirement": response.requirement,
        "feature": response.feature,
        "findings": list(response.findings),
    }
    kept: Mapping[str, Any] = bounded_json({name: value for name, value in members.items() if value})
    return kept


def _difference(first: Sent, second: Sent) -> str:
    """Say how two results of the same request differ, "" where they do not."""
    a, b = first.result, second.result
    if a.outcome != b.outcome:
        return f"{a.outcome}, then {b.outcome}"
    if (a.status, a.broken) != (b.status, b.broken):
        return f"{a.message or a.status}, then {b.message or b.status}"
    return "" if _is_equal(first.output, second.output) else "other values in the output"


def _is_equal(a: bytes | None, b: bytes | None) -> bool:
    """Compare outputs as JSON, for the order of members is free."""
    if a == b or a is None or b is None:
        return a == b
    try:
        return [json.loads(line) for line in a.splitlines()] == [json.loads(line) for line in b.splitlines()]
    except (ValueError, RecursionError):
        return False
