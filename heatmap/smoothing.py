"""Mass per cell to intensity per square CSS pixel, evaluated exactly where it is wanted.

The Gaussian is separable: the surface is K_y . B . K_x^T with B the mass per cell and K_x, K_y the
kernel from cell centres to the centres of pixels, so nothing is interpolated between cells.
Both matrices are banded; they are made block by block, and the surface comes in bands of rows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from threadpoolctl import ThreadpoolController

from heatmap.bandwidth import check_bandwidth
from heatmap.errors import EdgeError, PageSizeError
from heatmap.grid import SPLINE_VARIANCE, Grid, Lift, deposit, grid_for, point_shares
from heatmap.marks import Marks, clip, gather
from heatmap.page import MAX_PIXELS, FloatArray, Page

Edge = Literal["uniform", "diggle", "none"]
"""What becomes of heat that the kernel carries over the page's edge: `uniform` divides the surface
by the kernel's mass inside the page (flat marks give a flat map), `diggle` divides each mark by it
(total mass is kept exactly), `none` lets it go."""

REACH = 6.0
"""The kernel ends here, in standard deviations: what is left out is below 1e-7 of a mark's peak."""

BAND_VALUES = 1 << 20
"""Values of the surface made in one go: 8 MB."""

STRIP_VALUES = 1 << 23
"""Values of the half-smoothed strip that bands are made from: 64 MB. All pages with the usual
bandwidths are one strip; only a bandwidth of a few pixels on a huge page needs several."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis of the page: from the centres of cells to the places where heat is wanted."""

    cells_px: FloatArray
    wanted_px: FloatArray
    length_px: float
    cell_px: float
    bandwidth_px: float
    edge: Edge

    @property
    def kernel_sd_px(self) -> float:
        """Standard deviation between cells."""
        return kernel_sd(self.bandwidth_px, self.cell_px)

    @property
    def block(self) -> int:
        """Places handled together: as far as the kernel reaches, which keeps its matrix dense."""
        pitch = self.wanted_px[-1] - self.wanted_px[0]
        per_px = (self.wanted_px.size - 1) / pitch if pitch > 0 else 1.0
        return max(16, round(REACH * self.bandwidth_px * per_px))

    def cells_near(self, first: int, stop: int) -> slice:
        """Cells within the kernel's reach of the places first..stop-1."""
        reach = REACH * self.kernel_sd_px
        low = np.searchsorted(self.cells_px, self.wanted_px[first] - reach)
        high = np.searchsorted(self.cells_px, self.wanted_px[stop - 1] + reach, "right")
        return slice(int(low), int(high))

    def kernel(self, first: int, stop: int) -> FloatArray:
        """Give the kernel per pixel: (stop - first) places x the cells near them."""
        sd = self.kernel_sd_px
        at = self.wanted_px[first:stop, None]
        kernel = np.exp(-0.5 * ((at - self.cells_px[self.cells_near(first, stop)]) / sd) ** 2)
        kernel /= sd * math.sqrt(2 * math.pi)
        if self.edge == "uniform":
            kernel /= mass_inside(at, self.bandwidth_px, self.length_px)
        return kernel


def kernel_at(at_px: FloatArray, cells_px: FloatArray, sd_px: float) -> FloatArray:
    """Give the Gaussian kernel per pixel: places x cells."""
    kernel = np.exp(-0.5 * ((at_px[:, None] - cells_px) / sd_px) ** 2)
    return np.asarray(kernel / (sd_px * math.sqrt(2 * math.pi)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Rows first.. of a surface: (rows, columns) mass per square CSS pixel."""

    first: int
    values: FloatArray


class Surface:
    """A smoothed map, given in bands of rows; bands that no heat reaches are left out."""

    def __init__(
        self,
        marks: Marks,
        page: Page,
        wanted_px: tuple[FloatArray, FloatArray],
        bandwidth_px: float,
        edge: Edge = "uniform",
    ) -> None:
        """Prepare the map of marks inside the page, at the places wanted_px: x and y, ascending."""
        bandwidth = check_bandwidth(bandwidth_px)
        check_edge(edge)
        grid = grid_for(page, bandwidth)
        x_px, y_px = wanted_px
        self._grid = grid
        self._marks = marks
        self._lifts = lifts_for(grid, page, bandwidth) if edge == "diggle" else None
        self._x = Axis(grid.x_px(), x_px, page.width_px, grid.cell_px, bandwidth, edge)
        self._y = Axis(grid.y_px(), y_px, page.height_px, grid.cell_px, bandwidth, edge)
        # A map is walked twice, for its peak and for its picture; most are one strip, kept here.
        self._strip = functools.lru_cache(maxsize=1)(self._make_strip)

    def bands(self) -> Iterator[Band]:
        """Walk the surface from the top of the page to its bottom."""
        rows, step = self._y.wanted_px.size, self._rows_per_strip()
        for start in range(0, rows, step):
            yield from self._bands_of(start, min(start + step, rows))

    def _bands_of(self, start: int, stop: int) -> Iterator[Band]:
        strip, filled = self._strip(start, stop)
        begin = self._y.cells_near(start, stop).start
        step = max(1, min(self._y.block, BAND_VALUES // self._x.wanted_px.size))
        for first in range(start, stop, step):
            last = min(first + step, stop)
            near = self._y.cells_near(first, last)
            cells = slice(near.start - begin, near.stop - begin)
            if filled[cells].any():
                yield Band(first, self._y.kernel(first, last) @ strip[cells])

    def _make_strip(self, start: int, stop: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Smooth along x the cells that rows start..stop-1 need; say which of their rows hold heat.

        The strip is (cell rows, columns of the picture).
        """
        cells = self._y.cells_near(start, stop)
        mass = deposit(self._marks, self._grid, cells.start, cells.stop, self._lifts)
        filled = np.any(mass > 0, axis=1)
        columns = self._x.wanted_px.size
        strip = np.zeros((len(mass), columns))
        for first in range(0, columns, self._x.block):
            last = min(first + self._x.block, columns)
            near = mass[filled, self._x.cells_near(first, last)]
            strip[filled, first:last] = near @ self._x.kernel(first, last).T
        return strip, filled

    def _rows_per_strip(self) -> int:
        cell_rows = max(STRIP_VALUES // max(self._x.wanted_px.size, self._grid.columns), 1)
        cells_per_row = self._grid.rows / self._y.wanted_px.size
        return max(int(cell_rows / cells_per_row), self._y.block)


def density(
    points_px: ArrayLike | None,
    weights: ArrayLike | None = None,
    *,
    boxes_px: ArrayLike | None = None,
    box_weights: ArrayLike | None = None,
    width_px: int,
    height_px: int,
    bandwidth_px: float,
    cell_px: float,
    edge: Edge = "uniform",
) -> FloatArray:
    """Smooth marks into an intensity surface, given at the centres of square cells.

    points_px     (n, 2) x, y in CSS pixels of the page, or None; those outside it are left out
    weights       (n,) not negative; None for 1 each
    boxes_px      (m, 4) x0, y0, x1, y1 in CSS pixels, or None; what lies outside is cut off
    box_weights   (m,) not negative, each spread evenly over its box; None for 1 each
    width_px, height_px  size of the page, CSS pixels
    bandwidth_px  standard deviation of the Gaussian kernel, 2..200 CSS pixels
    cell_px       side of a cell, CSS pixels; the accuracy does not depend on it
    edge          `uniform`, `diggle` or `none`, see Edge
    Returns       (ceil(height_px / cell_px), ceil(width_px / cell_px)) mass per square CSS pixel;
                  row 0 is the top of the page. A cell that the page's edge cuts is evaluated at
                  the centre of what is left of it. Within 1/512 of its peak of the direct sum
    Raises        MarksError, PageSizeError, BandwidthError, EdgeError
    Source        Diggle 1985, Applied Statistics 34 (uniform); Jones 1993, Statistics and
                  Computing 3 (diggle); Hockney & Eastwood 1988 (sharing out over cells)
    """
    page = Page(width_px, height_px)
    marks = clip(gather(points_px, weights, boxes_px, box_weights), page).marks
    wanted_px = cell_centres(page, cell_px)
    surface = Surface(marks, page, wanted_px, bandwidth_px, edge)
    values = np.zeros((wanted_px[1].size, wanted_px[0].size))
    with one_thread():
        for band in surface.bands():
            values[band.first : band.first + len(band.values)] = band.values
    return values


def mass_inside(position_px: FloatArray, bandwidth_px: float, length_px: float) -> FloatArray:
    """Share of a Gaussian centred at position_px that lies within 0..length_px of one axis."""
    inside = ndtr((length_px - position_px) / bandwidth_px) - ndtr(-position_px / bandwidth_px)
    return np.asarray(inside, dtype=np.float64)


def one_thread() -> AbstractContextManager[object]:
    """Keep the matrix products to one thread.

    On a busy machine several threads wait for each other longer than they work; renders share
    the machine by processes instead, and one thread adds up in one order.
    """
    limit: AbstractContextManager[object] = _thread_pools().limit(limits=1, user_api="blas")
    return limit


@functools.cache
def _thread_pools() -> ThreadpoolController:
    # Finding the loaded libraries takes milliseconds, as long as a small map itself.
    return ThreadpoolController()


def check_edge(edge: str) -> None:
    """Raise EdgeError unless edge names an edge correction."""
    if edge not in get_args(Edge):
        raise EdgeError(f"edge must be one of {', '.join(get_args(Edge))}, got {edge!r}")


def lifts_for(grid: Grid, page: Page, bandwidth_px: float) -> tuple[Lift, Lift]:
    """Give the factors for `diggle` along x and along y.

    A mark is divided not by its own kernel's mass inside the page but by that of its shares'
    kernels: what is drawn of it then adds up to its weight, and the two differ by 1e-4.
    """

    def along(centres_px: FloatArray, length_px: int) -> Lift:
        inside = mass_inside(centres_px, kernel_sd(bandwidth_px, grid.cell_px), length_px)

        def lift(position_px: FloatArray) -> FloatArray:
            place = grid.to_cells(position_px)
            near = np.rint(place)
            cell = near.astype(np.intp)
            before, at, after = point_shares(place - near)
            shared = before * inside[cell - 1] + at * inside[cell] + after * inside[cell + 1]
            return np.asarray(1 / shared, dtype=np.float64)

        return lift

    return along(grid.x_px(), page.width_px), along(grid.y_px(), page.height_px)


def kernel_sd(bandwidth_px: float, cell_px: float) -> float:
    """Standard deviation between cells: the bandwidth, less what sharing out has added."""
    return math.sqrt(bandwidth_px**2 - SPLINE_VARIANCE * cell_px**2)


def cell_centres(page: Page, cell_px: float) -> tuple[FloatArray, FloatArray]:
    """Give the places (columns,) along x and (rows,) along y that `density` has values at.

    cell_px  side of a cell, CSS pixels
    Raises   PageSizeError for a side that is not positive or makes too many cells
    """
    if not 0 < cell_px < math.inf:
        raise PageSizeError(f"cell_px must be positive and finite, got {cell_px!r}")
    if page.width_px * page.height_px / cell_px**2 > MAX_PIXELS:
        raise PageSizeError(
            f"cell_px = {cell_px!r} makes more than {MAX_PIXELS:,} cells: enlarge it"
        )
    return _middles(page.width_px, cell_px), _middles(page.height_px, cell_px)


def _middles(length_px: int, cell_px: float) -> FloatArray:
    # Round-off must not add a cell: 1200 / (1200 / 7) is a little above 7.
    count = math.ceil(length_px / cell_px - 1e-9)
    edges = np.minimum(np.arange(count + 1) * cell_px, length_px)
    return np.asarray((edges[:-1] + edges[1:]) / 2, dtype=np.float64)
