"""The fold: how much of the page windows show before anybody scrolls, as lines across it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from heatmap.errors import TrailError
from heatmap.ink import Ink, dashed
from heatmap.layers import Layer
from heatmap.lettering import font, width_of, written
from heatmap.page import Page

LETTERS_PX = 13
PAD_PX = 7
PLATE_PX = 22
"""Height of a label's plate."""
MARGIN_PX = 10

MAIN_PX, MAIN_DASH = 2.0, (12.0, 7.0)
SIDE_PX, SIDE_DASH = 1.0, (5.0, 6.0)
"""Width, and dash and gap, of the line that counts and of those that say how far it varies."""


@dataclass(frozen=True, slots=True)
class FoldLine:
    """One line across the page.

    y_px   CSS pixels from the top of the page
    label  written at its right end
    main   drawn stronger than the others
    """

    y_px: float
    label: str
    main: bool = False


def fold_quartiles(window_height_px: ArrayLike) -> tuple[float, float, float] | None:
    """Give the heights that a quarter, half and three quarters of the windows do not exceed.

    window_height_px  (n,) CSS pixels, positive
    Returns  lower quartile, median, upper quartile, each some window's own height; None without
             windows
    Raises   TrailError for heights that no window has
    """
    heights = np.asarray(window_height_px, dtype=np.float64)
    if heights.ndim != 1 or not np.all((heights > 0) & np.isfinite(heights)):
        raise TrailError("window heights must be positive numbers: leave out views without one")
    if not heights.size:
        return None
    low, middle, high = np.quantile(heights, (0.25, 0.5, 0.75), method="inverted_cdf")
    return float(low), float(middle), float(high)


def fold_layer(lines: Iterable[FoldLine], *, width_px: int, height_px: int, dpr: int = 1) -> Layer:
    """Draw fold lines: dashed, dark in a light halo, each with its label on a plate.

    lines    in any order; those outside the page are left out. Labels of lines that lie close
             together stand side by side
    width_px, height_px, dpr  the page, as for `heatmap.overlay`
    Returns  Layer of the page's size
    Raises   PageSizeError, TextError for a label that cannot be written
    """
    page = Page(width_px, height_px, dpr)
    ink = Ink(page)
    seen = sorted((line for line in lines if 0 < line.y_px < height_px), key=lambda one: one.y_px)
    for line in seen:
        width, (dash, gap) = (MAIN_PX, MAIN_DASH) if line.main else (SIDE_PX, SIDE_DASH)
        across = np.array([(0.0, line.y_px), (float(width_px), line.y_px)])
        ink.strokes(dashed(across, dash, gap), width)
    _label(ink, seen, page)
    return ink.layer()


def _label(ink: Ink, lines: list[FoldLine], page: Page) -> None:
    above, left = -float(PLATE_PX), page.columns
    for line in lines:
        beside = line.y_px - above < PLATE_PX + 2
        text, size = written(line.label), float(LETTERS_PX * page.dpr)
        wide = round(width_of(text, size)) + 2 * PAD_PX * page.dpr
        right = left if beside else page.columns
        left = right - wide - MARGIN_PX * page.dpr
        top = round((line.y_px - PLATE_PX / 2) * page.dpr)
        top = min(max(top, 0), page.rows - PLATE_PX * page.dpr)
        ink.plate((left, top, left + wide, top + PLATE_PX * page.dpr), PLATE_PX * page.dpr // 2)
        baseline = top + PLATE_PX * page.dpr / 2 + _half_capital(size)
        ink.write((left + PAD_PX * page.dpr, baseline), text, size, bold=line.main)
        above = line.y_px


def _half_capital(size: float) -> float:
    return -float(font(size).getbbox("H", anchor="ls")[1]) / 2
