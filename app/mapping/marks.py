"""Page views → marks: what a kind of map counts, and what is known of the place of each. Pure.

A mark is told here once, and then either drawn where it was (`placing.py`) or counted in the cells
of a tile (`app/sealing/tiles.py`): a map of closed days says the same as one of raw rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from app.folding.homes import Homes, ZoneBox, zones_at
from app.folding.pointing import Cells, entered, middle_px, pressed_in, width_px
from app.folding.seen import Seen
from app.folding.stalls import clock_middle, in_view, stalls_of
from app.folding.ways import Way, way_of
from collector.wire import PRESSES, Kind
from heatmap.clicking import rage_clicks

KINDS = {
    "click": Kind.CLICK,
    "rageclick": Kind.RAGECLICK,
    "deadclick": Kind.DEADCLICK,
    "move": Kind.MOVE,
    "stall": Kind.STALL,
    "scroll": Kind.SCROLL,
    "attention": Kind.ATTENTION,
}
"""What maps show, by the name in the API and the code in the store."""

MARK = np.dtype(
    [
        ("x", "<f8"),
        ("y", "<f8"),
        ("weight", "<i8"),
        ("zone", "<i4"),
        ("u", "<u2"),
        ("v", "<u2"),
        ("where", "u1"),
    ]
)
"""x, y: page px; weight: 1 for what is counted, ms for stalls; zone: 0 for none; u, v: the place in
the zone's box, 0..65535; or in u the number of a band; or of a pointer cell in u the width of the
page that the cells shared, in v its row and column."""

UNIT = 65535
"""Full scale of a place within a zone's box, on the wire and here."""

ROW_SHIFT = 8
"""Of `v` of a pointer cell, the low bits are its column."""


class Where(IntEnum):
    """What is known of a mark's place."""

    PAGE = 0  # page px of a view; `zone` is the one that lay there for its visitor
    SPOT = 1  # a place in a zone's box, and page px
    ZONE = 2  # somewhere in a zone's box
    BAND = 3  # somewhere in one of the bands across the page
    CELL = 4  # somewhere in one of the pointer cells; x, y: its middle


Marks = NDArray[np.void]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Seer:
    """Whom a mark is counted for: `unique_visits` counts it once at a place for each of these.

    That is a visit, on a day, in one way of seeing the page: what was seen in two widths is drawn
    in two places anyway, and tiles of different ways and days simply add up.
    """

    visit: int
    day: date
    way: Way
    code: int = 0
    """Of the class that dots are coloured by, if they are."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The marks of many views; `view_of` and `seer_of` (by view) are places in the lists."""

    marks: Marks
    view_of: Integers
    seer_of: Integers
    seers: Sequence[Seer]

    @property
    def mark_seers(self) -> Integers:
        chosen: Integers = self.seer_of[self.view_of]
        return chosen


NOTHING = Gathered(np.empty(0, MARK), np.empty(0, np.int64), np.empty(0, np.int64), ())

Paired = Sequence[tuple[Seen, int]]
"""Views with the number of their visit."""


def gather(
    kind: str, paired: Paired, homes: Homes, code_of: Callable[[Seen], int] | None = None
) -> Gathered:
    """Marks of `kind` for views paired with their visits, and of the class that `code_of` says."""
    told = [marks_of(kind, view, homes) for view, _ in paired]
    seers: dict[Seer, int] = {}
    codes = [code_of(view) if code_of else 0 for view, _ in paired]
    own = [
        Seer(visit, view.day, way_of(view), code)
        for (view, visit), code in zip(paired, codes, strict=True)
    ]
    return Gathered(
        marks=np.concatenate([NOTHING.marks, *told]),
        view_of=np.repeat(np.arange(len(told)), np.array([len(marks) for marks in told], int)),
        seer_of=np.array([seers.setdefault(seer, len(seers)) for seer in own], np.int64),
        seers=tuple(seers),
    )


def joined(parts: Iterable[Gathered]) -> Gathered:
    """Several, of different views, as one."""
    listed = [NOTHING, *parts]
    seers: dict[Seer, int] = {}
    numbers = []
    for part in listed:
        places = np.array([seers.setdefault(seer, len(seers)) for seer in part.seers], np.int64)
        numbers.append(places[part.seer_of])
    starts = np.cumsum([0, *(len(part.seer_of) for part in listed)])
    return Gathered(
        marks=np.concatenate([part.marks for part in listed]),
        view_of=np.concatenate([p.view_of + n for p, n in zip(listed, starts, strict=False)]),
        seer_of=np.concatenate(numbers),
        seers=tuple(seers),
    )


def marks_of(kind: str, view: Seen, homes: Homes) -> Marks:
    if kind == "click":
        return _clicks(view, homes)
    if kind == "move":
        return _moves(view)
    if kind == "stall":
        return _stalls(view, homes)
    if kind == "attention":
        return _attention(view)
    if kind == "rageclick":
        return _rage(view)
    if kind == "deadclick":
        return _clicked(_of_kind(view, Kind.DEADCLICK))
    return _depth(view)


def _clicks(view: Seen, homes: Homes) -> Marks:
    """Clicks with their place by script, presses of zones script-free; never both of one view."""
    clicks = view.clicks()
    return _clicked(clicks) if len(clicks) else _presses(view, _boxes(view, homes))


def _clicked(clicks: Marks) -> Marks:
    marks = _at(clicks["x"], clicks["y"])
    for name in ("zone", "u", "v"):
        marks[name] = clicks[name]
    marks["where"] = np.where(clicks["zone"] > 0, Where.SPOT, Where.PAGE)
    return marks


def _of_kind(view: Seen, kind: Kind) -> Marks:
    chosen: Marks = view.events[view.events["kind"] == int(kind)]
    return chosen


def _rage(view: Seen) -> Marks:
    """A mark for each burst, where it began: of clicks by script, of a zone's presses without it.

    A recording tells of bursts itself, and of its clicks beside: then its own word counts.
    """
    told, clicks = _of_kind(view, Kind.RAGECLICK), view.clicks()
    if len(told):
        return _clicked(told)
    if len(clicks):
        return _clicked(clicks[rage_clicks(clicks["t"], clicks["x"], clicks["y"])[:, 0]])
    bursts = {zone: _bursts(view, zone) for zone in sorted(view.presses)}
    angry = {zone: n for zone, n in bursts.items() if n}
    return _in_zones(list(angry), list(angry.values()))


def _bursts(view: Seen, zone: int) -> int:
    """Of a zone's first presses, which are timed; they lie within it, wherever that is."""
    named = (f"{zone}.p{press}" for press in range(1, PRESSES + 1))
    times = sorted(view.moments_ms[name] for name in named if name in view.moments_ms)
    return len(rage_clicks(times, np.zeros(len(times)), np.zeros(len(times))))


def _attention(view: Seen) -> Marks:
    """Milliseconds that each band of the page was in view, by the steps of its clock."""
    return _in_bands(in_view(view))


def _presses(view: Seen, boxes: Sequence[ZoneBox]) -> Marks:
    """Each in the pointer cell where it was, else somewhere in its zone."""
    pressed = sorted(view.pressed_zones.items())
    spots, elsewhere = [], dict(pressed)
    for zone, times in pressed if "c" in map(_first, view.moments_ms) else ():
        for press in range(1, times + 1):
            cell = pressed_in(view, zone, press, boxes)
            if cell is not None:
                spots.append(_spot(view, zone, cell[1:], dict(boxes)[zone]))
                elsewhere[zone] -= 1
    left = {zone: times for zone, times in elsewhere.items() if times}
    return np.concatenate([np.array(spots, MARK), _in_zones(list(left), list(left.values()))])


def _first(name: str) -> str:
    return name[0]


def _spot(
    view: Seen, zone: int, cell: Sequence[int], box: tuple[float, float, float, float]
) -> tuple[float | int, ...]:
    x_px, y_px = middle_px(cell[0], cell[1], width_px(view))
    x0, y0, x1, y1 = box
    u, v = round(UNIT * (x_px - x0) / (x1 - x0)), round(UNIT * (y_px - y0) / (y1 - y0))
    return x_px, y_px, 1, zone, u, v, int(Where.SPOT)


def _moves(view: Seen) -> Marks:
    """The trail by script, else the pointer cells that were entered."""
    if len(view.trail):
        return _at(view.trail["x"], view.trail["y"])
    return _in_cells(view, entered(view))


def _boxes(view: Seen, homes: Homes) -> Sequence[ZoneBox]:
    way = way_of(view)
    return homes.boxes(view.day, way.band, touch=way.touch)


def _stalls(view: Seen, homes: Homes) -> Marks:
    """Milliseconds: fixations where there is a trail, else zone clocks, cells and bands at rest."""
    stalls = stalls_of(view)
    if len(view.trail):
        marks = _at(stalls.x_px, stalls.y_px)
        marks["weight"] = np.rint(stalls.seconds * 1000)
        marks["zone"] = zones_at(marks["x"], marks["y"], _boxes(view, homes))
        return marks
    clocks_ms = [round(1000 * clock_middle(interval)) for interval in stalls.zones_s.values()]
    bands = _in_bands(stalls.bands_s)
    cells = _in_cells(view, stalls.cells)
    if len(cells):
        cells["weight"] = stalls.cells["hold_ms"]
        cells["zone"] = zones_at(cells["x"], cells["y"], _boxes(view, homes))
        # Of a zone its clock tells.
        cells = cells[~np.isin(cells["zone"], list(stalls.zones_s))]
    return np.concatenate([_in_zones(list(stalls.zones_s), clocks_ms), bands, cells])


def _depth(view: Seen) -> Marks:
    """The deepest row that was in view, of views that told anything."""
    if not view.signals or view.deepest_px is None:
        return np.empty(0, MARK)
    return _at(np.zeros(1), np.array([float(view.deepest_px)]))


def _at(x_px: NDArray[np.generic], y_px: NDArray[np.generic]) -> Marks:
    marks = np.zeros(len(x_px), MARK)
    marks["x"], marks["y"], marks["weight"], marks["where"] = x_px, y_px, 1, Where.PAGE
    return marks


def _in_zones(zones: Sequence[int], weights: Sequence[int]) -> Marks:
    marks = np.zeros(len(zones), MARK)
    marks["zone"], marks["weight"], marks["where"] = zones, weights, Where.ZONE
    return marks


def _in_bands(seconds: Mapping[int, float]) -> Marks:
    marks = np.zeros(len(seconds), MARK)
    marks["where"] = Where.BAND
    marks["u"] = list(seconds)
    marks["weight"] = [round(1000 * each) for each in seconds.values()]
    return marks


def _in_cells(view: Seen, cells: Cells) -> Marks:
    marks = np.zeros(len(cells), MARK)
    if len(cells):
        across = width_px(view)
        row, column = cells["row"].astype(np.uint16), cells["column"].astype(np.uint16)
        marks["x"], marks["y"] = middle_px(row, column, across)
        marks["u"], marks["v"] = round(across), row << ROW_SHIFT | column
        marks["weight"], marks["where"] = 1, Where.CELL
    return marks
