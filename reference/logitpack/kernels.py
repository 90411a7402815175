"""Kernels: one pass over the codes of all tokens, one over their indices, compiled by numba.

Strategy: what `screen` has to know of each token is gathered here, and nothing is judged. The codes of a token
are looked through in whole vectors; its indices are marked in a bitmap of 2^18 bits, which is wiped entry by entry.

A function of its own costs a tenth of a second to compile, which is why these two are long.

Importing this module compiles it, or takes the code that numba has kept of an earlier run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

LANES = 32
BITS = 18
BINS = 64
QUOTIENT = 42
"""64 * index < 2^24 and size <= 2^18, so (64 * index * ceil(2^42 / size)) >> 42 is exactly their quotient."""

_U: Any = np.uint64
_W: Any = np.uint32
_HALF, _LEAST, _TOP = np.float32(0.5), np.float32(-126), np.float32(65535)
# 2^f for f in (-1, 0]: the series about -1/2, off by less than 2^-22.
_C0, _C1, _C2, _C3, _C4, _C5, _C6 = (
    np.float32(math.sqrt(0.5) * math.log(2) ** k / math.factorial(k)) for k in range(7)
)


def _in(of: Any) -> Any:
    return types.Array(of, 1, "C", readonly=True)


def _out(of: Any) -> Any:
    return types.Array(of, 1, "C")


def _compiled(*signature: Any, fast: bool = False) -> Callable[[F], F]:
    """Compile a function, and keep the code where there is a place for it; `fast` lets sums be made in any order."""

    def decorate(function: F) -> F:
        options: dict[str, Any] = {"nogil": True, "_nrt": False}
        if fast:
            options["fastmath"] = {"reassoc", "contract", "nsz", "nnan"}
        try:
            kept: F = numba.njit(types.void(*signature), cache=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's can be written to
            kept = numba.njit(types.void(*signature), **options)(function)
        return kept

    return decorate


@_compiled(
    _in(types.uint16),
    _in(types.int64),
    _in(types.float64),
    _out(types.float64),
    _out(types.int64),
    _out(types.int64),
    _out(types.boolean),
    fast=True,
)
def scan(
    code: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    scale: NDArray[np.float64],
    total: NDArray[np.float64],
    least: NDArray[np.int64],
    largest: NDArray[np.int64],
    falls: NDArray[np.bool_],
) -> None:
    """Look through the codes of each token, those of token i being ``code[offsets[i]:offsets[i + 1]]``.

    `total` gets the sum of 2^((code - 65535) * `scale`), no term taken for less than 2^-126; `least` and `largest`
    the ends of the codes, `falls` whether none is larger than the one before.

    Where one of n terms is 1, `total` is off by less than 2^-18 + n * 2^-24 of itself. A term's exponent is off by
    less than |t| * 2^-23, and the mean of |t|, weighted by the terms, is at most log2(n) <= 18, which makes 2^-19;
    the polynomial and its evaluation cost less than 2^-20, adding up in binary32 less than n * 2^-24.
    """
    for token in range(offsets.size - 1):
        first, count = offsets[token], offsets[token + 1] - offsets[token]
        codes = code[first:]
        # Whole vectors are read, beyond the last code too where there are more: what is not `inside` does not count.
        padded = (count + (LANES - 1)) & -LANES
        padded = padded if padded <= codes.size else count
        end, factor = np.int32(count), np.float32(scale[token])
        terms, low, high = np.float32(0), np.int32(65535), np.int32(0)
        for k in range(padded):
            inside, value = np.int32(k) < end, np.int32(codes[k])
            t = (np.float32(value) - _TOP) * factor
            t = t if t > _LEAST else _LEAST
            whole = np.int32(t)
            f = (t - np.float32(whole)) + _HALF
            power = _C0 + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * (_C5 + f * _C6)))))
            power *= np.int32((whole + np.int32(127)) << np.int32(23)).view(np.float32)
            terms += power if inside else np.float32(0)
            here = value if inside else np.int32(65535)
            low = here if here < low else low
            here = value if inside else np.int32(0)
            high = here if here > high else high
        k = 1
        while k < count and codes[k] <= codes[k - 1]:
            k += 1
        total[token], least[token], largest[token], falls[token] = terms, low, high, k == count


_PACKED = (_in(types.uint16), _in(types.uint8), _in(types.int64), _in(types.int64))


@_compiled(
    *_PACKED,
    *_PACKED,
    _in(types.int64),
    _in(types.uint8),
    _in(types.int32),
    _in(types.boolean),
    types.int64,
    _out(types.uint32),
    _out(types.uint64),
    _out(types.boolean),
    _out(types.int64),
    _out(types.int64),
    _out(types.int64),
    _out(types.float64),
    _out(types.float64),
)
def look(
    top_low: NDArray[np.uint16],
    top_high: NDArray[np.uint8],
    top_offsets: NDArray[np.int64],
    top_bytes: NDArray[np.int64],
    tail_low: NDArray[np.uint16],
    tail_high: NDArray[np.uint8],
    tail_offsets: NDArray[np.int64],
    tail_bytes: NDArray[np.int64],
    token_offsets: NDArray[np.int64],
    counts: NDArray[np.uint8],
    token_ids: NDArray[np.int32],
    aligned: NDArray[np.bool_],
    size: int,
    index: NDArray[np.uint32],
    seen: NDArray[np.uint64],
    repeated: NDArray[np.bool_],
    largest: NDArray[np.int64],
    beyond: NDArray[np.int64],
    found: NDArray[np.int64],
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> None:
    """Look through the indices of each row: offsets are int64 [rows + 1], `..._bytes` those of the high bits.

    `repeated` [tokens] gets whether an index stands twice in the token, `largest` [rows] the largest index of a
    row, `beyond` [2] how many need high bits, by kind. `found` [3] counts the tokens of `aligned` rows that stand in
    the nucleus of their own entry, the one before, the one after (ALN-5).

    Where `size` is not 0, `observed` [64] and `expected` [65] get the sums of TAIL-3 over tokens without repeats:
    tail entries by bin; by bin what the nucleus takes away, and last the weights.

    `index` has room for the entries of any row. `seen` [2^12 + 1] is all zeros; an id of 2^18 is in no nucleus.
    """
    scale = _U(BINS) * _U(((1 << QUOTIENT) + size - 1) // size if size else 0)
    for row in range(token_offsets.size - 1):
        first_token, last_token = token_offsets[row], token_offsets[row + 1]
        top_count, tail_count = top_offsets[row + 1] - top_offsets[row], tail_offsets[row + 1] - tail_offsets[row]
        drawn = tail_count // (last_token - first_token)
        most = _W(0)
        for kind in range(2):
            if kind == 0:
                low, high = top_low[top_offsets[row] :], top_high[top_bytes[row] :]
                count, joined = top_count, index[0:]
            else:
                low, high = tail_low[tail_offsets[row] :], tail_high[tail_bytes[row] :]
                count, joined = tail_count, index[top_count:]
            for byte in range(_U(count >> 2)):  # IDX-2, four entries a byte
                k, bits = byte << _U(2), _W(high[byte])
                joined[k] = _W(low[k]) | (bits & _W(3)) << _W(16)
                joined[k + _U(1)] = _W(low[k + _U(1)]) | (bits & _W(12)) << _W(14)
                joined[k + _U(2)] = _W(low[k + _U(2)]) | (bits & _W(48)) << _W(12)
                joined[k + _U(3)] = _W(low[k + _U(3)]) | (bits & _W(192)) << _W(10)
            for j in range(count & ~3, count):
                joined[j] = _W(low[j]) | _W((high[j >> 2] >> 2 * (j & 3)) & 3) << _W(16)
            wide = _W(0)
            for j in range(count):
                most = joined[j] if joined[j] > most else most
                wide += _W(joined[j] > _W(65535))
            beyond[kind] += np.int64(wide)
        largest[row] = np.int64(most)
        at, tail_at = np.int64(0), top_count
        for token in range(first_token, last_token):
            count = np.int64(counts[token])
            twice = _U(0)
            for kind in range(2):
                start, stop = (at, at + count) if kind == 0 else (tail_at, tail_at + drawn)
                for entry in index[start:stop]:
                    word, bit = _U(entry) >> _U(6), _U(1) << (_U(entry) & _U(63))
                    before = seen[word]
                    twice |= before & bit
                    seen[word] = before | bit
                if kind == 0 and aligned[row]:
                    for k in range(3):
                        asked = token if k == 0 else token + 3 - 2 * k  # the token after, the one before
                        if first_token <= asked < last_token:
                            token_id = _U(token_ids[asked])
                            found[k] += np.int64(seen[token_id >> _U(6)] >> (token_id & _U(63)) & _U(1))
            repeated[token] = twice != _U(0)
            below, weight = _U(0), 0.0
            if size and twice == _U(0):
                in_top, in_tail = count, drawn
                if largest[row] >= size:
                    in_top, in_tail = np.int64(0), np.int64(0)
                    for k in range(count):
                        in_top += np.int64(index[at + k]) < size
                    for k in range(drawn):
                        in_tail += np.int64(index[tail_at + k]) < size
                if in_top < size:
                    below, weight = _U(size), in_tail / (size - in_top)
                    expected[BINS] += weight
            for entry in index[at : at + count]:
                seen[_U(entry) >> _U(6)] = _U(0)
                if _U(entry) < below:
                    expected[_U(entry) * scale >> _U(QUOTIENT)] += weight
            for entry in index[tail_at : tail_at + drawn]:
                seen[_U(entry) >> _U(6)] = _U(0)
                if _U(entry) < below:
                    observed[_U(entry) * scale >> _U(QUOTIENT)] += 1.0
            at += count
            tail_at += drawn
