"""LogitPack: datasets of compressed token-level logits, read, written and checked.

    import logitpack

    for batch in logitpack.read("my-dataset/"):
        batch.top_indices, batch.top_logits, batch.top_offsets, batch.sampled_indices, batch.logsumexp

SPEC.md says what each of these means; the docstrings name its clauses.
"""

from logitpack.batch import Batch
from logitpack.check import check
from logitpack.codec import decode, encode
from logitpack.errors import DataError, LogitPackError, Place, UsageError
from logitpack.files import Reader, read, write
from logitpack.indices import MAX_INDEX, pack, unpack
from logitpack.metadata import SPEC_VERSION, Metadata
from logitpack.quantisation import dequantise, quantise
from logitpack.report import Finding, Report
from logitpack.selection import assistant_positions, select
from logitpack.table import canonical_schema

__all__ = [
    "MAX_INDEX",
    "SPEC_VERSION",
    "Batch",
    "DataError",
    "Finding",
    "LogitPackError",
    "Metadata",
    "Place",
    "Reader",
    "Report",
    "UsageError",
    "assistant_positions",
    "canonical_schema",
    "check",
    "decode",
    "dequantise",
    "encode",
    "pack",
    "quantise",
    "read",
    "select",
    "unpack",
    "write",
]
