"""What is made of a response: for each role a judge, with the same terms.

Strategy: an answer is judged by the case and its golden file, in exact numbers, and by nothing that an implementation
says of itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from logitpack_conformance.model import Case, Container, Response, Role, Verdict

from . import checker, extractor, reader, writer


def judge(
    case: Case,
    role: Role,
    container: Container | None,
    folder: Path,
    request: Mapping[str, Any],
    response: Response,
    *,
    features: Collection[str] = (),
) -> Verdict:
    """Judge one response.

    `folder` is that of the case's material for the container ("logical" for a writer, "dense" for an extractor), in the
    fixtures: golden files that no adapter has seen. `request` is what was sent, `features` are those that the adapter
    declared. An outcome "unsupported" is a failure here: whether a feature was rightly named is the runner's affair.

    Raises `manifest.SuiteFault` where a golden file cannot be read.
    """
    if role is Role.READER:
        return reader.judge(case, role, container, folder, request, response, features=features)
    judges = {Role.WRITER: writer.judge, Role.CHECKER: checker.judge, Role.EXTRACTOR: extractor.judge}
    return judges[role](case, role, container, folder, request, response)
