"""Random damage to small valid datasets: to values, lengths, nulls, types, columns, metadata and bytes.

Strategy: a corruption changes a `stored.Dataset` in place by the draws of a `random.Random`.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from logitpack_conformance.rows import STRIDE, VOCAB, set_index, unpacked
from logitpack_conformance.stored import widened
from stored import SCHEMA, Dataset

BINARIES = [name for name in SCHEMA.names if pa.types.is_binary(SCHEMA.field(name).type)]
FLOATS = ("top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")

INTEGER_VALUES = (-(2**63), -1, 0, 1, 2, 99, 255, 256, 65_535, 65_536, VOCAB, 2**31 - 1, 2**31, 2**32, 2**63 - 1)
LARGEST = float(np.finfo(np.float32).max)
FLOAT_VALUES = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, -1e300, LARGEST, -LARGEST, 1e-45, -1e-45, 1e10, -50.0)
FLOAT_STEPS = (0.5, -0.5, 1e-6, -1e-6, 2.0, -2.0, 0.01, -0.01, 30.0)
TOP_P = (0.5, 0.9, 0.9000001, 0.99, 1, 1.0, 1.5, 0, 1e-300, "0.9")
METADATA_VALUES: dict[str, tuple[Any, ...]] = {
    "spec_version": ("1.0", "1.7", "2.0", "0.9", "01.0", "1.0\n", "1", 1.0, "11.0", "2.00", "1.00"),
    "vocab_size": (VOCAB, float(VOCAB), VOCAB + 1, 1000, 1, 0, -1, 262_144, 2**31 - 1, 2**31, 40.5, True, "70000"),
    "tokenizer": ({"id": "x", "size": VOCAB}, {"id": "x", "size": VOCAB + 1}, {"id": "x", "size": 60_000.0}, {}, "x"),
    "model": ({"id": ""}, {"id": "x", "dtype": 16}, {"id": "x", "else": None}, []),
    "nucleus": (
        {"rule": "unspecified"},
        {"rule": "unspecified", "max_entries": 2},
        {"rule": "covering"},
        {"rule": "widest"},
        *({"rule": rule, "top_p": p, "max_entries": 100} for rule in ("covering", "below") for p in TOP_P),
        *({"rule": "covering", "top_p": 0.9, "max_entries": n} for n in (1, 2, 3, 255, 256, 0, 2.0, 2.5, True)),
        {"rule": "covering", "top_p": 0.9, "max_entries": 100, "order": "unspecified"},
        {"rule": "covering", "top_p": 0.9, "max_entries": 100, "order": "ascending"},
    ),
    "tail": tuple(
        {"num_sampled": n, "method": method}
        for n, method in (
            (STRIDE, "proportional"),
            (STRIDE + 1, "uniform"),
            (float(STRIDE), "unspecified"),
            (0, "uniform"),
            (STRIDE, "gumbel"),
        )
    ),
    "temperature": (1, 1.0, 0.7, True, None),
    "alignment": ("predicts", "follows", "unspecified", "shifted", 0),
    "chat_template_sha256": ("0" * 64, "0" * 63, "0" * 64 + "\n", "A" * 64),
    "mask": ({"excluded": ["think", 1]}, {"end_of_turn": "no"}, {"turns": "assistant"}),
    "else": ({"deep": [1, {"er": None}]}, math.nan),
}

Corruption = Callable[[Dataset, Random], None]


def value(dataset: Dataset, draw: Random) -> None:
    """Put another value at one place: a special one, a step from the old one, or that of another place."""
    row = draw.choice(dataset.rows)
    name = draw.choice([n for n in row if n not in BINARIES])
    if name == "num_tokens":
        row[name] = draw.choice((*INTEGER_VALUES, 3, 4, 5))
    elif isinstance(row[name], list) and row[name]:
        at, old = draw.randrange(len(row[name])), draw.choice(row[name])
        special = FLOAT_VALUES if name in FLOATS else INTEGER_VALUES
        if name in FLOATS:
            near = None if old is None else old + draw.choice(FLOAT_STEPS)
        else:
            near = None if old is None else old + draw.choice((-1, 1, 7))
        row[name][at] = draw.choice((draw.choice(special), near, old))


def index(dataset: Dataset, draw: Random) -> None:
    """Put another vocabulary index at one entry: one of the same row, one at a limit, or any."""
    row = draw.choice(dataset.rows)
    kind, source = draw.choice(("top", "sampled")), draw.choice(("top", "sampled"))
    try:
        known = unpacked(row, source)
        new = draw.choice((draw.choice(known), 262_143, VOCAB, VOCAB - 1, draw.randrange(2**18)))
        set_index(row, kind, draw.randrange(len(row[f"{kind}_indices_low"])), new)
    except (IndexError, TypeError, ValueError):
        return  # an earlier corruption left no index to change


def length(dataset: Dataset, draw: Random) -> None:
    """Make one list or binary longer, shorter or empty."""
    row = draw.choice(dataset.rows)
    name = draw.choice([n for n in row if n != "num_tokens"])
    old = row[name]
    if old is not None:
        count = draw.randrange(1, 4)
        row[name] = draw.choice((old[:-count], old + old[:count], old[:0], old + old, old[count:]))


def high_byte(dataset: Dataset, draw: Random) -> None:
    """Flip one bit of the high parts, padding included."""
    row = draw.choice(dataset.rows)
    name = draw.choice(BINARIES)
    if row[name]:
        data = bytearray(row[name])
        at = draw.choice((draw.randrange(len(data)), len(data) - 1))
        data[at] ^= 1 << draw.randrange(8)
        row[name] = bytes(data)


def null(dataset: Dataset, draw: Random) -> None:
    """Put a null in place of a value, a list or an element."""
    row = draw.choice(dataset.rows)
    name = draw.choice(list(row))
    if isinstance(row[name], list) and row[name] and draw.random() < 0.5:
        row[name][draw.randrange(len(row[name]))] = None
    else:
        row[name] = None


def tail(dataset: Dataset, draw: Random) -> None:
    """Cut the tail lists of one row, all in step: another S, or a remainder."""
    row = draw.choice(dataset.rows)
    keep = draw.choice((0, 1, 2, 3, 4, 6, 8, 12))
    if all(row[f"sampled_{part}"] is not None for part in ("indices_low", "logits_quantized", "indices_high")):
        row["sampled_indices_low"] = row["sampled_indices_low"][:keep]
        row["sampled_logits_quantized"] = row["sampled_logits_quantized"][:keep]
        row["sampled_indices_high"] = row["sampled_indices_high"][: -(-keep // 4)]


def rows(dataset: Dataset, draw: Random) -> None:
    """Repeat a row, drop one, or let only some have token ids."""
    change = draw.randrange(3)
    if change == 0:
        dataset.rows.append(copy.deepcopy(draw.choice(dataset.rows)))
    elif change == 1 and len(dataset.rows) > 1:
        dataset.rows.pop(draw.randrange(len(dataset.rows)))
    else:
        draw.choice(dataset.rows).pop("token_ids", None)


def column(dataset: Dataset, draw: Random) -> None:
    """Drop a column, double one, or add one that is nobody's."""
    name = draw.choice(SCHEMA.names)
    change = draw.randrange(3)
    if change == 0:
        dataset.dropped.add(name)
    elif change == 1:
        dataset.doubled.add(name)
    else:
        dataset.extra = True


def column_type(dataset: Dataset, draw: Random) -> None:
    """Give a column another type, an accepted one or not."""
    name = draw.choice(SCHEMA.names)
    dataset.types[name] = draw.choice(other_types(SCHEMA.field(name).type))


def other_types(kind: pa.DataType) -> list[pa.DataType]:
    """Give types that can stand in place of a canonical one, and some that may not."""
    if pa.types.is_list(kind):
        found = [pa.list_(inner) for inner in other_types(kind.value_type)]
        for inner in (kind.value_type, widened(kind.value_type)):
            found += [pa.large_list(inner), pa.list_view(inner), pa.large_list_view(inner)]
        return [*found, pa.list_(kind.value_type, 3), pa.list_(pa.field("x", kind.value_type, nullable=False))]
    if pa.types.is_binary(kind):
        return [pa.large_binary(), pa.binary_view(), pa.string(), pa.list_(pa.uint8())]
    if pa.types.is_integer(kind):
        signed = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
        return [
            *signed,
            pa.uint8(),
            pa.uint16(),
            pa.uint32(),
            pa.uint64(),
            pa.float64(),
            pa.decimal128(30),
            pa.string(),
        ]
    return [pa.float16(), pa.float32(), pa.float64(), pa.int64(), pa.string()]


def metadata(dataset: Dataset, draw: Random) -> None:
    """Take a member away or give it another value; or damage the text."""
    if dataset.metadata is None:
        return
    try:
        members = dict(json.loads(dataset.metadata))
    except ValueError:
        return
    name = draw.choice(list(METADATA_VALUES))
    if draw.random() < 0.2:
        members.pop(name, None)
    else:
        members[name] = draw.choice(METADATA_VALUES[name])
    dataset.metadata = json.dumps(members).encode()
    if draw.random() < 0.1:
        text = dataset.metadata
        repeated = text[:-1] + b', "temperature": 1, "temperature": 1}'
        longer = text + b" " * (1_048_577 - len(text))
        dataset.metadata = draw.choice(
            (text[:-1], b"\xef\xbb\xbf" + text, text + b"\xff", repeated, longer, b"[]", b"")
        )


def no_metadata(dataset: Dataset, _: Random) -> None:
    """Make it a Core file."""
    dataset.metadata = None


def settings(dataset: Dataset, draw: Random) -> None:
    """Write Parquet in another way."""
    dataset.settings |= draw.choice(
        (
            {"write_page_checksum": False},
            {"row_group_size": 1},
            {"compression": "zstd"},
            {"data_page_version": "2.0"},
            {"use_dictionary": False},
            {"store_schema": False},
        )
    )


CORRUPTIONS: tuple[Corruption, ...] = (
    *(value, index, length, high_byte, null, tail, rows),
    *(column, column_type, metadata, no_metadata, settings),
)


def damage(path: Path, draw: Random) -> None:
    """Cut a file short, lengthen it, or flip some of its bits."""
    data = bytearray(path.read_bytes())
    change = draw.randrange(4)
    if change == 0:
        data = data[: draw.choice((draw.randrange(len(data) + 1), max(0, len(data) - draw.randrange(1, 20))))]
    elif change == 1:
        data += draw.choice((b"\0", b"\n", b"{}\n", bytes(8), b"PAR1", b"\xff\xff\xff\xff" + bytes(4)))
    elif data:
        for _ in range(draw.choice((1, 1, 3))):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)
