"""Files as Apache Spark leaves them, made by pyarrow: signed types, page checksums, no metadata of others.

Spark has no unsigned integers: it reads those of 8 bits as 16 and those of 16 bits as 32, and so writes them.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SIGNED = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32()}
FILES = 2


def write(*, long: Collection[str] = (), names: tuple[str, str] = ("list", "element")) -> None:
    """Write the rows of logits.parquet to the folder out, in two files.

    The lists of the columns `long` are cast to 64 bits. `names` are those of the groups of a list:
    `spark.sql.parquet.writeLegacyFormat` has bag and array.
    """
    table = pq.read_table("logits.parquet")
    kinds = {field.name: pa.list_(pa.int64()) if field.name in long else signed(field.type) for field in table.schema}
    table = table.cast(pa.schema(kinds, {"org.apache.spark.version": "4.0.0"}))
    out = Path("out")
    out.mkdir()
    rows = -(-table.num_rows // FILES)
    for part in range(FILES):
        path = out / f"part-0000{part}-c000.snappy.parquet"
        pq.write_table(table.slice(part * rows, rows), path, store_schema=False, write_page_checksum=True)
        path.write_bytes(renamed(path.read_bytes(), names))
    (out / "_SUCCESS").touch()


def signed(kind: pa.DataType) -> pa.DataType:
    """Return the type that Spark has for another."""
    return pa.list_(signed(kind.value_type)) if pa.types.is_list(kind) else SIGNED.get(kind, kind)


def renamed(data: bytes, names: tuple[str, str]) -> bytes:
    """Return a Parquet file whose lists have groups of other names; these stand in the footer only."""
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = data[start:-8]
    for old, new in zip(("list", "element"), names, strict=True):
        footer = footer.replace(bytes([len(old)]) + old.encode(), bytes([len(new)]) + new.encode())
    return data[:start] + footer + len(footer).to_bytes(4, "little") + data[-4:]
