"""Which version of LogitPack this is."""

from __future__ import annotations


def version() -> str:
    """Return the version of the installed package."""
    import importlib.metadata  # which takes longer than it is worth to those who do not ask

    try:
        return importlib.metadata.version("logitpack")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
