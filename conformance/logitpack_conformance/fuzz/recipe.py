"""What a generated example is made of, and what it is made into: a draft of a case, as the casebook has them.

Strategy: an example is kept as a recipe (logical rows, metadata, one fault, a layout), never as bytes, so that one that
fails can be changed and made again. What has to become of it is not the recipe's to say: the oracle judges the bytes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import pyarrow as pa

from logitpack_conformance.casebook.build import file_bytes
from logitpack_conformance.casebook.draft import Draft, Logical, Stored
from logitpack_conformance.clauses import requirements
from logitpack_conformance.dense import of_rows
from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import EXTENSIONS, Container, Kind, Role
from logitpack_conformance.oracle.dataset import judge_files
from logitpack_conformance.oracle.finding import WARNINGS
from logitpack_conformance.oracle.finding import requirements as ids
from logitpack_conformance.oracle.load import load
from logitpack_conformance.rows import Metadata, Row
from logitpack_conformance.strategies.dense import Logits, why_refused
from logitpack_conformance.strategies.refusals import with_refusal
from logitpack_conformance.strategies.stored import Dataset, broken, damaged, flip_zeros, stored

from . import plainer, smaller
from .layout import PLAIN, Layout

Size = tuple[float, ...]


class Recipe(ABC):
    """One example. `fault` names what is wrong with it, "" where nothing is."""

    fault: str

    @abstractmethod
    def draft(self, name: str) -> Draft:
        """Return the case, of which the twin is not yet said. Raises ValueError where it cannot be made."""

    @abstractmethod
    def simpler(self) -> Iterator[Self]:
        """Yield recipes with one thing less, large steps first."""

    @abstractmethod
    def size(self) -> Size:
        """Return what is to become small, the most important first."""

    @abstractmethod
    def sound(self) -> Self:
        """Return the recipe without its fault."""

    @abstractmethod
    def hold(self) -> None:
        """Raise ValueError where a changed recipe no longer asks for what it seems to ask for, and no draft says so."""


@dataclass(frozen=True)
class FileRecipe(Recipe):
    """A file for a reader or a checker. Where `given`, the metadata go with the request to check, not into the file."""

    container: Container
    rows: list[Row]
    metadata: Metadata | None = None
    fault: str = ""
    layout: Layout = PLAIN
    flipped: bool = False
    given: bool = False

    def draft(self, name: str) -> Draft:
        """Return the case; the oracle says what is found in the file."""
        dataset = Dataset(stored(self.rows), self.metadata)
        if self.flipped:
            flip_zeros(dataset.rows)
        if self.fault:
            dataset = damaged(dataset, self.fault)
        is_given = self.given or self.container is Container.JSON
        embedded = None if is_given and self.container is not Container.JSON else dataset.metadata
        content, layout, data = self._content(dataset.rows, embedded)
        given = dataset.metadata if is_given else None
        file = load(data, "in" + EXTENSIONS[self.container])
        found = ids(judge_files([file], None if given is None else json.dumps(given).encode()))
        own = FAULTS[self.fault].requirement if self.fault else ""
        return Draft(
            name,
            _kind(found),
            f"Generated rows with one fault: {self.fault}." if self.fault else "Generated rows that are valid.",
            content,
            requirements=(own,) if own in found else (),
            findings=tuple(sorted(found)),
            features=(*layout.features, *_token_ids(self.rows)),
            metadata=given,
        )

    def _content(self, rows: list[Row], metadata: Metadata | None) -> tuple[Stored, Layout, bytes]:
        """Return the rows as the layout has them; a type that cannot hold a faulty value is left out of it."""
        for layout in (self.layout, replace(self.layout, retyped=None)):
            content = Stored(rows, metadata, layout.form(rows, self.container), (self.container,))
            try:
                return content, layout, file_bytes(content, self.container)
            except (pa.ArrowException, OverflowError):
                continue
        raise ValueError("no file can be made of the rows")

    def simpler(self) -> Iterator[Self]:
        """Yield plainer files, then smaller rows."""
        for layout in self.layout.plainer():
            yield replace(self, layout=layout)
        if self.flipped:
            yield replace(self, flipped=False)
        if self.given:
            yield replace(self, given=False)
        for metadata in plainer.metadata(self.metadata):
            yield replace(self, metadata=metadata)
        for rows in smaller.rows(self.rows):
            yield replace(self, rows=rows)

    def size(self) -> Size:
        """Return the size of the rows, and how much else is not plain."""
        odd = len(list(self.layout.plainer())) + self.flipped + self.given
        return (*smaller.count(self.rows), odd, _length(self.metadata), *smaller.weight(self.rows))

    def sound(self) -> Self:
        """Return the recipe without its fault."""
        return replace(self, fault="")

    def hold(self) -> None:
        """Do nothing: the draft's findings say it."""


def _kind(found: set[str]) -> Kind:
    """Return what readers do with a file with these findings."""
    if any(requirements()[name].kind == "S" or name == "META-2" for name in found):
        return Kind.REJECT
    return Kind.EITHER if found - WARNINGS else Kind.ACCEPT


def _token_ids(rows: list[Row]) -> tuple[str, ...]:
    return ("token_ids",) if any("token_id" in token for row in rows for token in row["tokens"]) else ()


def _length(metadata: Metadata | None) -> int:
    return 0 if metadata is None else len(json.dumps(metadata))


@dataclass(frozen=True)
class RowsRecipe(Recipe):
    """Logical rows for a writer."""

    container: Container
    rows: list[Row]
    metadata: Metadata | None = None
    fault: str = ""

    def draft(self, name: str) -> Draft:
        """Return the case: rows to write, or with a fault to refuse."""
        dataset: Dataset | None = Dataset(self.rows, self.metadata)
        if self.fault:
            dataset = with_refusal(Dataset(self.rows, self.metadata), self.fault)
        if dataset is None:
            raise ValueError("the rows leave no room for the fault")
        return Draft(
            name,
            Kind.REFUSE if self.fault else Kind.WRITE,
            f"Generated rows with one fault: {self.fault}." if self.fault else "Generated rows that can be written.",
            Logical(dataset.rows),
            roles=(Role.WRITER,),
            requirements=(self.fault.split("/", maxsplit=1)[0],) if self.fault else (),
            features=_token_ids(self.rows),
            containers=(self.container,),
            metadata=dataset.metadata,
        )

    def simpler(self) -> Iterator[Self]:
        """Yield plainer metadata, then smaller rows."""
        for metadata in plainer.metadata(self.metadata):
            yield replace(self, metadata=metadata)
        for rows in smaller.rows(self.rows):
            yield replace(self, rows=rows)

    def size(self) -> Size:
        """Return the size of the rows."""
        return (*smaller.count(self.rows), _length(self.metadata), *smaller.weight(self.rows))

    def sound(self) -> Self:
        """Return the recipe without its fault."""
        return replace(self, fault="")

    def hold(self) -> None:
        """Raise ValueError where no valid file can be made of the rows without their fault."""
        found = broken(stored(self.rows), self.metadata) - WARNINGS
        if found:
            raise ValueError(f"the rows break {found}")


@dataclass(frozen=True)
class DenseRecipe(Recipe):
    """Dense logits for an extractor, and the other members of the request. The fault is in the logits or the mask."""

    logits: Logits
    request: dict[str, Any]
    fault: str = ""

    def draft(self, name: str) -> Draft:
        """Return the case: logits to extract from, or to refuse."""
        requirement = why_refused(self.logits, self.request)
        return Draft(
            name,
            Kind.REFUSE if requirement else Kind.EXTRACT,
            f"Generated logits with one fault: {self.fault}." if requirement else "Generated logits.",
            of_rows(self.logits),
            roles=(Role.EXTRACTOR,),
            requirements=(requirement,) if requirement else (),
            request=self.request,
        )

    def simpler(self) -> Iterator[Self]:
        """Yield fewer positions, a smaller vocabulary, plainer parameters, plainer logits."""
        for logits, request in plainer.extraction(self.logits, self.request):
            yield replace(self, logits=logits, request=request)

    def size(self) -> Size:
        """Return how many logits there are, how many tokens, and how plain numbers and parameters are."""
        values = [x for row in self.logits for x in row]
        nucleus, tail = self.request["nucleus"], self.request["tail"]
        odd = (
            (nucleus["rule"] != "covering") + (nucleus["order"] != "unspecified") + (nucleus["top_p"] not in {0.5, 1.0})
        )
        return (
            len(values),
            sum(self.request["mask"]),
            nucleus["max_entries"] + tail["num_sampled"],
            odd,
            sum(map(smaller.cost, values)),
            nucleus["top_p"] != 1.0,
            self.request["seed"],
        )

    def sound(self) -> Self:
        """Return the recipe: of logits, the fault is no part that can be taken out."""
        return self

    def hold(self) -> None:
        """Do nothing: the draft's kind says it."""
