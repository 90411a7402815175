"""Putting a fault into the reference: another function or constant in the place of one.

Strategy: modules import functions by name, so that one function has many references. All of them are replaced, or the
mutant would be one in some places only; a name that is not there any more is an error, never a mutant without fault.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PACKAGE = "logitpack"


def swap(original: object, replacement: object) -> None:
    """Replace every reference to `original` in the loaded modules of the reference. Raises LookupError without one."""
    found = 0
    for module in _modules():
        for name, value in list(vars(module).items()):
            if value is original:
                setattr(module, name, replacement)
                found += 1
    if not found:
        raise LookupError(f"nothing in {PACKAGE} refers to {original!r}")


@contextmanager
def swapped(original: object, replacement: object) -> Iterator[None]:
    """Replace every reference to `original` for a while."""
    swap(original, replacement)
    try:
        yield
    finally:
        swap(replacement, original)


def wrap(original: Callable[..., Any], wrapper: Callable[..., Any]) -> None:
    """Replace a function by one that gets the original first, then its arguments."""

    def replacement(*args: Any, **options: Any) -> Any:
        return wrapper(original, *args, **options)

    swap(original, replacement)


def wrap_method(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    """Replace a method by one that gets the original first, then its arguments. Raises KeyError without one."""
    original = vars(owner)[name]

    def replacement(*args: Any, **options: Any) -> Any:
        return wrapper(original, *args, **options)

    setattr(owner, name, replacement)


def put(module: object, name: str, value: object) -> None:
    """Give a constant of a module another value. Raises AttributeError where there is none of that name."""
    before = getattr(module, name)
    if before is value or (isinstance(value, int | float | str) and before == value):
        raise ValueError(f"{name} has that value already")
    setattr(module, name, value)


def _modules() -> list[Any]:
    return [module for name, module in list(sys.modules.items()) if name.split(".")[0] == PACKAGE]
