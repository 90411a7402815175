"""Faults: what breaks a requirement, as expressions, and as the errors that come of it."""

from collections.abc import Iterable

import polars as pl


class BreachError(Exception):
    """A file that breaks a requirement, or rows that cannot be stored."""

    def __init__(self, requirement: str, message: str) -> None:
        super().__init__(f"{requirement}: {message}")
        self.requirement = requirement


class UnsupportedFeatureError(Exception):
    """A file that may be valid, and that Polars has no way to read."""

    def __init__(self, feature: str) -> None:
        super().__init__(f"Polars does not read this: {feature}")
        self.feature = feature


def fault(requirement: str, broken: pl.Expr, message: pl.Expr | str, element: pl.Expr | None = None) -> pl.Expr:
    """Build a struct of requirement, element and message where `broken` is true, else null."""
    element = pl.lit(None, dtype=pl.UInt32) if element is None else element.cast(pl.UInt32)
    message = pl.lit(message) if isinstance(message, str) else message
    return pl.when(broken).then(pl.struct(requirement=pl.lit(requirement), element=element, message=message))


def elements(requirement: str, name: str, broken: pl.Expr, what: str) -> pl.Expr:
    """Build the fault of the list column `name` that has an element for which the expression `broken` is true."""
    found = pl.col(name).list.eval(broken)
    return fault(requirement, found.list.any(), f"{name} has {what}", found.list.arg_max())


def first(frame: pl.LazyFrame, place: list[str], checks: Iterable[pl.Expr]) -> pl.LazyFrame:
    """Find the rows of `frame` with a fault: the columns of `place`, requirement, element, message of the first one."""
    return frame.select(*place, fault=pl.coalesce(*checks)).filter(pl.col("fault").is_not_null()).unnest("fault")


def reject(faults: pl.LazyFrame) -> None:
    """Raise BreachError for the first of `faults`, as `first` finds them, if there is one."""
    for found in faults.head(1).collect().iter_rows(named=True):
        requirement, message = found.pop("requirement"), found.pop("message")
        place = ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)
        raise BreachError(requirement, f"{message} ({place})")
