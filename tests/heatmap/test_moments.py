from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap import moments
from heatmap.grid import PADDING, Grid, deposit, grid_for
from heatmap.marks import Floats, gather
from heatmap.moments import deposit_many
from heatmap.packing import FEW
from heatmap.page import FloatArray, Page

PAGE = Page(200, 130)


def strewn(seed: int, count: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.uniform((0, 0), (PAGE.width_px, PAGE.height_px), (count, 2))


def _points_near(at_px: Floats, grid: Grid) -> FloatArray:
    """Count the points in the 3 x 3 cells around each."""
    counts = np.zeros((grid.rows + 2, grid.columns + 2))
    column, row = np.floor(at_px / grid.cell_px).astype(int).T + PADDING
    for down in range(3):
        for across in range(3):
            np.add.at(counts, (row + down, column + across), 1)
    return counts[1:-1, 1:-1]


@given(seed=st.integers(0, 9999), bandwidth_px=st.floats(2, 60), single=st.booleans())
def test_a_crowd_is_shared_out_as_its_points_would_be(
    seed: int, bandwidth_px: float, single: bool
) -> None:
    marks = gather(strewn(seed, 500).astype(np.float32 if single else np.float64))
    grid = grid_for(PAGE, bandwidth_px)
    got = deposit_many(marks.points, grid, 0, grid.rows)
    want = deposit(marks, grid, 0, grid.rows)
    assert got.shape == want.shape
    assert got.sum(dtype=np.float64) == pytest.approx(500, rel=1e-6)
    # Third and fourth moments are guessed: every point near puts a share off by up to 0.04 ...
    near = _points_near(marks.points.at_px, grid)
    assert np.all(np.abs(got - want) <= 0.04 * near + 1e-4)
    # ... but a row's or a column's by no more than the steps that offsets are rounded to.
    for along in (0, 1):
        off = np.abs(got.sum(axis=along) - want.sum(axis=along))
        assert np.all(off <= near.sum(axis=along) / 3 / 256 + 1e-4)


@given(seed=st.integers(0, 9999), bandwidth_px=st.floats(2, 60))
def test_few_points_to_a_cell_are_shared_out_alike_three_sums_to_a_number(
    seed: int, bandwidth_px: float
) -> None:
    points = gather(strewn(seed, 500).astype(np.float32)).points
    grid = grid_for(PAGE, bandwidth_px)
    want = deposit_many(points, grid, 0, grid.rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "MANY_CELLS", 1)
        got = deposit_many(points, grid, 0, grid.rows)
    assert got.sum(dtype=np.float64) == pytest.approx(500, rel=1e-6)
    # Squares are rounded, by up to 1/256 each, and weigh up to 3/4.
    near = _points_near(points.at_px, grid)
    assert np.all(np.abs(got - want) <= near / 64 + 1e-4)


@pytest.mark.parametrize("count", [FEW, FEW + 1, 5_000])
def test_a_cell_of_more_than_few_points_is_added_up_in_pairs(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    grid = grid_for(PAGE, 20.0)
    spot = gather(np.tile([[77.7, 55.5]], (count, 1))).points
    want = deposit_many(spot, grid, 0, grid.rows)
    monkeypatch.setattr(moments, "MANY_CELLS", 1)
    got = deposit_many(spot, grid, 0, grid.rows)
    np.testing.assert_allclose(got, want, atol=count / 256)
    assert np.array_equal(got, want) == (count > FEW)
    assert got.sum(dtype=np.float64) == pytest.approx(count, rel=1e-6)


@given(seed=st.integers(0, 9999), row=st.integers(1, 25))
def test_the_rows_of_two_strips_are_the_rows_of_the_whole(seed: int, row: int) -> None:
    grid = grid_for(PAGE, 20.0)
    points = gather(strewn(seed, 400)).points
    whole = deposit_many(points, grid, 0, grid.rows)
    strips = [deposit_many(points, grid, 0, row), deposit_many(points, grid, row, grid.rows)]
    np.testing.assert_allclose(np.vstack(strips), whole, atol=1e-4)


def test_sums_that_fill_up_are_taken_out_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_for(PAGE, 20.0)
    spot = gather(np.tile([[77.7, 55.5]], (5_000, 1))).points
    want = deposit_many(spot, grid, 0, grid.rows)
    monkeypatch.setattr(moments, "MOST", 64)
    monkeypatch.setattr(moments, "CROWD", 1_000)
    got = deposit_many(spot, grid, 0, grid.rows)
    assert got.sum(dtype=np.float64) == pytest.approx(5_000, rel=1e-6)
    np.testing.assert_allclose(got, want, atol=5_000 * 1e-6)


def test_points_on_the_pages_border_find_their_cells() -> None:
    corners = [(0.0, 0.0), (200.0, 0.0), (0.0, 130.0), (200.0, 130.0)]
    for bandwidth_px in (2.0, 5.0, 19.9, 200.0):
        grid = grid_for(PAGE, bandwidth_px)
        points = gather(np.tile(corners, (50, 1)).astype(np.float32)).points
        mass = deposit_many(points, grid, 0, grid.rows)
        assert mass.sum(dtype=np.float64) == pytest.approx(200, rel=1e-6)
