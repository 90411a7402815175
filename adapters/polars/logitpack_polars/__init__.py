"""LogitPack for Polars: datasets of compressed token-level logits, read and written with expressions."""

from logitpack_polars.decoding import decode
from logitpack_polars.encoding import encode
from logitpack_polars.faults import BreachError, UnsupportedFeatureError
from logitpack_polars.files import load, read, write

__all__ = ["BreachError", "UnsupportedFeatureError", "decode", "encode", "load", "read", "write"]
