"""Logits as codes: the error bounds of QNT-2 and QNT-3, judged exactly, and what is refused.

Exact judgement: binary32 and binary64 numbers are fractions, so that the decoded value, the
bounds and every difference are too. Brought to whole numbers of one unit they are compared
without rounding; nothing here is compared in floating point.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logitpack import quantisation, ragged
from logitpack.errors import Place, UsageError
from logitpack.quantisation import dequantise, quantise

SEEDED = settings(derandomize=True, deadline=None, database=None, max_examples=300)
TINY = 2.0**-149  # the least binary32 above zero
HUGE = float(np.finfo(np.float32).max)
CODES = np.arange(65_536, dtype=np.uint16)
RANGES = {
    "usual": (-3.25, 17.5),
    "thirds": (-1 / 3, 2 / 3),
    "symmetric": (-0.9991454, 1.0344946),
    "negative": (-40.1, -12.3),
    "far from zero": (1000.1, 1000.2),
    "one ulp": (1.0, 1.0 + 2.0**-23),
    "one ulp, negative": (-1.0, -1.0 + 2.0**-24),
    "one ulp, integers": (16_777_214.0, 16_777_215.0),
    "one ulp at the top": (HUGE - 2.0**104, HUGE),
    "all positive": (0.0, HUGE),
    "all negative": (-HUGE, 0.0),
    "widest": (-HUGE / 2, HUGE / 2),
    "huge and tiny": (-TINY, HUGE),
    "least subnormal": (0.0, TINY),
    "around zero": (-TINY, TINY),
    "subnormal": (-3 * TINY, 70_001 * TINY),
    "subnormal, wide": (-(2.0**-127), 2.0**-127 - TINY),
    "to the least normal": (0.0, 2.0**-126),
    "just normal": (-(2.0**-125), 2.0**-126 + TINY),
    "step underflows": (0.0, 2.0**-111 * 1.1),
    "empty": (5.5, 5.5),
    "empty at zero": (-0.0, 0.0),
    "empty, subnormal": (TINY, TINY),
}

finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
subnormal32 = st.integers(-(2**24), 2**24).map(lambda count: count * TINY)
ends32 = st.one_of(finite32, subnormal32, st.floats(-64, 64, width=32))
codes = st.lists(st.integers(0, 65_535), min_size=1, max_size=8)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float]:
    """Any range that QNT-1 allows, the narrow ones as likely as the wide ones."""
    low = draw(ends32)
    high = draw(ends32)
    if draw(st.booleans()):
        high = low
        for _ in range(draw(st.integers(0, 3))):
            high = float(np.nextafter(np.float32(high), np.float32(np.inf)))
    low, high = sorted((low, high))
    assume(float(np.abs(np.float64(high) - low)) < HUGE)
    return low, high


@st.composite
def tokens(draw: st.DrawFn, width: int) -> list[float]:
    """Return the logits of a token, of up to `width` bits, whose range QNT-1 allows."""
    low, high = (end + 0.0 for end in draw(ranges()))  # no -0.0
    inner = st.floats(low, high, width=width)  # type: ignore[arg-type]
    return draw(st.lists(inner, min_size=1, max_size=8))


def units(value: float) -> int:
    """Return the value in units of 2**-1074, of which every finite binary64 has a whole number."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (1075 - denominator.bit_length())


def misread(y: list[float], q: Iterable[int], low: float, high: float) -> list[int]:
    """Return the codes whose decoded values break QNT-2: everything times 65535 * 2**21 is whole."""
    least, span = units(low), units(high) - units(low)
    bound = 65_535 * (max(abs(units(low)), abs(units(high))) + 2**21 * units(TINY))
    pairs = zip(q, y, strict=True)
    return [code for code, value in pairs if abs((units(value) - least) * 65_535 - code * span) << 21 > bound]


def miscoded(x: list[float], q: Iterable[int], low: float, high: float) -> list[float]:
    """Return the logits whose codes break QNT-3: everything times 65535 * 64 is whole."""
    least, span = units(low), units(high) - units(low)
    bound = (32 + 1) * span
    pairs = zip(x, q, strict=True)
    return [value for value, code in pairs if abs(code * span - (units(value) - least) * 65_535) * 64 > bound]


def single(*values: float) -> np.ndarray:
    """Return the values as a binary32 array."""
    return np.array(values, np.float32)


def hard_to_code(low: float, high: float) -> np.ndarray:
    """Return binary32 logits in a range: both ends, and next to the middle between codes."""
    ends = single(low, high)
    codes = np.concatenate([np.arange(100), np.arange(100, 65_435, 13), np.arange(65_435, 65_535)])
    middle = ends[0] + (codes + 0.5) * (ends[1].astype(np.float64) - ends[0]) / 65_535
    near = middle.astype(np.float32)
    with np.errstate(over="ignore"):
        around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    hard: np.ndarray = np.unique(np.clip(np.concatenate([ends, *around]), ends[0], ends[1]))
    return hard


# Reading


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", RANGES)
def test_every_code_is_read_within_the_bound(name: str, dtype: type) -> None:
    """All 65,536 codes of a range decode to within QNT-2 of the real number."""
    low, high = single(*RANGES[name]).tolist()
    y = dequantise(CODES, single(low), single(high), 65_536, dtype=dtype)
    assert [] == misread(y.tolist(), range(65_536), low, high)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@SEEDED
@given(span=ranges(), q=codes)
def test_any_range_is_read_within_the_bound(dtype: type, span: tuple[float, float], q: list[int]) -> None:
    """Whatever range QNT-1 allows, codes decode to within QNT-2."""
    y = dequantise(np.array(q, np.uint16), single(span[0]), single(span[1]), len(q), dtype=dtype)
    assert [] == misread(y.tolist(), q, *span)


def test_bound_tells_a_wrong_divisor() -> None:
    """Reading with 65536 in place of 65535 breaks QNT-2, so the bound is no mere formality."""
    low, high = RANGES["usual"]
    assert [65_535] == misread([low + 65_535 / 65_536 * (high - low)], [65_535], low, high)


def test_judgement_agrees_with_fractions() -> None:
    """The whole-number judgement of QNT-2 and QNT-3 is the same as that of their formulas."""
    rng = np.random.default_rng(3)
    low, high, verdicts = -1.1, 2.3, set()
    for q in rng.integers(0, 65_536, 200).tolist():
        y = low + q * (high - low) / 65_535 + rng.normal() * 2.0**-21
        x = low + (q + rng.uniform(-0.6, 0.6)) * (high - low) / 65_535
        span = Fraction(high) - Fraction(low)
        v = Fraction(low) + q * span / 65_535
        far = abs(Fraction(y) - v) > Fraction(2.0**-21) * Fraction(high) + Fraction(TINY)
        off = abs(v - Fraction(x)) > (Fraction(1, 2) + Fraction(1, 64)) * span / 65_535
        assert (far, off) == (bool(misread([y], [q], low, high)), bool(miscoded([x], [q], low, high)))
        verdicts |= {("read", far), ("coded", off)}
    assert 4 == len(verdicts)


def test_arithmetic_is_in_the_published_order() -> None:
    """In binary32, a value is (q / 65535) * (max - min) + min, each step rounded."""
    rng = np.random.default_rng(0)
    q = rng.integers(0, 65_536, 2000, dtype=np.uint16)
    low = rng.normal(size=2000).astype(np.float32)
    high = low + rng.random(2000, dtype=np.float32) * 20
    expected = (q.astype(np.float32) / np.float32(65_535)) * (high - low) + low
    np.testing.assert_array_equal(dequantise(q, low, high, 1), expected, strict=True)


def test_binary64_arithmetic_is_in_the_same_order() -> None:
    """In binary64 it is the same expression of the same binary32 ends."""
    q = np.array([1, 2, 65_535], np.uint16)
    low, high = float(np.float32(0.1)), float(np.float32(0.7))
    expected = [code / 65_535 * (high - low) + low for code in q.tolist()]
    assert expected == dequantise(q, single(0.1), single(0.7), 3, dtype=np.float64).tolist()


def test_each_token_has_its_own_range() -> None:
    """Ranges are spread over tokens by their counts; a token without entries takes none."""
    y = dequantise(
        np.array([0, 65_535, 0, 65_535, 0], np.uint16),
        single(1, 9, 3, 5),
        single(2, 9, 4, 6),
        np.array([2, 0, 2, 1], np.uint8),
    )
    assert [1, 2, 3, 4, 5] == y.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_count_for_all_is_the_same(dtype: type) -> None:
    """An int count gives what the same count for each token gives, to the bit."""
    rng = np.random.default_rng(1)
    q = rng.integers(0, 65_536, 50 * 24, dtype=np.uint16)
    low = rng.normal(size=50).astype(np.float32)
    high = low + np.float32(7)
    expected = dequantise(q, low, high, np.full(50, 24), dtype=dtype)
    np.testing.assert_array_equal(dequantise(q, low, high, 24, dtype=dtype), expected, strict=True)


def test_wide_ends_are_rounded_to_binary32() -> None:
    """Ends kept as float64 mean the nearest binary32."""
    q = np.array([0, 65_535], np.uint16)
    y = dequantise(q, np.array([0.1]), np.array([0.7]), 2, dtype=np.float64)
    assert single(0.1, 0.7).astype(np.float64).tolist() == y.tolist()


@pytest.mark.parametrize("dtype", ["u2", "i4", "u8", ">u2"])
def test_codes_of_any_integer_type(dtype: str) -> None:
    """The type and the byte order of codes do not matter."""
    assert [0, 1] == dequantise(np.array([0, 65_535], dtype), single(0), single(1), 2).tolist()


def test_invalid_ranges_give_no_warning() -> None:
    """A range that breaks QNT-1 decodes to something, in silence: a checker reports it."""
    low = single(-HUGE, np.nan, -np.inf)
    high = single(HUGE, 1, np.inf)
    assert 3 == len(dequantise(np.array([1, 2, 3], np.uint16), low, high, 1))


def test_nothing_is_read_as_nothing() -> None:
    """No tokens have no logits."""
    assert [] == dequantise(np.array([], np.uint16), single(), single(), 24).tolist()


@pytest.mark.parametrize(
    ("q", "low", "high", "counts"),
    [
        (np.zeros(3, np.uint16), single(0), single(1), 2),
        (np.zeros(4, np.uint16), single(0), single(1), 2),
        (np.zeros(4, np.uint16), single(0, 0), single(1), 2),
        (np.zeros(4, np.uint16), single(0), single(1), 0),
        (np.zeros(4, np.uint16), single(0), single(1), np.array([3])),
        (np.zeros(4, np.uint16), single(0), single(1), np.array([2, 2])),
        (np.zeros(4), single(0), single(1), 4),
        (np.zeros((2, 2), np.uint16), single(0, 0), single(1, 1), 2),
    ],
)
def test_arguments_that_do_not_fit(q: np.ndarray, low: np.ndarray, high: np.ndarray, counts: int) -> None:
    """Codes, ranges and counts have to agree."""
    with pytest.raises(UsageError):
        dequantise(q, low, high, counts)


def test_no_other_type_is_decoded_to() -> None:
    """binary16 could not keep the bound."""
    with pytest.raises(UsageError, match="float16"):
        dequantise(CODES, single(0), single(1), 65_536, dtype=np.float16)


# Writing


@pytest.mark.parametrize("name", RANGES)
def test_the_hardest_logits_are_coded_within_the_bound(name: str) -> None:
    """Logits in the middle between codes get a code within QNT-3, in every kind of range."""
    x = hard_to_code(*RANGES[name])
    q, low, high = quantise(x, len(x))
    assert [] == miscoded(x.tolist(), q.tolist(), float(low[0]), float(high[0]))


@pytest.mark.parametrize("name", [name for name in RANGES if not name.startswith("empty")])
def test_plain_binary32_writers_keep_the_bound(name: str) -> None:
    """A writer whose every step is binary32 stays within the 1/64 of a step that QNT-3 grants."""
    x = hard_to_code(*RANGES[name])
    q = np.rint((x - x[0]) / (x[-1] - x[0]) * np.float32(65_535))
    assert "float32" == q.dtype.name
    assert [] == miscoded(x.tolist(), q.astype(int).tolist(), float(x[0]), float(x[-1]))


@SEEDED
@given(tokens(width=32))
def test_binary32_logits_are_coded_within_the_bound(x: list[float]) -> None:
    """Whatever binary32 logits a token has, their codes keep QNT-3, and the ends are their own."""
    q, low, high = quantise(single(*x), len(x))
    assert (min(x), max(x)) == (float(low[0]), float(high[0]))
    assert [] == miscoded(x, q.tolist(), min(x), max(x))


@SEEDED
@given(tokens(width=64))
def test_binary64_logits_are_coded_within_the_bound(x: list[float]) -> None:
    """Whatever binary64 logits a token has, the range holds them (QNT-11), and codes keep QNT-3."""
    q, low, high = quantise(np.array(x), len(x))
    ends = float(low[0]), float(high[0])
    assert ends[0] <= min(x) <= max(x) <= ends[1]
    assert [] == miscoded(x, q.tolist(), *ends)


@SEEDED
@given(tokens(width=64))
def test_the_range_is_tight(x: list[float]) -> None:
    """The next binary32 inwards of either end would leave a logit out (QNT-5)."""
    _, low, high = quantise(np.array(x), len(x))
    assert float(np.nextafter(low[0], np.float32(np.inf))) > min(x)
    assert float(np.nextafter(high[0], np.float32(-np.inf))) < max(x)


@SEEDED
@given(tokens(width=32))
def test_codes_keep_the_order(x: list[float]) -> None:
    """A larger logit never gets a smaller code, as NUC-7 needs."""
    q, _, _ = quantise(single(*sorted(x)), len(x))
    assert all(first <= second for first, second in pairwise(q.tolist()))


def test_ends_get_the_end_codes() -> None:
    """The smallest logit is coded 0, the largest 65535."""
    q, low, high = quantise(single(3, -1, 2), 3)
    assert ([65_535, 0, 49_151], [-1.0], [3.0]) == (q.tolist(), low.tolist(), high.tolist())


def test_half_goes_to_even() -> None:
    """A logit in the very middle between two codes takes the even one."""
    x = single(0, 65_535 * 2, 1, 3, 5)
    assert [0, 65_535, 0, 2, 2] == quantise(x, 5)[0].tolist()


def test_an_empty_range_is_coded_zero() -> None:
    """Where all logits of a token are equal, every code is 0 (QNT-4)."""
    q, low, high = quantise(single(7, 7, -0.0, 0.0), 2)
    assert ([0, 0, 0, 0], [7.0, 0.0], [7.0, 0.0]) == (q.tolist(), low.tolist(), high.tolist())


def test_tokens_are_coded_by_themselves() -> None:
    """Each token's codes depend on its own logits only, whatever the counts' type."""
    q, low, high = quantise(single(1, 2, 30, 10, 20, 5), np.array([2, 3, 1], np.uint8))
    assert [0, 65_535, 65_535, 0, 32_768, 0] == q.tolist()
    assert ([1, 10, 5], [2, 30, 5]) == (low.tolist(), high.tolist())


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes, ranges and values are the same however tokens are cut into blocks."""
    rng = np.random.default_rng(2)
    counts = rng.integers(1, 9, 200)
    x = rng.normal(size=counts.sum())
    whole = quantise(x, counts)
    values = dequantise(*whole, counts)
    monkeypatch.setattr(quantisation, "blocks", lambda offsets: ragged.blocks(offsets, 7))
    for expected, actual in zip(whole, quantise(x, counts), strict=True):
        np.testing.assert_array_equal(actual, expected, strict=True)
    np.testing.assert_array_equal(dequantise(*whole, counts), values, strict=True)


def test_types() -> None:
    """Codes are uint16 and ends binary32, whatever the logits are."""
    kinds = {tuple(array.dtype.name for array in quantise(np.zeros(1, dtype), 1)) for dtype in ("f2", "f4", "f8")}
    assert {("uint16", "float32", "float32")} == kinds


def test_nothing_is_coded_as_nothing() -> None:
    """No tokens have no codes and no ranges."""
    assert [0, 0, 0] == [len(array) for array in quantise(single(), np.array([], np.int64))]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_logits_that_are_not_finite_are_refused(bad: float, dtype: type) -> None:
    """NaN and infinity have no code (QNT-6); the error says where the first one is."""
    with pytest.raises(UsageError) as caught:
        quantise(np.array([1, 2, 3, 4, bad, bad], dtype), np.array([1, 2, 3]))
    assert ("QNT-6", Place(token=2, entry=1)) == (caught.value.requirement, caught.value.place)


@pytest.mark.parametrize(
    "x",
    [
        single(-HUGE, HUGE),
        single(-HUGE / 2 - 2.0**104, HUGE / 2 + 2.0**104),
        np.array([1e39]),
        np.array([-1e39, 0.0]),
        np.array([0.0, 1e308]),
        np.array([np.nextafter(HUGE, np.inf)]),
    ],
)
def test_ranges_over_binary32_are_refused(x: np.ndarray) -> None:
    """A range, or an end of it, that binary32 cannot hold is refused (QNT-1)."""
    with pytest.raises(UsageError) as caught:
        quantise(np.concatenate([[0.5, 1.5], x]).astype(x.dtype), np.array([2, len(x)]))
    assert ("QNT-1", Place(token=1)) == (caught.value.requirement, caught.value.place)


def test_place_counts_over_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token that is refused is numbered in the call, not in its block."""
    monkeypatch.setattr(quantisation, "blocks", lambda offsets: ragged.blocks(offsets, 4))
    with pytest.raises(UsageError, match=r"QNT-6: .* \(token 7, entry 1\)"):
        quantise(np.array([0.0] * 15 + [np.nan]), 2)


@pytest.mark.parametrize(
    ("x", "counts"),
    [
        (single(1, 2, 3), 2),
        (single(1, 2, 3), np.array([2])),
        (single(1, 2, 3), np.array([3, 0])),
        (single(1, 2, 3), 0),
        (single(1, 2, 3).reshape(1, 3), 3),
        (np.array([1, 2, 3]), 3),
        (np.array([1, 2, 3], np.complex64), 3),
    ],
)
def test_logits_and_counts_that_do_not_fit(x: np.ndarray, counts: int) -> None:
    """Logits are one dimension of floats, each token has at least one, and counts add up."""
    with pytest.raises(UsageError):
        quantise(x, counts)


def test_sum_beyond_the_largest_number_is_the_maximum() -> None:
    """Where the last sum would round to infinity, the maximum is returned (QNT-2)."""
    largest = np.finfo(np.float32).max
    low = np.array([1.5 * 2.0**104, 0], np.float32)
    high = np.array([largest, 1], np.float32)
    decoded = dequantise(np.array([65535, 0, 65535], np.uint16), low, high, np.array([2, 1]))
    assert [float(largest), float(low[0]), 1.0] == decoded.tolist()
