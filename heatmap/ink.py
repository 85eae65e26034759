"""Lines and letters that are seen on every page: dark ink in a light halo.

Both are drawn as masks first and become a few tones at the end: from nothing to the halo, and
from the halo to the ink.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from heatmap.colours import ColourTable
from heatmap.layers import Layer
from heatmap.lettering import BOLD, font
from heatmap.page import FloatArray, Page
from heatmap.scale import TOP_LEVEL

INK_TONES = 12
"""Half from nothing to the halo, half from there to the ink: enough for smooth edges."""

INK_RGB = (28, 28, 34)
HALO_RGB = (255, 255, 255)
HALO_ALPHA = 235
INK_ALPHA = 245

HALO_PX = 1.5
"""Width of the light rim on either side of a line, CSS pixels."""

FINER = 3
"""Lines are drawn this much finer and averaged: Pillow draws them without smooth edges."""
BAND_ROWS = 256
"""Rows drawn finer in one go: a few MB instead of nine times the page."""

_TONE_OF_COVER = np.rint(np.linspace(0, INK_TONES, 2 * TOP_LEVEL + 1)).astype(np.uint8)


def ink_rows() -> ColourTable:
    """Give the tones of ink as rows of a table: (1 + INK_TONES, 4) uint8, row 0 transparent."""
    step = np.arange(INK_TONES + 1) / (INK_TONES / 2)
    body = np.clip(step - 1, 0, 1)[:, None]
    rows = np.empty((INK_TONES + 1, 4))
    rows[:, :3] = (1 - body) * HALO_RGB + body * INK_RGB
    rows[:, 3] = np.clip(step, 0, 1) * ((1 - body) * HALO_ALPHA + body * INK_ALPHA)[:, 0]
    return np.rint(rows).astype(np.uint8)


class Ink:
    """What is drawn on one page: a mask of the halo and one of the ink, in device pixels."""

    def __init__(self, page: Page) -> None:
        """Begin with nothing."""
        self._page = page
        self._halo = Image.new("L", (page.columns, page.rows))
        self._ink = Image.new("L", (page.columns, page.rows))

    def strokes(self, paths_px: Iterable[FloatArray], width_px: float) -> None:
        """Draw polylines, (n, 2) x, y in CSS pixels each, with smooth edges."""
        dpr = self._page.dpr
        paths = [path * dpr for path in paths_px if len(path) > 1]
        spread = math.ceil((width_px + 2 * HALO_PX) * dpr)
        for top in range(0, self._page.rows, BAND_ROWS):
            bottom = min(top + BAND_ROWS, self._page.rows)
            near = [
                path
                for path in paths
                if path[:, 1].max() >= top - spread and path[:, 1].min() <= bottom + spread
            ]
            if near:
                self._band(near, top, bottom, width_px * dpr)

    def _band(self, paths: Sequence[FloatArray], top: int, bottom: int, width: float) -> None:
        size = (self._page.columns * FINER, (bottom - top) * FINER)
        for mask, extra in ((self._halo, 2 * HALO_PX * self._page.dpr), (self._ink, 0.0)):
            fine = Image.new("L", size)
            pen = ImageDraw.Draw(fine)
            for path in paths:
                # Pillow counts from the middle of the first pixel.
                places = (path - (0, top)) * FINER - 0.5
                pen.line(
                    places.ravel().tolist(),
                    TOP_LEVEL,
                    round((width + extra) * FINER),
                    joint="curve",
                )
            _lighten(mask, fine.reduce(FINER), (0, top))

    def frame(self, box: tuple[int, int, int, int], width: int) -> None:
        """Draw the outline of a box within it; device pixels, x1 and y1 just outside.

        The halo is on the outer side alone: on the inner one it would cut what the box holds.
        """
        rim = round(HALO_PX * self._page.dpr)
        x0, y0, x1, y1 = box
        inner = (x0 + rim, y0 + rim, x1 - rim - 1, y1 - rim - 1)
        if inner[2] - inner[0] < 2 * width or inner[3] - inner[1] < 2 * width:
            return
        outer = (x0, y0, x1 - 1, y1 - 1)
        ImageDraw.Draw(self._halo).rectangle(outer, None, TOP_LEVEL, width + rim)
        ImageDraw.Draw(self._ink).rectangle(inner, None, TOP_LEVEL, width)

    def plate(self, box: tuple[int, int, int, int], radius: int) -> None:
        """Lay a white plate with round corners over what is there, to write on; device pixels."""
        x0, y0, x1, y1 = box
        rim = self._page.dpr
        outer = _rounded(x1 - x0, y1 - y0, radius)
        inner = _rounded(x1 - x0 - 2 * rim, y1 - y0 - 2 * rim, radius - rim)
        _lighten(self._halo, outer, (x0, y0))
        _lighten(self._ink, outer, (x0, y0))
        self._ink.paste(0, (x0 + rim, y0 + rim), inner)

    def write(
        self, place: tuple[float, float], text: str, size: float, *, bold: bool = False
    ) -> None:
        """Write on a plate; place is the left end of the baseline, device pixels."""
        ImageDraw.Draw(self._ink).text(
            place,
            text,
            TOP_LEVEL,
            font(size),
            anchor="ls",
            stroke_width=BOLD * size if bold else 0.0,
        )

    def layer(self) -> Layer:
        """Give what was drawn as a layer of INK_TONES + 1 colours."""
        tones = np.empty((self._page.rows, self._page.columns), dtype=np.uint8)
        for top in range(0, self._page.rows, BAND_ROWS):
            box = (0, top, self._page.columns, min(top + BAND_ROWS, self._page.rows))
            cover = np.asarray(self._halo.crop(box), np.uint16) + np.asarray(self._ink.crop(box))
            tones[box[1] : box[3]] = _TONE_OF_COVER[cover]
        return Layer(tones, ink_rows())


def dashed(path_px: FloatArray, dash_px: float, gap_px: float) -> list[FloatArray]:
    """Cut a polyline into dashes.

    path_px         (n, 2) x, y in CSS pixels
    dash_px, gap_px lengths along the line, CSS pixels
    Returns         polylines, the first one beginning where path_px does
    """
    steps = np.hypot(*np.diff(path_px, axis=0).T)
    along = np.concatenate(([0.0], np.cumsum(steps)))
    starts = np.arange(0.0, along[-1], dash_px + gap_px)
    return [_part(path_px, along, start, min(start + dash_px, along[-1])) for start in starts]


def _part(path_px: FloatArray, along: FloatArray, start: float, stop: float) -> FloatArray:
    within = (along > start) & (along < stop)
    ends = [np.interp((start, stop), along, path_px[:, axis]) for axis in (0, 1)]
    first, last = np.column_stack(ends)
    return np.vstack((first, path_px[within], last))


def _rounded(width: int, height: int, radius: int) -> Image.Image:
    fine = Image.new("L", (max(width, 1) * FINER, max(height, 1) * FINER))
    ImageDraw.Draw(fine).rounded_rectangle(
        (0, 0, fine.width - 1, fine.height - 1), radius * FINER, TOP_LEVEL
    )
    return fine.reduce(FINER)


def _lighten(mask: Image.Image, patch: Image.Image, place: tuple[int, int]) -> None:
    box = (*place, place[0] + patch.width, place[1] + patch.height)
    mask.paste(ImageChops.lighter(mask.crop(box), patch), place)
