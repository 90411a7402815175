"""Masses that are not what is declared: NUC-4, NUC-5 and NUC-6."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, decode, encode
from logitpack_conformance.rows import Row, copied, described

from .bases import edited, sound, stored, variant
from .draft import Draft, Stored, accept, broken
from .sizes import grown
from .spots import FIRST, LAST, Change, Spot, picked, retold, with_entries
from .spread import altered, metadata_of, second_file, under_option

COUNTS = ((3, 2), (1,), (2, 1, 4))
VOCAB = 50_000


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _covers()
    yield from _crossing()
    yield from _limits()
    yield from _too_much()
    yield from _below()


def cut(spot: Spot) -> Change:
    """Return what drops the last entry of a nucleus."""

    def shorter(part: LogicalEntries) -> LogicalEntries:
        return picked(part, list(range(len(part.indices) - 1)))

    return retold(spot, lambda token: with_entries(token, "top", shorter))


def cut_all(rows: list[Row]) -> None:
    """Drop the last entry of each nucleus of two and more."""
    for number in range(len(rows)):
        for token, count in enumerate(rows[number]["top_counts"]):
            if count > 1:
                cut((number, token))(rows)


def token_of(masses: Sequence[float], tail: Sequence[float] = (1e-6, 2e-6), logsumexp: float = 10.0) -> LogicalToken:
    """Return a token whose nucleus and tail entries have these probabilities, to some 2^-16."""

    def of(values: Sequence[float], first: int) -> LogicalEntries:
        logits = [Fraction(round((logsumexp + math.log(p)) * 65536), 65536) for p in values]
        return LogicalEntries([first + 7 * i for i in range(len(values))], logits)

    return LogicalToken(logsumexp, of(masses, 11), of(tail, 40_000))


def file_of(tokens: Sequence[LogicalToken], top_p: float, rule: str = "covering", max_entries: int = 100) -> Stored:
    """Return a file of one row, S = 2, described as it is."""
    nucleus = {"top_p": top_p, "max_entries": max_entries, "rule": rule, "order": "descending"}
    metadata = described(vocab_size=VOCAB, nucleus=nucleus, tail={"num_sampled": 2, "method": "unspecified"})
    return Stored([encode(tokens)], metadata)


def _covers() -> Iterator[Draft]:
    """NUC-4."""
    at, fault, flags = "nuc/covers", "NUC-4/crossing-entry-dropped", ("CROSSING_DROPPED",)
    twin = sound(f"{at}/sound", "Nuclei that hold top_p and no more than they need.", counts=COUNTS, vocab=90_000)
    yield twin
    why = "The first nucleus lacks the entry that crosses top_p."
    yield edited(twin, f"{at}/first-token", why, fault, cut(FIRST), flags=flags)
    why = "The last nucleus lacks the entry that crosses top_p."
    yield edited(twin, f"{at}/last-token", why, fault, cut(LAST), flags=flags)
    why = "Every nucleus of two or more lacks the entry that crosses top_p: rule below passed off as covering."
    yield edited(twin, f"{at}/everywhere", why, fault, cut_all, flags=flags)
    why = "A nucleus of the second file falls short of top_p."
    yield from second_file(at, why, fault, cut(LAST), counts=COUNTS)
    yield from under_option(at, "A nucleus falls short of the top_p of the option.", fault, cut(LAST), counts=COUNTS)
    for slug, members in (("core", {}), ("unspecified", {"rule": "unspecified"})):
        options: dict[str, Any] = {"counts": COUNTS, "core": not members, "vocab": 90_000, "top_p": 0.9}
        place = "file of rule unspecified" if members else "Core file"
        why = f"Nuclei that hold less than 0.9, in a {place}: nothing says that they should hold it."
        free = altered(sound(f"{at}/{slug}", why, **options), cut_all, requirements=("NUC-4", "CHK-3"))
        given = described(
            vocab_size=90_000, nucleus=_NUCLEUS, tail={"num_sampled": stride_of(free), "method": "uniform"}
        )
        if members:
            free = altered(free, declared={**given, "nucleus": members})
        free = replace(free, twin=f"{at}/{slug}-now-declared")
        yield free
        why = "The same rows where the rule covering and 0.9 are declared."
        if members:
            yield variant(free, f"{at}/{slug}-now-declared", why, "NUC-4/rule-declared", embedded=given)
        else:
            yield broken(free, f"{at}/{slug}-now-declared", why, "NUC-4/rule-declared", stored(free), metadata=given)


_NUCLEUS = {"top_p": 0.9, "max_entries": 100, "rule": "covering"}


def stride_of(draft: Draft) -> int:
    """Return the S of a file of stored rows."""
    row = stored(draft).rows[0]
    return int(len(row["sampled_indices_low"]) // row["num_tokens"])


def _crossing() -> Iterator[Draft]:
    """NUC-4 and NUC-6 on p = 0.50, 0.49, the rest: the entry that crosses 0.98 holds half of the mass."""
    at, flags = "nuc/crossing", ("CROSSING_DROPPED",)
    full, half, plain = token_of([0.5, 0.49]), token_of([0.5]), token_of([0.99])
    why = "p = 0.50 and 0.49: rule covering 0.98 keeps both."
    twin = accept(f"{at}/covering", why, file_of([plain, full], 0.98))
    yield replace(twin, requirements=("NUC-4",), twin=f"{at}/covering-dropped")
    why = "p = 0.50 and 0.49: the nucleus holds 0.50 of the 0.98 that it claims to cover."
    yield broken(
        twin,
        f"{at}/covering-dropped",
        why,
        "NUC-4/crossing-entry-dropped",
        file_of([plain, half], 0.98),
        flags=flags,
    )
    why = "p = 0.50 and 0.49: rule below 0.98 keeps 0.50, and at least one entry where that alone holds more."
    twin = accept(f"{at}/below", why, file_of([plain, half], 0.98, "below"))
    yield replace(twin, requirements=("NUC-6",), twin=f"{at}/below-kept")
    why = "p = 0.50 and 0.49: the nucleus holds 0.99, above the 0.98 that rule below allows."
    content = file_of([plain, full], 0.98, "below")
    yield broken(twin, f"{at}/below-kept", why, "NUC-6/crossing-entry-kept", content)


def _limits() -> Iterator[Draft]:
    """NUC-4 at its limits: the cap, top_p = 1, a single entry."""
    at, fault = "nuc/covers", "NUC-4/short"
    why = "The cap of two entries is reached at a mass of 0.6: no more could be kept, whatever top_p is."
    twin = accept(f"{at}/cap-reached", why, file_of([token_of([0.3, 0.3])], 0.98, max_entries=2))
    yield replace(twin, requirements=("NUC-4", "CHK-3"), twin=f"{at}/below-cap")
    why = "One entry of 0.3, where two were allowed and 0.98 was asked for."
    yield broken(twin, f"{at}/below-cap", why, fault, file_of([token_of([0.3])], 0.98, max_entries=2))
    why = "top_p = 1: the nucleus holds all but a millionth, which rounding makes 1."
    twin = accept(f"{at}/all", why, file_of([token_of([0.9, 0.08, 0.019999], (1e-9, 2e-9))], 1.0))
    yield replace(twin, requirements=("NUC-4", "CHK-2"), twin=f"{at}/not-all")
    why = "top_p = 1: the nucleus lacks 1 % of the mass."
    content = file_of([token_of([0.9, 0.08, 0.01], (1e-9, 2e-9))], 1.0)
    yield broken(twin, f"{at}/not-all", why, fault, content)
    why = "A single entry that holds 0.95 of a top_p of 0.9."
    twin = accept(f"{at}/single-entry", why, file_of([token_of([0.95]), token_of([0.5, 0.45])], 0.9))
    yield replace(twin, requirements=("NUC-4",), twin=f"{at}/single-entry-short")
    why = "A single entry that holds 0.85 of a top_p of 0.9."
    content = file_of([token_of([0.85]), token_of([0.5, 0.45])], 0.9)
    yield broken(twin, f"{at}/single-entry-short", why, fault, content)
    why = "A single entry that is the whole distribution: logsumexp is its logit."
    sole = accept(f"{at}/whole-mass", why, file_of([token_of([1.0], (1e-12, 1e-13))], 1.0))
    yield replace(sole, requirements=("NUC-4", "NUC-5", "LSE-2"), twin=f"{at}/single-entry-short")


def _too_much() -> Iterator[Draft]:
    """NUC-5."""
    at, fault, flags = "nuc/no-more", "NUC-5/entry-too-many", ("OVERFULL",)
    twin = sound(f"{at}/sound", "Nuclei that end with the entry that crosses top_p.", counts=COUNTS, vocab=128_256)
    yield twin
    why = "The first nucleus has an entry after the one that crosses top_p."
    yield edited(twin, f"{at}/first-token", why, fault, grown(FIRST), flags=flags)
    why = "The last nucleus has an entry after the one that crosses top_p."
    yield edited(twin, f"{at}/last-token", why, fault, grown(LAST), flags=flags)
    why = "A nucleus of one entry that crosses top_p by itself has got a second one."
    yield edited(twin, f"{at}/single-entry", why, fault, grown((1, 0)), flags=flags)
    why = "Metadata declare half the top_p that the nuclei were cut by."
    declared = metadata_of(stored(twin))
    nucleus = declared["nucleus"]
    lower = {**declared, "nucleus": {**nucleus, "top_p": nucleus["top_p"] / 2}}
    yield variant(twin, f"{at}/lower-declared", why, "NUC-5/lower-declared", embedded=lower)
    why = "A nucleus of the second file is larger than it needs to be."
    yield from second_file(at, why, fault, grown(LAST), counts=COUNTS)
    why = "A nucleus is larger than the top_p of the option needs."
    yield from under_option(at, why, fault, grown(LAST), counts=COUNTS)


def restored(spot: Spot, rows: Sequence[Row]) -> Change:
    """Return what puts a token back as it is in other rows."""

    def apply(changed: list[Row]) -> None:
        token = decode(rows[spot[0]])[spot[1]]
        retold(spot, lambda _: token)(changed)

    return apply


def _below() -> Iterator[Draft]:
    """NUC-6."""
    at, fault, flags = "nuc/below", "NUC-6/crossing-entry-kept", ("OVERFULL",)
    seed = sound(f"{at}/sound", "Nuclei that stay below top_p, or are one entry.", counts=COUNTS, vocab=90_000)
    rows = copied(stored(seed).rows)
    nucleus = {**metadata_of(stored(seed))["nucleus"], "rule": "below"}
    twin = altered(seed, cut_all, declared={"nucleus": nucleus})
    yield twin
    why = "The first nucleus has the entry that crosses top_p."
    yield edited(twin, f"{at}/first-token", why, fault, restored(FIRST, rows), flags=flags)
    why = "The last nucleus has the entry that crosses top_p."
    yield edited(twin, f"{at}/last-token", why, fault, restored(LAST, rows), flags=flags)
    why = "Nuclei that were cut by rule covering are declared to stay below."
    yield variant(twin, f"{at}/everywhere", why, fault, rows=rows, flags=flags)
    given = {**metadata_of(stored(twin))}
    core = replace(stored(twin), metadata=None)
    option = accept(f"{at}/by-option/sound", "A Core file that meets the rule of the option.", core, metadata=given)
    yield option
    why = "A nucleus holds more than the option's rule below allows."
    content = replace(core, rows=[*core.rows[:2], rows[2]])
    yield broken(option, f"{at}/by-option/fault", why, fault, content, metadata=given, requirements=("NUC-6", "CHK-1"))
