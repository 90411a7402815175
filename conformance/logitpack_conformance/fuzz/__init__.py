"""Generated examples: `--fuzz N --seed S`.

Strategy: `examples` draws recipes with Hypothesis from the public strategies, `recipe` makes cases of them by the
oracle, `conduct` sends them like any other case and lets the same judges judge; `shrink` makes what fails small across
the process boundary, and `failures` saves it as fixtures.
"""

from __future__ import annotations

from .conduct import FOLDER, Fuzzed, fuzz
from .failures import Failure

__all__ = ["FOLDER", "Failure", "Fuzzed", "fuzz"]
