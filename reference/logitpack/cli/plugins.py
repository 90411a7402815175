"""The commands: those of this package, and those that other packages add by the entry point group "logitpack.commands".

Strategy: a command is imported when it is called or the help lists it, and not before, for some need much that others
do not. An entry point names a `typer.Typer` with one command; one that cannot be imported costs its own command only,
and says so.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from logitpack.errors import UsageError, printable

GROUP = "logitpack.commands"
OWN = ("check", "show", "rules", "card")
"""Each is a function in a module of its name, beside its `EPILOG`."""
SETTINGS = {"help_option_names": ["-h", "--help"]}


class Commands(TyperGroup):
    """A group whose commands are its own and those that are installed beside it."""

    @cached_property
    def _found(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, its own first."""
        del ctx
        return [*OWN, *(name for name in self._found if name not in OWN)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None where there is none."""
        del ctx
        if cmd_name in OWN:
            return _own(cmd_name)
        return _load(self._found[cmd_name]) if cmd_name in self._found else None


def _own(name: str) -> Any:
    module = importlib.import_module(f"logitpack.cli.{name}")
    one = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=SETTINGS)
    one.command(name, epilog=module.EPILOG)(getattr(module, name))
    return get_command(one)


def _load(entry: importlib.metadata.EntryPoint) -> Any:
    try:
        command = get_command(entry.load())
    except Exception as error:  # noqa: BLE001 - whatever another package raises
        return _broken(entry.name, f"{type(error).__name__}: {error}")
    command.name = entry.name
    return command


def _broken(name: str, reason: str) -> TyperCommand:
    """Return a command in the place of one that cannot be imported."""

    def fail(**_: object) -> None:
        raise UsageError(f"the command {name} cannot be loaded: {reason}")

    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    text = f"(cannot be loaded: {printable(reason)})"
    return TyperCommand(name, callback=fail, help=text, context_settings=settings, rich_markup_mode=None)
