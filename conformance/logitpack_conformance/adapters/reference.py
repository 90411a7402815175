"""The reference implementation as an adapter, in all four roles and all containers.

    python -m logitpack_conformance.adapters.reference

Strategy: `Reference` turns the calls of the protocol into calls of `logitpack` and returns plain values; reading
requests and writing output stand apart from it. It looks functions up where they are used, so that a mutant can put
another in the place of one, or override one method.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import logitpack
from logitpack import jsonforms, logical_json
from logitpack_conformance.adapters.serve import Handler, Message, Rejected, serve
from logitpack_conformance.model import FEATURES, Container

Row = dict[str, Any]

HELLO = {
    "name": "logitpack",
    "version": version("logitpack"),
    "containers": [str(container) for container in Container],
    "features": sorted(FEATURES),
}


class Reference:
    """What each role does, from paths and plain values to plain values. Raises LogitPackError where it refuses."""

    def read(self, path: str) -> list[Row]:
        """Return the rows of a file or folder in logical JSON, logits decoded in binary64."""
        batches = logitpack.read(path, dtype=np.float64)
        return [row for batch in batches for row in logical_json.logical_rows(batch)]

    def write(self, rows: Iterable[Mapping[str, Any]], path: str, container: str, metadata: Message | None) -> None:
        """Write logical rows to a file, all of them or none."""
        logitpack.write(path, logical_json.batch_from_logical(rows), metadata, container=container)

    def check(self, path: str, metadata: Message | None) -> list[logitpack.Finding]:
        """Return the findings on a file or folder; `metadata` are for files that have none."""
        given = None if metadata is None else logitpack.Metadata.from_dict(metadata)
        return [finding for file in logitpack.check(path, metadata=given).files for finding in file.findings]

    def extract(
        self, logits: np.ndarray[Any, Any], mask: Sequence[int], nucleus: Message, tail: Message, seed: int
    ) -> list[Row]:
        """Return the one row of dense float32 logits [sequence, vocab_size] in logical JSON."""
        if len(mask) != len(logits):
            raise logitpack.UsageError(f"the mask has {len(mask)} elements for {len(logits)} positions")
        if tail["method"] != "uniform":
            raise ValueError(f"no tail is drawn by the method {tail['method']!r}")
        batch = logitpack.select(
            logits[logitpack.assistant_positions(mask)],
            top_p=nucleus["top_p"],
            max_entries=nucleus["max_entries"],
            rule=nucleus["rule"],
            num_sampled=tail["num_sampled"],
            rng=np.random.default_rng(seed),
        )
        return list(logical_json.logical_rows(batch))


def handlers(implementation: Reference) -> dict[str, Handler]:
    """Return what answers each command: files in, calls of `implementation`, files out."""

    def read(request: Message) -> None:
        try:
            rows = implementation.read(request["input"])
        except logitpack.DataError as error:
            raise _rejection(error) from error
        _write_rows(request["output"], rows)

    def write(request: Message) -> None:
        try:
            with Path(request["input"]).open("rb") as file:
                rows = logical_json.read_logical(file)
                implementation.write(rows, request["output"], request["container"], request["metadata"])
        except logitpack.LogitPackError as error:
            raise _rejection(error) from error

    def check(request: Message) -> Message:
        findings = implementation.check(request["input"], request["metadata"])
        is_broken = any(finding.severity == "error" for finding in findings)
        return {"outcome": "rejected" if is_broken else "accepted", "findings": [_told(one) for one in findings]}

    def extract(request: Message) -> None:
        logits = np.load(request["logits"], allow_pickle=False)
        try:
            parts = [request[name] for name in ("mask", "nucleus", "tail", "seed")]
            rows = implementation.extract(logits, *parts)
        except logitpack.UsageError as error:
            raise _rejection(error) from error
        _write_rows(request["output"], rows)

    return {"read": read, "write": write, "check": check, "extract": extract}


def run(implementation: Reference, hello: Message = HELLO) -> int:
    """Serve requests until the input ends; return the exit status."""
    settle()
    return serve(handlers(implementation), hello)


def settle() -> None:
    """Make this process one that answers many small requests."""
    pa.set_cpu_count(1)  # files are small: handing them to other threads takes longer than reading them
    pa.set_io_thread_count(1)
    gc.freeze()  # what was imported stays, and need not be looked at again


def _rejection(error: logitpack.LogitPackError) -> Rejected:
    return Rejected(str(error), error.requirement)


def _told(finding: logitpack.Finding) -> dict[str, Any]:
    """Return a finding as the protocol has it, at its first place."""
    place = finding.places[0] if finding.places else logitpack.Place()
    known = {name: getattr(place, name) for name in ("row", "token", "entry")}
    told = {name: value for name, value in known.items() if value is not None}
    return {"requirement": finding.requirement, **told, "message": finding.message}


def _write_rows(path: str, rows: Iterable[Row]) -> None:
    text = "".join(f"{jsonforms.dumps(row)}\n" for row in rows)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(run(Reference()))
