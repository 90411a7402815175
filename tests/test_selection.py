"""From dense logits to nucleus, tail and logsumexp; and which positions to take."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logitpack import nucleus, selection
from logitpack.batch import Batch
from logitpack.errors import Place, UsageError
from logitpack.selection import assistant_positions, select

SEEDED = settings(derandomize=True, deadline=None, database=None)
WIDE = 9001  # wide enough for group maxima, and no multiple of the groups
LOWEST = float(np.finfo(np.float32).min)

# Few distinct values, so that there are many ties; -inf among them.
crowded = st.lists(
    st.lists(st.sampled_from([-np.inf, -30.0, -2.0, -1.0, 0.0, 0.5, 3.0]), min_size=12, max_size=12),
    min_size=1,
    max_size=6,
)


def chosen(logits: Any, *, seed: int = 0, num_sampled: int = 1, **options: Any) -> Batch:
    """Select with a seed and, unless told otherwise, a tail of one entry."""
    return select(logits, rng=np.random.default_rng(seed), num_sampled=num_sampled, **options)


def log(*probabilities: float) -> np.ndarray:
    """Return one position's logits, whose probabilities are these."""
    return np.log([probabilities])


def random_logits(positions: int, vocab: int, *, seed: int = 0) -> np.ndarray:
    """Return binary32 logits with a heavy top."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(positions, vocab)) + rng.exponential(1.5, (positions, vocab))).astype(np.float32)


def nuclei(batch: Batch) -> list[list[int]]:
    """Return each token's nucleus indices."""
    return [part.tolist() for part in np.split(batch.top_indices, batch.top_offsets[1:-1])]


def plain_nucleus(logits: np.ndarray, lse: float, top_p: float, max_entries: int, rule: str) -> list[int]:
    """Return a nucleus entry by entry, straight from the words of the rule."""
    order = sorted((-x, index) for index, x in enumerate(logits.tolist()) if x > -np.inf)
    entries, mass = [index for _, index in order], 0.0
    for count, index in enumerate(entries[:max_entries]):
        before, mass = mass, mass + float(np.exp(np.float64(logits[index]) - lse))
        if rule == "covering" and before >= top_p:
            return entries[:count]
        if rule == "below" and mass > top_p:
            return entries[: max(count, 1)]
    return entries[:max_entries]


# The nucleus


def test_covering_takes_the_entry_that_crosses() -> None:
    """Of 0.5, 0.49 and 0.01, it takes two for 0.98 of the mass (NUC-4, NUC-5)."""
    assert [[0, 1]] == nuclei(chosen(log(0.5, 0.49, 0.01)))


def test_below_leaves_the_entry_that_crosses() -> None:
    """Of the same, `below` stores half of the mass (NUC-6)."""
    assert [[0]] == nuclei(chosen(log(0.5, 0.49, 0.01), rule="below"))


def test_below_takes_one_entry_at_least() -> None:
    """An entry that alone holds more than top_p is stored all the same."""
    assert [[1]] == nuclei(chosen(log(0.004, 0.99, 0.006), rule="below"))


@pytest.mark.parametrize("rule", ["covering", "below"])
def test_max_entries_caps(rule: Any) -> None:
    """Neither rule stores more than max_entries (NUC-8)."""
    assert [[0, 1, 2]] == nuclei(chosen(np.zeros((1, 9)), max_entries=3, rule=rule))


@pytest.mark.parametrize("rule", ["covering", "below"])
def test_default_and_greatest_size(rule: Any) -> None:
    """The cap is 100 unless it is said, and at most 255 (NUC-1)."""
    logits = np.zeros((1, 5000), np.float32)
    assert [100] == chosen(logits, rule=rule).top_counts.tolist()
    assert [255] == chosen(logits, rule=rule, max_entries=255).top_counts.tolist()


def test_ties_go_to_the_lower_index() -> None:
    """Among equal logits those of lower index come first, also at the cap."""
    assert [[4, 0, 2]] == nuclei(chosen(np.array([[1.0, 0.0, 1.0, 1.0, 2.0]]), max_entries=3))


def test_zeros_of_either_sign_tie() -> None:
    """-0.0 and 0.0 are one logit."""
    assert [[0, 1, 2]] == nuclei(chosen(np.array([[-0.0, 0.0, -0.0, 0.0]], np.float32), max_entries=3))


def test_top_p_of_one_takes_all_it_may() -> None:
    """With top_p 1 only the cap ends the nucleus."""
    assert [[0, 1, 2, 3]] == nuclei(chosen(log(0.4, 0.3, 0.2, 0.05, 0.05), top_p=1.0, max_entries=4))


@pytest.mark.parametrize("rule", ["covering", "below"])
@pytest.mark.parametrize("top_p", [0.3, 0.9, 0.98, 1.0])
@SEEDED
@given(rows=crowded, max_entries=st.integers(1, 11))
def test_nucleus_follows_the_rule(rule: Any, top_p: float, rows: list[list[float]], max_entries: int) -> None:
    """Whatever the ties and the masked entries, it is the prefix that the rule says."""
    # As many entries more as the nucleus may take, and one for the tail, so that it has room.
    logits = np.array([[*row, *np.linspace(-40, -50, max_entries + 1)] for row in rows])
    batch = chosen(logits, top_p=top_p, max_entries=max_entries, rule=rule)
    expected = [
        plain_nucleus(row, lse, top_p, max_entries, rule)
        for row, lse in zip(logits, batch.logsumexp.tolist(), strict=True)
    ]
    assert expected == nuclei(batch)


@pytest.mark.parametrize("rule", ["covering", "below"])
@pytest.mark.parametrize("vocab", [300, 4097, WIDE, 20_480])
def test_nucleus_of_wide_vocabularies(vocab: int, rule: Any) -> None:
    """Group maxima lose no entry, whatever the vocabulary leaves over for the last groups."""
    logits = random_logits(20, vocab)
    batch = chosen(logits, rule=rule, top_p=0.3)
    expected = [
        plain_nucleus(row, lse, 0.3, 100, rule) for row, lse in zip(logits, batch.logsumexp.tolist(), strict=True)
    ]
    assert expected == nuclei(batch)


HARD = {
    "flat": np.zeros(WIDE),
    "two values": np.arange(WIDE) % 2,
    "few over many": np.where(np.arange(WIDE) < 5, 2, 1),
    "few values": np.round(random_logits(1, WIDE)[0]),
    "rising": np.arange(WIDE) / 1000,
    "falling": -np.arange(WIDE) / 1000,
    "one group": np.where(np.arange(WIDE) % nucleus._GROUPS == 7, 5.0, np.linspace(0, 1, WIDE)),
    "last entries": np.where(np.arange(WIDE) >= WIDE - 30, 5.0, np.linspace(0, 1, WIDE)),
    "mostly masked": np.where(np.arange(WIDE) % 70 == 0, np.linspace(0, 1, WIDE), -np.inf),
    "masked but for 60": np.where(np.arange(WIDE) < WIDE - 60, -np.inf, 1.0),
    "lowest": np.where(np.arange(WIDE) % 3 == 0, LOWEST, -np.inf),
}


@pytest.mark.parametrize("name", HARD)
def test_nucleus_where_candidates_abound(name: str) -> None:
    """Ties and crowded groups, which leave many candidates, change nothing."""
    logits = HARD[name].astype(np.float32)[None]
    batch = chosen(logits, max_entries=50, top_p=1.0)
    assert [plain_nucleus(logits[0], batch.logsumexp[0], 1.0, 50, "covering")] == nuclei(batch)


@pytest.mark.parametrize("name", HARD)
def test_no_tail_entry_is_above_the_nucleus(name: str) -> None:
    """The nucleus is a top set, exactly (NUC-3)."""
    batch = chosen(HARD[name].astype(np.float32)[None], max_entries=30, num_sampled=24)
    assert batch.top_logits.min() >= batch.sampled_logits.max()


def test_entries_descend() -> None:
    """A nucleus stands in descending order (NUC-7)."""
    batch = chosen(random_logits(1, WIDE))
    assert sorted(batch.top_logits.tolist(), reverse=True) == batch.top_logits.tolist()


def test_logits_are_those_of_their_indices() -> None:
    """Stored logits are the model's own."""
    logits = random_logits(9, WIDE)
    batch = chosen(logits, num_sampled=24)
    token = np.repeat(np.arange(9), batch.top_counts)
    np.testing.assert_array_equal(batch.top_logits, logits[token, batch.top_indices])
    np.testing.assert_array_equal(batch.sampled_logits, np.take_along_axis(logits, batch.sampled_indices, axis=1))


# The tail


def test_tail_is_distinct_and_outside_the_nucleus() -> None:
    """No index stands twice in a token (TAIL-1, TAIL-2, NUC-2)."""
    batch = chosen(random_logits(200, 70), num_sampled=24, max_entries=40)
    together = [{*top, *tail} for top, tail in zip(nuclei(batch), batch.sampled_indices.tolist(), strict=True)]
    assert (batch.top_counts + 24).tolist() == [len(entries) for entries in together]


def test_tail_takes_what_is_left_to_the_last() -> None:
    """Where just S entries are left, they are the tail, in random order."""
    batch = chosen(np.tile(np.arange(10.0), (50, 1)), num_sampled=7, max_entries=3)
    assert [list(range(7))] * 50 == np.sort(batch.sampled_indices, axis=1).tolist()
    assert 1 < len({tuple(tail) for tail in batch.sampled_indices.tolist()})


def test_tail_takes_what_is_left_unmasked() -> None:
    """Masked entries are not among those left."""
    logits = np.where(np.arange(400) % 40 == 3, 0.0, -np.inf)[None]
    batch = chosen(logits, num_sampled=8, max_entries=2)
    assert [3, 43] == batch.top_indices.tolist()
    assert [[83, 123, 163, 203, 243, 283, 323, 363]] == np.sort(batch.sampled_indices, axis=1).tolist()


@pytest.mark.parametrize("masked", [[], [0, 6, 13]])
def test_tail_is_uniform(masked: list[int]) -> None:
    """Every entry left is as likely as any other at every place of the tail (TAIL-3)."""
    logits: np.ndarray = np.tile(np.linspace(0, 1, 14), (60_000, 1))
    logits[:, [4, 9]] = 9.0
    logits[:, masked] = -np.inf
    left = sorted(set(range(14)) - {4, 9} - set(masked))
    tail = chosen(logits, num_sampled=5, max_entries=2, top_p=1.0).sampled_indices
    expected = 60_000 / len(left)
    for place in range(5):
        seen = np.bincount(tail[:, place], minlength=14)
        assert seen.sum() == seen[left].sum()
        # 6 standard deviations of a chi-square variable over its mean.
        limit = len(left) + 6 * math.sqrt(2 * len(left))
        assert ((seen[left] - expected) ** 2 / expected).sum() < limit


def test_every_tail_is_as_likely() -> None:
    """All ordered tails of three out of five are drawn equally often."""
    logits: np.ndarray = np.tile([9.0, 1.0, 1.0, 1.0, 1.0, 1.0], (60_000, 1))
    tail = chosen(logits, num_sampled=3, max_entries=1).sampled_indices
    seen = np.unique(tail @ [100, 10, 1], return_counts=True)[1]
    assert 60 == len(seen)
    assert ((seen - 1000) ** 2 / 1000).sum() < 60 + 6 * math.sqrt(120)


def test_tail_depends_on_the_seed_only() -> None:
    """One seed draws one tail, another seed another."""
    logits = random_logits(5, WIDE)
    first, again, other = (chosen(logits, num_sampled=24, seed=seed) for seed in (1, 1, 2))
    assert first.sampled_indices.tolist() == again.sampled_indices.tolist()
    assert first.sampled_indices.tolist() != other.sampled_indices.tolist()


@pytest.mark.parametrize("vocab", [40, WIDE])
def test_blocks_leave_no_seam(vocab: int) -> None:
    """The block size changes no number, masked entries and drawn duplicates included."""
    logits = random_logits(17, vocab)
    logits[3:5, ::3] = -np.inf
    whole = chosen(logits, num_sampled=6, max_entries=7, block=17)
    for block in (1, 2, 5):
        part = chosen(logits, num_sampled=6, max_entries=7, block=block)
        for name in Batch.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name))


# The logsumexp


@pytest.mark.parametrize("vocab", [1000, WIDE])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float16, 1e-6), (np.float32, 1e-6), (np.float64, 1e-14)])
def test_logsumexp_is_over_the_full_width(vocab: int, dtype: Any, tolerance: float) -> None:
    """Entries that are not stored count too, to the precision of their exponentials (LSE-4)."""
    logits = random_logits(7, vocab).astype(dtype)
    expected = [math.log(math.fsum(map(math.exp, row))) for row in logits.astype(float).tolist()]
    np.testing.assert_allclose(chosen(logits).logsumexp, expected, rtol=0, atol=tolerance)


def test_logsumexp_is_accumulated_in_binary64() -> None:
    """A hundred thousand small entries beside a large one are not rounded away."""
    logits = np.full((1, 100_001), -17.0, np.float32)
    logits[0, 0] = 0.0
    assert math.log1p(1e5 * math.exp(-17)) == pytest.approx(chosen(logits).logsumexp[0], rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_near_overflow(dtype: Any) -> None:
    """Logits that differ by more than their type holds give no warning and no infinity."""
    end = float(np.finfo(dtype).max)
    logits = np.array([[end, -end, 0.0, 1.0], [-end, -end, -end, -end]], dtype)
    batch = chosen(logits, max_entries=2)
    assert [end, -end] == batch.logsumexp.tolist()
    assert [0] == nuclei(batch)[0]


def test_masked_entries_weigh_nothing() -> None:
    """-inf is probability zero (QNT-7)."""
    logits = np.array([[-np.inf, 0.0, 0.0, -np.inf, 0.0, 0.0]])
    batch = chosen(logits, max_entries=2, num_sampled=2)
    assert [math.log(4)] == batch.logsumexp.tolist()


# What comes out


def test_it_is_one_row_of_all_positions() -> None:
    """The positions given are the tokens of one row."""
    batch = chosen(random_logits(6, 50), num_sampled=3)
    assert [6] == batch.num_tokens.tolist()
    assert ((6,), (6, 3), (6, 3)) == (
        batch.logsumexp.shape,
        batch.sampled_indices.shape,
        batch.sampled_logits.shape,
    )
    assert batch.top_counts.sum() == len(batch.top_indices) == len(batch.top_logits)
    assert batch.token_ids is None


@pytest.mark.parametrize(("given_type", "kept"), [("f2", "float32"), ("f4", "float32"), ("f8", "float64")])
def test_types(given_type: str, kept: str) -> None:
    """binary16 is widened, binary64 is kept; everything else is as `Batch` says."""
    batch = chosen(random_logits(2, 50).astype(given_type))
    names = [getattr(batch, name).dtype.name for name in Batch.__dataclass_fields__ if getattr(batch, name) is not None]
    assert ["int64", "int64", "int32", kept, "int32", kept, "float64"] == names


def test_layout_does_not_matter(tmp_path: Path) -> None:
    """Byte order, strides and a file behind the array change nothing."""
    logits = random_logits(8, WIDE)
    expected = chosen(logits, num_sampled=24)
    mapped = np.memmap(tmp_path / "logits", np.float32, "w+", shape=logits.shape)
    mapped[:] = logits
    for form in (mapped, logits.astype(">f4"), np.asfortranarray(logits), np.repeat(logits, 2, axis=1)[:, ::2]):
        actual = chosen(form, num_sampled=24)
        for name in Batch.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))


def test_input_is_left_alone() -> None:
    """Selecting writes nothing to the logits it is given."""
    logits = random_logits(3, WIDE)
    copy = logits.copy()
    chosen(logits)
    np.testing.assert_array_equal(logits, copy)


# What is refused


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("vocab", [50, WIDE])
def test_broken_logits(vocab: int, bad: float, dtype: str) -> None:
    """NaN and +inf are refused, with the position and the index (QNT-9)."""
    logits = random_logits(5, vocab).astype(dtype)
    logits[3, vocab - 2] = bad
    with pytest.raises(UsageError, match=f"vocabulary index {vocab - 2} is {bad}") as caught:
        chosen(logits, block=2)
    assert ("QNT-9", Place(token=3)) == (caught.value.requirement, caught.value.place)


def test_position_without_distribution() -> None:
    """A position that is masked throughout is refused (QNT-9)."""
    logits = random_logits(5, 50)
    logits[4] = -np.inf
    with pytest.raises(UsageError, match=r"QNT-9: every logit is -inf \(token 4\)"):
        chosen(logits, block=3)


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("masked", [-20.0, -np.inf])
def test_too_few_entries_for_the_tail(masked: float, block: int) -> None:
    """A position that leaves fewer than S entries is refused, masked entries not counted (QNT-10)."""
    logits = np.zeros((4, 10))
    logits[:, 9] = masked
    logits[:2, 0] = 50.0
    size = 9 if masked == -np.inf else 10
    with pytest.raises(UsageError) as caught:
        chosen(logits, max_entries=6, num_sampled=size - 5, block=block, top_p=0.999)
    error = caught.value
    assert ("QNT-10", Place(token=2), size - 6) == (error.requirement, error.place, error.got)


def test_widest_vocabulary() -> None:
    """A vocabulary of exactly 262,144 can be stored, to its last entry."""
    logits = np.full((1, 262_144), -100.0, np.float16)
    logits[0, -1] = 10.0
    assert [[262_143]] == nuclei(chosen(logits))


def test_wider_vocabulary() -> None:
    """One entry more is refused, and the error says which entries cannot be stored (IDX-6)."""
    with pytest.raises(UsageError, match="IDX-6: logits are 262,145 wide: entries at 262,144 and up"):
        chosen(np.zeros((1, 262_145), np.float16))


def test_vocabulary_beyond_the_limit_without_mass() -> None:
    """Entries that cannot be stored do no harm where they have probability zero."""
    logits = np.full((1, 262_208), -100.0, np.float32)
    logits[0, 262_143] = 0
    logits[:, 262_144:] = -np.inf
    assert [[262_143]] == nuclei(chosen(logits))


def test_no_positions() -> None:
    """A row has at least one token (ROW-1)."""
    with pytest.raises(UsageError, match="ROW-1"):
        chosen(np.zeros((0, 50)))


@pytest.mark.parametrize(
    "logits",
    [
        np.zeros(50),
        np.zeros((1, 1, 50)),
        np.zeros((1, 0)),
        np.zeros((1, 50), np.int64),
        np.zeros((1, 50), np.complex128),
        np.zeros((1, 50), bool),
        np.array([["a", "b"]]),
        [[1.0, 2.0], [1.0]],
    ],
)
def test_what_are_no_logits(logits: Any) -> None:
    """Logits are floats of two dimensions."""
    with pytest.raises(UsageError):
        chosen(logits)


@pytest.mark.parametrize(
    "options",
    [
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": math.nan},
        {"top_p": "0.9"},
        {"max_entries": 0},
        {"max_entries": 256},
        {"max_entries": 10.0},
        {"num_sampled": 0},
        {"num_sampled": -1},
        {"num_sampled": None},
        {"rule": "unspecified"},
        {"rule": None},
        {"block": 0},
        {"block": 1.5},
    ],
)
def test_arguments_out_of_range(options: dict[str, Any]) -> None:
    """Each parameter is checked before anything is computed, and named."""
    with pytest.raises(UsageError, match=next(iter(options))):
        chosen(random_logits(1, 50), **options)


@pytest.mark.parametrize("rng", [None, 7, np.random.RandomState(7)])
def test_generator_is_needed(rng: Any) -> None:
    """Randomness comes from a numpy Generator, which the caller seeds."""
    with pytest.raises(UsageError, match="Generator"):
        select(random_logits(1, 50), rng=rng)


def test_numpy_scalars_are_numbers() -> None:
    """Parameters may be numpy's own numbers."""
    batch = chosen(random_logits(1, 50), top_p=np.float32(0.9), max_entries=np.int64(5), block=np.int32(1))
    assert batch.top_counts[0] <= 5


def test_large_blocks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless told otherwise, a block holds no more logits than fit a cache, or one position."""
    seen = []

    def watched(x: np.ndarray) -> np.ndarray:
        seen.append(len(x))
        return nucleus.group_maxima(x)

    monkeypatch.setattr(selection, "_BLOCK", 200)
    monkeypatch.setattr(selection, "group_maxima", watched)
    chosen(random_logits(9, 50))
    chosen(random_logits(2, 300))
    assert [4, 4, 1, 1, 1] == seen


# Positions


def test_positions_are_those_before_the_tokens() -> None:
    """The token at t is predicted at t - 1 (ALN-1), in the order of tokens (ALN-2)."""
    assert [1, 2, 4] == assistant_positions([False, False, True, True, False, True]).tolist()


def test_positions_of_nothing() -> None:
    """A mask that selects nothing, or is empty, gives no positions."""
    assert [] == assistant_positions([0, 0]).tolist()
    assert [] == assistant_positions([]).tolist()


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "i8", "u8"])
def test_mask_types(dtype: str) -> None:
    """Truth values and integers of any width are masks; positions are int64."""
    positions = assistant_positions(np.array([0, 1, 0, 1], dtype))
    assert ([0, 2], "int64") == (positions.tolist(), positions.dtype.name)


@pytest.mark.parametrize("mask", [[1], [1, 0, 1], [True, True]])
def test_first_token_has_no_prediction(mask: list[int]) -> None:
    """A mask that selects position 0 is refused (ALN-3)."""
    with pytest.raises(UsageError) as caught:
        assistant_positions(mask)
    assert ("ALN-3", Place(token=0)) == (caught.value.requirement, caught.value.place)


@pytest.mark.parametrize("mask", [[0, 2], [0, -1], [0.0, 1.0], [[0, 1]], 1, ["a"], [None]])
def test_what_is_no_mask(mask: Any) -> None:
    """A mask is one dimension of truth values; anything else is refused, not guessed at."""
    with pytest.raises(UsageError):
        assistant_positions(mask)
