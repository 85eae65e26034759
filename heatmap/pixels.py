"""Points on whole CSS pixels, as browsers report most of them, counted where they are.

Nothing is shared out and nothing rounded: every pixel is a cell, its count is exact, and the kernel
is narrowed by nothing. At bandwidth 5 and a point to five pixels this takes about two thirds of
the time of a grid, at one to fifty as long; fewer points on coarser cells are faster on the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.grid import Grid
from heatmap.marks import Marks, Points
from heatmap.page import FloatArray, Page
from heatmap.room import zeros

Mass = NDArray[Any]

FINEST_CELL_PX = 2.0
"""Cells of a grid at least this large are few enough to share out over."""

CROWDED = 0.02
"""Points per pixel below which walking all pixels takes longer than sharing the points out."""

MOST_SINGLE = 1 << 24
"""Counts up to this are exact in single precision."""

POINTS_COUNTED = 1 << 15
"""Points counted in one go: what is made of them on the way stays in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Points of a page, all on whole pixels; cell (row, column) is y, x."""

    points: Points
    rows: int
    columns: int

    cell_px: float = 1.0
    degree: int = -1
    cell_bytes: int = 8

    def x_px(self) -> FloatArray:
        """Places of the columns (columns,), CSS pixels."""
        return np.arange(self.columns, dtype=np.float64)

    def y_px(self) -> FloatArray:
        """Places of the rows (rows,), CSS pixels."""
        return np.arange(self.rows, dtype=np.float64)

    def mass(self, first: int, stop: int) -> Mass:
        """Give the mass on every pixel of rows first..stop-1."""
        size = (stop - first) * self.columns
        mass: Mass = zeros(size, self._kind())
        ones = np.ones(POINTS_COUNTED, dtype=mass.dtype)
        for at_px, weights in self.points.parts(POINTS_COUNTED):
            place = at_px.astype(np.int32)
            cell = np.multiply(place[:, 1], self.columns, dtype=np.intp)
            cell += place[:, 0]
            cell -= first * self.columns
            weight = ones[: len(cell)] if weights is None else weights.astype(np.float64)
            if first > 0 or stop < self.rows:
                near = (cell >= 0) & (cell < size)
                cell, weight = cell[near], weight[near]
            np.add.at(mass, cell, weight)
        rows: Mass = mass.reshape(stop - first, self.columns)
        return rows

    def _kind(self) -> type[np.float64 | np.float32 | np.int32]:
        """Say what pixels are counted in: single precision needs no other pass to be smoothed."""
        if self.points.weights is not None:
            return np.float64
        return np.float32 if len(self.points) <= MOST_SINGLE else np.int32


def pixels_for(marks: Marks, page: Page, grid: Grid) -> Pixels | None:
    """Give the page's points as pixels, where all are whole and that is faster than the grid."""
    points = marks.points
    rows, columns = page.height_px + 1, page.width_px + 1
    if grid.cell_px >= FINEST_CELL_PX or marks.boxes.weight.size:
        return None
    if len(points) < CROWDED * rows * columns or not _are_whole(points):
        return None
    return Pixels(points, rows, columns)


def _are_whole(points: Points) -> bool:
    return all(np.array_equal(np.rint(at_px), at_px) for at_px, _ in points.parts())
