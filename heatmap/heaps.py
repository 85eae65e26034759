"""Marks inside a page to mass on cells, each kind of marks by the way that is fastest for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heatmap.bandwidth import check_bandwidth
from heatmap.grid import DEGREE, Grid, Lift, add_boxes, deposit, grid_for
from heatmap.marks import Marks
from heatmap.moments import deposit_many
from heatmap.page import FloatArray, Page
from heatmap.pixels import pixels_for
from heatmap.smoothing import Edge, check_edge, lifts_for

CROWDED = 0.3
"""Points per cell from which on adding up moments is faster than sharing out every point: measured
between 0.2 and 0.5, the more the fewer cells there are."""


class Heap(Protocol):
    """Mass on square cells, row by row."""

    @property
    def cell_px(self) -> float:
        """Distance of the cells, CSS pixels."""

    @property
    def columns(self) -> int:
        """Cells in a row."""

    @property
    def degree(self) -> int:
        """Of the B-spline that a mark was shared out by; -1 if it was not."""

    @property
    def cell_bytes(self) -> int:
        """Memory that a cell takes while its mass is made."""

    def x_px(self) -> FloatArray:
        """Places of the columns (columns,), CSS pixels, ascending."""

    def y_px(self) -> FloatArray:
        """Places of the rows (rows,), CSS pixels, ascending."""

    def mass(self, first: int, stop: int) -> NDArray[Any]:
        """Give the mass of rows first..stop-1."""


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Marks shared out over the cells of a grid."""

    marks: Marks
    grid: Grid
    lifts: tuple[Lift, Lift] | None

    degree: int = DEGREE
    cell_bytes: int = 28

    @property
    def cell_px(self) -> float:
        """Side of a cell, CSS pixels."""
        return self.grid.cell_px

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return self.grid.columns

    def x_px(self) -> FloatArray:
        """Centres of the columns (columns,), CSS pixels."""
        return self.grid.x_px()

    def y_px(self) -> FloatArray:
        """Centres of the rows (rows,), CSS pixels."""
        return self.grid.y_px()

    def mass(self, first: int, stop: int) -> NDArray[np.floating[Any]]:
        """Give the mass of rows first..stop-1."""
        points = self.marks.points
        crowd = CROWDED * (stop - first) * self.grid.columns
        if self.lifts is not None or points.weights is not None or len(points) < crowd:
            return deposit(self.marks, self.grid, first, stop, self.lifts)
        mass = deposit_many(points, self.grid, first, stop)
        add_boxes(mass, self.marks.boxes, self.grid, first, None)
        return mass


def heap_for(marks: Marks, page: Page, bandwidth_px: float, edge: Edge) -> Heap:
    """Choose how marks inside a page become mass on cells.

    Raises   BandwidthError, EdgeError
    """
    bandwidth = check_bandwidth(bandwidth_px)
    check_edge(edge)
    grid = grid_for(page, bandwidth)
    if edge == "diggle":
        return Shared(marks, grid, lifts_for(grid, page, bandwidth))
    return pixels_for(marks, page, grid) or Shared(marks, grid, None)
