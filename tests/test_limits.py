"""The limits of the tolerances of section 14.3, on one token: the reference and the oracle agree on either side."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agreement import agreed, read_as_agreed
from logitpack_conformance.rows import STRIDE, VOCAB, Row, described
from stored import Dataset, save

TAU = 2.0**-16
DELTA = (1 / 2 + 1 / 64) / 65535
TOP, TAIL = (5.0, 9.0), (-3.0, 1.0)
TOP_CODES, TAIL_CODES = (65535, 40000, 0), (65535, 20000, 7, 1, 0)


def _bound(code: int, ends: tuple[float, float], side: int) -> float:
    """Return the end of the interval of a true logit."""
    width = ends[1] - ends[0]
    return min(max(ends[0] + width * (code / 65535 + side * DELTA), ends[0]), ends[1])


def _log_sum_exp(side: int, codes: tuple[int, ...] = TOP_CODES, *, tail: bool = False, rest: int = 0) -> float:
    parts = [math.exp(_bound(code, TOP, side)) for code in codes]
    parts += [math.exp(_bound(code, TAIL, side)) for code in TAIL_CODES if tail]
    return math.log(math.fsum([*parts, rest * math.exp(_bound(0, TOP, side))]))


LSE = math.log(math.exp(_log_sum_exp(0)) / 0.95)
"""A logsumexp of which the nucleus is 95 %."""


def _token(**changes: Any) -> Row:
    """Return a valid row of one token."""
    row: Row = {
        "num_tokens": 1,
        "top_counts": [len(TOP_CODES)],
        "top_indices_low": [3, 1, 2],
        "top_indices_high": bytes(1),
        "top_logits_quantized": list(TOP_CODES),
        "top_min": [TOP[0]],
        "top_max": [TOP[1]],
        "sampled_indices_low": [10, 11, 12, 13, 14],
        "sampled_indices_high": bytes(2),
        "sampled_logits_quantized": list(TAIL_CODES),
        "sampled_min": [TAIL[0]],
        "sampled_max": [TAIL[1]],
        "logsumexp": [LSE],
    }
    return row | changes


def _judged(folder: Path, row: Row, **members: Any) -> set[str]:
    nucleus = {"rule": "unspecified"}
    raw = json.dumps(described(nucleus=nucleus) | members).encode()
    return agreed(save(Dataset([row], raw), folder, "token", ".arrow"))


def test_token_is_valid(tmp_path: Path) -> None:
    """The token that the others are made of breaks nothing."""
    nucleus = {"rule": "covering", "top_p": 0.95, "max_entries": 100, "order": "descending"}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == set()


NEAR = pytest.mark.parametrize("beyond", [False, True], ids=["inside", "outside"])
LITTLE = 1e-6


@NEAR
def test_limit_of_lse_2(tmp_path: Path, beyond: bool) -> None:
    """LSE-2: l + tau just above and just below what the stored entries have at least."""
    limit = _log_sum_exp(-1, tail=True) / (1 + TAU)
    row = _token(logsumexp=[limit * (1 - LITTLE if beyond else 1 + LITTLE)])
    assert _judged(tmp_path, row) == ({"LSE-2"} if beyond else set())


@NEAR
def test_limit_of_lse_3(tmp_path: Path, beyond: bool) -> None:
    """LSE-3: l - tau just below and just above what the whole vocabulary has at most."""
    rest = VOCAB - len(TOP_CODES) - STRIDE
    limit = _log_sum_exp(1, tail=True, rest=rest) / (1 - TAU)
    row = _token(logsumexp=[limit * (1 + LITTLE if beyond else 1 - LITTLE)])
    assert _judged(tmp_path, row) == ({"LSE-3"} if beyond else set())


@NEAR
def test_limit_of_lse_3_in_a_small_vocabulary(tmp_path: Path, beyond: bool) -> None:
    """LSE-3: with no entry left in the vocabulary, the stored ones are all there is."""
    limit = _log_sum_exp(1, tail=True) / (1 - TAU)
    row = _token(logsumexp=[limit * (1 + LITTLE if beyond else 1 - LITTLE)])
    row["top_indices_low"], row["sampled_indices_low"] = [0, 1, 2], [3, 4, 5, 6, 7]
    assert _judged(tmp_path, row, vocab_size=8) == ({"LSE-3"} if beyond else set())


@NEAR
@pytest.mark.parametrize("requirement", ["NUC-4", "NUC-5", "NUC-6"])
@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-8])
def test_limit_of_a_mass(tmp_path: Path, requirement: str, beyond: bool, distance: float) -> None:
    """NUC-4, NUC-5, NUC-6: top_p just on either side of the mass at the end of its interval."""
    side = 1 if requirement == "NUC-4" else -1
    codes = TOP_CODES[:-1] if requirement == "NUC-5" else TOP_CODES
    mass = math.exp(_log_sum_exp(side, codes) - LSE + side * TAU * LSE)
    top_p = mass * (1 + distance * (1 if beyond else -1) * side)
    rule = "below" if requirement == "NUC-6" else "covering"
    nucleus = {"rule": rule, "top_p": top_p, "max_entries": 100}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == ({requirement} if beyond else set())


@NEAR
def test_limit_of_nuc_4_at_max_entries(tmp_path: Path, beyond: bool) -> None:
    """NUC-4: a nucleus of max_entries entries may fall short, one with fewer may not."""
    nucleus = {"rule": "covering", "top_p": 0.99, "max_entries": 4 if beyond else 3}
    assert _judged(tmp_path, _token(), nucleus=nucleus) == ({"NUC-4"} if beyond else set())


@NEAR
def test_limit_of_nuc_3(tmp_path: Path, beyond: bool) -> None:
    """NUC-3: the largest tail logit just below and just above the smallest nucleus logit, each at its kindest."""
    limit = (_bound(0, TOP, 1) - TAIL[0] * DELTA) / (1 - DELTA)
    highest = float(np.float32(limit * (1 + LITTLE if beyond else 1 - LITTLE)))
    row = _token(sampled_max=[highest], logsumexp=[LSE + 0.05])
    assert _judged(tmp_path, row) == ({"NUC-3"} if beyond else set())


@NEAR
@pytest.mark.parametrize("end", ["low", "high"])
def test_limit_of_qnt_5(tmp_path: Path, beyond: bool, end: str) -> None:
    """QNT-5: the outermost code just less and just more than one binary32 number from its end, in a narrow range."""
    # (code - 33/64) * width / 65535 is 1 at a product of 64 * 65535: these miss it by 2e-5 of it.
    code, width = _near_one(1 + 2e-5 if beyond else 1 - 2e-5)
    unit = 2.0**-21  # between two binary32 numbers in 4 ... 8
    codes = sorted((code, 30000, 65535), reverse=True) if end == "low" else [65535 - code, 30000, 0]
    row = _token(top_logits_quantized=codes, top_min=[5.0], top_max=[5.0 + width * unit], logsumexp=[6.2])
    assert _judged(tmp_path, row) == ({"QNT-5"} if beyond else set())


def _near_one(target: float) -> tuple[int, int]:
    """Return the code and width (in units) of which the smallest logit is the nearest to `target` units above min."""
    pairs = ((code, round(target * 65535 / (code - 33 / 64))) for code in range(2, 3000))
    return min(pairs, key=lambda pair: abs((pair[0] - 33 / 64) * pair[1] / 65535 - target))


def test_allowance_for_logits(tmp_path: Path) -> None:
    """QNT-5: what exceeds the limit by less than 2**-40 of the logit is left to the checker's own rounding."""
    code, width = _near_one(1 + 2.0**-18)
    excess = Fraction(64 * code - 33, 64) * width / 65535 - 1  # in units of 2**-21
    assert 0 < excess / 2**21 < Fraction(5, 2**40)
    codes, top = [65535, 30000, code], 5.0 + width * 2.0**-21
    row = _token(top_logits_quantized=codes, top_min=[5.0], top_max=[top], logsumexp=[6.2])
    assert _judged(tmp_path, row) == set()


@pytest.mark.parametrize("low", [3.4028234e38, -3.4028234e38, 1e-45, 0.0, 1e30])
@pytest.mark.parametrize("width", [0, 1, 7, 70_000])
def test_extreme_ranges(tmp_path: Path, low: float, width: int) -> None:
    """Both agree on ranges at the ends of binary32, and the reader decodes them within QNT-2."""
    start = np.float32(low)
    end = start
    toward = np.float32(-np.inf if low > 1e38 else np.inf)
    for _ in range(min(width, 7)):
        end = np.nextafter(end, toward)
    if width > 7:
        end = np.float32(float(start) * (1 - 1e-3) if start else 1e-40)
    ends = sorted((float(start), float(end)))
    codes = [65535, 40000, 0] if ends[0] < ends[1] else [0, 0, 0]
    row = _token(top_logits_quantized=codes, top_min=[ends[0]], top_max=[ends[1]])
    path = save(Dataset([row], json.dumps(described()).encode()), tmp_path, "token", ".parquet")
    read_as_agreed(path, agreed(path))


TIE = 2**128 - 2**103
"""Half-way between the largest binary32 number and the power of two that would follow it."""


@pytest.mark.parametrize(
    "text", [f"{TIE}", f"{TIE - 1}", f"{TIE}.0", f"{TIE - 1}.9", "1e400", "1e99999999999999999999"]
)
def test_largest_number_of_stored_json(tmp_path: Path, text: str) -> None:
    """Both round once, and take what is beyond the largest finite value for an infinity."""
    path = save(Dataset([_token()], None), tmp_path, "token", ".ndjson")
    # The smallest value keeps a number beside it that binary64 rounds to a tie of binary32.
    changed = path.read_text().replace('"top_max": [9.0]', f'"top_max": [{text}]')
    path.write_text(changed.replace('"sampled_max": [1.0]', '"sampled_max": [1.00000005960464477539062500001]'))
    found = agreed(path)
    read_as_agreed(path, found)
    assert ("QNT-1" in found) == (not text.startswith(str(TIE - 1)))
