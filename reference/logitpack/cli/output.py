"""What the command line prints: tables, lists of facts, JSON.

Strategy: a terminal gets colour, and lines folded to its width; a pipe gets the same
text plain, one record a line whatever its length, so that grep and awk can work on it. Text
that comes from data is never read as markup, and never reaches a terminal unescaped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from logitpack.errors import printable

UNBOUNDED = 1_000_000
NARROWEST = 8


class Format(StrEnum):
    """How a command prints: for people, or for programs."""

    text = "text"
    json = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, a rich style, and whether its cells stand to the right.

    `fold` lets a narrow terminal break the column's cells; one without is never broken while
    another can give way.
    """

    title: str
    style: str = ""
    right: bool = False
    fold: bool = False


def print_line(text: str = "", style: str = "") -> None:
    """Print `text` as it is: a terminal breaks it between words, a pipe not at all."""
    console = _console()
    _emit(console, Text(printable(text), style=style))


def print_text(text: Text) -> None:
    """Print a line of styled text, one line whatever its length; it is escaped by who made it."""
    console = _console()
    if console.is_terminal:
        console.print(text, soft_wrap=True)
    else:
        _emit(console, text)


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Print rows of cells under the columns' titles."""
    console = _console()
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.title),
            style=column.style,
            justify="right" if column.right else "left",
            no_wrap=not column.fold,
            overflow="fold",
            min_width=NARROWEST if column.fold else None,
        )
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    _emit(console, table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, a pair a line, the values under one another."""
    console = _console()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(printable(str(value))))
    _emit(console, table)


def print_json(document: Any) -> None:
    """Print one JSON document, in ASCII, so that nothing in it can disturb a terminal."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_error(error: object) -> None:
    """Print one line on standard error."""
    console = _console(stderr=True)
    text = Text("error: ", style="bold red")
    text.append(printable(str(error)), style="default not bold")
    console.print(text, soft_wrap=True)


def print_note(text: str) -> None:
    """Print one line on standard error that tells of no error."""
    _console(stderr=True).print(Text(printable(text)), soft_wrap=True)


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _emit(console: Console, content: Text | Table) -> None:
    if console.is_terminal:
        # Where the terminal is narrower than what can be folded, it breaks the lines itself.
        console.width = max(console.width, _narrowest(console, content))
        console.print(content)
        return
    # rich fills lines up with blanks to the width of the widest.
    with console.capture() as capture:
        console.print(content)
    lines = capture.get().split("\n")
    sys.stdout.write("\n".join(line.rstrip() for line in lines))


def _narrowest(console: Console, content: Text | Table) -> int:
    unbounded = console.options.update(width=UNBOUNDED)
    return console.measure(content, options=unbounded).minimum
