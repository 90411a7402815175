"""How many entries there are, and how many token ids: NUC-8, ROW-5, TAIL-4 and ALN-4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, decode, encode
from logitpack_conformance.rows import Row
from logitpack_conformance.stored import Form

from .bases import contents, edited, sound, stored, variant
from .draft import ARROW, Draft, Folder, accept, broken
from .spots import FIRST, LAST, Change, Spot, added, picked, retold, with_entries
from .spread import DATASET, altered, metadata_of, second_file, under_option

COUNTS = ((3, 2), (1,), (2, 1, 4))
IDS = ("token_ids",)


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _largest()
    yield from _undeclared_largest()
    yield from _strides()
    yield from _declared_stride()
    yield from _token_ids()
    yield from _wide_token_ids()


def grown(spot: Spot) -> Change:
    """Return what adds an entry to a nucleus, between its smallest and the largest of the tail."""

    def change(token: LogicalToken) -> LogicalToken:
        index = next(i for i in range(100, 10_000) if i not in {*token.top.indices, *token.sampled.indices})
        logit = (max(token.sampled.logits) * 7 + min(token.top.logits)) / 8
        return with_entries(token, "top", lambda part: added(part, index, logit))

    return retold(spot, change)


def _nucleus(declared: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"nucleus": {**declared["nucleus"], **members}}


def _largest() -> Iterator[Draft]:
    """NUC-8 under a declared max_entries."""
    at, fault, flags = "nuc/largest", "NUC-8/more-than-declared", ("CAP_IGNORED",)
    twin = sound(
        f"{at}/sound", "Nuclei of at most max_entries = 4 entries, the last of exactly so many.", counts=COUNTS
    )
    declared = dict(metadata_of(stored(twin)))
    twin = altered(twin, declared=_nucleus(declared, max_entries=4, rule="unspecified"))
    yield twin
    why = "The last nucleus has one entry more than max_entries."
    yield edited(twin, f"{at}/last-token", why, fault, grown(LAST), flags=flags)
    why = "Metadata declare a max_entries below the size of the last nucleus."
    lower = {**metadata_of(stored(twin)), **_nucleus(declared, max_entries=3, rule="unspecified")}
    yield variant(twin, f"{at}/lower-declared", why, "NUC-8/lower-declared", embedded=lower, flags=flags)
    first = sound(f"{at}/first-sound", "The first nucleus alone is as large as may be.", counts=((5, 2), (1, 3)))
    first = altered(first, declared=_nucleus(declared, max_entries=5, rule="unspecified"))
    yield first
    why = "The first nucleus of the file has one entry more than max_entries."
    yield edited(first, f"{at}/first-token", why, fault, grown(FIRST), flags=flags)
    least = sound(f"{at}/single-sound", "Nuclei of one entry each, max_entries is 1.", counts=((1, 1), (1,)))
    least = altered(least, declared=_nucleus(declared, max_entries=1))
    yield least
    why = "A nucleus of two entries where max_entries is 1."
    yield edited(least, f"{at}/two-of-one", why, fault, grown((0, 1)), flags=flags)
    why = "The declared max_entries is 255, the largest there is, and one nucleus has as many."
    full = sound(f"{at}/all-of-255", why, counts=((255, 2), (3,)), stride=2)
    yield full
    fewer = {**metadata_of(stored(full)), **_nucleus(dict(metadata_of(stored(full))), max_entries=254)}
    why = "A nucleus of 255 entries where max_entries is 254."
    yield variant(full, f"{at}/one-of-255-too-many", why, "NUC-8/lower-declared", embedded=fewer, flags=flags)


def _undeclared_largest() -> Iterator[Draft]:
    """NUC-8 where max_entries is not declared: 100."""
    at, fault, flags = "nuc/largest", "NUC-8/more-than-100", ("CAP_IGNORED",)
    why = "A Core file with a nucleus of 100 entries, the most that it can have without a declaration."
    core = sound(f"{at}/core-100", why, counts=((2, 100), (1,)), stride=2, core=True)
    core = replace(core, requirements=("NUC-8",), twin=f"{at}/core-101")
    yield core
    why = "A Core file with a nucleus of 101 entries."
    yield edited(core, f"{at}/core-101", why, fault, grown((0, 1)), flags=flags)
    why = "Metadata with the rule unspecified and no max_entries: 100 is the limit still."
    open_rule = sound(f"{at}/unspecified-100", why, counts=((1, 1), (100,)), stride=2)
    open_rule = altered(open_rule, declared={"nucleus": {"rule": "unspecified"}})
    yield open_rule
    why = "A nucleus of 101 entries under metadata that declare no max_entries."
    yield edited(open_rule, f"{at}/unspecified-101", why, fault, grown(LAST), flags=flags)
    why = "The 101 entries of a Core file, checked under an option that declares a max_entries of 101."
    content = contents(f"{at}/declared-by-option", counts=((101,), (2, 3)), stride=2)
    given = metadata_of(content)
    bare = replace(content, metadata=None)
    option = accept(f"{at}/declared-by-option", why, bare, metadata=given)
    yield replace(option, requirements=("NUC-8", "CHK-3"), twin=f"{at}/too-low-by-option")
    why = "The same Core file under an option that declares a max_entries of 100."
    fewer = {**given, **_nucleus(dict(given), max_entries=100)}
    yield broken(option, f"{at}/too-low-by-option", why, "NUC-8/lower-declared", bare, metadata=fewer)


def shorter(row: Row) -> None:
    """Take the last tail entry of each token of a row."""

    def cut(token: LogicalToken) -> LogicalToken:
        return with_entries(token, "sampled", lambda part: picked(part, list(range(len(part.indices) - 1))))

    row.update(encode([cut(token) for token in decode(row)]))


def longer(row: Row) -> None:
    """Give each token of a row one tail entry more."""

    def grow(part: LogicalEntries, taken: set[int]) -> LogicalEntries:
        return added(part, next(i for i in range(500, 10_000) if i not in taken), part.logits[0])

    row.update(
        encode(
            [
                with_entries(token, "sampled", lambda part, t=token: grow(part, {*part.indices, *t.top.indices}))  # type: ignore[misc]
                for token in decode(row)
            ]
        )
    )


def _strides() -> Iterator[Draft]:
    """ROW-5."""
    at, flags = "row/stride", ("STRIDE_CHANGES",)
    twin = sound(f"{at}/sound", "Three rows with one S.", counts=COUNTS, stride=3)
    yield twin
    why = "The last row has one tail entry a token less; its own lists fit each other."
    yield edited(twin, f"{at}/last-row-less", why, "ROW-5/less", lambda rows: shorter(rows[-1]), flags=flags)
    why = "The last row has one tail entry a token more."
    yield edited(twin, f"{at}/last-row-more", why, "ROW-5/more", lambda rows: longer(rows[-1]), flags=flags)
    why = "The row in the middle has an S of its own, between two rows that agree."
    yield edited(twin, f"{at}/middle-row", why, "ROW-5/less", lambda rows: shorter(rows[1]), flags=flags)
    core = sound(f"{at}/core-sound", "Rows of a Core file with S = 2.", counts=COUNTS, stride=2, core=True)
    yield core
    why = "The last row of a Core file has S = 1: no metadata are needed to see it."
    yield edited(core, f"{at}/core", why, "ROW-5/less", lambda rows: shorter(rows[-1]), flags=flags)
    why = "Two rows of a Core file: the first has S = 3, the second S = 2."
    yield edited(core, f"{at}/core-first-row", why, "ROW-5/more", lambda rows: longer(rows[0]), flags=flags)
    content = contents(f"{at}/second-file", counts=((2, 1), (3,), (1, 1), (2,)), core=True)
    files = {
        "data/part-0": replace(content, rows=content.rows[:2]),
        "data/part-1": replace(content, rows=content.rows[2:]),
    }
    folder = accept(f"{at}/second-file/sound", "Two Core files with one S.", Folder(dict(files)), features=DATASET)
    yield folder
    rows = [dict(row) for row in content.rows[2:]]
    for row in rows:
        longer(row)
    why = "All rows of the second file have another S than those of the first; each file by itself is sound."
    other = Folder(files | {"data/part-1": replace(content, rows=rows)})
    yield broken(folder, f"{at}/second-file/fault", why, "ROW-5/other-file", other, flags=flags)


def _declared_stride() -> Iterator[Draft]:
    """TAIL-4."""
    at, fault = "tail/stride", "TAIL-4/declared"
    twin = sound(f"{at}/sound", "S is what tail.num_sampled declares.", counts=COUNTS, stride=4)
    yield twin
    declared = metadata_of(stored(twin))
    for slug, number in (("one-more", 5), ("one-less", 3), ("usual", 24), ("huge", 2**31 - 1)):
        other = {**declared, "tail": {**declared["tail"], "num_sampled": number}}
        why = f"Metadata declare a tail of {number} entries a token; there are 4."
        yield variant(twin, f"{at}/{slug}", why, fault, embedded=other)
    why = "A single row with S = 1."
    single = sound(f"{at}/single-sound", why, counts=((2,),), stride=1)
    yield single
    why = "Each token of the only row has a second tail entry, one was declared."
    yield edited(single, f"{at}/single-row", why, "TAIL-4/longer", lambda rows: longer(rows[0]))
    content = contents(f"{at}/by-option", counts=COUNTS, stride=2)
    given, core = metadata_of(content), replace(content, metadata=None)
    option = accept(f"{at}/by-option/sound", "A Core file with the S that the option declares.", core, metadata=given)
    yield option
    why = "The option declares another S than the file has."
    other = {**given, "tail": {**given["tail"], "num_sampled": 3}}
    yield broken(option, f"{at}/by-option/fault", why, fault, core, metadata=other)


def _ids(row: int, change: Any) -> Change:
    def apply(rows: list[Row]) -> None:
        rows[row]["token_ids"] = change(rows[row]["token_ids"])

    return apply


def _token_ids() -> Iterator[Draft]:
    """ALN-4."""
    at, flags = "aln/token-ids", ("IDS_ASTRAY",)
    options: dict[str, Any] = {"counts": COUNTS, "vocab": 128_256, "token_ids": True}
    twin = sound(f"{at}/sound", "A token id for each token, the largest vocab_size - 1.", features=IDS, **options)
    twin = altered(twin, _ids(-1, lambda ids: [*ids[:-1], 128_255]), requirements=("ALN-4",), twin=f"{at}/vocab-size")
    yield twin
    members: dict[str, Any] = {"flags": flags}
    why = "The token id of the first token is -1, a common filler."
    yield edited(twin, f"{at}/negative-first", why, "ALN-4/negative", _ids(0, lambda ids: [-1, *ids[1:]]), **members)
    why = "The token id of the last token is -100, which training code takes for: ignore."
    yield edited(twin, f"{at}/negative-last", why, "ALN-4/negative", _ids(-1, lambda ids: [*ids[:-1], -100]), **members)
    why = "A token id is vocab_size."
    beyond = _ids(-1, lambda ids: [*ids[:-1], 128_256])
    yield edited(twin, f"{at}/vocab-size", why, "ALN-4/beyond-vocabulary", beyond, **members)
    why = "A token id is the largest of int32."
    largest = _ids(1, lambda _: [2**31 - 1])
    yield edited(twin, f"{at}/largest-of-int32", why, "ALN-4/beyond-vocabulary", largest, **members)
    why = "The last row has one token id too few: which token lacks it, nobody can tell."
    yield edited(twin, f"{at}/short", why, "ALN-4/short", _ids(-1, lambda ids: ids[1:]), **members)
    why = "The last row has one token id too many."
    yield edited(twin, f"{at}/long", why, "ALN-4/long", _ids(-1, lambda ids: [7, *ids]), **members)
    why = "The first row has no token ids, an empty list."
    yield edited(twin, f"{at}/empty", why, "ALN-4/empty", _ids(0, lambda _: []), **members)
    core = sound(f"{at}/core-sound", "In a Core file a token id may be any of int32 from 0.", core=True, **options)
    change = _ids(0, lambda _: [0, 2**31 - 1])
    core = altered(core, change, features=IDS, requirements=("ALN-4", "CHK-3"), twin=f"{at}/core-negative")
    yield core
    why = "A token id of a Core file is negative."
    yield edited(core, f"{at}/core-negative", why, "ALN-4/negative", _ids(0, lambda _: [0, -(2**31)]), **members)
    why = "A row of the second file has a token id beyond the vocabulary."
    for draft in second_file(at, why, "ALN-4/beyond-vocabulary", beyond, **options):
        yield replace(draft, features=(*DATASET, *IDS))
    why = "A token id is beyond the vocabulary that the option declares."
    for draft in under_option(at, why, "ALN-4/beyond-vocabulary", beyond, **options):
        yield replace(draft, features=IDS)


def _wide_token_ids() -> Iterator[Draft]:
    """ALN-4 where a type or a text holds more than int32."""
    at, fault, change = "aln/token-ids", "ALN-4/beyond-int32", _ids(-1, lambda ids: [*ids[:-1], 2**31])
    form = Form(types={"token_ids": pa.list_(pa.int64())})
    options: dict[str, Any] = {"counts": COUNTS, "token_ids": True, "core": True, "features": (*IDS, "wide_integers")}
    wide = sound(
        f"{at}/wide-sound", "Token ids in an int64.", form=form, containers=ARROW, findings=("COL-5",), **options
    )
    yield wide
    why = "A token id of 2^31 in an int64: cut to int32 it turns negative."
    yield edited(wide, f"{at}/beyond-int32", why, fault, change)
    wrapped = _ids(0, lambda ids: [ids[0] + 2**32, *ids[1:]])
    why = "A token id is 2^32 more than a token of the vocabulary: cut to int32 nothing looks wrong."
    yield edited(wide, f"{at}/wraps-at-32-bits", why, fault, wrapped)
    options["features"] = IDS
    json = sound(f"{at}/json-sound", "Token ids in stored JSON.", containers=(Container.JSON,), **options)
    yield json
    why = "A token id of 2^31 in stored JSON, where no type keeps it from being written."
    yield edited(json, f"{at}/beyond-int32-json", why, fault, change)
