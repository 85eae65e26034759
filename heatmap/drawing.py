"""Marks to a picture of their heat: the whole way from grid to PNG."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.colours import DEFAULT_OPACITY, DEFAULT_PALETTE, rows, with_ink
from heatmap.heaps import heap_for
from heatmap.marks import Marks, clip, gather
from heatmap.page import Page
from heatmap.painting import paint, painted
from heatmap.png import STAMP_TONES, encode, encode_lines, stamped
from heatmap.scale import Curve, Levels, check_scale
from heatmap.sheet import Sheet
from heatmap.smoothing import Edge, one_thread

DEFAULT_BANDWIDTH_PX = 40.0

# Palettes at the opacities of late maps, a kilobyte each, which nothing here writes into.
_table = functools.lru_cache(maxsize=32)(rows)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of heat and what has to be said beside it.

    png        indexed PNG, transparent where there is no heat
    peak       largest intensity of the surface at the pixels' centres, mass per square CSS pixel;
               0 without marks
    peak_x_px, peak_y_px  where it lies, CSS pixels of the page (a pixel's centre), or None
               without marks; of equal peaks the topmost, then the leftmost
    scale_max  intensity drawn in full colour, mass per square CSS pixel; 0 without marks and
               without one given
    mass       sum of the weights that lie inside the page
    lost       sum of the weights that lie outside
    clipped    number of points outside the page and of boxes wholly outside it
    width_px, height_px  size of the page, CSS pixels
    """

    png: bytes
    peak: float
    peak_x_px: float | None
    peak_y_px: float | None
    scale_max: float
    mass: float
    lost: float
    clipped: int
    width_px: int
    height_px: int


def overlay(
    points_px: ArrayLike | None,
    weights: ArrayLike | None = None,
    *,
    boxes_px: ArrayLike | None = None,
    box_weights: ArrayLike | None = None,
    width_px: int,
    height_px: int,
    bandwidth_px: float = DEFAULT_BANDWIDTH_PX,
    palette: str = DEFAULT_PALETTE,
    edge: Edge = "uniform",
    scale: Curve = "linear",
    scale_max: float | None = None,
    opacity: float = DEFAULT_OPACITY,
    dpr: int = 1,
    stamp: str | None = None,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Draw marks as a transparent PNG to lay over the picture of their page.

    points_px     (n, 2) x, y in CSS pixels of the page, or None; those outside it are left out
    weights       (n,) not negative; None for 1 each
    boxes_px      (m, 4) x0, y0, x1, y1 in CSS pixels, or None; what lies outside is cut off
    box_weights   (m,) not negative, each spread evenly over its box; None for 1 each
    width_px, height_px  size of the page: at most 4,000 x 32,000 CSS pixels and 40 million
                  device pixels
    bandwidth_px  standard deviation of the Gaussian kernel, 2..200 CSS pixels
    palette       a name out of `heatmap.colours.names()`
    edge          `uniform`, `diggle` or `none`, see `heatmap.smoothing.Edge`
    scale         `linear`, `sqrt` or `log`, see `heatmap.scale.Curve`
    scale_max     mass per square CSS pixel drawn in full colour; None for the map's own peak
    opacity       of full colour, 0..1
    dpr           device pixels per CSS pixel, 1 or 2
    stamp         a word written all over the picture ("TEST"), or None
    text          texts for the PNG's metadata, keyword to text
    Returns       indexed PNG of width_px x dpr by height_px x dpr; the same bytes for the same
                  input. The surface lies within 1/512 of its peak of the direct sum, the index
                  of a pixel within one level
    Raises        HeatmapError: MarksError, PageSizeError, BandwidthError, EdgeError, ScaleError,
                  PaletteError, TextError
    """
    return draw(
        gather(points_px, weights, boxes_px, box_weights),
        width_px=width_px,
        height_px=height_px,
        bandwidth_px=bandwidth_px,
        palette=palette,
        edge=edge,
        scale=scale,
        scale_max=scale_max,
        opacity=opacity,
        dpr=dpr,
        stamp=stamp,
        text=text,
    ).png


def draw(
    marks: Marks,
    *,
    width_px: int,
    height_px: int,
    bandwidth_px: float = DEFAULT_BANDWIDTH_PX,
    palette: str = DEFAULT_PALETTE,
    edge: Edge = "uniform",
    scale: Curve = "linear",
    scale_max: float | None = None,
    opacity: float = DEFAULT_OPACITY,
    dpr: int = 1,
    stamp: str | None = None,
    text: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw marks like `overlay`, and give what has to be said beside the picture.

    marks    made by `heatmap.marks.gather`; the other parameters, errors and the accuracy are
             those of `overlay`
    Returns  Drawing
    """
    check_scale(scale, scale_max)
    page = Page(width_px, height_px, dpr)
    table = _table(palette, opacity)
    inside = clip(marks, page)
    sheet = Sheet(heap_for(inside.marks, page, bandwidth_px, edge), page, bandwidth_px, edge)
    with one_thread():
        peak = sheet.peak()
        full = scale_max if scale_max is not None else peak.intensity
        if stamp is None:
            lines = painted(sheet, full, scale)
            png = encode_lines((page.rows, page.columns), lines, table, text)
        else:
            png = finish(paint(sheet, full, scale), table, dpr=dpr, stamp=stamp, text=text)
    hot = peak.intensity > 0
    return Drawing(
        png=png,
        peak=peak.intensity,
        peak_x_px=(peak.column + 0.5) / dpr if hot else None,
        peak_y_px=(peak.row + 0.5) / dpr if hot else None,
        scale_max=full,
        mass=inside.mass,
        lost=inside.lost,
        clipped=inside.clipped,
        width_px=page.width_px,
        height_px=page.height_px,
    )


def finish(
    picture: Levels,
    table: NDArray[np.uint8],
    *,
    dpr: int,
    stamp: str | None,
    text: Mapping[str, str] | None,
) -> bytes:
    """Stamp levels if asked to, and write them as PNG."""
    if stamp is None:
        return encode(picture, table, text)
    return encode(stamped(picture, stamp, dpr), with_ink(table, STAMP_TONES), text)
