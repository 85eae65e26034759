"""Zones compared between two cohorts, their metrics and their intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from heatmap.errors import CohortError
from heatmap.intervals import UNKNOWN, mean_interval, rate_interval, ratio_interval
from heatmap.zone_metrics import ZoneActs, zone_metrics
from heatmap.zone_tests import ZoneDifference, compare_zones

VISITS = 120
FIRST = np.arange(2 * VISITS) < VISITS


def seconds(seed: int = 1, ratio: float = 1.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    dwell = rng.lognormal(1.0, 0.8, (2 * VISITS, 5)) * rng.lognormal(0, 0.5, (2 * VISITS, 1))
    dwell[FIRST, 2] *= ratio
    return dwell


def by_zone(zones: tuple[ZoneDifference, ...]) -> list[ZoneDifference]:
    return sorted(zones, key=lambda zone: zone.zone)


def test_the_zone_that_takes_longer_comes_first_with_what_is_to_be_said_of_it() -> None:
    found = compare_zones(seconds(ratio=2.5), FIRST)
    zone = found.zones[0]
    assert (zone.zone, found.enough, zone.p) == (2, True, found.p_page)
    assert zone.p <= 0.01
    assert zone.p_planned <= zone.p
    assert zone.first.low < zone.first.value < zone.first.high
    assert zone.first.low > zone.second.high
    assert zone.ratio.low < 2.5 < zone.ratio.high
    assert zone.first_exposed == zone.second_exposed == VISITS
    assert zone.second_concerned < zone.first_concerned <= VISITS
    assert [abs(z.t) for z in found.zones] == sorted((abs(z.t) for z in found.zones), reverse=True)


def test_zones_that_do_not_differ_are_not_named() -> None:
    assert compare_zones(seconds(), FIRST).p_page > 0.05


def test_visits_in_another_order_give_the_same_answer() -> None:
    order = np.random.default_rng(2).permutation(2 * VISITS)
    told = seconds(ratio=1.5)
    assert compare_zones(told[order], FIRST[order]) == compare_zones(told, FIRST)


def test_cohorts_that_change_places_change_the_sign_and_no_p() -> None:
    told = seconds(ratio=1.5)
    there, back = (by_zone(compare_zones(told, which).zones) for which in (FIRST, ~FIRST))
    for one, other in zip(there, back, strict=True):
        assert other.t == pytest.approx(-one.t)
        assert other.p == one.p
        assert other.first == one.second


def test_one_visit_of_half_an_hour_does_not_decide() -> None:
    told = seconds(ratio=2.5)
    before = compare_zones(told, FIRST)
    told[[3, VISITS + 3], 0] = 1800.0
    after = compare_zones(told, FIRST)
    assert [zone.zone for zone in after.zones if zone.p <= 0.05] == [2]
    assert after.zones[0].ratio.value == pytest.approx(before.zones[0].ratio.value, rel=0.1)


def test_only_visits_that_saw_a_zone_count_for_it() -> None:
    told, seen = seconds(), np.ones((2 * VISITS, 5), dtype=bool)
    seen[: VISITS // 2, 4] = False
    zone = by_zone(compare_zones(told, FIRST, exposed=seen).zones)[4]
    assert (zone.first_exposed, zone.second_exposed) == (VISITS // 2, VISITS)
    everybody = by_zone(compare_zones(np.where(seen, told, 0), FIRST).zones)[4]
    assert zone.first.value == pytest.approx(2 * everybody.first.value, rel=0.25)
    assert zone.p > 0.05 >= everybody.p


def test_devices_are_compared_each_with_its_own() -> None:
    phone = (np.arange(2 * VISITS) % 10 < np.where(FIRST, 8, 2)).astype(int)
    told = np.where(phone[:, None], seconds() / 4, seconds())
    assert compare_zones(told, FIRST).p_page <= 0.05
    assert compare_zones(told, FIRST, stratum=phone).p_page > 0.05


def test_too_few_visits_are_ranked_with_intervals_and_not_tested() -> None:
    told = seconds(ratio=3.0)[90:150]
    found = compare_zones(told, FIRST[90:150])
    assert not found.enough
    assert math.isnan(found.p_page)
    assert all(math.isnan(zone.p) and math.isnan(zone.t) for zone in found.zones)
    assert found.zones[0].zone == 2
    assert found.zones[0].first.low > 0


def test_a_zone_where_few_dwelt_is_not_tested() -> None:
    told = seconds()
    told[:, 1] = 0
    told[:3, 1] = 4.0
    zone = by_zone(compare_zones(told, FIRST).zones)[1]
    assert math.isnan(zone.p)
    assert zone.ratio is UNKNOWN or math.isnan(zone.ratio.value)


def test_rates_are_compared_like_seconds() -> None:
    rng = np.random.default_rng(4)
    did = rng.random((2 * VISITS, 3)) < np.where(FIRST, 0.6, 0.3)[:, None] * [1, 0, 0] + [
        0,
        0.4,
        0.4,
    ]
    found = compare_zones(did, FIRST, measure="rate")
    zone = found.zones[0]
    assert (zone.zone, zone.p <= 0.05) == (0, True)
    hits = int(did[FIRST, 0].sum())
    assert zone.first == rate_interval(hits, VISITS)
    assert zone.first_concerned == hits


@pytest.mark.parametrize(
    ("told", "given", "says"),
    [
        (np.ones(3), {}, "visits x zones"),
        (-np.ones((2, 1)), {}, "not negative"),
        (np.ones((2, 1)), {"exposed": [[True]]}, "exposed must be of shape"),
        (np.ones((2, 1)), {"stratum": [0.5, 1.5]}, "stratum must be 2 whole numbers"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(
    told: Any, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(CohortError, match=says):
        compare_zones(told, np.array([True, False]), **given)


def test_a_rate_is_of_what_was_or_was_not_done() -> None:
    with pytest.raises(CohortError, match="true or false"):
        compare_zones([[0.5], [1.0]], [True, False], measure="rate")


def test_metrics_are_shares_of_those_who_could() -> None:
    seen = np.array([[1, 1], [1, 0], [1, 1], [0, 0]], dtype=bool)
    yes = np.array([[1, 0], [0, 0], [1, 1], [0, 0]], dtype=bool)
    acts = ZoneActs(
        seen,
        seen,
        yes,
        ~yes & seen,
        np.array([[2, 0], [1, 0], [0, 1], [0, 0]]),
        np.array([0, -1, 1, -1]),
    )
    rates = {metric.name: metric.rates() for metric in zone_metrics(acts)}
    told = {name: [round(rate.value, 3) for rate in of] for name, of in rates.items()}
    assert told == {
        "exposure": [0.75, 0.5],
        "click rate": [0.667, 0.5],
        "hover rate": [1.0, 1.0],
        "hesitation": [0.333, 0.5],
        "field abandon": [0.5, 1.0],
        "field return": [0.5, 0.0],
    }
    with pytest.raises(CohortError, match="visits x zones"):
        ZoneActs(seen, seen[:2], yes, yes, acts.focuses, acts.last)
    with pytest.raises(CohortError, match="last must name a zone"):
        ZoneActs(seen, seen, yes, yes, acts.focuses, acts.last[:2])


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 1, 0.2065, 1.0)],
)
def test_a_rate_has_wilsons_interval(hits: int, of: int, low: float, high: float) -> None:
    found = rate_interval(hits, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == hits / of


def test_what_nothing_is_known_of_has_no_interval() -> None:
    assert rate_interval(0, 0) is mean_interval(np.empty(0)) is UNKNOWN
    assert ratio_interval(np.zeros(4), np.ones(4)) is UNKNOWN
    assert mean_interval(np.array([3.0])).high == math.inf


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    samples = rng.gamma(4.0, 1.0, (400, 2, 60))
    means = [mean_interval(one) for one, _ in samples]
    ratios = [ratio_interval(one, two) for one, two in samples]
    assert 0.92 <= np.mean([found.low < 4 < found.high for found in means]) <= 0.98
    assert 0.92 <= np.mean([found.low < 1 < found.high for found in ratios]) <= 0.98
