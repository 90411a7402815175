"""Readers that refuse numbers of stored JSON in some of their forms (RD-5)."""

from __future__ import annotations

import re
from typing import Any

from logitpack import DataError, jsonforms
from logitpack_conformance.adapters.mutants.registry import JSON, mutant
from logitpack_conformance.adapters.mutants.swap import wrap
from logitpack_conformance.model import Role


@mutant(Role.READER, "RD-5", containers=(JSON,))
def minus_zero_refused() -> None:
    """A zero that is written -0 is no integer."""

    def line(original: Any, number: int, text: str) -> Any:
        if re.search(r"[\[ ]-0[,\]]", text):
            raise DataError("-0 is no integer", requirement="COL-2")
        return original(number, text)

    wrap(jsonforms.parse_line, line)
