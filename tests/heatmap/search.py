"""A search for the worst place: where in its cell a mark must lie for the core to err most."""

from __future__ import annotations

from collections.abc import Callable

Offset = tuple[float, float]

SCANNED = 6
HALVINGS = 3


def worst_offset(error_at: Callable[[Offset], float], span: float) -> tuple[float, Offset]:
    """Largest error over offsets 0..span along both axes, and where.

    First a raster of 6 x 6 offsets; then steps around the worst one, to the eight sides, halved
    as long as no step makes it worse.
    """
    step = span / SCANNED
    raster = [(i * step, j * step) for i in range(SCANNED) for j in range(SCANNED)]
    worst, place = max((error_at(offset), offset) for offset in raster)
    for _ in range(HALVINGS):
        step /= 2
        around = [(place[0] + i * step, place[1] + j * step) for i, j in _SIDES]
        found = max((error_at(_within(offset, span)), _within(offset, span)) for offset in around)
        worst, place = max((worst, place), found)
    return worst, place


_SIDES = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def _within(offset: Offset, span: float) -> Offset:
    return min(max(offset[0], 0.0), span), min(max(offset[1], 0.0), span)
