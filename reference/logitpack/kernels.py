"""Kernels: one pass over the codes of all tokens, one over their indices, one over what came of them, by numba.

Strategy: the codes of a token are looked through in whole vectors; its indices are marked in a bitmap of 2^18 bits,
which is wiped entry by entry; `weighing` has the last. They take addresses, so that nothing can be raised, and what
comes of them needs nothing of numba to run (`machine`). The built-in `min` and `max` would be functions of their own
there, which take long to compile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic
from numpy.typing import NDArray

from logitpack.weighing import weigh

LANES = 8
BINS = 64
QUOTIENT = 42
"""64 * index < 2^24 and size <= 2^18, so (64 * index * ceil(2^42 / size)) >> 42 is exactly their quotient."""

# Whose types say less than is so.
_numba: Any = numba
_intrinsic: Any = intrinsic
types = _numba.types

_I = np.int32
_U: Any = np.uint32
_WIDE: Any = np.int64
_HALF, _LEAST, _TOP, _ZERO = np.float32(0.5), np.float32(-126), np.float32(65535), np.float32(0)
# 2^f for f in (-1, 0]: the series about -1/2, off by less than 2^-22.
_C0, _C1, _C2, _C3, _C4, _C5, _C6 = (
    np.float32(math.sqrt(0.5) * math.log(2) ** k / math.factorial(k)) for k in range(7)
)


_LOG2_E = 1 / math.log(2)


@_intrinsic  # type: ignore[untyped-decorator]
def _power_of_two(_context: Any, _exponent: Any) -> tuple[Any, Callable[..., Any]]:
    """Give 2^exponent in binary32, by its bits."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        of = arguments[0].type
        biased = builder.add(arguments[0], ir.Constant(of, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(of, 23)), ir.FloatType())

    return types.float32(types.int32), code


def scan(
    code: NDArray[np.uint16],
    codes: int,
    offsets: NDArray[np.int64],
    tokens: int,
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    total: NDArray[np.float64],
    least: NDArray[np.uint16],
    largest: NDArray[np.uint16],
    falls: NDArray[np.bool_],
) -> None:
    """Look through the codes of each token, those of token i being ``code[offsets[i]:offsets[i + 1]]``, of all `codes`.

    `total` gets the sum of e^(logit - `high`), no term taken for less than 2^-126; `least` and `largest`
    the ends of the codes, `falls` whether none is larger than the one before.

    Where one of n terms is 1, `total` is off by less than 2^-18 + n * 2^-24 of itself. A term's exponent is off by
    less than |t| * 2^-23, and the mean of |t|, weighted by the terms, is at most log2(n) <= 18, which makes 2^-19;
    the polynomial and its evaluation cost less than 2^-20, adding up in binary32 less than n * 2^-24.
    """
    for token in range(tokens):
        first, count = offsets[token], offsets[token + 1] - offsets[token]
        # Whole vectors are read, beyond the last code too where there are more: what is not `inside` does not count.
        padded = (count + (LANES - 1)) & -LANES
        padded = padded if first + padded <= codes else count
        end, factor = _I(count), np.float32((np.float64(high[token]) - np.float64(low[token])) * (_LOG2_E / 65535))
        terms, lowest, highest = _ZERO, _I(65535), _I(0)
        for k in range(padded):
            inside, value = _I(k) < end, _I(code[first + k])
            t = (np.float32(value) - _TOP) * factor
            t = t if t > _LEAST else _LEAST
            whole = _I(t)
            f = (t - np.float32(whole)) + _HALF
            power = _C0 + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * (_C5 + f * _C6)))))
            power *= _power_of_two(whole)
            terms += power if inside else _ZERO
            here = value if inside else _I(65535)
            lowest = here if here < lowest else lowest
            here = value if inside else _I(0)
            highest = here if here > highest else highest
        k, last = first + 1, first + count
        while k + 3 < last and (
            (code[k] <= code[k - 1])
            & (code[k + 1] <= code[k])
            & (code[k + 2] <= code[k + 1])
            & (code[k + 3] <= code[k + 2])
        ):
            k += 4
        while k < last and code[k] <= code[k - 1]:
            k += 1
        total[token], least[token], largest[token], falls[token] = terms, lowest, highest, k == last


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
    rows: int,
    counts: NDArray[np.uint8],
    token_ids: NDArray[np.int32],
    aligned: NDArray[np.bool_],
    size: int,
    index: NDArray[np.uint32],
    quads: NDArray[np.uint32],
    apart: NDArray[np.uint8],
    seen: NDArray[np.int64],
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

    `index` has room for the entries of any row, `quads` for a quarter of them, and `apart` are its bytes.
    `seen` [2^12 + 1] is all zeros; an id of 2^18 is in no nucleus.
    """
    scale = BINS * (((1 << QUOTIENT) + size - 1) // size) if size else 0
    for row in range(rows):
        first_token, last_token = token_offsets[row], token_offsets[row + 1]
        tail = top_offsets[row + 1] - top_offsets[row]
        drawn = (tail_offsets[row + 1] - tail_offsets[row]) // (last_token - first_token)
        most = _U(0)
        for kind in range(2):
            if kind == 0:
                low, high, start, byte, to, count = top_low, top_high, top_offsets[row], top_bytes[row], 0, tail
            else:
                low, high, start, byte, to = tail_low, tail_high, tail_offsets[row], tail_bytes[row], tail
                count = tail_offsets[row + 1] - start
            for k in range((count + 3) >> 2):  # IDX-2: four entries a byte, here a byte each
                bits = _U(high[byte + k])
                quads[k] = (bits | bits << 6 | bits << 12 | bits << 18) & 0x03030303
            wide = _U(0)
            for k in range(count):
                joined = _U(low[start + k] | _U(apart[k]) << 16)
                index[to + k] = joined
                most = joined if joined > most else most
                wide = _U(wide + (joined > 65535))
            beyond[kind] += wide
        largest[row] = most
        at, tail_at = 0, tail
        for token in range(first_token, last_token):
            count = _WIDE(counts[token])
            twice = 0
            for kind in range(2):
                start = tail_at if kind else at
                for k in range(start, start + (drawn if kind else count)):
                    word, bit = index[k] >> 6, 1 << (index[k] & 63)
                    before = seen[word]
                    twice |= before & bit
                    seen[word] = before | bit
                if kind == 0 and aligned[row]:
                    for k in range(3):
                        asked = token if k == 0 else token + 3 - 2 * k  # the token after, the one before
                        if first_token <= asked < last_token:
                            token_id = token_ids[asked]
                            found[k] += seen[token_id >> 6] >> (token_id & 63) & 1
            repeated[token] = twice != 0
            below, weight = _WIDE(0), 0.0
            if size and twice == 0:
                in_top, in_tail = count, drawn
                if most >= size:
                    in_top = in_tail = _WIDE(0)
                    for k in range(at, at + count):
                        in_top += index[k] < size
                    for k in range(tail_at, tail_at + drawn):
                        in_tail += index[k] < size
                if in_top < size:
                    below, weight = _WIDE(size), in_tail / (size - in_top)
                    expected[BINS] += weight
            for k in range(at, at + count):
                entry = _WIDE(index[k])
                seen[entry >> 6] = 0
                if entry < below:
                    expected[entry * scale >> QUOTIENT] += weight
            for k in range(tail_at, tail_at + drawn):
                entry = _WIDE(index[k])
                seen[entry >> 6] = 0
                if entry < below:
                    observed[entry * scale >> QUOTIENT] += 1.0
            at += count
            tail_at += drawn


def compiled(signatures: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Compile them for this processor; a parameter is a type, or with a star the address of an array.

    Returns what has an `address`, a `native_name` and its code, `inspect_llvm()`, of each by name.
    """
    # Sums of masses may be made in any order.
    loose = {"reassoc", "contract", "nsz", "nnan"}
    return {
        function.__name__: _numba.cfunc(
            types.void(*map(_type, signatures[function.__name__])),
            nopython=True,
            error_model="numpy",
            fastmath=fast,
            _nrt=False,
        )(function)
        for function, fast in ((scan, loose), (look, False), (weigh, False))
    }


def _type(parameter: str) -> Any:
    # A truth value is a byte.
    name = parameter.rstrip("*").replace("bool", "uint8")
    return types.CPointer(getattr(types, name)) if parameter.endswith("*") else getattr(types, name)
