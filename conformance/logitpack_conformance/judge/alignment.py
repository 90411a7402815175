"""Which position of the sequence each token of a row was filled from: ALN-1 and ALN-2.

Strategy: where all entries of a token are the raw logits of the position they belong to, it is aligned. Where not, the
other positions are tried; one at which all entries fit betrays a shift, or another order. A token that fits nowhere is
left to the judgement of its logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .breach import Breach
from .distribution import Distribution, Output
from .output import Entries, Token


def judge_alignment(tokens: Sequence[Token], expected: Sequence[int], output: Output) -> Iterator[Breach]:
    """Hold the tokens of a row against the positions `expected` that they are to be filled from, in order.

    Nothing else can be said of a row for which this finds a breach.
    """
    looked_at = tokens[: 2 * len(expected) + 1]  # of a flood, as many as tell
    origins = [origin(token, expected[i] if i < len(expected) else None, output) for i, token in enumerate(looked_at)]
    if len(tokens) != len(expected):
        yield Breach("ALN-2", f"{len(tokens)} tokens, {len(expected)} are masked")
        if not all(found is None or found in expected for found in origins):
            yield Breach("ALN-1", "tokens are filled from positions that predict none of those masked")
        return
    pairs = [(i, found, due) for i, (found, due) in enumerate(zip(origins, expected, strict=True)) if found is not None]
    wrong = [(i, found, due) for i, found, due in pairs if found != due]
    if not wrong:
        return
    token, found, due = wrong[0]
    message = f"filled from the output at position {found}, not at {due}"
    is_shift = len({found - due for _, found, due in wrong}) == 1
    is_reordered = sorted(found for _, found, _ in pairs) == sorted(due for _, _, due in pairs)
    yield Breach("ALN-2" if is_reordered and not is_shift else "ALN-1", message, token)


def origin(token: Token, expected: int | None, output: Output) -> int | None:
    """Return the position whose raw logits the entries of a token are: the expected one, else the first that fits."""
    others = [position for position in range(output.positions) if position != expected]
    for position in others if expected is None else [expected, *others]:
        if fits(token, output[position]):
            return position
    return None


def fits(token: Token, distribution: Distribution) -> bool:
    """Whether the logits of all entries are the raw ones of a position, those of indices beyond its width apart."""
    return distribution.is_defined and _fits(token.top, distribution) and _fits(token.sampled, distribution)


def _fits(entries: Entries, distribution: Distribution) -> bool:
    pairs = zip(entries.indices, entries.logits, strict=False)
    inside = [(index, logit) for index, logit in pairs if 0 <= index < len(distribution.logits)]
    return all(distribution.is_raw(index, logit) for index, logit in inside)
