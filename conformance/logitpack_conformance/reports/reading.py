"""Reports of others, taken with care: whole, valid against their schema, and of bounded size.

Strategy: whatever is wrong with a report is one line that names its folder; what it says is only believed once all of
it is known to have the right form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from logitpack_conformance.keeping import ReportFault, kept
from logitpack_conformance.model import Container, Kind, Role, Written
from logitpack_conformance.oracle import schema
from logitpack_conformance.reports import results
from logitpack_conformance.text import bounded

NAME = "results.json"
MOST_WRITTEN = 10_000
"""Files of a report that are taken."""
LONGEST = 200


@dataclass(frozen=True)
class Report:
    """The report of one run, in `folder`. `document` is its results.json."""

    folder: Path
    document: dict[str, Any]

    @property
    def name(self) -> str:
        """What the implementation calls itself."""
        return str(self.document["implementation"]["name"])

    @property
    def version(self) -> str:
        """The implementation's version."""
        return str(self.document["implementation"]["version"])

    @property
    def label(self) -> str:
        """Name and version, printable."""
        return f"{bounded(self.name, 100)} {bounded(self.version, 50)}"

    @property
    def writes(self) -> Iterator[dict[str, Any]]:
        """The results of a writer over rows that can be written."""
        results = (one for one in self.document["results"] if one["role"] == Role.WRITER and one["container"])
        return (one for one in results if one["kind"] == Kind.WRITE)

    @cached_property
    def written(self) -> dict[tuple[str, Container], Written]:
        """The files that were kept, by case and container."""
        return {
            (one["case"], Container(one["container"])): Written(one["written"]["sha256"], one["written"]["size"])
            for one in self.writes
            if "written" in one
        }

    def file(self, case: str, container: Container) -> bytes:
        """Return a file that was kept. Raises ReportFault."""
        return kept(self.folder, case, container, self.written[case, container])


def read_report(folder: Path) -> Report:
    """Read the report in a folder. Raises ReportFault."""
    try:
        document = results.load(folder / NAME)
    except OSError as error:
        raise ReportFault(f"{folder}: no report: {NAME}: {error.strerror}") from error
    except results.Truncated as error:
        raise ReportFault(f"{folder}: {error}") from error
    fault = next(_validator().iter_errors(document), None)
    if fault is not None:
        raise ReportFault(f"{folder}: {NAME}: {bounded(fault.json_path, LONGEST)}: {bounded(fault.message, LONGEST)}")
    report = Report(folder, document)
    for (case, container), number in Counter((one["case"], one["container"]) for one in report.writes).items():
        if number > 1:
            raise ReportFault(f"{folder}: {NAME}: writer:{bounded(case, LONGEST)}@{container} stands twice")
    if len(report.written) > MOST_WRITTEN:
        raise ReportFault(f"{folder}: {NAME}: more than {MOST_WRITTEN} files that were kept")
    return report


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema.load("results.schema.json"))
