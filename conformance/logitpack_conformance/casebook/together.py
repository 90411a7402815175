"""Many requirements broken at once, each by itself: all of them are reported (CHK-1).

Strategy: a checker that stops at the first finding of some kind, or lets one of them hide others, passes wherever a
file has one fault. Here rows, columns, metadata and files are at fault together, and none follows from another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.rows import Row, copied
from logitpack_conformance.stored import Form

from .bases import sound, stored
from .draft import ARROW, Content, Draft, Folder, Stored, accept, broken
from .masses import cut
from .sizes import grown
from .spots import Change
from .spread import altered, metadata_of

AT = "checking/together"
CAP = 4
STRIDE = 3
COUNTS = (2, 3, 4)
"""The nucleus sizes of each row's tokens, the last of them the cap."""
CLAIMS = (
    "IDX-4/padding", "IDX-5/nucleus-beyond-vocabulary", "IDX-5/tail-beyond-vocabulary", "QNT-4/code-in-empty-range",
    "NUC-2/nucleus-index-twice", "NUC-3/tail-above-nucleus", "NUC-4", "NUC-5", "NUC-7/not-descending", "NUC-8",
    "TAIL-1/tail-index-twice", "TAIL-2/tail-in-nucleus", "LSE-2/logsumexp-too-small", "LSE-3/logsumexp-too-large",
    "ALN-4/negative", "QNT-5/loose-range",
)  # fmt: skip
STRUCTURE = (
    "COL-3/null-element", "ROW-1/zero", "ROW-2/logsumexp-short", "ROW-3/count-off-by-one", "ROW-4/remainder",
    "NUC-1/count-of-zero", "IDX-1/top-65536", "IDX-3/sampled-indices-high-long", "QNT-1/top-max-nan",
    "QNT-8/sampled-negative", "LSE-1/nan",
)  # fmt: skip
WIDE = ("top_indices_low", "sampled_logits_quantized")
ROWS = len(CLAIMS) + len(STRUCTURE) + 1


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    types = {name: pa.list_(pa.int32()) for name in WIDE}
    options: dict[str, Any] = {"counts": [COUNTS] * ROWS, "stride": STRIDE, "vocab": 70_000, "token_ids": True}
    options |= {"form": Form(group=5, types=types), "containers": ARROW, "findings": ("COL-5",)}
    features = ("token_ids", "wide_integers")
    twin = sound(f"{AT}/sound", "Many rows, five to a row group.", features=features, **options)
    nucleus = {**metadata_of(stored(twin))["nucleus"], "max_entries": CAP}
    twin = altered(twin, declared={"nucleus": nucleus})
    yield twin
    first = "Each row but the last breaks another requirement"
    yield _several(twin, "claims", f"{first} on what rows claim.", CLAIMS, _at_fault(twin, CLAIMS))
    yield _several(twin, "structure", f"{first} on structure.", STRUCTURE, _at_fault(twin, STRUCTURE))
    both = [fault for pair in zip(CLAIMS, STRUCTURE, strict=False) for fault in pair]
    yield _several(twin, "both", f"{first}, of structure and of claims in turn.", both, _at_fault(twin, both))
    yield from _with_metadata(twin)
    yield from _in_files(twin)


def _several(twin: Draft, name: str, why: str, faults: Sequence[str], content: Content, *more: str) -> Draft:
    names = sorted({*more, *(fault.partition("/")[0] for fault in faults)} - set(twin.findings))
    members = {"kind": Kind.REJECT, "findings": (*twin.findings, *names), "requirements": ("CHK-1",)}
    return broken(twin, f"{AT}/{name}", why, f"{names[0]}/{name}", content, roles=(Role.CHECKER,), **members)


def _spots(row: int) -> Mapping[str, Change]:
    return {"NUC-4": cut((row, 1)), "NUC-5": grown((row, 1)), "NUC-8": grown((row, 2))}


def _at_fault(twin: Draft, faults: Sequence[str]) -> Stored:
    content = stored(twin)
    rows: list[Row] = copied(content.rows)
    for number, fault in enumerate(faults):
        if fault in FAULTS:
            FAULTS[fault].apply(rows[number : number + 1], dict(metadata_of(content)))
        else:
            _spots(number)[fault](rows)
    return replace(content, rows=rows)


def _with_metadata(twin: Draft) -> Iterator[Draft]:
    """Yield metadata that are wrong, or in force nowhere else, beside rows that are broken whatever they say."""
    rows = _at_fault(twin, ("NUC-2/nucleus-index-twice", "TAIL-1/tail-index-twice", "IDX-3/sampled-indices-high-long"))
    found = ("NUC-2", "TAIL-1", "IDX-3")
    wrong = {**metadata_of(rows), "alignment": "shifted"}
    why = "Metadata that are not valid, and rows that are broken by themselves."
    yield _several(twin, "metadata", why, (*found, "META-1"), replace(rows, metadata=wrong))
    long = {**metadata_of(rows), "note": "x" * 1_050_000}
    why = "Metadata that are too long, and rows that are broken by themselves."
    content = replace(rows, metadata=long, containers=(Container.PARQUET,))
    yield _several(twin, "long-metadata", why, (*found, "META-7"), content)
    follows = {**metadata_of(rows), "alignment": "follows", "tail": {"num_sampled": STRIDE + 1, "method": "uniform"}}
    form = replace(rows.form, parquet={"write_page_checksum": False})
    content = replace(rows, metadata=follows, form=form, containers=(Container.PARQUET,))
    why = "No checksums, wide types, entries that follow their tokens, another S declared, and rows that are broken."
    yield _several(twin, "warnings", why, (*found, "FILE-4", "ALN-6", "TAIL-4"), content)


def _in_files(twin: Draft) -> Iterator[Draft]:
    """Yield a dataset whose second file differs from the first, and is broken besides."""
    content = stored(twin)
    first = replace(content, rows=content.rows[-1:])
    files = {"data/part-0": first, "data/part-1": content}
    members = {"findings": twin.findings, "features": ("dataset", *twin.features)}
    both = accept(f"{AT}/files", "Two files of one dataset.", Folder(dict(files)), **members)
    yield both
    faults = ("NUC-2/nucleus-index-twice", "LSE-1/nan", "IDX-3/sampled-indices-high-long")
    second = _at_fault(twin, faults)
    other = replace(second, metadata={**metadata_of(second), "model": {"id": "example/other"}})
    why = "The second file is of another model, and its rows are broken."
    one = (Container.PARQUET,)
    yield _several(both, "other-model", why, (*faults, "FILE-2"), Folder(files | {"data/part-1": other}, one))
    foreign = replace(first, metadata={**metadata_of(first), "spec_version": "2.0"})
    why = "The first file is of major version 2, the rows of the second are broken."
    changed = Folder(files | {"data/part-0": foreign, "data/part-1": second}, one)
    yield _several(both, "foreign-first", why, (*faults, "META-2"), changed)
