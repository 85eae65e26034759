"""A sheet's heat to levels of colour, block by block, in the lines that a PNG has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heatmap.deflate import lines_for
from heatmap.nodes import Singles
from heatmap.room import empty
from heatmap.scale import TOP_LEVEL, Curve, Levels, bend, gain, least_gained
from heatmap.sheet import Sheet

CLIPPED_FROM = TOP_LEVEL + 0.4
"""Heat that is to be cut off at the top: with half a level more it would be no byte. What lies a
rounding above full colour need not be."""


def painted(sheet: Sheet, scale_max: float, curve: Curve) -> Iterator[Levels]:
    """Walk the picture's lines from the top, (rows, 1 + columns): a zero, then the levels.

    They are overwritten by the next ones.
    """
    factor = gain(curve) / scale_max if scale_max > 0 else 0.0
    # Cut off after the point, half a level more is rounding. Bent curves get theirs once bent.
    raised = 0.5 if curve == "linear" else 0.0
    band: Levels = empty((sheet.rows_at_once, sheet.width), np.uint8)
    for block in sheet.blocks():
        levels, bound = band[: block.stop_row - block.first_row], block.bound * factor
        if bound < least_gained(curve):
            levels.fill(0)
        else:
            _level(sheet.lines(block, factor, raised), curve, bound, levels)
        yield levels


def paint(sheet: Sheet, scale_max: float, curve: Curve) -> Levels:
    """Give the levels of all pixels, (rows, columns) of the page's picture."""
    picture = lines_for(sheet.page.rows, sheet.page.columns)
    row = 0
    for lines in painted(sheet, scale_max, curve):
        picture[row : row + len(lines)] = lines
        row += len(lines)
    return picture[:, 1:]


def _level(lines: Singles, curve: Curve, bound: float, levels: Levels) -> None:
    """Turn lines of heat times the curve's gain, none above bound, into levels; uses them up."""
    if curve != "linear":
        bend(lines, curve, bound > gain(curve))
    elif bound >= CLIPPED_FROM:
        np.minimum(lines, TOP_LEVEL, out=lines)
    np.copyto(levels, lines, casting="unsafe")
