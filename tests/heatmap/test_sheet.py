from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heatmap import heaps, moments, overlay, room, sheet
from heatmap.heaps import heap_for
from heatmap.marks import Floats, gather
from heatmap.nodes import Singles, taps
from heatmap.page import Page
from heatmap.painting import paint
from heatmap.scale import Curve
from heatmap.sheet import Sheet
from heatmap.smoothing import Edge
from tests.heatmap.naive import mass_on_page, naive_density

PROMISED = 1 / 512
MEGABYTE = 1_000_000

seeds = st.integers(0, 9999)


def sheet_of(points: Floats, page: Page, bandwidth_px: float, edge: Edge = "none") -> Sheet:
    return Sheet(heap_for(gather(points), page, bandwidth_px, edge), page, bandwidth_px, edge)


def surface_of(drawn: Sheet, page: Page) -> Singles:
    surface = np.full((page.rows, page.columns), np.nan, dtype=np.float32)
    for row, values in drawn.bands():
        surface[row : row + len(values)] = values
    return surface


@pytest.mark.parametrize("bandwidth_px", [2.0, 5.0, 7.3, 20.0, 100.0])
@pytest.mark.parametrize(
    ("copies", "many_cells"),
    [(1, moments.MANY_CELLS), (1_000, 1), (2_000, moments.MANY_CELLS)],
    ids=["one", "crowd over many cells", "crowd"],
)
def test_marks_at_one_place_keep_the_promise_wherever_in_their_cell_it_lies(
    monkeypatch: pytest.MonkeyPatch, bandwidth_px: float, copies: int, many_cells: int
) -> None:
    monkeypatch.setattr(moments, "MANY_CELLS", many_cells)
    page = Page(round(9 * bandwidth_px) + 3, round(9 * bandwidth_px) + 3)
    x_px, y_px = page.pixel_centres()
    cell_px = heap_for(gather(None), page, bandwidth_px, "none").cell_px
    for across, down in np.random.default_rng(1).uniform(0, cell_px, (12, 2)):
        place = np.array([[4.5 * bandwidth_px + across, 4.5 * bandwidth_px + down]])
        drawn = sheet_of(np.repeat(place, copies, axis=0), page, bandwidth_px)
        want = naive_density(place, [copies], x_px, y_px, bandwidth_px)
        error = np.abs(surface_of(drawn, page) - want).max()
        assert error <= PROMISED * copies / (2 * np.pi * bandwidth_px**2)


@given(seed=seeds, bandwidth_px=st.floats(2, 40), dpr=st.sampled_from([1, 2]))
def test_the_peak_is_the_largest_value_and_the_first_such_pixel(
    seed: int, bandwidth_px: float, dpr: int
) -> None:
    page = Page(90, 130, dpr)
    points = np.random.default_rng(seed).uniform((0, 0), (90, 130), (9, 2))
    drawn = sheet_of(points, page, bandwidth_px, "uniform")
    surface = surface_of(drawn, page)
    peak = drawn.peak()
    assert peak.intensity == surface.max()
    assert (peak.row, peak.column) == divmod(int(surface.argmax()), page.columns)


@given(
    seed=seeds,
    bandwidth_px=st.floats(2, 40),
    edge=st.sampled_from(["uniform", "diggle", "none"]),
    curve=st.sampled_from(["linear", "sqrt", "log"]),
    full=st.sampled_from([0.4, 1.0, 3.0]),
)
def test_every_pixel_is_painted_in_the_level_of_its_heat(
    seed: int, bandwidth_px: float, edge: Edge, curve: Curve, full: float
) -> None:
    page = Page(90, 130)
    points = np.random.default_rng(seed).uniform((0, 0), (90, 130), (9, 2))
    drawn = sheet_of(points, page, bandwidth_px, edge)
    surface = surface_of(drawn, page).astype(np.float64)
    scale_max = full * surface.max()
    share = np.minimum(surface / scale_max, 1)
    exact = (
        255
        * {"linear": share, "sqrt": np.sqrt(share), "log": np.log1p(99 * share) / np.log(100)}[
            curve
        ]
    )
    # Half a level is rounding; on top of it, 1/50 at the page's edge.
    assert np.abs(paint(drawn, scale_max, curve) - exact).max() <= 0.52


def test_a_painted_sheet_still_tells_its_peak_and_is_painted_alike() -> None:
    page = Page(90, 130)
    drawn = sheet_of(np.array([[30.0, 4.0], [60.0, 100.0]]), page, 9.0, "uniform")
    peak = drawn.peak()
    first = paint(drawn, peak.intensity, "linear").copy()
    assert drawn.peak() == peak
    np.testing.assert_array_equal(paint(drawn, peak.intensity, "linear"), first)


def test_a_sheet_nobody_holds_is_gone_at_once() -> None:
    """Its coefficients are megabytes, which the next map wants warm."""
    page = Page(90, 130)
    gc.disable()
    try:
        drawn = sheet_of(np.array([[30.0, 40.0]]), page, 9.0)
        paint(drawn, drawn.peak().intensity, "linear")
        watched = weakref.ref(drawn)
        del drawn
        assert watched() is None
    finally:
        gc.enable()


@settings(max_examples=9)
@given(seed=seeds, edge=st.sampled_from(["uniform", "diggle", "none"]))
def test_strips_have_no_seams(seed: int, edge: Edge) -> None:
    page = Page(60, 300)
    points = np.random.default_rng(seed).uniform((0, 0), (60, 300), (60, 2))
    whole = surface_of(sheet_of(points, page, 6.0, edge), page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "STRIP_BYTES", 9_000)
        in_strips = sheet_of(points, page, 6.0, edge)
        assert len(list(in_strips._strips())) > 3
        # The kernel's reach is cut off at other cells: below 1/10,000 of one mark's peak.
        np.testing.assert_allclose(surface_of(in_strips, page), whole, atol=whole.max() / 10_000)
        assert in_strips.peak().intensity == pytest.approx(whole.max(), rel=1e-5)


@settings(max_examples=9)
@given(seed=seeds, bandwidth_px=st.sampled_from([2.0, 6.0, 13.7]), dpr=st.sampled_from([1, 2]))
def test_blocks_have_no_seams(seed: int, bandwidth_px: float, dpr: int) -> None:
    page = Page(60, 301, dpr)
    points = np.random.default_rng(seed).uniform((0, 0), (60, 301), (60, 2))
    whole = surface_of(sheet_of(points, page, bandwidth_px, "uniform"), page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "VALUES_AT_ONCE", 2_000)
        in_blocks = sheet_of(points, page, bandwidth_px, "uniform")
        assert len(list(in_blocks.blocks())) > 2 * sheet.BLOCKS_AT_ONCE
        np.testing.assert_allclose(surface_of(in_blocks, page), whole, rtol=1e-4)
        assert in_blocks.peak().intensity == pytest.approx(whole.max(), rel=1e-5)
        levels = paint(in_blocks, float(whole.max()), "linear")
    assert np.abs(levels - 255 * whole.astype(np.float64) / whole.max()).max() <= 0.52


@settings(max_examples=9)
@given(seed=seeds)
def test_a_crowd_on_whole_pixels_in_strips_is_the_direct_sum(seed: int) -> None:
    page = Page(50, 160)
    points = np.random.default_rng(seed).integers((0, 0), (51, 161), (900, 2)).astype(np.float32)
    x_px, y_px = page.pixel_centres()
    want = naive_density(points, np.ones(900), x_px, y_px, 3.0)
    want /= mass_on_page(x_px, y_px, 3.0, 50, 160)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "STRIP_BYTES", 9_000)
        got = surface_of(sheet_of(points, page, 3.0, "uniform"), page)
    assert np.abs(got - want).max() <= PROMISED * want.max()


def test_the_shares_of_the_nodes_add_up_to_one() -> None:
    for step in (1, 2, 7, 100):
        shares = taps(step)
        assert shares.shape == (step, 4)
        assert shares.min() >= 0
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(shares, shares[::-1, ::-1], atol=1e-7)


@pytest.mark.parametrize(
    ("count", "height_px", "bandwidth_px", "limit_mb"),
    [(2_000_000, 4_000, 20.0, 60), (20_000, 30_000, 20.0, 150), (20_000, 15_000, 2.0, 150)],
    ids=["crowd", "tall", "tall and fine"],
)
def test_memory_is_bounded_whatever_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    height_px: int,
    bandwidth_px: float,
    limit_mb: float,
) -> None:
    monkeypatch.setattr(room, "_idle", {})  # what was kept would not be counted
    rng = np.random.default_rng(0)
    points = rng.random((count, 2), dtype=np.float32) * np.array((1280, height_px), np.float32)
    tracemalloc.start()
    overlay(points, width_px=1280, height_px=height_px, bandwidth_px=bandwidth_px)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= limit_mb * MEGABYTE


def test_points_that_lie_outside_cost_no_second_copy_in_double_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_idle", {})
    points = np.random.default_rng(0).random((1_000_000, 2), dtype=np.float32) * np.float32(1000)
    tracemalloc.start()
    overlay(points, width_px=900, height_px=900, bandwidth_px=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= points.nbytes + 35 * MEGABYTE


def test_a_crowd_at_one_spot_does_not_drift() -> None:
    page = Page(80, 80)
    x_px, y_px = page.pixel_centres()
    spot = np.full((1_200_000, 2), 37.3, dtype=np.float32)
    assert len(spot) > heaps.CROWDED * page.rows * page.columns
    want = naive_density(spot[:1], [len(spot)], x_px, y_px, 8.0)
    got = surface_of(sheet_of(spot, page, 8.0), page)
    assert np.abs(got - want).max() <= PROMISED * want.max()
