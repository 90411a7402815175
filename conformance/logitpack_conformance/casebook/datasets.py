"""Folders of files: FILE-2, the order of the files, and which are part of a dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.rows import Metadata
from logitpack_conformance.stored import CANONICAL, Extra, Form

from .bases import contents, in_turn
from .draft import ARROW, IPC, Content, Draft, Folder, Stored, accept, broken

DATASET = ("dataset",)
MIXED = ("MIXED_SHARDS",)
ORDER = ("SHARD_ORDER",)
DATA = "data/train-0000{}-of-00002"
WIDE = Form(types={"num_tokens": pa.int64()})


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _order()
    yield from _members()
    yield from _metadata()
    yield from _columns()
    yield from _broken_shards()


def shards(name: str, number: int = 2, **options: Any) -> list[Stored]:
    """Return files that agree in their metadata and columns, with rows of their own."""
    first = contents(name, **{"stride": 2, "vocab": 70_000, "top_p": 0.9, "containers": ARROW, **options})
    given = {"stride": 2, "vocab": 70_000, "top_p": 0.9, "containers": ARROW, **options}
    return [first, *(contents(f"{name}/{i}", **given) for i in range(1, number))]


def folder(files: Mapping[str, Stored | bytes]) -> Folder:
    """Return a dataset in the containers that its files can have."""
    containers = next(part.containers for part in files.values() if isinstance(part, Stored))
    return Folder(files, containers)


def _dataset(name: str, why: str, files: Mapping[str, Stored | bytes], **members: Any) -> Draft:
    return accept(name, why, folder(files), **{"features": DATASET, **members})


def _faulty(
    twin: Draft, name: str, why: str, fault: str, changes: Mapping[str, Stored | bytes], **members: Any
) -> Draft:
    content: Content = twin.content
    if not isinstance(content, Folder):
        raise TypeError(f"{twin.id} is no folder")
    where = in_turn(name, content.containers)
    changed = replace(content, files={**content.files, **changes}, containers=where)
    return broken(twin, name, why, fault, changed, **{"flags": MIXED, **members})


def _order() -> Iterator[Draft]:
    """RD-2: the files in the order of their paths."""
    at = "dataset/order"
    names: tuple[tuple[str, tuple[str, ...], str], ...] = (
        (
            "shards",
            ("data/train-00000-of-00003", "data/train-00001-of-00003", "data/train-00002-of-00003"),
            "Three shards as the Hub names them.",
        ),
        ("numbers", ("part-10", "part-2", "part-9"), "Numbers without leading zeros: part-10 stands before part-2."),
        ("capitals", ("B", "a", "c"), "Capitals stand before small letters."),
        ("folders", ("a-b", "a/b", "a0"), "A hyphen stands before the slash of a folder, and that before a digit."),
        ("deep", ("a/b/c/d/one", "a/b/two", "z"), "Files at several depths."),
        ("beyond-ascii", ("z", "é", "日"), "Names beyond ASCII, by code points."),
        (
            "beyond-utf-16",
            ("\uff5e", "\U0001f600"),
            "Names by code points: in UTF-16 units they would stand the other way round.",
        ),
    )
    at_last = "The last file is cut short: a reader notices there at the latest."
    for name, files, why in names:
        key = f"{at}/{name}"
        parts = shards(key, len(files), sizes=(1, 2))
        # Written in another order than that of their names: a listing of the folder need not be sorted.
        content = dict(zip(files[::-1], parts, strict=True))
        members: dict[str, Any] = {"requirements": ("RD-2",), "twin": f"{key}-cut", "flags": ORDER}
        twin = _dataset(key, why, content, **members)
        yield twin
        last = replace(parts[0], damage=lambda data, _: data[: len(data) - 20])
        yield _faulty(twin, f"{key}-cut", at_last, "FILE-1/last-file-cut", {files[-1]: last}, flags=("TRUNCATION",))


def _members() -> Iterator[Draft]:
    """Files that are no part of a dataset."""
    at = "dataset/members"
    first, second = shards(at)
    files = {DATA.format(0): first, DATA.format(1): second}
    twin = _dataset(f"{at}/plain", "Two files that agree.", files)
    yield twin
    junk = b"PAR1 is how it begins, and that is all"
    for name, others, why in (
        (
            "hidden-files",
            {".part.parquet": junk, "_part.arrow": junk, ".x.arrows": junk},
            "Files whose names begin with a dot or an underscore.",
        ),
        (
            "hidden-folders",
            {".cache/a.parquet": junk, "_temporary/0/b.arrow": junk, "data/_old/c.arrows": junk},
            "Folders whose names begin with a dot or an underscore.",
        ),
        (
            "other-files",
            {"README.md": b"# A dataset\n", "a.parquet.tmp": junk, "b.parquet.crc": junk, "c.csv": b"a,b\n"},
            "Files with other extensions.",
        ),
        (
            "json-files",
            {"rows.ndjson": b"{}\n", "more.jsonl": b"{}\n", "x.json": b"[]"},
            "Stored JSON, which is no part of a folder's dataset.",
        ),
    ):
        draft = _dataset(f"{at}/{name}", f"{why} None is part of the dataset.", {**files, **others}, flags=ORDER)
        content = Folder({**files, **others}, in_turn(name, ARROW))
        yield replace(draft, content=content)
    yield _dataset(f"{at}/one-file", "A single file in a folder.", {"data/train": first})


def _metadata() -> Iterator[Draft]:
    """FILE-2: metadata."""
    at = "dataset/metadata"
    first, second = shards(at)
    files = {DATA.format(0): first, DATA.format(1): second}
    twin = _dataset(
        f"{at}/equal", "Two files with equal metadata.", files, requirements=("FILE-2",), twin=f"{at}/one-without"
    )
    yield twin
    facts = dict(second.metadata) if isinstance(second.metadata, Mapping) else {}
    changes: tuple[tuple[str, Metadata | None, str], ...] = (
        ("one-without", None, "The second file has no metadata."),
        ("other-model", {**facts, "model": {"id": "example/other"}}, "The second file is of another model."),
        (
            "other-revision",
            {**facts, "model": {**facts["model"], "revision": "b"}},
            "The second file declares a revision.",
        ),
        ("other-vocabulary", {**facts, "vocab_size": 70_016}, "The second file declares a larger vocabulary."),
        ("unknown-member", {**facts, "job": 7}, "The second file has an unknown member that the first does not have."),
    )
    for name, metadata, why in changes:
        yield _faulty(twin, f"{at}/{name}", why, f"FILE-2/{name}", {DATA.format(1): replace(second, metadata=metadata)})
    ordered = json.dumps(facts, sort_keys=True, indent=1).replace("70000", "70000.0").encode()
    equal = {**files, DATA.format(1): replace(second, metadata=ordered)}
    why = "The second file has the same members in another order, and 70000.0 for 70000."
    yield _dataset(f"{at}/equal-values", why, equal, requirements=("FILE-2",), twin=f"{at}/one-without")
    one = {name: replace(part, metadata={**facts, "job": {"shuffled": 1}}) for name, part in files.items()}
    numbers = _dataset(f"{at}/one-number", "Two files with an unknown member that is 1.", one)
    yield numbers
    why = "An unknown member is 1 in the first file and true in the second: as JSON values they differ."
    other = {DATA.format(1): replace(second, metadata={**facts, "job": {"shuffled": True}})}
    yield _faulty(numbers, f"{at}/one-boolean", why, "FILE-2/true-for-1", other)
    why = "The metadata of the second file are not valid: they count as absent, and are not held against the first's."
    wrong = {DATA.format(1): replace(second, metadata={**facts, "vocab_size": "many"})}
    yield _faulty(twin, f"{at}/one-not-valid", why, "META-1/in-one-file", wrong, flags=("METADATA_TRUSTED",))
    why = "The second file is of major version 2."
    foreign = {DATA.format(1): replace(second, metadata={**facts, "spec_version": "2.0"})}
    yield _faulty(twin, f"{at}/one-foreign", why, "META-2/in-one-file", foreign, flags=("MAJOR_IGNORED",))
    core = {name: replace(part, metadata=None) for name, part in files.items()}
    yield _dataset(f"{at}/none", "Two Core files.", core)


def _columns() -> Iterator[Draft]:
    """FILE-2: columns and types."""
    at = "dataset/columns"
    first, second = shards(at)
    names = [DATA.format(0), DATA.format(1)]
    wide = [replace(part, form=WIDE) for part in (first, second)]
    members: dict[str, Any] = {"findings": ("COL-5",), "features": (*DATASET, "wide_integers")}
    twin = _dataset(f"{at}/wide", "Two files with the same wider type.", dict(zip(names, wide, strict=True)), **members)
    yield twin
    why = "Num_tokens is an int64 in one file and an int32 in the other."
    yield _faulty(twin, f"{at}/other-integers", why, "FILE-2/other-integers", {names[1]: second})
    large = Form(types={name: pa.large_list(CANONICAL[name].value_type) for name in ("top_min", "top_max")})
    lists = [replace(part, form=large, containers=IPC) for part in (first, second)]
    members["features"] = (*DATASET, "large_list")
    twin = _dataset(f"{at}/large", "Two files with large lists.", dict(zip(names, lists, strict=True)), **members)
    yield twin
    why = "Ranges are large lists in the first file and lists in the second."
    yield _faulty(twin, f"{at}/other-lists", why, "FILE-2/other-lists", {names[1]: replace(second, containers=IPC)})
    one, two = shards(f"{at}/ids", token_ids=True)
    members = {"features": (*DATASET, "token_ids")}
    twin = _dataset(
        f"{at}/ids-in-both", "Two files with token_ids.", dict(zip(names, (one, two), strict=True)), **members
    )
    yield twin
    for number, word in enumerate(("first", "second")):
        part = (one, two)[number]
        rows = [{name: value for name, value in row.items() if name != "token_ids"} for row in part.rows]
        why = f"Only the {word} file lacks token_ids."
        op = f"FILE-2/no-ids-in-{word}"
        yield _faulty(twin, f"{at}/no-ids-in-{word}", why, op, {names[number]: replace(part, rows=rows)})
    other = Form(extra=[Extra("note", pa.string(), ["a"], 2)])
    why = "One file has a column that the format does not name, and the other has not."
    yield _dataset(f"{at}/other-columns", why, {names[0]: first, names[1]: replace(second, form=other)})
    named = {
        name: pa.list_(pa.field("x", CANONICAL[name].value_type, nullable=False)) for name in ("top_min", "logsumexp")
    }
    why = "The files differ in the names of list elements and in what may be null: their types are the same."
    form = Form(types=named, required=True)
    yield _dataset(f"{at}/element-names", why, {names[0]: first, names[1]: replace(second, form=form)})
    why = "The columns of the second file stand in another order."
    order = Form(order=sorted(name for name in CANONICAL if name != "token_ids"))
    yield _dataset(f"{at}/other-order", why, {names[0]: first, names[1]: replace(second, form=order)})


def _broken_shards() -> Iterator[Draft]:
    """One broken file among sound ones: the others are still read and judged."""
    at = "dataset/shards"
    parts = shards(at, 3)
    names = ["a", "b", "c"]
    twin = _dataset(f"{at}/sound", "Three files that agree.", dict(zip(names, parts, strict=True)))
    yield twin
    for number, word in enumerate(("first", "second", "third")):
        cut = replace(parts[number], damage=lambda data, _: data[: len(data) // 2])
        why = f"The {word} of three files is cut in half."
        yield _faulty(twin, f"{at}/{word}-cut", why, f"FILE-1/{word}-cut", {names[number]: cut}, flags=("TRUNCATION",))
    why = "The second of three files is empty."
    empty = replace(parts[1], damage=lambda *_: b"")
    yield _faulty(twin, f"{at}/second-empty", why, "FILE-1/second-empty", {"b": empty}, flags=("TRUNCATION",))
    why = "The second of three files lacks a column: it is not compared with the others."
    form = Form(dropped=["logsumexp"])
    yield _faulty(twin, f"{at}/second-without-column", why, "COL-1/in-one-file", {"b": replace(parts[1], form=form)})
    why = "One file has another number of tail entries a token than the two before it."
    core = [replace(part, metadata=None) for part in parts]
    other = replace(shards(f"{at}/other", stride=3)[0], metadata=None)
    sound = _dataset(f"{at}/one-stride", "Three Core files with one S.", dict(zip(names, core, strict=True)))
    yield sound
    yield _faulty(sound, f"{at}/other-stride", why, "ROW-5/in-third-file", {"c": other}, flags=("STRIDE_CHANGES",))
