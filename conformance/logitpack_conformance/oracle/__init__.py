"""A second reading of SPEC.md, written from its text alone, in exact arithmetic.

The oracle is slow and plain. Numbers are `fractions.Fraction`, indices are Python integers, and the two
transcendental functions that the text needs are enclosed in intervals of a width below 1e-50 nats. It shares no
code with the codec, so that a slip in one of the two shows as a difference between them.

Strategy: `load` turns any container into plain Python rows, `columns`, `structure` and `semantics` judge one row in
the order of the conditions table (CHK-3), `dataset` judges what only several rows together can show.
"""

from __future__ import annotations

from .finding import Finding
from .load import judge_path
from .rows import judge_row

__all__ = ["Finding", "judge_path", "judge_row"]
