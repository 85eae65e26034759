from __future__ import annotations

import numpy as np
import pytest

from heatmap.grid import grid_for
from heatmap.heaps import Shared, heap_for
from heatmap.marks import Marks, gather
from heatmap.page import Page
from heatmap.pixels import Pixels

PAGE = Page(60, 90)
POINTS = np.random.default_rng(3).integers((0, 0), (61, 91), (700, 2))


def test_points_on_whole_pixels_are_counted_there() -> None:
    heap = heap_for(gather(POINTS), PAGE, 5.0, "uniform")
    assert isinstance(heap, Pixels)
    want = np.zeros((91, 61))
    for x, y in POINTS:
        want[y, x] += 1
    np.testing.assert_array_equal(heap.mass(0, 91), want)
    np.testing.assert_array_equal(heap.mass(30, 47), want[30:47])
    assert (heap.x_px()[7], heap.y_px()[90]) == (7.0, 90.0)


def test_weights_on_whole_pixels_are_added_up_in_double_precision() -> None:
    weights = np.random.default_rng(4).exponential(1, 700)
    mass = heap_for(gather(POINTS, weights), PAGE, 4.0, "none").mass(0, 91)
    assert mass.dtype == np.float64
    assert mass.sum() == pytest.approx(weights.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("marks", "bandwidth_px"),
    [
        (gather(POINTS + 0.25), 5.0),
        (gather(POINTS), 20.0),
        (gather(POINTS[:50]), 5.0),
        (gather(POINTS, None, [(1, 1, 9, 9)]), 5.0),
    ],
    ids=["between pixels", "wide", "few", "with boxes"],
)
def test_other_marks_are_shared_out_over_a_grid(marks: Marks, bandwidth_px: float) -> None:
    heap = heap_for(marks, PAGE, bandwidth_px, "uniform")
    assert isinstance(heap, Shared)
    assert heap.cell_px == grid_for(PAGE, bandwidth_px).cell_px
    assert heap.mass(0, len(heap.y_px())).sum() == pytest.approx(
        marks.points.mass + marks.boxes.weight.sum(), rel=1e-6
    )


def test_the_lift_of_diggle_is_applied_to_whole_pixels_too() -> None:
    assert isinstance(heap_for(gather(POINTS), PAGE, 5.0, "diggle"), Shared)
