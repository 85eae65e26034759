"""Page views → marks on one layout: what a kind of map counts, and where it is placed.

A position known relative to a zone is drawn through the zone's box, so that visitors of every
width share one map; a position known in page px alone is drawn only on layouts of its own width
band. What cannot be placed is counted and said. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
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


Box = tuple[float, float, float, float]
Cell = tuple[int, int, int]
"""Of a visit: its number, and the column and row of the cell."""


@dataclass(slots=True)
class ZoneSum:
    """What one zone has gathered: by visit, in the map's unit."""

    by_visit: dict[int, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return math.fsum(self.by_visit.values())

    @property
    def visits(self) -> int:
        return len(self.by_visit)


@dataclass(slots=True)
class Placed:
    """Marks in page px of the layout, each with its weight and its visit.

    Where a visit counts once at a place (`unique`), its heaviest mark there stands for all: a
    click counts as one, a stall as the longest.
    """

    unique: bool = False
    points: list[Floats] = field(default_factory=list)
    point_weights: list[Floats] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    box_weights: list[float] = field(default_factory=list)
    zones: dict[int, ZoneSum] = field(default_factory=dict)
    unplaced: int = 0
    _cells: dict[Cell, tuple[float, float, float]] = field(default_factory=dict)
    _boxed: dict[tuple[int, Box], int] = field(default_factory=dict)

    def add_to_zone(self, number: int, visit: int, weight: float) -> None:
        held = self.zones.setdefault(number, ZoneSum()).by_visit
        before = held.get(visit, 0.0)
        held[visit] = max(before, weight) if self.unique else before + weight

    def add_points(self, xy: Floats, weights: Floats, visit: int) -> None:
        if not self.unique:
            self.points.append(xy)
            self.point_weights.append(weights)
            return
        cells = (xy // UNIQUE_CELL_PX).astype(int).tolist()
        for (column, row), (x, y), weight in zip(cells, xy.tolist(), weights.tolist(), strict=True):
            cell = (visit, column, row)
            if cell not in self._cells or weight > self._cells[cell][2]:
                self._cells[cell] = (x, y, weight)

    def add_box(self, box: Box, weight: float, visit: int) -> None:
        place = self._boxed.get((visit, box)) if self.unique else None
        if place is not None:
            self.box_weights[place] = max(self.box_weights[place], weight)
            return
        self._boxed[visit, box] = len(self.boxes)
        self.boxes.append(box)
        self.box_weights.append(weight)

    def all_points(self) -> Floats:
        if self.unique:
            return np.array([(x, y) for x, y, _ in self._cells.values()]).reshape(-1, 2)
        return np.concatenate(self.points) if self.points else np.empty((0, 2))

    def all_weights(self) -> Floats:
        if self.unique:
            return np.array([weight for _, _, weight in self._cells.values()], np.float64)
        return np.concatenate(self.point_weights) if self.point_weights else np.empty(0)


@dataclass(frozen=True, slots=True)
class Ground:
    """The layout that marks are placed on, and how often a visit may count."""

    layout: Layout | None
    unique: bool
    boxes: Mapping[int, Box] = field(init=False)

    def __post_init__(self) -> None:
        boxes = self.layout.boxes if self.layout else ()
        object.__setattr__(self, "boxes", {box.number: box.edges_px for box in boxes})

    def box(self, zone: int) -> Box | None:
        return self.boxes.get(zone)

    def takes_page_px_of(self, view: Seen) -> bool:
        """Without any layout the map is drawn on an empty page, for whatever came."""
        return self.layout is None or self.layout.band == view.codes.band


def place(kind: str, views: Iterable[tuple[Seen, int]], ground: Ground) -> Placed:
    """Marks of `kind` (click, move, stall) for views paired with their visits."""
    placed = Placed(ground.unique)
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
        _zone_box(zone, visit, 1.0 if ground.unique else float(presses), ground, placed)


def _anchored_clicks(
    view: Seen, visit: int, clicks: NDArray[np.void], ground: Ground, placed: Placed
) -> None:
    xy = np.stack([clicks["x"], clicks["y"]], axis=1).astype(float)
    known = np.full(len(clicks), ground.takes_page_px_of(view))
    for index, click in enumerate(clicks):
        zone = int(click["zone"])
        if zone:
            placed.add_to_zone(zone, visit, 1.0)
        if zone and (box := ground.box(zone)) is not None:
            xy[index] = _within(box, int(click["u"]) / UNIT, int(click["v"]) / UNIT)
            known[index] = True
    placed.unplaced += int((~known).sum())
    placed.add_points(xy[known], np.ones(int(known.sum())), visit)


def _moves(view: Seen, visit: int, ground: Ground, placed: Placed) -> None:
    xy = np.stack([view.trail["x"], view.trail["y"]], axis=1).astype(float)
    if not ground.takes_page_px_of(view):
        placed.unplaced += len(xy)
        return
    placed.add_points(xy, np.ones(len(xy)), visit)


def _stalls(view: Seen, visit: int, ground: Ground, placed: Placed) -> None:
    """Seconds: fixations where there is a trail, else zone clocks and bands at rest."""
    stalls = stalls_of(view)
    if len(view.trail):
        _fixations(view, visit, stalls.x_px, stalls.y_px, stalls.seconds, ground, placed)
        return
    for zone, interval in stalls.zones_s.items():
        _zone_box(zone, visit, clock_middle(interval), ground, placed)
    for band, seconds in stalls.bands_s.items():
        _band_box(view, visit, band, seconds, ground, placed)


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
            placed.add_to_zone(zone, visit, float(weight))
    placed.add_points(np.stack([x_px, y_px], axis=1), seconds, visit)


def _zone_at(x_px: float, y_px: float, ground: Ground) -> int | None:
    """The smallest zone that holds the point: a field rather than the form around it."""
    holding = [
        ((x1 - x0) * (y1 - y0), number)
        for number, (x0, y0, x1, y1) in ground.boxes.items()
        if x0 <= x_px < x1 and y0 <= y_px < y1
    ]
    return min(holding)[1] if holding else None


def _zone_box(zone: int, visit: int, weight: float, ground: Ground, placed: Placed) -> None:
    placed.add_to_zone(zone, visit, weight)
    box = ground.box(zone)
    if box is None:
        placed.unplaced += 1
    else:
        placed.add_box(box, weight, visit)


def _band_box(
    view: Seen, visit: int, band: int, seconds: float, ground: Ground, placed: Placed
) -> None:
    top = float(band * BAND_PX)
    layout = ground.layout
    if layout is None or not ground.takes_page_px_of(view) or top >= layout.height_px:
        placed.unplaced += 1
        return
    bottom = min(top + BAND_PX, float(layout.height_px))
    placed.add_box((0.0, top, float(layout.width_px), bottom), seconds, visit)


def _within(box: Box, u: float, v: float) -> tuple[float, float]:
    x0, y0, x1, y1 = box
    return x0 + u * (x1 - x0), y0 + v * (y1 - y0)


_PLACERS: dict[str, Callable[[Seen, int, Ground, Placed], None]] = {
    "click": _clicks,
    "move": _moves,
    "stall": _stalls,
}
