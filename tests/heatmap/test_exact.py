from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.errors import BandwidthError, EdgeError, PageSizeError
from heatmap.exact import VALUES_AT_ONCE, exact_density
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.smoothing import Edge
from tests.heatmap.naive import NaivePage, double_loop, mass_on_page, naive_boxes

PAGE = Page(60, 40)
EDGES = st.sampled_from(["uniform", "diggle", "none"])

places = st.tuples(st.floats(0, PAGE.width_px), st.floats(0, PAGE.height_px))
weighted = st.lists(st.tuples(places, st.floats(0, 9)), max_size=5)


def quadrature(length_px: float) -> tuple[FloatArray, FloatArray]:
    """Places and weights that integrate a smooth function over 0..length."""
    node, share = np.polynomial.legendre.leggauss(60)
    return (node + 1) * length_px / 2, share * length_px / 2


@given(marks=weighted, bandwidth_px=st.floats(2, 200), edge=EDGES)
def test_points_give_the_double_loop(
    marks: list[tuple[tuple[float, float], float]], bandwidth_px: float, edge: Edge
) -> None:
    points, weights = [point for point, _ in marks], [weight for _, weight in marks]
    x_px, y_px = np.array([0.0, 0.5, 17.25, 60.0]), np.array([0.0, 31.0, 40.0])
    got = exact_density(gather(points, weights), PAGE, x_px, y_px, bandwidth_px, edge)
    want = double_loop(points, weights, x_px, y_px, bandwidth_px, (60, 40), edge)
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("bandwidth_px", [2.0, 7.0, 200.0])
def test_boxes_give_the_integral_of_the_kernel(bandwidth_px: float) -> None:
    boxes, weights = [(3.0, 2.0, 57.0, 9.5), (20.0, 0.0, 20.5, 40.0), (0, 0, 60, 40)], [2.0, 3.0, 1]
    x_px, y_px = np.linspace(0, 60, 13), np.linspace(0, 40, 9)
    marks = gather(None, None, boxes, weights)
    want = naive_boxes(boxes, weights, x_px, y_px, bandwidth_px)
    got = exact_density(marks, PAGE, x_px, y_px, bandwidth_px, "none")
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * want.max())
    inside = mass_on_page(x_px, y_px, bandwidth_px, 60, 40)
    uniform = exact_density(marks, PAGE, x_px, y_px, bandwidth_px)
    np.testing.assert_allclose(uniform, want / inside, rtol=0, atol=1e-12 * uniform.max())


@pytest.mark.parametrize("bandwidth_px", [3.0, 25.0])
def test_a_box_lifted_at_the_edge_is_its_points_lifted(bandwidth_px: float) -> None:
    boxes, weights = [(0.0, 1.0, 31.0, 40.0), (50.0, 3.0, 60.0, 3.0)], [2.0, 1.0]
    x_px, y_px = np.linspace(0, 60, 13), np.linspace(0, 40, 9)
    naive = NaivePage(60, 40, bandwidth_px)
    want = naive.surface([], [], boxes, weights, x_px, y_px, "diggle")
    marks = gather(None, None, boxes, weights)
    got = exact_density(marks, PAGE, x_px, y_px, bandwidth_px, "diggle")
    assert np.abs(got - want).max() <= 1e-4 * want.max()


@given(point=places, corner=places, bandwidth_px=st.floats(6, 200))
def test_diggle_keeps_all_mass_on_the_page(
    point: tuple[float, float], corner: tuple[float, float], bandwidth_px: float
) -> None:
    marks = gather([point], [2.0], [(0, 0, *corner)], [3.0])
    (x_px, share_x), (y_px, share_y) = quadrature(60), quadrature(40)
    surface = exact_density(marks, PAGE, x_px, y_px, bandwidth_px, "diggle")
    assert share_y @ surface @ share_x == pytest.approx(5.0, rel=1e-9)


def test_many_points_are_summed_in_parts() -> None:
    rng = np.random.default_rng(1)
    points, weights = rng.uniform((0, 0), (60, 40), (9000, 2)), rng.exponential(1, 9000)
    x_px, y_px = np.linspace(0, 60, 400), np.array([20.0])
    assert points.size / 2 * x_px.size > 3 * VALUES_AT_ONCE
    whole = exact_density(gather(points, weights), PAGE, x_px, y_px, 5.0)
    parts = [
        exact_density(gather(points[part], weights[part]), PAGE, x_px, y_px, 5.0)
        for part in np.array_split(np.arange(9000), 5)
    ]
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-12)


def test_what_lies_outside_the_page_is_left_out() -> None:
    inside = gather([(5, 5)], None, [(50, 30, 60, 40)], [1.0])
    more = gather([(5, 5), (61, 5)], None, [(50, 30, 70, 50), (-9, -9, -1, -1)], [4.0, 1.0])
    x_px, y_px = np.array([5.0, 55.0]), np.array([5.0, 35.0])
    want = exact_density(inside, PAGE, x_px, y_px, 8.0)
    np.testing.assert_allclose(exact_density(more, PAGE, x_px, y_px, 8.0), want)


def test_nothing_gives_nothing() -> None:
    raster = np.array([1.0, 2.0])
    assert not exact_density(gather(None), PAGE, raster, raster, 8.0).any()
    assert exact_density(gather([(1, 1)]), PAGE, np.empty(0), raster, 8.0).shape == (2, 0)


def test_what_cannot_be_summed_is_refused() -> None:
    marks, raster = gather([(1, 1)]), np.array([1.0])
    with pytest.raises(BandwidthError, match="between 2 and 200"):
        exact_density(marks, PAGE, raster, raster, 1.0)
    with pytest.raises(EdgeError, match="got 'wrap'"):
        exact_density(marks, PAGE, raster, raster, 5.0, "wrap")  # type: ignore[arg-type]
    for wrong in (np.array([61.0]), np.array([-1.0]), np.array([np.nan]), np.ones((2, 2))):
        with pytest.raises(PageSizeError, match=r"x_px must be one row of places within 0\.\.60"):
            exact_density(marks, PAGE, wrong, raster, 5.0)
