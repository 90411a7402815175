"""Ways that a dataset goes through other people's tools: Python as its users write it, run as it stands.

`logits.parquet` is a Described file with `token_ids` and a column `id` of the user's own; what comes out is
`out.parquet`, `out.arrow`, `out.arrows`, `out.ndjson` or a folder `out`.
"""

from __future__ import annotations

from typing import NamedTuple


class Tool(NamedTuple):
    """A tool: its name, what stands before each of its calls, the calls, and the packages that are named with versions.

    Of a tool that is not run, `stand_ins` are run in place of the calls.
    """

    name: str
    setup: str
    calls: tuple[str, ...]
    packages: tuple[str, ...]
    stand_ins: tuple[str, ...] = ()


TOOLS = (
    Tool(
        "datasets",
        "from datasets import Dataset, load_dataset\n"
        'ds = load_dataset("parquet", data_files="logits.parquet", split="train")',
        (
            'ds.to_parquet("out.parquet")',
            'ds.to_parquet("out.parquet", write_page_checksum=True)',
            'ds.map(lambda row: {"length": row["num_tokens"]}).to_parquet("out.parquet")',
            'ds.filter(lambda row: row["num_tokens"] > 4).to_parquet("out.parquet")',
            'ds.select(range(5)).to_parquet("out.parquet")',
            'ds.shuffle(seed=7).to_parquet("out.parquet")',
            'for i in range(2): ds.shard(2, i).to_parquet(f"out/data/train-0000{i}-of-00002.parquet")',
            'ds.save_to_disk("out")',
            'ds.save_to_disk("out", num_shards=2)',
            'ds.to_iterable_dataset().to_parquet("out.parquet")',
            'ds.to_pandas().to_parquet("out.parquet")',
            'Dataset.from_list(ds.to_list()).to_parquet("out.parquet")',
            'Dataset.from_generator(lambda: iter(ds)).to_parquet("out.parquet")',
            'ds.to_json("out.ndjson")',
        ),
        ("datasets",),
    ),
    Tool(
        "pandas",
        "import pandas as pd\n"
        "import pyarrow.parquet as pq\n"
        'df = pd.read_parquet("logits.parquet")\n'
        'schema = pq.read_schema("logits.parquet")',
        (
            'df.to_parquet("out.parquet")',
            'df.to_parquet("out.parquet", schema=schema, index=False, write_page_checksum=True)',
            'df.query("num_tokens > 4").to_parquet("out.parquet")',
            'df.sort_values("num_tokens").to_parquet("out.parquet")',
            'pd.read_parquet("logits.parquet", dtype_backend="pyarrow").to_parquet("out.parquet")',
            'pd.DataFrame(df.to_dict("records")).to_parquet("out.parquet")',
            'df.to_feather("out.arrow")',
        ),
        ("pandas", "pyarrow"),
    ),
    Tool(
        "Polars",
        "import polars as pl\n"
        "import pyarrow.parquet as pq\n"
        'frame, lazy = pl.read_parquet("logits.parquet"), pl.scan_parquet("logits.parquet")\n'
        'schema = pq.read_schema("logits.parquet")\n'
        'metadata = schema.metadata[b"logitpack"].decode()',
        (
            'frame.write_parquet("out.parquet")',
            'frame.write_parquet("out.parquet", metadata={"logitpack": metadata})',
            'frame.write_parquet("out.parquet", use_pyarrow=True, pyarrow_options={"write_page_checksum": True})',
            'lazy.sink_parquet("out.parquet")',
            'lazy.sink_parquet("out.parquet", metadata={"logitpack": metadata})',
            'lazy.filter(pl.col("num_tokens") > 4).sink_parquet("out.parquet")',
            'frame.write_ipc("out.arrow")',
            'lazy.sink_ipc("out.arrow")',
            'frame.write_ipc_stream("out.arrows")',
            'pq.write_table(frame.to_arrow().cast(schema), "out.parquet", write_page_checksum=True)',
        ),
        ("polars",),
    ),
    Tool(
        "DuckDB",
        "import duckdb\n"
        "import pyarrow.parquet as pq\n"
        'metadata = pq.read_schema("logits.parquet").metadata[b"logitpack"].decode().replace("\'", "\'\'")',
        (
            "duckdb.sql(\"COPY (FROM 'logits.parquet') TO 'out.parquet'\")",
            "duckdb.sql(f\"COPY (FROM 'logits.parquet') TO 'out.parquet' (KV_METADATA {{logitpack: '{metadata}'}})\")",
            "duckdb.sql(\"COPY (FROM 'logits.parquet' WHERE num_tokens > 4) TO 'out.parquet'\")",
            "duckdb.sql(\"COPY (FROM 'logits.parquet' ORDER BY num_tokens) TO 'out.parquet'\")",
            "duckdb.sql(\"COPY (FROM 'logits.parquet') TO 'out' (FORMAT parquet, PER_THREAD_OUTPUT)\")",
            'pq.write_table(duckdb.sql("FROM \'logits.parquet\'").to_arrow_table(), "out.parquet")',
        ),
        ("duckdb",),
    ),
    Tool(
        "pyarrow",
        "import pyarrow.dataset as pds\n"
        "import pyarrow.feather as feather\n"
        "import pyarrow.parquet as pq\n"
        'table, dataset = pq.read_table("logits.parquet"), pds.dataset("logits.parquet")\n'
        "checksums = pds.ParquetFileFormat().make_write_options(write_page_checksum=True)",
        (
            'pq.write_table(table, "out.parquet")',
            'pq.write_table(table, "out.parquet", write_page_checksum=True)',
            'pds.write_dataset(dataset, "out", format="parquet")',
            'pds.write_dataset(dataset, "out", format="parquet", file_options=checksums)',
            'pds.write_dataset(dataset, "out", format="parquet", max_rows_per_file=4, max_rows_per_group=4)',
            'pds.write_dataset(dataset, "out", format="arrow")',
            'feather.write_feather(table, "out.arrow")',
        ),
        ("pyarrow",),
    ),
    Tool(
        "Spark, by the types that it writes",
        'df = spark.read.parquet("logits.parquet")',
        (
            'df.write.parquet("out")',
            'df.withColumn("top_counts", df.top_counts.cast("array<bigint>")).write.parquet("out")',
            'df.write.option("spark.sql.parquet.writeLegacyFormat", "true").parquet("out")',
        ),
        ("pyarrow",),
        (
            "import spark_files; spark_files.write()",
            'import spark_files; spark_files.write(long=("top_counts",))',
            'import spark_files; spark_files.write(names=("bag", "array"))',
        ),
    ),
)
