from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from heatmap.page import FloatArray
from tests.reference import selectors
from tests.reference.binning import share_bilinearly, share_linearly

seeds = st.integers(0, 9999)


def normal_sample(count: int = 1500, sd_px: float = 50.0) -> FloatArray:
    return np.random.default_rng(11).normal(300.0, sd_px, count)


def test_the_diffusion_rule_finds_the_best_bandwidth_of_a_normal_sample() -> None:
    values = normal_sample()
    share, length = selectors.improved_sheather_jones(values, np.ones(values.size))
    best_px = 50.0 * (4 / (3 * values.size)) ** 0.2
    assert share * length == pytest.approx(best_px, rel=0.15)
    assert length == pytest.approx(2 * np.ptp(values))


def test_the_diffusion_rule_follows_pointers_that_rest_on_the_same_pixels_down_to_nothing() -> None:
    rng = np.random.default_rng(3)
    rests = rng.choice(np.arange(100.0, 1200.0, 100.0), 2000) + rng.normal(0, 1, 2000)
    share, length = selectors.improved_sheather_jones(rests, np.ones(2000))
    assert share * length < 3.0
    with pytest.raises(ValueError, match="no solution"):
        selectors.improved_sheather_jones(np.array([1.0, 1.0, 2.0]), np.ones(3))


def test_silvermans_rule_on_a_normal_sample_is_nine_tenths_of_its_spread() -> None:
    values = normal_sample()
    by_hand = 0.9 * values.std(ddof=1) * values.size**-0.2
    assert selectors.silverman(values, np.ones(values.size)) == pytest.approx(by_hand, rel=0.05)
    heavy_tailed = np.concatenate((values, [1e5, -1e5]))
    robust = selectors.silverman(heavy_tailed, np.ones(heavy_tailed.size))
    assert robust == pytest.approx(by_hand, rel=0.1)


def test_a_quantile_stands_in_the_middle_of_the_weight() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert selectors.quantile(values, weights, 0.5) == 2.0
    assert selectors.quantile(values, weights, 0.125) == 1.0
    assert selectors.quantile(values, weights, 0.3125) == 1.5


def test_the_score_is_the_integral_less_twice_the_density_without_the_point() -> None:
    rng = np.random.default_rng(2)
    x, y, weights = rng.normal(0, 20, 12), rng.normal(0, 20, 12), rng.exponential(1, 12)
    group = np.repeat(np.arange(4.0), 3)
    raster = np.arange(-200.0, 200.0, 2.0)

    def density_at(at_x: float, at_y: float, used: NDArray[np.bool_]) -> float:
        shares = weights[used] / weights[used].sum()
        squared = (at_x - x[used]) ** 2 + (at_y - y[used]) ** 2
        return float((shares * np.exp(-squared / 200) / (200 * np.pi)).sum())

    everyone = np.ones(12, dtype=bool)
    square = sum(density_at(a, b, everyone) ** 2 for a in raster for b in raster) * 4.0
    for groups in (None, group):
        apart = np.arange(12) if groups is None else groups
        left_out = [density_at(x[i], y[i], apart != apart[i]) for i in range(12)]
        want = square - 2 * np.average(left_out, weights=weights)
        got = selectors.least_squares_score(x, y, weights, 10.0, groups)
        assert got == pytest.approx(want, rel=1e-9)


@given(seed=seeds)
def test_linear_binning_keeps_mass_and_middle_of_what_lies_between_the_centres(seed: int) -> None:
    rng = np.random.default_rng(seed)
    down, across, weights = rng.uniform(0, 6, 20), rng.uniform(0, 9, 20), rng.exponential(1, 20)
    mass = share_bilinearly(down, across, weights, (7, 10))
    assert mass.sum() == pytest.approx(weights.sum())
    assert mass.sum(axis=1) @ np.arange(7) == pytest.approx(down @ weights)
    np.testing.assert_allclose(mass.sum(axis=0), share_linearly(across, weights, 10))


def test_linear_binning_gives_what_lies_outside_to_the_outermost() -> None:
    got = share_linearly(np.array([-0.5, 3.4, 1.25]), np.array([1.0, 2.0, 4.0]), 4)
    np.testing.assert_array_equal(got, [1.0, 3.0, 1.0, 2.0])
