"""Which roles can break which requirement, as far as an adapter's answers can show it.

Strategy: one line for each requirement of SPEC.md, in its order; the self-test needs a killed mutant for each pair of a
MUST and a role that stands here, and the coverage page lists the same pairs.

- A reader breaks a structural requirement by accepting a file that breaks it (RD-1), a semantic one never: it may
  accept those. IDX-4 and ALN-4 say what a reader does with a row that breaks them, and so it can get that wrong.
- A checker breaks what a file can break by not reporting it (CHK-1), at level SHOULD too.
- A writer breaks what its output can break (WR-1): by its own slip, or by writing what it is to refuse.
- An extractor answers in logical JSON, and breaks what can be seen there beside the dense logits. A wrong logsumexp is
  LSE-4, a tail of another length TAIL-4.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .model import Role

_R, _W, _C, _X = Role.READER, Role.WRITER, Role.CHECKER, Role.EXTRACTOR

BREAKABLE: Mapping[str, tuple[Role, ...]] = MappingProxyType(
    {
        "FILE-1": (_R, _W, _C),
        "FILE-3": (_R, _W, _C),
        "FILE-4": (_C,),
        "FILE-5": (_C,),
        "FILE-2": (_C,),
        "JSON-1": (_R, _W, _C),
        "JSON-2": (_R, _W, _C),
        "COL-1": (_R, _W, _C),
        "COL-2": (_R, _W, _C),
        "COL-3": (_R, _W, _C),
        "COL-4": (_R,),
        "COL-5": (_C,),
        "COL-6": (),
        "ROW-1": (_R, _W, _C),
        "ROW-2": (_R, _W, _C),
        "ROW-3": (_R, _W, _C),
        "ROW-4": (_R, _W, _C),
        "ROW-5": (_W, _C),
        "IDX-1": (_R, _W, _C),
        "IDX-2": (_R, _W),
        "IDX-3": (_R, _W, _C),
        "IDX-4": (_R, _W, _C),
        "IDX-5": (_W, _C, _X),
        "IDX-6": (_W,),
        "QNT-1": (_R, _W, _C),
        "QNT-8": (_R, _W, _C),
        "QNT-2": (_R,),
        "QNT-3": (_W,),
        "QNT-11": (_W,),
        "QNT-4": (_W, _C),
        "QNT-5": (_C,),
        "QNT-6": (_W,),
        "QNT-7": (_X,),
        "QNT-9": (_X,),
        "QNT-10": (_X,),
        "QNT-12": (_X,),
        "NUC-1": (_R, _W, _C, _X),
        "NUC-8": (_W, _C, _X),
        "NUC-2": (_W, _C, _X),
        "NUC-3": (_W, _C, _X),
        "NUC-4": (_W, _C, _X),
        "NUC-5": (_W, _C, _X),
        "NUC-6": (_W, _C, _X),
        "NUC-7": (_W, _C, _X),
        "TAIL-1": (_W, _C, _X),
        "TAIL-2": (_W, _C, _X),
        "TAIL-3": (_C, _X),
        "TAIL-4": (_W, _C, _X),
        "LSE-1": (_R, _W, _C),
        "LSE-2": (_W, _C),
        "LSE-3": (_W, _C),
        "LSE-4": (_X,),
        "ALN-1": (_X,),
        "ALN-2": (_X,),
        "ALN-3": (_X,),
        "ALN-4": (_R, _W, _C),
        "ALN-5": (_C,),
        "ALN-6": (_C,),
        "META-1": (_W, _C),
        "META-7": (_W, _C),
        "META-2": (_R, _C),
        "META-3": (_R,),
        "META-4": (_R,),
        "META-5": (),
        "META-6": (_R,),
        "RD-1": (_R,),
        "RD-2": (_R,),
        "RD-3": (_R,),
        "RD-4": (_R,),
        "RD-5": (_R,),
        "WR-1": (_W,),
        "WR-2": (_W,),
        "WR-3": (_W,),
        "WR-4": (_W,),
        "WR-5": (_W,),
        "WR-6": (_W,),
        "CHK-1": (_C,),
        "CHK-2": (_C,),
        "CHK-3": (_C,),
    }
)
"""Requirement to the roles that can break it, in the order of SPEC.md. Those without a role stand in NOBODY."""

NOBODY: Mapping[str, str] = MappingProxyType(
    {
        "COL-6": "no role rewrites a dataset, so nobody can be asked to",
        "META-5": "a writer may be given no metadata; leaving out what it was given is reported as advice",
    }
)
"""Why a requirement has no role that can break it."""

NOT_BY_WRITERS: Mapping[str, str] = MappingProxyType(
    {
        "FILE-2": "a writer writes one file a request",
        "FILE-4": "level SHOULD: reported as advice, never a failure",
        "COL-5": "level SHOULD: reported as advice, never a failure",
        "QNT-5": "level SHOULD: reported as advice, never a failure",
        "TAIL-3": "level SHOULD, and whoever drew the tail answers for it",
        "ALN-5": "level SHOULD, and whoever made the rows answers for it",
        "ALN-6": "level SHOULD, and declared by whoever gives the metadata",
    }
)
"""Why a requirement on files is not one that a writer's output is failed for."""
