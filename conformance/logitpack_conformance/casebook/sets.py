"""Indices that stand twice, or where they cannot: NUC-2, TAIL-1, TAIL-2 and IDX-5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .bases import contents, edited, sound, stored
from .draft import Draft, broken
from .spots import FIRST, LAST, copy_index, put_index
from .spread import altered, metadata_of, second_file, under_option

COUNTS = ((3, 2), (1,), (2, 1, 4))


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _nucleus()
    yield from _tail()
    yield from _disjoint()
    yield from _vocabulary()
    yield from _unusual()


def _nucleus() -> Iterator[Draft]:
    """NUC-2."""
    at, fault, flags = "nuc/distinct", "NUC-2/index-twice", ("COUNTED_TWICE",)
    twin = sound(f"{at}/sound", "Nuclei of distinct indices.", counts=COUNTS, vocab=201_088)
    yield twin
    why = "The second entry of the first nucleus has the index of the first: that entry's mass counts twice."
    yield edited(twin, f"{at}/first-token", why, fault, copy_index(FIRST, ("top", 0), ("top", 1)), flags=flags)
    why = "The last entry of the last nucleus has the index of its first, with others between them."
    yield edited(twin, f"{at}/last-token", why, fault, copy_index(LAST, ("top", 0), ("top", 3)), flags=flags)
    core = sound(f"{at}/core-sound", "Distinct indices in a Core file.", counts=COUNTS, core=True, vocab=128_256)
    yield core
    why = "An index stands twice in the nucleus of a Core file: no metadata are needed to see it."
    yield edited(core, f"{at}/core", why, fault, copy_index((2, 0), ("top", 1), ("top", 0)))
    last = copy_index(LAST, ("top", 1), ("top", 2))
    yield from second_file(at, "An index stands twice in a nucleus of the second file.", fault, last, counts=COUNTS)


def _tail() -> Iterator[Draft]:
    """TAIL-1."""
    at, fault, flags = "tail/distinct", "TAIL-1/index-twice", ("WITH_REPLACEMENT",)
    twin = sound(f"{at}/sound", "Tails of distinct indices.", counts=COUNTS, stride=4)
    yield twin
    why = "The first tail was drawn with replacement: its last entry is its first again."
    yield edited(twin, f"{at}/first-token", why, fault, copy_index(FIRST, ("sampled", 0), ("sampled", 3)), flags=flags)
    why = "The last two tail entries of the last token are the same."
    yield edited(twin, f"{at}/last-token", why, fault, copy_index(LAST, ("sampled", 2), ("sampled", 3)), flags=flags)
    core = sound(f"{at}/core-sound", "A Core file with S = 2.", counts=COUNTS, stride=2, core=True)
    yield core
    why = "Both tail entries of a token are one: S = 2, and no metadata are needed to see it."
    yield edited(core, f"{at}/core", why, fault, copy_index((1, 0), ("sampled", 1), ("sampled", 0)))
    last = copy_index(LAST, ("sampled", 0), ("sampled", 2))
    why = "A tail of the second file was drawn with replacement."
    yield from second_file(at, why, fault, last, counts=COUNTS, stride=3)


def _disjoint() -> Iterator[Draft]:
    """TAIL-2."""
    at, fault, flags = "tail/disjoint", "TAIL-2/in-nucleus", ("COUNTED_TWICE",)
    twin = sound(f"{at}/sound", "Tails that keep clear of their nuclei.", counts=((2, 1), (3,), (1, 4)), stride=3)
    yield twin
    why = "The first tail entry of the first token has the index of its first nucleus entry."
    yield edited(twin, f"{at}/first-token", why, fault, copy_index(FIRST, ("top", 0), ("sampled", 0)), flags=flags)
    why = "The last tail entry of the last token has the index of its last nucleus entry."
    yield edited(twin, f"{at}/last-token", why, fault, copy_index(LAST, ("top", 3), ("sampled", 2)), flags=flags)
    why = "A tail entry has the index of the only entry of its nucleus."
    yield edited(twin, f"{at}/single-entry", why, fault, copy_index((2, 0), ("top", 0), ("sampled", 1)), flags=flags)
    core = sound(f"{at}/core-sound", "A Core file of disjoint sets.", counts=COUNTS, stride=1, core=True)
    yield core
    why = "The whole tail, S = 1, stands in the nucleus too."
    yield edited(core, f"{at}/core", why, fault, copy_index((2, 2), ("top", 2), ("sampled", 0)))
    last = copy_index(LAST, ("top", 0), ("sampled", 0))
    yield from second_file(at, "A tail of the second file reaches into the nucleus.", fault, last, counts=COUNTS)
    yield from under_option(at, "A tail entry stands in the nucleus too.", fault, last, counts=COUNTS)


def _vocabulary() -> Iterator[Draft]:
    """IDX-5."""
    at, fault, flags = "idx/vocabulary", "IDX-5/beyond", ("BEYOND_VOCABULARY",)
    why = "The largest index of the vocabulary, vocab_size - 1, stands in a nucleus and in a tail."
    twin = sound(f"{at}/last-index", why, counts=COUNTS, stride=3, vocab=70_000)
    largest = (put_index(FIRST, "top", 2, 69_999), put_index(LAST, "sampled", 2, 69_999))
    twin = altered(twin, *largest, requirements=("IDX-5",), twin=f"{at}/nucleus-first-token")
    yield twin
    for slug, spot, kind, entry, index in (
        ("nucleus-first-token", FIRST, "top", 1, 70_000),
        ("nucleus-last-token", LAST, "top", 3, 70_001),
        ("tail-first-token", FIRST, "sampled", 0, 70_000),
        ("tail-last-token", LAST, "sampled", 1, 131_072),
        ("largest-of-18-bits", (1, 0), "top", 0, 262_143),
        ("high-bits-astray", (2, 1), "sampled", 2, 65_536 + 5_000),
    ):
        name = {"top": "nucleus", "sampled": "tail"}[kind]
        why = f"A {name} index is {index}, while the vocabulary ends at 69,999."
        yield edited(twin, f"{at}/{slug}", why, fault, put_index(spot, kind, entry, index), flags=flags)
    beyond = put_index(LAST, "sampled", 1, 90_000)
    why = "A tail index of the second file is vocab_size."
    yield from second_file(at, why, fault, beyond, counts=COUNTS, vocab=90_000)
    why = "A tail index is the vocab_size that the option declares."
    yield from under_option(at, why, fault, beyond, counts=COUNTS, vocab=90_000)


def _unusual() -> Iterator[Draft]:
    """NUC-2, TAIL-1, TAIL-2 and IDX-5 in files that look odd and break none of them, and one step further."""
    at = "nuc/distinct"
    why = "Three nucleus indices have the same low bits and differ in the high ones: they are distinct."
    low = sound(f"{at}/same-low-bits", why, counts=((3, 2), (1,)), vocab=262_144, chosen=(5, 65_541, 131_077))
    low = replace(low, requirements=("NUC-2", "CHK-3"), twin=f"{at}/same-high-bits-too")
    yield low
    why = "Two nucleus indices have the same low bits and now the same high bits too."
    yield edited(low, f"{at}/same-high-bits-too", why, "NUC-2/index-twice", put_index(FIRST, "top", 1, 5))
    why = "The tokens of a row share nucleus and tail indices: each token is judged by itself."
    shared = sound(f"{at}/across-tokens", why, counts=((2, 2), (2,)))
    shared = altered(
        shared,
        copy_index((0, 1), ("top", 0), ("top", 0), of=0),
        copy_index((0, 1), ("top", 1), ("sampled", 0), of=0),
        copy_index((0, 1), ("sampled", 1), ("sampled", 1), of=0),
        requirements=("NUC-2", "TAIL-1", "TAIL-2", "CHK-3"),
        twin=f"{at}/within-one-token",
    )
    yield shared
    why = "One token has an index of its own nucleus twice."
    within = copy_index((0, 1), ("top", 0), ("top", 1))
    yield edited(shared, f"{at}/within-one-token", why, "NUC-2/index-twice", within)
    at = "idx/vocabulary"
    why = "Indices of padded rows, at tokenizer.size and above but below vocab_size, are within the vocabulary."
    padded = altered(
        sound(f"{at}/padded-rows", why, vocab=151_936, stride=3),
        put_index(LAST, "sampled", 1, 151_700),
        declared={"tokenizer": {"id": "example/teacher", "size": 151_669}},
        requirements=("IDX-5", "CHK-3"),
        twin=f"{at}/beyond-padded-rows",
    )
    yield padded
    why = "An index is beyond the padded rows."
    beyond = put_index(LAST, "sampled", 1, 151_936)
    yield edited(padded, f"{at}/beyond-padded-rows", why, "IDX-5/beyond", beyond)
    why = "The vocabulary is wider than 262,144: whatever can be stored of it is within it."
    wide = sound(f"{at}/wider-than-18-bits", why, vocab=262_144, chosen=(262_143,))
    yield altered(wide, declared={"vocab_size": 262_208})
    why = "Nothing declares a vocabulary: no index is beyond it."
    core = sound(f"{at}/none-declared", why, vocab=262_144, chosen=(262_143,), core=True)
    yield replace(core, requirements=("IDX-5", "CHK-3"), twin=f"{at}/declared-by-option")
    why = "The same file under metadata that declare a vocabulary of 262,143 entries."
    given = {**metadata_of(contents(core.id, vocab=262_144, chosen=(262_143,))), "vocab_size": 262_143}
    core = replace(core, metadata=None)
    yield broken(core, f"{at}/declared-by-option", why, "IDX-5/vocabulary-declared", stored(core), metadata=given)
