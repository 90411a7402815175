"""Which version of LogitPack this is."""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    """Return the version of the installed package."""
    try:
        return importlib.metadata.version("logitpack")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
