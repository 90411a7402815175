"""One requirement broken in the third of four rows, each a row group of its own, or in the second file of two.

Strategy: what is judged for each value can be judged in too few places: in the first row, in the first or the last row
group, in the first file. Here each requirement on rows is broken where none of those looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import Container, Kind
from logitpack_conformance.rows import copied
from logitpack_conformance.stored import Form

from .bases import in_turn, sound, stored
from .draft import ARROW, Draft, Folder, Stored, accept, broken
from .masses import cut
from .sizes import grown
from .spots import Change
from .spread import altered, metadata_of

AT = "checking/third"
COUNTS = ((2, 3), (3, 2), (3, 4, 2), (2,))
CAP = 4
THIRD = slice(2, 3)
WIDE = ("top_counts", "top_indices_low", "sampled_indices_low", "top_logits_quantized", "sampled_logits_quantized")
STRUCTURE = {
    "COL-3": "null-element", "ROW-1": "zero", "ROW-2": "logsumexp-short", "ROW-3": "count-off-by-one",
    "ROW-4": "remainder", "NUC-1": "count-of-zero", "IDX-3": "top-indices-high-long", "QNT-1": "sampled-max-nan",
    "LSE-1": "infinity",
}  # fmt: skip
MEANING = {
    "IDX-4": "padding", "IDX-5": "nucleus-beyond-vocabulary", "QNT-4": "code-in-empty-range", "QNT-5": "loose-range",
    "NUC-2": "nucleus-index-twice", "NUC-3": "tail-above-nucleus", "NUC-7": "not-descending",
    "TAIL-1": "tail-index-twice", "TAIL-2": "tail-in-nucleus", "LSE-2": "logsumexp-too-small",
    "LSE-3": "logsumexp-too-large", "ALN-4": "negative",
}  # fmt: skip
OF_VALUES = {
    "IDX-1-nucleus": "IDX-1/top-65536", "IDX-1-tail": "IDX-1/sampled-negative", "QNT-8-nucleus": "QNT-8/top-negative",
    "QNT-8-tail": "QNT-8/sampled-65536", "NUC-1-wide": "NUC-1/count-of-256",
}  # fmt: skip
SPOTS: Mapping[str, Change] = {"NUC-4": cut((2, 0)), "NUC-5": grown((2, 0)), "NUC-8": grown((2, 1))}
"""At the third row's token of three entries, or of four, which is the cap."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    options: dict[str, Any] = {"counts": COUNTS, "stride": 3, "vocab": 70_000, "token_ids": True}
    why = "Four rows, each a row group of its own."
    plain = sound(f"{AT}/sound", why, form=Form(group=1), features=("token_ids",), **options)
    plain = altered(plain, declared={"nucleus": {**metadata_of(stored(plain))["nucleus"], "max_entries": CAP}})
    types = {name: pa.list_(pa.int32()) for name in WIDE}
    told: dict[str, Any] = {"findings": ("COL-5",), "features": ("token_ids", "wide_integers"), "containers": ARROW}
    wide = sound(
        f"{AT}/sound-wide",
        f"{why} Integers are wider than they need.",
        form=Form(group=1, types=types),
        **told,
        **options,
    )
    faults = {name.lower(): f"{name}/{op}" for name, op in {**STRUCTURE, **MEANING}.items()}
    faults |= {name.lower(): f"{name}/third" for name in SPOTS}
    of_values = {name.lower(): fault for name, fault in OF_VALUES.items()}
    for base, found in ((plain, faults), (wide, of_values)):
        yield base
        yield from (_in_third_row(base, name, fault) for name, fault in found.items())
        files = _two_files(base)
        yield files
        yield from (_in_second_file(files, base, name, fault) for name, fault in found.items())


def _members(fault: str) -> dict[str, Any]:
    return {"kind": Kind.ACCEPT} if fault.startswith("QNT-5") else {}


def _broken(content: Stored, fault: str) -> Stored:
    """Return a file with its third row broken."""
    rows, requirement = copied(content.rows), fault.partition("/")[0]
    if requirement in SPOTS:
        SPOTS[requirement](rows)
    else:
        FAULTS[fault].apply(rows[THIRD], dict(metadata_of(content)))
    return replace(content, rows=rows)


def _in_third_row(twin: Draft, name: str, fault: str) -> Draft:
    content = _broken(stored(twin), fault)
    two = in_turn(f"{AT}/{name}", content.containers, 2)
    if Container.PARQUET not in two:
        two = (Container.PARQUET, two[0])
    why = f"The third of four rows, in a row group between others, breaks {fault.partition('/')[0]}."
    flags = ("FIRST_ONLY",)
    return broken(twin, f"{AT}/{name}", why, fault, replace(content, containers=two), flags=flags, **_members(fault))


def _two_files(base: Draft) -> Draft:
    name = base.id.replace("sound", "files")
    why = "A dataset of two files of two rows each."
    members = {"findings": base.findings, "features": ("dataset", *base.features)}
    return accept(name, why, _halves(stored(base)), **members)


def _halves(content: Stored, containers: tuple[Container, ...] = ARROW) -> Folder:
    halves = {"data/part-0": content.rows[:2], "data/part-1": content.rows[2:]}
    return Folder({name: replace(content, rows=rows) for name, rows in halves.items()}, containers)


def _in_second_file(twin: Draft, base: Draft, name: str, fault: str) -> Draft:
    key = f"{AT}/{name}-in-second-file"
    folder = _halves(_broken(stored(base), fault), in_turn(key, ARROW))
    why = f"The second file of a dataset breaks {fault.partition('/')[0]} in its first row."
    return broken(twin, key, why, fault, folder, flags=("FIRST_ONLY",), **_members(fault))
