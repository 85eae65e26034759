"""The contrast of two cohorts as a picture: colour for how much, lines for how surely.

Red where the first cohort dwells longer, blue where it dwells shorter: two colours that any colour
vision tells apart. Blue is half as opaque, so that in grey too the eye goes where time is lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.contrasting.pixels import LEAST_AMOUNT
from heatmap.colours import DEFAULT_OPACITY, NO_CHANGE_LEVEL, ColourTable, diverging_rows
from heatmap.contours import contour_layer
from heatmap.contrasting import Contrast
from heatmap.layers import Layer, alone, merged, stamp_layer
from heatmap.page import Page
from heatmap.png import laid_over
from heatmap.raster import Raster
from heatmap.scale import TOP_LEVEL
from heatmap.zone_boxes import ZoneBox, zone_layer

FULL_RATIO = 4.0
"""Drawn in full colour: four times as long, or a quarter."""

FULL_EFFECT = 30.0
"""Effective visits behind a place from which on its colour is not paled."""

SHORTER_OPACITY = 0.5
"""Of the side that is not asked about."""

DOUBTFUL = 0.35
"""Share of its colour that a place keeps which differs not at all surely. It grows to all of it
where the verdict's line would be drawn: the eye is led to what was decided."""

FULL_LOSS = 0.25
"""Share of the page's largest difference in seconds from which on a place bears its full colour. A
ratio knows no amount: a page's rest, where one moment stands against none, would glow as loud as
the field that holds visitors for a minute."""

ROWS_AT_ONCE = 256

Levels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def paint_contrast(
    shown: Contrast,
    judged: Contrast | None,
    badges: Sequence[ZoneBox],
    *,
    under: bytes | None,
    ground: str,
    dpr: int,
    opacity: float | None,
    stamp: str | None,
    text: Mapping[str, str],
) -> bytes:
    """Runs in a drawing process.

    shown   its colours; judged: its lines, None for none
    badges  a number for each region that is told of
    under   the page's picture for `ground` "page", else None
    Returns PNG of the page's size: indexed and transparent, or laid over a picture
    """
    page = Page(shown.width_px, shown.height_px, dpr)
    table = contrast_rows(DEFAULT_OPACITY if opacity is None else opacity)
    layer = Layer(_levels(shown, _sureness(shown, judged), page), table)
    if judged is not None:
        layer = merged(layer, _lines(judged, dpr))
    if badges:
        frames = zone_layer(badges, width_px=page.width_px, height_px=page.height_px, dpr=dpr)
        layer = merged(layer, frames)
    if stamp is not None:
        layer = merged(layer, stamp_layer(stamp, page.rows, page.columns, dpr))
    png = alone(layer, text)
    return png if ground == "none" else laid_over(under, png)


def contrast_rows(opacity: float = DEFAULT_OPACITY) -> ColourTable:
    """The colour of each level, from a quarter of the dwell over as much to four times."""
    table = diverging_rows(opacity=opacity)
    less = table[:NO_CHANGE_LEVEL, 3] * SHORTER_OPACITY
    table[:NO_CHANGE_LEVEL, 3] = np.rint(less)
    table[0] = 0  # a layer's row for nothing
    return table


def _sureness(shown: Contrast, judged: Contrast | None) -> Floats:
    """Share of its colour that each cell keeps."""
    if judged is None or not math.isfinite(judged.critical):
        return np.full(shown.t.shape, 1.0)
    sure = np.minimum(np.abs(np.nan_to_num(shown.t)) / judged.critical, 1.0)
    return np.asarray(DOUBTFUL + (1 - DOUBTFUL) * sure**2)


def _levels(shown: Contrast, sureness: Floats, page: Page) -> Levels:
    """The colour of each device pixel: straight between the middles of cells."""
    paled = np.minimum(shown.effective / FULL_EFFECT, 1.0) * sureness
    paled *= np.minimum(shown.amount() / FULL_LOSS, 1.0)
    signed = np.clip(shown.log_ratio / math.log(FULL_RATIO), -1, 1) * paled
    raster = Raster(Page(page.width_px, page.height_px), shown.cell_px)
    across = _between(raster.x_px(), page.columns, page.dpr)
    down = _between(raster.y_px(), page.rows, page.dpr)
    levels = np.empty((page.rows, page.columns), np.uint8)
    for start in range(0, page.rows, ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, page.rows))
        low, share = down[0][rows], down[1][rows, None]
        high = np.minimum(low + 1, signed.shape[0] - 1)
        lines = signed[low] * (1 - share) + signed[high] * share
        low, share = across
        high = np.minimum(low + 1, signed.shape[1] - 1)
        values = lines[:, low] * (1 - share) + lines[:, high] * share
        span = TOP_LEVEL - NO_CHANGE_LEVEL
        levels[rows] = np.rint(NO_CHANGE_LEVEL + span * values).astype(np.uint8)
    levels[levels == NO_CHANGE_LEVEL] = 0
    return levels


def _between(middles_px: Floats, pixels: int, dpr: int) -> tuple[NDArray[np.intp], Floats]:
    """For each device pixel the cell before it, and how far it is on the way to the next one."""
    at_px = (np.arange(pixels) + 0.5) / dpr
    low = np.clip(np.searchsorted(middles_px, at_px) - 1, 0, max(len(middles_px) - 2, 0))
    if len(middles_px) == 1:
        return low, np.zeros(pixels)
    share = (at_px - middles_px[low]) / (middles_px[low + 1] - middles_px[low])
    return low, np.clip(share, 0, 1)


def _lines(judged: Contrast, dpr: int) -> Layer:
    """Solid around what was decided, dashed around what may become so; none around trifles."""
    solid = [c for c in (judged.critical, -judged.critical) if math.isfinite(c)]
    broken = [c for c in (judged.faint, -judged.faint) if math.isfinite(c)]
    return contour_layer(
        _no_trifles(judged),
        width_px=judged.width_px,
        height_px=judged.height_px,
        cell_px=judged.cell_px,
        solid=solid,
        broken=broken,
        dpr=dpr,
    )


def _no_trifles(judged: Contrast) -> Floats:
    """t, held below every line where the cohorts differ by too little to be told of."""
    if not math.isfinite(judged.faint):
        return judged.lines()
    most = judged.faint * judged.amount() / LEAST_AMOUNT
    return np.clip(judged.lines(), -most, most)
