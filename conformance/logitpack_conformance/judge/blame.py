"""Which requirements an answer breaks where the answer as a whole is the wrong one, and how a verdict puts it.

Strategy: what the case is evidence for, as far as the role can break it; else the requirement of section 14 by which
the role has to accept, to reject or to report at all. What an adapter said is repeated in one short line, its control
characters escaped.
"""

from __future__ import annotations

from collections.abc import Iterable

from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.model import Case, Kind, Response, Role, Verdict

ACCEPTING = {Role.READER: "RD-5", Role.WRITER: "WR-5", Role.CHECKER: "CHK-1", Role.EXTRACTOR: "ALN-2"}
REFUSING = {Role.READER: "RD-1", Role.WRITER: "WR-1", Role.CHECKER: "CHK-1", Role.EXTRACTOR: "ALN-2"}
"""What a role breaks by the wrong answer to a case that names nothing which the role can break."""
LONGEST_QUOTE = 200
"""Characters of a stranger's text that are repeated."""

PASSED = Verdict(passed=True)


def blamed(case: Case, role: Role) -> tuple[str, ...]:
    """Return the requirements that a wrong answer to a case breaks."""
    own = tuple(name for name in case.requirements if role in BREAKABLE.get(name, ()))
    default = REFUSING if case.kind in {Kind.REJECT, Kind.REFUSE} else ACCEPTING
    return own or (default[role],)


def failed(message: str, broken: Iterable[str]) -> Verdict:
    """Return a verdict of failure; a requirement that stands in `broken` twice is taken once."""
    return Verdict(passed=False, message=message, broken=tuple(dict.fromkeys(broken)))


def said(response: Response) -> str:
    """Say in one line what came back."""
    return f"{response.outcome}: {quoted(response.message)}" if response.message else response.outcome


def quoted(text: object) -> str:
    """Return a stranger's text between quotes, cut to a bound, without anything that is not printed."""
    whole = str(text)
    cut = whole[:LONGEST_QUOTE]
    return ascii(cut) + ("..." if len(whole) > len(cut) else "")
