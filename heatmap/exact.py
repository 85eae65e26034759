"""The density by its definition: the kernel of every mark at every place, in double precision.

No cells, no reach, no tables: the difference to the true sum is round-off. It costs marks times
places, so pictures are not made this way; but the contour lines of a map of FEW marks are found on
it, which then is faster than laying out a grid, and tests hold the fast way against this one.
"""

from __future__ import annotations

import math

import numpy as np

from heatmap.bandwidth import check_bandwidth
from heatmap.errors import PageSizeError
from heatmap.marks import Boxes, Marks, Points, clip
from heatmap.page import FloatArray, Page
from heatmap.smoothing import Edge, check_edge, mass_inside, one_thread

FEW = 100
"""Marks up to which this way is the faster one, on the cells that lines are drawn through."""

VALUES_AT_ONCE = 1 << 20
"""Values of the kernel made in one go along an axis: 8 MB."""

NODES = 12
"""Gauss-Legendre nodes for each bandwidth of a box's side. The kernel, lifted or not, is so smooth
within one bandwidth that what the rule leaves out lies below round-off."""


def exact_density(
    marks: Marks,
    page: Page,
    x_px: FloatArray,
    y_px: FloatArray,
    bandwidth_px: float,
    edge: Edge = "uniform",
) -> FloatArray:
    """Sum the kernels of all marks at every place of a raster.

    marks         made by `heatmap.marks.gather`; what lies outside the page is left out
    page          its dpr does not matter
    x_px, y_px    (columns,), (rows,) coordinates of the raster inside the page, CSS pixels, in any
                  order and at any distances
    bandwidth_px  standard deviation of the Gaussian kernel, 2..200 CSS pixels
    edge          `uniform`, `diggle` or `none`, see heatmap.smoothing.Edge
    Returns       (rows, columns) mass per square CSS pixel, to about 1e-12 of its peak
    Raises        BandwidthError, EdgeError, PageSizeError for a raster that leaves the page
    Source        Diggle 1985, Applied Statistics 34 (uniform); Jones 1993, Statistics and
                  Computing 3 (diggle)
    """
    bandwidth = check_bandwidth(bandwidth_px)
    check_edge(edge)
    across = _Axis(_inside("x_px", x_px, page.width_px), page.width_px, bandwidth, edge)
    down = _Axis(_inside("y_px", y_px, page.height_px), page.height_px, bandwidth, edge)
    inside = clip(marks, page).marks
    surface = np.zeros((down.at_px.size, across.at_px.size))
    with one_thread():
        _add_points(surface, inside.points, across, down)
        _add_boxes(surface, inside.boxes, across, down)
    if edge == "uniform":
        surface /= np.outer(down.mass_at(down.at_px), across.mass_at(across.at_px))
    return surface


class _Axis:
    """One axis of the raster, and the kernel along it."""

    def __init__(self, at_px: FloatArray, length_px: int, bandwidth_px: float, edge: Edge) -> None:
        self.at_px = at_px
        self._length_px = length_px
        self._bandwidth_px = bandwidth_px
        self._lifted = edge == "diggle"

    def mass_at(self, from_px: FloatArray) -> FloatArray:
        """Share of the kernel inside the page."""
        return mass_inside(from_px, self._bandwidth_px, self._length_px)

    def kernel(self, from_px: FloatArray) -> FloatArray:
        """Heat per pixel at each place of the raster (rows) from each mark (columns)."""
        apart = (self.at_px[:, None] - from_px) / self._bandwidth_px
        kernel = np.exp(-0.5 * apart**2) / (self._bandwidth_px * math.sqrt(2 * math.pi))
        return kernel / self.mass_at(from_px) if self._lifted else kernel

    def mean_kernel(self, low_px: float, high_px: float) -> FloatArray:
        """Heat per pixel at each place of the raster from weight 1 spread over low..high."""
        pieces = max(1, math.ceil((high_px - low_px) / self._bandwidth_px))
        node, share = np.polynomial.legendre.leggauss(NODES)
        starts = np.arange(pieces)[:, None]
        from_px = (low_px + (high_px - low_px) * (starts + (node + 1) / 2) / pieces).ravel()
        shares = np.tile(share / (2 * pieces), pieces)
        heat = np.zeros(self.at_px.size)
        for part in _parts(from_px.size, self.at_px.size):
            heat += self.kernel(from_px[part]) @ shares[part]
        return heat


def _add_points(surface: FloatArray, points: Points, across: _Axis, down: _Axis) -> None:
    x_px, y_px, weight = points.x_px, points.y_px, points.weight
    for part in _parts(weight.size, max(surface.shape)):
        surface += (down.kernel(y_px[part]) * weight[part]) @ across.kernel(x_px[part]).T


def _add_boxes(surface: FloatArray, boxes: Boxes, across: _Axis, down: _Axis) -> None:
    sides = zip(boxes.x0_px, boxes.x1_px, boxes.y0_px, boxes.y1_px, boxes.weight, strict=True)
    for x0, x1, y0, y1, weight in sides:
        surface += np.outer(weight * down.mean_kernel(y0, y1), across.mean_kernel(x0, x1))


def _parts(marks: int, places: int) -> list[slice]:
    step = max(1, VALUES_AT_ONCE // max(places, 1))
    return [slice(start, start + step) for start in range(0, marks, step)]


def _inside(name: str, at_px: FloatArray, length_px: int) -> FloatArray:
    places = np.asarray(at_px, dtype=np.float64)
    if places.ndim != 1 or not np.all((places >= 0) & (places <= length_px)):
        raise PageSizeError(f"{name} must be one row of places within 0..{length_px} px: {at_px!r}")
    return places
