from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.grid import Grid, deposit, grid_for
from heatmap.marks import gather
from heatmap.page import FloatArray, Page

PAGE = Page(200, 130)

places = st.tuples(st.floats(0, PAGE.width_px), st.floats(0, PAGE.height_px))
sides = st.tuples(places, places).map(
    lambda ends: (
        min(ends[0][0], ends[1][0]),
        min(ends[0][1], ends[1][1]),
        max(ends[0][0], ends[1][0]),
        max(ends[0][1], ends[1][1]),
    )
)


def moments(mass: FloatArray, grid: Grid) -> tuple[float, float, float, float]:
    """Means and variances of the mass along x and y, CSS pixels."""
    x, y = grid.x_px(), grid.y_px()
    along_x, along_y = mass.sum(axis=0) / mass.sum(), mass.sum(axis=1) / mass.sum()
    mean_x, mean_y = along_x @ x, along_y @ y
    return mean_x, mean_y, along_x @ (x - mean_x) ** 2, along_y @ (y - mean_y) ** 2


@given(point=places, bandwidth_px=st.floats(2, 200))
def test_a_point_keeps_its_mass_its_place_and_always_the_same_spread(
    point: tuple[float, float], bandwidth_px: float
) -> None:
    grid = grid_for(PAGE, bandwidth_px)
    mass = deposit(gather([point], [3.0]), grid, 0, grid.rows)
    assert mass.sum() == pytest.approx(3.0)
    assert mass.min() >= 0
    spread = 0.25 * grid.cell_px**2
    assert moments(mass, grid) == pytest.approx((*point, spread, spread), abs=1e-9 * 200**2)


@given(box=sides, bandwidth_px=st.floats(2, 200))
def test_a_box_keeps_its_mass_its_middle_and_its_spread(
    box: tuple[float, float, float, float], bandwidth_px: float
) -> None:
    grid = grid_for(PAGE, bandwidth_px)
    mass = deposit(gather(None, None, [box], [3.0]), grid, 0, grid.rows)
    x0, y0, x1, y1 = box
    spread = 0.25 * grid.cell_px**2
    assert mass.sum() == pytest.approx(3.0)
    assert mass.min() >= -1e-12
    want = (
        (x0 + x1) / 2,
        (y0 + y1) / 2,
        (x1 - x0) ** 2 / 12 + spread,
        (y1 - y0) ** 2 / 12 + spread,
    )
    assert moments(mass, grid) == pytest.approx(want, rel=1e-5, abs=1e-9 * 200**2)


@given(point=places)
def test_a_box_without_extent_is_a_point(point: tuple[float, float]) -> None:
    grid = grid_for(PAGE, 20.0)
    as_point = deposit(gather([point]), grid, 0, grid.rows)
    as_box = deposit(gather(None, None, [(*point, *point)]), grid, 0, grid.rows)
    np.testing.assert_allclose(as_box, as_point, atol=1e-12)


def test_a_large_box_fills_its_inner_cells_by_exact_area() -> None:
    grid = grid_for(PAGE, 20.0)
    mass = deposit(gather(None, None, [(20.0, 20.0, 120.0, 100.0)], [8000.0]), grid, 0, grid.rows)
    x, y = grid.x_px(), grid.y_px()
    inner = mass[np.ix_((y > 30) & (y < 90), (x > 30) & (x < 110))]
    np.testing.assert_allclose(inner, grid.cell_px**2, rtol=1e-12)


@given(
    points=st.lists(places, max_size=8), boxes=st.lists(sides, max_size=4), row=st.integers(1, 25)
)
def test_the_rows_of_two_strips_are_the_rows_of_the_whole(
    points: list[tuple[float, float]], boxes: list[tuple[float, float, float, float]], row: int
) -> None:
    grid = grid_for(PAGE, 20.0)
    assert row < grid.rows
    marks = gather(points, None, boxes)
    whole = deposit(marks, grid, 0, grid.rows)
    strips = [deposit(marks, grid, 0, row), deposit(marks, grid, row, grid.rows)]
    np.testing.assert_allclose(np.vstack(strips), whole, atol=1e-12)


def test_more_points_than_are_shared_out_in_one_go_all_arrive() -> None:
    count = 600_000
    points = np.random.default_rng(0).uniform((0, 0), (200, 130), (count, 2))
    grid = grid_for(PAGE, 40.0)
    assert deposit(gather(points), grid, 0, grid.rows).sum() == pytest.approx(count)


def test_weight_is_lifted_by_where_it_lies() -> None:
    grid = grid_for(PAGE, 20.0)
    marks = gather([(50.0, 60.0)], [2.0], [(20.0, 20.0, 60.0, 100.0)], [3.0])
    mass = deposit(marks, grid, 0, grid.rows, (lambda x: x / 10, lambda y: y + 1))
    assert mass.sum() == pytest.approx(2.0 * 5 * 61 + 3.0 * 4 * 61)
