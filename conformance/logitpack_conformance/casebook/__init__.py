"""The casebook: what each case of the suite is about, and how its files are made.

Strategy: each module of this package that has a function `drafts` declares the cases of one group; `all_drafts` puts
them together, and tools/fixtures.py makes and proves their files. Nothing here runs when an implementation is judged.
"""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from functools import cache
from importlib import import_module

from .consequences import WITNESSES
from .draft import Draft
from .flags import FLAGS

__all__ = ["FLAGS", "Draft", "all_drafts"]


@cache
def all_drafts() -> tuple[Draft, ...]:
    """Return the drafts of all groups in the order of their ids. Raises ValueError where an id stands twice."""
    found: dict[str, Draft] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for draft in getattr(import_module(module.name), "drafts", tuple)():
            if draft.id in found:
                raise ValueError(f"two drafts are called {draft.id}")
            found[draft.id] = draft
    for name in WITNESSES:
        found[name] = replace(found[name], requirements=(*found[name].requirements, "CHK-3"))
    return tuple(found[name] for name in sorted(found))
