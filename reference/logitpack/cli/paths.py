"""Paths on the command line."""

from __future__ import annotations

from pathlib import Path

import typer


def path(text: str) -> Path:
    """Return what an argument names; an empty one, which pathlib takes for the current folder, names nothing."""
    if not text:
        raise typer.BadParameter("a path cannot be empty")
    return Path(text)
