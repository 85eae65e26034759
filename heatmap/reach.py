"""Scroll reach: which share of the views saw each row of the page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from heatmap.colours import DEFAULT_PALETTE, rows
from heatmap.drawing import Drawing, finish
from heatmap.errors import TrailError
from heatmap.page import FloatArray, Page
from heatmap.scale import levels

EVERY_VIEW = 1.0
"""Full colour is a row that every view saw, so that maps of different pages compare."""

REACH_OPACITY = 0.4
"""Half of what other maps take: reach covers the whole top of the page, which must be read."""


def reach_rows(depth_px: ArrayLike, height_px: int) -> FloatArray:
    """Give the share of views that saw each row of the page.

    depth_px   (n,) how far down each view has seen, CSS pixels from the top of the page: the
               lower edge of its window at the deepest scroll; not negative, inf allowed
    height_px  height of the page, CSS pixels
    Returns    (height_px,) shares 0..1, never rising downwards; a row is seen where its middle is.
               All 0 without views
    Raises     TrailError for depths that are negative or no numbers, PageSizeError
    """
    return _shares(_depths(depth_px), Page(1, height_px).pixel_centres()[1])


def draw_reach(
    depths: ArrayLike,
    *,
    width_px: int,
    height_px: int,
    palette: str = DEFAULT_PALETTE,
    opacity: float = REACH_OPACITY,
    dpr: int = 1,
    stamp: str | None = None,
    text: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw the share of views that saw each row, as bands over the whole width, not smoothed.

    depths   (n,) CSS pixels, as for `reach_rows`; the other parameters are those of
             `heatmap.overlay`
    Returns  Drawing in which intensities are shares: peak is that of the first row and lies in the
             middle of it, scale_max is 1, mass the number of views, lost and clipped are 0
    Raises   TrailError, PageSizeError, PaletteError, TextError
    """
    page = Page(width_px, height_px, dpr)
    depth_px = _depths(depths)
    shares = _shares(depth_px, page.pixel_centres()[1])
    picture = np.repeat(levels(shares, EVERY_VIEW, "linear")[:, None], page.columns, axis=1)
    peak = float(shares[0])
    return Drawing(
        png=finish(picture, rows(palette, opacity), dpr=dpr, stamp=stamp, text=text),
        peak=peak,
        peak_x_px=page.width_px / 2 if peak > 0 else None,
        peak_y_px=0.5 / dpr if peak > 0 else None,
        scale_max=EVERY_VIEW,
        mass=float(depth_px.size),
        lost=0.0,
        clipped=0,
        width_px=page.width_px,
        height_px=page.height_px,
    )


def _shares(depth_px: FloatArray, row_px: FloatArray) -> FloatArray:
    if depth_px.size == 0:
        return np.zeros(row_px.size)
    not_seen = np.searchsorted(np.sort(depth_px), row_px, side="left")
    return np.asarray(1 - not_seen / depth_px.size, dtype=np.float64)


def _depths(depth_px: ArrayLike) -> FloatArray:
    depths = np.asarray(depth_px, dtype=np.float64)
    if depths.ndim != 1:
        raise TrailError(f"depths must be one number per view, got the shape {depths.shape}")
    if not np.all(depths >= 0):
        raise TrailError(
            "depths must be numbers that are not negative: leave out views without one"
        )
    return depths
