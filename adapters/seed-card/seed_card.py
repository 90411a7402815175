"""The decoding functions of the dataset card that LogitPack comes from, run as they stand there.

The card is no part of this repository: its functions are taken out of its first Python program at run time. Nothing is
added to what they do, and nothing caught.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PLACE = Path(__file__).resolve().parents[3] / "shared" / "seed" / "dataset_card.md"
CARD = Path(os.environ.get("LOGITPACK_SEED_CARD") or PLACE)
"""Where the card is looked for, unless one is named."""

PROGRAM = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BUILDERS = {
    "parquet": ("parquet", ".parquet"),
    "arrow-file": ("arrow", ".arrow"),
    "arrow-stream": ("arrow", ".arrows"),
}
"""What `datasets` calls the containers, and how their files end in a folder.

Its JSON loader takes base64 for text, which the card's functions cannot unpack: container json is left out."""

Sample = dict[str, Any]


class Functions(NamedTuple):
    """What the card decodes a row with."""

    unpack_indices: Callable[..., list[np.ndarray]]
    dequantize: Callable[..., np.ndarray]
    hydrate_sample: Callable[[Sample], Sample]


def load(path: Path = CARD) -> Functions:
    """Take the functions out of a card. Raises OSError, and ValueError where they are not in it."""
    programs = PROGRAM.findall(path.read_text("utf-8"))
    tree = ast.parse(programs[0] if programs else "")
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in Functions._fields]
    namespace: dict[str, Any] = {"np": np}
    exec(compile(tree, str(path), "exec"), namespace)  # noqa: S102 - running the card is what this is for
    missing = [name for name in Functions._fields if name not in namespace]
    if missing:
        raise ValueError(f"{path}: the first program has no function {', '.join(missing)}")
    return Functions(*(namespace[name] for name in Functions._fields))


def stream(path: str | Path, container: str) -> Iterator[Sample]:
    """Yield the rows of a file, or of a folder of files, as the card's user gets them."""
    from datasets import load_dataset  # here, because it takes seconds, and benchmarks need the functions alone

    builder, extension = BUILDERS[container]
    files = f"{path}/**/*{extension}" if os.path.isdir(path) else str(path)
    yield from load_dataset(builder, data_files=files, split="train", streaming=True)


def decode(functions: Functions, sample: Sample) -> list[dict[str, Any]]:
    """Hydrate a row, and dequantise each of its tokens: one entry for each, in the shape of logical JSON.

    Indices are int32 and logits float32 arrays, as the card makes them. It has no use for token ids.
    """
    sample = functions.hydrate_sample(sample)
    tokens = []
    for i in range(sample["num_tokens"]):
        token: dict[str, Any] = {"logsumexp": sample["logsumexp"][i]}
        for kind in ("top", "sampled"):
            ends = sample[f"{kind}_min"][i], sample[f"{kind}_max"][i]
            logits = functions.dequantize(sample[f"{kind}_logits"][i], *ends)
            token[kind] = {"indices": sample[f"{kind}_indices"][i], "logits": logits}
        tokens.append(token)
    return tokens
