"""Metadata beside the data in datasets: the folder of a file comes before the root (section 13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from logitpack_conformance.rows import Metadata, embedded

from .datasets import DATASET, folder, shards
from .draft import Draft, Folder, Stored, accept, broken
from .sidecars import AT, FEATURES, NAME, with_stride


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _folders()
    yield from _embedded_in_folders()


def _folders() -> Iterator[Draft]:
    """Datasets: the folder of a file comes before the root."""
    key = f"{AT}/folder"
    parts = shards(key)
    facts: Metadata = json.loads(json.dumps(parts[0].metadata))
    core: dict[str, Stored | bytes] = {f"data/part-{i}": replace(part, metadata=None) for i, part in enumerate(parts)}
    features = (*DATASET, *FEATURES)
    text = embedded(facts)
    differing = "The same, but the metadata in force declare another number of tail entries."
    for name, places, why in (
        ("at-root", ("",), "Two files without metadata in a folder below the root, where a logitpack.json stands."),
        ("in-folder", ("data/",), "Two files without metadata, and a logitpack.json in their own folder."),
        ("at-both", ("", "data/"), "The same metadata at the root and in the folder of the files."),
    ):
        files = {**core, **{f"{place}{NAME}": text for place in places}}
        twin = accept(f"{key}/{name}", why, folder(files), features=features)
        yield twin
        changed = Folder({**files, f"{places[-1]}{NAME}": embedded(with_stride(facts, 9))})
        yield broken(
            twin, f"{key}/{name}-other-stride", differing, "TAIL-4/in-folder", changed, flags=("STRIDE_CHANGES",)
        )
        if name == "at-root":
            told = "Two files without metadata in a folder, those at the root are of major version 2."
            foreign = Folder({**core, NAME: embedded({**facts, "spec_version": "2.0"})})
            yield broken(twin, f"{key}/{name}-foreign", told, "META-2/at-root", foreign, flags=("MAJOR_IGNORED",))
    other = embedded({**facts, "spec_version": "2.0"})
    why = (
        "Metadata in the folder of the files, and others of major version 2 at the root: the nearer ones are in force."
    )
    yield accept(f"{key}/nearest", why, folder({**core, NAME: other, f"data/{NAME}": text}), features=features)
    why = "Metadata of major version 2 in the folder of the files, and valid ones at the root."
    files = {**core, NAME: text, f"data/{NAME}": other}
    twin = accept(
        f"{key}/nearest-known",
        "Valid metadata at both places.",
        folder({**files, f"data/{NAME}": text}),
        features=features,
    )
    yield twin
    yield broken(twin, f"{key}/nearest-foreign", why, "META-2/nearest", folder(files), flags=("MAJOR_IGNORED",))


def _embedded_in_folders() -> Iterator[Draft]:
    """Datasets whose files have metadata: those are held against the nearest beside them, and no others (FILE-2)."""
    key = f"{AT}/nearest"
    parts = shards(key)
    facts: Metadata = json.loads(json.dumps(parts[0].metadata))
    same, other = embedded(facts), embedded({**facts, "model": {"id": "example/other"}})
    files: dict[str, Stored | bytes] = {f"data/part-{i}": part for i, part in enumerate(parts)}
    near, root = f"data/{NAME}", NAME
    members: dict[str, Any] = {"features": (*DATASET, *FEATURES)}
    why = "Metadata in the files and in their folder are the same; those at the root are others and do not count."
    told: dict[str, Any] = {"requirements": ("FILE-2",), "twin": f"{key}/as-at-root"}
    yield accept(f"{key}/as-in-folder", why, folder({**files, near: same, root: other}), **members, **told)
    why = "The same metadata in the files, in their folder and at the root."
    twin = accept(f"{key}/everywhere", why, folder({**files, near: same, root: same}), **members)
    yield twin
    for name, fault, beside, why in (
        (
            "as-at-root",
            "FILE-2/nearest",
            other,
            "Metadata in the files are those at the root, not those in their folder.",
        ),
        (
            "not-valid",
            "META-1/nearest",
            embedded({**facts, "vocab_size": 0}),
            "Metadata in the files' folder are not valid: they count as absent, and those at the root are the first.",
        ),
    ):
        changed = Folder({**files, near: beside, root: same})
        yield broken(twin, f"{key}/{name}", why, fault, changed, flags=("MIXED_SHARDS",))
    why = "The same metadata in the files and at the root, their folder has none."
    twin = accept(f"{key}/at-root", why, folder({**files, root: same}), **members)
    yield twin
    why = "Metadata in the files differ from those at the root, their folder has none."
    changed = Folder({**files, root: other})
    yield broken(twin, f"{key}/at-root-differ", why, "FILE-2/at-root", changed, flags=("MIXED_SHARDS",))
