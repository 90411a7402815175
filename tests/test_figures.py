"""Figures of a dataset: what they say of known rows, and that they add up."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import logitpack
from logitpack.figures import KINDS, MASS_EDGES, Figures
from logitpack.resources import load_schema
from spoiled import NUM_SAMPLED, ROWS, TOKENS, checked, selected, stored


@cache
def batch() -> logitpack.Batch:
    """Return the rows that are looked at."""
    return selected()


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Return the figures of the rows in one file."""
    return checked(tmp_path_factory.mktemp("figures") / "x.parquet", stored(batch())).datasets[0].figures


def nucleus_masses() -> np.ndarray:
    """Return the mass of each nucleus, from the logits before they were stored."""
    owner = np.repeat(np.arange(batch().top_counts.size), batch().top_counts)
    masses: np.ndarray = np.bincount(owner, np.exp(batch().top_logits - batch().logsumexp[owner]))
    return masses


def test_sizes(figures: Figures) -> None:
    """Tokens are counted by the size of their nucleus."""
    assert np.bincount(batch().top_counts, minlength=256).tolist() == figures.sizes.tolist()


def test_mean_entries(figures: Figures) -> None:
    """The mean is over tokens."""
    assert batch().top_counts.mean() == pytest.approx(figures.mean_entries, rel=1e-12)


def test_largest_nucleus(figures: Figures) -> None:
    """The largest size, and the share of the tokens that have it."""
    most = int(batch().top_counts.max())
    assert (most, (batch().top_counts == most).mean()) == (figures.largest_size, figures.share_at(most))


def test_masses(figures: Figures) -> None:
    """The means of the masses are those of the logits, within what storing costs."""
    tail = np.exp(batch().sampled_logits - batch().logsumexp[:, None]).sum(axis=1)
    expected = (nucleus_masses().mean(), tail.mean())
    assert expected == pytest.approx((figures.mean_nucleus_mass, figures.mean_tail_mass), rel=1e-3)


def test_mass_bins(figures: Figures) -> None:
    """Each token is in the bin of its mass; none is so near an edge that storing it makes a difference."""
    expected = np.bincount(np.digitize(nucleus_masses(), MASS_EDGES), minlength=len(MASS_EDGES) + 1)
    assert expected.tolist() == figures.mass_bins.tolist()


def test_indices(figures: Figures) -> None:
    """Entries, and those that need high bits, are counted by kind."""
    both = (batch().top_indices, batch().sampled_indices)
    expected = {name: (each.size, int((each > 65_535).sum())) for name, each in zip(KINDS, both, strict=True)}
    got = zip(figures.entries.tolist(), figures.high_indices.tolist(), strict=True)
    assert expected == dict(zip(KINDS, got, strict=True))


def test_ranges_are_reached(figures: Figures) -> None:
    """Every range that is no single point has both of its ends among its codes."""
    assert [*figures.ranges] == [*figures.at_min] == [*figures.at_max]
    assert [(batch().top_counts > 1).sum(), ROWS * TOKENS] == [*figures.ranges]


def test_logsumexps_that_fit_a_narrow_type(tmp_path: Path) -> None:
    """20.125 is a bfloat16 number, 20.015625 a binary16 one, 20.1 can be a binary32 one; 0 counts apart."""
    values = np.full(TOKENS, 20.3)
    values[:4] = 20.125, 20.015625, np.float32(20.1), 0.0

    def put(row: dict[str, object]) -> None:
        row["logsumexp"] = values

    figures = checked(tmp_path / "x.parquet", stored(batch(), put)).datasets[0].figures
    assert ([ROWS, 2 * ROWS, 3 * ROWS], ROWS) == (figures.narrow.tolist(), figures.zero)


@pytest.mark.filterwarnings("error")
def test_largest_logsumexp_is_in_no_steps(tmp_path: Path) -> None:
    """A logsumexp near the largest number is looked at without an overflow that anyone hears of."""

    def put(row: dict[str, object]) -> None:
        row["logsumexp"] = np.full(TOKENS, 1.7e308)

    assert checked(tmp_path / "x.parquet", stored(batch(), put)).datasets[0].figures.tokens > 0


def test_files_add_up(figures: Figures, tmp_path: Path) -> None:
    """A dataset of two files has the figures of the one with all rows, to the last bit."""
    table = stored(batch())
    for number, part in enumerate((table.slice(0, 1), table.slice(1))):
        checked(tmp_path / f"{number}.parquet", part)
    assert figures.to_json() == logitpack.check(tmp_path).datasets[0].figures.to_json()


def test_nothing_has_no_means() -> None:
    """A dataset without tokens has counts of zero, and fits the schema."""
    report = logitpack.Report((), ())
    none = Figures().to_json() | {"hits": None}
    document = report.to_json() | {"datasets": [{"path": "x", "figures": none, "notes": []}]}
    jsonschema.validate(document, load_schema("check.schema.json"))
    assert (0, None, None) == (none["tokens"], none["mean_entries"], none["mean_nucleus_mass"])


def test_tails(figures: Figures) -> None:
    """Random tails do not fall from first to last."""
    assert (0, ROWS * TOKENS * NUM_SAMPLED) == (figures.falling_tail, figures.entries[1])
