"""The last of the kernels: what each token comes to is held against the bounds of `screen`, and counted.

Strategy: one pass over tokens, of numbers that others have gathered; nothing here is exact but what is compared as an
integer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

# Whose types say less than is so.
_intrinsic: Any = intrinsic
_types: Any = types

_WIDE: Any = np.int64


@_intrinsic  # type: ignore[untyped-decorator]
def _exp(_context: Any, _x: Any) -> tuple[Any, Callable[..., Any]]:
    """Give e^x in binary64, off by less than 2^-31 of itself; 0 below -708, and no more than e^708."""
    real, whole = ir.DoubleType(), ir.IntType(64)

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (x,) = arguments
        low, high = ir.Constant(real, -708.0), ir.Constant(real, 708.0)
        above = builder.fcmp_ordered(">", x, low)
        near = builder.select(above, x, low)
        near = builder.select(builder.fcmp_ordered("<", near, high), near, high)
        # The nearest power of two, and what is left: half of log(2) at most.
        turned = builder.fadd(builder.fmul(near, ir.Constant(real, 1 / math.log(2))), ir.Constant(real, 2048.5))
        exponent = builder.sub(builder.fptosi(turned, whole), ir.Constant(whole, 2048))
        left = builder.fsub(near, builder.fmul(builder.sitofp(exponent, real), ir.Constant(real, math.log(2))))
        series = ir.Constant(real, 1 / math.factorial(8))
        for k in reversed(range(8)):
            series = builder.fadd(builder.fmul(series, left), ir.Constant(real, 1 / math.factorial(k)))
        biased = builder.add(exponent, ir.Constant(whole, 1023))
        power = builder.bitcast(builder.shl(biased, ir.Constant(whole, 52)), real)
        return builder.select(above, builder.fmul(series, power), ir.Constant(real, 0.0))

    return _types.float64(_types.float64), code


def weigh(
    counts: NDArray[np.uint8],
    drawn: NDArray[np.int64],
    token_offsets: NDArray[np.int64],
    rows: int,
    code: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    top_low: NDArray[np.float32],
    top_high: NDArray[np.float32],
    tail_low: NDArray[np.float32],
    tail_high: NDArray[np.float32],
    logsumexp: NDArray[np.float64],
    bits: NDArray[np.int64],
    total: NDArray[np.float64],
    least: NDArray[np.uint16],
    largest: NDArray[np.uint16],
    falls: NDArray[np.bool_],
    repeated: NDArray[np.bool_],
    described: int,
    descending: int,
    covering: int,
    below: int,
    limits: NDArray[np.float64],
    edges: NDArray[np.float64],
    num_edges: int,
    zeros: NDArray[np.int64],
    steps: NDArray[np.float64],
    num_types: int,
    verdict: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    masses: NDArray[np.int64],
    bins: NDArray[np.int64],
    kinds: NDArray[np.int64],
    numbers: NDArray[np.int64],
    narrow: NDArray[np.int64],
    extremes: NDArray[np.float64],
) -> None:
    """Hold what each token comes to against the bounds of `screen`, and count it for `figures`.

    `drawn` [rows] is S; `code` and `offsets` are those of the nucleus, `bits` those of `logsumexp`. `total`, `least`,
    `largest` and `falls` [2, tokens] are what `scan` gave, by kind. `described` tells whether there are metadata,
    `descending`, `covering` and `below` what they declare; `limits` are most entries, vocabulary size, top_p, and the
    constants COARSE, LARGEST, LOGSUMEXP_TOLERANCE, LOGIT_TOLERANCE and UNIT.

    `verdict` [tokens] gets 0 where a token is to be judged by others, 1 where its masses are to be looked at closely,
    2 where it certainly holds. To the others is added: `sizes` [256]; `masses` [2], in UNIT; `bins` by `edges`;
    `kinds` [4, 2], ranges, at_min, at_max and largest_code; `numbers` [6], several, rising, wrapped, falling_tail,
    zero and closed; `narrow` by `zeros`, as masks, and `steps`; `extremes` [2], least_mass and most_mass.
    """
    most, vocabulary, top_p, coarse = _WIDE(limits[0]), limits[1], limits[2], limits[3]
    far, of_logsumexp, of_logit, units = limits[4], limits[5], limits[6], 1 / limits[7]
    tokens = token_offsets[rows]
    for row in range(rows):
        sampled = drawn[row]
        for token in range(token_offsets[row], token_offsets[row + 1]):
            count, given = _WIDE(counts[token]), logsumexp[token]
            low, high = np.float64(top_low[token]), np.float64(top_high[token])
            under, over = np.float64(tail_low[token]), np.float64(tail_high[token])
            step = (high - low) / 65535
            holds = (repeated[token] == 0) & (count <= most)
            for kind in range(2):
                begin, end = least[kind * tokens + token], largest[kind * tokens + token]
                opened = under < over if kind else low < high
                holds &= (begin == 0) & (end == 65535) if opened else end == 0  # QNT-4, QNT-5
                kinds[kind] += opened
                kinds[2 + kind] += opened & (begin == 0)
                kinds[4 + kind] += opened & (end == 65535)
                kinds[6 + kind] = end if end > kinds[6 + kind] else kinds[6 + kind]
            # NUC-3 compares the far ends of the two intervals; their middles are closer.
            top_of_tail = under + largest[tokens + token] * ((over - under) / 65535)
            holds &= top_of_tail <= low + least[token] * step
            holds &= (descending == 0) | (falls[token] != 0)

            magnitude = given if given > 0 else -given
            tolerance = of_logsumexp * (magnitude if magnitude > 1 else 1.0)
            mass, tail_mass = total[token] * _exp(high - given), total[tokens + token] * _exp(over - given)
            stored, smallest = mass + tail_mass, _exp(low - given)
            larger = count if count > sampled else sampled
            more, less = 1 + (coarse + larger * 2.0**-24), 1 + tolerance
            sure = (low >= -far) & (under >= -far) & (high <= far) & (over <= far) & (magnitude <= far)
            sure &= stored * more <= less
            if described:
                rest = vocabulary - count - sampled
                sure &= (stored + (rest if rest > 0 else 0.0) * smallest) * less >= more
                if covering:
                    sure &= (count >= most) | (mass * less >= top_p * more)
                    sure &= (count == 1) | (mass * more - smallest < top_p * less)
                if below:
                    sure &= (count == 1) | (mass * more <= top_p * less)
            verdict[token] = (2 if sure else 1) if holds else 0

            sizes[count] += 1
            nucleus = mass if mass < 2 else 2.0
            masses[0] += _WIDE(nucleus * units + 0.5)
            masses[1] += _WIDE((tail_mass if tail_mass < 2 else 2.0) * units + 0.5)
            bin_ = 0
            for k in range(num_edges):
                bin_ += nucleus >= edges[k]
            bins[bin_] += 1
            extremes[0] = nucleus if count < most and nucleus < extremes[0] else extremes[0]
            extremes[1] = nucleus if count > 1 and nucleus > extremes[1] else extremes[1]
            if count > 1:
                first, second, last = code[offsets[token]], code[offsets[token] + 1], code[offsets[token + 1] - 1]
                numbers[0] += 1
                numbers[1] += first < last
                numbers[2] += (first == 0) & (second == largest[token]) & (second > 0)
            numbers[3] += (sampled > 1) & (falls[tokens + token] != 0)
            numbers[4] += magnitude <= tolerance
            off = tolerance + of_logit * step
            if stored > 0 and stored >= 1 - off:  # e^-off is no less
                numbers[5] += (stored >= _exp(-off)) & (stored <= _exp(off))
            for k in range(num_types):
                scaled = given * steps[k]
                whole = scaled >= 2.0**52 or scaled <= -(2.0**52) or scaled == _WIDE(scaled)
                narrow[k] += (magnitude != 0) & (whole or (bits[token] & zeros[k]) == 0)
