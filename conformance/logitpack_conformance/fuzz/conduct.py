"""A run over generated examples: drawn, sent, judged; what fails is made small and saved.

Strategy: one thread draws, as many as there are jobs send, and results are looked at in the order of the examples, so
that the outcome does not depend on who was faster. Only then is anything made smaller, one way to fail after another.
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from hypothesis.configuration import set_hypothesis_home_dir

from logitpack_conformance.casebook.build import build
from logitpack_conformance.casebook.draft import Draft
from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Case, Container, Implementation, Result, Role
from logitpack_conformance.oracle.finding import WARNINGS
from logitpack_conformance.perform import Performer, Streak
from logitpack_conformance.plan import Choice, Planned
from logitpack_conformance.run import PATIENCE, Options, Progress, open_caller
from logitpack_conformance.workplace import remove

from .examples import Source
from .failures import Failure, Way, built, repeated, save, way
from .recipe import Recipe
from .shrink import Budget, shrink

MOST_WAYS = 10
"""Ways to fail that are made small and saved."""
CALLS = 1500
SECONDS = 60.0
"""What making one of them small may take."""
FOLDER = Path("logitpack-failures")
Pair = tuple[Role, Container | None]


@dataclass(frozen=True)
class Fuzzed:
    """What came of generated examples: how many were tried by role and container, and the ways in which they failed.

    `gave_up` says that the adapter gave no sound answer any more before all were tried.
    """

    seed: int
    tried: Counter[Pair]
    failures: tuple[Failure, ...]
    failed: int = 0
    gave_up: bool = False

    def __str__(self) -> str:
        """One line that says what was tried."""
        where = ", ".join(f"{number} {_named(pair)}" for pair, number in self.tried.items())
        what = f"{self.failed} failed, in {len(self.failures)} ways" if self.failed else "none failed"
        more = "; given up: no sound answer any more" if self.gave_up else ""
        return f"{self.tried.total()} generated examples of seed {self.seed} ({where}): {what}{more}"


def _named(pair: Pair) -> str:
    role, container = pair
    return f"{role}@{container}" if container else str(role)


@dataclass
class _Seen:
    """The first example of a way to fail, and how many there were."""

    number: int
    recipe: Recipe
    result: Result
    count: int = 1


@dataclass
class _Pool:
    """Performers, one for each adapter process, and the threads that use them."""

    fixtures: Path
    threads: ThreadPoolExecutor
    free: queue.SimpleQueue[Performer] = field(default_factory=queue.SimpleQueue)

    def send(self, draft: Draft, pair: Pair, how: Callable[[Performer, Planned], Result]) -> Result:
        """Make the files of a draft, send it and judge it. Raises SuiteFault."""
        case, files = build(draft)
        folder = self.fixtures / "cases" / case.id
        for key, parts in files.items():
            for name, data in parts.items():
                path = self.fixtures / case.materials[key].folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        performer = self.free.get()
        try:
            return how(performer, Planned(case, *pair))
        finally:
            self.free.put(performer)
            remove(folder)


def fuzz(
    command: Sequence[str],
    examples: int,
    seed: int,
    options: Options,
    *,
    folder: Path = FOLDER,
    progress: Progress | None = None,
) -> Fuzzed:
    """Try so many generated examples on an adapter, over its roles and containers as far as they were chosen.

    What fails is saved below `folder`. Raises StartError, SuiteFault.
    """
    place = Path(mkdtemp(prefix="logitpack-fuzz-")).resolve()
    set_hypothesis_home_dir(place / "hypothesis")  # it keeps files in the current folder otherwise
    try:
        return _Fuzz(command, seed, options, folder, place).run(examples, progress or (lambda *_: None))
    finally:
        set_hypothesis_home_dir(None)
        remove(place)


class _Fuzz:
    def __init__(self, command: Sequence[str], seed: int, options: Options, folder: Path, place: Path) -> None:
        self._command = command
        self._seed = seed
        self._options = options
        self._folder = folder
        self._place = place
        self._streak = Streak()
        self._seen: dict[Way, _Seen] = {}
        self._tried: Counter[Pair] = Counter()

    def run(self, examples: int, progress: Progress) -> Fuzzed:
        fixtures = self._place / "examples"
        with ExitStack() as stack:
            jobs = min(self._options.jobs, max(1, examples))
            callers = [stack.enter_context(open_caller(self._command, self._options, self._place)) for _ in range(jobs)]
            pool = _Pool(fixtures, stack.enter_context(ThreadPoolExecutor(jobs)))
            for caller in callers:
                stack.callback(caller.stop)
            for caller in callers:
                pool.free.put(Performer(caller, fixtures, self._place, self._streak))
            implementation = callers[0].implementation
            failed = self._try(pool, self._recipes(implementation, examples), jobs, examples, progress)
            failures = [self._smallest(pool, seen) for seen in list(self._seen.values())[:MOST_WAYS]]
        return Fuzzed(self._seed, self._tried, tuple(failures), failed, self._streak.length >= PATIENCE)

    def _recipes(self, implementation: Implementation, examples: int) -> Iterator[tuple[int, Pair, Recipe]]:
        """Yield the examples in turn for each role and container."""
        sources = [Source(*pair, implementation.features) for pair in pairs(implementation, self._options.choice)]
        for number in range(examples if sources else 0):
            source = sources[number % len(sources)]
            yield number, (source.role, source.container), source.draw(number, self._seed)

    def _try(
        self,
        pool: _Pool,
        recipes: Iterator[tuple[int, Pair, Recipe]],
        jobs: int,
        examples: int,
        progress: Progress,
    ) -> int:
        """Send all examples and note what fails; return how many did."""
        sent: list[tuple[int, Pair, Recipe, Future[Result]]] = []
        failed = 0
        progress(0, examples, None)
        for number, pair, recipe in recipes:
            draft = _draft(recipe, f"fuzz/example-{number}")
            sent.append((number, pair, recipe, pool.threads.submit(pool.send, draft, pair, Performer.settle)))
            if len(sent) > 2 * jobs:
                failed += self._note(*sent.pop(0), examples, progress)
            if self._streak.length >= PATIENCE:
                break
        return failed + sum(self._note(*one, examples, progress) for one in sent)

    def _note(
        self, number: int, pair: Pair, recipe: Recipe, future: Future[Result], examples: int, progress: Progress
    ) -> bool:
        result = future.result()
        self._tried[pair] += 1
        progress(self._tried.total(), examples, result)
        if result.status != "failed":
            return False
        seen = self._seen.get(way(result))
        if seen is None:
            self._seen[way(result)] = _Seen(number, recipe, result)
        else:
            seen.count += 1
        return True

    def _smallest(self, pool: _Pool, seen: _Seen) -> Failure:
        """Make a failing example small, and save it."""
        first, pair = seen.result, (seen.result.role, seen.result.container)
        wanted, last = way(first), first
        how = Performer.settle if first.outcome == "nondeterministic" else Performer.perform

        def fails(recipe: Recipe) -> bool:
            nonlocal last
            recipe.hold()
            draft = recipe.draft("fuzz/smaller")
            if _asked(draft) != _asked(first.case):
                return False
            result = pool.send(draft, pair, how)
            if result.status == "failed" and way(result) == wanted:
                last = result
                return True
            return False

        recipe = shrink(seen.recipe, fails, Budget(CALLS, SECONDS))
        cases = built(recipe, first)
        try:
            folder = save(cases, self._folder)
        except OSError as error:
            folder, repeat = self._folder, f"it could not be saved: {error.strerror}"
        else:
            repeat = repeated(folder, _without_fixtures(self._options.repeats), self._command)
        return Failure(replace(last, case=cases[0][0]), folder, self._seed, seen.number, seen.count, repeat)


def _asked(case: Draft | Case) -> tuple[object, ...]:
    """Return what a case asks for, warnings apart."""
    return case.kind, case.requirements, set(case.findings) - (WARNINGS - set(case.requirements))


def _draft(recipe: Recipe, name: str) -> Draft:
    try:
        return recipe.draft(name)
    except ValueError as error:
        raise SuiteFault(f"{name} of {type(recipe).__name__} cannot be made: {error}") from error


def pairs(implementation: Implementation, choice: Choice) -> list[Pair]:
    """Return the roles and containers that an implementation declared, as far as they were chosen."""
    found: list[Pair] = []
    for role in implementation.roles:
        if not choice.roles or role in choice.roles:
            containers: Sequence[Container | None] = [None] if role is Role.EXTRACTOR else implementation.containers
            chosen = choice.containers
            found += [(role, one) for one in containers if one is None or not chosen or one in chosen]
    return found


def _without_fixtures(options: Sequence[str]) -> list[str]:
    """Return options of a command line without the folder of the fixtures."""
    found = list(options)
    if "--fixtures" in found:
        at = found.index("--fixtures")
        del found[at : at + 2]
    return found
