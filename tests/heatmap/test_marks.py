from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.errors import MarksError, PageSizeError
from heatmap.marks import clip, gather
from heatmap.page import Page

PAGE = Page(100, 50)


def test_marks_without_weights_weigh_one_each() -> None:
    marks = gather([(1, 2), (3, 4)], None, [(0, 0, 5, 5)])
    np.testing.assert_array_equal(marks.points.weight, (1, 1))
    np.testing.assert_array_equal(marks.boxes.weight, (1,))
    np.testing.assert_array_equal(marks.points.y_px, (2, 4))


@pytest.mark.parametrize("empty", [None, [], np.empty((0, 2)), np.empty(0)])
def test_nothing_may_be_given_as_none_or_empty(empty: Any) -> None:
    marks = gather(empty, None, empty)
    assert marks.points.weight.size == marks.boxes.weight.size == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3],), r"points_px must have the shape \(n, 2\), got \(3,\)"),
        (([(1, 2, 3)],), r"points_px must have the shape \(n, 2\), got \(1, 3\)"),
        ((None, None, [(1, 2)]), r"boxes_px must have the shape \(n, 4\), got \(1, 2\)"),
        (([(1, 2), (3, np.nan)],), "points_px must be finite: leave out row 1"),
        (([(np.inf, 2)],), "points_px must be finite"),
        (("home",), "points_px must be an array of numbers"),
        (([(1, 2), (3,)],), "points_px must be an array of numbers"),
        (([(1, 2)], [-1.0]), "weights must not be negative, got -1"),
        (([(1, 2)], [np.nan]), "weights must be finite"),
        (([(1, 2)], [1.0, 2.0]), r"one weight per mark \(1\), got \(2,\)"),
        ((None, [1.0]), r"one weight per mark \(0\), got \(1,\)"),
        ((None, None, [(0, 0, 1, 1)], [-0.5]), "box_weights must not be negative"),
        ((None, None, [(5, 0, 1, 1)]), "x0 <= x1 and y0 <= y1"),
        ((None, None, [(0, 0, 1, 1), (0, 5, 1, 1)]), r"got \[0. 5. 1. 1.\]"),
    ],
)
def test_what_is_no_mark_is_refused_with_the_value(
    arguments: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(MarksError, match=message):
        gather(*arguments)


def test_points_outside_the_page_are_left_out_and_counted() -> None:
    points = [(0, 0), (100, 50), (50, 25), (-0.1, 10), (10, 50.1), (101, 10), (5, -3)]
    inside = clip(gather(points, [1, 2, 4, 8, 16, 32, 64]), PAGE)
    assert inside.clipped == 4
    assert inside.mass == 7
    assert inside.lost == 120
    np.testing.assert_array_equal(inside.marks.points.weight, (1, 2, 4))


def test_a_box_across_the_edge_keeps_the_share_of_its_area_inside() -> None:
    inside = clip(gather(None, None, [(-10, 40, 30, 80)], [16.0]), PAGE)
    boxes = inside.marks.boxes
    corners = (boxes.x0_px[0], boxes.y0_px[0], boxes.x1_px[0], boxes.y1_px[0])
    assert corners == (0, 40, 30, 50)
    assert inside.mass == pytest.approx(16 * (30 / 40) * (10 / 40))
    assert inside.lost == pytest.approx(16 - inside.mass)
    assert inside.clipped == 0


@pytest.mark.parametrize(
    "box", [(-9, 0, -1, 5), (101, 0, 120, 5), (0, 51, 9, 60), (0, -9, 9, 0), (-5, -5, -5, -5)]
)
def test_a_box_wholly_outside_the_page_is_left_out_and_counted(box: tuple[float, ...]) -> None:
    inside = clip(gather(None, None, [box, (1, 1, 2, 2)]), PAGE)
    assert inside.clipped == 1
    assert inside.mass == inside.lost == 1


@pytest.mark.parametrize("box", [(100, 50, 100, 50), (0, 0, 0, 0), (0, 0, 0, 50), (3, 5, 9, 5)])
def test_a_box_without_area_inside_the_page_keeps_all_its_weight(box: tuple[float, ...]) -> None:
    inside = clip(gather(None, None, [box], [2.0]), PAGE)
    assert (inside.mass, inside.lost, inside.clipped) == (2.0, 0.0, 0)


@given(
    points=st.lists(st.tuples(st.floats(-200, 300), st.floats(-200, 300)), max_size=20),
    corner=st.tuples(st.floats(-200, 300), st.floats(-200, 300)),
    size=st.tuples(st.floats(0, 300), st.floats(0, 300)),
)
def test_what_is_kept_and_what_is_lost_is_what_was_given(
    points: list[tuple[float, float]], corner: tuple[float, float], size: tuple[float, float]
) -> None:
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    inside = clip(gather(points, None, [box], [3.0]), PAGE)
    kept = inside.marks
    assert inside.mass + inside.lost == pytest.approx(len(points) + 3.0)
    assert kept.points.weight.size + kept.boxes.weight.size + inside.clipped == len(points) + 1
    assert np.all((kept.boxes.x0_px >= 0) & (kept.boxes.x1_px <= PAGE.width_px))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((0, 10), "width_px must be between 1 and 4,000 CSS pixels, got 0"),
        ((4_001, 10), "width_px must be between 1 and 4,000"),
        ((10, 32_001), "height_px must be between 1 and 32,000"),
        ((10.5, 10), "width_px must be a whole number of CSS pixels, got 10.5"),
        (("10", 10), "width_px must be a whole number"),
        ((4_000, 10_001), "above 40,000,000 px"),
        ((2_000, 5_001, 2), "4000 x 10002 px is above 40,000,000 px"),
        ((10, 10, 3), "dpr must be 1 or 2, got 3"),
    ],
)
def test_a_page_beyond_the_limits_is_refused(size: tuple[Any, ...], message: str) -> None:
    with pytest.raises(PageSizeError, match=message):
        Page(*size)


def test_a_page_of_the_largest_size_is_taken() -> None:
    assert Page(1_250, 32_000).rows == 32_000
    assert Page(4_000, 10_000).columns == 4_000
    assert Page(np.uint16(2_000), np.uint16(5_000), 2).columns == 4_000  # type: ignore[arg-type]
