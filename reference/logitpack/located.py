"""Breaches at tokens and entries of sound rows, with their places in the file."""

from __future__ import annotations

from collections.abc import Callable

from logitpack.breach import Breach, Detail
from logitpack.entries import Entries, Ints, Sound


def token_breach(
    sound: Sound, requirement: str, column: str, tokens: Ints, describe: Callable[[int], Detail]
) -> list[Breach]:
    """Give the breach at some tokens of the batch, int64, as a list; empty where there are none."""
    if tokens.size == 0:
        return []
    rows = sound.row_of_token[tokens]
    inside = tokens - sound.row_offsets[rows]
    return [Breach(requirement, column, sound.row_numbers[rows], describe, tokens=inside)]


def entry_breach(
    sound: Sound, requirement: str, entries: Entries, part: str, at: Ints, describe: Callable[[int], Detail]
) -> list[Breach]:
    """Give the breach at some entries, places in their flat arrays, as a list; empty where there are none."""
    if at.size == 0:
        return []
    tokens = entries.tokens_of(at)
    rows = sound.row_of_token[tokens]
    return [
        Breach(
            requirement,
            f"{entries.kind}_{part}",
            sound.row_numbers[rows],
            describe,
            tokens=tokens - sound.row_offsets[rows],
            entries=at - entries.offsets[tokens],
        )
    ]
