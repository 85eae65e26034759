"""The page as a view's visitor met it: which zone lay at a place on that day, at that width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from app.picturing.layouts import Layout

Floats = NDArray[np.float64]
ZoneBox = tuple[int, tuple[float, float, float, float]]


class Homes:
    """The layouts that views were seen in; a view's own, not the one its map is drawn on.

    By the day of the view: a layout that is captured later takes nothing away from what was
    counted before. Where a width was captured only after the day, its first layout stands for it.
    """

    def __init__(self, layouts: Iterable[Layout], time_zone: tzinfo) -> None:
        self._by_band: dict[int, list[Layout]] = {}
        for layout in layouts:
            self._by_band.setdefault(layout.band, []).append(layout)
        self._zone = time_zone
        self._known: dict[tuple[date, int, bool], Sequence[ZoneBox]] = {}

    def boxes(self, day: date, band: int, *, touch: bool) -> Sequence[ZoneBox]:
        """The zones' boxes, large before small; none where no layout has this width."""
        key = day, band, touch
        if key not in self._known:
            self._known[key] = _by_size(self._layout(*key))
        return self._known[key]

    def _layout(self, day: date, band: int, touch: bool) -> Layout | None:
        over = datetime.combine(day + timedelta(days=1), datetime.min.time(), self._zone)
        listed = self._by_band.get(band, [])
        began = [layout for layout in listed if layout.valid_from < over]
        wanted = "coarse" if touch else "fine"

        def misfit(layout: Layout) -> tuple[bool | int, ...]:
            return layout.pointer != wanted, layout.variant, layout.language

        if began:
            return min(began, key=lambda one: (*misfit(one), -one.valid_from.timestamp()))
        return min(listed, key=lambda one: (*misfit(one), one.valid_from.timestamp()), default=None)


def _by_size(layout: Layout | None) -> Sequence[ZoneBox]:
    if layout is None:
        return ()
    listed = [(box.number, box.edges_px) for box in layout.boxes]
    return sorted(listed, key=lambda one: (_area(one), one[0]), reverse=True)


def _area(box: ZoneBox) -> float:
    x0, y0, x1, y1 = box[1]
    return (x1 - x0) * (y1 - y0)


def zones_at(x_px: Floats, y_px: Floats, boxes: Sequence[ZoneBox]) -> NDArray[np.int32]:
    """The smallest zone that holds each point (a field rather than the form around it), else 0.

    boxes    large before small, as `Homes.boxes` gives them
    """
    found = np.zeros(len(x_px), np.int32)
    for number, (x0, y0, x1, y1) in boxes:
        found[(x0 <= x_px) & (x_px < x1) & (y0 <= y_px) & (y_px < y1)] = number
    return found
