"""An honest extractor in pure Python, and dense logits for it: what the tests of the judge bend."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from logitpack_conformance import dense
from logitpack_conformance.judge import extractor
from logitpack_conformance.model import Case, Kind, Material, Response, Role, Verdict

MASK = [0, 0, 1, 1, 1, 0, 0, 1, 1]
NUCLEUS = {"top_p": 0.9, "max_entries": 20, "rule": "covering", "order": "descending"}
TAIL = {"num_sampled": 4, "method": "uniform"}
Token = dict[str, Any]


def request(mask: Sequence[int] = MASK, **members: Any) -> dict[str, Any]:
    """Return a request to extract; members replace those of its nucleus or tail."""
    nucleus = {name: members.get(name, value) for name, value in NUCLEUS.items()}
    tail = {name: members.get(name, value) for name, value in TAIL.items()}
    return {"mask": list(mask), "nucleus": nucleus, "tail": tail, "seed": 7}


def model(positions: int = len(MASK), width: int = 160, seed: int = 3) -> dense.Dense:
    """Return logits with a few likely entries at each position, whose tail falls with the index."""
    draw = Random(seed)  # noqa: S311
    rows = [[draw.gauss(4 - index / 16, 0.5) for index in range(width)] for _ in range(positions)]
    for row in rows:
        for index in draw.sample(range(width), 8):
            row[index] += 6 + draw.expovariate(0.5)
    return dense.of_rows(rows)


def extract(logits: dense.Dense, asked: dict[str, Any]) -> list[Token]:
    """Return the tokens of the row as logical JSON has them, in accordance with SPEC.md."""
    draw = Random(asked["seed"])  # noqa: S311
    positions = [position - 1 for position, selected in enumerate(asked["mask"]) if selected]
    return [extract_token(logits.row(position), asked, draw) for position in positions]


def extract_token(row: list[float], asked: dict[str, Any], draw: Random) -> Token:
    """Return the token that is predicted by logits."""
    nucleus, tail = asked["nucleus"], asked["tail"]
    peak = max(row)
    whole = peak + math.log(math.fsum(math.exp(x - peak) for x in row))
    order = sorted((i for i, x in enumerate(row) if x > -math.inf), key=lambda i: -row[i])
    mass, count = 0.0, 0
    while count < min(nucleus["max_entries"], len(order)):
        following = mass + math.exp(row[order[count]] - whole)
        if count and (mass >= nucleus["top_p"] if nucleus["rule"] == "covering" else following > nucleus["top_p"]):
            break
        mass, count = following, count + 1
    sampled = draw.sample(sorted(order[count:]), tail["num_sampled"])
    return {"logsumexp": whole, "top": entries(row, order[:count]), "sampled": entries(row, sampled)}


def entries(row: list[float], indices: list[int]) -> dict[str, Any]:
    """Return entries as logical JSON has them."""
    return {"indices": indices, "logits": [row[index] for index in indices]}


def judge(logits: dense.Dense, asked: dict[str, Any], written: bytes | list[Token], folder: Path) -> Verdict:
    """Return the verdict on what an extractor wrote: bytes, or the tokens of one row."""
    data = written if isinstance(written, bytes) else json.dumps({"tokens": written}).encode() + b"\n"
    (folder / "rows.ndjson").write_bytes(data)
    return respond(logits, asked, Response("accepted", output=folder / "rows.ndjson"), folder)


def respond(
    logits: dense.Dense, asked: dict[str, Any], response: Response, folder: Path, kind: Kind = Kind.EXTRACT
) -> Verdict:
    """Return the verdict on a response; the case is evidence for QNT-9."""
    (folder / "logits.npy").write_bytes(dense.encode(logits))
    material = Material("dense", "logits.npy", {})
    case = Case("a/b", kind, (Role.EXTRACTOR,), "An example.", {"dense": material}, ("QNT-9",))
    return extractor.judge(case, Role.EXTRACTOR, None, folder, asked, response)
