"""How far the surface that is drawn lies from the sum of all kernels, in parts of its peak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from heatmap import moments
from heatmap.heaps import heap_for
from heatmap.marks import clip, gather
from heatmap.page import FloatArray, Page
from heatmap.sheet import Sheet
from heatmap.smoothing import one_thread
from tests.bench.crowd import Singles, Size, direct_sum

PIXELS = 2_000
"""Compared at random, and as many again near the peak."""
NEAR_PEAK = 0.9

OFFSETS = 30
BANDWIDTHS_PX = (5.0, 10.0, 20.0, 40.0, 100.0)
COPIES = 1_000
"""So many marks at one place go the way of a crowd, one alone goes the other."""


def drawn_surface(points: FloatArray | Singles, size: Size, bandwidth_px: float) -> Singles:
    """Mass per square pixel that a picture is painted from, without edge correction."""
    page = Page(size.width_px, size.height_px)
    marks = clip(gather(points), page).marks
    surface = np.zeros((page.rows, page.columns), dtype=np.float32)
    with one_thread():
        for row, values in Sheet(
            heap_for(marks, page, bandwidth_px, "none"), page, bandwidth_px, "none"
        ).bands():
            surface[row : row + len(values)] = values
    return surface


def crowd_error(
    points: Singles, size: Size, bandwidth_px: float, rng: np.random.Generator
) -> float:
    """Largest error over the peak, at random pixels and at pixels near the peak."""
    surface = drawn_surface(points, size, bandwidth_px)
    hot = np.flatnonzero(surface >= NEAR_PEAK * surface.max())
    chosen = np.concatenate(
        (rng.integers(0, surface.size, PIXELS), rng.choice(hot, min(PIXELS, hot.size), False))
    )
    row, column = np.divmod(chosen, surface.shape[1])
    want = direct_sum(points, column + 0.5, row + 0.5, bandwidth_px)
    return float(np.abs(surface[row, column] - want).max() / want.max())


def lone_error(bandwidth_px: float, copies: int, rng: np.random.Generator) -> float:
    """Largest error over the peak at any pixel, for one place anywhere in its cell, searched."""
    side = round(10 * bandwidth_px) + 3
    pixel = np.arange(side) + 0.5
    worst = 0.0
    for place in rng.uniform(5 * bandwidth_px, 5.6 * bandwidth_px, (OFFSETS, 2)):
        surface = drawn_surface(np.tile(place, (copies, 1)), Size(side, side), bandwidth_px)
        across, down = (np.exp(-0.5 * ((pixel - at) / bandwidth_px) ** 2) for at in place)
        scaled = surface * (2 * np.pi * bandwidth_px**2 / copies)
        worst = max(worst, float(np.abs(scaled - np.outer(down, across)).max()))
    return worst


def searched_error(rng: np.random.Generator) -> float:
    """Largest lone error over all bandwidths and all ways of sharing out."""
    each = max(
        lone_error(bandwidth_px, copies, rng)
        for bandwidth_px in BANDWIDTHS_PX
        for copies in (1, COPIES)
    )
    with _as_over_many_cells():
        return max(each, *(lone_error(bandwidth_px, COPIES, rng) for bandwidth_px in BANDWIDTHS_PX))


@contextmanager
def _as_over_many_cells() -> Iterator[None]:
    """Let crowds go the way that they go on large pages with small bandwidths."""
    usual = moments.MANY_CELLS
    moments.MANY_CELLS = 1
    try:
        yield
    finally:
        moments.MANY_CELLS = usual
