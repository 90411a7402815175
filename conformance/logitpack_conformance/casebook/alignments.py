"""Token ids against the nuclei they should be found in: ALN-5 and ALN-6, both SHOULDs.

Strategy: files are valid, only some bring a warning. Nuclei of one or two entries over a small vocabulary; an id stands
in the nucleus of its own entry, or in that of a neighbour, or in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.model import Kind
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, encode
from logitpack_conformance.rows import Metadata, Row, described

from .bases import drawn, sound, stored, variant
from .draft import Draft, Folder, Stored, accept, broken
from .spread import DATASET, altered, metadata_of

FLAGS, IDS = ("SHIFT",), ("token_ids",)
WARNED: dict[str, Any] = {"kind": Kind.ACCEPT, "flags": FLAGS}
WIDTH, NOWHERE = 4096, 4095
"""The vocabulary, and an id that is in no nucleus."""
OWN, BEFORE, AFTER = 0, -1, 1
"""Whose nucleus an id is taken from: that of its own entry, or of a neighbour."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _shifted()
    yield from _conditions()
    yield from _shares()
    yield from _pairs()
    yield from _declared()


def nuclei(name: str, tokens: int) -> list[list[int]]:
    """Return nuclei of one or two entries, those of neighbours without one in common."""
    rng = drawn(name)
    return [
        [3 * token + part for part in range(1 + int(rng.random() * 2))] if 3 * token + 2 < NOWHERE else [token]
        for token in range(tokens)
    ]


def ids(found: Sequence[Sequence[int]], taken: Sequence[int | None]) -> list[int]:
    """Return token ids: of each token from its own nucleus or a neighbour's; None, or no such neighbour, is nowhere."""
    whole = range(len(found))
    return [
        NOWHERE if by is None or token + by not in whole else found[token + by][0] for token, by in enumerate(taken)
    ]


def row(found: Sequence[Sequence[int]], identifiers: Sequence[int]) -> Row:
    """Return a stored row, S = 1."""
    return encode([_token(list(top), identifier) for top, identifier in zip(found, identifiers, strict=True)])


def _token(top: list[int], identifier: int) -> LogicalToken:
    logits = [Fraction(9) - k for k in range(len(top))]
    return LogicalToken(9.75, LogicalEntries(top, logits), LogicalEntries([4000], [Fraction(-3)]), identifier)


def facts(alignment: str = "predicts") -> Metadata:
    """Return metadata that declare nothing of the nucleus."""
    tail = {"num_sampled": 1, "method": "unspecified"}
    return described(vocab_size=WIDTH, nucleus={"rule": "unspecified"}, tail=tail, alignment=alignment)


def _file(name: str, why: str, rows: Sequence[Row], **members: Any) -> Draft:
    return accept(name, why, Stored(rows, facts()), features=IDS, **members)


def _one(name: str, taken: Sequence[int | None]) -> list[Row]:
    found = nuclei(name, len(taken))
    return [row(found, ids(found, taken))]


def mostly(of: int, tokens: int) -> list[int | None]:
    """Take four ids of five from there."""
    return [None if token % 5 == 3 else of for token in range(tokens)]


def _shifted() -> Iterator[Draft]:
    """ALN-5 in one file, with and without metadata."""
    at = "aln/holds"
    twin = _file(f"{at}/sound", "Most tokens are found in the nucleus of their own entry.", _one(at, mostly(OWN, 120)))
    yield twin
    why = "Tokens are found in the nucleus of the entry before: entries were filled from t instead of t - 1."
    rows = _one(at, mostly(BEFORE, 120))
    yield variant(twin, f"{at}/entry-before", why, "ALN-5/shifted", rows=rows, **WARNED)
    why = "Tokens are found in the nucleus of the entry after: entries were filled from t - 2."
    rows = _one(at, mostly(AFTER, 120))
    yield variant(twin, f"{at}/entry-after", why, "ALN-5/shifted", rows=rows, **WARNED)
    core = replace(stored(twin), metadata=None)
    bare = accept(f"{at}/core-sound", "Tokens in their own nuclei, in a Core file.", core, features=IDS)
    yield bare
    why = "Tokens in the nuclei of the entries before, in a Core file: no metadata are needed to see it."
    rows = _one(at, mostly(BEFORE, 120))
    yield variant(bare, f"{at}/core", why, "ALN-5/shifted", rows=rows, **WARNED)


def _conditions() -> Iterator[Draft]:
    """When the test is made."""
    at = "aln/holds"
    why = "Shifted tokens, but 100 of them in one row have 99 predecessors: too few for the test."
    few = _file(f"{at}/99-pairs", why, _one(f"{at}/pairs", mostly(BEFORE, 100)), requirements=("ALN-5", "CHK-2"))
    yield replace(few, twin=f"{at}/100-pairs")
    why = "101 shifted tokens in one row: 100 of them have a predecessor, and the test is made."
    rows = _one(f"{at}/pairs", mostly(BEFORE, 101))
    yield variant(few, f"{at}/100-pairs", why, "ALN-5/token-more", rows=rows, **WARNED)
    why = "Shifted tokens under metadata that declare so: the alignment is called follows."
    rows = _one(f"{at}/declared", mostly(BEFORE, 110))
    follows = accept(
        f"{at}/declared-follows",
        why,
        Stored(rows, facts("follows")),
        features=IDS,
        findings=("ALN-6",),
        requirements=("ALN-5", "ALN-6", "CHK-3"),
        twin=f"{at}/declared-predicts",
    )
    yield follows
    why = "The same shifted tokens under metadata that claim to predict."
    plain = _file(
        f"{at}/predicts-sound", "Tokens in their own nuclei, as declared.", _one(f"{at}/declared", mostly(OWN, 110))
    )
    yield plain
    yield variant(plain, f"{at}/declared-predicts", why, "ALN-5/shifted", rows=rows, **WARNED)
    why = "Tokens in their own nuclei, while the alignment is declared unspecified: only that is reported."
    open_one = altered(plain, declared={"alignment": "unspecified"}, id=f"{at}/declared-unspecified", why=why)
    open_one = replace(open_one, findings=("ALN-6",))
    yield open_one
    why = "Shifted tokens, while the alignment is declared unspecified: the test is made."
    yield variant(open_one, f"{at}/unspecified-shifted", why, "ALN-5/shifted", rows=rows, **WARNED)


def _shares() -> Iterator[Draft]:
    """On both sides of equality: shares are compared, not numbers."""
    at = "aln/shares"
    # Of 101 tokens 100 have a predecessor: 50 of them in the nucleus before, and 51 or 50 of all in their own.
    found = nuclei(at, 101)

    def rows(own: int) -> list[Row]:
        taken = [OWN] * own + [None] * (51 - own) + [BEFORE] * 50
        return [row(found, ids(found, taken))]

    why = "51 of 101 tokens are in their own nucleus, 50 of 100 in the one before: the first share is larger."
    twin = _file(f"{at}/inside", why, rows(51), requirements=("ALN-5", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "50 of 101 tokens are in their own nucleus, 50 of 100 in the one before: the second share is larger."
    yield variant(twin, f"{at}/outside", why, "ALN-5/one-less", rows=rows(50), **WARNED)
    at = "aln/equal-shares"
    same = [[5, 9]] * 102
    why = "All nuclei are alike and hold every token: no neighbour is better than the entry itself."
    twin = _file(f"{at}/inside", why, [row(same, [5] * 102)], requirements=("ALN-5", "CHK-2"), twin=f"{at}/outside")
    yield twin
    why = "The first and the last nucleus do not hold their tokens: 100 of 102 do, and 100 of 101 of those before."
    ends = [row([[8, 9], *same[:100], [8, 9]], [5] * 102)]
    yield variant(twin, f"{at}/outside", why, "ALN-5/nucleus-without", rows=ends, **WARNED)


def _pairs() -> Iterator[Draft]:
    """Predecessors are those of the same row; tokens of all files count."""
    at = "aln/rows"
    found = nuclei(at, 120)
    taken = ids(found, mostly(BEFORE, 120))
    why = "Rows of one token each: nobody has a predecessor, although ids stand in the nucleus of the row before."
    single = [row([top], [identifier]) for top, identifier in zip(found, taken, strict=True)]
    twin = _file(f"{at}/single", why, single, requirements=("ALN-5", "CHK-2"), twin=f"{at}/joined")
    yield twin
    why = "The same tokens in one row."
    yield variant(twin, f"{at}/joined", why, "ALN-5/one-row", rows=[row(found, taken)], **WARNED)

    def folder(of: int) -> Folder:
        parts = {f"data/part-{part}": Stored(_one(f"{at}/{part}", mostly(of, 60)), facts()) for part in range(2)}
        return Folder(dict(parts))

    features = (*DATASET, *IDS)
    twin = accept(
        f"{at}/two-files-sound", "Two files of 60 tokens in their own nuclei.", folder(OWN), features=features
    )
    yield twin
    why = "Two files of 60 shifted tokens: neither has 100 predecessors, both together have 118."
    yield broken(twin, f"{at}/two-files", why, "ALN-5/shifted", folder(BEFORE), **WARNED)


def _declared() -> Iterator[Draft]:
    """ALN-6."""
    at = "aln/declared"
    twin = sound(f"{at}/predicts", "The alignment is declared to be predicts.")
    yield twin
    for alignment in ("follows", "unspecified"):
        why = f"The alignment is declared to be {alignment}: a consumer has to act on it."
        now = {**metadata_of(stored(twin)), "alignment": alignment}
        yield variant(twin, f"{at}/{alignment}", why, "ALN-6/declared", embedded=now, kind=Kind.ACCEPT)
    given = metadata_of(stored(twin))
    core = replace(stored(twin), metadata=None)
    option = accept(
        f"{at}/by-option/sound", "A Core file under an option that declares predicts.", core, metadata=given
    )
    yield option
    why = "A Core file under an option that declares follows."
    now = {**given, "alignment": "follows"}
    yield broken(option, f"{at}/by-option/follows", why, "ALN-6/declared", core, metadata=now, kind=Kind.ACCEPT)
    core_file = accept(f"{at}/core", "A Core file declares no alignment.", core, requirements=("ALN-6", "CHK-3"))
    yield replace(core_file, twin=f"{at}/follows")
