"""What happened where: points (clicks, moves, stalls) and boxes (zones seen without a script)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.errors import MarksError
from heatmap.page import FloatArray, Page

Floats = NDArray[np.floating[Any]]
"""Coordinates and weights of points stay in the precision they came in: ten million of them in
single precision are 80 MB, and would be thrice that beside a copy in double precision."""

POINTS_AT_ONCE = 1 << 16
"""Points looked at in one go, where every step over all of them would be another copy of them."""

LANES = 1024
"""Coordinates side by side while extremes are looked for: numpy takes five times as long over pairs
in a column each."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Marks without extent.

    at_px    (n, 2) x, y in CSS pixels of the page, finite, in single or double precision
    weights  (n,) finite, not negative: dwell in ms for a stall, ...; None for 1 each
    low_px, high_px  least and largest x, y of all; both 0 where there are no points
    """

    at_px: Floats
    weights: Floats | None
    low_px: tuple[float, float]
    high_px: tuple[float, float]

    @property
    def x_px(self) -> FloatArray:
        """(n,) CSS pixels; a copy."""
        return self.at_px[:, 0].astype(np.float64)

    @property
    def y_px(self) -> FloatArray:
        """(n,) CSS pixels; a copy."""
        return self.at_px[:, 1].astype(np.float64)

    @property
    def weight(self) -> FloatArray:
        """(n,) weights; a copy, or ones that take no memory where none are given."""
        if self.weights is None:
            return np.broadcast_to(np.float64(1.0), len(self))
        return self.weights.astype(np.float64)

    @property
    def mass(self) -> float:
        """Sum of the weights."""
        if self.weights is None:
            return float(len(self))
        return float(self.weights.sum(dtype=np.float64))

    def __len__(self) -> int:
        """Count the points."""
        return len(self.at_px)

    def parts(self, size: int = POINTS_AT_ONCE) -> Iterator[tuple[Floats, Floats | None]]:
        """Walk the points, (k, 2), and their weights, size at a time."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield self.at_px[part], None if self.weights is None else self.weights[part]


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


NO_BOXES = Boxes(*(np.empty(0) for _ in range(5)))


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
    points = _points(_table("points_px", points_px, 2), weights)
    if boxes_px is None and box_weights is None:
        return Marks(points, NO_BOXES)
    boxes = _doubles("boxes_px", _table("boxes_px", boxes_px, 4))
    if np.any(boxes[:, 2:] < boxes[:, :2]):
        row = int(np.flatnonzero(np.any(boxes[:, 2:] < boxes[:, :2], axis=1))[0])
        raise MarksError(
            f"boxes_px are x0, y0, x1, y1 with x0 <= x1 and y0 <= y1, got {boxes[row]}"
        )
    box_weight = _weights("box_weights", box_weights, len(boxes))
    return Marks(
        points,
        Boxes(
            boxes[:, 0],
            boxes[:, 1],
            boxes[:, 2],
            boxes[:, 3],
            np.ones(len(boxes)) if box_weight is None else box_weight.astype(np.float64),
        ),
    )


def clip(marks: Marks, page: Page) -> ClippedMarks:
    """Cut marks to the page, and say how many and how much were left out."""
    points, points_out = _points_inside(marks.points, page)
    mass = points.mass
    before = mass if points is marks.points else marks.points.mass
    boxes, boxes_out = marks.boxes, 0
    if boxes.weight.size:
        boxes, boxes_out = _boxes_inside(boxes, page)
        mass += float(boxes.weight.sum())
        before += float(marks.boxes.weight.sum())
    return ClippedMarks(Marks(points, boxes), mass, max(before - mass, 0.0), points_out + boxes_out)


def _points_inside(points: Points, page: Page) -> tuple[Points, int]:
    right, bottom = points.high_px
    if min(points.low_px) >= 0 and right <= page.width_px and bottom <= page.height_px:
        return points, 0
    size = np.array((page.width_px, page.height_px))
    inside = np.empty(len(points), dtype=np.bool_)
    start = 0
    for at_px, _ in points.parts():
        within = (at_px >= 0) & (at_px <= size.astype(at_px.dtype))
        np.all(within, axis=1, out=inside[start : start + len(at_px)])
        start += len(at_px)
    at_px, weights = points.at_px[inside], points.weights
    kept = Points(at_px, None if weights is None else weights[inside], *_extremes(at_px))
    return kept, len(points) - len(kept)


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


def _points(at_px: Floats, weights: ArrayLike | None) -> Points:
    low, high = _extremes(at_px)
    if not np.isfinite((*low, *high)).all():
        row = int(np.argwhere(~np.isfinite(at_px))[0][0])
        raise MarksError(f"points_px must be finite: leave out row {row}, which is {at_px[row]}")
    return Points(at_px, _weights("weights", weights, len(at_px)), low, high)


def _extremes(at_px: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    """Least and largest x, y; not a number where one of them is none."""
    if at_px.size == 0:
        return (0.0, 0.0), (0.0, 0.0)
    whole = at_px.size // LANES * LANES
    lanes, rest = at_px.reshape(-1)[:whole].reshape(-1, LANES), at_px[whole // 2 :]
    ends = []
    for extreme in (np.minimum, np.maximum):
        pairs = extreme.reduce(lanes, axis=0).reshape(-1, 2) if whole else rest
        x, y = extreme.reduce(np.concatenate((pairs, rest)), axis=0)
        ends.append((float(x), float(y)))
    return ends[0], ends[1]


def _table(name: str, values: ArrayLike | None, columns: int) -> Floats:
    table = _floats(name, () if values is None else values)
    if table.size == 0:
        return np.empty((0, columns))
    if table.ndim != 2 or table.shape[1] != columns:
        raise MarksError(f"{name} must have the shape (n, {columns}), got {table.shape}")
    return np.ascontiguousarray(table)


def _weights(name: str, values: ArrayLike | None, count: int) -> Floats | None:
    if values is None:
        return None
    weights = _floats(name, values)
    if weights.shape != (count,):
        raise MarksError(f"{name} must hold one weight per mark ({count}), got {weights.shape}")
    _check_finite(name, weights)
    if weights.size and weights.min() < 0:
        raise MarksError(f"{name} must not be negative, got {weights.min()}")
    return weights


def _doubles(name: str, values: Floats) -> FloatArray:
    _check_finite(name, values)
    return values.astype(np.float64, copy=False)


def _check_finite(name: str, values: Floats) -> None:
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise MarksError(f"{name} must be finite: leave out row {row}, which is {values[row]}")


def _floats(name: str, values: ArrayLike) -> Floats:
    try:
        array = np.asarray(values)
        # Whole numbers of 16 bits keep their exact value in single precision.
        single = np.result_type(array.dtype, np.float32) == np.float32
        return array.astype(np.float32 if single else np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise MarksError(f"{name} must be an array of numbers: {error}") from error
