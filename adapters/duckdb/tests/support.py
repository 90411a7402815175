"""Names and examples that the tests share."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
WORKED = ROOT / "fixtures" / "worked" / "row.parquet"
COLUMNS = {
    "num_tokens": "INTEGER",
    "top_counts": "UTINYINT[]",
    "top_indices_low": "USMALLINT[]",
    "top_indices_high": "BLOB",
    "top_logits_quantized": "USMALLINT[]",
    "top_min": "FLOAT[]",
    "top_max": "FLOAT[]",
    "sampled_indices_low": "USMALLINT[]",
    "sampled_indices_high": "BLOB",
    "sampled_logits_quantized": "USMALLINT[]",
    "sampled_min": "FLOAT[]",
    "sampled_max": "FLOAT[]",
    "logsumexp": "DOUBLE[]",
}


def example(name: str) -> dict[str, Any]:
    """Read a named example of SPEC.md."""
    text = (ROOT / "SPEC.md").read_text(encoding="utf-8")
    match = re.search(rf"<!-- example: {name} -->\n```json\n(.*?)```", text, re.DOTALL)
    assert match
    found: dict[str, Any] = json.loads(match[1])
    return found
