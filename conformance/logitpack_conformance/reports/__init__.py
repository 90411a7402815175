"""Reports of a run: results.json, junit.xml, summary.md, badge.json and report.html, and a table on the terminal.

Strategy: `facts` says what there is to say, the other modules each say it in one form. What an adapter sent is
printable and bounded before a form of report escapes its own markup; every file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from logitpack_conformance.model import Run
from logitpack_conformance.reports import atomic, badge, junit, markdown, page, results
from logitpack_conformance.reports.facts import Facts
from logitpack_conformance.score import Score

FORMS: Mapping[str, Callable[[Facts], bytes]] = {
    "results.json": results.encode,
    "junit.xml": junit.encode,
    "summary.md": markdown.encode,
    "badge.json": badge.encode,
    "report.html": page.encode,
}
"""The files of a report folder."""


def write_all(
    folder: Path,
    run: Run,
    scores: Sequence[Score],
    *,
    expected: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
    flags: Mapping[str, str] | None = None,
    generated: Sequence[str] = (),
    now: datetime | None = None,
) -> None:
    """Write all forms of report into a folder, which is made if it is missing. Raises OSError.

    `expected` gives the implementer's reason by the name of a result, `problems` what is wrong with their list of
    expected failures, `flags` what the flags of cases mean (the manifest has them), `generated` describes the
    generated examples that failed, of which one is enough for not conformant; `now` is the time of the report.
    """
    facts = Facts(run, scores, expected or {}, problems, flags or {}, generated, now or datetime.now(UTC))
    for name, encode in FORMS.items():
        atomic.write(folder / name, encode(facts))
