"""Conversations as token ids, and which of those are the assistant's.

Strategy: the chat template renders the whole conversation, and each prefix of it that ends where
an assistant's turn begins or ends. Where the prefix's token ids begin the whole's, its length is
a position in the whole; where they do not, there is no such position, and an error says so.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Messages = list[dict[str, str]]


class ExtractionError(Exception):
    """What the user can put right: a missing package, a bad path, a bad conversation."""


def read_conversations(path: Path) -> list[Messages]:
    """Return the messages of each conversation of a JSON file like conversations.json."""
    try:
        conversations = json.loads(path.read_text(encoding="utf-8"))
        found = [[{"role": str(m["role"]), "content": str(m["content"])} for m in c["messages"]] for c in conversations]
    except OSError as error:
        raise ExtractionError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExtractionError(f'{path} is no JSON list of {{"messages": [{{"role", "content"}}, ...]}}') from error
    if not found:
        raise ExtractionError(f"{path} holds no conversation")
    return found


def assistant_mask(tokenizer: Any, messages: Messages) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return a conversation's token ids, int32 [sequence], and which of them are the assistant's.

    A turn of the assistant is its content and the closing `<|im_end|>`: a student has to learn
    to stop. The header before it and the line break after it belong to the template.
    """

    def encode(turns: Messages, *, prompt: bool = False) -> list[int]:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompt)
        return list(tokenizer.encode(text, add_special_tokens=False))

    ids = encode(messages)
    mask = np.zeros(len(ids), bool)
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        if turn == 0:
            raise ExtractionError("message 0: nothing stands before the assistant's turn")
        before = encode(messages[:turn], prompt=True)
        through = encode(messages[: turn + 1])
        if ids[: len(before)] != before or ids[: len(through)] != through:
            raise ExtractionError(
                f"message {turn}: the tokens before it change when it is added, "
                "so the assistant's own cannot be told from them"
            )
        ends = [at for at in range(len(before), len(through)) if ids[at] == tokenizer.eos_token_id]
        if len(ends) != 1:
            raise ExtractionError(f"message {turn}: {len(ends)} tokens {tokenizer.eos_token} in one turn, expected 1")
        mask[len(before) : ends[0] + 1] = True
    if not mask.any():
        raise ExtractionError("no message of the assistant")
    return np.array(ids, np.int32), mask


def quieten() -> None:
    """Turn off progress bars and advice that say nothing about this run."""
    # Read by the libraries as they are imported, so this comes before any of them.
    os.environ.update(TQDM_DISABLE="1", TRANSFORMERS_VERBOSITY="error", HF_HUB_OFFLINE="1")
