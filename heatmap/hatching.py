"""Hatching for parts of a page that nothing is known of: another origin's frame, mostly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from heatmap.ink import INK_RGB
from heatmap.layers import Layer
from heatmap.page import Page

APART_PX = 9
"""Between two lines, along a row: seen as a grey at arm's length, as lines up close."""

LINE_PX = 1
ALPHA = 130
"""Of 255: under it a picture is still told, and heat beside it stays the loudest."""

Box = tuple[float, float, float, float]


def hatch_layer(boxes_px: Iterable[Box], *, width_px: int, height_px: int, dpr: int = 1) -> Layer:
    """Hatch boxes slantwise, each with a border.

    boxes_px  x0, y0, x1, y1 in CSS pixels of the page; parts outside it are cut off
    width_px, height_px, dpr  the page, as for `heatmap.overlay`
    Returns   Layer of the page's size, of two colours
    Raises    PageSizeError
    """
    page = Page(width_px, height_px, dpr)
    levels = np.zeros((page.rows, page.columns), dtype=np.uint8)
    line = LINE_PX * dpr
    for x0, y0, x1, y1 in boxes_px:
        columns = slice(_within(x0 * dpr, page.columns), _within(x1 * dpr, page.columns))
        rows = slice(_within(y0 * dpr, page.rows), _within(y1 * dpr, page.rows))
        across = np.arange(columns.start, columns.stop)
        down = np.arange(rows.start, rows.stop)[:, None]
        hatched = (across + down) % (APART_PX * dpr) < line
        hatched[:line] = hatched[-line:] = True
        hatched[:, :line] = hatched[:, -line:] = True
        levels[rows, columns] |= hatched
    return Layer(levels, np.array([(0, 0, 0, 0), (*INK_RGB, ALPHA)], dtype=np.uint8))


def _within(edge: float, end: int) -> int:
    return min(max(round(edge), 0), end)
