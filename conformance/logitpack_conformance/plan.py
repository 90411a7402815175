"""What is to be sent to an adapter: each case, in each role and container that it is for.

Strategy: all of it is listed before anything is sent, in the order of the manifest. What the adapter has not declared
is listed too, with the reason why it is not sent; what the user left out is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from .model import Case, Container, Implementation, Result, Role


class Planned(NamedTuple):
    """One case in one role and container. `skip` says why it is not sent, "" where it is."""

    case: Case
    role: Role
    container: Container | None
    skip: str = ""

    def result(self, status: str, message: str) -> Result:
        """Return the result of a case that was not sent."""
        return Result(self.case, self.role, self.container, status, message=message)


@dataclass(frozen=True)
class Choice:
    """What the user chose; where a part is empty, all. `globs` are over case ids, `*` matches slashes too."""

    globs: Sequence[str] = ()
    roles: Collection[Role] = ()
    containers: Collection[Container] = ()

    def __str__(self) -> str:
        """Return the choice as options of the command line."""
        parts = [f"--case {glob}" for glob in self.globs]
        parts += [f"--roles {','.join(self.roles)}"] if self.roles else []
        parts += [f"--containers {','.join(self.containers)}"] if self.containers else []
        return " ".join(parts)

    def takes(self, planned: Planned) -> bool:
        """Tell whether a case is among those chosen."""
        return (
            (not self.globs or any(fnmatchcase(planned.case.id, glob) for glob in self.globs))
            and (not self.roles or planned.role in self.roles)
            and (not self.containers or planned.container is None or planned.container in self.containers)
        )


def plan(cases: Iterable[Case], implementation: Implementation, choice: Choice | None = None) -> list[Planned]:
    """Return what there is for the roles of an implementation, as far as it was chosen, in the order of the cases."""
    found = [planned for case in cases for planned in _of_case(case, implementation)]
    return found if choice is None else [planned for planned in found if choice.takes(planned)]


def unmatched(cases: Iterable[Case], globs: Iterable[str]) -> list[str]:
    """Return those globs that match no case."""
    ids = [case.id for case in cases]
    return [glob for glob in globs if not any(fnmatchcase(name, glob) for name in ids)]


def _of_case(case: Case, implementation: Implementation) -> Iterator[Planned]:
    for role in case.roles:
        if role in implementation.roles:
            for container in _containers(case, role):
                is_declared = container is None or container in implementation.containers
                yield Planned(
                    case, role, container, "" if is_declared else f"hello does not declare the container {container}"
                )


def _containers(case: Case, role: Role) -> Sequence[Container | None]:
    """Return the containers of a case in a role: a writer is asked for some, others are given files of them."""
    if role is Role.EXTRACTOR:
        return [None]
    wanted = case.containers if role is Role.WRITER else case.materials
    return [container for container in Container if container in wanted]
