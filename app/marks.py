"""Page views → marks on one layout: what a kind of map counts, and where it is placed.

A position known relative to a zone is drawn through the zone's box, so that visitors of every
width share one map; a position known in page px alone is drawn only on layouts of its own width
band. What cannot be placed is counted and said. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.layouts import Layout
from app.seen import Seen
from app.stalls import clock_middle, stalls_of
from collector.wire import BAND_PX

Floats = NDArray[np.float64]
UNIT = 65535
"""The wire's full scale of a place within a zone's box."""

UNIQUE_CELL_PX = 4
"""Within this a visit counts once under `unique_visits`."""


@dataclass(slots=True)
class ZoneSum:
    """What one zone has gathered: the total in the map's unit, and the visits behind it."""

    total: float = 0.0
    visits: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Placed:
    """Marks in page px of the layout, each with its weight and its visit."""

    points: list[Floats] = field(default_factory=list)
    point_weights: list[Floats] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    box_weights: list[float] = field(default_factory=list)
    zones: dict[int, ZoneSum] = field(default_factory=dict)
    unplaced: int = 0
    seen_cells: set[tuple[int, int, int]] = field(default_factory=set)

    def zone(self, number: int, visit: int, weight: float) -> None:
        heat = self.zones.setdefault(number, ZoneSum())
        heat.total += weight
        heat.visits.add(visit)

    def all_points(self) -> Floats:
        return np.concatenate(self.points) if self.points else np.empty((0, 2))

    def all_weights(self) -> Floats:
        return np.concatenate(self.point_weights) if self.point_weights else np.empty(0)


@dataclass(frozen=True, slots=True)
class Ground:
    """The layout that marks are placed on, and how often a visit may count."""

    layout: Layout | None
    unique: bool

    def box(self, zone: int) -> tuple[float, float, float, float] | None:
        boxes = self.layout.boxes if self.layout else ()
        return next(((b.x0_px, b.y0_px, b.x1_px, b.y1_px) for b in boxes if b.number == zone), None)

    def takes_page_px_of(self, view: Seen) -> bool:
        """Without any layout the map is drawn on an empty page, for whatever came."""
        return self.layout is None or self.layout.band == view.codes.band


def place(kind: str, views: Iterable[tuple[Seen, int]], ground: Ground) -> Placed:
    """Marks of `kind` (click, move, stall) for views paired with their visits."""
    placed = Placed()
    for view, visit in views:
        _PLACERS[kind](view, visit, ground, placed)
    return placed


def _clicks(view: Seen, visit: int, ground: Ground, placed: Placed) -> None:
    """Presses of zones script-free, clicks with their place by script; never both of one view."""
    clicks = view.clicks()
    if len(clicks):
        _anchored_clicks(view, visit, clicks, ground, placed)
        return
    for zone, presses in sorted(view.presses.items()):
        weight = 1.0 if ground.unique else float(presses)
        _zone_box(zone, visit, weight, ground, placed)


def _anchored_clicks(
    view: Seen, visit: int, clicks: NDArray[np.void], ground: Ground, placed: Placed
) -> None:
    xy = np.stack([clicks["x"], clicks["y"]], axis=1).astype(float)
    known = np.full(len(clicks), ground.takes_page_px_of(view))
    for index, click in enumerate(clicks):
        zone = int(click["zone"])
        if zone:
            placed.zone(zone, visit, 1.0)
        if zone and (box := ground.box(zone)) is not None:
            xy[index] = _within(box, int(click["u"]) / UNIT, int(click["v"]) / UNIT)
            known[index] = True
    placed.unplaced += int((~known).sum())
    _points(xy[known], np.ones(int(known.sum())), visit, ground, placed)


def _moves(view: Seen, visit: int, ground: Ground, placed: Placed) -> None:
    xy = np.stack([view.trail["x"], view.trail["y"]], axis=1).astype(float)
    if not ground.takes_page_px_of(view):
        placed.unplaced += len(xy)
        return
    _points(xy, np.ones(len(xy)), visit, ground, placed)


def _stalls(view: Seen, visit: int, ground: Ground, placed: Placed) -> None:
    """Seconds: fixations where there is a trail, else zone clocks and bands at rest."""
    stalls = stalls_of(view)
    if len(view.trail):
        _fixations(view, visit, stalls.x_px, stalls.y_px, stalls.seconds, ground, placed)
        return
    for zone, interval in stalls.zones_s.items():
        _zone_box(zone, visit, clock_middle(interval), ground, placed)
    for band, seconds in stalls.bands_s.items():
        _band_box(view, band, seconds, ground, placed)


def _fixations(
    view: Seen,
    visit: int,
    x_px: Floats,
    y_px: Floats,
    seconds: Floats,
    ground: Ground,
    placed: Placed,
) -> None:
    if not ground.takes_page_px_of(view):
        placed.unplaced += len(seconds)
        return
    for x, y, weight in zip(x_px, y_px, seconds, strict=True):
        if (zone := _zone_at(x, y, ground)) is not None:
            placed.zone(zone, visit, float(weight))
    _points(np.stack([x_px, y_px], axis=1), seconds, visit, ground, placed)


def _zone_at(x_px: float, y_px: float, ground: Ground) -> int | None:
    """The smallest zone that holds the point: a field rather than the form around it."""
    boxes = ground.layout.boxes if ground.layout else ()
    holding = [b for b in boxes if b.x0_px <= x_px < b.x1_px and b.y0_px <= y_px < b.y1_px]
    if not holding:
        return None
    smallest = min(holding, key=lambda b: (b.x1_px - b.x0_px) * (b.y1_px - b.y0_px))
    return smallest.number


def _zone_box(zone: int, visit: int, weight: float, ground: Ground, placed: Placed) -> None:
    placed.zone(zone, visit, weight)
    box = ground.box(zone)
    if box is None:
        placed.unplaced += 1
        return
    placed.boxes.append(box)
    placed.box_weights.append(weight)


def _band_box(view: Seen, band: int, seconds: float, ground: Ground, placed: Placed) -> None:
    if ground.layout is None or not ground.takes_page_px_of(view):
        placed.unplaced += 1
        return
    top = float(band * BAND_PX)
    bottom = min(top + BAND_PX, float(ground.layout.height_px))
    if bottom > top:
        placed.boxes.append((0.0, top, float(ground.layout.width_px), bottom))
        placed.box_weights.append(seconds)


def _points(xy: Floats, weights: Floats, visit: int, ground: Ground, placed: Placed) -> None:
    if ground.unique and len(xy):
        cells = [(visit, *cell) for cell in (xy // UNIQUE_CELL_PX).astype(int).tolist()]
        fresh = []
        for cell in cells:
            fresh.append(cell not in placed.seen_cells)
            placed.seen_cells.add(cell)
        xy, weights = xy[fresh], weights[fresh]
    if len(xy):
        placed.points.append(xy)
        placed.point_weights.append(weights)


def _within(box: tuple[float, float, float, float], u: float, v: float) -> tuple[float, float]:
    x0, y0, x1, y1 = box
    return x0 + u * (x1 - x0), y0 + v * (y1 - y0)


_PLACERS: dict[str, Callable[[Seen, int, Ground, Placed], None]] = {
    "click": _clicks,
    "move": _moves,
    "stall": _stalls,
}
