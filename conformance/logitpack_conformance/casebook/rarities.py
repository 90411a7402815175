"""Shapes that few files have, where slips show that show nowhere else.

Strategy: each of them was missed by the other cases: rows that are alike, lists that stand in another order in memory
than in the file, sums beyond 16 bits, lengths that fit although a count does not, and a breach of meaning in the last
row group only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from logitpack_conformance.model import Container
from logitpack_conformance.oracle.columns import NAMED
from logitpack_conformance.rows import Row, copied, make_row, set_indices, unpacked
from logitpack_conformance.stored import CANONICAL, Form, to_table

from .bases import contents, contrasted, drawn, edited, in_turn, sound, stored, variant
from .draft import ARROW, IPC, Damage, Draft, Stored, accept
from .lengths import WIDE
from .ranges import FULL, MOST, Part, row_of
from .spots import LAST, copy_index

JSON = (Container.JSON,)
PARQUET = (Container.PARQUET,)
LISTS = [column.name for column in NAMED if column.shape == "list"]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _alike()
    yield from _views()
    yield from _beyond_16_bits()
    yield from _overflow()
    yield from _counts_that_fit()
    yield from _aligned_bytes()
    yield from _last_group()


def _alike() -> Iterator[Draft]:
    """RD-2: a row is a row, whatever stands before it."""
    name = "forms/alike/rows"
    base = contents(name, counts=((3, 2), (1, 4)), core=True)
    first, second = base.rows
    rows = copied([first, first, second, second, first])
    why = "Rows that equal the one before them, or an earlier one: none of them is returned once only."
    contrast = "The same rows, and a list of the last that is too short."
    draft = accept(name, why, replace(base, rows=rows))
    yield from contrasted(draft, "ROW-3/top-logits-quantized-short", contrast, "RD-2", turn=2)


def _views() -> Iterator[Draft]:
    """RD-2: list views whose rows stand last first in memory."""
    name, flags = "forms/arrays/views-last-first", ("SLICE_OFFSETS",)
    base = contents(name, counts=((3, 2), (1,), (2, 4)), stride=2, containers=IPC, core=True)
    why = "List views of rows that stand last first in memory, with values between them that belong to none."
    members: dict[str, Any] = {"findings": ("COL-5",), "features": ("list_view",), "flags": flags}
    content = replace(base, damage=_last_first(base.rows))
    twin = accept(name, why, content, requirements=("RD-2",), twin=f"{name}-short", **members)
    yield twin
    rows = copied(base.rows)
    rows[-1]["logsumexp"] = rows[-1]["logsumexp"][:-1]
    why = "The same views, that of the last logsumexp an element shorter."
    changes: dict[str, Any] = {"rows": rows, "damage": _last_first(rows), "flags": flags}
    yield variant(twin, f"{name}-short", why, "ROW-2/logsumexp-short", **changes)


def _last_first(rows: Sequence[Row]) -> Damage:
    """Return what makes a file of list views over values in reverse order of their rows."""

    def damage(_: bytes, container: Container) -> bytes:
        table = to_table(rows, None)
        for number, name in enumerate(table.schema.names):
            if name in LISTS:
                table = table.set_column(number, name, _reversed_view(name, [row[name] for row in rows]))
        sink = pa.BufferOutputStream()
        new = pa.ipc.new_file if container is Container.ARROW_FILE else pa.ipc.new_stream
        with new(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        return bytes(sink.getvalue())

    return damage


def _reversed_view(name: str, lists: Sequence[Sequence[Any]]) -> pa.Array:
    values: list[Any] = []
    offsets = []
    for part in reversed(lists):
        offsets.append(len(values))
        values += [*part, part[0]]  # the last of these is nobody's
    kind = CANONICAL[name].value_type
    sizes = pa.array([len(part) for part in lists], pa.int32())
    return pa.ListViewArray.from_arrays(pa.array(offsets[::-1], pa.int32()), sizes, pa.array(values, kind))


def _beyond_16_bits() -> Iterator[Draft]:
    """RD-2: more nucleus entries in a row than 16 bits count."""
    name, flags = "counts/nucleus/beyond-16-bits", ("COUNT_WRAP",)
    rng = drawn(name)
    token = make_row(rng, [255], stride=1, vocab=262_144)
    top = unpacked(token, "top")
    number = 260
    row: Row = {key: value * number for key, value in token.items() if isinstance(value, list)}
    row["num_tokens"] = number
    set_indices(row, "top", top * number)
    set_indices(row, "sampled", unpacked(token, "sampled") * number)
    ordered = {column.name: row[column.name] for column in NAMED if column.name in row}
    why = "260 tokens of 255 entries each: their sum wraps at 32,768 and at 65,536."
    form = Form(parquet={"compression": "zstd"})
    base = contents(name, counts=((255,),), stride=1, vocab=262_144, form=form, containers=PARQUET)
    draft = accept(name, why, replace(base, rows=[ordered]), features=("zstd",), flags=flags)
    contrast = "The same counts, but the last nucleus code is missing."
    yield from contrasted(draft, "ROW-3/top-logits-quantized-short", contrast, "RD-2", flags=flags)


def _overflow() -> Iterator[Draft]:
    """QNT-2: the last sum of the evaluation in binary32 overflows at code 65,535."""
    name = "qnt/decoding/sum-overflows"
    # max - min is rounded up, and the sum with min then lies half-way between the largest number and infinity.
    nucleus = Part(3 * 2.0**103, MOST, FULL)
    why = "A range in which the evaluation in binary32 is infinite at its upper end; a reader returns that end."
    draft = accept(name, why, Stored([row_of(name, [(nucleus, Part(-20.0, -4.0, (65_535, 0, 9)))] * 2)]))
    contrast = "The same numbers, and one fault that a reader has to reject."
    flags = ("RANGE_OVERFLOW",)
    draft = replace(draft, flags=flags)
    yield from contrasted(draft, "QNT-1/top-max-nan", contrast, "QNT-2", flags=flags, turn=1)


def _counts_that_fit() -> Iterator[Draft]:
    """NUC-1: counts out of range that add up to the entries which are there."""
    at = "nuc/size"
    twin = sound(f"{at}/sound-three", "Counts of three tokens.", counts=((3, 1, 2),))
    yield twin
    why = "A token without a nucleus; the other counts add up to the entries that there are."
    yield edited(twin, f"{at}/zero-that-fits", why, "NUC-1/zero-that-fits", _without_middle)
    form = Form(types={"top_counts": pa.list_(pa.int32())})
    options: dict[str, Any] = {"counts": ((255, 2),), "stride": 2}
    wide = sound(f"{at}/wide-255", "A count of 255 in an int32.", form=form, **options, **WIDE)
    json = sound(f"{at}/json-255", "A count of 255 in stored JSON.", containers=JSON, **options)
    for draft, name in ((wide, "256-that-fits"), (json, "256-that-fits-json")):
        yield draft
        why = "A count of 256, and as many entries: only what is cut to uint8 has another number."
        yield edited(draft, f"{at}/{name}", why, "NUC-1/256-that-fits", _one_more, flags=("COUNT_WRAP",))


def _without_middle(rows: list[Row]) -> None:
    row = rows[0]
    first, count, _ = row["top_counts"]
    indices = unpacked(row, "top")
    row["top_counts"][1] = 0
    set_indices(row, "top", indices[:first] + indices[first + count :])
    del row["top_logits_quantized"][first : first + count]


def _one_more(rows: list[Row]) -> None:
    rows[0]["top_counts"] = [256, 1]


def _aligned_bytes() -> Iterator[Draft]:
    """IDX-3: high parts filled up to whole words, as buffers are."""
    at, flags = "idx/high-length", ("HIGH_LENGTH",)
    for kind, word, counts, stride in (("top", "nucleus", ((5, 4),), 2), ("sampled", "tail", ((2, 1, 2),), 3)):
        twin = sound(f"{at}/aligned-{word}", f"Nine entries in the {word}: three bytes.", counts=counts, stride=stride)
        yield twin
        for size in (4, 8):
            why = f"The high parts of the {word} are filled up with zeros to {size} bytes."

            def fill(rows: list[Row], name: str = f"{kind}_indices_high", size: int = size) -> None:
                rows[0][name] = rows[0][name].ljust(size, b"\0")

            name = f"{at}/{word}-to-{size}-bytes"
            yield edited(twin, name, why, "IDX-3/aligned", fill, flags=flags)


def _last_group() -> Iterator[Draft]:
    """Breaches of meaning in the last row group or batch only."""
    at, flags = "forms/groups", ("LOST_GROUP",)
    options: dict[str, Any] = {"counts": ((3, 2), (1,), (2, 4)), "stride": 3, "containers": ARROW}
    twin = sound(f"{at}/meaning", "A row group or batch for each row.", form=Form(group=1), **options)
    yield twin
    for slug, fault, change, why in (
        (
            "nucleus",
            "NUC-2/index-twice",
            copy_index(LAST, ("top", 0), ("top", 2)),
            "an index stands twice in a nucleus",
        ),
        (
            "tail",
            "TAIL-1/index-twice",
            copy_index(LAST, ("sampled", 0), ("sampled", 2)),
            "an index stands twice in a tail",
        ),
        (
            "both",
            "TAIL-2/in-nucleus",
            copy_index(LAST, ("top", 1), ("sampled", 1)),
            "a tail entry stands in the nucleus",
        ),
        ("logsumexp", "LSE-2/too-small", _smaller, "a logsumexp is less than that of the entries"),
        ("padding", "IDX-4/padding", _padded, "padding bits are set"),
    ):
        name = f"{at}/meaning-{slug}"
        draft = edited(twin, name, f"In the last row group or batch, {why}.", fault, change, flags=flags)
        yield replace(draft, content=replace(stored(draft), containers=in_turn(name, ARROW, 2)))


def _smaller(rows: list[Row]) -> None:
    rows[-1]["logsumexp"][0] = rows[-1]["top_max"][0] - 0.5


def _padded(rows: list[Row]) -> None:
    high = rows[-1]["sampled_indices_high"]
    rows[-1]["sampled_indices_high"] = high[:-1] + bytes([high[-1] | 0x80])
