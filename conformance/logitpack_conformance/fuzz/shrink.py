"""Making a failing example small, one call of the adapter for each step.

Strategy: each smaller recipe is made into a file, sent and judged like any other; where it fails in the same way, it is
the new one, and the steps begin again. No recipe is sent twice. Calls and time are bounded, so that an adapter that
hangs, or fails in another way each time, ends it with what is smallest so far.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .recipe import Recipe


@dataclass
class Budget:
    """What shrinking may take: calls of the adapter, and seconds."""

    calls: int = 1000
    seconds: float = 60.0
    _end: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.calls <= 0 or time.monotonic() >= self._end


def shrink(recipe: Recipe, fails: Callable[[Recipe], bool], budget: Budget) -> Recipe:
    """Return the smallest recipe found that fails; `fails` makes, sends and judges one.

    Raises what `fails` raises, but for ValueError: a recipe that cannot be made does not fail.
    """
    seen = {_digest(recipe)}
    place = 0
    while True:
        # What did not help a moment ago will hardly do so now: the steps go on where they were, and round.
        found = _step(recipe, range(place, sys.maxsize), fails, budget, seen)
        found = found or _step(recipe, range(place), fails, budget, seen)
        if found is None:
            return recipe
        place, recipe = found


def _step(
    recipe: Recipe, places: range, fails: Callable[[Recipe], bool], budget: Budget, seen: set[bytes]
) -> tuple[int, Recipe] | None:
    """Return the first smaller recipe that fails, and its place among all of them, or None."""
    size = recipe.size()
    for place, candidate in enumerate(recipe.simpler()):
        if budget.is_spent or place >= places.stop:
            return None
        if place < places.start or candidate.size() >= size:
            continue
        digest = _digest(candidate)
        if digest in seen:
            continue
        seen.add(digest)
        budget.calls -= 1
        try:
            if fails(candidate):
                return place, candidate
        except ValueError:
            budget.calls += 1  # nothing was sent
    return None


def _digest(recipe: Recipe) -> bytes:
    return hashlib.sha256(repr(recipe).encode()).digest()
