"""Types that are accepted in place of the canonical ones: COL-5, and readers take them (RD-5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.stored import CANONICAL, Form

from .bases import sound, stored, variant
from .draft import ARROW, IPC, Draft

COUNTED = ("num_tokens", "top_counts")
RANGES = ("top_min", "top_max", "sampled_min", "sampled_max")
LISTS = [column.name for column in NAMED if column.shape == "list"]
INTEGERS = [column.name for column in NAMED if column.values == "int"]
HIGH = ("top_indices_high", "sampled_indices_high")
NARROW = {
    "uint8": ("num_tokens",),
    "int8": COUNTED,
    "int16": COUNTED,
    "uint16": COUNTED,
    "uint32": (),
    "int32": (),
    "uint64": (),
    "int64": (),
}
"""By integer type, the columns that are given it; none stands for all that have a canonical type other than it."""
WITH_SCHEMA = {"store_schema": True}
SHAPES = ((2, 3), (4, 1))
"""Nucleus sizes that give every list one length in all rows."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    why = "Every column in its canonical type."
    yield sound("types/canonical/plain", why, counts=SHAPES, token_ids=True, containers=ARROW)
    yield from _integers()
    yield from _floats()
    yield from _containers()
    yield from _declarations()


def _typed(name: str, why: str, types: dict[str, pa.DataType], feature: str | tuple[str, ...], **options: Any) -> Draft:
    """Return a file with accepted types; a checker warns."""
    form = Form(types=types)
    members = {"containers": ARROW, "token_ids": True, **options}
    features = ("token_ids", *([feature] if isinstance(feature, str) else feature))
    return sound(
        f"types/{name}",
        why,
        form=form,
        findings=("COL-5",),
        requirements=("COL-5", "RD-5"),
        twin="types/canonical/plain",
        features=features,
        **members,
    )


def _of(name: str, element: pa.DataType) -> pa.DataType:
    """Return the type of a column with another type of its values."""
    return element if name == "num_tokens" else pa.list_(pa.field("element", element))


def _integers() -> Iterator[Draft]:
    for kind, columns in NARROW.items():
        element = pa.type_for_alias(kind)
        types = {name: _of(name, element) for name in columns or INTEGERS}
        types = {name: typed for name, typed in types.items() if typed != CANONICAL[name]}
        words = f"Columns of small numbers in {kind}" if columns else f"All integers in {kind}"
        yield _typed(
            f"integers/{kind}", f"{words}: what is stored is in range, whatever the type.", types, "wide_integers"
        )
    why = "A vocabulary of 100: low parts in uint8 and token ids in int8."
    types = {name: pa.list_(pa.uint8()) for name in ("top_indices_low", "sampled_indices_low")}
    types["token_ids"] = pa.list_(pa.int8())
    yield _typed("integers/low-uint8", why, types, "wide_integers", vocab=100)
    why = "Low parts of up to 65,535 in an int64, so that none is negative."
    types = {"top_indices_low": pa.list_(pa.int64())}
    chosen = (65_535, 32_768, 131_071, 262_143, 32_767)
    yield _typed("integers/low-limits", why, types, "wide_integers", vocab=262_144, chosen=chosen)


def _floats() -> Iterator[Draft]:
    double, half = pa.list_(pa.float64()), pa.list_(pa.float16())
    why = "All ranges in float64."
    yield _typed("floats/ranges-float64", why, dict.fromkeys(RANGES, double), "float64")
    why = "The logsumexps in float32, as an early writer had them."
    types = {"logsumexp": pa.list_(pa.float32())}
    yield _typed("floats/logsumexp-float32", why, types, (), grain=8)
    why = "All ranges in float16, in which their ends are exact."
    yield _typed("floats/ranges-float16", why, dict.fromkeys(RANGES, half), "float16", grain=6, core=True, top_p=0.8)
    why = "The logsumexps in float16: coarse, but what they mean is exactly the stored value."
    yield _typed("floats/logsumexp-float16", why, {"logsumexp": half}, "float16", grain=6, core=True, top_p=0.8)
    why = "One end of the nucleus ranges in float64, the other in float32."
    yield _typed("floats/mixed", why, {"top_max": double, "sampled_min": double}, "float64")


def _containers() -> Iterator[Draft]:
    elements = {name: CANONICAL[name].value_type for name in LISTS}
    why = "All lists as large_list, with offsets of 64 bits, as Polars writes them."
    types: dict[str, pa.DataType] = {name: pa.large_list(element) for name, element in elements.items()}
    yield _typed("lists/large-list", why, types, "large_list", containers=IPC)
    why = "All lists as fixed_size_list: rows of one shape."
    widths = {"top_indices_low": 5, "top_logits_quantized": 5, "sampled_indices_low": 6, "sampled_logits_quantized": 6}
    types = {name: pa.list_(element, widths.get(name, 2)) for name, element in elements.items()}
    options: dict[str, Any] = {"counts": SHAPES, "stride": 3, "containers": IPC}
    fixed = _typed("lists/fixed-size-list", why, types, "fixed_size_list", **options)
    yield fixed
    why = "A null element inside a fixed-size list, which has no length that could tell."
    rows = [*stored(fixed).rows[:-1], {**stored(fixed).rows[-1], "sampled_max": [1.5, None]}]
    yield variant(fixed, "types/lists/fixed-size-null", why, "COL-3/null-element", rows=rows)
    why = "Fixed-size lists beside variable ones: only the per-token lists have one length."
    types = {name: pa.list_(pa.float32(), 2) for name in RANGES}
    options["counts"] = ((1, 3), (2, 5))
    yield _typed("lists/fixed-size-ranges", why, types, "fixed_size_list", **options)
    for kind, make in (("list-view", pa.list_view), ("large-list-view", pa.large_list_view)):
        why = f"All lists as {kind.replace('-', '_')}: offsets and sizes."
        types = {name: make(element) for name, element in elements.items()}
        yield _typed(f"lists/{kind}", why, types, "list_view", containers=IPC)
    why = "High parts as large_binary."
    yield _typed("binary/large", why, dict.fromkeys(HIGH, pa.large_binary()), "large_binary", containers=IPC)
    why = "High parts as binary_view, each of at most twelve bytes and so inside its view."
    types = dict.fromkeys(HIGH, pa.binary_view())
    yield _typed("binary/view-inline", why, types, "binary_view", containers=IPC)
    why = "High parts as binary_view, longer than twelve bytes and so in a buffer of their own."
    yield _typed("binary/view-in-buffer", why, types, "binary_view", containers=IPC, counts=((30, 25), (1, 2), (60,)))
    why = "A different accepted type in every column."
    types = {
        "num_tokens": pa.uint64(),
        "top_counts": pa.large_list(pa.int16()),
        "top_indices_low": pa.list_view(pa.int32()),
        "top_indices_high": pa.binary_view(),
        "top_logits_quantized": pa.large_list_view(pa.uint32()),
        "top_min": pa.list_(pa.float64()),
        "sampled_indices_high": pa.large_binary(),
        "sampled_logits_quantized": pa.list_(pa.int64()),
        "token_ids": pa.large_list(pa.uint16()),
    }
    features = ("wide_integers", "float64", "large_list", "list_view", "large_binary", "binary_view")
    yield _typed("mixed/every-column", why, types, features, containers=IPC, vocab=32_000)


def _declarations() -> Iterator[Draft]:
    """Yield what is free: names of elements, nullability."""
    at = "types/declared"
    named = {name: pa.list_(pa.field("x", CANONICAL[name].value_type, nullable=False)) for name in LISTS}
    items = {name: pa.list_(pa.field("item", CANONICAL[name].value_type)) for name in LISTS}
    yield sound(f"{at}/required", "Every column declared as free of nulls.", form=Form(required=True), containers=ARROW)
    why = "List elements called x and declared as free of nulls."
    yield sound(f"{at}/elements-required", why, form=Form(types=named), containers=ARROW)
    why = "Columns and elements declared as free of nulls: no definition levels at all but those of empty lists."
    yield sound(f"{at}/all-required", why, form=Form(types=named, required=True), containers=ARROW)
    why = "List elements called item, as pyarrow and older writers name them."
    form = Form(types=items, parquet={"use_compliant_nested_type": False})
    yield sound(f"{at}/elements-called-item", why, form=form, containers=ARROW)
    why = "An Arrow schema in the Parquet footer beside the Parquet schema."
    yield sound(f"{at}/arrow-schema", why, form=Form(parquet=WITH_SCHEMA), containers=ARROW[:1])
