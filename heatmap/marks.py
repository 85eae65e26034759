"""What happened where: points (clicks, moves, stalls) and boxes (zones seen without a script)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from heatmap.errors import MarksError
from heatmap.page import FloatArray, Page


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Marks without extent.

    x_px, y_px  (n,) CSS pixels of the page, finite
    weight      (n,) finite, not negative: 1 for a click, dwell in ms for a stall, ...
    """

    x_px: FloatArray
    y_px: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Marks known only to lie somewhere in a box; each spreads its weight evenly over it.

    x0_px, y0_px, x1_px, y1_px  (m,) CSS pixels of the page, finite, x0 <= x1 and y0 <= y1.
                                A side of length 0 is allowed: the box is then a line or a point
    weight                      (m,) finite, not negative
    """

    x0_px: FloatArray
    y0_px: FloatArray
    x1_px: FloatArray
    y1_px: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True)
class Marks:
    """Everything that one map shows."""

    points: Points
    boxes: Boxes


@dataclass(frozen=True, slots=True)
class ClippedMarks:
    """Marks that lie inside the page, and the account of what did not.

    marks    points inside the page (its border included); boxes cut to it, with the share of
             their weight that lies inside
    mass     sum of all weights in `marks`
    lost     sum of the weights that were left outside
    clipped  number of points outside the page and of boxes wholly outside it
    """

    marks: Marks
    mass: float
    lost: float
    clipped: int


def gather(
    points_px: ArrayLike | None,
    weights: ArrayLike | None = None,
    boxes_px: ArrayLike | None = None,
    box_weights: ArrayLike | None = None,
) -> Marks:
    """Check arrays from outside and make marks of them.

    points_px    (n, 2) x, y in CSS pixels of the page, or None
    weights      (n,) not negative, or None for 1 each
    boxes_px     (m, 4) x0, y0, x1, y1 in CSS pixels, or None
    box_weights  (m,) not negative, or None for 1 each
    Raises       MarksError for a wrong shape, a value that is not finite, a negative weight,
                 or a box whose second corner lies before its first
    """
    points = _table("points_px", points_px, 2)
    boxes = _table("boxes_px", boxes_px, 4)
    if np.any(boxes[:, 2:] < boxes[:, :2]):
        row = int(np.flatnonzero(np.any(boxes[:, 2:] < boxes[:, :2], axis=1))[0])
        raise MarksError(
            f"boxes_px are x0, y0, x1, y1 with x0 <= x1 and y0 <= y1, got {boxes[row]}"
        )
    return Marks(
        Points(points[:, 0], points[:, 1], _weights("weights", weights, len(points))),
        Boxes(
            boxes[:, 0],
            boxes[:, 1],
            boxes[:, 2],
            boxes[:, 3],
            _weights("box_weights", box_weights, len(boxes)),
        ),
    )


def clip(marks: Marks, page: Page) -> ClippedMarks:
    """Cut marks to the page, and say how many and how much were left out."""
    points, points_out = _points_inside(marks.points, page)
    boxes, boxes_out = _boxes_inside(marks.boxes, page)
    before = float(marks.points.weight.sum() + marks.boxes.weight.sum())
    mass = float(points.weight.sum() + boxes.weight.sum())
    return ClippedMarks(Marks(points, boxes), mass, max(before - mass, 0.0), points_out + boxes_out)


def _points_inside(points: Points, page: Page) -> tuple[Points, int]:
    inside = (
        (points.x_px >= 0)
        & (points.x_px <= page.width_px)
        & (points.y_px >= 0)
        & (points.y_px <= page.height_px)
    )
    if inside.all():
        return points, 0
    kept = Points(points.x_px[inside], points.y_px[inside], points.weight[inside])
    return kept, int(inside.size - np.count_nonzero(inside))


def _boxes_inside(boxes: Boxes, page: Page) -> tuple[Boxes, int]:
    x0, x1, share_x = _cut(boxes.x0_px, boxes.x1_px, page.width_px)
    y0, y1, share_y = _cut(boxes.y0_px, boxes.y1_px, page.height_px)
    share = share_x * share_y
    kept = share > 0
    cut = Boxes(x0[kept], y0[kept], x1[kept], y1[kept], (boxes.weight * share)[kept])
    return cut, int(kept.size - np.count_nonzero(kept))


def _cut(
    low_px: FloatArray, high_px: FloatArray, length_px: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cut intervals to 0..length_px; give their ends and the share of each that is left."""
    low, high = np.clip(low_px, 0, length_px), np.clip(high_px, 0, length_px)
    extent = high_px - low_px
    flat = extent == 0
    share = (high - low) / np.where(flat, 1.0, extent)
    return low, high, np.where(flat, low == low_px, share)


def _table(name: str, values: ArrayLike | None, columns: int) -> FloatArray:
    table = _floats(name, () if values is None else values)
    if table.size == 0:
        return np.empty((0, columns))
    if table.ndim != 2 or table.shape[1] != columns:
        raise MarksError(f"{name} must have the shape (n, {columns}), got {table.shape}")
    return table


def _weights(name: str, values: ArrayLike | None, count: int) -> FloatArray:
    if values is None:
        return np.ones(count)
    weights = _floats(name, values)
    if weights.shape != (count,):
        raise MarksError(f"{name} must hold one weight per mark ({count}), got {weights.shape}")
    if np.any(weights < 0):
        raise MarksError(f"{name} must not be negative, got {weights.min()}")
    return weights


def _floats(name: str, values: ArrayLike) -> FloatArray:
    try:
        floats = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MarksError(f"{name} must be an array of numbers: {error}") from error
    if not np.isfinite(floats).all():
        row = int(np.argwhere(~np.isfinite(floats))[0][0])
        raise MarksError(f"{name} must be finite: leave out row {row}, which is {floats[row]}")
    return floats
