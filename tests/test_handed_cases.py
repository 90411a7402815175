"""The cases for writers and extractors: the reference writes, refuses and extracts what they ask, and is judged so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extracting import extract
from logitpack_conformance.adapters.reference import Reference, handlers
from logitpack_conformance.adapters.serve import Message, Rejected
from logitpack_conformance.casebook import Draft, all_drafts
from logitpack_conformance.casebook.build import build
from logitpack_conformance.dense import Dense
from logitpack_conformance.judge import judge
from logitpack_conformance.model import EXTENSIONS, Container, Kind, Response, Role, Verdict

HANDLERS = handlers(Reference())
WRITERS = [draft for draft in all_drafts() if Role.WRITER in draft.roles]
EXTRACTORS = [draft for draft in all_drafts() if Role.EXTRACTOR in draft.roles]
TURNS = {draft.id: number for number, draft in enumerate(WRITERS)}


def names(drafts: list[Draft]) -> list[str]:
    """Give the ids of drafts."""
    return [draft.id for draft in drafts]


def answered(command: str, request: Message, output: Path) -> Response:
    """Have the reference answer a request."""
    try:
        HANDLERS[command](request)
    except Rejected as rejection:
        return Response("rejected", str(rejection), rejection.requirement, output=output)
    return Response("accepted", output=output)


def verdict(draft: Draft, container: Container | None, response: Response, request: Message, folder: Path) -> Verdict:
    """Judge a response; the golden files stand in the folder."""
    case, _ = build(draft)
    return judge(case, draft.roles[0], container, folder, request, response)


def laid_out(draft: Draft, folder: Path) -> Path:
    """Write the file of a draft, and return its path."""
    _, built = build(draft)
    ((name, data),) = next(iter(built.values())).items()
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("draft", WRITERS, ids=names(WRITERS))
def test_reference_writes_or_refuses(draft: Draft, tmp_path: Path) -> None:
    """Each case for writers is passed, in one of its containers, and refused by a requirement that it declares."""
    container = draft.containers[TURNS[draft.id] % len(draft.containers)]
    given = laid_out(draft, tmp_path)
    (tmp_path / "call").mkdir()
    output = tmp_path / "call" / f"out{EXTENSIONS[container]}"
    metadata = None if container is Container.JSON else draft.metadata
    request = {"container": container, "input": str(given), "output": str(output), "metadata": metadata}
    response = answered("write", request, output)
    found = verdict(draft, container, response, request, tmp_path)
    assert (True, "") == (found.passed, found.message)
    assert (draft.kind is Kind.REFUSE) == (response.requirement in draft.requirements)


@pytest.mark.parametrize("draft", EXTRACTORS, ids=names(EXTRACTORS))
def test_reference_extracts_or_refuses(draft: Draft, tmp_path: Path) -> None:
    """Each case for extractors is passed, and refused by the requirement that it declares."""
    output = tmp_path / "rows.ndjson"
    request = {"logits": str(laid_out(draft, tmp_path)), "output": str(output), **draft.request}
    response = answered("extract", request, output)
    found = verdict(draft, None, response, request, tmp_path)
    assert (True, "") == (found.passed, found.message)
    assert (draft.kind is Kind.REFUSE) == (response.requirement in draft.requirements)


@pytest.mark.parametrize(
    "draft",
    [draft for draft in EXTRACTORS if draft.kind is Kind.EXTRACT and draft.id != "extract/wide/padded"],
    ids=lambda draft: draft.id,
)
def test_plain_extractor_passes(draft: Draft, tmp_path: Path) -> None:
    """An extractor in pure Python, which shares nothing with the reference, passes as well."""
    assert isinstance(draft.content, Dense)
    laid_out(draft, tmp_path)
    (tmp_path / "rows.ndjson").write_text(json.dumps({"tokens": extract(draft.content, dict(draft.request))}) + "\n")
    response = Response("accepted", output=tmp_path / "rows.ndjson")
    found = verdict(draft, None, response, draft.request, tmp_path)
    assert (True, "") == (found.passed, found.message)
