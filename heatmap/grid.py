"""Marks to mass per cell, on square cells that reach past the page by PADDING on every side.

A mark is shared between the 3 x 3 cells around it by the quadratic B-spline (particle-mesh codes
call it the triangular-shaped cloud). Linear binning over 2 x 2 cells was tried and rejected: how
far it spreads a mark depends on where in its cell the mark lies, from nothing to half a cell, so
no single correction fits and one lone mark errs by 1/150 of its peak at cells of a fifth of the
bandwidth. The B-spline spreads every mark by the same variance, which the smoothing takes off
again, and a box is simply the integral of it: exact area overlap, blurred like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from heatmap.marks import Boxes, Floats, Marks
from heatmap.page import FloatArray, Page
from heatmap.room import empty, zeros

CELL_SHARE = 0.3
"""Largest side of a cell over the bandwidth: one lone mark then errs by up to 1/1,930 of its
peak wherever in its cell it lies (1/3,420 at a quarter, 1/770 at 0.4)."""

NODE_SHARE = 0.5
"""Distance of a picture's nodes over the bandwidth: cubic splines then err by up to 1/1,440 of a
lone point's peak (1/610 at 0.6)."""

NODES_AT_ONCE = 24
"""Nodes smoothed together, whose kernel is one dense matrix: fewer are slower to multiply, more
multiply by more zeros. All such matrices of a map are one, because cells fit into them."""

PADDING = 2
"""Cells outside the page on each side: a mark on the border still finds all its 3 x 3 cells."""

DEGREE = 2
"""Of the B-spline."""
SPLINE_VARIANCE = (DEGREE + 1) / 12
"""Variance the B-spline adds along each axis, in cells squared, wherever the mark lies."""

POINTS_AT_ONCE = 1 << 13
"""Points shared out in one go: what is made of them on the way stays in the processor's cache, and
in pieces of memory so small that the allocator keeps them."""

THIN_CELLS = 1e-3
"""A side below this length, in cells, counts as none: the B-spline is constant along it, and the
difference of two nearly equal integrals would only be round-off."""

PIECES_PER_CELL = 4
"""A box is cut this fine where its weight is lifted unevenly: near the edge the lift then changes
by a few percent between pieces, and the rule of midpoints errs by less than 1/1,000."""

Lift = Callable[[FloatArray], FloatArray]
"""Factor for weight at a position along one axis, CSS pixels; the two axes' factors multiply."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells of cell_px; row 0 and column 0 lie PADDING cells before the page's origin."""

    cell_px: float
    rows: int
    columns: int

    def x_px(self) -> FloatArray:
        """Centres of the columns (columns,), CSS pixels."""
        return self._centres(self.columns)

    def y_px(self) -> FloatArray:
        """Centres of the rows (rows,), CSS pixels."""
        return self._centres(self.rows)

    def to_cells(self, position_px: Floats) -> Floats:
        """Give positions in cells, such that whole numbers are the centres of rows or columns."""
        return position_px / self.cell_px + (PADDING - 0.5)

    def _centres(self, count: int) -> FloatArray:
        return (np.arange(count, dtype=np.float64) - (PADDING - 0.5)) * self.cell_px


def node_step(bandwidth_px: float, dpr: int) -> int:
    """Give the distance of a picture's nodes, device pixels; see `heatmap.nodes`."""
    return max(1, int(NODE_SHARE * bandwidth_px * dpr))


def grid_for(page: Page, bandwidth_px: float) -> Grid:
    """Choose cells fine enough for the bandwidth, a whole number of them to NODES_AT_ONCE nodes."""
    block_px = NODES_AT_ONCE * node_step(bandwidth_px, page.dpr) / page.dpr
    cell_px = block_px / math.ceil(block_px / (bandwidth_px * CELL_SHARE))
    return Grid(
        cell_px,
        math.ceil(page.height_px / cell_px) + 2 * PADDING,
        math.ceil(page.width_px / cell_px) + 2 * PADDING,
    )


def deposit(
    marks: Marks, grid: Grid, first: int, stop: int, lifts: tuple[Lift, Lift] | None = None
) -> FloatArray:
    """Share marks out over the cells of rows first..stop-1.

    marks    inside the page
    first    first row wanted, stop the row after the last: 0 <= first < stop <= grid.rows
    lifts    factors along x and along y that weight is multiplied by where it lies, or None
    Returns  (stop - first, grid.columns) mass per cell. Over all rows it sums to the marks' mass,
             lifted
    Source   Hockney & Eastwood 1988, Computer Simulation Using Particles, ch. 5
    """
    # Points one row outside still reach in, and with their other share one row further out.
    rows = stop - first + 4
    # One more for the neighbour of the last cell.
    flat = zeros(rows * grid.columns + 1, np.float64)
    for at_px, weights in marks.points.parts(POINTS_AT_ONCE):
        _add_points(flat, at_px, weights, grid, range(first - 2, stop + 2), lifts)
    wanted = flat[:-1].reshape(rows, grid.columns)[2:-2]
    add_boxes(wanted, marks.boxes, grid, first, lifts)
    return wanted


def _add_points(
    flat: FloatArray,
    at_px: Floats,
    weights: Floats | None,
    grid: Grid,
    rows: range,
    lifts: tuple[Lift, Lift] | None,
) -> None:
    if lifts is not None:  # their mass is promised to round-off
        at_px = at_px.astype(np.float64)
    y = grid.to_cells(at_px[:, 1]) - rows.start
    if rows.start > -2 or rows.stop < grid.rows + 2:
        near = (y >= 0.5) & (y < len(rows) - 1.5)
        at_px, y = at_px[near], y[near]
        weights = None if weights is None else weights[near]
    x = grid.to_cells(at_px[:, 0])
    weight: Floats | float = 1.0 if weights is None else weights
    if lifts is not None:
        weight = weight * _lifted(at_px, lifts)
    row, column = np.rint(y), np.rint(x)
    before, at, after = point_shares(x - column)
    # Of the first of the 3 x 3 cells; the others lie as many steps on for all points.
    first_cell = (row.astype(np.intp) - 1) * grid.columns + (column.astype(np.intp) - 1)
    # Every cell together with the next one, as real and imaginary part: both are added at once,
    # and waiting for their memory takes longer than adding.
    pairs = np.ndarray((flat.size - 1,), np.complex128, flat.data, strides=flat.strides)
    pair = empty(len(x), np.complex128)
    for down, share_y in enumerate(point_shares(y - row)):
        weighted = weight * share_y
        np.multiply(weighted, before, out=pair.real)
        np.multiply(weighted, at, out=pair.imag)
        np.add.at(pairs[down * grid.columns :], first_cell, pair)
        np.add.at(
            flat[down * grid.columns + 2 :], first_cell, (weighted * after).astype(np.float64)
        )


def _lifted(at_px: Floats, lifts: tuple[Lift, Lift]) -> FloatArray:
    x_px, y_px = at_px.astype(np.float64).T
    return lifts[0](x_px) * lifts[1](y_px)


def point_shares(offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Share of a point for the cell before, the nearest and the one after; offset in -0.5..0.5."""
    return 0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2


def add_boxes(
    mass: Floats, boxes: Boxes, grid: Grid, first: int, lifts: tuple[Lift, Lift] | None
) -> None:
    """Share boxes out over mass, whose row 0 is the grid's row first; see `deposit`."""
    if boxes.weight.size == 0:
        return
    # Boxes are the zones of a layout, so that most marks of a map repeat a few of them.
    corners = np.stack((boxes.x0_px, boxes.x1_px, boxes.y0_px, boxes.y1_px), axis=1)
    distinct, which = np.unique(corners, axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), boxes.weight, len(distinct))
    lift_x, lift_y = lifts if lifts is not None else (None, None)
    for (x0, x1, y0, y1), weight in zip(distinct, weights, strict=True):
        row, shares_y = _side_shares(grid, y0, y1, range(first, first + len(mass)), lift_y)
        column, shares_x = _side_shares(grid, x0, x1, range(grid.columns), lift_x)
        mass[row : row + shares_y.size, column : column + shares_x.size] += weight * np.outer(
            shares_y, shares_x
        )


def _side_shares(
    grid: Grid, low_px: float, high_px: float, cells: range, lift: Lift | None
) -> tuple[int, FloatArray]:
    """Share of a box's side for each of the cells it touches: the first one's place, and theirs."""
    low, high = grid.to_cells(np.array((low_px, high_px))) - cells.start
    start = min(max(math.ceil(low - 1.5), 0), len(cells))
    stop = min(max(math.floor(high + 1.5) + 1, start), len(cells))
    centres = np.arange(start, stop, dtype=np.float64)
    if lift is not None:
        count = max(1, math.ceil((high - low) * PIECES_PER_CELL))
        middles = (np.arange(count) + 0.5) / count
        factors = lift(low_px + middles * (high_px - low_px)) / count
        return start, _spline(low + middles * (high - low) - centres[:, None]) @ factors
    if high - low < THIN_CELLS:
        return start, _spline((low + high) / 2 - centres)
    return start, (_spline_integral(high - centres) - _spline_integral(low - centres)) / (
        high - low
    )


def _spline(distance: FloatArray) -> FloatArray:
    """Quadratic B-spline at a distance in cells."""
    away = np.abs(distance)
    return np.where(away <= 0.5, 0.75 - away**2, 0.5 * np.clip(1.5 - away, 0, None) ** 2)


def _spline_integral(distance: FloatArray) -> FloatArray:
    """Integral of the quadratic B-spline from minus infinity to a distance in cells."""
    away = np.clip(np.abs(distance), 0, 1.5)
    half = np.where(away <= 0.5, 0.75 * away - away**3 / 3, 0.5 - (1.5 - away) ** 3 / 6)
    return 0.5 + np.copysign(half, distance)
