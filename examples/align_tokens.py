"""Pair the entries of a row with the tokens of its conversation, and print them as JSON.

Needs no torch: the dataset, a tokenizer folder and the conversations are enough.

    pip install . transformers jinja2
    python examples/align_tokens.py --row 0

Strategy: the mask that made the row is computed again from the conversation. Entry i belongs to
the i-th token of the mask, and was predicted from the position before it (ALN-1).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import logitpack
from conversation import ExtractionError, assistant_mask, quieten, read_conversations

ROOT = Path(__file__).parent.parent
REAL = ROOT / "fixtures" / "real"


def nth_row(dataset: Path, number: int) -> tuple[logitpack.Batch, int]:
    """Return the decoded batch that holds a row of the dataset, and the row's place in it."""
    left = number
    for batch in logitpack.read(dataset):
        if left < len(batch.num_tokens):
            return batch, left
        left -= len(batch.num_tokens)
    raise ExtractionError(f"{dataset} has no row {number}")


def align(batch: logitpack.Batch, row: int, messages: Any, tokenizer: Any) -> dict[str, Any]:
    """Return the conversation as text, tokens and mask, and the best guess of each entry."""
    ids, mask = assistant_mask(tokenizer, messages)
    tokens = [tokenizer.decode([token]) for token in ids.tolist()]
    first, last = batch.row_offsets[row : row + 2]
    if batch.token_ids is not None and not np.array_equal(batch.token_ids[first:last], ids[mask]):
        raise ExtractionError("the row's token_ids are not those of the conversation")
    entries: list[dict[str, Any]] = []
    for token, position in zip(range(first, last), np.flatnonzero(mask).tolist(), strict=True):
        begin, end = batch.top_offsets[token : token + 2]
        best = begin + int(np.argmax(batch.top_logits[begin:end]))
        probability = np.exp(batch.top_logits[best] - batch.logsumexp[token])
        entries.append(
            {
                "entry": len(entries),
                "position": position,
                "predicted_from": position - 1,
                "token_id": int(ids[position]),
                "token": tokens[position],
                "top1_id": int(batch.top_indices[best]),
                "top1_token": tokenizer.decode([int(batch.top_indices[best])]),
                "top1_probability": round(float(probability), 6),
            }
        )
    return {
        "messages": messages,
        "text": tokenizer.apply_chat_template(messages, tokenize=False),
        "token_ids": ids.tolist(),
        "tokens": tokens,
        "mask": mask.astype(int).tolist(),
        "entries": entries,
    }


def to_json(aligned: dict[str, Any]) -> str:
    """Return the result as JSON text, one message and one entry a line."""
    members = []
    for name, value in aligned.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value[0], dict):
            lines = (f"    {json.dumps(item, ensure_ascii=False)}" for item in value)
            text = "[\n" + ",\n".join(lines) + "\n  ]"
        members.append(f'  "{name}": {text}')
    return "{\n" + ",\n".join(members) + "\n}\n"


def align_row(dataset: Path, tokenizer_folder: Path, conversations: Path, number: int) -> dict[str, Any]:
    """Return what `align` does, for a row of the dataset and the conversation of the same number."""
    from transformers import AutoTokenizer

    messages = read_conversations(conversations)
    if not 0 <= number < len(messages):
        raise ExtractionError(f"{conversations} has no conversation {number}")
    if not tokenizer_folder.is_dir():
        raise ExtractionError(f"{tokenizer_folder} is no folder")
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    batch, row = nth_row(dataset, number)
    return align(batch, row, messages[number], tokenizer)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Pair a row's entries with their tokens.")
    add = parser.add_argument
    add("--dataset", type=Path, default=REAL / "smollm2-135m-instruct")
    add("--tokenizer", type=Path, default=REAL / "tokenizer", help="a folder")
    add("--conversations", type=Path, default=Path(__file__).with_name("conversations.json"))
    add("--row", type=int, default=0, help="of the dataset, and of the conversations (0)")
    args = parser.parse_args()
    quieten()
    try:
        aligned = align_row(args.dataset, args.tokenizer, args.conversations, args.row)
    except (ExtractionError, logitpack.LogitPackError, ImportError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    sys.stdout.buffer.write(to_json(aligned).encode())


if __name__ == "__main__":
    main()
