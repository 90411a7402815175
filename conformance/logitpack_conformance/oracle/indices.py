"""Vocabulary indices of 18 bits on Python lists and bytes.

Strategy: an index is low + 65,536 * high. The high parts of one row and one kind form a single run of bits, entry j at
bits 2(j mod 4) and 2(j mod 4) + 1 of byte floor(j / 4) (IDX-2).
"""

from __future__ import annotations

from collections.abc import Sequence

LIMIT = 1 << 18
"""One more than the largest index that can be stored (IDX-6)."""


def high_length(entries: int) -> int:
    """Bytes of the high parts of so many entries: ceil(entries / 4) (IDX-3)."""
    return -(-entries // 4)


def pack(indices: Sequence[int]) -> tuple[list[int], bytes]:
    """Split indices into their low parts and the bytes of their high parts (IDX-2).

    Raises ValueError for an index outside 0 ... 262,143 (IDX-6).
    """
    high = bytearray(high_length(len(indices)))
    low = []
    for j, index in enumerate(indices):
        if not 0 <= index < LIMIT:
            raise ValueError(f"IDX-6: index {index} does not fit 18 bits")
        low.append(index % 65536)
        high[j // 4] |= (index // 65536) << (2 * (j % 4))
    return low, bytes(high)


def unpack(low: Sequence[int], high: bytes) -> list[int]:
    """Return the indices of one row (IDX-2). Padding bits are ignored (IDX-4)."""
    return [part + 65536 * (high[j // 4] >> (2 * (j % 4)) & 3) for j, part in enumerate(low)]


def padding(entries: int, high: bytes) -> int:
    """Return the value of the unused high-order bits of the last byte: zero where IDX-4 holds."""
    used = 2 * (entries % 4)
    return high[-1] >> used if used else 0
