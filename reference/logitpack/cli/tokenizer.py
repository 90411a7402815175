"""Token texts: what a tokenizer makes of single vocabulary indices.

Strategy: the light `tokenizers` package, imported only when asked for. Each index is decoded
by itself, special tokens included, as `AutoTokenizer.decode([index])` of transformers does it. The Hub's library
tries half a minute before it gives up, so whether the Hub answers at all is found out first.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from logitpack.errors import UsageError, printable
from logitpack.urls import shown

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PATIENCE_SECONDS = 4
LONGEST, KEPT = 18, 15
"""A token's text is cut to 15 characters and dots where it has more than 18."""


HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


class TokenTexts:
    """The texts of vocabulary indices; the class holds a loaded tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Take a tokenizer of the package `tokenizers`."""
        self._tokenizer = tokenizer

    def text(self, indices: Sequence[int]) -> str:
        """Return the text of indices that follow one another, special tokens included."""
        text: str = self._tokenizer.decode(list(indices), skip_special_tokens=False)
        return text

    def short(self, index: int) -> str:
        """Return the text of one index in printable form, cut so that it fits a column."""
        return shortened(self.text([index]))


def shortened(text: str, longest: int = LONGEST) -> str:
    r"""Return `text` as its repr without the quotes, cut where it is over `longest` characters.

    >>> shortened(" a\n")
    ' a\\n'
    >>> shortened("x" * 19)
    'xxxxxxxxxxxxxxx...'
    """
    shown = repr(text)[1:-1]
    return shown if len(shown) <= longest else shown[: longest - LONGEST + KEPT] + "..."


def load_token_texts(name: str) -> TokenTexts:
    """Load a tokenizer: a folder with tokenizer.json, such a file, or an id on the Hub.

    Raises UsageError where it cannot be had, or the package `tokenizers` is missing.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise UsageError("--tokenizer needs tokenizers: pip install tokenizers") from None
    if not name:
        raise UsageError("the tokenizer's name is empty")
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ and a user there is none of
        path = Path(name)
    if path.is_dir():
        file = path / "tokenizer.json"
        if not file.is_file():
            raise UsageError(f"{name} has no tokenizer.json in it")
        return TokenTexts(_loaded(Tokenizer.from_file, str(file), name))
    if path.is_file():
        return TokenTexts(_loaded(Tokenizer.from_file, str(path), name))
    # The Hub is not asked for what is meant as a path: ids have no more than one slash.
    if path.exists() or not HUB_ID.fullmatch(name):
        raise UsageError(f"tokenizer {name} is no file, no folder and no id on the Hub")
    return TokenTexts(_loaded(_from_hub, name, name))


def _loaded(load: Callable[[str], Tokenizer], source: str, name: str) -> Tokenizer:
    try:
        return load(source)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    # A fault inside tokenizers surfaces as a PanicException, which is no Exception.
    except BaseException as error:  # noqa: BLE001
        reason = printable(" ".join(str(error).split())).rstrip(".") or type(error).__name__
        raise UsageError(f"tokenizer {name} cannot be loaded: {reason}") from None


def _from_hub(name: str) -> Tokenizer:
    from huggingface_hub import constants, try_to_load_from_cache
    from tokenizers import Tokenizer

    # Each failed attempt is logged as a warning; the last one's error says it all. The level is set after
    # the import, which sets it too.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    if constants.HF_HUB_OFFLINE or _answers(constants.ENDPOINT):
        return Tokenizer.from_pretrained(name)
    cached = try_to_load_from_cache(name, "tokenizer.json")
    if not isinstance(cached, str):
        raise OSError(f"{shown(constants.ENDPOINT)} does not answer, and the Hub's cache does not have it")
    return Tokenizer.from_file(cached)


def _answers(url: str) -> bool:
    """Return whether a web server says anything at all within a few seconds, the look-up of its name included."""
    import ssl
    import urllib.error
    import urllib.request

    answers = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE_SECONDS):  # noqa: S310
                answers.append(True)
        except (urllib.error.HTTPError, ssl.SSLError):
            answers.append(True)
        except (OSError, ValueError) as error:
            # Certificates that the Hub's library may know and this one does not.
            answers.append(isinstance(getattr(error, "reason", None), ssl.SSLError))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    return any(answers)
