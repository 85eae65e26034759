"""Two cohorts of visits compared all over a page."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from heatmap import cohort, contrast
from heatmap.cohorts import Cohort
from heatmap.contrasting import Contrast, TooFew
from heatmap.errors import CohortError
from heatmap.page import FloatArray
from tests.heatmap.shop_visits import (
    BANDWIDTH_PX,
    CONTROLS,
    PAGE_PX,
    PLANTED,
    Told,
    naive_surfaces,
    raster,
    visits,
)

CELL_PX = 16.0
HALF = 40
FIRST, SECOND = slice(0, HALF), slice(HALF, 2 * HALF)


def compared(first: Any, second: Any, **told: Any) -> Contrast:
    given: dict[str, Any] = {"cell_px": CELL_PX, "min_visits": 20, "relabellings": 199}
    found = contrast(first, second, width_px=PAGE_PX[0], height_px=PAGE_PX[1], **{**given, **told})
    assert isinstance(found, Contrast)
    return found


def halves(told: Told, **given: Any) -> Contrast:
    return compared(told.cohort(FIRST), told.cohort(SECOND), **given)


def assert_same(one: Contrast, other: Contrast) -> None:
    """To the last byte."""
    for field in fields(Contrast):
        got, want = getattr(one, field.name), getattr(other, field.name)
        if isinstance(want, np.ndarray):
            assert got.tobytes() == want.tobytes(), field.name
        else:
            assert got == want, field.name


def alike() -> Told:
    return visits(1, 2 * HALF)


def planted(ratio: float = 3.0) -> Told:
    return alike().slower(FIRST, ratio)


def test_the_means_and_differences_are_those_of_one_visit_after_the_other() -> None:
    told = planted()
    found = halves(told)
    surfaces = naive_surfaces(told, raster(CELL_PX))
    first, second = surfaces[FIRST].mean(axis=0), surfaces[SECOND].mean(axis=0)
    np.testing.assert_allclose(found.first, first, rtol=0, atol=1e-8 * first.max())
    np.testing.assert_allclose(found.second, second, rtol=0, atol=1e-8 * first.max())
    effective = surfaces.sum(axis=0) ** 2 / (surfaces**2).sum(axis=0)
    np.testing.assert_allclose(found.effective, effective, rtol=1e-6)
    error = surfaces.std(axis=0, ddof=1) * np.sqrt(2 / HALF)
    guarded = error + np.quantile(error[found.tested], 0.2)
    np.testing.assert_allclose(
        found.t[found.tested], ((first - second) / guarded)[found.tested], rtol=1e-6
    )


def test_single_precision_gives_what_double_gives() -> None:
    """Finer cells make so many values that single precision is taken."""
    told = planted()
    fine, coarse = halves(told, cell_px=CELL_PX / 8), halves(told)
    assert fine.first.dtype == np.float64
    scale = coarse.first.max()
    # Of 8 x 8 fine cells four meet in the middle of the coarse one.
    middle = (fine.first[3::8, 3::8] + fine.first[4::8, 4::8]) / 2
    np.testing.assert_allclose(middle, coarse.first, rtol=0, atol=2e-3 * scale)
    assert fine.p_page == coarse.p_page == 1 / 200


def test_a_planted_stall_is_named_where_it_lies() -> None:
    found = halves(planted())
    (region,) = found.regions
    x, y = CONTROLS[PLANTED]
    assert region.longer
    assert region.x0_px < x < region.x1_px
    assert region.y0_px < y < region.y1_px
    assert np.hypot(region.peak_x_px - x, region.peak_y_px - y) < BANDWIDTH_PX
    assert region.p == found.p_page <= 0.05
    assert 2 < region.ratio < 4
    assert region.ratio == pytest.approx(region.first_s / region.second_s)
    assert region.first_concerned <= region.first_exposed == HALF
    assert region.second_concerned <= region.first_concerned


def test_the_seconds_of_a_region_are_those_spent_within_it() -> None:
    """A planted control holds nearly all that is spent near it."""
    told = planted()
    (region,) = halves(told).regions
    counted = np.minimum(told.seconds.sum(axis=1), 1e9)
    assert counted.all()
    at_control = told.seconds[:, :2].sum(axis=1)
    assert 0.5 * at_control[FIRST].mean() < region.first_s < at_control[FIRST].mean()
    assert 0.5 * at_control[SECOND].mean() < region.second_s < at_control[SECOND].mean()


def test_nothing_is_named_where_nothing_differs() -> None:
    found = halves(alike())
    assert found.regions == ()
    assert found.p_page > 0.05
    assert found.detectable_ratio == np.inf, "40 visits are too few to see any"


def test_the_same_visits_in_any_order_give_the_same_bytes() -> None:
    told = planted()
    rng = np.random.default_rng(3)
    mixed = compared(told.cohort(rng.permutation(HALF)), told.cohort(HALF + rng.permutation(HALF)))
    assert_same(mixed, halves(told))


def test_cohorts_that_change_places_change_the_sign_and_no_p() -> None:
    told = planted()
    there, back = halves(told), compared(told.cohort(SECOND), told.cohort(FIRST))
    np.testing.assert_allclose(back.t, -there.t, atol=1e-9)
    np.testing.assert_allclose(back.log_ratio, -there.log_ratio, atol=1e-9)
    np.testing.assert_array_equal(back.p, there.p)
    assert (back.p_overall, back.critical) == pytest.approx((there.p_overall, there.critical))
    assert [region.longer for region in back.regions] == [False]


def test_the_same_visits_in_both_cohorts_do_not_differ_at_all() -> None:
    told = alike()
    found = compared(told.cohort(FIRST), told.cohort(FIRST))
    np.testing.assert_allclose(found.log_ratio, 0, atol=1e-12)
    assert found.p_page == 1
    assert np.all(found.p[found.tested] == 1)


def test_every_visit_twice_gives_the_same_colours() -> None:
    told = planted()
    twice = [np.tile(np.arange(HALF) + start, 2) for start in (0, HALF)]
    found = compared(*(told.cohort(which) for which in twice))
    np.testing.assert_allclose(found.log_ratio, halves(told).log_ratio, atol=1e-9)


def test_a_stall_cut_in_two_halves_changes_nothing() -> None:
    told = planted()
    cut = Told(np.repeat(told.at_px, 2, axis=1), np.repeat(told.seconds / 2, 2, axis=1))
    found, whole = halves(cut), halves(told)
    np.testing.assert_allclose(found.t, whole.t, atol=1e-9)
    np.testing.assert_array_equal(found.p, whole.p)


def test_twice_the_dwell_of_one_visit_is_nothing_to_its_shares() -> None:
    told = planted()
    seconds = told.seconds.copy()
    seconds[7] *= 2
    before, after = halves(told, mode="share"), halves(Told(told.at_px, seconds), mode="share")
    np.testing.assert_allclose(after.t, before.t, atol=1e-9)


def same_places(one: Contrast, other: Contrast) -> bool:
    """Whether the regions are the same ones, give or take a cell at their edges."""
    edges = [
        np.array([(r.x0_px, r.y0_px, r.x1_px, r.y1_px, r.longer) for r in found.regions])
        for found in (one, other)
    ]
    return edges[0].shape == edges[1].shape and bool(np.all(np.abs(edges[0] - edges[1]) <= CELL_PX))


USUAL = 100
"""Visits of each cohort that a map asks for."""


def hundreds(ratio: float = 2.5) -> Told:
    return visits(2, 2 * USUAL).slower(slice(0, USUAL), ratio)


def in_hundreds(told: Told) -> list[Cohort]:
    return [told.cohort(slice(0, USUAL)), told.cohort(slice(USUAL, 2 * USUAL))]


@pytest.mark.parametrize("control", [0, 1, 2], ids=["on the planted one", "elsewhere", "below"])
@pytest.mark.parametrize("whose", [3, USUAL + 3], ids=["abandoned", "completed"])
def test_one_who_leaves_the_mouse_for_half_an_hour_changes_no_region(
    control: int, whose: int
) -> None:
    told = hundreds()
    seconds = told.seconds.copy()
    seconds[whose, 2 * control] = 1800.0
    before = compared(*in_hundreds(told))
    assert len(before.regions) == 1
    assert same_places(compared(*in_hundreds(Told(told.at_px, seconds))), before)


@pytest.mark.parametrize("which", [0, 1], ids=["abandoned", "completed"])
def test_a_bot_of_ten_thousand_clicks_changes_no_region(which: int) -> None:
    told, rng = hundreds(), np.random.default_rng(5)
    cohorts = in_hundreds(told)
    before, places = compared(*cohorts), cohorts[which].places
    clicks = np.rint(CONTROLS[1] + rng.normal(0, 3, (10_000, 2)))
    cohorts[which] = cohort(
        USUAL,
        np.concatenate((np.column_stack((places.x0_px, places.y0_px)), clicks)),
        np.concatenate((places.weight, np.ones(10_000))),
        np.concatenate((places.visit, np.full(10_000, 3))),
    )
    assert same_places(compared(*cohorts), before)


def test_a_hot_spot_of_a_few_visits_is_not_looked_at() -> None:
    told = alike()
    at, seconds = told.at_px.copy(), told.seconds.copy()
    at[:3, 0], seconds[:3, 0] = (440.0, 40.0), 20.0
    found = halves(Told(at, seconds))
    assert found.effective[2, 27] < 8
    assert not found.tested[2, 27]
    assert np.isnan(found.t[2, 27])
    assert np.isnan(found.p[2, 27])


def test_means_are_over_those_who_saw_the_row() -> None:
    """Nobody of the first cohort's later half saw the page's lower part, nor dwelt there."""
    told = alike()
    seen = np.full(2 * HALF, 640.0)
    seen[HALF // 2 : HALF] = 400.0
    seconds = np.where(told.at_px[:, :, 1] <= seen[:, None], told.seconds, 0.0)
    found = halves(Told(told.at_px, seconds, seen))
    deep = int(CONTROLS[2, 1] // CELL_PX), int(CONTROLS[2, 0] // CELL_PX)
    everybody = halves(Told(told.at_px, seconds))
    assert found.first[deep] == pytest.approx(2 * everybody.first[deep], rel=0.2)
    assert abs(found.log_ratio[deep]) < 0.3 < -everybody.log_ratio[deep]


def test_rows_that_hardly_anybody_of_a_cohort_saw_are_not_looked_at() -> None:
    told = alike()
    seen = np.full(2 * HALF, 640.0)
    seen[4:HALF] = 400.0
    seconds = np.where(told.at_px[:, :, 1] <= seen[:, None], told.seconds, 0.0)
    found = halves(Told(told.at_px, seconds, seen))
    deep = int(450 // CELL_PX)
    assert not found.tested[deep:].any()
    assert found.tested[: deep - 4].any()
    assert np.all(found.log_ratio[deep:] == 0)


def test_a_visit_is_compared_with_visits_of_its_stratum_alone() -> None:
    """Phones dwell a third as long, and are most of the first cohort: nothing else differs."""
    told = alike()
    phone = np.arange(2 * HALF) % 10 < np.where(np.arange(2 * HALF) < HALF, 8, 2)
    seconds = np.where(phone[:, None], told.seconds / 4, told.seconds)
    mixed = halves(Told(told.at_px, seconds))
    apart = halves(Told(told.at_px, seconds, stratum=phone.astype(np.intp)))
    assert mixed.regions
    assert not apart.regions


def test_few_visits_are_relabelled_in_every_way_there_is() -> None:
    told = visits(4, 12).slower(slice(0, 6), 6.0)
    found = [
        compared(
            told.cohort(slice(0, 6)),
            told.cohort(slice(6, 12)),
            min_visits=6,
            relabellings=999,
            seed=seed,
        )
        for seed in (0, 1)
    ]
    assert found[0].labellings == 924
    assert_same(found[0], found[1])


def test_another_seed_draws_other_labels() -> None:
    told = alike()
    assert halves(told, seed=1).critical != halves(told).critical


def test_an_unequal_cohort_is_measured_by_its_own_spread() -> None:
    told = alike()
    found = compared(told.cohort(slice(0, 60)), told.cohort(slice(60, 80)))
    assert found.spread == "each"
    assert halves(told).spread == "pooled"
    surfaces = naive_surfaces(told, raster(CELL_PX))
    first, second = surfaces[:60], surfaces[60:]
    error = np.sqrt(first.var(axis=0, ddof=1) / 60 + second.var(axis=0, ddof=1) / 20)
    pooled = surfaces.std(axis=0, ddof=1) * np.sqrt(1 / 60 + 1 / 20)
    difference = first.mean(axis=0) - second.mean(axis=0)
    want = difference / (error + np.quantile(pooled[found.tested], 0.2))
    np.testing.assert_allclose(found.t[found.tested], want[found.tested], rtol=1e-6)


def test_levels_are_passed_where_p_says_so() -> None:
    found = halves(planted(1.8))
    for critical, level in ((found.critical, found.level), (found.faint, found.faint_level)):
        beyond = np.abs(found.lines()) > critical
        np.testing.assert_array_equal(beyond, found.tested & (found.p <= level))


def test_boxes_count_as_well_as_points() -> None:
    """A zone's dwell is spread over its box: the same visits, told without a script."""
    told = planted()
    rows = [(first, *_boxed(told, part)) for first, part in enumerate((FIRST, SECOND))]
    cohorts = [
        cohort(HALF, boxes_px=boxes, box_seconds=seconds, box_visit=which)
        for _, boxes, seconds, which in rows
    ]
    found = compared(*cohorts)
    (region,) = found.regions
    x, y = CONTROLS[PLANTED]
    assert region.x0_px < x < region.x1_px
    assert region.y0_px < y < region.y1_px
    assert found.first.sum() == pytest.approx(halves(told).first.sum(), rel=0.05)


def _boxed(told: Told, part: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
    boxes = np.column_stack((CONTROLS - 24, CONTROLS + 24))
    seconds = told.seconds[part].reshape(HALF, len(CONTROLS), 2).sum(axis=2)
    return np.tile(boxes, (HALF, 1)), seconds.ravel(), np.repeat(np.arange(HALF), len(CONTROLS))


def test_too_few_visits_give_no_map_and_say_how_many_are_needed() -> None:
    told = alike()
    found = contrast(
        told.cohort(slice(0, 1)), told.cohort(slice(0, 0)), width_px=480, height_px=640
    )
    assert found == TooFew(1, 0, 100)


@pytest.mark.parametrize("count", [2, 3])
def test_silent_visits_give_an_empty_map(count: int) -> None:
    silent = cohort(count)
    found = compared(silent, silent, min_visits=2)
    assert not found.tested.any()
    assert (found.p_page, found.regions) == (1.0, ())
    assert np.all(found.log_ratio == 0)


def test_marks_outside_the_page_are_left_out() -> None:
    told = planted()
    at = np.concatenate((told.at_px, np.full((2 * HALF, 1, 2), -50.0)), axis=1)
    seconds = np.concatenate((told.seconds, np.full((2 * HALF, 1), 9.0)), axis=1)
    assert_same(halves(Told(at, seconds)), halves(told))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"min_visits": 1}, "min_visits must be at least 2"),
        ({"level": 0.0}, "level must lie between 0 and 1"),
        ({"faint_level": 1.0}, "faint_level must lie between 0 and 1"),
        ({"mode": "clicks"}, "mode must be one of seconds, share"),
        ({"relabellings": 0}, "relabellings must be at least 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(CohortError, match=says):
        halves(alike(), **wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"point_visit": [0, 1]}, "point_visit must give the visit of each of 1 marks"),
        ({"point_visit": [3]}, r"point_visit must lie in 0\.\.2"),
        ({"point_visit": [0.5]}, "point_visit must give the visit"),
        ({"point_visit": [0], "seen_px": [1, 2]}, "seen_px must be 3 depths"),
        ({"point_visit": [0], "seen_px": [1, 2, -1]}, "seen_px must be 3 depths"),
        ({"point_visit": [0], "stratum": [0.5, 1, 2]}, "stratum must be 3 whole numbers"),
    ],
)
def test_a_cohort_that_is_none_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(CohortError, match=says):
        cohort(3, [(10, 10)], [1.0], **wrong)


def test_the_bandwidth_is_that_of_the_page() -> None:
    told = planted()
    assert halves(told, bandwidth_px=BANDWIDTH_PX).first.max() == halves(told).first.max()
    assert halves(told, bandwidth_px=20).first.max() > halves(told).first.max()
    default = contrast(
        told.cohort(FIRST),
        told.cohort(SECOND),
        width_px=480,
        height_px=640,
        bandwidth_px=60,
        min_visits=20,
        relabellings=19,
    )
    assert isinstance(default, Contrast)
    assert default.cell_px == 12
