"""Contour lines of a surface: where it passes a level, drawn so that every page shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import ArrayLike

from heatmap.errors import MarksError, PageSizeError, ScaleError
from heatmap.ink import Ink, dashed
from heatmap.layers import Layer
from heatmap.page import FloatArray, Page

LINE_PX = 1.5
DASH_PX = 7.0
GAP_PX = 5.0
"""Wider than the halos that close in on a gap from both its ends."""


def contour_layer(
    surface: ArrayLike,
    *,
    width_px: int,
    height_px: int,
    cell_px: float,
    solid: Sequence[float] = (),
    broken: Sequence[float] = (),
    dpr: int = 1,
) -> Layer:
    """Draw the lines along which a surface passes the given levels.

    surface  (ceil(height_px / cell_px), ceil(width_px / cell_px)) values at the centres of square
             cells, finite; as `heatmap.density` gives them
    width_px, height_px, dpr  the page, as for `heatmap.overlay`
    cell_px  side of a cell, CSS pixels
    solid    levels drawn as solid lines, in the surface's unit
    broken   levels drawn as dashed lines
    Returns  Layer of the page's size: dark lines in a light halo. A level that the surface nowhere
             passes has no line
    Raises   MarksError, PageSizeError, ScaleError
    Source   contourpy's serial algorithm; between cells the surface is bilinear
    """
    page = Page(width_px, height_px, dpr)
    ink = Ink(page)
    whole = [path for level in solid for path in contour_paths(surface, level, page, cell_px)]
    ink.strokes(whole, LINE_PX)
    cut = [
        dash
        for level in broken
        for path in contour_paths(surface, level, page, cell_px)
        for dash in dashed(path, DASH_PX, GAP_PX)
    ]
    ink.strokes(cut, LINE_PX)
    return ink.layer()


def contour_paths(surface: ArrayLike, level: float, page: Page, cell_px: float) -> list[FloatArray]:
    """Give the lines along which a surface passes a level: (n, 2) x, y in CSS pixels each.

    surface, cell_px, errors  as for `contour_layer`
    level    in the surface's unit, finite
    Returns  polylines; a closed one ends where it begins, an open one on the page's edge
    """
    if not math.isfinite(level):
        raise ScaleError(f"a contour's level must be finite, got {level!r}")
    values = np.asarray(surface, dtype=np.float64)
    x_px, y_px = _ends(page.width_px, cell_px), _ends(page.height_px, cell_px)
    if values.shape != (y_px.size - 2, x_px.size - 2):
        raise MarksError(
            f"a surface with cells of {cell_px:g} px on this page is {y_px.size - 2} x"
            f" {x_px.size - 2}, got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise MarksError("a surface to contour must be finite: fill what is not known")
    # The outermost centres lie half a cell within the page; lines go on to its edge.
    lines = contour_generator(
        x_px, y_px, np.pad(values, 1, mode="edge"), name="serial", line_type=LineType.Separate
    ).lines(level)
    return [np.asarray(line, dtype=np.float64) for line in lines]


def _ends(length_px: int, cell_px: float) -> FloatArray:
    """Give the centres of cells along one axis, and the page's edges around them."""
    if not 0 < cell_px < math.inf:
        raise PageSizeError(f"cell_px must be positive and finite, got {cell_px!r}")
    # Round-off must not add a cell: 1200 / (1200 / 7) is a little above 7.
    edges = np.minimum(np.arange(math.ceil(length_px / cell_px - 1e-9) + 1) * cell_px, length_px)
    return np.concatenate(([0.0], (edges[:-1] + edges[1:]) / 2, [float(length_px)]))
