"""Dwell told in steps as a life table, and how many visits a question needs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.errors import CohortError, TrailError
from heatmap.fixations import CLOCK_STEPS_S, clock_dwell_s, clock_seconds
from heatmap.intervals import NORMAL_Z
from heatmap.life_table import life_table
from heatmap.planning import (
    LOOKS,
    detectable_ratio,
    look_due,
    look_level,
    power,
    visits_needed,
)

STEPS = st.sampled_from((0, *CLOCK_STEPS_S))


@given(st.lists(STEPS, min_size=1, max_size=60))
def test_the_mean_is_the_area_under_the_curve_and_the_mean_of_middles(reached: list[int]) -> None:
    table = life_table(reached)
    assert table.mean_s.value == pytest.approx(clock_seconds(*clock_dwell_s(reached)).mean())
    shares = [step.share.value for step in table.steps]
    assert shares == pytest.approx([np.mean(np.array(reached) >= at) for at in CLOCK_STEPS_S])
    assert all(step.share.low <= step.share.value <= step.share.high for step in table.steps)


@given(st.lists(STEPS, min_size=2, max_size=60))
def test_without_losses_greenwood_is_the_binomial_variance(reached: list[int]) -> None:
    for step in life_table(reached).steps:
        share = step.share.value
        if 0 < share < 1:
            error = math.sqrt((1 - share) / (share * len(reached))) * NORMAL_Z / -math.log(share)
            assert step.share.low == pytest.approx(share ** math.exp(error))
            assert step.share.high == pytest.approx(share ** math.exp(-error))


def test_the_mean_varies_as_the_middles_do() -> None:
    reached = [0] * 5 + [1] * 9 + [2] * 11 + [5] * 8 + [10] * 4 + [20] * 2 + [30] * 3
    middles = clock_seconds(*clock_dwell_s(reached))
    error = NORMAL_Z * middles.std() / math.sqrt(len(reached))
    found = life_table(reached).mean_s
    assert (found.low, found.high) == pytest.approx(
        (found.value - error, found.value + error), rel=0.02
    )


def test_those_who_fell_silent_are_at_risk_for_half_of_the_way() -> None:
    """Worked by hand: 10 dwells, 2 ended before 1 s, 2 fell silent before it, 3 ended before 2."""
    table = life_table([0] * 4 + [1] * 3 + [2] * 3, [False, False, True, True] + [False] * 6)
    first, second = table.steps[:2]
    assert (first.at_risk, first.ended, first.lost) == (9, 2, 2)
    assert first.share.value == pytest.approx(7 / 9)
    assert (second.at_risk, second.ended) == (6, 3)
    assert second.share.value == pytest.approx(7 / 18)
    summed = 2 / (9 * 7) + 3 / (6 * 3)
    reach = NORMAL_Z * math.sqrt(summed) / -math.log(7 / 18)
    assert second.share.high == pytest.approx((7 / 18) ** math.exp(-reach))


def test_a_dwell_cut_at_the_last_step_is_not_lost() -> None:
    assert life_table([30, 30], [True, True]) == life_table([30, 30])


def test_quantiles_lie_straight_between_the_steps() -> None:
    table = life_table([1] * 4 + [2] * 4 + [30] * 2)
    assert table.quantile_s(0.4) == pytest.approx(2)
    assert table.quantile_s(0.5) == pytest.approx(2 + 3 * 0.25)
    assert table.quantile_s(0.0) == 0
    assert table.quantile_s(0.9) == math.inf
    with pytest.raises(TrailError, match=r"share must lie within 0\.\.1"):
        table.quantile_s(1.5)


def test_no_dwells_make_an_empty_table() -> None:
    table = life_table([])
    assert (table.dwells, table.steps) == (0, ())
    assert math.isnan(table.mean_s.value)
    assert math.isnan(table.quantile_s(0.5))


def test_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(TrailError, match="rows of one length"):
        life_table([1, 2], [True])


@pytest.mark.parametrize(("ratio", "visits"), [(3, 125), (2, 250), (1.5, 650), (0.5, 250)])
def test_more_visits_are_needed_for_smaller_ratios(ratio: float, visits: int) -> None:
    assert visits_needed(ratio) == visits
    assert detectable_ratio(visits, visits) == pytest.approx(max(ratio, 1 / ratio), rel=0.01)


def test_unequal_cohorts_see_as_much_as_their_harmonic_mean() -> None:
    assert detectable_ratio(150, 750) == pytest.approx(detectable_ratio(250, 250))
    assert detectable_ratio(50, 50) == detectable_ratio(0, 0) == math.inf


def test_a_planned_question_sees_more_than_one_of_many() -> None:
    assert power(2.0, 250, 250, level=0.05 / 8) == pytest.approx(0.8)
    assert power(2.0, 250, 250) > 0.9
    assert power(1.0, 250, 250) == pytest.approx(0.025)
    assert power(2.0, 0, 0) == power(0.0, 9, 9) == 0


@pytest.mark.parametrize("ratio", [1, 0, -2, math.inf, math.nan])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(CohortError, match="ratio must be positive and not 1"):
        visits_needed(ratio)


def test_all_verdicts_of_a_question_share_one_level() -> None:
    assert sum(look_level(look) for look in range(1, LOOKS + 1)) == pytest.approx(0.05)
    assert [look_due(days) for days in (-1, 0, 6, 7, 13, 14, 56, 60, 400)] == [
        *(0, 0, 0, 1, 1, 2, 8, 8, 8)
    ]
    for look in (0, LOOKS + 1):
        with pytest.raises(CohortError, match="ask a new question"):
            look_level(look)
