"""How far surfaces may lie from the direct sum: nowhere more than is promised."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from heatmap.exact import exact_density
from heatmap.marks import gather
from heatmap.page import Page
from heatmap.smoothing import Edge
from tests.heatmap.measuring import EDGES, PROMISED, SUB_CELL, heat, middles, off_by, scene, spots
from tests.heatmap.naive import NaivePage, double_loop
from tests.heatmap.search import Offset, worst_offset

MARGIN = 2.5
"""One lone point, for which cells are made, errs by so many times less than is promised."""


@pytest.mark.parametrize(
    ("side", "edge"),
    [("middle", "none"), ("border", "uniform"), ("corner", "uniform"), ("corner", "diggle")],
)
@pytest.mark.parametrize("bandwidth_px", [2.0, 5.0, 10.0, 23.7, 40.0, 100.0, 200.0])
def test_one_lone_point_keeps_the_promise_wherever_it_lies(
    bandwidth_px: float, side: str, edge: Edge
) -> None:
    length_px = math.ceil(8 * bandwidth_px)
    start = {"middle": (4.0, 4.0), "border": (0.0, 4.0), "corner": (0.0, 0.0)}[side]
    base = np.array(start) * bandwidth_px
    cell_px = length_px / 48
    page, at_px = Page(length_px, length_px), middles(length_px, cell_px)

    def error_at(offset: Offset) -> float:
        point = [base + offset]
        want = exact_density(gather(point), page, at_px, at_px, bandwidth_px, edge)
        size = length_px, length_px
        got = heat(point, size_px=size, bandwidth_px=bandwidth_px, cell_px=cell_px, edge=edge)
        return off_by(got, want)

    worst, offset = worst_offset(error_at, SUB_CELL * bandwidth_px)
    assert worst <= PROMISED / MARGIN, offset
    assert worst > 1e-9, "the search must look at the path over cells, not at the exact one"


@pytest.mark.parametrize("bandwidth_px", [2.0, 5.0, 20.0, 40.0])
@pytest.mark.parametrize("kind", ["plain", "weighted", "single"])
def test_a_crowd_at_one_spot_keeps_the_promise_wherever_it_lies(
    bandwidth_px: float, kind: str
) -> None:
    start, step = (0.0, 0.0), SUB_CELL * bandwidth_px / 6
    each = 0.75 if kind == "weighted" else 1.0
    for _ in range(2):
        crowd = spots(bandwidth_px, start, step)
        page = Page(crowd.side_px, crowd.side_px)
        cell_px = bandwidth_px / 4
        at_px = middles(crowd.side_px, cell_px)
        want = each * exact_density(crowd.marks, page, at_px, at_px, bandwidth_px, "none")
        got = heat(
            crowd.points.astype(np.float32) if kind == "single" else crowd.points,
            np.full(len(crowd.points), each) if kind == "weighted" else None,
            size_px=(crowd.side_px, crowd.side_px),
            bandwidth_px=bandwidth_px,
            cell_px=cell_px,
            edge="none",
        )
        error = np.abs(got - want) / want.max()
        assert error.max() <= PROMISED
        row, column = divmod(int(np.argmax(error)), at_px.size)
        worst = crowd.offset_near(at_px[column], at_px[row])
        # Once more, six times finer, around the spot that erred most.
        start, step = (worst[0] - step / 2, worst[1] - step / 2), step / 6


places = st.tuples(st.floats(0, 1), st.floats(0, 1))
marks_of_a_page = st.lists(st.tuples(places, st.floats(0, 9)), min_size=1, max_size=12)


@given(
    size=st.tuples(st.integers(1, 24), st.integers(1, 16)),
    marks=marks_of_a_page,
    plain=st.booleans(),
    bandwidth_px=st.one_of(st.floats(2, 6), st.floats(2, 200)),
    edge=st.sampled_from(EDGES),
)
def test_a_small_page_is_the_double_loop(
    size: tuple[int, int],
    marks: list[tuple[tuple[float, float], float]],
    plain: bool,
    bandwidth_px: float,
    edge: Edge,
) -> None:
    width_px, height_px = size
    points = [(x * width_px, y * height_px) for (x, y), _ in marks]
    weights = [1.0 if plain else weight for _, weight in marks]
    x_px, y_px = Page(width_px, height_px).pixel_centres()
    want = double_loop(points, weights, x_px, y_px, bandwidth_px, size, edge)
    given_weights = None if plain else weights
    got = heat(points, given_weights, size_px=size, bandwidth_px=bandwidth_px, edge=edge)
    assert got.shape == (height_px, width_px)
    peak = double_loop([(0.0, 0.0)], [sum(weights)], [0.0], [0.0], bandwidth_px, size, edge)
    # Heat that leaks in from beyond a page's far corner may be far below what made it.
    assert np.abs(got - want).max() <= PROMISED * max(want.max(), 1e-6 * peak.max())


@given(
    seed=st.integers(0, 9999),
    bandwidth_px=st.floats(5, 100),
    cell_px=st.sampled_from([2.5, 5.0, 20.0]),
    edge=st.sampled_from(EDGES),
)
def test_points_and_boxes_are_their_direct_sum(
    seed: int, bandwidth_px: float, cell_px: float, edge: Edge
) -> None:
    size = 300, 220
    points, weights, boxes, box_weights = scene(seed, size)
    x_px, y_px = middles(300, cell_px), middles(220, cell_px)
    naive = NaivePage(300, 220, bandwidth_px)
    for count in (0, len(boxes)):
        chosen = boxes[:count], box_weights[:count]
        want = naive.surface(points, weights, *chosen, x_px, y_px, edge)
        got = heat(
            points,
            weights,
            size_px=size,
            bandwidth_px=bandwidth_px,
            cell_px=cell_px,
            edge=edge,
            boxes=chosen,
        )
        assert off_by(got, want) <= PROMISED


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_crowd_at_the_end_of_the_longest_page_keeps_the_promise(
    dtype: type[np.floating[Any]],
) -> None:
    size = 40, 32_000
    low = 31_900
    anywhere = np.random.default_rng(7).uniform((0, low), size, (200_000, 2))
    anywhere[:20_000] = anywhere[0]
    points: NDArray[np.floating[Any]] = anywhere.astype(dtype)
    end_px = middles(32_000, 1)[low + 30 :]
    want = exact_density(gather(points), Page(*size), middles(40, 1), end_px, 5.0)
    got = heat(points, size_px=size, bandwidth_px=5.0)
    assert off_by(got[low + 30 :], want) <= PROMISED
    assert not got[: low - 40].any()


@pytest.mark.parametrize("weight", [1.0, 0.1])
def test_five_million_marks_at_one_spot_do_not_drift(weight: float) -> None:
    count, spot = 5_000_000, (33.3, 21.7)
    points = np.full((count, 2), spot, dtype=np.float32)
    weights = None if weight == 1.0 else np.full(count, weight, dtype=np.float32)
    mass = [count * float(np.float32(weight))]
    one = heat(points[:1], mass, size_px=(64, 48), bandwidth_px=8)
    all_of_them = heat(points, weights, size_px=(64, 48), bandwidth_px=8)
    # A share of a point given in single precision is rounded once to it; their sums are not, which
    # would be off by a hundredth by now.
    np.testing.assert_allclose(all_of_them, one, rtol=2.0**-23)


@given(seed=st.integers(0, 9999), far=st.lists(st.floats(0.5, 900), max_size=6))
def test_marks_outside_the_page_change_nothing_inside_it(seed: int, far: list[float]) -> None:
    points, weights, _, _ = scene(seed, (160, 120))
    sides = [(160.0, 60.0, 1, 0), (0.0, 9.0, -1, 0), (50.0, 0.0, 0, -1), (7.0, 120.0, 0, 1)]
    outside = [
        (x + right * away, y + down * away)
        for away, (x, y, right, down) in zip(far, itertools.cycle(sides), strict=False)
    ]
    plain = heat(points, weights, size_px=(160, 120), bandwidth_px=20, cell_px=8)
    more = heat(
        np.vstack((np.reshape(outside, (-1, 2)), points)),
        np.concatenate((np.full(len(far), 50.0), weights)),
        size_px=(160, 120),
        bandwidth_px=20,
        cell_px=8,
    )
    np.testing.assert_allclose(more, plain, rtol=1e-12)
