"""The semantic requirements on one token: kind M of sections 7 to 11.

Strategy: the table of tolerances in section 14.3, line by line, in exact numbers; masses are compared as logarithms. An
inequality counts as broken only where it is broken by more than the text leaves to a checker's own rounding, and only
where the enclosures of exp and log leave no doubt (CHK-2).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from . import binary32
from .enclosure import log, log_sum_exp
from .finding import Finding, known
from .metadata import Metadata
from .tokens import Entries, Token

OWN = Fraction(1, 10**9)
"""A checker's allowance: absolute on a logarithm, relative on a mass."""
OWN_LOGIT = Fraction(1, 2**40)
"""The same where two logits are compared: relative to the larger magnitude."""
MOST_ENTRIES = 100
"""The largest nucleus where `max_entries` is not declared (NUC-8)."""


def judge_token(token: Token, meta: Metadata | None) -> list[Finding]:
    """All semantic requirements on one token, under their conditions."""
    found = [*_indices(token, meta), *_codes(token, meta), *_sets(token, meta)]

    def holds(*requirements: str) -> bool:
        return not any(finding.requirement in requirements for finding in found)

    if holds("TAIL-2"):
        found += _top_set(token)
    if holds("NUC-2", "NUC-3", "TAIL-1", "TAIL-2"):
        found += _logsumexp(token, meta)
        if meta is not None and holds("NUC-8", "LSE-2", "LSE-3"):
            found += _mass(token, meta)
    return found


def _exceeds(x: Fraction, y: Fraction, magnitudes: tuple[Fraction, Fraction]) -> bool:
    """Whether a logit is above another by more than a checker's allowance, which goes by the larger magnitude."""
    return x - y > OWN_LOGIT * max(map(abs, magnitudes))


def _indices(token: Token, meta: Metadata | None) -> Iterator[Finding]:
    """IDX-5."""
    if meta is None:
        return
    for name, part in (("top_indices_low", token.top), ("sampled_indices_low", token.sampled)):
        for k, index in enumerate(part.indices):
            if index >= meta.vocab_size:
                yield Finding("IDX-5", f"index {index} of {meta.vocab_size}", None, None, token.number, k, name)


def _codes(token: Token, meta: Metadata | None) -> Iterator[Finding]:
    """QNT-4, QNT-5 and NUC-7."""
    for kind, part in (("top", token.top), ("sampled", token.sampled)):
        low, high = part.range
        if low == high:
            for k, q in enumerate(part.codes):
                if q != 0:
                    column = f"{kind}_logits_quantized"
                    yield Finding("QNT-4", f"code {q} in an empty range", None, None, token.number, k, column)
        elif _is_loose(part):
            message = f"the logits do not reach {float(low)} ... {float(high)}"
            yield Finding("QNT-5", message, None, None, token.number, None, f"{kind}_min")
    codes = token.top.codes
    if meta is not None and meta.order == "descending":
        for k in range(1, len(codes)):
            if codes[k] > codes[k - 1]:
                message = f"code {codes[k]} after {codes[k - 1]}"
                yield Finding("NUC-7", message, None, None, token.number, k, "top_logits_quantized")


def _is_loose(part: Entries) -> bool:
    """QNT-5 broken. That the intervals end at min and max changes neither comparison."""
    low, high = part.range
    above, below = known(binary32.following(low)), known(binary32.preceding(high))
    return _exceeds(min(part.lower), above, part.range) or _exceeds(below, max(part.upper), part.range)


def _sets(token: Token, meta: Metadata | None) -> Iterator[Finding]:
    """NUC-8, NUC-2, TAIL-1 and TAIL-2."""
    top, sampled = token.top.indices, token.sampled.indices
    limit = MOST_ENTRIES if meta is None or meta.max_entries is None else meta.max_entries
    if len(top) > limit:
        yield Finding("NUC-8", f"{len(top)} entries of {limit}", token=token.number, column="top_counts")
    if len(set(top)) < len(top):
        yield Finding("NUC-2", "an index occurs twice", token=token.number, column="top_indices_low")
    if len(set(sampled)) < len(sampled):
        yield Finding("TAIL-1", "an index occurs twice", token=token.number, column="sampled_indices_low")
    if set(top) & set(sampled):
        both = sorted(set(top) & set(sampled))
        yield Finding("TAIL-2", f"{both} also in the nucleus", token=token.number, column="sampled_indices_low")


def _top_set(token: Token) -> Iterator[Finding]:
    """NUC-3."""
    tail, nucleus = max(token.sampled.lower), min(token.top.upper)
    if _exceeds(tail, nucleus, (tail, nucleus)):
        yield Finding("NUC-3", "a tail logit exceeds the nucleus", token=token.number, column="sampled_max")


def _logsumexp(token: Token, meta: Metadata | None) -> Iterator[Finding]:
    """LSE-2 and LSE-3."""
    least = log_sum_exp(token.top.lower + token.sampled.lower)
    if token.logsumexp + token.tau < least.low - OWN:
        message = f"{float(token.logsumexp)} is below {float(least.low)}"
        yield Finding("LSE-2", message, None, None, token.number, None, "logsumexp")
    if meta is None:
        return
    rest = max(0, meta.vocab_size - len(token.top.codes) - len(token.sampled.codes))
    most = log_sum_exp(token.top.upper + token.sampled.upper, rest, min(token.top.upper))
    if token.logsumexp - token.tau > most.high + OWN:
        message = f"{float(token.logsumexp)} is above {float(most.high)}"
        yield Finding("LSE-3", message, None, None, token.number, None, "logsumexp")


def _mass(token: Token, meta: Metadata) -> Iterator[Finding]:
    """NUC-4, NUC-5 and NUC-6."""
    count = len(token.top.codes)
    if meta.rule == "unspecified":
        return
    limit, wanted = known(meta.max_entries), known(meta.top_p)
    top_p, more, less = log(wanted), log(1 + OWN), log(1 - OWN)
    most = log_sum_exp(token.top.upper).plus(token.tau - token.logsumexp)
    least = log_sum_exp(token.top.lower).plus(-token.tau - token.logsumexp)

    def broken(requirement: str, message: str) -> Finding:
        return Finding(requirement, f"{message} of top_p {float(wanted)}", token=token.number)

    if meta.rule == "covering":
        if most.high + more.high < top_p.low and count < limit:
            yield broken("NUC-4", "the nucleus falls short")
        if count > 1:
            smallest = token.top.codes.index(min(token.top.codes))
            others = token.top.lower[:smallest] + token.top.lower[smallest + 1 :]
            without = log_sum_exp(others).plus(-token.tau - token.logsumexp)
            if without.low + less.low >= top_p.high:
                yield broken("NUC-5", "the nucleus without its smallest entry is not short")
    elif least.low + less.low > top_p.high and count > 1:
        yield broken("NUC-6", "the nucleus exceeds the mass")
