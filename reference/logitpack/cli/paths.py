"""Paths on the command line: datasets, which may be URLs, and files to write."""

from __future__ import annotations

from pathlib import Path

import typer

from logitpack.urls import is_url


def dataset(text: str) -> str:
    """Return what an argument names: a file, a folder, a pattern, or a URL of one."""
    if not text:
        raise typer.BadParameter("a path cannot be empty")
    return text


def path(text: str) -> Path:
    """Return the file to write that an argument names; an empty one, for pathlib the current folder, names none."""
    if is_url(text):
        raise typer.BadParameter("files are written to this machine only, not to a URL")
    return Path(dataset(text))
