"""Metadata beside the data, and which of several are in force (section 13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from logitpack_conformance.model import Container
from logitpack_conformance.rows import Metadata, copied, embedded, set_index

from .bases import contents, stored, variant
from .draft import ARROW, Draft, Stored, accept

NAME = "logitpack.json"
FEATURES = ("sidecar",)
AT = "meta/beside"


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _core()
    yield from _both()
    yield from _given()
    yield from _json()


def _file(key: str, *, core: bool, **options: Any) -> tuple[Stored, Metadata]:
    """Return a file, Core or described, and its metadata."""
    content = contents(key, **{"containers": ARROW, "vocab": 70_000, **options})
    facts: Metadata = json.loads(json.dumps(content.metadata))
    return replace(content, metadata=None) if core else content, facts


def _core() -> Iterator[Draft]:
    """Yield a file without metadata, and logitpack.json beside it."""
    key = f"{AT}/core"
    content, facts = _file(key, core=True)
    why = "A file without metadata beside a logitpack.json that describes it."
    twin = accept(key, why, replace(content, beside={NAME: embedded(facts)}), features=FEATURES)
    yield twin
    for name, fault, data, why, flag in (
        (
            "foreign",
            "META-2/beside",
            {**facts, "spec_version": "2.0"},
            "A logitpack.json of major version 2: it is in force.",
            "MAJOR_IGNORED",
        ),
        (
            "not-valid",
            "META-1/beside",
            {**facts, "vocab_size": 0},
            "A logitpack.json that is not valid: it counts as absent.",
            "METADATA_TRUSTED",
        ),
        (
            "other-stride",
            "TAIL-4/beside",
            with_stride(facts, 9),
            "A logitpack.json that declares another number of tail entries.",
            "STRIDE_CHANGES",
        ),
        (
            "lower-cap",
            "NUC-8/beside",
            _with_cap(facts, 1),
            "A logitpack.json that declares a lower max_entries.",
            "METADATA_TRUSTED",
        ),
    ):
        turn = len(ARROW) if name == "foreign" else 1  # which readers have to reject, in every container
        yield variant(twin, f"{key}-{name}", why, fault, beside={NAME: embedded(data)}, flags=(flag,), turn=turn)
    why = "A logitpack.json that is cut short beside a file without metadata."
    cut = embedded(facts)[:-30]
    yield variant(twin, f"{key}-cut", why, "META-1/beside-cut", beside={NAME: cut}, flags=("METADATA_TRUSTED",))
    why = "The metadata beside the file declare a vocabulary that an index lies beyond."
    rows = copied(stored(twin).rows)
    set_index(rows[-1], "sampled", 1, 70_000)
    yield variant(twin, f"{key}-index-beyond", why, "IDX-5/beside", rows=rows, flags=("BEYOND_VOCABULARY",))
    why = "Files with almost the name of the metadata beside the data: none of them counts."
    others = {"LogitPack.json": b"{}", "logitpack.json.bak": b"{}", "metadata.json": b"[]", "logitpack.jsonl": b"{}\n"}
    yield accept(
        f"{AT}/other-names", why, replace(_file(f"{AT}/other-names", core=True)[0], beside=others), features=FEATURES
    )


def with_stride(facts: Metadata, stride: int) -> Metadata:
    """Return metadata that declare another number of tail entries."""
    return {**facts, "tail": {**facts["tail"], "num_sampled": stride}}


def _with_cap(facts: Metadata, cap: int) -> Metadata:
    return {**facts, "nucleus": {**facts["nucleus"], "max_entries": cap}}


def _both() -> Iterator[Draft]:
    """Metadata in the file and beside it: the embedded ones are in force, and the two are equal (FILE-2)."""
    key = f"{AT}/both"
    content, facts = _file(key, core=False)
    why = "The same metadata in the file and beside it, the members in another order."
    text = json.dumps(facts, sort_keys=True, indent=1).encode()
    twin = accept(
        key,
        why,
        replace(content, beside={NAME: text}),
        features=FEATURES,
        requirements=("FILE-2",),
        twin=f"{key}-differ",
    )
    yield twin
    for name, data, why in (
        (
            "differ",
            {**facts, "model": {"id": "example/other"}},
            "The metadata beside the file name another model than those in it.",
        ),
        (
            "differ-in-stride",
            with_stride(facts, 9),
            "The metadata beside the file declare another S: those in the file are in force.",
        ),
        (
            "differ-in-version",
            {**facts, "spec_version": "1.1"},
            "The metadata beside the file are of a later minor version.",
        ),
        (
            "foreign-beside",
            {**facts, "spec_version": "2.0"},
            "The metadata beside the file are of major version 2: those in the file are in force.",
        ),
    ):
        yield variant(
            twin, f"{key}-{name}", why, f"FILE-2/{name}", beside={NAME: embedded(data)}, flags=("MIXED_SHARDS",)
        )
    why = "The metadata in the file are of major version 2; those beside it are not in force."
    foreign = {**facts, "spec_version": "2.0"}
    yield variant(twin, f"{key}-foreign-embedded", why, "META-2/embedded", embedded=foreign, flags=("MAJOR_IGNORED",))
    why = "The metadata in the file are not valid and count as absent; those beside it are in force."
    wrong = {**facts, "alignment": "shifted"}
    yield variant(
        twin, f"{key}-not-valid-embedded", why, "META-1/embedded", embedded=wrong, flags=("METADATA_TRUSTED",)
    )


def _given() -> Iterator[Draft]:
    """Yield files with metadata, in them or beside them, that are checked with others given: those are not in force."""
    for slug, core in (("in-file", False), ("beside", True)):
        key = f"{AT}/given-and-{slug}"
        content, facts = _file(key, core=core)
        told = "A checker is given metadata that declare another S: those of the file are in force."
        beside = replace(content, beside={NAME: embedded(facts)} if core else {})
        other = f"{key}-other-stride"
        members: dict[str, Any] = {"features": FEATURES if core else (), "metadata": with_stride(facts, 9)}
        twin = accept(key, told, beside, requirements=("TAIL-4",), twin=other, **members)
        yield twin
        why = "A checker is given metadata that are right: those of the file declare another S, and are in force."
        changes: dict[str, Any] = {"embedded": with_stride(facts, 9)}
        if core:
            changes = {"beside": {NAME: embedded(with_stride(facts, 9))}}
        yield variant(twin, other, why, "TAIL-4/in-force", metadata=facts, flags=("STRIDE_CHANGES",), **changes)


def _json() -> Iterator[Draft]:
    """Yield stored JSON: what stands beside it does not count."""
    content, facts = _file(f"{AT}/json", core=True, containers=(Container.JSON,))
    foreign = embedded({**facts, "spec_version": "2.0"})
    why = "Stored JSON beside a logitpack.json of major version 2: that does not count, stored JSON is always Core."
    yield accept(f"{AT}/json", why, replace(content, beside={NAME: foreign}), features=FEATURES)
