"""The structural requirements of sections 5 to 8 and 11, each an expression over a frame of rows."""

from collections.abc import Iterator

import polars as pl

from logitpack_polars.columns import CANONICAL, KINDS, PER_TOKEN, RANGES, REQUIRED, accepted
from logitpack_polars.faults import BreachError, elements, fault, first


def check_schema(schema: pl.Schema) -> None:
    """COL-1 and COL-2. Raises BreachError."""
    for name in REQUIRED:
        if name not in schema:
            raise BreachError("COL-1", f"there is no column {name}")
    for name, canonical in CANONICAL.items():
        if name in schema and not accepted(schema[name], canonical):
            raise BreachError("COL-2", f"{name} is {schema[name]}, which cannot stand for {canonical}")


def plain(rows: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Leave the columns of the format: lists of whatever kind as lists, and ranges as the binary32 that they mean."""
    columns = []
    for name in CANONICAL:
        if name in schema:
            column = pl.col(name).arr.to_list() if isinstance(schema[name], pl.Array) else pl.col(name)
            columns.append(column.cast(pl.List(pl.Float32)) if name in RANGES else column)
    return rows.select(columns)


def faults(rows: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Find the rows that break a structural requirement.

    `rows` have the columns that `plain` leaves, and `schema` is theirs. Returns a row for each broken one: row,
    requirement, element (of the column that the message names; null where it is the column as a whole), message.
    """
    return first(rows.with_row_index("row"), ["row"], [*_nulls(schema), *_lengths(), *_values()])


def _nulls(schema: pl.Schema) -> Iterator[pl.Expr]:
    for name, dtype in schema.items():
        yield fault("COL-3", pl.col(name).is_null(), pl.lit(f"{name} is null"))
        if dtype == pl.List:
            yield elements("COL-3", name, pl.element().is_null(), "a null")


def _lengths() -> Iterator[pl.Expr]:
    n = pl.col("num_tokens").cast(pl.Int64, strict=False)
    yield fault("ROW-1", ~pl.col("num_tokens").is_between(1, 2**31 - 1), pl.format("num_tokens is {}", "num_tokens"))
    for name in PER_TOKEN:
        yield _length("ROW-2", name, n)
    yield elements("NUC-1", "top_counts", ~pl.element().is_between(1, 255), "a count outside 1 to 255")
    # Counts are added up in 64 bits: a sum of uint8 wraps.
    entries = pl.col("top_counts").cast(pl.List(pl.Int64), strict=False).list.sum()
    for name in ("top_indices_low", "top_logits_quantized"):
        yield _length("ROW-3", name, entries)
    tail = _size("sampled_indices_low")
    whole = pl.format("sampled_indices_low has {} elements for {} tokens", tail, "num_tokens")
    yield fault("ROW-4", (tail == 0) | (tail % n != 0), whole)
    yield _length("ROW-4", "sampled_logits_quantized", tail)
    for kind in KINDS:
        yield _length("IDX-3", f"{kind}_indices_high", (_size(f"{kind}_indices_low") + 3) // 4)


def _values() -> Iterator[pl.Expr]:
    for kind in KINDS:
        outside = ~pl.element().is_between(0, 65535)
        yield elements("IDX-1", f"{kind}_indices_low", outside, "a value outside 0 to 65535")
        yield elements("QNT-8", f"{kind}_logits_quantized", outside, "a code outside 0 to 65535")
        for end in ("min", "max"):
            yield elements("QNT-1", f"{kind}_{end}", ~pl.element().is_finite(), "a value that is not finite")
        # List arithmetic wants equal lengths, also in rows that ROW-2 has found broken already.
        shorter = pl.min_horizontal(_size(f"{kind}_min"), _size(f"{kind}_max"))
        span = pl.col(f"{kind}_max").list.head(shorter) - pl.col(f"{kind}_min").list.head(shorter)
        wrong = span.list.eval(~(pl.element().is_finite() & (pl.element() >= 0)))
        name = f"{kind}_max - {kind}_min"
        yield fault("QNT-1", wrong.list.any(), pl.lit(f"{name} is negative or overflows"), wrong.list.arg_max())
    yield elements("LSE-1", "logsumexp", ~pl.element().is_finite(), "a value that is not finite")


def _size(name: str) -> pl.Expr:
    column = pl.col(name)
    return (column.bin.size() if CANONICAL[name] == pl.Binary else column.list.len()).cast(pl.Int64)


def _length(requirement: str, name: str, expected: pl.Expr) -> pl.Expr:
    unit = "bytes" if CANONICAL[name] == pl.Binary else "elements"
    message = pl.format(f"{name} has {{}} {unit}, expected {{}}", _size(name), expected)
    return fault(requirement, _size(name) != expected, message)
