"""Decoded rows: what a record batch means, as flat numpy arrays.

Strategy: one array over all tokens or entries of the batch, plus counts. Nothing is nested,
so nothing that works on a batch needs a loop over its rows, tokens or entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logitpack.ragged import to_offsets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of a dataset; a row's tokens, and a token's entries, stand in stored order (RD-2).

    With `tokens` the sum of `num_tokens`, N the sum of `top_counts` and S the number of
    entries sampled per token:

    | field | dtype | shape | meaning |
    |---|---|---|---|
    | `num_tokens` | int64 | [rows] | tokens of each row |
    | `top_counts` | int64 | [tokens] | nucleus entries of each token |
    | `top_indices` | int32 | [N] | vocabulary indices of the nucleus |
    | `top_logits` | float32 or float64 | [N] | their logits, in nats |
    | `sampled_indices` | int32 | [tokens, S] | vocabulary indices of the tail |
    | `sampled_logits` | float32 or float64 | [tokens, S] | their logits, in nats |
    | `logsumexp` | float64 | [tokens] | over the full logits width, in nats |
    | `token_ids` | int32 or None | [tokens] | the assistant tokens themselves |

    The class holds what it is given: whoever makes one answers for shapes and dtypes.
    """

    num_tokens: NDArray[np.int64]
    top_counts: NDArray[np.int64]
    top_indices: NDArray[np.int32]
    top_logits: NDArray[np.floating[Any]]
    sampled_indices: NDArray[np.int32]
    sampled_logits: NDArray[np.floating[Any]]
    logsumexp: NDArray[np.float64]
    token_ids: NDArray[np.int32] | None = None

    @property
    def row_offsets(self) -> NDArray[np.int64]:
        """Where each row's tokens begin, and where the last ends: int64 [rows + 1]."""
        return to_offsets(self.num_tokens)

    @property
    def top_offsets(self) -> NDArray[np.int64]:
        """Where each token's nucleus begins, and where the last ends: int64 [tokens + 1]."""
        return to_offsets(self.top_counts)

    @property
    def num_sampled(self) -> int:
        """S, the number of entries sampled per token."""
        return int(self.sampled_indices.shape[1])
