"""Checkers without the tolerances of section 14.3, or with others (CHK-2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from logitpack import entries, masses, semantics
from logitpack.entries import Sound
from logitpack_conformance.adapters.mutants.registry import PARQUET, mutant
from logitpack_conformance.adapters.mutants.swap import put, wrap, wrap_method
from logitpack_conformance.model import Role

CHECKER = Role.CHECKER


@mutant(CHECKER, "CHK-2")
def no_tolerance_for_logits() -> None:
    """Decoded logits are taken for the true ones."""
    put(entries, "LOGIT_TOLERANCE", 0.0)
    put(semantics, "LOGIT_TOLERANCE", 0.0)


@mutant(CHECKER, "CHK-2")
def no_tolerance_for_logsumexp() -> None:
    """A stored logsumexp is taken for the true one."""
    put(entries, "LOGSUMEXP_TOLERANCE", 0.0)


@mutant(CHECKER, "CHK-2")
def tolerance_of_logsumexp_absolute() -> None:
    """The tolerance of a logsumexp does not grow with it."""
    fixed = property(lambda self: np.full(self.logsumexp.shape, 2.0**-16))
    setattr(Sound, "logsumexp_tolerance", fixed)  # noqa: B010  a cached property is not to be assigned


@mutant(CHECKER, "CHK-2")
def tolerance_of_half_a_step() -> None:
    """Logits are allowed half a step, and nothing for the arithmetic of the writer."""
    put(entries, "LOGIT_TOLERANCE", 0.5)
    put(semantics, "LOGIT_TOLERANCE", 0.5)


@mutant(CHECKER, "CHK-2")
def range_not_cut_off_at_its_ends() -> None:
    """The true logit is taken to lie within the tolerance even where that reaches beyond the range."""

    def bound(_: Any, self: Any, code: Any, side: int) -> Any:
        return self.low + code * self.step + side * entries.LOGIT_TOLERANCE * self.step

    wrap_method(entries.Entries, "bound", bound)


@mutant(CHECKER, "CHK-2")
def masses_in_binary32() -> None:
    """Sums of probabilities are rounded to binary32."""

    def mass(original: Any, log_sum_exp: Any, sound: Any, side: int) -> Any:
        return original(log_sum_exp, sound, side).astype(np.float32).astype(np.float64)

    wrap(masses._mass, mass)


# In some places only


@mutant(CHECKER, "CHK-2", containers=(PARQUET,))
def no_allowance_for_own_rounding() -> None:
    """Sums that were evaluated in binary64 are taken for exact."""
    put(masses, "SLACK", 0.0)


@mutant(CHECKER, "CHK-2", containers=(PARQUET,))
def no_allowance_for_own_rounding_of_logits() -> None:
    """Bounds of logits that were evaluated in binary64 are taken for exact."""
    put(masses, "EVALUATION", 0.0)
