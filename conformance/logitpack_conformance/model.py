"""The terms of the suite: cases, requests, responses, verdicts and results.

Strategy: plain frozen data without behaviour. Cases come from the manifest, responses from an adapter; a judge makes a
verdict of the two, a run is a list of results, and scores and reports are functions of that list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

PROTOCOL = 1
SPEC = "1.0"


class Role(StrEnum):
    """What an implementation does, and so which requests it is sent."""

    READER = "reader"
    WRITER = "writer"
    CHECKER = "checker"
    EXTRACTOR = "extractor"


COMMANDS = {Role.READER: "read", Role.WRITER: "write", Role.CHECKER: "check", Role.EXTRACTOR: "extract"}
"""The request that each role is sent."""


class Container(StrEnum):
    """The containers of SPEC.md sections 4.1 and 4.3."""

    PARQUET = "parquet"
    ARROW_FILE = "arrow-file"
    ARROW_STREAM = "arrow-stream"
    JSON = "json"


EXTENSIONS = {
    Container.PARQUET: ".parquet",
    Container.ARROW_FILE: ".arrow",
    Container.ARROW_STREAM: ".arrows",
    Container.JSON: ".ndjson",
}


class Kind(StrEnum):
    """What a case asks for.

    accept: a valid file. reject: a file that every reader rejects. either: a file that a reader may accept or reject,
    and a checker reports. write, refuse: logical rows that a writer writes or refuses. extract: dense logits; refuse
    also stands for dense logits that an extractor refuses.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    EITHER = "either"
    WRITE = "write"
    REFUSE = "refuse"
    EXTRACT = "extract"


FEATURES = {
    "zstd": "Parquet pages compressed with zstd",
    "snappy": "Parquet pages compressed with snappy",
    "gzip": "Parquet pages compressed with gzip",
    "lz4": "Parquet pages compressed with LZ4_RAW",
    "brotli": "Parquet pages compressed with brotli",
    "arrow_zstd": "Arrow buffers compressed with zstd",
    "arrow_lz4": "Arrow buffers compressed with LZ4 frames",
    "byte_stream_split": "the Parquet encoding BYTE_STREAM_SPLIT",
    "dictionary": "dictionary-encoded Parquet pages",
    "delta": "the Parquet encodings DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY",
    "data_page_v2": "Parquet data pages of version 2",
    "legacy_lists": "Parquet lists of two levels or of one, or of three with other names",
    "wide_integers": "integers wider than the canonical type, or signed",
    "float16": "binary16 in place of binary32 or binary64",
    "float64": "binary64 in place of binary32",
    "large_list": "Arrow large_list",
    "fixed_size_list": "Arrow fixed_size_list",
    "list_view": "Arrow list_view and large_list_view",
    "large_binary": "Arrow large_binary",
    "binary_view": "Arrow binary_view",
    "legacy_stream": "Arrow IPC streams without continuation indicators",
    "nested_columns": "other columns of nested types, of dictionaries or views",
    "run_end_encoded": "other columns that are run-end encoded",
    "dataset": "a folder of files, handed over as one input",
    "token_ids": "the optional column token_ids, and token_id in logical JSON",
    "sidecar": "a logitpack.json beside the file",
}
"""Features that an adapter may lack; a case names those it needs beyond the plainest files."""


@dataclass(frozen=True)
class Material:
    """The files of a case for one container: `digests` by name, below `folder`; `input` is what a request names.

    `input` is the name of a file, or "." for the folder itself (a dataset).
    """

    folder: str
    input: str
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One case of the manifest.

    `requirements` are those it is evidence for. `findings` is exactly what a checker has to report. `twin` is the case
    that shows the other side: of a fault, the file without it. `materials` are by container; those of a writer or an
    extractor stand under "logical" and "dense". `containers` are those that a writer is asked for. `metadata` goes with
    a request to write or check, `request` holds the other members of a request to extract.
    """

    id: str
    kind: Kind
    roles: tuple[Role, ...]
    why: str
    materials: Mapping[str, Material]
    requirements: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    twin: str | None = None
    fault: Mapping[str, Any] | None = None
    flags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    metadata: Mapping[str, Any] | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    content_digest: str = ""
    since: str = SPEC


ANSWERS = ("accepted", "rejected", "unsupported", "error")
"""The outcomes that an adapter can answer with."""
FAILURES = ("crash", "timeout", "memory", "protocol_error", "nondeterministic")
"""The outcomes that the runner adds."""


@dataclass(frozen=True)
class Response:
    """What came back for a request: an outcome, and the members of the message.

    Where the outcome is one of FAILURES, `message` says what happened. `output` is the file or folder that the request
    named for output; None for a check.
    """

    outcome: str
    message: str = ""
    requirement: str | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    feature: str | None = None
    output: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """What a judge makes of a response.

    `broken` are the requirements that the implementation is found to break, the most telling first; empty where it
    passed. `message` says in one line what was expected and what came. `advice` are requirements of level SHOULD that
    what was written does not meet.
    """

    passed: bool
    message: str = ""
    broken: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A file that a writer wrote for a case, by its bytes: their SHA-256 in hexadecimal, and how many there are."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Result:
    """One case in one role and container, and what became of it.

    `status` is "passed", "failed", "unsupported" (the adapter lacks a feature, and had not declared it), "skipped" (not
    sent: a container that was not declared) or "not-run" (the run ended before it); of the last three `message` is the
    reason. `outcome` is that of the response, "" where nothing was sent. `request` is the message that was sent, its
    paths without the folder of the call. `options` are those of a command line that finds the case, where it is none of
    the fixtures that were run. `written` is what a writer wrote, where that is kept.
    """

    case: Case
    role: Role
    container: Container | None
    status: str
    outcome: str = ""
    message: str = ""
    broken: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    seconds: float = 0.0
    request: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    written: Written | None = None

    @property
    def name(self) -> str:
        """`ROLE:CASE@CONTAINER`, unique in a run."""
        return f"{self.role}:{self.case.id}" + (f"@{self.container}" if self.container else "")


@dataclass(frozen=True)
class Implementation:
    """What an adapter said of itself in `hello`."""

    name: str
    version: str
    roles: tuple[Role, ...]
    containers: tuple[Container, ...]
    features: tuple[str, ...] = ()
    language: str = ""
    homepage: str = ""
    issues: str = ""
    spec: tuple[str, ...] = (SPEC,)


@dataclass(frozen=True)
class Exchanged:
    """A file of another implementation, which has this name and version, and what was made of it.

    `result` is that of a case made of this file alone: the oracle's reading of it is what was expected.
    """

    writer: str
    version: str
    sha256: str
    result: Result


@dataclass(frozen=True)
class Run:
    """All results of one run, in the order of the cases.

    `complete` says that every case of the roles and containers that the implementation declared was sent. `selected`
    describes a choice of cases or roles by the user, "" where all were run. `options` are those that a command line
    needs beside the command so that a case is run as it was. `notes` say what was seen of the adapter beside its
    responses, in text of its own too. `exchanged` are files of others, of which nothing enters a score.
    """

    implementation: Implementation
    command: tuple[str, ...]
    results: tuple[Result, ...]
    complete: bool = True
    selected: str = ""
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exchanged: tuple[Exchanged, ...] = ()
