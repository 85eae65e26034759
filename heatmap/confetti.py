"""Confetti: every mark a dot of its own, in the colour of the segment it belongs to."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.colours import ColourTable
from heatmap.errors import MarksError, PaletteError
from heatmap.layers import Layer
from heatmap.marks import gather
from heatmap.page import Page
from heatmap.palettes import SEGMENT_RGB
from heatmap.scale import Levels

MAX_SEGMENTS = len(SEGMENT_RGB)

RADIUS_PX = 4.0
"""Of a dot; two dots on one button are told apart, and its label is still read between them."""
RIM_PX = 1.25
"""White around each dot: dots are seen on pages of any colour, and on each other."""

EDGE_PX = 1.0
EDGE_SHADE = 0.55
"""The outermost pixel of a dot is its colour made darker: yellow is seen on white too."""

TONES = 4
"""Steps from nothing to rim, from rim to edge and from edge to colour: smooth borders."""
DOT_ALPHA = 235
STEPS = 4
"""Places within a device pixel, per axis, that a dot may be centred on."""

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def confetti_rows() -> ColourTable:
    """Give the table of confetti: (1 + TONES + 8 x 2 TONES, 4) uint8.

    Row 0 is transparent, rows 1..TONES lead to the white rim, and 2 TONES rows for each segment
    lead from there over its dark edge to its colour.
    """
    step = np.arange(1, TONES + 1)[:, None] / TONES
    rim = np.column_stack((np.full((TONES, 3), 255.0), step * DOT_ALPHA))
    segments = []
    for rgb in np.array(SEGMENT_RGB, dtype=np.float64):
        edge = rgb * EDGE_SHADE
        body = np.vstack((255 + step * (edge - 255), edge + step * (rgb - edge)))
        segments.append(np.column_stack((body, np.full(2 * TONES, float(DOT_ALPHA)))))
    table: ColourTable = np.rint(np.vstack((np.zeros(4), rim, *segments))).astype(np.uint8)
    return table


def confetti_layer(
    points_px: ArrayLike | None,
    segments: ArrayLike,
    *,
    width_px: int,
    height_px: int,
    dpr: int = 1,
    radius_px: float = RADIUS_PX,
) -> Layer:
    """Draw marks as dots in the colours of their segments.

    points_px  (n, 2) x, y in CSS pixels of the page, or None; those outside it are left out
    segments   (n,) whole numbers 0..7: the segment of each point, see `SEGMENT_RGB`
    width_px, height_px, dpr  the page, as for `heatmap.overlay`
    radius_px  of a dot without its rim, 1..20 CSS pixels
    Returns    Layer of the page's size, the same for the same input. No segment lies over the
               others: dots are laid down in an order that mixes what stood together
    Raises     MarksError for points, segments or a radius that cannot be, PaletteError for more
               segments than there are colours told apart with any colour vision, PageSizeError
    Source     Okabe & Ito 2008, Color universal design
    """
    page = Page(width_px, height_px, dpr)
    if not 1 <= radius_px <= 20:
        raise MarksError(f"radius_px must be between 1 and 20, got {radius_px!r}")
    points = gather(points_px).points
    numbers = _segments(segments, points.x_px.size)
    x_px, y_px = points.x_px, points.y_px
    inside = (x_px >= 0) & (x_px <= width_px) & (y_px >= 0) & (y_px <= height_px)
    order = np.argsort(np.arange(x_px.size) * GOLDEN_RATIO % 1)
    order = order[inside[order]]
    # Whole steps of a quarter of a device pixel, from the middle of the first one.
    centres = np.column_stack((x_px[order], y_px[order])) * dpr - 0.5
    places = np.rint(centres * STEPS).astype(int).tolist()
    sheet = _Sheet(page, radius_px)
    for (x, y), number in zip(places, numbers[order].tolist(), strict=True):
        sheet.dot(x, y, number)
    return Layer(sheet.levels(), confetti_rows())


def within_box(box_px: tuple[float, float, float, float], count: int) -> NDArray[np.float64]:
    """Give places for marks of which the box alone is known: rows, which nobody takes for more.

    box_px   x0, y0, x1, y1 in CSS pixels
    count    how many marks, 0 or more
    Returns  (count, 2) x, y within the box, column by column from the left, so that marks in an
             order of their segments look like a bar of their shares
    Raises   MarksError for a box without an area or a count below 0
    """
    x0, y0, x1, y1 = box_px
    if not (x0 < x1 and y0 < y1) or count < 0:
        raise MarksError(f"a box with an area and a count are needed, got {box_px} and {count}")
    rows = min(max(round(math.sqrt(count * (y1 - y0) / (x1 - x0))), 1), max(count, 1))
    columns = max(math.ceil(count / rows), 1)
    column, row = np.divmod(np.arange(count), rows)
    # What is left for the last column is spread over it.
    in_column = np.where(column < columns - 1, rows, count - rows * (columns - 1))
    x_px = x0 + (column + 0.5) / columns * (x1 - x0)
    y_px = y0 + (row + 0.5) / in_column * (y1 - y0)
    return np.column_stack((x_px, y_px))


class _Sheet:
    """A page with room around it, so that dots on its edge need no care."""

    def __init__(self, page: Page, radius_px: float) -> None:
        self._radius, self._rim = radius_px * page.dpr, RIM_PX * page.dpr
        self._edge = EDGE_PX * page.dpr
        self._room = math.ceil(self._radius + self._rim) + 1
        self._page = page
        size = (page.rows + 2 * self._room + 1, page.columns + 2 * self._room + 1)
        self._sheet: Levels = np.zeros(size, dtype=np.uint8)

    def dot(self, x: int, y: int, segment: int) -> None:
        """Lay down a dot; x and y in quarters of a device pixel."""
        (column, right), (row, down) = divmod(x, STEPS), divmod(y, STEPS)
        rim, body = _dot(self._radius, self._edge, self._rim, self._room, right, down)
        side = len(rim)
        # The sheet's room is the dot's own reach.
        under = self._sheet[row + 1 : row + 1 + side, column + 1 : column + 1 + side]
        coloured = np.where(body > 0, TONES + segment * 2 * TONES + body, rim)
        # Half a rim wins over another dot, less shows only where there is none.
        seen = (coloured > TONES // 2) | ((coloured > 0) & (under == 0))
        np.copyto(under, coloured, where=seen)

    def levels(self) -> Levels:
        """Give the page without the room around it."""
        room = self._room + 1
        return self._sheet[room : room + self._page.rows, room : room + self._page.columns]


@functools.lru_cache(maxsize=64)
def _dot(
    radius: float, edge: float, rim: float, room: int, right: int, down: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give the tones of a dot's rim, 0..TONES, and of its edge and body, 0..2 TONES."""
    side = np.arange(-room, room + 1, dtype=np.float64)
    distance = np.hypot(side[:, None] - down / STEPS, side - right / STEPS)

    def cover(reach: float) -> NDArray[np.uint8]:
        return np.rint(np.clip(reach + 0.5 - distance, 0, 1) * TONES).astype(np.uint8)

    return cover(radius + rim), cover(radius) + cover(radius - edge)


def _segments(segments: ArrayLike, count: int) -> NDArray[np.intp]:
    numbers = np.asarray(segments)
    if numbers.shape != (count,) or (count and not np.issubdtype(numbers.dtype, np.integer)):
        raise MarksError(f"segments must hold one whole number per point ({count})")
    if count and not (0 <= numbers.min() and numbers.max() < MAX_SEGMENTS):
        raise PaletteError(
            f"segments are numbered 0..{MAX_SEGMENTS - 1}, got {numbers.min()}..{numbers.max()}:"
            " more colours are not told apart, join the smallest segments"
        )
    return numbers.astype(np.intp)
