"""Logsumexps that nothing can add up to: LSE-2 and LSE-3."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from logitpack_conformance.oracle.logical import LogicalEntries
from logitpack_conformance.rows import described

from .bases import edited, sound, stored
from .draft import Draft, Stored, accept, broken
from .masses import COUNTS, file_of, stride_of, token_of
from .spots import FIRST, LAST, put_logsumexp
from .spread import altered, metadata_of, second_file, under_option


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _too_small()
    yield from _too_large()


def _too_small() -> Iterator[Draft]:
    """LSE-2."""
    at, fault, flags = "lse/small", "LSE-2/too-small", ("LSE_TOO_SMALL",)
    twin = sound(f"{at}/sound", "Each logsumexp is above that of the stored entries.", counts=COUNTS, vocab=90_000)
    yield twin
    lower = -1.5
    why = "The first logsumexp is 1.5 too small: stored probabilities add up to 4."
    yield edited(twin, f"{at}/first-token", why, fault, put_logsumexp(FIRST, lambda x: x + lower), flags=flags)
    why = "The last logsumexp is 0.5 too small."
    yield edited(twin, f"{at}/last-token", why, fault, put_logsumexp(LAST, lambda x: x - 0.5), flags=flags)
    why = "A logsumexp of 0 beside raw logits, as where log-probabilities were expected."
    yield edited(twin, f"{at}/zero", why, fault, put_logsumexp((1, 0), lambda _: 0.0), flags=flags)
    why = "A logsumexp that is far below every logit."
    yield edited(twin, f"{at}/lowest", why, fault, put_logsumexp(LAST, lambda _: -1e308), flags=flags)
    core = sound(f"{at}/core-sound", "Logsumexps of a Core file.", counts=COUNTS, core=True)
    yield core
    why = "A logsumexp of a Core file is too small: no metadata are needed to see it."
    yield edited(core, f"{at}/core", why, fault, put_logsumexp(LAST, lambda x: x + lower), flags=flags)
    heavy = token_of([0.25, 0.2, 0.15], (0.15, 0.1), 3.0)
    content = replace(file_of([heavy], 0.5), metadata=None)
    why = "The tail holds a quarter of the mass, and logsumexp counts it."
    tail = accept(f"{at}/heavy-tail-sound", why, content)
    yield tail
    why = "Logsumexp was computed over the nucleus alone, while the tail holds a quarter of the mass."
    over = round(math.log(0.6), 9) + 3.0
    yield edited(tail, f"{at}/heavy-tail", why, fault, put_logsumexp((0, 0), lambda _: over), flags=flags)
    probabilities = replace(file_of([token_of([0.6, 0.35], logsumexp=0.0)], 0.9), metadata=None)
    why = "Logits that are logarithms of probabilities, with a logsumexp of 0: raw logits of another kind of head."
    zero = accept(f"{at}/log-probabilities", why, probabilities)
    yield zero
    why = "Logarithms of probabilities with a negative logsumexp: they add up to more than 1."
    yield edited(zero, f"{at}/negative", why, fault, put_logsumexp((0, 0), lambda _: -0.25), flags=flags)
    last = put_logsumexp(LAST, lambda x: x + lower)
    why = "A logsumexp of the second file is too small."
    yield from second_file(at, why, fault, last, counts=COUNTS)


def _too_large() -> Iterator[Draft]:
    """LSE-3."""
    at, fault, flags = "lse/large", "LSE-3/too-large", ("LSE_TOO_LARGE",)
    twin = sound(f"{at}/sound", "Each logsumexp is one that the vocabulary can add up to.", counts=COUNTS, vocab=32_000)
    nucleus = {"rule": "unspecified", "order": "descending"}
    twin = altered(twin, declared={"nucleus": nucleus})
    yield twin
    why = "The first logsumexp is 30 too large: 32,000 entries cannot add up to that."
    yield edited(twin, f"{at}/first-token", why, fault, put_logsumexp(FIRST, lambda x: x + 30), flags=flags)
    why = "The last logsumexp is doubled, as by another base of the logarithm."
    yield edited(twin, f"{at}/last-token", why, fault, put_logsumexp(LAST, lambda x: x * 2.5), flags=flags)
    why = "The largest logsumexp that binary64 holds."
    yield edited(twin, f"{at}/largest", why, fault, put_logsumexp((1, 0), lambda _: 1.7e308), flags=flags)
    why = "A whole vocabulary of five entries is stored, and logsumexp is that of all of them."
    whole = _whole_vocabulary()
    small = accept(f"{at}/whole-vocabulary", why, whole)
    yield small
    why = "A whole vocabulary of five entries is stored, and logsumexp is 0.01 more than they add up to."
    yield edited(
        small, f"{at}/whole-vocabulary-above", why, fault, put_logsumexp((0, 0), lambda x: x + 0.01), flags=flags
    )
    last = put_logsumexp(LAST, lambda x: x + 30)
    yield from second_file(at, "A logsumexp of the second file is too large.", fault, last, counts=COUNTS)
    why = "A logsumexp is larger than the vocabulary of the option can add up to."
    yield from under_option(at, why, fault, last, counts=COUNTS)
    core = sound(f"{at}/core", "A Core file with a huge logsumexp: how wide the vocabulary is, nobody says.", core=True)
    core = altered(core, last, requirements=("LSE-3", "CHK-3"), twin=f"{at}/core-now-declared")
    yield core
    why = "The same file where an option declares the widest vocabulary there is."
    given: Mapping[str, Any] = described(
        vocab_size=262_144, nucleus=nucleus, tail={"num_sampled": stride_of(core), "method": "uniform"}
    )
    yield broken(core, f"{at}/core-now-declared", why, "LSE-3/vocabulary-declared", stored(core), metadata=given)


def _whole_vocabulary() -> Stored:
    token = token_of([0.5, 0.25, 0.125], (0.0625, 0.0625))
    top, tail = LogicalEntries([4, 0, 2], token.top.logits), LogicalEntries([1, 3], token.sampled.logits)
    whole = round(math.log(math.fsum(math.exp(x) for x in [*top.logits, *tail.logits])), 9)
    content = file_of([replace(token, top=top, sampled=tail, logsumexp=whole)], 0.8)
    return replace(content, metadata={**metadata_of(content), "vocab_size": 5})
