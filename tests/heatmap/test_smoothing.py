from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap import density
from heatmap.errors import BandwidthError, EdgeError, PageSizeError
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.smoothing import Edge, Surface, _thread_pools, one_thread
from tests.heatmap.naive import naive_density

WIDTH_PX, HEIGHT_PX = 300, 220
PROMISED = 1 / 512

seeds = st.integers(0, 2**32 - 1)


def cell_centres(cell_px: float) -> tuple[FloatArray, FloatArray]:
    return (
        (np.arange(WIDTH_PX / cell_px) + 0.5) * cell_px,
        (np.arange(HEIGHT_PX / cell_px) + 0.5) * cell_px,
    )


def random_points(seed: int, count: int = 12) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return rng.uniform((0, 0), (WIDTH_PX, HEIGHT_PX), (count, 2)), rng.exponential(1, count)


def random_boxes(seed: int, count: int = 6) -> tuple[FloatArray, FloatArray]:
    corners, weights = random_points(seed, 2 * count)
    first, second = corners[:count], corners[count:]
    boxes = np.hstack((np.minimum(first, second), np.maximum(first, second)))
    return boxes, weights[:count]


def density_of(
    points: FloatArray | None,
    weights: FloatArray | None = None,
    *,
    bandwidth_px: float,
    cell_px: float = 5.0,
    edge: Edge = "uniform",
    boxes: FloatArray | None = None,
    box_weights: FloatArray | None = None,
) -> FloatArray:
    return density(
        points,
        weights,
        boxes_px=boxes,
        box_weights=box_weights,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        bandwidth_px=bandwidth_px,
        cell_px=cell_px,
        edge=edge,
    )


@given(seed=seeds)
def test_away_from_the_edges_mass_is_kept_without_correction(seed: int) -> None:
    points, weights = random_points(seed)
    inner = points * 0.4 + (0.3 * WIDTH_PX, 0.3 * HEIGHT_PX)
    surface = density_of(inner, weights, bandwidth_px=10.0, cell_px=2.0, edge="none")
    assert surface.sum() * 4.0 == pytest.approx(weights.sum(), rel=1e-6)


@given(seed=seeds, right=st.integers(0, 8), down=st.integers(0, 6))
def test_shifting_marks_shifts_the_surface(seed: int, right: int, down: int) -> None:
    points, weights = random_points(seed)
    inner = points * 0.3 + 60
    here = density_of(inner, weights, bandwidth_px=8.0, edge="none")
    moved = inner + np.array((right * 5.0, down * 5.0))
    there = density_of(moved, weights, bandwidth_px=8.0, edge="none")
    shifted = np.roll(here, (down, right), (0, 1))
    assert np.abs(there - shifted).max() <= 2 * PROMISED * here.max()


@given(seed=seeds)
def test_a_point_given_twice_is_a_point_of_weight_two(seed: int) -> None:
    points, weights = random_points(seed)
    twice = density_of(np.vstack((points, points)), np.tile(weights, 2), bandwidth_px=20.0)
    double = density_of(points, 2 * weights, bandwidth_px=20.0)
    np.testing.assert_allclose(twice, double, rtol=1e-9, atol=1e-15)


@given(seed=seeds, share=st.floats(0, 1))
def test_a_weight_split_in_two_changes_nothing(seed: int, share: float) -> None:
    boxes, weights = random_boxes(seed)
    whole = density_of(None, bandwidth_px=20.0, boxes=boxes, box_weights=weights)
    split = density_of(
        None,
        bandwidth_px=20.0,
        boxes=np.vstack((boxes, boxes)),
        box_weights=np.concatenate((share * weights, (1 - share) * weights)),
    )
    np.testing.assert_allclose(split, whole, rtol=1e-9, atol=1e-15)


def test_marks_without_weight_change_nothing() -> None:
    points, weights = random_points(1)
    more = np.vstack((points, random_points(2)[0]))
    with_zeros = density_of(more, np.concatenate((weights, np.zeros(12))), bandwidth_px=20.0)
    np.testing.assert_allclose(
        with_zeros, density_of(points, weights, bandwidth_px=20.0), rtol=1e-12, atol=1e-18
    )


@pytest.mark.parametrize("bandwidth_px", [5.0, 24.0, 80.0])
def test_heat_spread_evenly_is_flat_up_to_the_edges(bandwidth_px: float) -> None:
    page_box = np.array([[0.0, 0.0, WIDTH_PX, HEIGHT_PX]])
    flat = density_of(None, bandwidth_px=bandwidth_px, cell_px=2.0, boxes=page_box)
    np.testing.assert_allclose(flat, 1 / (WIDTH_PX * HEIGHT_PX), rtol=2e-3)


def test_evenly_strewn_points_are_flat_up_to_the_edges() -> None:
    x, y = np.meshgrid(np.arange(1.0, WIDTH_PX, 2), np.arange(1.0, HEIGHT_PX, 2))
    flat = density_of(np.column_stack((x.ravel(), y.ravel())), bandwidth_px=24.0)
    np.testing.assert_allclose(flat, 0.25, rtol=2e-3)


@pytest.mark.parametrize("cell_px", [7.0, 33.0, 300.0, 1000.0])
def test_a_cell_cut_by_the_edge_is_evaluated_inside_the_page(cell_px: float) -> None:
    flat = density_of(
        None,
        bandwidth_px=24.0,
        cell_px=cell_px,
        boxes=np.array([[0.0, 0.0, WIDTH_PX, HEIGHT_PX]]),
    )
    assert flat.shape == (-(-HEIGHT_PX // cell_px), -(-WIDTH_PX // cell_px))
    np.testing.assert_allclose(flat, 1 / (WIDTH_PX * HEIGHT_PX), rtol=2e-3)


def test_cells_that_just_divide_the_page_gain_no_sliver() -> None:
    assert density(
        None, width_px=1200, height_px=700, bandwidth_px=40, cell_px=1200 / 7 / 7
    ).shape == (29, 49)


def test_a_huge_page_with_a_small_bandwidth_is_made_in_strips_without_seams() -> None:
    page = Page(2000, 16_000)
    rng = np.random.default_rng(5)
    points = rng.uniform((0, 7_000), (2000, 9_000), (400, 2))
    x_px, y_px = page.pixel_centres()
    wanted_y = y_px[6_900:9_100]
    surface = Surface(gather(points), page, (x_px[:300], y_px), 2.0, "none")
    got = np.zeros((page.rows, 300))
    for band in surface.bands():
        got[band.first : band.first + len(band.values)] = band.values
    want = naive_density(points, np.ones(400), x_px[:300], wanted_y, 2.0)
    assert np.abs(got[6_900:9_100] - want).max() <= PROMISED * want.max()
    assert not got[:6_900].any()


def test_no_marks_give_a_surface_of_zeros() -> None:
    assert not density_of(None, bandwidth_px=20.0).any()


def test_a_render_uses_one_thread_and_gives_the_others_back() -> None:
    def threads() -> list[int]:
        pools = _thread_pools().info()
        return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]

    before = threads()
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before


@pytest.mark.parametrize(
    "bandwidth_px", [1.99, 201.0, 0.0, -3.0, float("nan"), float("inf"), "wide"]
)
def test_a_bandwidth_outside_its_limits_is_refused(bandwidth_px: Any) -> None:
    with pytest.raises(BandwidthError, match="bandwidth_px must be between 2 and 200"):
        density_of(None, bandwidth_px=bandwidth_px)


@pytest.mark.parametrize("cell_px", [0.0, -1.0, float("nan"), float("inf"), 0.01])
def test_cells_without_size_or_too_many_are_refused(cell_px: float) -> None:
    with pytest.raises(PageSizeError, match="cell_px"):
        density_of(None, bandwidth_px=20.0, cell_px=cell_px)


def test_an_unknown_edge_correction_is_refused() -> None:
    with pytest.raises(EdgeError, match="uniform, diggle, none"):
        density_of(None, bandwidth_px=20.0, edge="reflect")  # type: ignore[arg-type]
