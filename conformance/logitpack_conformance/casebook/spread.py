"""Sound files with something particular in them, and the same fault in other settings.

Strategy: a fault that shows in one file has to show in the second file of a dataset, and under metadata that are given
by an option, as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from logitpack_conformance.rows import copied

from .bases import contents, stored
from .draft import Draft, Folder, Stored, accept, broken
from .spots import Change

DATASET = ("dataset",)


def altered(draft: Draft, *changes: Change, declared: Mapping[str, Any] | None = None, **members: Any) -> Draft:
    """Return a draft with its rows changed, some metadata declared otherwise, and other members."""
    content = changed(stored(draft), *changes)
    if declared is not None:
        content = replace(content, metadata={**metadata_of(content), **declared})
    return replace(draft, content=content, **members)


def changed(content: Stored, *changes: Change) -> Stored:
    """Return a file with its rows changed."""
    rows = copied(content.rows)
    for change in changes:
        change(rows)
    return replace(content, rows=rows)


def metadata_of(content: Stored) -> Mapping[str, Any]:
    """Return the metadata of a file. Raises TypeError where there are none, or bytes."""
    if not isinstance(content.metadata, Mapping):
        raise TypeError("the metadata are no mapping")
    return content.metadata


def second_file(at: str, why: str, fault: str, change: Change, **options: Any) -> Iterator[Draft]:
    """Yield a dataset of two files, `AT/second-file/sound`, and the same with a fault in the rows of the second."""
    both = contents(f"{at}/second-file", **options)
    half = len(both.rows) // 2
    files = {"data/part-0": replace(both, rows=both.rows[:half]), "data/part-1": replace(both, rows=both.rows[half:])}
    folder = Folder(dict(files))
    twin = accept(f"{at}/second-file/sound", "Two files of one dataset that agree.", folder, features=DATASET)
    yield twin
    content = Folder(files | {"data/part-1": changed(files["data/part-1"], change)})
    yield broken(twin, f"{at}/second-file/fault", why, fault, content, requirements=_reported(fault))


def under_option(at: str, why: str, fault: str, change: Change, **options: Any) -> Iterator[Draft]:
    """Yield a Core file that is checked under metadata given by an option, `AT/by-option/sound`, and a faulty one."""
    content = contents(f"{at}/by-option", **options)
    given = metadata_of(content)
    core = replace(content, metadata=None)
    sound = "A Core file; its metadata are given to the checker by an option."
    twin = accept(f"{at}/by-option/sound", sound, core, metadata=given)
    yield twin
    content = changed(core, change)
    yield broken(twin, f"{at}/by-option/fault", why, fault, content, metadata=given, requirements=_reported(fault))


def _reported(fault: str) -> tuple[str, str]:
    """Return what a fault is evidence for: its requirement, and that a checker reports what it finds anywhere."""
    return fault.partition("/")[0], "CHK-1"
