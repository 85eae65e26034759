"""Linear binning: each mark goes to the nearest places on both sides, the nearer one gets more.

Kept to check against: the product shares marks out over three cells (`heatmap/grid.py` says why).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heatmap.page import FloatArray


def share_linearly(places: FloatArray, weights: FloatArray, count: int) -> FloatArray:
    """Weight at each whole number 0..count-1; what lies outside them goes to the outermost."""
    low, share = _below(places, count)
    mass = np.zeros(count)
    mass += np.bincount(low, weights * (1 - share), count)
    mass += np.bincount(low + 1, weights * share, count)
    return mass


def share_bilinearly(
    down: FloatArray, across: FloatArray, weights: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """Weight at each (row, column), shared along both axes."""
    rows, columns = shape
    row, share_y = _below(down, rows)
    column, share_x = _below(across, columns)
    cell = row * columns + column
    mass = np.zeros(rows * columns)
    for step, share in (
        (0, (1 - share_y) * (1 - share_x)),
        (1, (1 - share_y) * share_x),
        (columns, share_y * (1 - share_x)),
        (columns + 1, share_y * share_x),
    ):
        mass += np.bincount(cell + step, weights * share, mass.size)
    return mass.reshape(shape)


def _below(places: FloatArray, count: int) -> tuple[NDArray[np.intp], FloatArray]:
    kept = np.clip(places, 0, count - 1)
    low = np.minimum(np.floor(kept).astype(np.intp), count - 2)
    return low, kept - low
