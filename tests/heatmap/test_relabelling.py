"""Which labellings are drawn, and how differences under them are counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.cohorts import Flags
from heatmap.errors import CohortError
from heatmap.exposure import alike, count, exposed
from heatmap.relabelling import Labellings
from heatmap.spreads import comparable, guard, moments
from heatmap.studentised import Labelled, Relabelled, spread_for
from heatmap.winsorising import chances, winsorised

ALL = slice(None)


def flags(text: str) -> Flags:
    return np.array([letter == "1" for letter in text])


@given(st.integers(0, 50), st.integers(2, 12), st.integers(2, 12), st.integers(0, 12))
def test_each_labelling_has_as_many_of_each_cohort_in_each_stratum(
    seed: int, one: int, two: int, unseen: int
) -> None:
    rng = np.random.default_rng(seed)
    stratum = np.repeat([0, 1], [one, two])
    first = rng.random(one + two) < 0.4
    seen = np.ones(one + two, dtype=bool)
    seen[rng.permutation(one + two)[: min(unseen, one)]] = False
    labels = Labellings(first, stratum, 50, seed).among(seen, np.float64) > 0
    np.testing.assert_array_equal(labels[0], first)
    drawn_out = (
        len(labels) < 51
        or math.comb(one, int(first[:one].sum())) * math.comb(two, int(first[one:].sum())) <= 51
    )
    for part in (slice(0, one), slice(one, None)):
        whole = np.ones_like(seen) if drawn_out else seen
        assert np.all((labels & whole)[:, part].sum(axis=1) == (first & whole)[part].sum())


def test_few_labellings_each_come_once() -> None:
    labels = Labellings(flags("110001"), np.array([0, 0, 0, 1, 1, 1]), 999).among(
        np.ones(6, dtype=bool), np.float64
    )
    assert len(labels) == 3 * 3
    assert len(np.unique(labels, axis=0)) == 9


def test_every_visit_is_drawn_as_often_as_any_other() -> None:
    first = np.arange(40) < 10
    labels = Labellings(first, np.zeros(40, dtype=int), 4000, seed=3).among(
        np.ones(40, dtype=bool), np.float64
    )
    share = labels[1:].mean(axis=0)
    assert np.all(np.abs(share - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4000))


def test_most_visits_keep_their_label_down_the_page() -> None:
    rng = np.random.default_rng(2)
    first = np.arange(200) < 100
    drawn = Labellings(first, np.zeros(200, dtype=int), 99)
    top = drawn.among(np.ones(200, dtype=bool), np.float64)
    seen = rng.random(200) < 0.8
    below = drawn.among(seen, np.float64)
    assert np.mean(top[1:, seen] == below[1:, seen]) > 0.95


def test_rows_are_labelled_anew_where_a_cohort_has_thinned_out() -> None:
    seen = exposed(np.array([10.0] * 5 + [20.0] * 5 + [40.0] * 10), np.arange(40.0))
    runs = alike(seen, np.arange(20) < 10)
    assert [(run.start, run.stop) for run in runs] == [(0, 11), (11, 21), (21, 40)]
    assert alike(np.ones((4, 9), dtype=bool), flags("1100")) == [slice(0, 9)]


def test_what_a_visit_may_count_is_measured_by_what_it_saw() -> None:
    """Eight dwell ten seconds on each half of the page; two of them left before the second."""
    y = np.array([100.0] * 8 + [300.0] * 6)
    weight = np.full(14, 10.0)
    seen = np.array([150.0] * 2 + [400.0] * 6)
    share = chances(y, weight, seen)
    np.testing.assert_allclose(share, [0.5] * 2 + [1.0] * 6)
    totals = np.array([10.0] * 2 + [20.0] * 6)
    np.testing.assert_allclose(winsorised(totals, share), 1.0)
    assert winsorised(np.append(totals, 1800.0))[-1] < 0.25
    np.testing.assert_array_equal(winsorised(np.zeros(3)), 1.0)


def relabelled(
    values: np.ndarray, first: Flags, stratum: np.ndarray
) -> tuple[Relabelled, np.ndarray]:
    seen = np.ones((len(first), 1), dtype=bool)
    rows = np.zeros(values.shape[1], dtype=np.intp)
    drawn = Labellings(first, stratum, 199)
    labels = drawn.among(seen[:, 0], np.float64)
    known = moments(values, seen, rows, first, stratum)
    found = Relabelled(len(drawn), stratum, guard(known.spread))
    labelled = Labelled(labels, seen, count(labels, seen, stratum))
    t = found.add(labelled, values.copy(), rows, known.spread, np.ones(values.shape[1]))
    return found, t


def test_the_stratified_difference_is_the_weighted_mean_of_the_strata() -> None:
    rng = np.random.default_rng(8)
    stratum = np.repeat([0, 1], [12, 20])
    first = rng.random(32) < 0.5
    values = rng.gamma(2.0, 1.0, (32, 3)) + 5.0 * stratum[:, None]
    _, t = relabelled(values, first, stratum)
    difference, weights, within = 0.0, 0.0, 0.0
    for own in (stratum == 0, stratum == 1):
        one, two = values[own & first], values[own & ~first]
        weight = len(one) * len(two) / own.sum()
        difference = difference + weight * (one.mean(axis=0) - two.mean(axis=0))
        weights += weight
        within = within + ((values[own] - values[own].mean(axis=0)) ** 2).sum(axis=0)
    spread = np.sqrt(within / 30)
    want = difference / weights / (np.sqrt(1 / weights) * (spread + np.quantile(spread, 0.2)))
    np.testing.assert_allclose(t[0], want, rtol=1e-12)


def test_p_counts_labellings_and_the_critical_value_agrees_with_it() -> None:
    rng = np.random.default_rng(9)
    values = rng.gamma(2.0, 1.0, (40, 6))
    values[:20, 0] += 1.5
    found, t = relabelled(values, np.arange(40) < 20, np.zeros(40, dtype=int))
    most = np.abs(t).max(axis=1)
    want = [(most >= abs(one) * (1 - 1e-12)).mean() for one in t[0]]
    np.testing.assert_array_equal(found.p_anywhere(t[0]), want)
    planned = (np.abs(t) >= np.abs(t[0]) * (1 - 1e-12)).mean(axis=0)
    np.testing.assert_array_equal(found.p_planned(t), planned)
    for level in (0.005, 0.05, 0.2, 0.5):
        np.testing.assert_array_equal(
            np.abs(t[0]) > found.critical(level), found.p_anywhere(t[0]) <= level
        )
    assert found.critical(0.001) == np.inf
    assert 0 < found.p_overall() <= 1


def test_a_column_is_compared_for_what_all_visits_did_there() -> None:
    values = np.zeros((20, 3))
    values[:, 0] = 1 + np.arange(20) % 2
    values[0, 1] = 50.0
    seen, rows = np.ones((20, 1), dtype=bool), np.zeros(3, dtype=np.intp)
    known = moments(values, seen, rows, np.arange(20) < 10, np.zeros(20, dtype=int))
    assert comparable(known, np.ones(3, dtype=bool), 0.0).tolist() == [True, False, False]
    assert comparable(known, np.ones(3, dtype=bool), 2.0).tolist() == [False, False, False]


def test_unequal_cohorts_are_measured_each_by_its_own() -> None:
    assert spread_for(100, 150) == "pooled"
    assert spread_for(100, 151) == spread_for(151, 100) == "each"


def test_an_unknown_spread_is_refused() -> None:
    with pytest.raises(CohortError, match="spread must be one of pooled, each"):
        Relabelled(3, np.zeros(2, dtype=np.intp), 0.0, "none")  # type: ignore[arg-type]
