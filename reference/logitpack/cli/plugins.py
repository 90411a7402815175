"""Commands that other packages add, by the entry point group "logitpack.commands".

Strategy: an entry point names a `typer.Typer` with one command. It is imported when its command is called or the help
lists it, and not before; one that cannot be imported costs its own command only, and says so.
"""

from __future__ import annotations

import importlib.metadata
from functools import cached_property
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from logitpack.errors import UsageError, printable

GROUP = "logitpack.commands"


class PluginGroup(TyperGroup):
    """A group whose commands are its own and those that are installed beside it."""

    @cached_property
    def _found(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, its own first."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in self._found if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None where there is none."""
        own = super().get_command(ctx, cmd_name)
        return own if own is not None or cmd_name not in self._found else _load(self._found[cmd_name])


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
