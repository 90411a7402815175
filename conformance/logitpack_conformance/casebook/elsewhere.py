"""Faults where a checker easily does not look: in the second file, deep down, in the last row group, beside others.

Strategy: three files of one dataset, of which one is changed at a time; then pairs of faults of which the one need not
be in the way of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.faults import FAULTS
from logitpack_conformance.model import Container, Kind, Role
from logitpack_conformance.oracle.logical import encode
from logitpack_conformance.rows import Metadata, copied, set_index
from logitpack_conformance.stored import Form

from .bases import contents, sound, stored
from .damage import flip_page
from .datasets import DATASET, shards
from .draft import ARROW, Content, Draft, Folder, Stored, accept, broken
from .masses import file_of, token_of
from .spread import altered, metadata_of

AT = "checking/elsewhere"
PARQUET = (Container.PARQUET,)
FIRST, SECOND, DEEP = "data/part-0", "data/part-1", "data/a/b/c/d/part-2"


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _files()
    yield from _last_of_many()
    yield from _beside()
    yield from _before_damage()
    yield from _wide_vocabulary()


def _broken_rows(content: Stored, fault: str) -> Stored:
    rows = copied(content.rows)
    FAULTS[fault].apply(rows, dict(metadata_of(content)) if content.metadata else {})
    return replace(content, rows=rows)


def _text(content: Stored) -> Stored:
    """Return a file whose lower ends of ranges are strings."""
    rows = [{**row, "top_min": [str(value) for value in row["top_min"]]} for row in content.rows]
    types = {**content.form.types, "top_min": pa.list_(pa.string())}
    return replace(content, rows=rows, form=replace(content.form, types=types))


def _several(twin: Draft, name: str, why: str, findings: tuple[str, ...], content: Content) -> Draft:
    members: dict[str, Any] = {"kind": Kind.REJECT, "findings": findings, "requirements": ("CHK-1",)}
    return broken(
        twin, name, why, f"{findings[0]}/{name.rsplit('/', 1)[-1]}", content, roles=(Role.CHECKER,), **members
    )


def _files() -> Iterator[Draft]:
    """One of three files is at fault."""
    key = f"{AT}/files"
    parts = shards(key, 3, containers=PARQUET)
    facts: Metadata = {
        **metadata_of(parts[0]),
        "mask": {"turns": "assistant", "excluded": ["think", "tool"]},
        "writer": {"name": "example-writer", "version": "0.3.0"},
        "job": {"shuffled": 1},
    }
    files = {name: replace(part, metadata=facts) for name, part in zip((FIRST, SECOND, DEEP), parts, strict=True)}
    twin = accept(
        f"{key}/sound", "Three files that agree, one of them far down.", Folder(dict(files), PARQUET), features=DATASET
    )
    yield twin

    def one(name: str, at: str, why: str, fault: str, part: Stored, **members: Any) -> Draft:
        return broken(twin, f"{key}/{name}", why, fault, Folder({**files, at: part}, PARQUET), **members)

    def declared(**members: Any) -> Stored:
        return replace(files[SECOND], metadata={**facts, **members})

    why = "Lower ends of ranges are strings in the second file."
    yield one("text", SECOND, why, "COL-2/in-second-file", _text(files[SECOND]), flags=("COERCED_TYPE",))
    why = "The pages of the second file have no checksums."
    bare = replace(files[SECOND], form=Form(parquet={"write_page_checksum": False}))
    yield one("no-checksums", SECOND, why, "FILE-4/in-second-file", bare, kind=Kind.ACCEPT, flags=("FIRST_ONLY",))
    why = "A nucleus of the file that stands four folders deep has an index twice."
    deep = _broken_rows(files[DEEP], "NUC-2/nucleus-index-twice")
    yield one("deep", DEEP, why, "NUC-2/in-deep-file", deep)
    why = "The second file comes from another version of its writer."
    other = declared(writer={"name": "example-writer", "version": "0.3.1"})
    yield one("other-writer", SECOND, why, "FILE-2/other-writer", other, flags=("MIXED_SHARDS",))
    why = "The second file's metadata have a member that this version does not know, and the first's have not."
    yield one("unknown-member", SECOND, why, "FILE-2/unknown-member", declared(note=7), flags=("MIXED_SHARDS",))
    why = "A member that this version does not know is 1 in the first file and true in the second."
    yield one(
        "one-boolean", SECOND, why, "FILE-2/true-for-1", declared(job={"shuffled": True}), flags=("MIXED_SHARDS",)
    )
    why = "A list of the second file's metadata is in another order: as JSON values they differ."
    other = declared(mask={"turns": "assistant", "excluded": ["tool", "think"]})
    yield one("other-order", SECOND, why, "FILE-2/list-order", other, flags=("MIXED_SHARDS",))
    why = "The metadata of the second file are not valid, and one of its columns has a wider type."
    wide = replace(declared(alignment="shifted"), form=Form(types={"num_tokens": pa.int64()}))
    content = Folder({**files, SECOND: wide}, PARQUET)
    yield _several(twin, f"{key}/not-valid-and-wide", why, ("META-1", "COL-5", "FILE-2"), content)


def _last_of_many() -> Iterator[Draft]:
    """NUC-6 in the last row group of a file, and in the second of two files."""
    key = f"{AT}/below"
    whole = file_of([token_of([0.5])], 0.98, "below")
    tokens = ([0.5], [0.6, 0.3], [0.7, 0.2])
    rows = [encode([token_of(masses)]) for masses in tokens]
    high = encode([token_of([0.5, 0.49])])
    content = replace(whole, rows=rows, form=Form(group=1), containers=PARQUET)
    twin = accept(f"{key}/groups", "Nuclei that stay below 0.98, in three row groups.", content)
    yield twin
    why = "The nucleus of the last row group holds 0.99."
    yield broken(twin, f"{key}/last-group", why, "NUC-6/last-group", replace(content, rows=[*rows[:2], high]))
    one = replace(content, form=Form())
    files: Mapping[str, Stored | bytes] = {FIRST: replace(one, rows=rows[:1]), SECOND: replace(one, rows=rows[1:])}
    both = accept(f"{key}/files", "Such nuclei in two files.", Folder(files, PARQUET), features=DATASET)
    yield both
    why = "The last nucleus of the second file holds 0.99."
    changed = Folder({**files, SECOND: replace(one, rows=[rows[1], high])}, PARQUET)
    yield broken(both, f"{key}/second-file", why, "NUC-6/second-file", changed)


def _beside() -> Iterator[Draft]:
    """Faults that stand beside others, of another kind."""
    key = f"{AT}/columns"
    twin = sound(f"{key}/sound", "A described file of canonical types.", containers=PARQUET)
    yield twin
    why = "One column has a type that is not accepted, and another a wider one."
    content = replace(stored(twin), form=Form(types={"num_tokens": pa.int64()}))
    yield _several(twin, f"{key}/text-and-wide", why, ("COL-2", "COL-5"), _text(content))
    key = f"{AT}/stride"
    twin = sound(
        f"{key}/sound", "Two Core rows with one S.", core=True, counts=((3, 2), (2, 3)), stride=2, containers=ARROW
    )
    yield twin
    why = "The second row has another S, and a nucleus of it has an index twice."
    other = contents(f"{key}/other", core=True, counts=((2, 3),), stride=3).rows
    rows = _broken_rows(replace(stored(twin), rows=other), "NUC-2/nucleus-index-twice").rows
    content = replace(stored(twin), rows=[stored(twin).rows[0], *rows], containers=PARQUET)
    yield _several(twin, f"{key}/and-twice", why, ("NUC-2", "ROW-5"), content)


def _before_damage() -> Iterator[Draft]:
    """Yield a broken row in a row group before one that cannot be read: both are reported."""
    key = f"{AT}/damage"
    form = Form(group=1)
    twin = sound(
        f"{key}/sound", "Three rows in as many row groups.", counts=((2,), (3,), (2,)), form=form, containers=PARQUET
    )
    yield twin

    def damage(data: bytes, _: Container) -> bytes:
        content = bytearray(data)
        flip_page("top_max", 2, 0)(content)
        return bytes(content)

    why = "A nucleus of the first row group has an index twice, and a bit has changed in a page of the last."
    content = replace(_broken_rows(stored(twin), "NUC-2/nucleus-index-twice"), damage=damage)
    yield _several(twin, f"{key}/after-broken-row", why, ("FILE-1", "NUC-2"), content)


def _wide_vocabulary() -> Iterator[Draft]:
    """Yield what lies between tokenizer.size and vocab_size: the vocabulary is as wide as the logits."""
    key = f"{AT}/padded"
    twin = sound(
        f"{key}/inside",
        "A token id, a nucleus and a tail index are those of padded rows, between tokenizer.size and vocab_size.",
        token_ids=True,
        vocab=128,
        stride=2,
        containers=PARQUET,
        features=("token_ids",),
    )
    rows = copied(stored(twin).rows)
    rows[-1]["token_ids"][-1] = 127
    set_index(rows[-1], "top", 0, 126)
    set_index(rows[-1], "sampled", 1, 125)
    tokenizer = {"id": "example/teacher", "size": 120}
    twin = altered(replace(twin, content=replace(stored(twin), rows=rows)), declared={"tokenizer": tokenizer})
    twin = replace(twin, requirements=("IDX-5", "ALN-4", "CHK-2"), twin=f"{key}/outside")
    yield twin
    why = "The same, but the last token id is vocab_size."
    beyond = copied(rows)
    beyond[-1]["token_ids"][-1] = 128
    yield broken(twin, f"{key}/outside", why, "ALN-4/beyond", replace(stored(twin), rows=beyond))
