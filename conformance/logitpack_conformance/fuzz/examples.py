"""Generated examples: for a role and a container a source of recipes, drawn by number.

Strategy: Hypothesis draws from the public strategies, one example a run of it, with a seed made of the user's, the
role, the container and the number. So an example is the same whatever else is drawn, sent or found, whatever the number
of jobs. The first example of a run is always the plainest; it is left out before anything is drawn for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import Container, Role
from logitpack_conformance.strategies import extractions, logical_datasets, refused_extractions
from logitpack_conformance.strategies.refusals import REFUSED, with_refusal
from logitpack_conformance.strategies.stored import Dataset, flip_zeros, stored, with_fault
from logitpack_conformance.strategies.values import rarely, turns

from .layout import layouts
from .recipe import DenseRecipe, FileRecipe, Recipe, RowsRecipe

TWO = settings(
    backend="hypothesis",
    database=None,
    deadline=None,
    derandomize=False,
    max_examples=2,
    phases=(Phase.generate,),
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)
FAULTY = {Role.READER: (1, 3), Role.CHECKER: (2, 3), Role.WRITER: (1, 4), Role.EXTRACTOR: (1, 5)}
"""By role: so many examples of so many have a fault."""


class Source:
    """The examples of one role and container. `features` are those that the implementation declared."""

    def __init__(self, role: Role, container: Container | None, features: Collection[str]) -> None:
        self.role = role
        self.container = container
        self._strategy = _recipes(role, container, features)
        self._found: Recipe | None = None

        @TWO
        @given(self._late())
        def test(_: None) -> None:
            """Draw, and nothing else."""

        self._test = test

    def draw(self, number: int, seeded: int) -> Recipe:
        """Return the example with a number under a seed."""
        text = f"{seeded}:{self.role}:{self.container}:{number}"
        self._found = None
        seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))(self._test)()
        if self._found is None:
            raise RuntimeError("Hypothesis drew no example")
        return self._found

    def _late(self) -> st.SearchStrategy[None]:
        @st.composite
        def late(draw: st.DrawFn) -> None:
            if draw(st.integers(0, 2**64 - 1)):  # 0 is that of the plainest example
                self._found = draw(self._strategy)

        return late()


def _recipes(role: Role, container: Container | None, features: Collection[str]) -> st.SearchStrategy[Recipe]:
    if role is Role.EXTRACTOR:
        return _dense()
    if container is None:
        raise ValueError(f"a {role} has a container")
    ids = None if "token_ids" in features else False
    if role is Role.WRITER:
        return _rows(container, token_ids=ids)
    return _files(container, features, is_reader=role is Role.READER, token_ids=ids)


@st.composite
def _files(
    draw: st.DrawFn,
    container: Container,
    features: Collection[str],
    *,
    is_reader: bool,
    token_ids: bool | None,
) -> Recipe:
    all_names = tuple(name for name in FAULTS if container is not Container.JSON or not name.startswith("META-"))
    is_faulty = draw(_faulty(Role.READER if is_reader else Role.CHECKER))
    names = draw(turns(all_names)) if is_faulty else ()
    dataset = draw(logical_datasets(token_ids=token_ids))
    if is_faulty and draw(_one_in(2)):
        dataset = _of_single_tokens(dataset)
    layout = draw(layouts(container, features))
    flipped = draw(_one_in(6))
    given = dataset.metadata is not None and not is_reader and draw(_one_in(6))
    found = FileRecipe(container, dataset.rows, dataset.metadata, "", layout, flipped=flipped, given=given)
    if not names:
        return found
    rows = stored(dataset.rows)
    if flipped:
        flip_zeros(rows)
    sound = Dataset(rows, dataset.metadata)
    fitting = (name for name in names if not (given and name.startswith("META-")))
    fault = next((name for name in fitting if with_fault(sound, name) is not None), "")
    return FileRecipe(container, dataset.rows, dataset.metadata, fault, layout, flipped=flipped, given=given)


@st.composite
def _rows(draw: st.DrawFn, container: Container, *, token_ids: bool | None) -> Recipe:
    names = draw(turns(tuple(REFUSED))) if draw(_faulty(Role.WRITER)) else ()
    dataset = draw(logical_datasets(token_ids=token_ids, described=False if container is Container.JSON else None))
    fault = next((name for name in names if with_refusal(dataset, name) is not None), "")
    return RowsRecipe(container, dataset.rows, dataset.metadata, fault)


@st.composite
def _dense(draw: st.DrawFn) -> Recipe:
    found = draw(refused_extractions() if draw(_faulty(Role.EXTRACTOR)) else extractions())
    return DenseRecipe(found.logits, found.request, found.fault)


def _of_single_tokens(dataset: Dataset) -> Dataset:
    """Leave each row its first token: faults stand at an end of a row, and there both ends are one."""
    return dataset._replace(rows=[{**row, "tokens": row["tokens"][:1]} for row in dataset.rows])


def _faulty(role: Role) -> st.SearchStrategy[bool]:
    some, many = FAULTY[role]
    return st.integers(0, many - 1).map(lambda drawn: drawn >= many - some)


def _one_in(many: int) -> st.SearchStrategy[bool]:
    return rarely(st.just(value=True), st.just(value=False), many)
