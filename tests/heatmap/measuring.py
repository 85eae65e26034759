"""Surfaces, pictures and scenes for the tests of accuracy, and how far two of them lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap import density
from heatmap.marks import Marks, gather
from heatmap.page import FloatArray
from heatmap.scale import Curve
from heatmap.smoothing import Edge

PROMISED = 1 / 512
"""Of the surface's peak."""

CURVES: dict[Curve, Callable[[FloatArray], FloatArray]] = {
    "linear": lambda share: share,
    "sqrt": np.sqrt,
    "log": lambda share: np.log1p(99 * share) / np.log(100),
}
EDGES: tuple[Edge, ...] = get_args(Edge)

SUB_CELL = 0.35
"""Bandwidths: cells are finer than this, so that all places within one lie within this span."""


SPOTS = 6
CROWD = 9_000
"""At each of 6 x 6 spots: 324,000 marks in all, which is a crowd by any measure."""
APART = 12.0
"""Bandwidths between spots at the least: they do not warm each other."""


def heat(
    points: ArrayLike | None,
    weights: ArrayLike | None = None,
    *,
    size_px: tuple[int, int],
    bandwidth_px: float,
    cell_px: float = 1.0,
    edge: Edge = "uniform",
    boxes: tuple[FloatArray, FloatArray] | None = None,
) -> FloatArray:
    """The surface over cells; boxes with their weights."""
    return density(
        points,
        weights,
        boxes_px=boxes and boxes[0],
        box_weights=boxes and boxes[1],
        width_px=size_px[0],
        height_px=size_px[1],
        bandwidth_px=bandwidth_px,
        cell_px=cell_px,
        edge=edge,
    )


def off_by(got: FloatArray, want: FloatArray) -> float:
    """Largest difference, of the peak."""
    assert got.shape == want.shape
    return float(np.abs(got - want).max() / want.max())


def levels_off(picture: NDArray[np.uint8], want: FloatArray, scale: Curve, full: float) -> float:
    """Largest difference between a picture's levels and those of the direct sum."""
    exact = np.rint(255 * CURVES[scale](np.minimum(want / full, 1.0)))
    assert picture.shape == exact.shape
    return float(np.abs(picture - exact).max())


def picture_off_by(picture: NDArray[np.uint8], want: FloatArray, full: float) -> float:
    """Largest error of a linear picture's heat, of full colour, beyond what rounding explains.

    Of thousands of pixels some lie so near to where rounding turns that the rest shows the error.
    """
    exact = 255 * np.minimum(want / full, 1.0)
    return float(np.abs(picture - exact).max() - 0.5) / 255


def middles(length_px: float, cell_px: float) -> FloatArray:
    edges = np.minimum(np.arange(round(length_px / cell_px) + 1) * cell_px, length_px)
    return np.asarray((edges[:-1] + edges[1:]) / 2)


def scene(seed: int, size_px: tuple[int, int]) -> tuple[FloatArray, ...]:
    """Points and boxes with their weights; some of them lie on the page's edges."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((0, 0), size_px, (12, 2))
    points[:2] = points[:2].round(-2).clip(0, size_px)
    corners = rng.uniform((0, 0), size_px, (2, 5, 2))
    corners[:, 0] = corners[:, 0].round(-2).clip(0, size_px)
    corners[1, 1] = corners[0, 1] + (0.0, 1.0)
    boxes = np.hstack((corners.min(axis=0), corners.max(axis=0).clip(0, size_px)))
    return points, rng.exponential(1, 12), boxes, rng.exponential(2, 5)


def crowd(whole: bool, count: int = 150_000) -> FloatArray:
    """Marks of a busy page: most around three controls, some anywhere, some at its very edges."""
    rng = np.random.default_rng(8)
    middles = np.array([(60.0, 80.0), (300.0, 240.0), (395.0, 299.0)])
    around = middles[rng.integers(0, 3, count)] + rng.normal(0, 12, (count, 2))
    around[: count // 5] = rng.uniform(0, (400, 300), (count // 5, 2))
    kept = around.clip(0, (400, 300))
    return np.floor(kept) if whole else kept


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """A square page with 6 x 6 crowds far apart, each at another place within its cell."""

    points: FloatArray
    marks: Marks
    places: FloatArray
    side_px: int
    start: tuple[float, float]
    step: float

    def offset_near(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Offset of the crowd nearest to a place."""
        nearest = int(np.argmin(((self.places - (x_px, y_px)) ** 2).sum(axis=1)))
        row, column = divmod(nearest, SPOTS)
        return self.start[0] + column * self.step, self.start[1] + row * self.step


def spots(
    bandwidth_px: float, start: tuple[float, float], step: float, apart: float = APART
) -> Spots:
    """Crowds at offsets start, start + step, ... px within cells of any size."""
    apart_px = math.ceil(apart * bandwidth_px)
    row, column = (index.ravel() for index in np.indices((SPOTS, SPOTS)))
    places = np.column_stack(
        (
            (column + 1) * apart_px - apart_px // 2 + start[0] + column * step,
            (row + 1) * apart_px - apart_px // 2 + start[1] + row * step,
        )
    ).astype(np.float64)
    points = np.tile(places, (CROWD, 1))
    marks = gather(places, np.full(len(places), float(CROWD)))
    return Spots(points, marks, places, SPOTS * apart_px, start, step)
