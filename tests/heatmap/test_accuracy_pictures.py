"""How far the levels of a picture may lie from those of the direct sum: nowhere more than one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap import overlay
from heatmap.exact import exact_density
from heatmap.marks import gather
from heatmap.page import Page
from heatmap.scale import Curve
from heatmap.smoothing import Edge
from tests.heatmap.measuring import (
    CURVES,
    EDGES,
    PROMISED,
    SUB_CELL,
    crowd,
    heat,
    levels_off,
    off_by,
    picture_off_by,
    scene,
    spots,
)
from tests.heatmap.pictures import indices
from tests.heatmap.search import Offset, worst_offset


@pytest.mark.parametrize("bandwidth_px", [5.0, 17.0, 40.0])
@pytest.mark.parametrize("scale", CURVES)
def test_a_lone_points_picture_is_within_one_level_wherever_it_lies(
    bandwidth_px: float, scale: Curve
) -> None:
    width_px, height_px = math.ceil(9 * bandwidth_px), math.ceil(5 * bandwidth_px)
    page = Page(width_px, height_px)
    base = np.array([4.0 * bandwidth_px, 0.0])

    def error_at(offset: Offset) -> float:
        point = [base + offset]
        want = exact_density(gather(point), page, *page.pixel_centres(), bandwidth_px)
        full = float(want.max())
        png = overlay(
            point,
            width_px=width_px,
            height_px=height_px,
            bandwidth_px=bandwidth_px,
            scale=scale,
            scale_max=full,
        )
        if scale == "linear":
            return picture_off_by(indices(png), want, full)
        return levels_off(indices(png), want, scale, full)

    worst, offset = worst_offset(error_at, SUB_CELL * bandwidth_px)
    assert worst <= (PROMISED if scale == "linear" else 1), offset


@pytest.mark.parametrize("bandwidth_px", [2.0, 5.0, 11.0])
@pytest.mark.parametrize("whole", [False, True], ids=["free", "whole"])
def test_a_picture_of_crowds_is_within_one_level_wherever_they_lie(
    bandwidth_px: float, whole: bool
) -> None:
    # At 13 bandwidths the crowds lie differently in whatever blocks the page is drawn by.
    step = 1.0 if whole else SUB_CELL * bandwidth_px / 6
    crowds = spots(bandwidth_px, (0.0, 0.0), step, apart=13.0)
    assert np.all(crowds.points == np.floor(crowds.points)) == whole
    page = Page(crowds.side_px, crowds.side_px)
    want = exact_density(crowds.marks, page, *page.pixel_centres(), bandwidth_px)
    for scale in CURVES:
        png = overlay(
            crowds.points,
            width_px=crowds.side_px,
            height_px=crowds.side_px,
            bandwidth_px=bandwidth_px,
            scale=scale,
            scale_max=float(want.max()),
        )
        assert levels_off(indices(png), want, scale, float(want.max())) <= 1, scale
        if scale == "linear":
            assert picture_off_by(indices(png), want, float(want.max())) <= PROMISED


@given(
    seed=st.integers(0, 9999),
    bandwidth_px=st.floats(5, 60),
    scale=st.sampled_from(list(CURVES)),
    edge=st.sampled_from(EDGES),
    dpr=st.sampled_from([1, 2]),
)
def test_every_pixel_is_within_one_level_of_the_direct_sum(
    seed: int, bandwidth_px: float, scale: Curve, edge: Edge, dpr: int
) -> None:
    size = width_px, height_px = 120, 90
    points, weights, boxes, box_weights = scene(seed, size)
    page = Page(width_px, height_px, dpr)
    marks = gather(points, weights, boxes, box_weights)
    want = exact_density(marks, page, *page.pixel_centres(), bandwidth_px, edge)
    picture = indices(
        overlay(
            points,
            weights,
            boxes_px=boxes,
            box_weights=box_weights,
            width_px=width_px,
            height_px=height_px,
            bandwidth_px=bandwidth_px,
            scale=scale,
            edge=edge,
            dpr=dpr,
        )
    )
    assert levels_off(picture, want, scale, float(want.max())) <= 1
    assert picture.max() == 255


def test_a_long_picture_of_fine_heat_has_no_seams() -> None:
    page = Page(100, 32_000)
    points = np.random.default_rng(12).uniform((0, 0), (100, 32_000), (3000, 2))
    x_px, y_px = page.pixel_centres()
    columns = np.array([0, 37, 99])
    parts = []
    for part in np.split(y_px, 20):
        near = np.abs(points[:, 1] - part.mean()) < np.ptp(part) / 2 + 40  # 20 bandwidths
        parts.append(exact_density(gather(points[near]), page, x_px[columns], part, 2.0))
    want = np.vstack(parts)
    full = 0.7 * float(want.max())
    for scale in CURVES:
        png = overlay(
            points, width_px=100, height_px=32_000, bandwidth_px=2.0, scale=scale, scale_max=full
        )
        assert levels_off(indices(png)[:, columns], want, scale, full) <= 1, scale


@pytest.mark.parametrize("bandwidth_px", [2.0, 5.0, 20.0, 90.0])
@pytest.mark.parametrize("whole", [False, True], ids=["free", "whole"])
def test_a_crowd_keeps_the_promise_at_its_peaks_and_anywhere(
    bandwidth_px: float, whole: bool
) -> None:
    points = crowd(whole)
    page = Page(400, 300)
    x_px, y_px = page.pixel_centres()
    got = heat(points, size_px=(400, 300), bandwidth_px=bandwidth_px)
    row, column = divmod(int(np.argmax(got)), 400)
    rows = np.unique(
        np.concatenate((np.arange(0, 300, 23), np.arange(row - 4, row + 5))).clip(0, 299)
    )
    columns = np.unique(
        np.concatenate((np.arange(0, 400, 31), np.arange(column - 4, column + 5))).clip(0, 399)
    )
    # Whole positions repeat: their direct sum need not be made one by one.
    distinct, counts = np.unique(points, axis=0, return_counts=True)
    want = exact_density(gather(distinct, counts), page, x_px[columns], y_px[rows], bandwidth_px)
    raster = np.ix_(rows, columns)
    assert off_by(got[raster], want) <= PROMISED
    for scale in CURVES:
        png = overlay(points, width_px=400, height_px=300, bandwidth_px=bandwidth_px, scale=scale)
        assert levels_off(indices(png)[raster], want, scale, float(want.max())) <= 1, scale
