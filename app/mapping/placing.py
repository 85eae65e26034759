"""Marks on one layout, each where it was: exact places, for raw rows. Pure.

A position known relative to a zone is drawn through the zone's box, so that visitors of every
width share one map; a position known in page px alone is drawn only on layouts of its own width
band. What cannot be placed is counted and said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

import numpy as np
from numpy.typing import NDArray

from app.folding.homes import Homes
from app.folding.pointing import edges_px
from app.mapping.filters import TIMED
from app.mapping.marks import ROW_SHIFT, UNIT, Gathered, Integers, Marks, Paired, Where, gather
from app.picturing.layouts import Layout
from app.sealing.cells import WIDTH_SHIFT, cells_of, codes
from collector.wire import BAND_PX

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Box = tuple[float, float, float, float]

MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class ZoneSum:
    """What one zone has gathered, in the map's unit, and from how many visits."""

    total: float
    visits: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Marks in page px of the layout, each with its weight, and what the zones gathered.

    Where a visit counts once at a place (`Ground.unique`), its heaviest mark there stands for all:
    a click counts as one, a stall as the longest.
    """

    points: Floats
    point_weights: Floats
    boxes: Sequence[Box]
    box_weights: Sequence[float]
    zones: Mapping[int, ZoneSum]
    point_codes: Integers
    """Of each point, the code of its seer's class."""
    box_counts: Integers
    """Of each box how many marks it stands for, where it is told by one of its own: 0 for a band
    across the page."""
    box_codes: Integers
    """Of each box the code of its seer's class."""
    marks: int
    """How many there are in `points` and `boxes`; one that stands for several told together counts
    as often as these."""
    in_zones: int
    """How many of these lie where a zone's box has them, and not by px of the page."""
    unplaced: int


NO_CODES: Integers = np.empty(0, np.int64)
EMPTY = Placed(np.empty((0, 2)), np.empty(0), (), (), {}, NO_CODES, NO_CODES, NO_CODES, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Ground:
    """The layout that marks are placed on, and how often a visit may count."""

    layout: Layout | None
    unique: bool
    boxes: Mapping[int, Box] = field(init=False)

    def __post_init__(self) -> None:
        boxes = self.layout.boxes if self.layout else ()
        object.__setattr__(self, "boxes", {box.number: box.edges_px for box in boxes})

    @property
    def size_px(self) -> tuple[float, float]:
        """Where the page ends; an empty page ends nowhere."""
        if self.layout is None:
            return math.inf, math.inf
        return float(self.layout.width_px), float(self.layout.height_px)

    def takes_page_px(self, band: Integers) -> Flags:
        """Whether page px of views of these width bands are drawn.

        Without any layout the map is drawn on an empty page, for whatever came.
        """
        if self.layout is None:
            return np.ones(len(band), bool)
        return np.asarray(band == self.layout.band)

    def has_box(self, zone: Integers) -> Flags:
        return np.isin(zone, list(self.boxes))

    def within(self, zone: Integers, u: Floats, v: Floats) -> Floats:
        """Page px of places 0..1 along the sides of boxes that there are."""
        edges = np.array([self.boxes[number] for number in zone.tolist()]).reshape(-1, 4)
        low, high = edges[:, :2], edges[:, 2:]
        return np.asarray(low + np.stack([u, v], axis=1) * (high - low))

    def band_box(self, band: int) -> Box | None:
        """Across the page and down to its end."""
        top = float(band * BAND_PX)
        if self.layout is None or top >= self.layout.height_px:
            return None
        bottom = min(top + BAND_PX, float(self.layout.height_px))
        return 0.0, top, float(self.layout.width_px), bottom

    def cell_box(self, shared_px: int, place: int) -> Box | None:
        """Of a pointer cell of a page so wide; what lies beyond the layout's edges is cut off."""
        edges = edges_px(place >> ROW_SHIFT, place & (1 << ROW_SHIFT) - 1, float(shared_px))
        x0, y0, x1, y1 = edges
        width_px, height_px = self.size_px
        if x0 >= width_px or y0 >= height_px:
            return None
        return x0, y0, min(x1, width_px), min(y1, height_px)


def place(kind: str, paired: Paired, ground: Ground) -> Placed:
    """Marks of `kind` for views paired with their visits, all of them seen in the ground's layout
    where they were seen in its width."""
    homes = Homes([ground.layout] if ground.layout else [], UTC)
    return placed(kind, gather(kind, paired, homes), ground)


def placed(kind: str, gathered: Gathered, ground: Ground) -> Placed:
    marks, seers = gathered.marks, gathered.mark_seers
    takes = _takes(gathered, ground)
    in_box = (marks["where"] == Where.SPOT) & ground.has_box(marks["zone"])
    as_point = in_box | (np.isin(marks["where"], (Where.PAGE, Where.SPOT)) & takes)
    as_box = (marks["where"] == Where.ZONE) & ground.has_box(marks["zone"])
    bands = {int(n): ground.band_box(int(n)) for n in np.unique(marks["u"][_bands(marks)])}
    drawn = [number for number, box in bands.items() if box is not None]
    as_box |= _bands(marks) & takes & np.isin(marks["u"], drawn)
    pointed = marks["where"] == Where.CELL
    cells = {place: ground.cell_box(*_cell_parts(place)) for place in _cell_places(marks[pointed])}
    drawn = [place for place, box in cells.items() if box is not None]
    as_box[pointed] = takes[pointed] & np.isin(_cell_numbers(marks[pointed]), drawn)
    chosen, weights = np.flatnonzero(as_point | as_box), marks["weight"].astype(float)
    if ground.unique:
        counts_for = _once(kind, marks)
        chosen = chosen[_heaviest(marks[chosen], seers[chosen], counts_for[chosen], in_box[chosen])]
        weights = counts_for.astype(float)
    counts = np.ones(len(marks)) if kind in TIMED else weights
    weights = weights / MS_PER_S if kind in TIMED else weights
    codes_of = np.array([seer.code for seer in gathered.seers], np.int64)
    points, boxed = chosen[as_point[chosen]], chosen[as_box[chosen]]
    return Placed(
        points=_places(marks[points], in_box[points], ground),
        point_weights=weights[points],
        boxes=_drawn_boxes(marks[boxed], bands, cells, ground),
        box_weights=weights[boxed].tolist(),
        zones=_zones(kind, gathered, unique=ground.unique),
        point_codes=codes_of[seers[points]],
        box_counts=np.where(_bands(marks), 0, counts)[boxed].astype(np.int64),
        box_codes=codes_of[seers[boxed]],
        marks=len(chosen),
        in_zones=int(np.count_nonzero((in_box | (marks["where"] == Where.ZONE))[chosen])),
        unplaced=len(marks) - int(np.count_nonzero(as_point | as_box)),
    )


def _takes(gathered: Gathered, ground: Ground) -> Flags:
    band = np.array([seer.way.band for seer in gathered.seers], np.int64)
    return ground.takes_page_px(band)[gathered.mark_seers]


def _bands(marks: Marks) -> Flags:
    return np.asarray(marks["where"] == Where.BAND)


def _once(kind: str, marks: Marks) -> Integers:
    """Weights where a visit counts once: a press as one, however often; a stall by its length."""
    weights: Integers = marks["weight"]
    return weights if kind in TIMED else np.minimum(weights, 1)


def _heaviest(marks: Marks, seers: Integers, weights: Integers, in_box: Flags) -> Integers:
    """Of each seer's marks in one cell the heaviest, the first of several; in their order."""
    cell = cells_of(marks, drawn_in_box=in_box)
    in_page = np.isin(marks["where"], (Where.PAGE, Where.CELL))
    anchor = np.where(in_page, 0, marks["zone"]).astype(np.int64)
    code = codes(0, 0, anchor, cell)
    order = np.lexsort((-weights, code, seers))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(code[order]) != 0) | (np.diff(seers[order]) != 0)
    return np.sort(order[fresh])


def _places(marks: Marks, in_box: Flags, ground: Ground) -> Floats:
    xy = np.stack([marks["x"], marks["y"]], axis=1).reshape(-1, 2)
    spots = marks[in_box]
    xy[in_box] = ground.within(spots["zone"], spots["u"] / UNIT, spots["v"] / UNIT)
    return xy


def _drawn_boxes(
    marks: Marks,
    bands: Mapping[int, Box | None],
    cells: Mapping[int, Box | None],
    ground: Ground,
) -> list[Box]:
    found = []
    numbers = _cell_numbers(marks).tolist()
    columns = [marks[name].tolist() for name in ("where", "zone", "u")]
    for where, zone, band, cell in zip(*columns, numbers, strict=True):
        if where == Where.ZONE:
            found.append(ground.boxes[zone])
        else:
            box = bands[band] if where == Where.BAND else cells[cell]
            assert box is not None
            found.append(box)
    return found


def _cell_numbers(marks: Marks) -> Integers:
    """Width, row and column of pointer cells in one number."""
    numbers: Integers = marks["u"].astype(np.int64) << WIDTH_SHIFT | marks["v"]
    return numbers


def _cell_places(marks: Marks) -> list[int]:
    places: list[int] = np.unique(_cell_numbers(marks)).tolist()
    return places


def _cell_parts(number: int) -> tuple[int, int]:
    return number >> WIDTH_SHIFT, number & (1 << WIDTH_SHIFT) - 1


def _zones(kind: str, gathered: Gathered, *, unique: bool) -> dict[int, ZoneSum]:
    """By zone: weights in sum, or of each seer the heaviest; a visit is one on each day."""
    inside = gathered.marks["zone"] > 0
    if not inside.any():
        return {}
    marks, seer = gathered.marks[inside], gathered.mark_seers[inside]
    zone = marks["zone"].astype(np.int64)
    weights = _once(kind, marks) if unique else marks["weight"]
    if unique:
        kept = _first_of_each(zone, seer, -weights)
        zone, seer, weights = zone[kept], seer[kept], weights[kept]
    visits = {(one.visit, one.day): n for n, one in enumerate(gathered.seers)}
    visit_of = np.array([visits[one.visit, one.day] for one in gathered.seers], np.int64)
    by_visit = zone[_first_of_each(zone, visit_of[seer], weights)]
    unit = MS_PER_S if kind in TIMED else 1
    totals, counted = np.bincount(zone, weights) / unit, np.bincount(by_visit)
    return {
        number: ZoneSum(float(totals[number]), int(counted[number]))
        for number in np.unique(zone).tolist()
    }


def _first_of_each(zone: Integers, owner: Integers, rank: Integers) -> Integers:
    """Places of the lowest rank of each owner in each zone."""
    order = np.lexsort((rank, owner, zone))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(zone[order]) != 0) | (np.diff(owner[order]) != 0)
    return order[fresh]


def merged(parts: Sequence[Placed]) -> Placed:
    """Marks of different days on the same ground."""
    zones: dict[int, ZoneSum] = {}
    for part in parts:
        for number, told in part.zones.items():
            before = zones.get(number, ZoneSum(0.0, 0))
            zones[number] = ZoneSum(before.total + told.total, before.visits + told.visits)
    return Placed(
        points=np.concatenate([EMPTY.points, *(part.points for part in parts)]),
        point_weights=np.concatenate([EMPTY.point_weights, *(p.point_weights for p in parts)]),
        boxes=[box for part in parts for box in part.boxes],
        box_weights=[weight for part in parts for weight in part.box_weights],
        zones=zones,
        point_codes=np.concatenate([NO_CODES, *(part.point_codes for part in parts)]),
        box_counts=np.concatenate([NO_CODES, *(part.box_counts for part in parts)]),
        box_codes=np.concatenate([NO_CODES, *(part.box_codes for part in parts)]),
        marks=sum(part.marks for part in parts),
        in_zones=sum(part.in_zones for part in parts),
        unplaced=sum(part.unplaced for part in parts),
    )
