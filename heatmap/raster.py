"""Square cells over a page, at whose centres surfaces are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from heatmap.errors import PageSizeError
from heatmap.page import FloatArray, Page

ROUND_OFF = 1e-9
"""Of a cell: 1200 / (1200 / 7) is a little above 7, and that must not add a cell."""


@dataclass(frozen=True, slots=True)
class Raster:
    """Cells of cell_px over a page, row 0 at its top; those the page's edge cuts are smaller.

    Raises PageSizeError unless cell_px is positive and finite.
    """

    page: Page
    cell_px: float

    def __post_init__(self) -> None:
        """Refuse cells without a size."""
        if not 0 < self.cell_px < math.inf:
            raise PageSizeError(f"cell_px must be positive and finite, got {self.cell_px!r}")

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return _count(self.page.width_px, self.cell_px)

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return _count(self.page.height_px, self.cell_px)

    def x_edges_px(self) -> FloatArray:
        """Give where columns begin, and where the last one ends (columns + 1,)."""
        return _edges(self.page.width_px, self.cell_px)

    def y_edges_px(self) -> FloatArray:
        """Give where rows begin, and where the last one ends (rows + 1,)."""
        return _edges(self.page.height_px, self.cell_px)

    def x_px(self) -> FloatArray:
        """Give the columns' middles (columns,)."""
        return _middles(self.x_edges_px())

    def y_px(self) -> FloatArray:
        """Give the rows' middles (rows,)."""
        return _middles(self.y_edges_px())

    def areas(self) -> FloatArray:
        """Give the size of each cell, square CSS pixels (rows, columns)."""
        return np.outer(np.diff(self.y_edges_px()), np.diff(self.x_edges_px()))


def _count(length_px: int, cell_px: float) -> int:
    return math.ceil(length_px / cell_px - ROUND_OFF)


def _edges(length_px: int, cell_px: float) -> FloatArray:
    whole = np.arange(_count(length_px, cell_px) + 1) * cell_px
    return np.asarray(np.minimum(whole, length_px), dtype=np.float64)


def _middles(edges_px: FloatArray) -> FloatArray:
    return np.asarray((edges_px[:-1] + edges_px[1:]) / 2, dtype=np.float64)
