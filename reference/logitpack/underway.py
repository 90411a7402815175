"""A file on its way through the checker: what its parts have come to so far.

Strategy: parts are added up in the order of the file, and those that come early wait, so that the sum is the same
whoever was done first.
"""

from __future__ import annotations

from logitpack.errors import UsageError
from logitpack.report import Findings
from logitpack.summaries import Summary
from logitpack.tasks import Outcome, Task
from logitpack.urls import shown
from logitpack.verdicts import Checked


class UnderWay:
    """A file on its way. `error` is why it cannot be read; `restored`, that an earlier run has checked it."""

    def __init__(self, task: Task, size: int) -> None:
        """Begin with a file of `size` bytes, of which the first task is given."""
        self.task, self.size = task, size
        self.checked = Checked(shown(task.path), Summary(Findings(task.places)))
        self.error: UsageError | None = None
        self.restored = False
        self._parts, self._next = 1, 0
        self._early: dict[int, Summary] = {}

    @property
    def done(self) -> bool:
        """Whether the file was judged to its end, or to where it breaks off."""
        return self.error is None and (
            self.restored or self._next == self._parts or self.checked.summary.ended is not None
        )

    @property
    def over(self) -> bool:
        """Whether nothing more is to be read of it."""
        return self.done or self.error is not None

    @property
    def begun(self) -> bool:
        """Whether some of it was judged, but not all."""
        return not self.over and self._next > 0

    def come(self) -> tuple[int, float, int]:
        """Tell how far it has come: files, bytes, tokens."""
        size = self.size if self.over else self.part_size * (self._next + len(self._early))
        early = sum(summary.tokens for summary in self._early.values())
        return int(self.over), size, self.checked.summary.tokens + early

    @property
    def part_size(self) -> float:
        """Bytes of a part, on average."""
        return self.size / self._parts

    def accept(self, number: int, outcome: Outcome) -> None:
        """Take what part `number` has come to."""
        checked, summary = self.checked, self.checked.summary
        header = outcome.header
        if header is not None:
            self._parts = 1 + len(outcome.left)
            checked.metadata, checked.described = header.metadata, header.described
            checked.comparable, checked.types = header.comparable, header.types
            checked.findings.add_all(header.findings, rows=0)
        self._early[number] = outcome.summary
        while self._next in self._early:
            summary.add(self._early.pop(self._next))
            self._next += 1
        if self.done:
            _conclude(checked)

    def restore(self, checked: Checked) -> None:
        """Take what an earlier run has found in it."""
        self.checked, self.restored = checked, True


def _conclude(file: Checked) -> None:
    """FILE-1, FILE-3 where the file breaks off; else FILE-5, and FILE-4 where that holds."""
    summary = file.summary
    if summary.ended is not None:
        file.findings.add_error(summary.ended)
    elif summary.broken is not None:
        file.findings.add("FILE-1", "a page does not match its checksum", summary.broken)
    elif summary.unchecked is not None:
        file.findings.add("FILE-4", "a page has no checksum", summary.unchecked)
