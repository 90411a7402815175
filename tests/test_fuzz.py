"""Generated examples: the same for a seed, right for who is right, made small and saved where somebody is wrong."""

from __future__ import annotations

import doctest
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from logitpack_conformance.fuzz import Fuzzed, fuzz
from logitpack_conformance.fuzz.conduct import pairs
from logitpack_conformance.fuzz.examples import Source
from logitpack_conformance.fuzz.failures import built, save
from logitpack_conformance.fuzz.layout import PLAIN, layouts
from logitpack_conformance.fuzz.recipe import DenseRecipe, FileRecipe, Recipe, RowsRecipe
from logitpack_conformance.fuzz.shrink import Budget, shrink
from logitpack_conformance.manifest import load_manifest, verify
from logitpack_conformance.model import EXTENSIONS, FEATURES, Container, Kind, Result, Role
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.finding import requirements
from logitpack_conformance.oracle.load import load
from logitpack_conformance.plan import Choice
from logitpack_conformance.rows import valid_rows
from logitpack_conformance.run import Limits, Options, conduct
from logitpack_conformance.stored import to_bytes
from runs import case, implementation

ROOT = Path(__file__).resolve().parents[1]
MINIMAL = ROOT / "examples" / "adapter_minimal.py"
RIGHT = "2 * (j % 4) & 3)"
LOST = "2 * (j % 4) & 3) * (kind != 'top' or len(low) % 4 != 3 or j != len(low) - 1)"
"""The high bits of the last of a row's nucleus entries are lost where these are 3 mod 4."""
SLOW = Limits(timeout=60.0, start=60.0)


def _command(script: Path) -> list[str]:
    return [sys.executable, str(script)]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Make a reader of container json that is wrong for one shape of input."""
    text = MINIMAL.read_text("utf-8")
    assert text.count(RIGHT) == 1
    script = tmp_path_factory.mktemp("adapter") / "wrong.py"
    script.write_text(text.replace(RIGHT, LOST), "utf-8")
    return _command(script)


def _fuzz(command: Sequence[str], examples: int, folder: Path, seed: int = 1, **members: Any) -> Fuzzed:
    options = Options(fixtures=folder, **{"limits": SLOW, **members})
    return fuzz(command, examples, seed, options, folder=folder)


# Examples


def test_an_example_is_its_number_and_seed() -> None:
    """The same number and seed give the same example whatever was drawn before, others another."""
    one, other = (Source(Role.READER, Container.PARQUET, FEATURES) for _ in range(2))
    drawn = [one.draw(number, 7) for number in range(5)]
    assert drawn == [other.draw(number, 7) for number in reversed(range(5))][::-1]
    assert drawn != [other.draw(number, 8) for number in range(5)]


@pytest.mark.parametrize("role", list(Role))
def test_examples_can_be_made(role: Role) -> None:
    """Each example becomes a case for its role; with a fault it is one that the fault shows in."""
    container = None if role is Role.EXTRACTOR else Container.ARROW_STREAM
    source = Source(role, container, FEATURES)
    kinds = set()
    for number in range(40):
        recipe = source.draw(number, 3)
        draft = recipe.draft("fuzz/example")
        kinds.add(draft.kind)
        assert role in draft.roles
        if isinstance(recipe, FileRecipe):
            assert bool(recipe.fault) == bool(draft.requirements)
            assert set(draft.requirements) <= set(draft.findings)
        else:
            assert (draft.kind is Kind.REFUSE) == bool(recipe.fault)
    right = {Role.WRITER: Kind.WRITE, Role.EXTRACTOR: Kind.EXTRACT}.get(role, Kind.ACCEPT)
    assert {right, Kind.REJECT if right is Kind.ACCEPT else Kind.REFUSE} <= kinds


def test_faults_stand_at_both_ends() -> None:
    """Two of three files for a checker have a fault, and in half of these the first token of a row is its last."""
    source = Source(Role.CHECKER, Container.JSON, FEATURES)
    faulty = [recipe for number in range(60) if (recipe := source.draw(number, 5)).fault]
    single = [one for one in faulty if isinstance(one, FileRecipe) and all(len(r["tokens"]) == 1 for r in one.rows)]
    assert 30 < len(faulty) < 50
    assert len(faulty) / 3 < len(single) < len(faulty)


def test_nothing_that_was_not_declared() -> None:
    """A reader that declared no feature gets the plainest files, without token ids."""
    source = Source(Role.READER, Container.PARQUET, ())
    drafts = [source.draw(number, 1).draft("fuzz/example") for number in range(40)]
    assert {()} == {draft.features for draft in drafts}


def test_roles_and_containers_as_declared_and_chosen() -> None:
    """An extractor has no container; others have those that were declared and chosen."""
    both = (Container.PARQUET, Container.JSON)
    found = implementation(roles=(Role.READER, Role.WRITER, Role.EXTRACTOR), containers=both)
    choice = Choice(roles=(Role.WRITER, Role.EXTRACTOR), containers=(Container.JSON,))
    assert [(Role.WRITER, Container.JSON), (Role.EXTRACTOR, None)] == pairs(found, choice)
    assert 5 == len(pairs(found, Choice()))


@pytest.mark.parametrize("container", list(Container))
def test_layouts_are_valid(container: Container) -> None:
    """A layout changes nothing that is judged, but for the canonical types (COL-5)."""
    rows = valid_rows(token_ids=True)
    strategy = layouts(container, FEATURES)
    for number in range(60):
        layout = _Layouts(strategy).draw(number)
        data = to_bytes(rows, None, container, layout.form(rows, container))
        found = requirements(judge_files([load(data, f"in{EXTENSIONS[container]}")]))
        assert ({"COL-5"} if layout.retyped else set()) == found
        assert all(one != layout for one in layout.plainer())
    assert [] == list(PLAIN.plainer())


class _Layouts(Source):
    """Layouts in the place of recipes."""

    def __init__(self, strategy: Any) -> None:
        self._wanted = strategy
        super().__init__(Role.EXTRACTOR, None, ())
        self._strategy = strategy

    def draw(self, number: int, seeded: int = 1) -> Any:
        """Return the layout with a number."""
        return super().draw(number, seeded)


# Making small


def _entries(recipe: FileRecipe | RowsRecipe, kind: str) -> list[list[int]]:
    return [[i for token in row["tokens"] for i in token[kind]["indices"]] for row in recipe.rows]


def _numbers(recipe: FileRecipe | RowsRecipe) -> list[list[float]]:
    return [token["top"]["logits"] for row in recipe.rows for token in row["tokens"]]


def _third_is_high(recipe: Any) -> bool:
    return any(len(row) % 4 == 3 and row[-1] > 65_535 for row in _entries(recipe, "top"))


def _subnormal(recipe: Any) -> bool:
    return any(0 < max(logits) - min(logits) < 2.0**-126 for logits in _numbers(recipe))


def _second_of_one(recipe: Any) -> bool:
    stride = len(recipe.rows[0]["tokens"][0]["sampled"]["indices"])
    return stride == 1 and len(recipe.rows) > 1


def _sum_of_256(recipe: Any) -> bool:
    counts = [[len(token["top"]["indices"]) for token in row["tokens"]] for row in recipe.rows]
    return any(256 in [sum(row[:end]) for end in range(len(row))] for row in counts)


def _in_a_tail(recipe: Any) -> bool:
    return any(131_071 in row for row in _entries(recipe, "sampled"))


SHAPES: dict[str, tuple[Callable[[Any], bool], list[list[list[int]]], list[list[int]]]] = {
    "third is high": (_third_is_high, [[[0, 1, 65_536]]], [[3]]),
    "subnormal range": (_subnormal, [[[0, 1]]], [[2]]),
    "second row of one": (_second_of_one, [[[0]], [[0]]], [[1], [1]]),
    "in a tail": (_in_a_tail, [[[0]]], [[131_071]]),
}
"""By name: the condition, the smallest nuclei that meet it, and the smallest tails."""


def _first(role: Role, condition: Callable[[Any], bool]) -> Any:
    source = Source(role, Container.PARQUET, FEATURES)
    recipes = (source.draw(number, 5) for number in range(2000))
    return next(recipe for recipe in recipes if not recipe.fault and condition(recipe))


def _holding(condition: Callable[[Any], bool]) -> Callable[[Recipe], bool]:
    """Return whether a recipe meets a condition and is still a valid one."""

    def fails(recipe: Recipe) -> bool:
        recipe.hold()
        return condition(recipe) and recipe.draft("fuzz/smaller").kind in {Kind.ACCEPT, Kind.WRITE}

    return fails


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
def test_smallest_rows_of_a_shape(role: Role, name: str) -> None:
    """What is left of an example is the smallest row that has the shape, in the plainest file."""
    condition, nuclei, tails = SHAPES[name]
    found = shrink(_first(role, condition), _holding(condition), Budget(2000, 600.0))
    assert isinstance(found, FileRecipe | RowsRecipe)
    assert nuclei == [[token["top"]["indices"] for token in row["tokens"]] for row in found.rows]
    assert tails == _entries(found, "sampled")
    assert found.metadata is None
    assert not isinstance(found, FileRecipe) or found.layout == PLAIN


def test_sums_stay_what_they_are() -> None:
    """A row whose counts have to add up to 256 keeps these entries, and loses all else."""
    found = shrink(_first(Role.WRITER, _sum_of_256), _sum_of_256, Budget(2000, 600.0))
    assert isinstance(found, RowsRecipe)
    assert [257] == [len(row) for row in _entries(found, "top")]
    assert [len(found.rows[0]["tokens"])] == [len(row) for row in _entries(found, "sampled")]


def test_faults_stay() -> None:
    """A recipe keeps its fault while it becomes small."""
    source = Source(Role.CHECKER, Container.JSON, FEATURES)
    recipe = next(one for one in (source.draw(number, 2) for number in range(200)) if one.fault.startswith("IDX-4"))
    found = shrink(recipe, lambda one: "IDX-4" in one.draft("fuzz/smaller").findings, Budget(2000, 600.0))
    assert (1, 1, 2) == found.size()[:3]
    assert found.sound().draft("fuzz/sound").kind is Kind.ACCEPT


def test_smallest_extraction() -> None:
    """Of dense logits, two positions and the least vocabulary are left."""
    source = Source(Role.EXTRACTOR, None, ())
    recipe = next(one for one in (source.draw(number, 2) for number in range(50)) if not one.fault)
    found = shrink(recipe, lambda one: one.draft("fuzz/smaller").kind is Kind.EXTRACT, Budget(2000, 600.0))
    assert isinstance(found, DenseRecipe)
    assert [[0.0, 0.0], [0.0, 0.0]] == found.logits
    assert [0, 1] == found.request["mask"]


def test_calls_are_bounded() -> None:
    """No more recipes are tried than the budget has calls for, and none twice."""
    tried: list[Recipe] = []

    def fails(recipe: Recipe) -> bool:
        tried.append(recipe)
        return False

    recipe = _first(Role.WRITER, lambda one: len(one.rows) > 1)
    assert recipe == shrink(recipe, fails, Budget(7, 600.0))
    assert 7 == len(tried) == len({repr(one) for one in tried})


def test_time_is_bounded() -> None:
    """Nothing is tried once the time is over, as with an adapter that hangs."""
    recipe = _first(Role.WRITER, lambda one: len(one.rows) > 1)
    assert recipe == shrink(recipe, lambda _: True, Budget(1000, 0.0))


def test_examples_in_docstrings() -> None:
    """Each example in a docstring gives what stands there."""
    found = doctest.testmod(import_module("logitpack_conformance.fuzz.smaller"))
    assert found.failed == 0
    assert found.attempted > 0


# Saving


def _result(role: Role, **members: Any) -> Result:
    return Result(case("fuzz/example", "accept"), role, Container.JSON, "failed", broken=("IDX-4",), **members)


def test_saved_folders_are_fixtures(tmp_path: Path) -> None:
    """What is saved is a manifest with its files: the case, and its twin without the fault."""
    source = Source(Role.CHECKER, Container.JSON, FEATURES)
    recipe = next(one for one in (source.draw(number, 2) for number in range(200)) if one.fault)
    folder = save(built(recipe, _result(Role.CHECKER, outcome="timeout")), tmp_path)
    manifest = load_manifest(folder)
    assert ["fuzz/checker/idx-4-timeout", "fuzz/checker/idx-4-timeout-sound"] == [one.id for one in manifest.cases]
    assert ["fuzz/checker/idx-4-timeout-sound", None] == [one.twin for one in manifest.cases]
    assert Kind.ACCEPT == manifest["fuzz/checker/idx-4-timeout-sound"].kind
    assert {(Role.CHECKER,)} == {one.roles for one in manifest.cases}
    for one in manifest.cases:
        verify(one, folder)


def test_the_same_failure_is_saved_once(tmp_path: Path) -> None:
    """Saved again, a failure takes the place of itself and of nothing else."""
    source = Source(Role.READER, Container.JSON, ())
    for number in (1, 2, 1):
        save(built(source.draw(number, 2), _result(Role.READER)), tmp_path)
    assert 2 == len(list(tmp_path.iterdir()))


# Across the process boundary


@pytest.fixture(scope="module")
def found(wrong: list[str], tmp_path_factory: pytest.TempPathFactory) -> Fuzzed:
    """Try generated examples on the reader that is wrong for one shape."""
    return _fuzz(wrong, 150, tmp_path_factory.mktemp("failures"))


def test_one_shape_is_found_and_made_small(found: Fuzzed) -> None:
    """The only way to fail is found, and shown by the smallest row: three entries, the last at 65536, and S = 1."""
    (failure,) = found.failures
    assert ("reader:fuzz/reader/idx-2@json", ("IDX-2",)) == (failure.result.name, failure.result.broken)
    (path,) = failure.folder.rglob("in.ndjson")
    row = json.loads(path.read_text("utf-8"))
    assert ([3], [0, 1, 0], "EA==") == (row["top_counts"], row["top_indices_low"], row["top_indices_high"])
    assert ([3], [0.0], [0.0]) == (row["sampled_indices_low"], row["top_min"], row["top_max"])
    assert {"reader": 150} == {pair[0]: number for pair, number in found.tried.items()}


def test_a_saved_failure_repeats(found: Fuzzed, wrong: list[str]) -> None:
    """The folder fails the same reader in the same way, passes one that is right, and the command says how."""
    (failure,) = found.failures
    manifest, options = load_manifest(failure.folder), Options(fixtures=failure.folder, limits=SLOW)
    results = [one for command in (wrong, _command(MINIMAL)) for one in conduct(command, manifest, options).results]
    assert [("failed", ("IDX-2",)), ("passed", ())] == [(one.status, one.broken) for one in results]
    assert f"--fixtures {failure.folder} -- {wrong[0]} {wrong[1]}" in failure.repeat
    assert failure.repeat in str(failure)


def test_jobs_change_nothing(found: Fuzzed, wrong: list[str], tmp_path: Path) -> None:
    """Two adapter processes fail in the same examples, and leave the same smallest row."""
    examples = found.failures[0].number + 1
    once, again = (_fuzz(wrong, examples, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    assert [one.number for one in once.failures] == [one.number for one in again.failures] != []
    assert [one.folder.name for one in once.failures] == [one.folder.name for one in again.failures]
    assert str(once) == str(again)


def test_a_failure_that_cannot_be_saved_is_told(found: Fuzzed, wrong: list[str], tmp_path: Path) -> None:
    """Where the folder cannot be written, the failure counts all the same."""
    (tmp_path / "file").touch()
    (failure,) = _fuzz(wrong, found.failures[0].number + 1, tmp_path / "file").failures
    assert ("IDX-2",) == failure.result.broken
    assert "could not be saved" in str(failure)


def test_who_is_right_fails_nothing(tmp_path: Path) -> None:
    """A reader that is right fails no example, and nothing is saved."""
    found = _fuzz(_command(MINIMAL), 60, tmp_path / "failures", seed=2)
    assert "60 generated examples of seed 2 (60 reader@json): none failed" == str(found)
    assert not (tmp_path / "failures").exists()


def test_the_reference_fails_nothing(tmp_path: Path) -> None:
    """The reference fails no example in any role and container."""
    found = _fuzz([sys.executable, "-m", "logitpack_conformance.adapters.reference"], 130, tmp_path)
    assert ((), 13) == (found.failures, len(found.tried))


def test_an_adapter_that_is_gone_is_given_up(tmp_path: Path) -> None:
    """Nobody waits for an adapter that answers nothing but hello; that it crashed is the failure."""
    script = tmp_path / "gone.py"
    hello = {"seq": 0, "protocol": 1, "spec": ["1.0"], "name": "gone", "version": "1", "roles": ["reader"]}
    script.write_text(f"input(); print('''{json.dumps({**hello, 'containers': ['json']})}''', flush=True); input()")
    found = _fuzz(_command(script), 500, tmp_path / "failures")
    assert found.gave_up
    assert found.tried.total() < 100
    assert {"crash"} == {failure.result.outcome for failure in found.failures}


def test_nothing_is_left_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Hypothesis nor a run leaves a file where it was started."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    _fuzz(_command(MINIMAL), 3, tmp_path / "failures")
    assert [] == list(here.iterdir())
